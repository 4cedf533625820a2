//! What the handles of a pool and its driver share: the machine, the clients, and who waits.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::sync::{Mutex, PoisonError};

use super::bulletin::Bulletin;
use crate::handle::client::Client;
use crate::handle::wakers::Wakers;
use crate::rpc::{CallError, CloseReason, SendError};
use crate::sessions::{AcquireOptions, Lease, PoolEvent, PooledSession, SessionPool, SessionsConfig, WaiterId};

/// One lock, held for a few steps of the machine and never across an await; wakers are woken, and clients dropped,
/// outside of it.
pub(super) struct Shared<K> {
    state: Mutex<State<K>>,
    /// What was lost in which session.
    pub(super) bulletin: Arc<Bulletin<K>>,
}

pub(super) struct State<K> {
    pub(super) machine: SessionPool<Arc<K>>,
    clients: BTreeMap<PooledSession, Client>,
    waiting: BTreeMap<WaiterId, Waiting>,
    driver: Option<Waker>,
    /// Those who wait for a change: of the sessions, or the end.
    watchers: Wakers,
    to_wake: Wakers,
    to_drop: Vec<Client>,
    finished: bool,
}

/// A caller that waits, and what has come of it.
#[derive(Debug, Default)]
struct Waiting {
    waker: Option<Waker>,
    outcome: Option<Outcome>,
}

/// A session and how much of the caller's time is spent; or why there is none.
pub(super) type Outcome = Result<(Lease, Client, Duration), CallError>;

/// What comes of asking for a session.
pub(super) enum Asked {
    /// Here it is.
    Ready(Lease, Client),
    /// It is waited for.
    Waiting(WaiterId),
}

impl<K: Ord> Shared<K> {
    pub(super) fn new(config: SessionsConfig) -> Self {
        let state = State {
            machine: SessionPool::new(config),
            clients: BTreeMap::new(),
            waiting: BTreeMap::new(),
            driver: None,
            watchers: Wakers::default(),
            to_wake: Wakers::default(),
            to_drop: Vec::new(),
            finished: false,
        };
        Self {
            state: Mutex::new(state),
            bulletin: Arc::default(),
        }
    }

    /// Changes the state on behalf of a handle, and wakes the driver to see what has come of it.
    pub(super) fn apply<T>(&self, change: impl FnOnce(&mut State<K>) -> T) -> T {
        self.with(|state| {
            let value = change(state);
            state.wake_driver();
            value
        })
    }

    /// Changes the state, or looks at it.
    pub(super) fn with<T>(&self, change: impl FnOnce(&mut State<K>) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let value = change(&mut state);
        state.read_events();
        let (to_wake, to_drop) = (state.to_wake.take(), core::mem::take(&mut state.to_drop));
        drop(state);
        // Both may come back to this lock: a waker polls its task, and with the last handle of a client, its connection
        // ends.
        to_wake.wake();
        drop(to_drop);
        value
    }
}

impl<K: Ord> Shared<K> {
    /// The driver is done, or gone.
    pub(super) fn finish(&self) {
        self.with(State::finish);
        self.bulletin.end().wake();
    }
}

impl<K: Ord> State<K> {
    /// Asks for the session of a key, the short way where there is one.
    pub(super) fn ask(&mut self, key: &Arc<K>, options: &AcquireOptions) -> Result<Asked, SendError> {
        if let Some(lease) = self.machine.lease(key) {
            match self.clients.get(&lease.session()) {
                Some(client) => return Ok(Asked::Ready(lease, client.clone())),
                None => self.machine.release(lease),
            }
        }
        let waiter = self.machine.acquire(key, options)?;
        self.begin(waiter);
        Ok(Asked::Waiting(waiter))
    }

    /// Asks for another session, in place of one that is lost.
    pub(super) fn ask_again(
        &mut self,
        key: &Arc<K>,
        lease: Lease,
        options: &AcquireOptions,
    ) -> Result<WaiterId, CallError> {
        let waiter = self.machine.replace(key, lease, options)?;
        self.begin(waiter);
        Ok(waiter)
    }

    fn begin(&mut self, waiter: WaiterId) {
        self.waiting.insert(waiter, Waiting::default());
        // There may be something to connect, and there is a deadline to arm.
        self.wake_driver();
    }

    /// What has come of waiting, once.
    pub(super) fn poll_waiter(&mut self, waiter: WaiterId, cx: &Context<'_>) -> Poll<Outcome> {
        let Some(waiting) = self.waiting.get_mut(&waiter) else {
            return Poll::Ready(Err(CallError::Cancelled));
        };
        match waiting.outcome.take() {
            Some(outcome) => {
                self.waiting.remove(&waiter);
                Poll::Ready(outcome)
            }
            None => {
                match &mut waiting.waker {
                    Some(waker) => waker.clone_from(cx.waker()),
                    None => waiting.waker = Some(cx.waker().clone()),
                }
                Poll::Pending
            }
        }
    }

    /// Stops waiting. A session that was handed over meanwhile is given back.
    pub(super) fn leave(&mut self, waiter: WaiterId) {
        self.machine.abandon(waiter);
        let outcome = self.waiting.remove(&waiter).and_then(|waiting| waiting.outcome);
        if let Some(Ok((lease, client, _))) = outcome {
            self.machine.release(lease);
            self.to_drop.push(client);
        }
        self.wake_driver();
    }

    /// There is a session, and this is its client.
    pub(super) fn connected(&mut self, session: PooledSession, client: Client) {
        self.clients.insert(session, client);
        self.wake_watchers();
    }

    /// The client of a session is of no use any more.
    pub(super) fn forget(&mut self, session: PooledSession) {
        self.to_drop.extend(self.clients.remove(&session));
        self.wake_watchers();
    }

    /// The client of the session that there is for a key.
    pub(super) fn client(&self, key: &Arc<K>) -> Option<Client> {
        // Looked at, not leased: who only listens must not keep a session from being the one used least recently.
        self.clients.get(&self.machine.session(key)?).cloned()
    }

    pub(super) fn close(&mut self, reason: CloseReason) {
        self.machine.close(reason);
        self.wake_watchers();
        self.wake_driver();
    }

    fn finish(&mut self) {
        self.close(CloseReason::DriverDropped);
        self.finished = true;
        self.to_drop.extend(core::mem::take(&mut self.clients).into_values());
        self.wake_watchers();
    }

    /// Ready when the driver has closed everything, or is gone.
    pub(super) fn poll_finished(&mut self, cx: &Context<'_>) -> Poll<()> {
        if self.finished {
            return Poll::Ready(());
        }
        self.watch(cx);
        Poll::Pending
    }

    /// Wakes this task when a session comes or goes, or the pool closes.
    pub(super) fn watch(&mut self, cx: &Context<'_>) {
        self.watchers.add(cx.waker());
    }

    /// Keeps the waker of the driver.
    pub(super) fn keep_driver(&mut self, cx: &Context<'_>) {
        match &mut self.driver {
            Some(waker) => waker.clone_from(cx.waker()),
            None => self.driver = Some(cx.waker().clone()),
        }
    }

    fn wake_driver(&mut self) {
        if let Some(driver) = self.driver.take() {
            self.to_wake.push(driver);
        }
    }

    fn wake_watchers(&mut self) {
        let watchers = self.watchers.take();
        self.to_wake.append(watchers);
    }

    /// Brings what the machine says to those who wait for it.
    fn read_events(&mut self) {
        while let Some(event) = self.machine.poll_event() {
            let (waiter, outcome) = match event {
                PoolEvent::Failed { waiter, error } => (waiter, Err(error)),
                PoolEvent::Ready { waiter, lease, waited } => match self.clients.get(&lease.session()).cloned() {
                    Some(client) => (waiter, Ok((lease, client, waited))),
                    None => {
                        self.machine.release(lease);
                        (waiter, Err(CallError::SessionLost))
                    }
                },
            };
            if let Some(waiting) = self.waiting.get_mut(&waiter) {
                waiting.outcome = Some(outcome);
                if let Some(waker) = waiting.waker.take() {
                    self.to_wake.push(waker);
                }
            } else if let Ok((lease, client, _)) = outcome {
                // Nobody waits for it any more: it would be in use for ever.
                self.machine.release(lease);
                self.to_drop.push(client);
            }
        }
    }
}

/// Shows how many there are, and nothing of what they carry.
impl<K: Ord> fmt::Debug for Shared<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It may be printed by who holds the lock.
        let Ok(state) = self.state.try_lock() else {
            return f.write_str("SessionPool { .. }");
        };
        f.debug_struct("SessionPool")
            .field("sessions", &state.machine.len())
            .field("closed", &state.machine.close_reason())
            .finish_non_exhaustive()
    }
}

/// What closes the pool with its last handle.
pub(super) struct Inner<K: Ord> {
    pub(super) shared: Arc<Shared<K>>,
}

impl<K: Ord> Drop for Inner<K> {
    fn drop(&mut self) {
        self.shared.with(|state| state.close(CloseReason::Local));
    }
}
