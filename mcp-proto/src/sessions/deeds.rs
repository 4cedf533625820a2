//! What a pool does for its keys: carries what one part says to the others.

use core::time::Duration;

use super::actions::Queued;
use super::config::Unwanted;
use super::event::PoolEvent;
use super::id::WaiterId;
use super::life::{Deed, LifeInput};
use super::machine::SessionPool;
use crate::rpc::{CallError, CloseReason, Phase};
use crate::time::Time;

/// How soon it is seen again at the earliest whether a session is idle: none that is in use is looked at all the time.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

impl<K: Clone + Ord> SessionPool<K> {
    /// Hands the session over to one who waited for it.
    pub(super) fn serve(&mut self, now: Time, serial: u64, waiter: WaiterId) {
        let Some((waiting, waited)) = self.waiters.end(waiter, now) else {
            return;
        };
        let Some(key) = self.slots.current(serial).and_then(|_| self.slots.key(serial)).cloned() else {
            return;
        };
        if let Some(lease) = self.slots.lease(&key, waiting.is_replacement) {
            self.waiters.tell(waiter, PoolEvent::Ready { waiter, lease, waited });
        }
    }

    /// One that waited for an attempt does so no more.
    pub(super) fn gone(&mut self, waiter: WaiterId, serial: u64) {
        // What has come of it already does not depend on who waited.
        if self.slots.connecting(serial).is_none() {
            return;
        }
        let is_unwanted = self.slots.change(serial, |slot, _| {
            slot.waiters.remove(&waiter);
            slot.waiters.is_empty()
        });
        if is_unwanted == Some(true)
            && self.config.unwanted == Unwanted::Abandon
            && self.slots.step(serial, LifeInput::Unwanted) == Deed::Abandon
        {
            self.counters.abandoned += 1;
            self.abandon_attempt(serial);
        }
    }

    /// The creation of a session has taken too long.
    pub(super) fn overdue(&mut self, serial: u64) {
        let Some(slot) = self.slots.connecting(serial) else {
            return;
        };
        let phase = slot.phase.unwrap_or(Phase::Connect);
        let after = match phase {
            Phase::Connect => slot.timeouts.connect,
            _ => slot.timeouts.handshake,
        };
        if self.slots.step(serial, LifeInput::Overdue) == Deed::FailAllAndAbandon {
            self.failed_with(serial, &CallError::Timeout { phase, after });
        }
    }

    /// An attempt came to nothing, and is given up.
    pub(super) fn failed_with(&mut self, serial: u64, error: &CallError) {
        self.counters.failed += 1;
        let is_dialed = self
            .slots
            .current(serial)
            .is_some_and(|slot| slot.phase == Some(Phase::Initialize));
        // Without a connection, nobody has said anything that could be wrong.
        if let Some(key) = self.slots.key(serial).filter(|_| is_dialed) {
            // What was taken for granted of the server may be the reason.
            self.priors.set(key, None);
        }
        // First: with an attempt that the world has not begun its slot goes, and in it those who wait.
        self.fail_all(serial, error);
        self.abandon_attempt(serial);
    }

    /// The attempt is over: all who wait learn why.
    pub(super) fn fail_all(&mut self, serial: u64, error: &CallError) {
        let waiters = self.slots.change(serial, |slot, _| core::mem::take(&mut slot.waiters));
        for waiter in waiters.unwrap_or_default() {
            if self.waiters.leave(waiter).is_some() {
                let error = error.clone();
                self.waiters.tell(waiter, PoolEvent::Failed { waiter, error });
            }
        }
    }

    /// Has the world give up an attempt, where it knows of it, and close what it has opened, in bounded time.
    fn abandon_attempt(&mut self, serial: u64) {
        // The world has not begun it: there is nothing to be given up.
        if self.actions.withdraw(serial) == Some(Queued::Connect) {
            return self.forget(serial);
        }
        // From here on it has the time for closing, and no other.
        self.attempts.clear(serial);
        self.actions.push(serial, Queued::Abandon);
        let surplus = self.remains.attempt(serial);
        self.discard_surplus(surplus);
    }

    /// Closes the session of a key, or gives up its creation.
    pub(super) fn close_slot(&mut self, key: &K, reason: CloseReason) {
        let Some(serial) = self.slots.of_key(key).map(|slot| slot.serial) else {
            return;
        };
        match self.slots.step(serial, LifeInput::Close) {
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
        self.actions.push(serial, Queued::Close);
        let surplus = self.remains.session(serial);
        self.discard_surplus(surplus);
    }

    fn discard_surplus(&mut self, surplus: Option<u64>) {
        if let Some(oldest) = surplus {
            self.discard(oldest);
        }
    }

    /// Has the world drop what is left of an attempt or a session.
    pub(super) fn discard(&mut self, serial: u64) {
        self.counters.discarded += 1;
        let discard = match self.remains.is_attempt(serial) {
            true => Queued::DiscardAttempt,
            false => Queued::Discard,
        };
        // Before the push: it withdraws whatever is queued.
        self.forget(serial);
        self.actions.push(serial, discard);
    }

    /// Closes a session that nobody has used since it was last looked at: uses set no deadline, so that they cost nothing.
    pub(super) fn check_idle(&mut self, serial: u64) {
        let is_idle = self.slots.change(serial, |slot, _| {
            let checked = core::mem::replace(&mut slot.checked, slot.last_use);
            // Verbs take no time, so a use has none: whether there was one is seen from look to look, `idle` apart.
            slot.leases == 0 && checked == slot.last_use
        });
        let Some(is_idle) = is_idle else { return };
        if !is_idle {
            if let Some(idle) = self.config.idle {
                // Where nothing is idle for long enough to count, it is still not looked at all the time.
                self.idle.set(serial, idle.max(LOOK_AGAIN));
            }
        } else if self.slots.step(serial, LifeInput::Close) == Deed::Clear {
            self.counters.expired += 1;
            self.clear(serial);
        }
    }

    /// Nothing is left of an attempt or a session.
    pub(super) fn forget(&mut self, serial: u64) {
        self.slots.forget(serial);
        self.attempts.clear(serial);
        self.idle.clear(serial);
        self.remains.forget(serial);
        self.actions.withdraw(serial);
    }
}
