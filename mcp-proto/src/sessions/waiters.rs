//! Who waits for a session, for how long, and what has come of it.

use alloc::collections::BTreeMap;
use core::time::Duration;

use super::deadlines::Deadlines;
use super::event::PoolEvent;
use super::id::WaiterId;
use crate::time::Time;

/// A caller that waits.
#[derive(Debug)]
pub(super) struct Waiting {
    /// The attempt that it waits for.
    pub(super) serial: u64,
    /// All the time it has.
    pub(super) timeout: Duration,
    /// How much of that was spent before it began to wait.
    pub(super) waited: Duration,
    /// Whether it had a session that was lost.
    pub(super) is_replacement: bool,
}

/// Those who wait, and what they have not heard of yet.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    next: u64,
    waiting: BTreeMap<WaiterId, Waiting>,
    deadlines: Deadlines<WaiterId>,
    /// What has come of it, in the order in which it came.
    outcomes: BTreeMap<u64, PoolEvent>,
    order: BTreeMap<WaiterId, u64>,
    next_outcome: u64,
}

impl Waiters {
    /// How many there are, those included that have not heard yet.
    pub(super) fn len(&self) -> usize {
        // What came for one is kept until it has heard: it counts until then.
        self.waiting.len() + self.outcomes.len()
    }

    /// A name for another.
    pub(super) fn name(&mut self) -> WaiterId {
        self.next += 1;
        WaiterId(self.next)
    }

    pub(super) fn wait(&mut self, id: WaiterId, waiting: Waiting) {
        // Where all of it is spent, it is due with the next drain.
        self.deadlines.set(id, waiting.timeout.saturating_sub(waiting.waited));
        self.waiting.insert(id, waiting);
    }

    /// Ends the waiting of one; how much of its time is spent by `now`.
    pub(super) fn end(&mut self, id: WaiterId, now: Time) -> Option<(Waiting, Duration)> {
        // Before it leaves, and its deadline with it.
        let since = self.deadlines.since(id);
        let waiting = self.leave(id)?;
        let took = since.map_or(Duration::ZERO, |since| now.since(since));
        let waited = waiting.waited.saturating_add(took);
        Some((waiting, waited))
    }

    /// Ends the waiting of one that does not want to know.
    pub(super) fn leave(&mut self, id: WaiterId) -> Option<Waiting> {
        self.deadlines.clear(id);
        self.waiting.remove(&id)
    }

    /// One whose time is up.
    pub(super) fn expire(&mut self, now: Time) -> Option<(WaiterId, Waiting)> {
        let id = self.deadlines.expire(now)?;
        self.waiting.remove(&id).map(|waiting| (id, waiting))
    }

    pub(super) fn arm(&mut self, now: Time) {
        self.deadlines.arm(now);
    }

    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.deadlines.next()
    }

    /// Has one hear what has come of its waiting.
    pub(super) fn tell(&mut self, id: WaiterId, outcome: PoolEvent) {
        self.next_outcome += 1;
        self.outcomes.insert(self.next_outcome, outcome);
        self.order.insert(id, self.next_outcome);
    }

    /// Takes back what one was to hear.
    pub(super) fn untell(&mut self, id: WaiterId) -> Option<PoolEvent> {
        let order = self.order.remove(&id)?;
        self.outcomes.remove(&order)
    }

    pub(super) fn poll_outcome(&mut self) -> Option<PoolEvent> {
        let (_, outcome) = self.outcomes.pop_first()?;
        let (PoolEvent::Ready { waiter, .. } | PoolEvent::Failed { waiter, .. }) = &outcome;
        self.order.remove(waiter);
        Some(outcome)
    }
}
