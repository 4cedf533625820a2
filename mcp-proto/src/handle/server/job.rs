//! The future of a handler that is polled in place.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Context, Poll, ready};

use crate::handle::contained::Contained;
use crate::handle::turn::LARGE;
use crate::jsonrpc::ErrorObject;
use crate::limits::Limits;
use crate::server::ResultBody;

/// The future of a handler, until it has an outcome.
pub(super) struct Job {
    work: Contained<ResultBody>,
    results: Arc<Results>,
    /// The result that the handler has returned, where writing it has a poll of its own.
    result: Option<Box<Waiting>>,
}

/// A result that waits, and what it takes.
struct Waiting {
    body: ResultBody,
    _taken: Taken,
}

/// The large results of an endpoint that wait for a poll of their own.
///
/// Nobody counts a result before it is an answer, and all handlers may return theirs in the same round: where more than a
/// few wait already, another one is written in the poll that has made it. Holding the thread once for longer is better
/// than holding the results of all.
pub(super) struct Results {
    most: usize,
    bytes: AtomicUsize,
}

impl Results {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            // Beside what is counted they shall be little.
            most: limits.unread_bytes / 8,
            bytes: AtomicUsize::new(0),
        }
    }

    /// Room for one more to wait; there is always some for a first.
    fn take(self: &Arc<Self>, bytes: usize) -> Option<Taken> {
        // It counts and guards nothing.
        let before = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let taken = Taken {
            results: self.clone(),
            bytes,
        };
        (before == 0 || before.saturating_add(bytes) <= self.most).then_some(taken)
    }
}

/// Room for a result that waits, given back when it is dropped.
struct Taken {
    results: Arc<Results>,
    bytes: usize,
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.results.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Job {
    pub(super) fn new(work: Contained<ResultBody>, results: Arc<Results>) -> Self {
        let result = None;
        Self { work, results, result }
    }

    /// What the handler returns, once; a large result not in the poll that has made it, while few wait so.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<ResultBody, ErrorObject>> {
        if let Some(waited) = self.result.take() {
            return Poll::Ready(Ok(waited.body));
        }
        let body = match ready!(self.work.poll(cx)) {
            Ok(body) => body,
            Err(error) => return Poll::Ready(Err(error)),
        };
        let bytes = body.as_raw().as_bytes().len();
        let room = if bytes >= LARGE { self.results.take(bytes) } else { None };
        let Some(taken) = room else {
            return Poll::Ready(Ok(body));
        };
        self.result = Some(Box::new(Waiting { body, _taken: taken }));
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_result_waits_always_and_others_within_an_eighth_of_what_may_be_unread() {
        let results = Arc::new(Results::new(&Limits::default().with_unread_bytes(800)));
        let first = results.take(1_000);
        assert!(first.is_some() && results.take(1).is_none());
        drop(first);
        let both = (results.take(60), results.take(40));
        assert!(both.0.is_some() && both.1.is_some() && results.take(1).is_none());
        drop(both);
        assert_eq!(results.bytes.load(Ordering::Relaxed), 0);
    }
}
