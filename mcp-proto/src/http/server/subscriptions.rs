//! The table of subscriptions: the one thing of the modern era that lives longer than an answer takes.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use super::refusal::Refusal;
use super::session_id::Principal;
use crate::limits::Limits;

/// The open subscriptions of an endpoint: how many there may be, and whose they are. What one is (`S`) is the caller's.
///
/// | table | [`open`](Self::open) | [`remove`](Self::remove) | [`close`](Self::close) | why |
/// |---|---|---|---|---|
/// | open | a new entry, or why there is no room | the entry goes, and what it took is free | all are handed back | each keeps memory for as long as its client likes |
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
    per_principal: BTreeMap<Principal, usize>,
    /// No more are opened.
    closed: bool,
}

/// One entry of a table of subscriptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SubscriptionKey(u64);

struct Entry<S> {
    subscriber: S,
    bytes: usize,
    principal: Option<Principal>,
}

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
            per_principal: BTreeMap::new(),
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

    /// Enters a subscription that keeps `bytes`.
    ///
    /// # Errors
    /// [`Refusal::Busy`] where there are too many, or they take too many bytes; [`Refusal::TooManyRequests`] where
    /// the principal has as many as it may; [`Refusal::Closed`].
    pub fn open(
        &mut self,
        bytes: usize,
        principal: Option<&Principal>,
        subscriber: S,
    ) -> Result<SubscriptionKey, Refusal> {
        if self.closed {
            return Err(Refusal::Closed);
        }
        let all = self.bytes.saturating_add(bytes);
        if self.entries.len() >= self.most || all > self.most_bytes {
            return Err(Refusal::Busy);
        }
        if let Some(principal) = principal {
            let has = self.per_principal.get(principal).copied().unwrap_or(0);
            if has >= self.most_per_principal {
                return Err(Refusal::TooManyRequests);
            }
            // After all that may fail: what is refused counts nowhere.
            self.per_principal.insert(principal.clone(), has + 1);
        }
        self.bytes = all;
        self.last += 1;
        let key = SubscriptionKey(self.last);
        let entry = Entry {
            subscriber,
            bytes,
            principal: principal.cloned(),
        };
        self.entries.insert(key, entry);
        Ok(key)
    }

    /// Ends a subscription at the wish of its client. One that is not there any more is ignored.
    pub fn remove(&mut self, key: SubscriptionKey) -> Option<S> {
        let entry = self.entries.remove(&key)?;
        self.bytes = self.bytes.saturating_sub(entry.bytes);
        if let Some(principal) = &entry.principal
            && let Some(has) = self.per_principal.get_mut(principal)
        {
            *has -= 1;
            // One that has nothing is forgotten, or the names of all who ever came would pile up.
            if *has == 0 {
                self.per_principal.remove(principal);
            }
        }
        Some(entry.subscriber)
    }

    /// Ends them all, and opens no more.
    pub fn close(&mut self) -> Vec<S> {
        self.closed = true;
        self.bytes = 0;
        self.per_principal.clear();
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
        let (alice, bob) = (Principal::new("alice"), Principal::new("bob"));
        let mut table = table(3, 1, 100);
        let first = table.open(1, Some(&alice), 1).unwrap();
        assert_eq!(table.open(1, Some(&alice), 2), Err(Refusal::TooManyRequests));
        assert!(table.open(1, Some(&bob), 3).is_ok() && table.open(1, None, 4).is_ok());
        assert_eq!(table.open(1, None, 5), Err(Refusal::Busy));
        assert_eq!((table.remove(first), table.remove(first)), (Some(1), None));
        assert!(table.open(1, Some(&alice), 6).is_ok());
        assert_eq!(table.iter().copied().collect::<Vec<_>>(), [3, 4, 6]);
    }

    #[test]
    fn their_bytes_are_bounded_together() {
        let mut table = table(9, 9, 10);
        let first = table.open(6, None, 1).unwrap();
        assert_eq!(table.open(5, None, 2), Err(Refusal::Busy));
        table.remove(first);
        assert!(table.open(10, None, 3).is_ok());
        assert_eq!(table.bytes(), 10);
    }

    #[test]
    fn a_closed_table_is_empty_and_stays_so() {
        let alice = Principal::new("alice");
        let mut table = table(9, 9, 10);
        let first = table.open(1, Some(&alice), 1).unwrap();
        assert_eq!(table.close(), [1]);
        assert_eq!(table.open(1, None, 2), Err(Refusal::Closed));
        assert_eq!((table.remove(first), table.close()), (None, Vec::new()));
        assert!(table.is_empty() && table.bytes() == 0 && table.per_principal.is_empty());
    }
}
