//! Those who follow the sessions of a key.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::task::Waker;

use crate::handle::wakers::{Wakers, replace};

/// Those who follow the sessions of a key, each for as long as it waits for the next one. What happens to a session wakes
/// those of its key and nobody else: with a reader for each of many keys, all others would be woken for each.
#[derive(Debug)]
pub(super) struct Followers<K> {
    next: u64,
    /// By key, and there in the order in which they came. Numbers are never given twice: who was woken may still have one.
    wakers: BTreeMap<(Arc<K>, u64), Waker>,
}

/// The place of one of them.
#[derive(Debug, Default)]
pub(super) struct Follow(u64);

impl Follow {
    /// Whether there may be anything to leave.
    pub(super) fn is_begun(&self) -> bool {
        self.0 != 0
    }
}

impl<K> Default for Followers<K> {
    fn default() -> Self {
        let (next, wakers) = (0, BTreeMap::new());
        Self { next, wakers }
    }
}

impl<K: Ord> Followers<K> {
    /// Has a task woken for what happens to the session of a key. Gives the waker in whose place it is.
    #[must_use = "it is dropped where no lock is held"]
    pub(super) fn follow(&mut self, key: &Arc<K>, follow: &mut Follow, waker: &Waker) -> Option<Waker> {
        if let Some(before) = self.wakers.get_mut(&(key.clone(), follow.0)) {
            return replace(before, waker);
        }
        self.next += 1;
        follow.0 = self.next;
        self.wakers.insert((key.clone(), self.next), waker.clone())
    }

    /// One does not follow any more. Gives its waker.
    #[must_use = "it is dropped where no lock is held"]
    pub(super) fn leave(&mut self, key: &Arc<K>, follow: &Follow) -> Option<Waker> {
        self.wakers.remove(&(key.clone(), follow.0))
    }

    /// Takes those of a key, to be woken where no lock is held.
    pub(super) fn take(&mut self, key: &Arc<K>, woken: &mut Wakers) {
        let first = |wakers: &BTreeMap<(Arc<K>, u64), Waker>| {
            let mut those = wakers.range((key.clone(), 0)..=(key.clone(), u64::MAX));
            those.next().map(|(place, _)| place.clone())
        };
        while let Some(place) = first(&self.wakers) {
            woken.extend(self.wakers.remove(&place));
        }
    }

    /// Takes all.
    pub(super) fn take_all(&mut self, woken: &mut Wakers) {
        let wakers = core::mem::take(&mut self.wakers);
        wakers.into_values().for_each(|waker| woken.push(waker));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handle::count::Count;

    #[test]
    fn what_happens_to_a_key_wakes_those_who_follow_it_and_nobody_else() {
        let counts: [Arc<Count>; 3] = Default::default();
        let mut follows: [Follow; 3] = Default::default();
        let mut followers = Followers::default();
        let keys = [Arc::new("a"), Arc::new("b"), Arc::new("b")];
        for ((key, follow), count) in keys.iter().zip(&mut follows).zip(&counts) {
            drop(followers.follow(key, follow, &Waker::from(count.clone())));
        }
        assert!(followers.leave(&keys[2], &follows[2]).is_some());
        for (key, expected) in [("b", [0, 1, 0]), ("b", [0, 1, 0]), ("a", [1, 1, 0])] {
            let mut woken = Wakers::default();
            followers.take(&Arc::new(key), &mut woken);
            woken.wake();
            assert_eq!(counts.each_ref().map(|count| count.get()), expected);
        }
    }
}
