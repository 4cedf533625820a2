//! What the world tells a pool.

use super::event::PoolEvent;
use super::id::{AttemptId, PooledSession};
use super::life::{Deed, Life, LifeInput};
use super::machine::SessionPool;
use crate::client::Prior;
use crate::rpc::{CallError, Phase};
use crate::time::Time;

impl<K: Clone + Ord> SessionPool<K> {
    /// There is a connection; what remains is the handshake.
    pub fn dialed(&mut self, now: Time, attempt: AttemptId) {
        self.arm(now);
        let Some(slot) = self.slots.connecting(attempt.0) else {
            self.counters.late += 1;
            return;
        };
        self.attempts.set(attempt.0, slot.timeouts.handshake);
        self.slots
            .change(attempt.0, |slot, _| slot.phase = Some(Phase::Initialize));
        // Again: the time of the handshake runs from here, and not from the next drain.
        self.arm(now);
    }

    /// The session is there: all who wait have it. `None` where the attempt was given up: it goes the way of
    /// [`PoolAction::Abandon`](super::PoolAction::Abandon).
    #[must_use = "where nobody wants it any more, it is to be closed"]
    pub fn connected(&mut self, now: Time, attempt: AttemptId) -> Option<PooledSession> {
        self.arm(now);
        let serial = attempt.0;
        let deed = self.slots.step(serial, LifeInput::Connected);
        if deed != Deed::ServeAll {
            self.counters.late += 1;
            return None;
        }
        self.counters.created += 1;
        // Its time was that of the attempt, which is over.
        self.attempts.clear(serial);
        if let Some(idle) = self.config.idle {
            self.idle.set(serial, idle);
            self.arm(now);
        }
        let waiters = self.slots.change(serial, |slot, uses| {
            // Who is served below moves the last use on: only one that nobody takes is idle at the first look.
            *uses += 1;
            (slot.last_use, slot.checked) = (*uses, *uses);
            core::mem::take(&mut slot.waiters)
        });
        for waiter in waiters.unwrap_or_default() {
            self.serve(now, serial, waiter);
        }
        Some(PooledSession(serial))
    }

    /// The session could not be created: all who wait learn why. Where there is a connection, it goes the way of
    /// [`PoolAction::Abandon`](super::PoolAction::Abandon).
    pub fn failed(&mut self, attempt: AttemptId, error: &CallError) {
        let serial = attempt.0;
        let phase = self.slots.connecting(serial).and_then(|slot| slot.phase);
        let input = match phase {
            // With a connection there is something to be closed, without one there is not.
            Some(Phase::Initialize) => LifeInput::Rejected,
            _ => LifeInput::Failed,
        };
        match self.slots.step(serial, input) {
            Deed::FailAll => {
                self.counters.failed += 1;
                self.fail_all(serial, error);
                self.forget(serial);
            }
            Deed::FailAllAndAbandon => self.failed_with(serial, error),
            _ => self.counters.late += 1,
        }
    }

    /// Nothing is left of an attempt that was given up.
    pub fn abandoned(&mut self, attempt: AttemptId) {
        match self.remains.is_attempt(attempt.0) {
            true => self.forget(attempt.0),
            false => self.counters.late += 1,
        }
    }

    /// What the server of a session has proved to speak so far; `None` where that is not certain, or not any more.
    pub fn learned(&mut self, session: PooledSession, prior: Option<Prior>) {
        match self.slots.key(session.0) {
            // Also of a session that is over: the next one has the same server.
            Some(key) => self.priors.set(key, prior),
            None => self.counters.late += 1,
        }
    }

    /// The server forgot the session, or its connection ended. It is created again for the next who wants it.
    pub fn lost(&mut self, session: PooledSession) {
        match self.slots.step(session.0, LifeInput::Lost) {
            Deed::Clear => {
                self.counters.lost += 1;
                self.clear(session.0);
            }
            // It is being closed anyway.
            _ if self.slots.key(session.0).is_some() => {}
            _ => self.counters.late += 1,
        }
    }

    /// Nothing is left of a session.
    pub fn closed(&mut self, session: PooledSession) {
        if self.slots.key(session.0).is_none() || self.slots.connecting(session.0).is_some() {
            self.counters.late += 1;
            return;
        }
        if self
            .slots
            .current(session.0)
            .is_some_and(|slot| slot.life == Life::Ready)
        {
            // It has ended without being said to be lost before.
            self.counters.lost += 1;
        }
        self.forget(session.0);
    }

    /// Time has passed. Too early or too often changes nothing.
    pub fn handle_timeout(&mut self, now: Time) {
        self.arm(now);
        // Attempts first: all who wait for one that is overdue learn the same.
        while let Some(serial) = self.attempts.expire(now) {
            self.overdue(serial);
        }
        while let Some((waiter, waiting)) = self.waiters.expire(now) {
            let phase = self.slots.connecting(waiting.serial).and_then(|slot| slot.phase);
            let error = CallError::Timeout {
                phase: phase.unwrap_or(Phase::Connect),
                after: waiting.timeout,
            };
            self.waiters.tell(waiter, PoolEvent::Failed { waiter, error });
            self.gone(waiter, waiting.serial);
        }
        while let Some(serial) = self.idle.expire(now) {
            self.check_idle(serial);
        }
        while let Some(serial) = self.remains.expire(now) {
            self.discard(serial);
        }
        // What was begun or is being closed since has its time from here.
        self.arm(now);
    }
}
