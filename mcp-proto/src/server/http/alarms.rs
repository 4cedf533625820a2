//! When which part of a machine wants to be looked at.

use alloc::collections::{BTreeMap, BTreeSet};

use crate::time::Time;

/// One alarm for each key, at most.
#[derive(Debug)]
pub(crate) struct Alarms<K> {
    by_time: BTreeSet<(Time, K)>,
    by_key: BTreeMap<K, Time>,
}

impl<K: Copy + Ord> Alarms<K> {
    pub(crate) fn new() -> Self {
        Self {
            by_time: BTreeSet::new(),
            by_key: BTreeMap::new(),
        }
    }

    /// Sets the alarm of `key`, or takes it away.
    pub(crate) fn set(&mut self, key: K, due: Option<Time>) {
        let before = match due {
            Some(due) => self.by_key.insert(key, due),
            None => self.by_key.remove(&key),
        };
        // Set after everything that happens, most of which changes nothing.
        if before == due {
            return;
        }
        if let Some(before) = before {
            self.by_time.remove(&(before, key));
        }
        self.by_time.extend(due.map(|due| (due, key)));
    }

    /// When the next one is due.
    pub(crate) fn first(&self) -> Option<Time> {
        self.by_time.first().map(|(due, _)| *due)
    }

    /// Takes one that is due by now.
    pub(crate) fn take(&mut self, now: Time) -> Option<K> {
        let (_, key) = self.by_time.first().copied().filter(|(due, _)| *due <= now)?;
        self.set(key, None);
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    #[test]
    fn each_key_has_one_alarm() {
        let at = |seconds| Time::ORIGIN + Duration::from_secs(seconds);
        let mut alarms = Alarms::new();
        alarms.set('a', Some(at(5)));
        alarms.set('a', Some(at(3)));
        alarms.set('b', Some(at(4)));
        alarms.set('c', Some(at(1)));
        alarms.set('c', None);
        alarms.set('c', None);
        assert_eq!(alarms.first(), Some(at(3)));
        assert_eq!(alarms.take(at(2)), None);
        assert_eq!(
            (alarms.take(at(9)), alarms.take(at(9)), alarms.take(at(9))),
            (Some('a'), Some('b'), None)
        );
        assert!(alarms.first().is_none() && alarms.by_key.is_empty());
    }
}
