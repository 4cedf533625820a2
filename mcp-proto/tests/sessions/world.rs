//! A world around a pool: servers that answer when told to, and a clock that jumps from one thing to the next.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mcp_proto::Time;
use mcp_proto::rpc::{CallError, SendError};
use mcp_proto::sessions::{
    AcquireOptions, AttemptId, Lease, PoolAction, PoolEvent, PooledSession, SessionPool, SessionsConfig, WaiterId,
};

pub(crate) type Key = &'static str;

/// What a server does to those who connect.
#[derive(Clone, Debug)]
pub(crate) enum Behaviour {
    /// Accepts at once, and has the handshake done after this time.
    Answers(Duration),
    /// Accepts at once, and never answers.
    Mute,
    /// Refuses after this time.
    Refuses(Duration),
    /// Accepts at once, and has the handshake fail after this time.
    Rejects(Duration),
}

/// What has come of a caller, and when.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) at: Duration,
    pub(crate) result: Result<Lease, CallError>,
    pub(crate) waited: Duration,
}

#[derive(Debug)]
enum News {
    Dialed(AttemptId),
    Connected(AttemptId),
    Refused(AttemptId),
    Abandoned(AttemptId),
    Closed(PooledSession),
}

pub(crate) struct World<K = Key> {
    pub(crate) sessions: SessionPool<K>,
    pub(crate) now: Duration,
    pub(crate) behaviour: Behaviour,
    pub(crate) special: BTreeMap<K, Behaviour>,
    /// How long closing a session takes; `None` for ever.
    pub(crate) closing: Option<Duration>,
    /// How many handshakes were begun, by key.
    pub(crate) handshakes: BTreeMap<K, usize>,
    pub(crate) abandoned: usize,
    pub(crate) deleted: usize,
    pub(crate) discarded: usize,
    /// The sessions that the world holds, and the most there ever were.
    pub(crate) open: BTreeSet<PooledSession>,
    pub(crate) most_open: usize,
    pub(crate) outcomes: BTreeMap<WaiterId, Outcome>,
    given_up: BTreeSet<AttemptId>,
    news: BTreeMap<(Duration, u64), News>,
    serial: u64,
}

pub(crate) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

impl<K: Clone + Ord + core::fmt::Debug> World<K> {
    pub(crate) fn new(config: SessionsConfig) -> Self {
        Self {
            sessions: SessionPool::new(config),
            now: Duration::ZERO,
            behaviour: Behaviour::Answers(ms(10)),
            special: BTreeMap::new(),
            closing: Some(ms(1)),
            handshakes: BTreeMap::new(),
            abandoned: 0,
            deleted: 0,
            discarded: 0,
            open: BTreeSet::new(),
            most_open: 0,
            outcomes: BTreeMap::new(),
            given_up: BTreeSet::new(),
            news: BTreeMap::new(),
            serial: 0,
        }
    }

    pub(crate) fn time(&self) -> Time {
        Time::since_origin(self.now)
    }

    pub(crate) fn acquire(&mut self, key: K, timeout: Duration) -> Result<WaiterId, SendError> {
        let options = AcquireOptions::default().with_timeout(Some(timeout));
        self.sessions.acquire(&key, &options)
    }

    /// Goes on until `at`.
    pub(crate) fn run_until(&mut self, at: Duration) {
        loop {
            self.settle();
            let next_news = self.news.first_key_value().map(|((at, _), _)| *at);
            let deadline = self.sessions.poll_timeout().map(Time::elapsed);
            let next = [next_news, deadline].into_iter().flatten().min();
            match next.filter(|next| *next <= at) {
                None => break,
                Some(next) => self.now = self.now.max(next),
            }
            let due = self.news.split_off(&(self.now + Duration::from_nanos(1), 0));
            for (_, news) in core::mem::replace(&mut self.news, due) {
                self.tell(news);
            }
            self.sessions.handle_timeout(self.time());
        }
        self.now = self.now.max(at);
    }

    /// Goes on for this long.
    pub(crate) fn run_for(&mut self, time: Duration) {
        self.run_until(self.now + time);
    }

    /// Does what the pool asks for, at the present time.
    pub(crate) fn settle(&mut self) {
        while let Some(action) = self.sessions.poll_action(self.time()) {
            match action {
                PoolAction::Connect { attempt, key } => self.connect(attempt, key),
                PoolAction::Abandon { attempt } => {
                    self.abandoned += 1;
                    self.given_up.insert(attempt);
                    if let Some(time) = self.closing {
                        self.later(time, News::Abandoned(attempt));
                    }
                }
                PoolAction::DiscardAttempt { attempt } => {
                    assert!(self.given_up.contains(&attempt));
                    self.discarded += 1;
                }
                PoolAction::Close { session } => {
                    self.deleted += 1;
                    if let Some(time) = self.closing {
                        self.later(time, News::Closed(session));
                    }
                }
                PoolAction::Discard { session } => {
                    self.discarded += 1;
                    self.open.remove(&session);
                }
            }
        }
        while let Some(event) = self.sessions.poll_event() {
            let (waiter, result, waited) = match event {
                PoolEvent::Ready { waiter, lease, waited } => (waiter, Ok(lease), waited),
                PoolEvent::Failed { waiter, error } => (waiter, Err(error), Duration::ZERO),
                other => panic!("{other:?}"),
            };
            let at = self.now;
            let before = self.outcomes.insert(waiter, Outcome { at, result, waited });
            assert!(before.is_none(), "{waiter:?} has heard twice");
        }
    }

    fn connect(&mut self, attempt: AttemptId, key: K) {
        let behaviour = self.special.get(&key).unwrap_or(&self.behaviour).clone();
        *self.handshakes.entry(key).or_default() += 1;
        match behaviour {
            Behaviour::Answers(time) => {
                self.later(Duration::ZERO, News::Dialed(attempt));
                self.later(time, News::Connected(attempt));
            }
            Behaviour::Mute => self.later(Duration::ZERO, News::Dialed(attempt)),
            Behaviour::Refuses(time) => self.later(time, News::Refused(attempt)),
            Behaviour::Rejects(time) => {
                self.later(Duration::ZERO, News::Dialed(attempt));
                self.later(time, News::Refused(attempt));
            }
        }
    }

    fn later(&mut self, time: Duration, news: News) {
        self.serial += 1;
        self.news.insert((self.now + time, self.serial), news);
    }

    fn tell(&mut self, news: News) {
        let now = self.time();
        match news {
            News::Dialed(attempt) => self.sessions.dialed(now, attempt),
            News::Connected(attempt) => match self.sessions.connected(now, attempt) {
                Some(session) => {
                    assert!(!self.given_up.contains(&attempt));
                    self.open.insert(session);
                    self.most_open = self.most_open.max(self.open.len());
                }
                None => assert!(self.given_up.contains(&attempt)),
            },
            News::Refused(attempt) => self.sessions.failed(attempt, &refused()),
            News::Abandoned(attempt) => self.sessions.abandoned(attempt),
            News::Closed(session) => {
                self.open.remove(&session);
                self.sessions.closed(session);
            }
        }
    }

    /// The session that a caller has been given.
    pub(crate) fn lease(&mut self, waiter: WaiterId) -> Lease {
        self.outcomes
            .remove(&waiter)
            .expect("an outcome")
            .result
            .expect("a session")
    }

    /// The time at which a caller failed, and why.
    pub(crate) fn failure(&mut self, waiter: WaiterId) -> (Duration, CallError) {
        let outcome = self.outcomes.remove(&waiter).expect("an outcome");
        (outcome.at, outcome.result.expect_err("an error"))
    }

    /// The connection of a session ends by itself.
    pub(crate) fn kill(&mut self, session: PooledSession) {
        self.sessions.lost(session);
    }

    pub(crate) fn total_handshakes(&self) -> usize {
        self.handshakes.values().sum()
    }
}

pub(crate) fn refused() -> CallError {
    CallError::Unreachable("connection refused".into())
}
