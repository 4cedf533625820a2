//! Any method at any time, with news that is stale or made up: what always holds.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mcp_proto::Time;
use mcp_proto::rpc::{CallError, CloseReason};
use mcp_proto::sessions::{
    AcquireOptions, AttemptId, Lease, Life, PoolAction, PoolEvent, PooledSession, SessionPool, SessionsConfig,
    Unwanted, WaiterId,
};

use super::world::ms;

const KEYS: u8 = 6;
const MOST: usize = 4;
const SEEDS: u64 = 400;
const STEPS: usize = 300;

/// Small and seeded, for tests alone (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        (!from.is_empty()).then(|| from[self.below(from.len())])
    }
}

/// A pool, and what is known of it from outside.
struct Run {
    random: Random,
    pool: SessionPool<u8>,
    now: Duration,
    /// Who waits for which key.
    waiting: BTreeMap<WaiterId, u8>,
    gone: BTreeSet<WaiterId>,
    leases: Vec<(u8, Lease)>,
    /// The creations that go on, and all there ever were.
    attempts: BTreeMap<AttemptId, u8>,
    all_attempts: Vec<AttemptId>,
    /// Those that were given up, of which something is left.
    left: BTreeSet<AttemptId>,
    /// Those whose handshake has failed, of which it was not said yet that they are given up.
    rejected: BTreeSet<AttemptId>,
    open: BTreeMap<PooledSession, u8>,
    all_sessions: Vec<PooledSession>,
    /// The sessions that this side has ended, or had ended.
    doomed: BTreeSet<PooledSession>,
}

impl Run {
    fn new(seed: u64) -> Self {
        let config = SessionsConfig::default()
            .with_sessions(MOST)
            .with_waiters(12)
            .with_idle((!seed.is_multiple_of(3)).then_some(ms(40)))
            .with_unwanted(if seed.is_multiple_of(2) {
                Unwanted::Abandon
            } else {
                Unwanted::Keep
            })
            .with_acquire(ms(300))
            .with_close(ms(50));
        Self {
            random: Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1),
            pool: SessionPool::new(config),
            now: Duration::ZERO,
            waiting: BTreeMap::new(),
            gone: BTreeSet::new(),
            leases: Vec::new(),
            attempts: BTreeMap::new(),
            all_attempts: Vec::new(),
            left: BTreeSet::new(),
            rejected: BTreeSet::new(),
            open: BTreeMap::new(),
            all_sessions: Vec::new(),
            doomed: BTreeSet::new(),
        }
    }

    fn time(&self) -> Time {
        Time::since_origin(self.now)
    }

    fn key(&mut self) -> u8 {
        self.random.below(KEYS.into()) as u8
    }

    fn step(&mut self) {
        match self.random.below(15) {
            0..=3 => self.acquire(),
            4 => self.abandon(),
            5 => self.lease(),
            6 => self.release(),
            7 => self.replace(),
            8 => self.dialed(),
            9 => self.connected(),
            10 => self.failed(),
            11 => self.end_session(),
            12 => self.pass(),
            13 => self.abandoned(),
            _ => self.evict(),
        }
        self.settle();
        assert!(self.pool.len() <= MOST);
        let kept = self.open.len() + self.left.len();
        assert!(kept <= 2 * MOST, "{:?} {:?}", self.open, self.left);
        self.check_waiters();
    }

    /// Who waits, waits for a creation that goes on, and a creation goes on as long as someone may want it.
    fn check_waiters(&self) {
        let of_attempts: BTreeSet<_> = self.attempts.values().collect();
        let of_waiters: BTreeSet<_> = self.waiting.values().collect();
        assert!(
            of_waiters.is_subset(&of_attempts),
            "{:?} wait for nothing",
            self.waiting
        );
        if self.pool.config().unwanted == Unwanted::Abandon {
            assert_eq!(of_attempts, of_waiters, "nobody waits for some");
        }
    }

    fn acquire(&mut self) {
        let key = self.key();
        let before = self.pool.len();
        match self.pool.acquire(&key, &AcquireOptions::default()) {
            Ok(waiter) => assert_eq!(self.waiting.insert(waiter, key), None),
            Err(_) => assert_eq!(self.pool.len(), before),
        }
    }

    fn abandon(&mut self) {
        let waiters: Vec<_> = self.waiting.keys().chain(&self.gone).copied().collect();
        let Some(waiter) = self.random.pick(&waiters) else {
            return;
        };
        self.pool.abandon(waiter);
        self.waiting.remove(&waiter);
        self.gone.insert(waiter);
    }

    fn lease(&mut self) {
        let key = self.key();
        let is_ready = self.pool.life(&key) == Life::Ready;
        let lease = self.pool.lease(&key);
        assert_eq!(lease.is_some(), is_ready && self.pool.close_reason().is_none());
        self.leases.extend(lease.map(|lease| (key, lease)));
    }

    fn take_lease(&mut self) -> Option<(u8, Lease)> {
        let at = (!self.leases.is_empty()).then(|| self.random.below(self.leases.len()))?;
        Some(self.leases.swap_remove(at))
    }

    fn release(&mut self) {
        if let Some((_, lease)) = self.take_lease() {
            self.pool.release(lease);
        }
    }

    fn replace(&mut self) {
        let Some((key, lease)) = self.take_lease() else { return };
        self.doomed.insert(lease.session());
        let is_second = lease.is_replacement();
        match self.pool.replace(&key, lease, &AcquireOptions::default()) {
            Ok(waiter) => {
                assert!(!is_second, "once is enough");
                assert_eq!(self.waiting.insert(waiter, key), None);
            }
            Err(error) => assert!(!is_second || error == CallError::SessionLost, "{error:?}"),
        }
    }

    fn dialed(&mut self) {
        let all = self.all_attempts.clone();
        if let Some(attempt) = self.random.pick(&all) {
            self.pool.dialed(self.time(), attempt);
        }
    }

    fn connected(&mut self) {
        let all = self.all_attempts.clone();
        let Some(attempt) = self.random.pick(&all) else { return };
        let session = self.pool.connected(self.time(), attempt);
        let key = self.attempts.remove(&attempt);
        match (session, key) {
            (Some(session), Some(key)) => {
                assert_eq!(self.open.insert(session, key), None);
                self.all_sessions.push(session);
            }
            (Some(session), None) => panic!("{session:?} of an attempt that is over"),
            // The pool gave it up, and will say so.
            (None, _) => {}
        }
    }

    fn failed(&mut self) {
        let all = self.all_attempts.clone();
        if let Some(attempt) = self.random.pick(&all) {
            self.pool.failed(attempt, &CallError::Unreachable("refused".into()));
            if self.attempts.remove(&attempt).is_some() {
                self.rejected.insert(attempt);
            }
        }
    }

    fn abandoned(&mut self) {
        let all = self.all_attempts.clone();
        let Some(attempt) = self.random.pick(&all) else { return };
        let before = self.pool.counters().late;
        self.pool.abandoned(attempt);
        let is_late = self.pool.counters().late > before;
        assert_ne!(self.left.remove(&attempt), is_late, "{attempt:?}");
    }

    fn end_session(&mut self) {
        let all = self.all_sessions.clone();
        let Some(session) = self.random.pick(&all) else { return };
        self.doomed.insert(session);
        if self.random.below(2) == 0 {
            self.pool.lost(session);
        } else {
            self.pool.closed(session);
            self.open.remove(&session);
        }
    }

    fn pass(&mut self) {
        self.now += ms(self.random.below(120) as u64);
        self.pool.handle_timeout(self.time());
    }

    fn evict(&mut self) {
        let key = self.key();
        let of_key = self.open.iter().filter(|(_, of)| **of == key);
        self.doomed.extend(of_key.map(|(session, _)| *session));
        self.pool.evict(&key);
    }

    /// Hears what the pool says. It runs dry.
    fn settle(&mut self) {
        for round in 0.. {
            assert!(round < 10_000, "the pool never runs dry");
            if let Some(action) = self.pool.poll_action(self.time()) {
                self.act(action);
            } else if let Some(event) = self.pool.poll_event() {
                self.hear(event);
            } else {
                break;
            }
        }
    }

    fn act(&mut self, action: PoolAction<u8>) {
        match action {
            PoolAction::Connect { attempt, key } => {
                assert!(!self.all_attempts.contains(&attempt));
                assert!(
                    !self.attempts.values().any(|other| *other == key),
                    "one attempt for a key"
                );
                self.attempts.insert(attempt, key);
                self.all_attempts.push(attempt);
            }
            PoolAction::Abandon { attempt } => {
                self.attempts.remove(&attempt);
                self.rejected.remove(&attempt);
                assert!(self.left.insert(attempt), "{attempt:?} twice");
            }
            PoolAction::DiscardAttempt { attempt } => {
                // It may come before it is said that it is given up.
                let is_known = self.left.remove(&attempt) || self.attempts.remove(&attempt).is_some();
                let is_known = is_known || self.rejected.remove(&attempt);
                assert!(is_known, "nothing is left of {attempt:?}");
            }
            PoolAction::Close { session } => {
                let is_used = self.leases.iter().any(|(_, lease)| lease.session() == session);
                assert!(!is_used || self.doomed.contains(&session), "{session:?} was in use");
                assert!(self.open.contains_key(&session), "{session:?} is not open");
            }
            PoolAction::Discard { session } => {
                assert!(self.open.remove(&session).is_some(), "{session:?} is not open");
            }
        }
    }

    fn hear(&mut self, event: PoolEvent) {
        let (waiter, lease) = match event {
            PoolEvent::Ready { waiter, lease, .. } => (waiter, Some(lease)),
            PoolEvent::Failed { waiter, .. } => (waiter, None),
            other => panic!("{other:?}"),
        };
        let key = self.waiting.remove(&waiter);
        let key = key.unwrap_or_else(|| panic!("{waiter:?} does not wait"));
        assert!(self.gone.insert(waiter));
        self.leases.extend(lease.map(|lease| (key, lease)));
    }

    /// Closes the pool: everyone is answered, everything ends.
    fn finish(&mut self) {
        self.doomed.extend(self.open.keys().copied());
        self.pool.close(CloseReason::Local);
        self.settle();
        assert!(self.waiting.is_empty(), "{:?} still wait", self.waiting);
        assert_eq!(self.pool.len(), 0);
        for _ in 0..1_000 {
            let Some(at) = self.pool.poll_timeout() else { break };
            self.now = self.now.max(at.elapsed());
            self.pool.handle_timeout(self.time());
            self.settle();
        }
        assert_eq!(self.pool.poll_timeout(), None);
        assert!(self.pool.is_finished());
        assert!(
            self.open.is_empty() && self.attempts.is_empty() && self.left.is_empty(),
            "{:?} {:?} {:?}",
            self.open,
            self.attempts,
            self.left
        );
    }
}

#[test]
fn whatever_is_done_in_whatever_order_each_waiter_is_answered_once_and_nothing_is_left() {
    let (mut created, mut evicted, mut expired) = (0, 0, 0);
    for seed in 0..SEEDS {
        let mut run = Run::new(seed);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            (0..STEPS).for_each(|_| run.step());
            run.finish();
        }));
        assert!(outcome.is_ok(), "seed {seed}");
        let counters = run.pool.counters();
        created += counters.created;
        evicted += counters.evicted;
        expired += counters.expired;
    }
    // The schedules reach what they are meant to reach.
    assert!(
        created > 1_000 && evicted > 100 && expired > 10,
        "{created} {evicted} {expired}"
    );
}
