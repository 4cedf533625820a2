//! The requests that handlers make of their clients, and who waits for the answers.

use alloc::collections::BTreeMap;
use core::task::{Context, Poll, Waker};

use crate::handle::wakers::keep;
use crate::jsonrpc::RawJson;
use crate::rpc::{CallError, CallId};

/// Requests of ours that wait for an answer, or whose answer waits for who asked.
///
/// | request | `expect` | `settle` | `poll` | `forget` |
/// |---|---|---|---|---|
/// | unknown | waits | nothing: nobody wants it | nothing | nothing |
/// | waits | | its answer is here; the task is woken | pending | unknown |
/// | its answer is here | | nothing: the first one counts | the answer; unknown | unknown |
#[derive(Default)]
pub(super) struct Answers(BTreeMap<CallId, Answer>);

#[derive(Default)]
struct Answer {
    outcome: Option<Result<RawJson, CallError>>,
    waker: Option<Waker>,
}

impl Answers {
    /// A request was sent, or is to be sent.
    pub(super) fn expect(&mut self, call: CallId) {
        self.0.entry(call).or_default();
    }

    /// Keeps an answer for who asked: the task to wake, where no lock is held.
    #[must_use = "it has to be woken"]
    pub(super) fn settle(&mut self, call: CallId, outcome: Result<RawJson, CallError>) -> Option<Waker> {
        let answer = self.0.get_mut(&call)?;
        // The first counts: the end of the connection changes no answer that has come.
        answer.outcome.get_or_insert(outcome);
        answer.waker.take()
    }

    /// The answer, once; `None` where nothing is known of the request. Where it is another task that polls, the waker of the
    /// one before goes to `spent`, to be dropped where no lock is held.
    pub(super) fn poll(
        &mut self,
        call: CallId,
        cx: &Context<'_>,
        spent: &mut Option<Waker>,
    ) -> Poll<Option<Result<RawJson, CallError>>> {
        let Some(answer) = self.0.get_mut(&call) else {
            return Poll::Ready(None);
        };
        if answer.outcome.is_none() {
            *spent = keep(&mut answer.waker, cx);
            return Poll::Pending;
        }
        Poll::Ready(self.0.remove(&call).and_then(|answer| answer.outcome))
    }

    /// Nobody waits for it any more. Gives the waker of who did.
    #[must_use = "it is dropped where no lock is held"]
    pub(super) fn forget(&mut self, call: CallId) -> Option<Waker> {
        self.0.remove(&call)?.waker
    }

    /// All that are known.
    pub(super) fn calls(&self) -> impl Iterator<Item = CallId> + use<> {
        // Collected, so that each can be settled while it goes through them.
        let calls: alloc::vec::Vec<_> = self.0.keys().copied().collect();
        calls.into_iter()
    }
}
