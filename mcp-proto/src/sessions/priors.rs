//! What the servers of some keys are known to speak.

use alloc::collections::BTreeMap;

use crate::client::Prior;

/// What is known of the servers of so many keys; beyond that, of those of which something was learnt most recently.
#[derive(Debug)]
pub(super) struct Priors<K> {
    most: usize,
    known: BTreeMap<K, (Prior, u64)>,
    /// The keys, in the order in which something was learnt of them.
    order: BTreeMap<u64, K>,
    next: u64,
}

impl<K: Clone + Ord> Priors<K> {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            known: BTreeMap::new(),
            order: BTreeMap::new(),
            next: 0,
        }
    }

    pub(super) fn of(&self, key: &K) -> Option<Prior> {
        self.known.get(key).map(|(prior, _)| *prior)
    }

    /// Keeps this, or forgets what was known.
    pub(super) fn set(&mut self, key: &K, prior: Option<Prior>) {
        if let Some((_, order)) = self.known.remove(key) {
            self.order.remove(&order);
        }
        let Some(prior) = prior else { return };
        self.next += 1;
        self.known.insert(key.clone(), (prior, self.next));
        self.order.insert(self.next, key.clone());
        // Of as many as may be in use: an older one costs no more than asking again.
        if self.known.len() > self.most
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.known.remove(&oldest);
        }
    }
}
