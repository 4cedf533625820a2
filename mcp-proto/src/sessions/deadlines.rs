//! Deadlines of many things, each armed at the first drain that sees it.

use alloc::collections::{BTreeMap, BTreeSet};
use core::time::Duration;

use crate::time::Time;

/// The deadlines of things that `I` names. One is set as a duration, because verbs take no time, and begins to run
/// with the next [`arm`](Self::arm).
#[derive(Debug)]
pub(super) struct Deadlines<I> {
    newborn: BTreeMap<I, Duration>,
    /// Since when the time runs, and until when.
    armed: BTreeMap<I, (Time, Time)>,
    queue: BTreeSet<(Time, I)>,
}

impl<I> Default for Deadlines<I> {
    fn default() -> Self {
        Self {
            newborn: BTreeMap::new(),
            armed: BTreeMap::new(),
            queue: BTreeSet::new(),
        }
    }
}

impl<I: Copy + Ord> Deadlines<I> {
    /// Sets the deadline of a thing, or sets it anew.
    pub(super) fn set(&mut self, id: I, after: Duration) {
        // In place of the one before, or both would be due.
        self.clear(id);
        self.newborn.insert(id, after);
    }

    /// Takes the deadline of a thing away.
    pub(super) fn clear(&mut self, id: I) {
        self.newborn.remove(&id);
        if let Some((_, deadline)) = self.armed.remove(&id) {
            self.queue.remove(&(deadline, id));
        }
    }

    /// Has the time begin to run for what was set since.
    pub(super) fn arm(&mut self, now: Time) {
        while let Some((id, after)) = self.newborn.pop_first() {
            self.armed.insert(id, (now, now + after));
            self.queue.insert((now + after, id));
        }
    }

    /// Since when the time of a thing runs, once it does.
    pub(super) fn since(&self, id: I) -> Option<Time> {
        self.armed.get(&id).map(|(since, _)| *since)
    }

    /// A thing whose deadline has come; it has none any more.
    pub(super) fn expire(&mut self, now: Time) -> Option<I> {
        let &(deadline, id) = self.queue.first()?;
        if deadline > now {
            return None;
        }
        self.clear(id);
        Some(id)
    }

    /// When the next one is; [`Time::ORIGIN`] (at once) while there are some to arm.
    pub(super) fn next(&self) -> Option<Time> {
        // At once: only a drain knows from when their time runs.
        if !self.newborn.is_empty() {
            return Some(Time::ORIGIN);
        }
        self.queue.first().map(|(deadline, _)| *deadline)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.newborn.len() + self.armed.len()
    }

    /// The thing whose deadline is the first to come.
    pub(super) fn first(&self) -> Option<I> {
        let armed = self.queue.first().map(|(_, id)| *id);
        armed.or_else(|| self.newborn.first_key_value().map(|(id, _)| *id))
    }
}
