//! Which deadline is next.
//!
//! A heap, whose entries stay until they come to its top: nearly every deadline is taken back before its time, and a
//! tree would be searched for it. `BinaryHeap` alone cannot say what is next once some of it is void, and would grow.

use alloc::collections::BinaryHeap;
use core::cmp::Reverse;

use crate::time::Time;

/// How many void entries are borne, besides one for each that counts.
const SLACK: usize = 32;

/// Deadlines of things that know their own: the one that a thing has at present counts, any other is void.
///
/// What is on top always counts. Whoever changes or takes back a deadline calls [`clean`](Self::clean) afterwards.
#[derive(Debug)]
pub(crate) struct Deadlines<K> {
    heap: BinaryHeap<Reverse<(Time, K)>>,
}

impl<K: Copy + Ord> Default for Deadlines<K> {
    fn default() -> Self {
        Self {
            heap: BinaryHeap::new(),
        }
    }
}

impl<K: Copy + Ord> Deadlines<K> {
    pub(crate) fn add(&mut self, deadline: Time, of: K) {
        self.heap.push(Reverse((deadline, of)));
    }

    /// Drops what is void, as far as that is needed: from the top, and all of it where it is more than what counts.
    pub(crate) fn clean(&mut self, counting: usize, counts: impl Fn(Time, K) -> bool) {
        while let Some(Reverse((deadline, of))) = self.heap.peek()
            && !counts(*deadline, *of)
        {
            self.heap.pop();
        }
        // More than half of what is looked at then goes: in the mean, taking a deadline back costs no more than giving
        // one.
        if self.heap.len() > SLACK + 2 * counting {
            let mut entries = core::mem::take(&mut self.heap).into_vec();
            entries.retain(|Reverse((deadline, of))| counts(*deadline, *of));
            // A deadline that was given, changed and given again is there twice.
            entries.sort_unstable();
            entries.dedup();
            self.heap = entries.into();
        }
    }

    /// The next one.
    pub(crate) fn next(&self) -> Option<Time> {
        self.heap.peek().map(|Reverse((deadline, _))| *deadline)
    }

    /// Takes the next one, where it has come.
    pub(crate) fn pop_due(&mut self, now: Time) -> Option<K> {
        self.next().filter(|deadline| *deadline <= now)?;
        self.heap.pop().map(|Reverse((_, of))| of)
    }

    pub(crate) fn clear(&mut self) {
        self.heap.clear();
    }

    /// How many there are, void ones included.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    fn at(seconds: u64) -> Time {
        Time::since_origin(Duration::from_secs(seconds))
    }

    #[test]
    fn what_is_void_is_not_next() {
        let mut deadlines = Deadlines::default();
        (1..=4).for_each(|of| deadlines.add(at(of), of));
        deadlines.clean(2, |_, of| of % 2 == 0);
        assert_eq!(deadlines.next(), Some(at(2)));
        assert_eq!((deadlines.pop_due(at(1)), deadlines.pop_due(at(2))), (None, Some(2)));
        deadlines.clean(1, |_, of| of == 4);
        assert_eq!((deadlines.next(), deadlines.len()), (Some(at(4)), 1));
    }

    #[test]
    fn a_deadline_that_moves_for_ever_takes_no_more_room() {
        let mut deadlines = Deadlines::default();
        deadlines.add(at(0), 'a');
        for second in 1..1_000 {
            let second = second % 2 + second;
            deadlines.add(at(second), 'b');
            deadlines.clean(2, |deadline, of| of == 'a' || deadline == at(second));
            assert!(deadlines.len() <= SLACK + 4);
        }
    }
}
