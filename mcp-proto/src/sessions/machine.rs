//! The pool itself.

use super::actions::{Actions, Queued};
use super::config::{AcquireOptions, AttemptTimeouts, SessionsConfig};
use super::counters::SessionsCounters;
use super::deadlines::Deadlines;
use super::event::{PoolAction, PoolEvent};
use super::id::{AttemptId, Lease, PooledSession, WaiterId};
use super::life::{Deed, Life};
use super::priors::Priors;
use super::remains::Remains;
use super::slots::Slots;
use super::waiters::{Waiters, Waiting};
use crate::client::Prior;
use crate::rpc::{CallError, CloseReason, Phase, SendError};
use crate::time::Time;

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
// Each part is a machine of its own that knows none of the others: what follows from what one says is carried to the
// others here, in `news` for what the world tells, and in `deeds` for what the life of a key asks to be done.
#[derive(Debug)]
pub struct SessionPool<K> {
    pub(super) config: SessionsConfig,
    /// How it stands with each key.
    pub(super) slots: Slots<K>,
    /// Until when each creation may take.
    pub(super) attempts: Deadlines<u64>,
    /// When to look whether a session is idle.
    pub(super) idle: Deadlines<u64>,
    /// What is being closed.
    pub(super) remains: Remains,
    /// What servers are known to speak.
    pub(super) priors: Priors<K>,
    /// Who waits, and what has come of it.
    pub(super) waiters: Waiters,
    /// What the world has still to do.
    pub(super) actions: Actions,
    pub(super) counters: SessionsCounters,
    pub(super) closed: Option<CloseReason>,
}

impl<K: Clone + Ord> SessionPool<K> {
    /// A pool without sessions.
    #[must_use]
    pub fn new(config: SessionsConfig) -> Self {
        Self {
            slots: Slots::new(),
            attempts: Deadlines::default(),
            idle: Deadlines::default(),
            remains: Remains::new(config.sessions, config.close),
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
        self.closed.clone()
    }

    /// Whether the pool is closed and nothing is left to be done.
    pub fn is_finished(&self) -> bool {
        self.closed.is_some() && self.remains.is_empty() && self.actions.is_empty()
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

    /// The session of a key, where there is one, only looked at: nothing of it is used.
    #[must_use]
    pub fn session(&self, key: &K) -> Option<PooledSession> {
        let slot = self.slots.of_key(key).filter(|slot| slot.life == Life::Ready)?;
        self.closed.is_none().then_some(PooledSession(slot.serial))
    }

    /// The key of an attempt, from [`PoolAction::Connect`] until nothing is left of it.
    #[cfg(feature = "handle")]
    pub(crate) fn key(&self, attempt: AttemptId) -> Option<&K> {
        self.slots.key(attempt.0)
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
        self.closed = Some(reason.clone());
        // Copies: slots go while this goes on.
        for key in self.slots.all_keys() {
            self.close_slot(&key, reason.clone());
        }
    }

    /// Gives an attempt deadlines of its own, in place of [`SessionsConfig::attempt`].
    pub fn set_timeouts(&mut self, attempt: AttemptId, timeouts: AttemptTimeouts) {
        let Some(slot) = self.slots.connecting(attempt.0) else {
            return;
        };
        // For the phase it is in; the next one takes its own when it begins.
        let time = match slot.phase {
            Some(Phase::Connect) => timeouts.connect,
            _ => timeouts.handshake,
        };
        self.slots.change(attempt.0, |slot, _| slot.timeouts = timeouts);
        self.attempts.set(attempt.0, time);
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
        let deadlines = [&self.attempts, &self.idle].map(Deadlines::next);
        deadlines
            .into_iter()
            .chain([self.remains.next_deadline(), self.waiters.next_deadline()])
            .flatten()
            .min()
    }
}

impl<K: Clone + Ord> SessionPool<K> {
    pub(super) fn arm(&mut self, now: Time) {
        self.attempts.arm(now);
        self.idle.arm(now);
        self.remains.arm(now);
        self.waiters.arm(now);
    }

    fn wait(&mut self, key: &K, options: &AcquireOptions, is_replacement: bool) -> Result<WaiterId, SendError> {
        if let Some(reason) = &self.closed {
            return Err(SendError::Closed(reason.clone()));
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
}
