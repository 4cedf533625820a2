//! A pool of sessions under any verbs and any news, in any order, at any times.
//!
//! Every waiter hears once what has come of it, and not after its time; nothing is done to an attempt or a session that
//! is over; nothing that is in use is closed, unless it is lost or somebody wants it closed; what there is stays within
//! its bounds; and when the pool is closed, nothing is left.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use mcp_proto::client::Prior;
use mcp_proto::rpc::{CallError, CloseReason};
use mcp_proto::sessions::{
    AcquireOptions, AttemptId, AttemptTimeouts, Lease, Life, PoolAction, PoolEvent, PooledSession, SessionPool,
    SessionsConfig, Unwanted, WaiterId,
};
use mcp_proto::{Revision, Time};

use crate::settings::{End, pause};

const KEYS: u8 = 6;
const MOST: usize = 4;

#[derive(Arbitrary, Debug)]
enum Op {
    Acquire { key: u8, timeout: u8, waited: u8 },
    Abandon(u8),
    Lease(u8),
    Release(u8),
    Replace(u8),
    Evict(u8),
    SetTimeouts { attempt: u8, connect: u8, handshake: u8 },
    Dialed(u8),
    Connected(u8),
    Failed(u8),
    Abandoned(u8),
    Learned { session: u8, revision: Option<u8> },
    Lost(u8),
    Closed(u8),
    Wait(u8),
    Act(u8),
    Hear(u8),
    Close(End),
}

/// How the pool is set up.
#[derive(Arbitrary, Debug)]
struct Start {
    idle: Option<u8>,
    keeps: bool,
    close: u8,
    waiters: u8,
}

/// The input is a configuration and operations.
pub fn run(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let Ok(start) = Start::arbitrary(&mut u) else { return };
    let mut pool = Pool::new(&start);
    while !u.is_empty() {
        let Ok(op) = Op::arbitrary(&mut u) else { break };
        pool.apply(op);
        pool.check();
    }
    pool.finish();
}

/// A caller that waits.
#[derive(Debug)]
struct Waiting {
    key: u8,
    left: Duration,
    waited: Duration,
    /// Since when its time runs.
    since: Option<Time>,
}

/// What has become of an attempt, as far as the pool has said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attempt {
    GoesOn(u8),
    /// It was said to have failed: what is left of it may still have to be closed.
    Failed,
    GivenUp,
    Over,
}

/// A pool, and what is known of it from outside.
struct Pool {
    pool: SessionPool<u8>,
    now: Time,
    waiting: BTreeMap<WaiterId, Waiting>,
    waiters: Vec<WaiterId>,
    leases: Vec<(u8, Lease)>,
    attempts: BTreeMap<AttemptId, Attempt>,
    /// The sessions that the world holds, and whether the pool wants them closed.
    open: BTreeMap<PooledSession, (u8, bool)>,
    sessions: Vec<PooledSession>,
    /// Those that were lost, or that somebody wanted closed.
    doomed: BTreeSet<PooledSession>,
    /// What was learnt of each key last.
    learned: BTreeMap<u8, Prior>,
}

fn nth<T: Copy>(from: impl ExactSizeIterator<Item = T>, index: u8) -> Option<T> {
    let mut from = from;
    let index = usize::from(index).checked_rem(from.len())?;
    from.nth(index)
}

impl Pool {
    fn new(start: &Start) -> Self {
        let config = SessionsConfig::default()
            .with_sessions(MOST)
            .with_waiters(usize::from(start.waiters % 16))
            .with_idle(start.idle.map(pause))
            .with_unwanted(if start.keeps { Unwanted::Keep } else { Unwanted::Abandon })
            .with_acquire(Duration::from_millis(300))
            .with_attempt(
                AttemptTimeouts::default()
                    .with_connect(Duration::from_millis(100))
                    .with_handshake(Duration::from_millis(200)),
            )
            .with_close(pause(start.close));
        Self {
            pool: SessionPool::new(config),
            now: Time::ORIGIN,
            waiting: BTreeMap::new(),
            waiters: Vec::new(),
            leases: Vec::new(),
            attempts: BTreeMap::new(),
            open: BTreeMap::new(),
            sessions: Vec::new(),
            doomed: BTreeSet::new(),
            learned: BTreeMap::new(),
        }
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Acquire { key, timeout, waited } => self.acquire(key % KEYS, timeout, waited),
            Op::Abandon(index) => self.abandon(index),
            Op::Lease(key) => self.lease(key % KEYS),
            Op::Release(index) => {
                if let Some((_, lease)) = self.take_lease(index) {
                    self.pool.release(lease);
                }
            }
            Op::Replace(index) => self.replace(index),
            Op::Evict(key) => {
                self.doom(|of| of == key % KEYS);
                self.pool.evict(&(key % KEYS));
            }
            Op::SetTimeouts {
                attempt,
                connect,
                handshake,
            } => {
                if let Some(attempt) = self.attempt(attempt) {
                    let (connect, handshake) = (pause(connect), pause(handshake));
                    self.pool.set_timeouts(
                        attempt,
                        AttemptTimeouts::default()
                            .with_connect(connect)
                            .with_handshake(handshake),
                    );
                }
            }
            Op::Dialed(index) => {
                if let Some(attempt) = self.attempt(index) {
                    self.pool.dialed(self.now, attempt);
                    self.armed();
                }
            }
            Op::Connected(index) => self.connected(index),
            Op::Failed(index) => self.failed(index),
            Op::Abandoned(index) => self.abandoned(index),
            Op::Learned { session, revision } => self.learn(session, revision),
            Op::Lost(index) => {
                if let Some(session) = nth(self.sessions.iter().copied(), index) {
                    self.doomed.insert(session);
                    self.pool.lost(session);
                }
            }
            Op::Closed(index) => {
                if let Some(session) = nth(self.sessions.iter().copied(), index) {
                    let late = self.pool.counters().late;
                    self.pool.closed(session);
                    // Where it is late, the pool has dropped it, and will say so.
                    if self.pool.counters().late == late {
                        self.open.remove(&session);
                    }
                    self.doomed.insert(session);
                }
            }
            Op::Wait(length) => self.wait(pause(length)),
            Op::Act(most) => {
                dry(most, || self.act());
            }
            Op::Hear(most) => {
                dry(most, || self.hear());
            }
            Op::Close(end) => {
                if end.kind(1).is_some() {
                    self.close();
                }
            }
        }
    }

    fn attempt(&self, index: u8) -> Option<AttemptId> {
        nth(self.attempts.keys().copied(), index)
    }

    /// The sessions of these keys may be closed although they are in use.
    fn doom(&mut self, of: impl Fn(u8) -> bool) {
        let open = self.open.iter().filter(|(_, (key, _))| of(*key));
        self.doomed.extend(open.map(|(session, _)| *session));
    }

    fn acquire(&mut self, key: u8, timeout: u8, waited: u8) {
        let (timeout, waited) = (pause(timeout), pause(waited));
        let options = AcquireOptions::default()
            .with_timeout(Some(timeout))
            .with_waited(waited);
        let before = (self.pool.len(), self.pool.life(&key));
        match self.pool.acquire(&key, &options) {
            Ok(waiter) => self.waits(waiter, key, timeout, waited),
            Err(_) => assert_eq!((self.pool.len(), self.pool.life(&key)), before),
        }
    }

    fn waits(&mut self, waiter: WaiterId, key: u8, timeout: Duration, waited: Duration) {
        let waiting = Waiting {
            key,
            left: timeout.saturating_sub(waited),
            waited,
            since: None,
        };
        assert!(self.waiting.insert(waiter, waiting).is_none());
        assert!(!self.waiters.contains(&waiter), "{waiter:?} is not new");
        self.waiters.push(waiter);
    }

    fn abandon(&mut self, index: u8) {
        if let Some(waiter) = nth(self.waiters.iter().copied(), index) {
            self.pool.abandon(waiter);
            self.waiting.remove(&waiter);
        }
    }

    fn lease(&mut self, key: u8) {
        let is_ready = self.pool.life(&key) == Life::Ready && self.pool.close_reason().is_none();
        let lease = self.pool.lease(&key);
        assert_eq!(lease.is_some(), is_ready);
        self.leases.extend(lease.map(|lease| (key, lease)));
    }

    fn take_lease(&mut self, index: u8) -> Option<(u8, Lease)> {
        let index = usize::from(index).checked_rem(self.leases.len())?;
        Some(self.leases.swap_remove(index))
    }

    fn replace(&mut self, index: u8) {
        let Some((key, lease)) = self.take_lease(index) else {
            return;
        };
        self.doomed.insert(lease.session());
        let is_second = lease.is_replacement();
        let options = AcquireOptions::default();
        match self.pool.replace(&key, lease, &options) {
            Ok(waiter) => {
                assert!(!is_second, "once is enough");
                self.waits(waiter, key, self.pool.config().acquire, Duration::ZERO);
            }
            Err(error) => assert_eq!(is_second, error == CallError::SessionLost),
        }
    }

    fn connected(&mut self, index: u8) {
        let Some(attempt) = self.attempt(index) else { return };
        let session = self.pool.connected(self.now, attempt);
        self.armed();
        let Some(session) = session else { return };
        match self.attempts.insert(attempt, Attempt::Over) {
            Some(Attempt::GoesOn(key)) => assert!(self.open.insert(session, (key, false)).is_none()),
            other => panic!("{session:?} of an attempt that is over: {other:?}"),
        }
        self.sessions.push(session);
    }

    fn failed(&mut self, index: u8) {
        let Some(attempt) = self.attempt(index) else { return };
        self.pool.failed(attempt, &CallError::Disconnected);
        if let Some(state @ Attempt::GoesOn(_)) = self.attempts.get_mut(&attempt) {
            *state = Attempt::Failed;
        }
    }

    fn abandoned(&mut self, index: u8) {
        let Some(attempt) = self.attempt(index) else { return };
        let late = self.pool.counters().late;
        self.pool.abandoned(attempt);
        if self.pool.counters().late == late {
            self.attempts.insert(attempt, Attempt::Over);
        }
    }

    fn learn(&mut self, session: u8, revision: Option<u8>) {
        let Some(session) = nth(self.sessions.iter().copied(), session) else {
            return;
        };
        let revision = revision.and_then(|index| nth(Revision::ALL.iter().copied(), index));
        let prior = revision.map(Prior::new);
        let late = self.pool.counters().late;
        self.pool.learned(session, prior);
        if self.pool.counters().late == late {
            let (key, _) = self.open[&session];
            match prior {
                Some(prior) => self.learned.insert(key, prior),
                None => self.learned.remove(&key),
            };
        }
    }

    fn wait(&mut self, time: Duration) {
        self.now = self.now + time;
        // What is due at once may make more due at once, but not for ever.
        for round in 0.. {
            self.pool.handle_timeout(self.now);
            self.armed();
            if self.pool.poll_timeout().is_none_or(|next| next > self.now) {
                break;
            }
            assert!(round < 8, "time stands still");
        }
        self.hear_all();
        for (waiter, waiting) in &self.waiting {
            let since = waiting.since.expect("its time runs");
            assert!(since + waiting.left > self.now, "{waiter:?} waits beyond its time");
        }
    }

    /// The time of all who wait runs from now on.
    fn armed(&mut self) {
        let now = self.now;
        for waiting in self.waiting.values_mut() {
            waiting.since.get_or_insert(now);
        }
    }

    /// Takes what the pool wants done. Whether there was anything.
    fn act(&mut self) -> bool {
        let action = self.pool.poll_action(self.now);
        self.armed();
        match action {
            None => return false,
            Some(PoolAction::Connect { attempt, key }) => {
                assert_eq!(self.attempts.insert(attempt, Attempt::GoesOn(key)), None);
            }
            Some(PoolAction::Abandon { attempt }) => {
                let before = self.attempts.insert(attempt, Attempt::GivenUp);
                assert!(
                    matches!(before, Some(Attempt::GoesOn(_) | Attempt::Failed)),
                    "{attempt:?}: {before:?}"
                );
            }
            Some(PoolAction::DiscardAttempt { attempt }) => {
                let before = self.attempts.insert(attempt, Attempt::Over);
                assert!(before.is_some_and(|before| before != Attempt::Over), "{attempt:?}");
            }
            Some(PoolAction::Close { session }) => {
                let is_used = self.leases.iter().any(|(_, lease)| lease.session() == session);
                assert!(!is_used || self.doomed.contains(&session), "{session:?} was in use");
                let (_, is_closing) = self.open.get_mut(&session).expect("is open");
                assert!(!core::mem::replace(is_closing, true), "{session:?} twice");
            }
            Some(PoolAction::Discard { session }) => {
                assert!(self.open.remove(&session).is_some(), "{session:?} is not open");
            }
        }
        true
    }

    /// Takes what has come of a caller. Whether there was anything.
    fn hear(&mut self) -> bool {
        let (waiter, lease) = match self.pool.poll_event() {
            None => return false,
            Some(PoolEvent::Ready { waiter, lease, waited }) => {
                assert!(
                    self.waiting
                        .get(&waiter)
                        .is_some_and(|waiting| waiting.waited <= waited)
                );
                (waiter, Some(lease))
            }
            Some(PoolEvent::Failed { waiter, .. }) => (waiter, None),
            Some(other) => panic!("{other:?}"),
        };
        let waiting = self.waiting.remove(&waiter).expect("waits");
        self.leases.extend(lease.map(|lease| (waiting.key, lease)));
        true
    }

    fn check(&self) {
        let lives: Vec<_> = (0..KEYS).map(|key| self.pool.life(&key)).collect();
        let live = lives
            .iter()
            .filter(|life| matches!(life, Life::Connecting | Life::Ready));
        assert_eq!(self.pool.len(), live.count(), "{lives:?}");
        assert!(self.pool.len() <= MOST);
        assert!(self.waiting.len() <= self.pool.config().waiters);
        let known: Vec<_> = (0..KEYS)
            .filter_map(|key| Some((key, self.pool.prior(&key)?)))
            .collect();
        assert!(known.len() <= MOST);
        for (key, prior) in known {
            assert_eq!(self.learned.get(&key), Some(&prior));
        }
    }

    fn close(&mut self) {
        self.doom(|_| true);
        self.pool.close(CloseReason::Local);
    }

    /// The pool runs dry.
    fn act_all(&mut self) {
        assert!(dry(u16::MAX, || self.act()), "there is always more to be done");
        for key in 0..KEYS {
            let attempts = self.left(&[Attempt::GoesOn(key)]);
            let is_connecting = self.pool.life(&key) == Life::Connecting;
            assert_eq!(attempts, usize::from(is_connecting), "attempts for {key}");
        }
    }

    fn hear_all(&mut self) {
        assert!(dry(u16::MAX, || self.hear()), "there is always more to be heard");
    }

    /// Closes the pool: everyone is answered, everything ends.
    fn finish(&mut self) {
        self.act_all();
        self.hear_all();
        let left = self.left(&[Attempt::GivenUp]);
        assert!(self.open.len() + left <= 2 * MOST, "{:?} {left}", self.open);
        self.close();
        self.hear_all();
        assert!(self.waiting.is_empty(), "{:?} still wait", self.waiting);
        assert_eq!(self.pool.len(), 0);
        self.act_all();
        self.wait(self.pool.config().close);
        self.act_all();
        assert!(self.pool.is_finished() && self.pool.poll_timeout().is_none());
        assert!(self.open.is_empty(), "{:?}", self.open);
        let going: Vec<_> = (0..KEYS).map(Attempt::GoesOn).chain([Attempt::GivenUp]).collect();
        assert_eq!(self.left(&going), 0, "{:?}", self.attempts);
        for (_, lease) in self.leases.drain(..) {
            self.pool.release(lease);
        }
    }

    /// How many attempts are in one of these states.
    fn left(&self, states: &[Attempt]) -> usize {
        self.attempts.values().filter(|state| states.contains(state)).count()
    }
}

/// Goes on for so many times, or until there is nothing more; whether that was so.
fn dry(most: impl Into<u16>, mut goes_on: impl FnMut() -> bool) -> bool {
    (0..most.into()).any(|_| !goes_on())
}
