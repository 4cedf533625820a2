//! The peer's requests in progress.

use alloc::collections::BTreeMap;

use crate::jsonrpc::Id;

/// A request of the peer that is in progress, scoped to its connection.
///
/// Never the JSON-RPC id itself: two connections, or two requests one after the other, may use the same id,
/// and a reply must reach the one it was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestKey(u64);

/// The peer's requests in progress, each id at most once.
#[derive(Debug)]
pub(crate) struct Requests {
    next: u64,
    most: usize,
    // Answers come by key, cancellations by the peer's id: neither should have to search.
    by_key: BTreeMap<RequestKey, Id>,
    by_id: BTreeMap<Id, RequestKey>,
}

/// Why a request cannot be taken on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestRefused {
    /// Its id belongs to a request in progress.
    Duplicate,
    /// There are too many in progress.
    TooMany,
}

impl Requests {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            next: 0,
            most,
            by_key: BTreeMap::new(),
            by_id: BTreeMap::new(),
        }
    }

    /// Takes on the request `id`.
    pub(crate) fn begin(&mut self, id: &Id) -> Result<RequestKey, RequestRefused> {
        if self.by_key.len() >= self.most {
            return Err(RequestRefused::TooMany);
        }
        // An id "MUST NOT have been previously used" (2025-11-25, Overview, Requests); only those in progress are
        // known, for nothing may grow as long as a connection lasts.
        if self.by_id.contains_key(id) {
            return Err(RequestRefused::Duplicate);
        }
        let key = RequestKey(self.next);
        self.next += 1;
        self.by_key.insert(key, id.clone());
        self.by_id.insert(id.clone(), key);
        Ok(key)
    }

    /// Ends the request; `None` where it has ended before.
    pub(crate) fn finish(&mut self, key: RequestKey) -> Option<Id> {
        let id = self.by_key.remove(&key)?;
        // The id is free for the peer, the key is never given again.
        self.by_id.remove(&id);
        Some(id)
    }

    /// The request in progress that has this id.
    pub(crate) fn find(&self, id: &Id) -> Option<RequestKey> {
        self.by_id.get(id).copied()
    }

    /// Whether the request is in progress.
    pub(crate) fn contains(&self, key: RequestKey) -> bool {
        self.by_key.contains_key(&key)
    }

    /// How many are in progress.
    pub(crate) fn len(&self) -> usize {
        self.by_key.len()
    }

    /// How many entries there are in all tables.
    pub(crate) fn entries(&self) -> usize {
        self.by_key.len() + self.by_id.len()
    }

    /// Ends all of them, and tells which there were.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = RequestKey> + use<> {
        self.by_id.clear();
        core::mem::take(&mut self.by_key).into_keys()
    }

    /// Ends all of them.
    pub(crate) fn clear(&mut self) {
        self.by_key.clear();
        self.by_id.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_in_progress_is_refused_and_free_again_afterwards() {
        let mut requests = Requests::new(2);
        let first = requests.begin(&Id::from(1)).unwrap();
        assert_eq!(requests.begin(&Id::from(1)), Err(RequestRefused::Duplicate));
        assert_eq!(requests.find(&Id::from(1)), Some(first));
        requests.begin(&Id::from("1")).unwrap();
        assert_eq!(requests.begin(&Id::from(2)), Err(RequestRefused::TooMany));
        assert_eq!(requests.finish(first), Some(Id::from(1)));
        assert_eq!(requests.finish(first), None);
        assert_ne!(requests.begin(&Id::from(1)).unwrap(), first);
        assert_eq!(requests.len(), 2);
    }
}
