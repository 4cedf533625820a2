//! What drives a pool: it makes its connections, and polls those that nothing else drives.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::fmt;
use core::future::{Future, poll_fn};
use core::panic::AssertUnwindSafe;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::panic::catch_unwind;

use super::connect::{Connect, Connected, Connecting, Driver};
use super::shared::Shared;
use crate::client::Incident;
use crate::client::{Prior, ServerFacts};
use crate::handle::client::{Client, Watch};
use crate::handle::wakers::Wakers;
use crate::handle::{Tasks, Timer};
use crate::rpc::CallError;
use crate::sessions::{AttemptId, PoolAction, PooledSession};
use crate::time::Time;

/// How often the driver goes round before other tasks get their turn.
const ROUNDS: usize = 4;

/// How many connections are polled in one round. Each has much to do in its turn: all rounds together shall not hold the
/// thread for long.
const POLLS: usize = 4;

/// What drives a pool: to be polled by one task, with [`run`](Self::run) or [`poll`](Self::poll).
///
/// # On drop
/// The pool is closed at once: its connections are dropped, and whoever waits for a session learns so.
pub struct SessionsDriver<K: Ord> {
    shared: Arc<Shared<K>>,
    connect: Box<dyn Connect<K> + Send>,
    tasks: Tasks<Task>,
    attempts: BTreeMap<AttemptId, usize>,
    sessions: BTreeMap<PooledSession, usize>,
}

/// A connection, from its making to its end.
enum Task {
    /// With what the server is known to speak, and who is told of what goes wrong.
    Connecting(AttemptId, Connecting, Option<Prior>, Box<Relay>),
    /// The handshake is being made.
    Shaking(AttemptId, Connection, Shaking),
    /// The attempt was given up: what it has opened is being closed.
    Leaving(AttemptId, Connection),
    /// There is a session, until it is said to be lost.
    Live(PooledSession, Connection, bool),
}

/// Tells of an incident, and gives whom that wakes.
type Relay = dyn Fn(Incident) -> Wakers + Send;

type Shaking = Pin<Box<dyn Future<Output = Result<ServerFacts, CallError>> + Send>>;

struct Connection {
    client: Client,
    driver: Option<Driver>,
    watch: Watch,
}

/// What a task has to say.
enum News {
    Dialed(AttemptId),
    Shaken(AttemptId),
    Failed(AttemptId, CallError),
    Abandoned(AttemptId),
    Lost(PooledSession),
    Closed(PooledSession),
}

// What tells of incidents goes with a client, which may be on another thread: so may keys.
impl<K: Ord + Send + Sync + 'static> SessionsDriver<K> {
    pub(super) fn new(shared: Arc<Shared<K>>, connect: Box<dyn Connect<K> + Send>) -> Self {
        Self {
            shared,
            connect,
            tasks: Tasks::new(),
            attempts: BTreeMap::new(),
            sessions: BTreeMap::new(),
        }
    }

    /// Drives the pool until it is closed, and everything in it is.
    ///
    /// # Cancel safety
    /// Dropping the future drops the driver.
    pub async fn run(mut self, mut timer: impl Timer) {
        poll_fn(|cx| self.poll(cx, &mut timer)).await;
    }

    /// Goes on as far as it can. Ready when the pool is closed, and everything in it is.
    pub fn poll(&mut self, cx: &mut Context<'_>, timer: &mut impl Timer) -> Poll<()> {
        let mut work = self.tasks.start_work(cx);
        for _ in 0..ROUNDS {
            let now = timer.now();
            // First: what is asked for from here on wakes it.
            self.shared.with(|state| state.keep_driver(cx));
            let mut moved = self.poll_actions(now);
            moved |= self.poll_tasks(now);
            // After the steps: each may have moved the deadline.
            let (is_over, deadline) = self
                .shared
                .with(|state| (state.machine.is_finished(), state.machine.poll_timeout()));
            if is_over && self.sessions.is_empty() {
                self.shared.finish();
                work.end();
                return Poll::Ready(());
            }
            if timer.poll(cx, deadline).is_ready() {
                let now = timer.now().max(now);
                self.shared.with(|state| state.machine.handle_timeout(now));
                moved = true;
            }
            // Only where nothing moved: each step may have given another part something to do.
            if !moved && self.tasks.rest(&mut work) {
                return Poll::Pending;
            }
        }
        // There may be more to do: at work still, it is woken.
        Poll::Pending
    }

    /// Does what the pool asks for, within bounds. Whether it asked for anything.
    fn poll_actions(&mut self, now: Time) -> bool {
        for actions in 0..POLLS {
            let Some(action) = self.shared.with(|state| state.machine.poll_action(now)) else {
                return actions > 0;
            };
            match action {
                PoolAction::Connect { attempt, key } => self.connect(attempt, &key),
                PoolAction::Abandon { attempt } => self.abandon(attempt),
                // It had its time to close: what it still has open goes with it.
                PoolAction::DiscardAttempt { attempt } => {
                    let slot = self.attempts.remove(&attempt);
                    drop(slot.and_then(|slot| self.tasks.remove(slot)));
                }
                PoolAction::Close { session } => self.close(session),
                PoolAction::Discard { session } => {
                    self.shared.with(|state| state.forget(session));
                    let slot = self.sessions.remove(&session);
                    drop(slot.and_then(|slot| self.tasks.remove(slot)));
                }
            }
        }
        true
    }

    fn connect(&mut self, attempt: AttemptId, key: &Arc<K>) {
        let timeouts = self.connect.timeouts(key);
        let prior = self.shared.with(|state| {
            if let Some(timeouts) = timeouts {
                state.machine.set_timeouts(attempt, timeouts);
            }
            state.machine.prior(key)
        });
        // Outside of the lock: it is the application's.
        let connecting = self.connect.connect(key);
        let (bulletin, key) = (self.shared.bulletin.clone(), key.clone());
        let relay = Box::new(move |incident| bulletin.push(&key, incident));
        let slot = self.tasks.insert(Task::Connecting(attempt, connecting, prior, relay));
        self.attempts.insert(attempt, slot);
    }

    /// Gives an attempt up: what it has opened is closed gracefully, and its task tells when that is over.
    fn abandon(&mut self, attempt: AttemptId) {
        if !self.leave(attempt) {
            self.shared.with(|state| state.machine.abandoned(attempt));
        }
    }

    /// Has the connection of an attempt closed. Whether there is one; where there is none, that was it.
    fn leave(&mut self, attempt: AttemptId) -> bool {
        let Some(slot) = self.attempts.remove(&attempt) else {
            return false;
        };
        let task = match self.tasks.remove(slot) {
            Some(Task::Shaking(_, connection, _)) => {
                connection.client.start_close();
                Task::Leaving(attempt, connection)
            }
            // It failed, which closes it, and the pool gives it up afterwards.
            Some(task @ Task::Leaving(..)) => task,
            // One that still connects is given up by dropping it.
            _ => return false,
        };
        let slot = self.tasks.insert(task);
        self.attempts.insert(attempt, slot);
        true
    }

    /// Closes a session gracefully; its task tells when it is over.
    fn close(&mut self, session: PooledSession) {
        self.learn(session);
        self.shared.with(|state| state.forget(session));
        let slot = self.sessions.get(&session).copied();
        let task = slot.and_then(|slot| self.tasks.get_mut(slot));
        match task {
            Some(Task::Live(_, connection, is_lost)) => {
                // One that is closed on purpose is not to be reported as lost.
                *is_lost = true;
                connection.client.start_close();
                slot.into_iter().for_each(|slot| self.tasks.wake(slot));
            }
            _ => self.shared.with(|state| state.machine.closed(session)),
        }
    }

    /// Polls what was woken. Whether anything was.
    fn poll_tasks(&mut self, now: Time) -> bool {
        for polls in 0..POLLS {
            let Some((slot, news)) = self.tasks.poll_next(Task::poll) else {
                return polls > 0;
            };
            if let Some(news) = news {
                self.tell(now, slot, news);
            }
        }
        true
    }

    fn tell(&mut self, now: Time, slot: usize, news: News) {
        match news {
            News::Dialed(attempt) => {
                self.shared.with(|state| state.machine.dialed(now, attempt));
                // The handshake was not polled yet, and can wake nobody.
                self.tasks.wake(slot);
            }
            News::Shaken(attempt) => self.connected(now, slot, attempt),
            News::Failed(attempt, error) => {
                self.leave(attempt);
                self.shared.with(|state| state.machine.failed(attempt, &error));
            }
            News::Abandoned(attempt) => {
                self.attempts.remove(&attempt);
                drop(self.tasks.remove(slot));
                self.shared.with(|state| state.machine.abandoned(attempt));
            }
            News::Lost(session) => {
                self.learn(session);
                self.shared.with(|state| {
                    state.machine.lost(session);
                    state.forget(session);
                });
            }
            News::Closed(session) => {
                // First: the client goes with the task.
                self.learn(session);
                self.sessions.remove(&session);
                drop(self.tasks.remove(slot));
                self.shared.with(|state| {
                    state.machine.closed(session);
                    state.forget(session);
                });
            }
        }
    }

    /// The handshake of an attempt is made: it is a session now, unless the attempt was given up meanwhile.
    fn connected(&mut self, now: Time, slot: usize, attempt: AttemptId) {
        let Some(client) = self.tasks.get_mut(slot).and_then(|task| task.client()).cloned() else {
            return;
        };
        // Under one lock: those who waited are told as soon as this is over, and need the client.
        let session = self.shared.with(|state| {
            let key = state.machine.key(attempt).cloned()?;
            let session = state.machine.connected(now, attempt)?;
            state.connected(&key, session, client);
            Some((session, key))
        });
        let Some((session, key)) = session else {
            self.leave(attempt);
            return;
        };
        self.attempts.remove(&attempt);
        self.shared.bulletin.begun(&key).wake();
        if let Some(Task::Shaking(_, connection, _)) = self.tasks.remove(slot) {
            let slot = self.tasks.insert(Task::Live(session, connection, false));
            self.sessions.insert(session, slot);
        }
    }

    /// Keeps for the next session what the server of this one has proved to speak.
    fn learn(&mut self, session: PooledSession) {
        let slot = self.sessions.get(&session).copied();
        let task = slot.and_then(|slot| self.tasks.get_mut(slot));
        if let Some(client) = task.and_then(|task| task.client()) {
            let prior = client.proved();
            self.shared.with(|state| state.machine.learned(session, prior));
        }
    }
}

impl<K: Ord> Drop for SessionsDriver<K> {
    fn drop(&mut self) {
        self.shared.finish();
    }
}

impl<K: Ord> fmt::Debug for SessionsDriver<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionsDriver")
            .field("attempts", &self.attempts.len())
            .field("sessions", &self.sessions.len())
            .finish_non_exhaustive()
    }
}

impl Task {
    /// Goes on by one step. What has come of it, where anything has.
    fn poll(&mut self, cx: &mut Context<'_>) -> Option<News> {
        match self {
            Self::Connecting(attempt, connecting, prior, relay) => {
                let (attempt, prior) = (*attempt, *prior);
                let Poll::Ready(outcome) = connecting.as_mut().poll(cx) else {
                    return None;
                };
                match outcome {
                    Ok(Connected { client, driver }) => {
                        client.relay(core::mem::replace(relay, Box::new(|_| Wakers::default())));
                        // Before the handshake is asked for: afterwards nothing is taken for granted.
                        if let Some(prior) = prior {
                            client.presume(prior);
                        }
                        let asking = client.clone();
                        let shaking: Shaking = Box::pin(async move { asking.ready().await });
                        *self = Self::Shaking(attempt, Connection::new(client, driver), shaking);
                        Some(News::Dialed(attempt))
                    }
                    Err(error) => Some(News::Failed(attempt, error)),
                }
            }
            Self::Shaking(attempt, connection, shaking) => {
                // It is asked for before the driver looks, and looked at after it.
                let mut outcome = shaking.as_mut().poll(cx);
                connection.poll(cx);
                if outcome.is_pending() {
                    outcome = shaking.as_mut().poll(cx);
                }
                match outcome {
                    Poll::Pending => None,
                    Poll::Ready(Ok(_)) => Some(News::Shaken(*attempt)),
                    Poll::Ready(Err(error)) => Some(News::Failed(*attempt, error)),
                }
            }
            Self::Leaving(attempt, connection) => {
                connection.poll(cx);
                connection.poll_over(cx).is_ready().then_some(News::Abandoned(*attempt))
            }
            Self::Live(session, connection, is_lost) => {
                connection.poll(cx);
                if connection.poll_over(cx).is_ready() {
                    return Some(News::Closed(*session));
                }
                if !*is_lost && connection.watch.poll_closed(cx).is_ready() {
                    *is_lost = true;
                    return Some(News::Lost(*session));
                }
                None
            }
        }
    }
}

impl Task {
    fn client(&self) -> Option<&Client> {
        match self {
            Self::Connecting(..) => None,
            Self::Shaking(_, connection, _) | Self::Leaving(_, connection) | Self::Live(_, connection, _) => {
                Some(&connection.client)
            }
        }
    }
}

impl Connection {
    fn new(client: Client, driver: Option<Driver>) -> Self {
        let watch = client.watch();
        Self { client, driver, watch }
    }

    /// Ready when the connection is closed, and everything is said.
    fn poll_over(&mut self, cx: &Context<'_>) -> Poll<()> {
        match self.driver {
            // A driver ends by itself when everything is said.
            Some(_) => Poll::Pending,
            None => self.watch.poll_finished(cx),
        }
    }

    /// Polls the driver that has no other. One that panics has ended: there may be a server in it, and its handlers.
    fn poll(&mut self, cx: &mut Context<'_>) {
        if let Some(driver) = &mut self.driver {
            // The driver of one connection: where it panics that one ends, and not all of them.
            let polled = catch_unwind(AssertUnwindSafe(|| driver.as_mut().poll(cx)));
            if polled.unwrap_or(Poll::Ready(())).is_ready() {
                self.driver = None;
            }
        }
    }
}
