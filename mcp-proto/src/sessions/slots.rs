//! What a pool keeps for each key.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::config::AttemptTimeouts;
use super::id::{Lease, PooledSession, WaiterId};
use super::life::{Deed, Life, LifeInput};
use crate::rpc::Phase;

/// What is known of one key.
#[derive(Debug, Default)]
pub(super) struct Slot {
    pub(super) life: Life,
    /// The number of the present attempt, and then of its session.
    pub(super) serial: u64,
    /// What the attempt is at.
    pub(super) phase: Option<Phase>,
    pub(super) timeouts: AttemptTimeouts,
    pub(super) waiters: BTreeSet<WaiterId>,
    pub(super) leases: usize,
    /// The number of the last use.
    pub(super) last_use: u64,
    /// The last use when it was last seen whether the session is idle.
    pub(super) checked: u64,
}

impl Slot {
    /// The last use, where it can be closed to make room.
    fn spare(&self) -> Option<u64> {
        (self.life.is_live() && self.leases == 0 && self.waiters.is_empty()).then_some(self.last_use)
    }
}

/// The slots of all keys. Every change of one goes through [`change`](Self::change) or [`step`](Self::step), which keep
/// what is counted and ordered here in step with it.
#[derive(Debug)]
pub(super) struct Slots<K> {
    slots: BTreeMap<K, Slot>,
    /// The keys of the attempts and sessions that the world has. The slot of a key may have begun anew while what it had
    /// is still being closed.
    keys: BTreeMap<u64, K>,
    /// Those that can be closed to make room, the one that was used least recently first: a full pool would look through
    /// all slots for each newcomer.
    spare: BTreeSet<(u64, K)>,
    /// How many slots count towards the bound.
    live: usize,
    uses: u64,
    next: u64,
}

impl<K: Clone + Ord> Slots<K> {
    pub(super) fn new() -> Self {
        Self {
            slots: BTreeMap::new(),
            keys: BTreeMap::new(),
            spare: BTreeSet::new(),
            live: 0,
            uses: 0,
            next: 0,
        }
    }

    pub(super) fn live(&self) -> usize {
        self.live
    }

    pub(super) fn life(&self, key: &K) -> Life {
        self.of_key(key).map(|slot| slot.life).unwrap_or_default()
    }

    pub(super) fn of_key(&self, key: &K) -> Option<&Slot> {
        self.slots.get(key)
    }

    pub(super) fn all_keys(&self) -> Vec<K> {
        self.slots.keys().cloned().collect()
    }

    /// The key of an attempt or a session that the world has.
    pub(super) fn key(&self, serial: u64) -> Option<&K> {
        self.keys.get(&serial)
    }

    /// The slot whose present attempt or session this is.
    pub(super) fn current(&self, serial: u64) -> Option<&Slot> {
        let key = self.keys.get(&serial)?;
        self.slots.get(key).filter(|slot| slot.serial == serial)
    }

    /// The same, while it is an attempt.
    pub(super) fn connecting(&self, serial: u64) -> Option<&Slot> {
        self.current(serial).filter(|slot| slot.life == Life::Connecting)
    }

    /// The one that can best be closed to make room.
    pub(super) fn oldest_spare(&self) -> Option<&K> {
        self.spare.first().map(|(_, key)| key)
    }

    /// Begins another attempt, and gives its number.
    pub(super) fn begin(&mut self, key: &K, timeouts: AttemptTimeouts) -> u64 {
        self.next += 1;
        let serial = self.next;
        self.change_at(key, |slot, _| {
            *slot = Slot {
                // `want` has moved its life already; all else was of the attempt before.
                life: slot.life,
                serial,
                phase: Some(Phase::Connect),
                timeouts,
                ..Slot::default()
            };
        });
        self.keys.insert(serial, key.clone());
        serial
    }

    /// Takes the session of a key into use.
    pub(super) fn lease(&mut self, key: &K, is_replacement: bool) -> Option<Lease> {
        self.change_at(key, |slot, uses| {
            *uses += 1;
            // Counted: a verb knows no time, and which one is older is all that is asked.
            slot.last_use = *uses;
            slot.leases += 1;
            Lease {
                session: PooledSession(slot.serial),
                is_replacement,
            }
        })
    }

    /// Changes the slot whose present attempt or session this is. The numbers of uses go on from the last one.
    pub(super) fn change<T>(&mut self, serial: u64, change: impl FnOnce(&mut Slot, &mut u64) -> T) -> Option<T> {
        // News of an attempt or a session that is over concern nobody.
        self.current(serial)?;
        let key = self.keys.get(&serial)?.clone();
        self.change_at(&key, change)
    }

    /// Moves the life of the slot whose present attempt or session this is.
    pub(super) fn step(&mut self, serial: u64, input: LifeInput) -> Deed {
        let stepped = self.change(serial, |slot, _| {
            let (next, deed) = slot.life.step(input);
            slot.life = next;
            deed
        });
        stepped.unwrap_or(Deed::None)
    }

    /// Someone wants the session of a key.
    pub(super) fn want(&mut self, key: &K) -> Deed {
        if !self.slots.contains_key(key) {
            self.slots.insert(key.clone(), Slot::default());
        }
        let wanted = self.change_at(key, |slot, _| {
            let (next, deed) = slot.life.step(LifeInput::Acquire);
            slot.life = next;
            deed
        });
        wanted.unwrap_or(Deed::None)
    }

    /// Nothing is left of an attempt or a session.
    pub(super) fn forget(&mut self, serial: u64) {
        self.step(serial, LifeInput::Closed);
        let Some(key) = self.keys.remove(&serial) else { return };
        // The slot may have begun anew: then it belongs to the next attempt.
        let is_over = |slot: &Slot| slot.serial == serial && slot.life == Life::Absent;
        if self.slots.get(&key).is_some_and(is_over) {
            self.slots.remove(&key);
        }
    }

    fn change_at<T>(&mut self, key: &K, change: impl FnOnce(&mut Slot, &mut u64) -> T) -> Option<T> {
        let slot = self.slots.get_mut(key)?;
        let (was_live, before) = (slot.life.is_live(), slot.spare());
        let value = change(slot, &mut self.uses);
        // In one place for every change, so that the counts are what there is.
        match (was_live, slot.life.is_live()) {
            (false, true) => self.live += 1,
            (true, false) => self.live -= 1,
            _ => {}
        }
        let after = slot.spare();
        if before != after {
            if let Some(last_use) = before {
                self.spare.remove(&(last_use, key.clone()));
            }
            if let Some(last_use) = after {
                self.spare.insert((last_use, key.clone()));
            }
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(slots: &mut Slots<char>) -> u64 {
        assert_eq!(slots.want(&'k'), Deed::Connect);
        slots.begin(&'k', AttemptTimeouts::default())
    }

    #[test]
    fn nothing_is_kept_of_a_key_that_has_no_session() {
        let mut slots = Slots::new();
        let first = begun(&mut slots);
        slots.step(first, LifeInput::Connected);
        slots.step(first, LifeInput::Close);
        slots.forget(first);
        assert!(slots.slots.is_empty() && slots.keys.is_empty() && slots.spare.is_empty());
        assert_eq!(slots.live(), 0);
    }

    #[test]
    fn a_slot_that_has_begun_anew_stays_when_nothing_is_left_of_what_it_had() {
        let mut slots = Slots::new();
        let first = begun(&mut slots);
        slots.step(first, LifeInput::Connected);
        slots.step(first, LifeInput::Close);
        let second = begun(&mut slots);
        slots.forget(first);
        assert_eq!(slots.connecting(second).map(|slot| slot.serial), Some(second));
        assert_eq!((slots.life(&'k'), slots.live()), (Life::Connecting, 1));
    }

    #[test]
    fn what_is_left_of_an_attempt_that_failed_is_its_own() {
        let mut slots = Slots::new();
        let first = begun(&mut slots);
        slots.step(first, LifeInput::Connected);
        slots.step(first, LifeInput::Close);
        let second = begun(&mut slots);
        slots.step(second, LifeInput::Failed);
        slots.forget(first);
        assert!(slots.current(second).is_some(), "who waits for it is still to be told");
        slots.forget(second);
        assert!(slots.slots.is_empty() && slots.keys.is_empty());
    }
}
