//! The changes that wait for one listener.

use alloc::collections::{BTreeSet, VecDeque};

use super::change::Change;

/// The changes that wait for one listener to take them, in the order in which each came first.
///
/// | what comes | while | is |
/// |---|---|---|
/// | a change | an equal one waits | the same |
/// | a change | [`Change::Lagged`] waits | the same: who takes that looks at everything, and later |
/// | a change | there is no room for it | [`Change::Lagged`], in place of all that wait |
#[derive(Debug, Default)]
pub(super) struct Backlog {
    queue: VecDeque<Change>,
    present: BTreeSet<Change>,
    bytes: usize,
}

impl Backlog {
    /// A change came; `most` bytes may wait. Whether it is the first that waits.
    pub(super) fn push(&mut self, change: Change, most: usize) -> bool {
        if self.present.contains(&change) || self.present.contains(&Change::Lagged) {
            return false;
        }
        let was_empty = self.queue.is_empty();
        let bytes = self.bytes.saturating_add(change.weight());
        if bytes > most && !was_empty {
            *self = Self::default();
            self.add(Change::Lagged);
            return false;
        }
        // One that is alone is taken whatever its size: else nobody would hear of it.
        self.add(change);
        was_empty
    }

    fn add(&mut self, change: Change) {
        self.bytes += change.weight();
        self.present.insert(change.clone());
        self.queue.push_back(change);
    }

    /// Takes the oldest.
    pub(super) fn pop(&mut self) -> Option<Change> {
        let change = self.queue.pop_front()?;
        self.present.remove(&change);
        self.bytes -= change.weight();
        Some(change)
    }

    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::vec::Vec;
    use core::iter;

    const MOST: usize = 1_000;

    fn of(uri: &str) -> Change {
        Change::Resource { uri: uri.into() }
    }

    fn taken(backlog: &mut Backlog) -> Vec<Change> {
        iter::from_fn(|| backlog.pop()).collect()
    }

    #[test]
    fn equal_changes_are_one_in_the_order_of_the_first() {
        let mut backlog = Backlog::default();
        assert!(backlog.push(of("a"), MOST));
        for change in [Change::Tools, of("b"), of("a"), Change::Tools] {
            assert!(!backlog.push(change, MOST), "the first is there already");
        }
        assert_eq!(taken(&mut backlog), [of("a"), Change::Tools, of("b")]);
        assert_eq!(backlog.bytes(), 0);
        assert!(backlog.push(of("a"), MOST), "it has changed again");
    }

    #[test]
    fn who_does_not_take_them_learns_that_there_were_too_many_and_nothing_else() {
        let mut backlog = Backlog::default();
        for at in 0..1_000 {
            backlog.push(of(&format!("a:{at}")), MOST);
            assert!(backlog.bytes() <= MOST);
        }
        assert_eq!(taken(&mut backlog), [Change::Lagged]);
        assert!(backlog.push(of("a"), MOST), "what comes then is new");
    }

    #[test]
    fn one_that_is_larger_than_the_bound_is_heard_of() {
        let mut backlog = Backlog::default();
        backlog.push(of("a"), 1);
        assert_eq!(taken(&mut backlog), [of("a")]);
    }
}
