//! What the handles of a pool and its driver share: the machine, the clients, and who waits.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use super::bulletin::Bulletin;
use super::followers::{Follow, Followers};
use crate::handle::client::Client;
use crate::handle::sync::{Mutex, lock};
use crate::handle::wakers::{Wait, Waiters, Wakers, keep};
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
    clients: BTreeMap<PooledSession, (Client, Arc<K>)>,
    waiting: BTreeMap<WaiterId, Waiting>,
    driver: Option<Waker>,
    /// Those who follow the sessions of a key, each woken for that key alone.
    followers: Followers<K>,
    /// Those who wait for the end.
    closing: Waiters,
    to_wake: Wakers,
    to_drop: Vec<Client>,
    /// Wakers that nobody needs any more, to be dropped outside of the lock as well.
    spent: Vec<Waker>,
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
            followers: Followers::default(),
            closing: Waiters::default(),
            to_wake: Wakers::default(),
            to_drop: Vec::new(),
            spent: Vec::new(),
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
        let mut state = lock(&self.state);
        let value = change(&mut state);
        state.read_events();
        let to_wake = state.to_wake.take();
        let to_drop = (core::mem::take(&mut state.to_drop), core::mem::take(&mut state.spent));
        drop(state);
        // All may come back to this lock: a waker polls its task, with the last waker a task goes, and with the last
        // handle of a client, its connection ends.
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
                Some((client, _)) => return Ok(Asked::Ready(lease, client.clone())),
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
                self.spent.extend(keep(&mut waiting.waker, cx));
                Poll::Pending
            }
        }
    }

    /// Stops waiting. A session that was handed over meanwhile is given back.
    pub(super) fn leave(&mut self, waiter: WaiterId) {
        self.machine.abandon(waiter);
        let Waiting { waker, outcome } = self.waiting.remove(&waiter).unwrap_or_default();
        self.spent.extend(waker);
        if let Some(Ok((lease, client, _))) = outcome {
            self.machine.release(lease);
            self.to_drop.push(client);
        }
        self.wake_driver();
    }

    /// There is a session, and this is its client.
    pub(super) fn connected(&mut self, key: &Arc<K>, session: PooledSession, client: Client) {
        self.clients.insert(session, (client, key.clone()));
        self.wake_followers(key);
    }

    /// The client of a session is of no use any more.
    pub(super) fn forget(&mut self, session: PooledSession) {
        let Some((client, key)) = self.clients.remove(&session) else {
            return;
        };
        self.to_drop.push(client);
        self.wake_followers(&key);
    }

    /// The client of the session that there is for a key.
    pub(super) fn client(&self, key: &Arc<K>) -> Option<Client> {
        // Looked at, not leased: who only listens must not keep a session from being the one used least recently.
        let (client, _) = self.clients.get(&self.machine.session(key)?)?;
        Some(client.clone())
    }

    pub(super) fn close(&mut self, reason: CloseReason) {
        self.machine.close(reason);
        self.followers.take_all(&mut self.to_wake);
        self.wake_driver();
    }

    fn finish(&mut self) {
        self.close(CloseReason::DriverDropped);
        self.finished = true;
        let clients = core::mem::take(&mut self.clients).into_values();
        self.to_drop.extend(clients.map(|(client, _)| client));
        self.to_wake.append(self.closing.take());
    }

    /// Ready when the driver has closed everything, or is gone.
    pub(super) fn poll_finished(&mut self, wait: &mut Wait, cx: &Context<'_>) -> Poll<()> {
        if self.finished {
            return Poll::Ready(());
        }
        self.spent.extend(self.closing.wait(wait, cx.waker()));
        Poll::Pending
    }

    /// Stops to wait for the end.
    pub(super) fn stop_closing(&mut self, wait: &mut Wait) {
        self.spent.extend(self.closing.leave(wait));
    }

    /// Wakes this task when the session of a key comes or goes, or the pool closes.
    pub(super) fn follow(&mut self, key: &Arc<K>, wait: &mut Follow, cx: &Context<'_>) {
        self.spent.extend(self.followers.follow(key, wait, cx.waker()));
    }

    /// Stops to follow a key.
    pub(super) fn stop_following(&mut self, key: &Arc<K>, wait: &Follow) {
        self.spent.extend(self.followers.leave(key, wait));
    }

    /// Keeps the waker of the driver.
    pub(super) fn keep_driver(&mut self, cx: &Context<'_>) {
        self.spent.extend(keep(&mut self.driver, cx));
    }

    fn wake_driver(&mut self) {
        if let Some(driver) = self.driver.take() {
            self.to_wake.push(driver);
        }
    }

    fn wake_followers(&mut self, key: &Arc<K>) {
        self.followers.take(key, &mut self.to_wake);
    }

    /// Brings what the machine says to those who wait for it.
    fn read_events(&mut self) {
        while let Some(event) = self.machine.poll_event() {
            let (waiter, outcome) = match event {
                PoolEvent::Failed { waiter, error } => (waiter, Err(error)),
                PoolEvent::Ready { waiter, lease, waited } => match self.clients.get(&lease.session()).cloned() {
                    Some((client, _)) => (waiter, Ok((lease, client, waited))),
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
