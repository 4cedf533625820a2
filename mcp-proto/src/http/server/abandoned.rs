//! Requests whose legacy clients have hung up.

use alloc::collections::BTreeMap;
use core::time::Duration;

use crate::limits::{Limits, Timeouts};
use crate::time::Time;

/// The requests whose legacy clients have hung up: they run on (2025-11-25, Transports, Sending Messages, 6: a
/// disconnection SHOULD NOT be taken for a cancellation), but not for ever and not without a bound.
///
/// Of more than [`Limits::abandoned_requests`] the oldest is given up, and each after [`Timeouts::request_max`]: nobody
/// may still wait then, as no call waits longer. What one is (`T`) is the caller's.
///
/// Methods are of four kinds. Getters: [`len`](Self::len), [`is_empty`](Self::is_empty), [`until`](Self::until). From
/// the world: [`insert`](Self::insert), [`handle_timeout`](Self::handle_timeout). From the application:
/// [`remove`](Self::remove), [`get`](Self::get). To the world: [`poll_timeout`](Self::poll_timeout).
#[derive(Debug)]
pub struct Abandoned<T> {
    most: usize,
    longest: Duration,
    next: u64,
    /// Oldest first, and so the first that is due.
    rows: BTreeMap<AbandonedKey, (Time, T)>,
}

/// One entry of a table of abandoned requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AbandonedKey(u64);

impl<T> Abandoned<T> {
    /// An empty table.
    pub fn new(limits: &Limits, timeouts: &Timeouts) -> Self {
        Self {
            most: limits.abandoned_requests,
            longest: timeouts.request_max,
            next: 0,
            rows: BTreeMap::new(),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// When this one is given up.
    pub fn until(&self, key: AbandonedKey) -> Option<Time> {
        self.rows.get(&key).map(|(until, _)| *until)
    }

    /// What is kept of this one.
    pub fn get(&self, key: AbandonedKey) -> Option<&T> {
        self.rows.get(&key).map(|(_, request)| request)
    }

    /// Takes one more. Another that there is no room for any more is to be given up: it is handed back.
    pub fn insert(&mut self, now: Time, request: T) -> (AbandonedKey, Option<T>) {
        let key = AbandonedKey(self.next);
        self.next += 1;
        self.rows.insert(key, (now + self.longest, request));
        // Looked at once it is in: where none may be kept, it is itself the oldest.
        let oldest = match self.rows.len() > self.most {
            true => self.rows.pop_first().map(|(_, (_, request))| request),
            false => None,
        };
        (key, oldest)
    }

    /// One is done.
    pub fn remove(&mut self, key: AbandonedKey) -> Option<T> {
        self.rows.remove(&key).map(|(_, request)| request)
    }

    /// When the next one is to be given up.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        self.rows.first_key_value().map(|(_, (until, _))| *until)
    }

    /// One that is to be given up by now. Call it until it gives `None`.
    pub fn handle_timeout(&mut self, now: Time) -> Option<T> {
        // One at a time: giving one up may end a session, and take others from here.
        let first = self.rows.first_entry().filter(|entry| entry.get().0 <= now)?;
        Some(first.remove().1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_given_up_for_room_and_each_when_its_time_is_over() {
        let limits = Limits {
            abandoned_requests: 2,
            ..Limits::default()
        };
        let mut table = Abandoned::new(&limits, &Timeouts::default());
        let at = |seconds| Time::ORIGIN + Duration::from_secs(seconds);
        let (_, none) = table.insert(at(0), 'a');
        let (b, also_none) = table.insert(at(1), 'b');
        assert_eq!((none, also_none), (None, None));
        assert_eq!((table.len(), table.is_empty()), (2, false));
        assert_eq!(table.insert(at(2), 'c').1, Some('a'));
        assert_eq!(table.poll_timeout(), Some(at(3601)));
        assert_eq!(table.handle_timeout(at(3600)), None);
        assert_eq!((table.get(b), table.until(b)), (Some(&'b'), Some(at(3601))));
        assert_eq!(table.remove(b), Some('b'));
        assert_eq!(
            (table.handle_timeout(at(9999)), table.handle_timeout(at(9999))),
            (Some('c'), None)
        );
        assert!(table.is_empty() && table.poll_timeout().is_none());
    }

    #[test]
    fn where_none_may_be_kept_each_is_given_up_at_once() {
        let limits = Limits {
            abandoned_requests: 0,
            ..Limits::default()
        };
        let mut table = Abandoned::new(&limits, &Timeouts::default());
        assert_eq!(table.insert(Time::ORIGIN, 1).1, Some(1));
        assert!(table.is_empty());
    }
}
