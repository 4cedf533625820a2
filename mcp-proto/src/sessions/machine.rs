//! The pool itself.

use alloc::collections::BTreeSet;
use core::time::Duration;

use super::actions::{Actions, Queued};
use super::config::{AttemptTimeouts, SessionsConfig, Unwanted};
use super::counters::SessionsCounters;
use super::deadlines::Deadlines;
use super::event::{PoolAction, PoolEvent};
use super::id::{AttemptId, Lease, PooledSession, WaiterId};
use super::life::{Deed, Life, LifeInput};
use super::priors::Priors;
use super::slots::Slots;
use super::waiters::{Waiters, Waiting};
use crate::client::Prior;
use crate::rpc::{CallError, CloseReason, Phase, SendError};
use crate::settings::settings;
use crate::time::Time;

/// How soon it is seen again at the earliest whether a session is idle: none that is in use is looked at all the time.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Sessions by key, each created once however many want it.
///
/// The creation of a session belongs to its key and not to whoever asked first: a caller is only a waiter, that can
/// vanish at any time without harm to the others. A creation that fails fails for all who wait for it, and the key is
/// vacant again: the next caller begins anew. A session that is lost is created again for the next who wants it,
/// and once for each who had it.
///
/// The four kinds of method:
/// 1. getters;
/// 2. [`dialed`](Self::dialed), [`connected`](Self::connected), [`failed`](Self::failed),
///    [`abandoned`](Self::abandoned), [`learned`](Self::learned), [`lost`](Self::lost), [`closed`](Self::closed) and
///    [`handle_timeout`](Self::handle_timeout): the world tells the pool;
/// 3. [`acquire`](Self::acquire), [`abandon`](Self::abandon), [`lease`](Self::lease), [`release`](Self::release),
///    [`replace`](Self::replace), [`evict`](Self::evict), [`close`](Self::close): the application tells it;
/// 4. [`poll_action`](Self::poll_action), [`poll_event`](Self::poll_event), [`poll_timeout`](Self::poll_timeout): it
///    tells the world.
///
/// News of an attempt or a session that is over changes nothing, and is counted.
///
/// ```
/// use mcp_proto::Time;
/// use mcp_proto::sessions::{AcquireOptions, PoolAction, PoolEvent, SessionPool, SessionsConfig};
///
/// let mut sessions = SessionPool::new(SessionsConfig::default());
/// // Two callers want the same session: one attempt.
/// sessions.acquire(&"weather", &AcquireOptions::default())?;
/// sessions.acquire(&"weather", &AcquireOptions::default())?;
/// let now = Time::ORIGIN;
/// let Some(PoolAction::Connect { attempt, key: "weather" }) = sessions.poll_action(now) else { unreachable!() };
/// assert_eq!(sessions.poll_action(now), None);
///
/// // The world has connected: both have the session, and give it back when they are done.
/// let session = sessions.connected(now, attempt).unwrap();
/// for _ in 0..2 {
///     let Some(PoolEvent::Ready { lease, .. }) = sessions.poll_event() else { unreachable!() };
///     assert_eq!(lease.session(), session);
///     sessions.release(lease);
/// }
/// # Ok::<(), mcp_proto::rpc::SendError>(())
/// ```
#[derive(Debug)]
pub struct SessionPool<K> {
    config: SessionsConfig,
    slots: Slots<K>,
    attempts: Deadlines<u64>,
    idle: Deadlines<u64>,
    /// The sessions that are being closed or cleared up, and the attempts that were given up.
    remains: Deadlines<u64>,
    /// Which of those are attempts.
    given_up: BTreeSet<u64>,
    priors: Priors<K>,
    waiters: Waiters,
    actions: Actions,
    counters: SessionsCounters,
    closed: Option<CloseReason>,
}

settings! {
    /// How a caller waits for a session. The default is right for nearly all.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    #[non_exhaustive]
    pub struct AcquireOptions {
        /// All the time that the caller has; [`SessionsConfig::acquire`] where `None`.
        pub timeout (with_timeout): Option<Duration>,
        /// How much of that is spent already.
        pub waited (with_waited): Duration,
    }
}

impl<K: Clone + Ord> SessionPool<K> {
    /// A pool without sessions.
    #[must_use]
    pub fn new(config: SessionsConfig) -> Self {
        Self {
            slots: Slots::new(),
            attempts: Deadlines::default(),
            idle: Deadlines::default(),
            remains: Deadlines::default(),
            given_up: BTreeSet::new(),
            priors: Priors::new(config.sessions),
            waiters: Waiters::default(),
            actions: Actions::default(),
            counters: SessionsCounters::default(),
            closed: None,
            config,
        }
    }

    /// The bounds and deadlines.
    pub fn config(&self) -> &SessionsConfig {
        &self.config
    }

    /// How many sessions there are, those included that are being created.
    pub fn len(&self) -> usize {
        self.slots.live()
    }

    /// Whether there is no session, and none is being created.
    pub fn is_empty(&self) -> bool {
        self.slots.live() == 0
    }

    /// How it stands with the session of a key.
    pub fn life(&self, key: &K) -> Life {
        self.slots.life(key)
    }

    /// What the pool has done.
    pub fn counters(&self) -> SessionsCounters {
        self.counters
    }

    /// What the server of a key is known to speak, to be taken for granted where a session is created for it: spares
    /// the question. It is forgotten where a handshake fails.
    pub fn prior(&self, key: &K) -> Option<Prior> {
        self.priors.of(key)
    }

    /// Why the pool is closed, where it is.
    pub fn close_reason(&self) -> Option<CloseReason> {
        self.closed
    }

    /// Whether the pool is closed and nothing is left to be done.
    pub fn is_finished(&self) -> bool {
        self.closed.is_some() && self.remains.len() == 0 && self.actions.is_empty()
    }

    /// Waits for the session of a key; begins to create it where there is none. What comes of it is told by
    /// [`poll_event`](Self::poll_event).
    ///
    /// # Errors
    /// [`SendError::TooManySessions`] where there is no room for another and none that could be closed for it,
    /// [`SendError::TooManyCalls`] where too many callers wait, [`SendError::Closed`]. Nothing waits then.
    pub fn acquire(&mut self, key: &K, options: &AcquireOptions) -> Result<WaiterId, SendError> {
        self.wait(key, options, false)
    }

    /// The session of a key, where there is one: the short way of [`acquire`](Self::acquire).
    #[must_use = "a lease has to be given back"]
    pub fn lease(&mut self, key: &K) -> Option<Lease> {
        if self.closed.is_some() {
            return None;
        }
        match self.slots.life(key) {
            Life::Ready => self.slots.lease(key, false),
            _ => None,
        }
    }

    /// Stops waiting. A session that was to be handed over is given back; a creation that nobody else waits for
    /// goes the way of [`SessionsConfig::unwanted`].
    pub fn abandon(&mut self, waiter: WaiterId) {
        if let Some(waiting) = self.waiters.leave(waiter) {
            self.gone(waiter, waiting.serial);
        } else if let Some(PoolEvent::Ready { lease, .. }) = self.waiters.untell(waiter) {
            self.release(lease);
        }
    }

    /// Gives back the use of a session.
    pub fn release(&mut self, lease: Lease) {
        let Lease { session, .. } = lease;
        self.slots.change(session.0, |slot, uses| {
            // What is given back was in use until now.
            *uses += 1;
            slot.last_use = *uses;
            slot.leases = slot.leases.saturating_sub(1);
        });
    }

    /// Waits for another session of the same key, in place of one that is lost; all who do so wait for the same.
    ///
    /// # Errors
    /// [`CallError::SessionLost`] where the lost one was in place of another already: once is enough. As for
    /// [`acquire`](Self::acquire), besides.
    pub fn replace(&mut self, key: &K, lease: Lease, options: &AcquireOptions) -> Result<WaiterId, CallError> {
        let is_replacement = lease.is_replacement;
        // Also where there is no second attempt: nobody else shall be given what is lost.
        if self.slots.current(lease.session.0).is_some() {
            self.lost(lease.session);
        }
        if is_replacement {
            return Err(CallError::SessionLost);
        }
        self.wait(key, options, true).map_err(|error| match error {
            SendError::Closed(reason) => CallError::Closed(reason),
            error => CallError::Refused(error),
        })
    }

    /// Closes the session of a key, or gives up its creation; whoever waits for it learns that it was closed.
    pub fn evict(&mut self, key: &K) {
        self.close_slot(key, CloseReason::Local);
    }

    /// Closes the pool. Everyone who waits learns so, every creation is given up, and every session is closed.
    pub fn close(&mut self, reason: CloseReason) {
        if self.closed.is_some() {
            return;
        }
        self.closed = Some(reason);
        // Copies: slots go while this goes on.
        for key in self.slots.all_keys() {
            self.close_slot(&key, reason);
        }
    }

    /// Gives an attempt deadlines of its own, in place of [`SessionsConfig::attempt`].
    pub fn set_timeouts(&mut self, attempt: AttemptId, timeouts: AttemptTimeouts) {
        let Some(slot) = self.slots.connecting(attempt.0) else {
            return;
        };
        let time = match slot.phase {
            Some(Phase::Connect) => timeouts.connect,
            _ => timeouts.handshake,
        };
        self.slots.change(attempt.0, |slot, _| slot.timeouts = timeouts);
        self.attempts.set(attempt.0, time);
    }

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
    /// [`PoolAction::Abandon`].
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
    /// [`PoolAction::Abandon`].
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
        match self.given_up.contains(&attempt.0) {
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

    /// What the world has to do. Whatever was begun since the last time gets its deadline here.
    #[must_use]
    pub fn poll_action(&mut self, now: Time) -> Option<PoolAction<K>> {
        self.arm(now);
        loop {
            let (serial, queued) = self.actions.pop()?;
            let (attempt, session) = (AttemptId(serial), PooledSession(serial));
            return Some(match (queued, self.slots.key(serial)) {
                (Queued::Connect, Some(key)) => PoolAction::Connect {
                    attempt,
                    key: key.clone(),
                },
                // It was given up before anybody heard of it.
                (Queued::Connect, None) => continue,
                (Queued::Abandon, _) => PoolAction::Abandon { attempt },
                (Queued::DiscardAttempt, _) => PoolAction::DiscardAttempt { attempt },
                (Queued::Close, _) => PoolAction::Close { session },
                (Queued::Discard, _) => PoolAction::Discard { session },
            });
        }
    }

    /// What has come of the waiting of a caller.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<PoolEvent> {
        self.waiters.poll_outcome()
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        let deadlines = [&self.attempts, &self.idle, &self.remains].map(Deadlines::next);
        deadlines
            .into_iter()
            .chain([self.waiters.next_deadline()])
            .flatten()
            .min()
    }
}

impl<K: Clone + Ord> SessionPool<K> {
    fn arm(&mut self, now: Time) {
        self.attempts.arm(now);
        self.idle.arm(now);
        self.remains.arm(now);
        self.waiters.arm(now);
    }

    fn wait(&mut self, key: &K, options: &AcquireOptions, is_replacement: bool) -> Result<WaiterId, SendError> {
        if let Some(reason) = self.closed {
            return Err(SendError::Closed(reason));
        }
        // Before room is made: a caller that is refused must cost nobody a session.
        if self.waiters.len() >= self.config.waiters {
            return Err(SendError::TooManyCalls);
        }
        // Before the slot is wanted: from then on, it counts itself.
        if !self.slots.life(key).is_live() {
            self.make_room()?;
        }
        let waiter = self.waiters.name();
        let timeout = options.timeout.unwrap_or(self.config.acquire);
        let waited = options.waited;
        let deed = self.slots.want(key);
        if deed == Deed::Connect {
            self.begin(key);
        }
        if deed == Deed::Serve {
            if let Some(lease) = self.slots.lease(key, is_replacement) {
                self.waiters.tell(waiter, PoolEvent::Ready { waiter, lease, waited });
            }
        } else if let Some(serial) = self.slots.of_key(key).map(|slot| slot.serial) {
            self.slots.change(serial, |slot, _| slot.waiters.insert(waiter));
            let waiting = Waiting {
                serial,
                timeout,
                waited,
                is_replacement,
            };
            self.waiters.wait(waiter, waiting);
        }
        Ok(waiter)
    }

    /// Begins to create a session.
    fn begin(&mut self, key: &K) {
        let timeouts = self.config.attempt;
        let serial = self.slots.begin(key, timeouts);
        self.attempts.set(serial, timeouts.connect);
        self.actions.push(serial, Queued::Connect);
        self.counters.attempts += 1;
    }

    /// Sees that there is room for another session: closes the one that was used least recently, of those that are
    /// not in use, or gives up a creation that nobody waits for.
    fn make_room(&mut self) -> Result<(), SendError> {
        if self.slots.live() < self.config.sessions {
            return Ok(());
        }
        let key = self.slots.oldest_spare().cloned().ok_or(SendError::TooManySessions)?;
        self.counters.evicted += 1;
        self.close_slot(&key, CloseReason::Local);
        Ok(())
    }

    /// Hands the session over to one who waited for it.
    fn serve(&mut self, now: Time, serial: u64, waiter: WaiterId) {
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
    fn gone(&mut self, waiter: WaiterId, serial: u64) {
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

    fn overdue(&mut self, serial: u64) {
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
    fn failed_with(&mut self, serial: u64, error: &CallError) {
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
    fn fail_all(&mut self, serial: u64, error: &CallError) {
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
        self.given_up.insert(serial);
        self.actions.push(serial, Queued::Abandon);
        self.linger(serial);
    }

    fn close_slot(&mut self, key: &K, reason: CloseReason) {
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
    fn clear(&mut self, serial: u64) {
        self.idle.clear(serial);
        self.actions.push(serial, Queued::Close);
        self.linger(serial);
    }

    /// What is left of an attempt or a session is there for a bounded time, and there is not too much of it.
    fn linger(&mut self, serial: u64) {
        self.remains.set(serial, self.config.close);
        // However slow the servers are to close: there are never more than twice as many as may be in use.
        if self.remains.len() > self.config.sessions
            && let Some(oldest) = self.remains.first()
        {
            self.discard(oldest);
        }
    }

    fn discard(&mut self, serial: u64) {
        self.counters.discarded += 1;
        let discard = match self.given_up.contains(&serial) {
            true => Queued::DiscardAttempt,
            false => Queued::Discard,
        };
        // Before the push: it withdraws whatever is queued.
        self.forget(serial);
        self.actions.push(serial, discard);
    }

    fn check_idle(&mut self, serial: u64) {
        let is_idle = self.slots.change(serial, |slot, _| {
            let checked = core::mem::replace(&mut slot.checked, slot.last_use);
            // Verbs take no time, so a use has none: whether there was one is seen from look to look, `idle` apart.
            slot.leases == 0 && checked == slot.last_use
        });
        let Some(is_idle) = is_idle else { return };
        if !is_idle {
            if let Some(idle) = self.config.idle {
                self.idle.set(serial, idle.max(LOOK_AGAIN));
            }
        } else if self.slots.step(serial, LifeInput::Close) == Deed::Clear {
            self.counters.expired += 1;
            self.clear(serial);
        }
    }

    /// Nothing is left of an attempt or a session.
    fn forget(&mut self, serial: u64) {
        self.slots.forget(serial);
        self.attempts.clear(serial);
        self.idle.clear(serial);
        self.remains.clear(serial);
        self.given_up.remove(&serial);
        self.actions.withdraw(serial);
    }
}
