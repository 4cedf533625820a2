//! What the world has not been told yet to do.

use alloc::collections::BTreeMap;

/// What is to be done about an attempt or a session; see [`PoolAction`](super::PoolAction).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Queued {
    Connect,
    Abandon,
    DiscardAttempt,
    Close,
    Discard,
}

/// What the world has still to do, in order: one thing at most for each attempt or session, by its number.
///
/// What is withdrawn is found by that number: a pool that is closed gives up all its attempts at once, and would look
/// through all of the queue for each.
#[derive(Debug, Default)]
pub(super) struct Actions {
    queue: BTreeMap<u64, (u64, Queued)>,
    places: BTreeMap<u64, u64>,
    next: u64,
}

impl Actions {
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Adds what is to be done, in place of what was to be done before.
    pub(super) fn push(&mut self, serial: u64, queued: Queued) {
        // What is dropped at once need not be closed gracefully before.
        self.withdraw(serial);
        self.next += 1;
        self.queue.insert(self.next, (serial, queued));
        self.places.insert(serial, self.next);
    }

    /// Takes back what the world was to do.
    pub(super) fn withdraw(&mut self, serial: u64) -> Option<Queued> {
        let place = self.places.remove(&serial)?;
        self.queue.remove(&place).map(|(_, queued)| queued)
    }

    pub(super) fn pop(&mut self) -> Option<(u64, Queued)> {
        let (_, (serial, queued)) = self.queue.pop_first()?;
        self.places.remove(&serial);
        Some((serial, queued))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_withdrawn_is_not_told_and_the_rest_keeps_its_order() {
        let mut actions = Actions::default();
        for serial in 1..=4 {
            actions.push(serial, Queued::Connect);
        }
        assert_eq!(actions.withdraw(2), Some(Queued::Connect));
        assert_eq!(actions.withdraw(2), None);
        actions.push(3, Queued::Close);
        let told: alloc::vec::Vec<_> = core::iter::from_fn(|| actions.pop()).collect();
        assert_eq!(told, [(1, Queued::Connect), (4, Queued::Connect), (3, Queued::Close)]);
        assert!(actions.is_empty());
    }
}
