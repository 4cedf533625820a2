//! A table by serial numbers.
//!
//! Calls, exchanges and queued messages are numbered as they are made, and nearly all of them are gone before many
//! more have come: the place of such an entry follows from its number, where a tree searches. The crate `slab` uses its
//! keys again, which these numbers must never be: they stand in messages, and a late answer must find nobody.

use alloc::collections::{BTreeMap, VecDeque};

/// How many empty places are borne, besides three for each entry, before the oldest entry makes way.
const SLACK: usize = 64;

/// A table by serial numbers, in their order.
///
/// | where | what is there |
/// |---|---|
/// | `young` | the newest entries, each in the place of its number; the first place is never empty |
/// | `old` | entries before those: they have outlived most of what came after them, and must not keep its places |
///
/// An entry moves once, from `young` to `old`, so that one call that lasts for days costs no more than one place.
#[derive(Debug)]
pub(crate) struct Series<T> {
    /// The number of the first place of `young`.
    first: u64,
    young: VecDeque<Option<T>>,
    /// How many of its places are taken.
    taken: usize,
    old: BTreeMap<u64, T>,
}

impl<T> Default for Series<T> {
    fn default() -> Self {
        Self {
            first: 0,
            young: VecDeque::new(),
            taken: 0,
            old: BTreeMap::new(),
        }
    }
}

impl<T> Series<T> {
    /// Adds an entry. One of the same number goes.
    pub(crate) fn insert(&mut self, number: u64, entry: T) {
        // There is nothing in the places: they may begin anywhere.
        if self.taken == 0 {
            self.first = number;
        }
        // An entry that is put back, such as a call that is made again, is older than what has come meanwhile.
        if number < self.first || self.old.last_key_value().is_some_and(|(oldest, _)| number <= *oldest) {
            self.old.insert(number, entry);
            return;
        }
        // Numbers may be left out: memory follows the entries, and not the gap before one that is far ahead.
        if number - self.first > (self.young.len() + SLACK) as u64 {
            self.retire(self.taken);
            self.first = number;
        }
        let place = self.place(number);
        while self.young.len() <= place {
            self.young.push_back(None);
        }
        if let Some(slot) = self.young.get_mut(place) {
            self.taken += usize::from(slot.replace(entry).is_none());
        }
        while self.young.len() > SLACK + 4 * self.taken {
            self.retire(1);
        }
    }

    pub(crate) fn get(&self, number: u64) -> Option<&T> {
        match self.is_young(number) {
            true => self.young.get(self.place(number))?.as_ref(),
            false => self.old.get(&number),
        }
    }

    pub(crate) fn get_mut(&mut self, number: u64) -> Option<&mut T> {
        let place = self.place(number);
        match self.is_young(number) {
            true => self.young.get_mut(place)?.as_mut(),
            false => self.old.get_mut(&number),
        }
    }

    pub(crate) fn contains(&self, number: u64) -> bool {
        self.get(number).is_some()
    }

    pub(crate) fn remove(&mut self, number: u64) -> Option<T> {
        if !self.is_young(number) {
            return self.old.remove(&number);
        }
        let place = self.place(number);
        let entry = self.young.get_mut(place)?.take()?;
        self.taken -= 1;
        self.trim();
        Some(entry)
    }

    /// Takes the oldest entry.
    pub(crate) fn pop_first(&mut self) -> Option<(u64, T)> {
        if let Some(oldest) = self.old.pop_first() {
            return Some(oldest);
        }
        // The first place is never empty while any is taken.
        let number = self.first;
        self.remove(number).map(|entry| (number, entry))
    }

    /// All entries, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        let young = (self.first..).zip(&self.young);
        let young = young.filter_map(|(number, entry)| Some((number, entry.as_ref()?)));
        self.old.iter().map(|(number, entry)| (*number, entry)).chain(young)
    }

    /// Takes all entries, oldest first.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = (u64, T)> + use<T> {
        let Self { first, young, old, .. } = core::mem::take(self);
        let young = (first..).zip(young);
        old.into_iter()
            .chain(young.filter_map(|(number, entry)| Some((number, entry?))))
    }

    pub(crate) fn len(&self) -> usize {
        self.taken + self.old.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn is_young(&self, number: u64) -> bool {
        self.taken > 0 && number >= self.first
    }

    /// The place of a number that is young.
    fn place(&self, number: u64) -> usize {
        // Also asked of numbers before `first`: they wrap to a place that does not exist.
        usize::try_from(number.wrapping_sub(self.first)).unwrap_or(usize::MAX)
    }

    /// Moves the oldest of the young to the old.
    fn retire(&mut self, count: usize) {
        for _ in 0..count {
            if let Some(entry) = self.young.pop_front().flatten() {
                self.taken -= 1;
                self.old.insert(self.first, entry);
            }
            self.first += 1;
            self.trim();
        }
    }

    /// Gives up the places before the first entry, and after a flood its memory.
    fn trim(&mut self) {
        if self.taken == 0 {
            // A few places are worth keeping, those of a flood are not.
            match self.young.capacity() > SLACK {
                true => self.young = VecDeque::new(),
                false => self.young.clear(),
            }
        }
        while let Some(None) = self.young.front() {
            self.young.pop_front();
            self.first += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn numbers(series: &Series<u64>) -> Vec<u64> {
        series
            .iter()
            .map(|(number, entry)| (number, *entry))
            .inspect(|(a, b)| assert_eq!(a, b))
            .map(|it| it.0)
            .collect()
    }

    #[test]
    fn it_does_what_a_tree_does() {
        let (mut series, mut tree, mut seed, mut next) = (Series::default(), BTreeMap::new(), 7_u64, 0);
        for step in 0..20_000 {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let dice = seed >> 33;
            let any = (dice >> 8) % (next + 1);
            // Now it grows, now it shrinks; some numbers are left out, and a few are put back.
            match dice % 8 {
                0..=2 => {
                    next += if dice % 64 == 0 { 300 } else { 1 + dice % 3 / 2 };
                    series.insert(next, next);
                    tree.insert(next, next);
                }
                3 if dice % 5 == 0 => {
                    series.insert(any, any);
                    tree.insert(any, any);
                }
                4 => assert_eq!(series.pop_first(), tree.pop_first()),
                _ if step / 1_000 % 2 == 0 => assert_eq!(series.remove(any), tree.remove(&any)),
                _ => assert_eq!(series.get_mut(any), tree.get_mut(&any)),
            }
            assert_eq!((series.len(), series.get(any)), (tree.len(), tree.get(&any)));
        }
        assert_eq!(numbers(&series), tree.keys().copied().collect::<Vec<_>>());
        assert!(series.drain().eq(tree));
        assert!(series.is_empty());
    }

    #[test]
    fn one_that_lasts_does_not_keep_the_places_of_those_that_came_after_it() {
        let mut series = Series::default();
        series.insert(0, 0);
        for number in 1..10_000 {
            series.insert(number, number);
            series.remove(number);
            assert!(series.young.len() <= 2 * SLACK);
        }
        assert_eq!(numbers(&series), [0]);
    }

    #[test]
    fn the_memory_of_a_flood_is_given_back() {
        let mut series = Series::default();
        (0..10_000).for_each(|number| series.insert(number, number));
        (0..10_000).for_each(|number| assert_eq!(series.remove(number), Some(number)));
        assert_eq!(series.young.capacity(), 0);
    }

    #[test]
    fn of_one_number_there_is_one_entry() {
        let mut series = Series::default();
        series.insert(5, 'a');
        series.insert(5, 'b');
        assert_eq!((series.len(), series.get(5)), (1, Some(&'b')));
        assert!(!series.is_empty());
        series.insert(3, 'c');
        assert_eq!(
            [series.pop_first(), series.pop_first()],
            [Some((3, 'c')), Some((5, 'b'))]
        );
        assert!(series.is_empty());
    }

    #[test]
    fn memory_follows_the_entries_and_not_the_gaps_between_them() {
        let mut series = Series::default();
        for number in [0, 1 << 40, 1 << 50] {
            series.insert(number, number);
            assert!(series.young.len() <= SLACK + 4 * series.taken, "{}", series.young.len());
        }
        let mut series = Series::default();
        for number in (0..100).map(|step| step * SLACK as u64 * 7 / 8) {
            series.insert(number, number);
            assert!(series.young.len() <= SLACK + 4 * series.taken, "{}", series.young.len());
        }
        assert_eq!(numbers(&series).len(), 100);
        // And they stay together where they are close.
        let mut series = Series::default();
        (500..600).for_each(|number| series.insert(number * 2, number * 2));
        assert_eq!((series.taken, series.old.len()), (100, 0));
    }
}
