//! What a pool keeps for each key, and how it moves.

use alloc::collections::{BTreeMap, BTreeSet};
use core::time::Duration;

use super::config::{AttemptTimeouts, Unwanted};
use super::event::Event;
use super::id::{Lease, SessionId, WaiterId};
use super::life::{Deed, Input, Life};
use super::machine::{AcquireOptions, Sessions};
use super::waiters::Waiting;
use crate::rpc::{CallError, CloseReason, Phase, SendError};
use crate::time::Time;

/// How soon it is seen again at the earliest whether a session is idle: none that is in use is looked at all the time.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Queued {
    Connect(u64),
    Abandon(u64),
    DiscardAttempt(u64),
    Close(u64),
    Discard(u64),
}

impl<K: Clone + Ord> Sessions<K> {
    pub(super) fn arm(&mut self, now: Time) {
        self.attempts.arm(now);
        self.idle.arm(now);
        self.remains.arm(now);
        self.waiters.arm(now);
    }

    pub(super) fn wait(
        &mut self,
        key: &K,
        options: &AcquireOptions,
        is_replacement: bool,
    ) -> Result<WaiterId, SendError> {
        if let Some(reason) = self.closed {
            return Err(SendError::Closed(reason));
        }
        if self.waiters.len() >= self.config.waiters {
            return Err(SendError::TooManyCalls);
        }
        if !self.life(key).is_live() {
            self.make_room()?;
        }
        let waiter = self.waiters.name();
        let timeout = options.timeout.unwrap_or(self.config.acquire);
        let deed = self.step_slot(key, Input::Acquire);
        if deed == Deed::Connect {
            self.begin(key);
        }
        let Some(slot) = self.slots.get_mut(key) else {
            return Ok(waiter);
        };
        if deed == Deed::Serve {
            let lease = slot.lease(&mut self.uses, is_replacement);
            let waited = options.waited;
            self.waiters.tell(waiter, Event::Ready { waiter, lease, waited });
            return Ok(waiter);
        }
        slot.waiters.insert(waiter);
        let waiting = Waiting {
            serial: slot.serial,
            timeout,
            waited: options.waited,
            is_replacement,
        };
        self.waiters.wait(waiter, waiting);
        Ok(waiter)
    }

    /// Begins to create a session.
    pub(super) fn begin(&mut self, key: &K) {
        self.next += 1;
        let (serial, timeouts) = (self.next, self.config.attempt);
        if let Some(slot) = self.slots.get_mut(key) {
            *slot = Slot {
                life: slot.life,
                serial,
                phase: Some(Phase::Connect),
                timeouts,
                ..Slot::default()
            };
        }
        self.keys.insert(serial, key.clone());
        self.attempts.set(serial, timeouts.connect);
        self.actions.push_back(Queued::Connect(serial));
        self.counters.attempts += 1;
    }

    /// Sees that there is room for another session: closes the one that was used least recently, of those that are
    /// not in use, or gives up a creation that nobody waits for.
    pub(super) fn make_room(&mut self) -> Result<(), SendError> {
        if self.live < self.config.sessions {
            return Ok(());
        }
        let spare = self.slots.iter().filter(|(_, slot)| slot.is_spare());
        let oldest = spare.min_by_key(|(_, slot)| slot.last_use).map(|(key, _)| key.clone());
        let key = oldest.ok_or(SendError::TooManySessions)?;
        self.counters.evicted += 1;
        self.close_slot(&key, CloseReason::Local);
        Ok(())
    }

    /// Hands the session over to one who waited for it.
    pub(super) fn serve(&mut self, now: Time, serial: u64, waiter: WaiterId) {
        let Some((waiting, waited)) = self.waiters.end(waiter, now) else {
            return;
        };
        let Some(slot) = slot_of(&self.keys, &mut self.slots, serial) else {
            return;
        };
        let lease = slot.lease(&mut self.uses, waiting.is_replacement);
        self.waiters.tell(waiter, Event::Ready { waiter, lease, waited });
    }

    /// One that waited for an attempt does so no more.
    pub(super) fn gone(&mut self, waiter: WaiterId, serial: u64) {
        let Some(slot) = self.connecting(serial) else { return };
        slot.waiters.remove(&waiter);
        if slot.waiters.is_empty()
            && self.config.unwanted == Unwanted::Abandon
            && self.step(serial, Input::Unwanted) == Deed::Abandon
        {
            self.counters.abandoned += 1;
            self.abandon_attempt(serial);
        }
    }

    pub(super) fn overdue(&mut self, serial: u64) {
        let Some(slot) = self.connecting(serial) else { return };
        let phase = slot.phase.unwrap_or(Phase::Connect);
        let after = match phase {
            Phase::Connect => slot.timeouts.connect,
            _ => slot.timeouts.handshake,
        };
        if self.step(serial, Input::Overdue) == Deed::FailAllAndAbandon {
            self.failed_with(serial, &CallError::Timeout { phase, after });
        }
    }

    /// An attempt came to nothing, and is given up.
    pub(super) fn failed_with(&mut self, serial: u64, error: &CallError) {
        self.counters.failed += 1;
        let is_dialed = self
            .current(serial)
            .is_some_and(|slot| slot.phase == Some(Phase::Initialize));
        if let Some(key) = self.keys.get(&serial).filter(|_| is_dialed) {
            // What was taken for granted of the server may be the reason.
            self.priors.set(key, None);
        }
        self.fail_all(serial, error);
        self.abandon_attempt(serial);
    }

    /// The attempt is over: all who wait learn why.
    pub(super) fn fail_all(&mut self, serial: u64, error: &CallError) {
        let waiters = self.current(serial).map(|slot| core::mem::take(&mut slot.waiters));
        for waiter in waiters.unwrap_or_default() {
            if self.waiters.leave(waiter).is_some() {
                let error = error.clone();
                self.waiters.tell(waiter, Event::Failed { waiter, error });
            }
        }
    }

    /// Has the world give up an attempt, where it knows of it, and close what it has opened, in bounded time.
    pub(super) fn abandon_attempt(&mut self, serial: u64) {
        let queued = self.actions.len();
        self.actions.retain(|action| *action != Queued::Connect(serial));
        if self.actions.len() != queued {
            return self.forget(serial);
        }
        self.attempts.clear(serial);
        self.given_up.insert(serial);
        self.actions.push_back(Queued::Abandon(serial));
        self.linger(serial);
    }

    pub(super) fn close_slot(&mut self, key: &K, reason: CloseReason) {
        let Some(serial) = self.slots.get(key).map(|slot| slot.serial) else {
            return;
        };
        match self.step(serial, Input::Close) {
            Deed::FailAllAndAbandon => {
                self.counters.abandoned += 1;
                self.fail_all(serial, &CallError::Closed(reason));
                self.abandon_attempt(serial);
            }
            Deed::Clear => self.clear(serial),
            _ => {}
        }
    }

    /// Has the world close a session, or clear up what is left of it, in bounded time.
    pub(super) fn clear(&mut self, serial: u64) {
        self.idle.clear(serial);
        self.actions.push_back(Queued::Close(serial));
        self.linger(serial);
    }

    /// What is left of an attempt or a session is there for a bounded time, and there is not too much of it.
    fn linger(&mut self, serial: u64) {
        self.remains.set(serial, self.config.close);
        if self.remains.len() > self.config.sessions
            && let Some(oldest) = self.remains.first()
        {
            self.discard(oldest);
        }
    }

    pub(super) fn discard(&mut self, serial: u64) {
        self.counters.discarded += 1;
        let discard = match self.given_up.contains(&serial) {
            true => Queued::DiscardAttempt(serial),
            false => Queued::Discard(serial),
        };
        self.forget(serial);
        self.actions.push_back(discard);
    }

    pub(super) fn check_idle(&mut self, serial: u64) {
        let Some(slot) = self.current(serial) else { return };
        let is_idle = slot.leases == 0 && slot.checked == slot.last_use;
        slot.checked = slot.last_use;
        if !is_idle {
            if let Some(idle) = self.config.idle {
                self.idle.set(serial, idle.max(LOOK_AGAIN));
            }
        } else if self.step(serial, Input::Close) == Deed::Clear {
            self.counters.expired += 1;
            self.clear(serial);
        }
    }

    /// Nothing is left of an attempt or a session.
    pub(super) fn forget(&mut self, serial: u64) {
        self.step(serial, Input::Closed);
        self.attempts.clear(serial);
        self.idle.clear(serial);
        self.remains.clear(serial);
        self.given_up.remove(&serial);
        self.actions
            .retain(|action| ![Queued::Close(serial), Queued::Abandon(serial)].contains(action));
        let Some(key) = self.keys.remove(&serial) else { return };
        let is_over = |slot: &Slot| slot.serial == serial && slot.life == Life::Absent;
        if self.slots.get(&key).is_some_and(is_over) {
            self.slots.remove(&key);
        }
    }

    /// The slot whose present attempt or session this is.
    pub(super) fn current(&mut self, serial: u64) -> Option<&mut Slot> {
        slot_of(&self.keys, &mut self.slots, serial)
    }

    /// The same, while it is an attempt.
    pub(super) fn connecting(&mut self, serial: u64) -> Option<&mut Slot> {
        self.current(serial).filter(|slot| slot.life == Life::Connecting)
    }

    /// Moves the life of the slot whose present attempt or session this is.
    pub(super) fn step(&mut self, serial: u64, input: Input) -> Deed {
        let Some(key) = self.keys.get(&serial) else {
            return Deed::None;
        };
        match self.slots.get(key).is_some_and(|slot| slot.serial == serial) {
            true => self.step_slot(&key.clone(), input),
            false => Deed::None,
        }
    }

    pub(super) fn step_slot(&mut self, key: &K, input: Input) -> Deed {
        if input == Input::Acquire && !self.slots.contains_key(key) {
            self.slots.insert(key.clone(), Slot::default());
        }
        let Some(slot) = self.slots.get_mut(key) else {
            return Deed::None;
        };
        let was_live = slot.life.is_live();
        let (next, deed) = slot.life.step(input);
        slot.life = next;
        match (was_live, next.is_live()) {
            (false, true) => self.live += 1,
            (true, false) => self.live -= 1,
            _ => {}
        }
        deed
    }
}

/// The slot whose present attempt or session this is.
fn slot_of<'a, K: Ord>(keys: &BTreeMap<u64, K>, slots: &'a mut BTreeMap<K, Slot>, serial: u64) -> Option<&'a mut Slot> {
    let key = keys.get(&serial)?;
    slots.get_mut(key).filter(|slot| slot.serial == serial)
}

impl Slot {
    pub(super) fn lease(&mut self, uses: &mut u64, is_replacement: bool) -> Lease {
        *uses += 1;
        self.last_use = *uses;
        self.leases += 1;
        Lease {
            session: SessionId(self.serial),
            is_replacement,
        }
    }

    /// Whether it can be closed to make room.
    pub(super) fn is_spare(&self) -> bool {
        self.life.is_live() && self.leases == 0 && self.waiters.is_empty()
    }
}
