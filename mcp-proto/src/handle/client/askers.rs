//! Those who wait for the list of tools.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use crate::client::ToolList;
use crate::handle::wakers::keep;
use crate::rpc::{CallError, CallId};
use crate::time::Time;

/// Those who wait for the list of tools, each until it has taken what it got.
#[derive(Debug, Default)]
pub(super) struct Askers {
    askers: BTreeMap<CallId, Asker>,
}

#[derive(Debug, Default)]
struct Asker {
    waker: Option<Waker>,
    outcome: Option<Result<ToolList, CallError>>,
    /// When it asked.
    born: Option<Time>,
    /// How much of its time it took, with what was spent before.
    spent: Duration,
}

impl Askers {
    /// Someone asks, with so much of its time spent already.
    pub(super) fn insert(&mut self, call: CallId, spent: Duration) {
        let asker = Asker {
            spent,
            ..Asker::default()
        };
        self.askers.insert(call, asker);
    }

    /// A drain has seen the asking: its time began at `now`.
    pub(super) fn arm(&mut self, call: CallId, now: Time) {
        if let Some(asker) = self.askers.get_mut(&call) {
            asker.born = Some(now);
        }
    }

    /// The list of tools, once, and how much of the time of who asked is spent.
    /// Where it is another task that polls, the waker of the one before goes to `replaced`.
    pub(super) fn poll(
        &mut self,
        call: CallId,
        cx: &Context<'_>,
        replaced: &mut Vec<Waker>,
    ) -> Poll<(Result<ToolList, CallError>, Duration)> {
        let Some(asker) = self.askers.get_mut(&call) else {
            return Poll::Ready((Err(CallError::Cancelled), Duration::ZERO));
        };
        match asker.outcome.take() {
            Some(outcome) => {
                let spent = asker.spent;
                self.askers.remove(&call);
                Poll::Ready((outcome, spent))
            }
            None => {
                replaced.extend(keep(&mut asker.waker, cx));
                Poll::Pending
            }
        }
    }

    /// The list came, or did not. Gives whom to wake.
    pub(super) fn settle(&mut self, call: CallId, now: Time, outcome: Result<ToolList, CallError>) -> Option<Waker> {
        let asker = self.askers.get_mut(&call)?;
        // One that no drain has seen has taken no time.
        let took = asker.born.map_or(Duration::ZERO, |born| now.since(born));
        asker.spent = asker.spent.saturating_add(took);
        asker.outcome = Some(outcome);
        asker.waker.take()
    }

    /// Stops waiting, and its waker goes to `spent`; whether it waited.
    pub(super) fn remove(&mut self, call: CallId, spent: &mut Vec<Waker>) -> bool {
        let asker = self.askers.remove(&call);
        let waited = asker.is_some();
        spent.extend(asker.and_then(|asker| asker.waker));
        waited
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Timeouts;
    use crate::rpc::{CallOptions, Calls};

    #[test]
    fn what_was_spent_before_counts_and_the_outcome_comes_once() {
        let call = Calls::new(1).begin_own(&CallOptions::default(), &Timeouts::default(), ());
        let (mut askers, cx) = (Askers::default(), Context::from_waker(Waker::noop()));
        askers.insert(call, Duration::from_secs(1));
        assert!(askers.poll(call, &cx, &mut Vec::new()).is_pending());
        askers.arm(call, Time::ORIGIN);
        let later = Time::ORIGIN + Duration::from_secs(2);
        assert!(askers.settle(call, later, Err(CallError::Disconnected)).is_some());
        let spent = Duration::from_secs(3);
        assert_eq!(
            askers.poll(call, &cx, &mut Vec::new()),
            Poll::Ready((Err(CallError::Disconnected), spent))
        );
        assert!(!askers.remove(call, &mut Vec::new()) && askers.poll(call, &cx, &mut Vec::new()).is_ready());
    }
}
