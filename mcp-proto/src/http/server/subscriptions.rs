//! The table of subscriptions: the one thing of the modern era that lives longer than an answer takes.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::fmt;

use super::holder::Holder;
use super::refusal::Refusal;
use super::shares::{Seat, Shares};
use crate::limits::Limits;

/// The open subscriptions of an endpoint: how many there may be, and whose they are. What one is (`S`) is the caller's.
///
/// Where there is no room for another one, the [`Holder`] that holds most loses its oldest, which ends as if the server
/// had ended it. Who holds most itself is refused.
///
/// | table | [`open`](Self::open) | [`remove`](Self::remove) | [`close`](Self::close) | why |
/// |---|---|---|---|---|
/// | open | a new entry and what is lost for it, or why there is no room | the entry goes, and what it took is free | all are handed back | each keeps memory for as long as its client likes |
/// | closed | [`Refusal::Closed`] | nothing | nothing | one that came in now would never be ended |
///
/// Methods are of four kinds. Getters: [`len`](Self::len), [`is_empty`](Self::is_empty), [`bytes`](Self::bytes),
/// [`iter`](Self::iter). From the world: [`open`](Self::open), [`remove`](Self::remove). From the application:
/// [`close`](Self::close). Nothing is polled.
pub struct Subscriptions<S> {
    most: usize,
    most_per_principal: usize,
    most_bytes: usize,
    last: u64,
    entries: BTreeMap<SubscriptionKey, Entry<S>>,
    bytes: usize,
    /// How many each holds, and what they weigh.
    counts: Shares,
    weights: Shares,
    /// The entries of each holder, the oldest first.
    order: BTreeSet<(Seat, SubscriptionKey)>,
    /// No more are opened.
    closed: bool,
}

/// One entry of a table of subscriptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SubscriptionKey(u64);

struct Entry<S> {
    subscriber: S,
    bytes: usize,
    /// Where its holder sits, by number and by weight.
    seats: (Seat, Seat),
}

/// What each subscription weighs beside its bytes, so that many small ones weigh as well.
const WEIGHT: usize = 1 << 10;

impl<S> Subscriptions<S> {
    /// An empty table with the bounds of `limits`.
    pub fn new(limits: &Limits) -> Self {
        Self {
            // The bounds of sessions: of the modern era these are the one thing that stays, as those are of the legacy
            // era.
            most: limits.sessions,
            most_per_principal: limits.sessions_per_principal,
            most_bytes: limits.total_bytes,
            last: 0,
            entries: BTreeMap::new(),
            bytes: 0,
            counts: Shares::new(),
            weights: Shares::new(),
            order: BTreeSet::new(),
            closed: false,
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many bytes they take together.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// All of them, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &S> {
        self.entries.values().map(|entry| &entry.subscriber)
    }

    /// Enters a subscription that keeps `bytes`. Those that are lost for it are handed back, to be ended.
    ///
    /// # Errors
    /// [`Refusal::Busy`] where there are too many, or they take too many bytes, and none holds more than `holder` would;
    /// [`Refusal::TooManyRequests`] where its principal has as many as it may; [`Refusal::Closed`].
    pub fn open(&mut self, bytes: usize, holder: &Holder, subscriber: S) -> Result<(SubscriptionKey, Vec<S>), Refusal> {
        if self.closed {
            return Err(Refusal::Closed);
        }
        let has = self.counts.find(holder).map_or(0, |seat| self.counts.held(seat));
        if holder.principal().is_some() && has >= self.most_per_principal {
            return Err(Refusal::TooManyRequests);
        }
        let lost = self.make_room(bytes, holder)?;
        // After all that may fail: what is refused counts nowhere.
        let seats = (
            self.counts.take(holder, 1),
            self.weights.take(holder, bytes.saturating_add(WEIGHT)),
        );
        self.bytes += bytes;
        self.last += 1;
        let key = SubscriptionKey(self.last);
        self.order.insert((seats.1, key));
        let entry = Entry {
            subscriber,
            bytes,
            seats,
        };
        self.entries.insert(key, entry);
        Ok((key, lost))
    }

    /// Has those lost that are in the way of one more.
    fn make_room(&mut self, bytes: usize, holder: &Holder) -> Result<Vec<S>, Refusal> {
        let mut lost = Vec::new();
        // Nothing is lost for what would not fit into an empty table.
        if self.most == 0 || bytes > self.most_bytes {
            return Err(Refusal::Busy);
        }
        while self.entries.len() >= self.most || self.bytes.saturating_add(bytes) > self.most_bytes {
            let largest = self.weights.largest().ok_or(Refusal::Busy)?;
            // Looked at once: who makes room does so until there is enough, or all that went before was in vain.
            if lost.is_empty() && !self.weights.exceeds(largest, holder, bytes.saturating_add(WEIGHT)) {
                return Err(Refusal::Busy);
            }
            let oldest = self.order.range((largest, SubscriptionKey(0))..).next().copied();
            lost.extend(self.remove(oldest.ok_or(Refusal::Busy)?.1));
        }
        Ok(lost)
    }

    /// Ends a subscription at the wish of its client. One that is not there any more is ignored.
    pub fn remove(&mut self, key: SubscriptionKey) -> Option<S> {
        let entry = self.entries.remove(&key)?;
        self.bytes = self.bytes.saturating_sub(entry.bytes);
        let (count, weight) = entry.seats;
        self.order.remove(&(weight, key));
        self.counts.give_back(count, 1);
        self.weights.give_back(weight, entry.bytes.saturating_add(WEIGHT));
        Some(entry.subscriber)
    }

    /// Ends them all, and opens no more.
    pub fn close(&mut self) -> Vec<S> {
        self.closed = true;
        self.bytes = 0;
        self.counts = Shares::new();
        self.weights = Shares::new();
        self.order.clear();
        core::mem::take(&mut self.entries)
            .into_values()
            .map(|entry| entry.subscriber)
            .collect()
    }
}

impl<S> fmt::Debug for Subscriptions<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriptions")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::server::{Principal, Remote};

    fn of(name: &str) -> Holder {
        Holder::new(Some(&Principal::new(name)), Remote::UNKNOWN)
    }

    fn nobody() -> Holder {
        Holder::new(None, Remote::UNKNOWN)
    }

    fn at(connection: u64) -> Holder {
        let remote = Remote::new(Some(([10, 0, 0, 1], 1).into()), Some(connection));
        Holder::new(None, remote)
    }

    fn table(most: usize, per_principal: usize, bytes: usize) -> Subscriptions<u8> {
        Subscriptions::new(&Limits {
            sessions: most,
            sessions_per_principal: per_principal,
            total_bytes: bytes,
            ..Limits::default()
        })
    }

    #[test]
    fn there_is_a_total_and_a_share() {
        let (alice, bob) = (of("alice"), of("bob"));
        let mut table = table(3, 1, 100);
        let (first, _) = table.open(1, &alice, 1).unwrap();
        assert_eq!(table.open(1, &alice, 2), Err(Refusal::TooManyRequests));
        assert!(table.open(1, &bob, 3).is_ok() && table.open(1, &nobody(), 4).is_ok());
        assert_eq!(table.open(1, &nobody(), 5), Err(Refusal::Busy));
        assert_eq!((table.remove(first), table.remove(first)), (Some(1), None));
        assert!(table.open(1, &alice, 6).is_ok());
        assert_eq!(table.iter().copied().collect::<Vec<_>>(), [3, 4, 6]);
    }

    #[test]
    fn their_bytes_are_bounded_together() {
        let mut table = table(9, 9, 10);
        let (first, _) = table.open(6, &nobody(), 1).unwrap();
        assert_eq!(table.open(5, &nobody(), 2), Err(Refusal::Busy));
        table.remove(first);
        assert!(table.open(10, &nobody(), 3).is_ok());
        assert_eq!(table.bytes(), 10);
    }

    #[test]
    fn a_closed_table_is_empty_and_stays_so() {
        let alice = of("alice");
        let mut table = table(9, 9, 10);
        let (first, _) = table.open(1, &alice, 1).unwrap();
        assert_eq!(table.close(), [1]);
        assert_eq!(table.open(1, &nobody(), 2), Err(Refusal::Closed));
        assert_eq!((table.remove(first), table.close()), (None, Vec::new()));
        assert!(table.is_empty() && table.bytes() == 0 && table.counts.total() == 0);
    }

    #[test]
    fn who_fills_the_table_loses_its_oldest_for_another_who_has_none() {
        let mut table = table(100, 9, 10_000);
        for number in 0..100 {
            table.open(1, &at(1), number).unwrap();
        }
        assert_eq!(table.open(1, &at(1), 100), Err(Refusal::Busy), "it holds most itself");
        let lost = |opened: Result<(SubscriptionKey, Vec<u8>), Refusal>| opened.unwrap().1;
        assert_eq!(lost(table.open(1, &at(2), 101)), [0]);
        assert_eq!(lost(table.open(1, &of("alice"), 102)), [1]);
        assert_eq!((table.len(), table.bytes()), (100, 100));
    }

    #[test]
    fn who_takes_most_bytes_loses_as_much_as_is_needed() {
        let mut table = table(100, 9, 100);
        for number in 0..10 {
            table.open(10, &at(1), number).unwrap();
        }
        let (_, lost) = table.open(25, &of("alice"), 100).unwrap();
        assert_eq!((lost, table.bytes()), (alloc::vec![0, 1, 2], 95));
        assert_eq!(table.open(101, &of("bob"), 101), Err(Refusal::Busy));
    }

    #[test]
    fn many_small_ones_weigh_more_than_a_large_one() {
        let mut table = table(100, 9, 10_000);
        for number in 0..100 {
            table.open(1, &at(1), number).unwrap();
        }
        assert_eq!(table.open(200, &at(2), 100).unwrap().1, [0]);
        assert!(!table.is_empty());
    }

    #[test]
    fn nothing_is_lost_for_what_would_not_fit_into_an_empty_table() {
        let mut table = table(100, 9, 100);
        for number in 0..50 {
            table.open(1, &at(1), number).unwrap();
        }
        assert_eq!(table.open(101, &of("bob"), 101), Err(Refusal::Busy));
        assert_eq!((table.len(), table.bytes()), (50, 50));
        let mut none = self::table(0, 9, 100);
        assert_eq!(none.open(1, &of("bob"), 1), Err(Refusal::Busy));
    }
}
