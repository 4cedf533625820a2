//! Every state of a key with every thing that can happen: what the pool then says, and that late news changes nothing.

use mcp_proto::Time;
use mcp_proto::rpc::CloseReason;
use mcp_proto::sessions::{
    AcquireOptions, AttemptId, AttemptTimeouts, Lease, Life, PoolAction, PoolEvent, PooledSession, SessionPool,
    SessionsConfig, Unwanted, WaiterId,
};

use super::world::{ms, refused};

const NOW: Time = Time::ORIGIN;
const STATES: [State; 6] = [
    State::Absent,
    State::Connecting,
    State::GivenUp,
    State::Ready,
    State::Lost,
    State::Closing,
];

/// How it stands with the key: a creation that was given up is closing too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Absent,
    Connecting,
    GivenUp,
    Ready,
    Lost,
    Closing,
}

impl State {
    fn life(self) -> Life {
        match self {
            Self::Absent => Life::Absent,
            Self::Connecting => Life::Connecting,
            Self::Ready => Life::Ready,
            Self::Lost => Life::Lost,
            Self::GivenUp | Self::Closing => Life::Closing,
        }
    }
}

/// A pool with one key in one state, and what was handed out on the way there.
struct Case {
    sessions: SessionPool<&'static str>,
    waiter: Option<WaiterId>,
    attempt: AttemptId,
    session: Option<PooledSession>,
    lease: Option<Lease>,
}

impl Case {
    fn new(state: State) -> Self {
        let mut sessions = SessionPool::new(SessionsConfig::default());
        let waiter = sessions.acquire(&"key", &AcquireOptions::default()).unwrap();
        let Some(PoolAction::Connect { attempt, .. }) = sessions.poll_action(NOW) else {
            panic!()
        };
        let mut case = Self {
            sessions,
            waiter: None,
            attempt,
            session: None,
            lease: None,
        };
        match state {
            State::Absent => {
                case.sessions.failed(attempt, &refused());
                assert!(matches!(case.sessions.poll_event(), Some(PoolEvent::Failed { .. })));
            }
            State::Connecting => case.waiter = Some(waiter),
            State::GivenUp => {
                case.sessions.abandon(waiter);
                assert_eq!(case.sessions.poll_action(NOW), Some(PoolAction::Abandon { attempt }));
            }
            State::Ready | State::Lost | State::Closing => {
                case.session = case.sessions.connected(NOW, attempt);
                let Some(PoolEvent::Ready { lease, .. }) = case.sessions.poll_event() else {
                    panic!()
                };
                case.lease = Some(lease);
            }
        }
        match state {
            State::Lost => case.sessions.lost(case.session.unwrap()),
            State::Closing => case.sessions.evict(&"key"),
            _ => {}
        }
        if matches!(state, State::Lost | State::Closing) {
            assert!(matches!(case.sessions.poll_action(NOW), Some(PoolAction::Close { .. })));
        }
        assert_eq!(case.sessions.life(&"key"), state.life());
        assert_eq!(case.sessions.poll_action(NOW), None);
        assert_eq!(case.sessions.poll_event(), None);
        case
    }

    /// What the pool says: its state, the actions and the events by name, and whether it counted late news.
    fn says(mut self) -> (Life, Vec<&'static str>, bool) {
        let mut said = Vec::new();
        while let Some(action) = self.sessions.poll_action(NOW) {
            said.push(match action {
                PoolAction::Connect { .. } => "connect",
                PoolAction::Abandon { .. } => "abandon",
                PoolAction::DiscardAttempt { .. } => "discard attempt",
                PoolAction::Close { .. } => "close",
                PoolAction::Discard { .. } => "discard",
            });
        }
        while let Some(event) = self.sessions.poll_event() {
            said.push(match event {
                PoolEvent::Ready { .. } => "ready",
                PoolEvent::Failed { .. } => "failed",
                _ => "?",
            });
        }
        (self.sessions.life(&"key"), said, self.sessions.counters().late > 0)
    }
}

type Row = (&'static str, fn(&mut Case), [(Life, &'static [&'static str], bool); 6]);

/// Each row is an input, and what comes of it in each of [`STATES`].
#[rustfmt::skip]
const TABLE: [Row; 14] = [
    ("acquire", |case| { let _ = case.sessions.acquire(&"key", &AcquireOptions::default()); }, [
        (Life::Connecting, &["connect"], false), (Life::Connecting, &[], false), (Life::Connecting, &["connect"], false),
        (Life::Ready, &["ready"], false), (Life::Connecting, &["connect"], false), (Life::Connecting, &["connect"], false)]),
    ("the only waiter goes", |case| if let Some(waiter) = case.waiter { case.sessions.abandon(waiter) }, [
        (Life::Absent, &[], false), (Life::Closing, &["abandon"], false), (Life::Closing, &[], false),
        (Life::Ready, &[], false), (Life::Lost, &[], false), (Life::Closing, &[], false)]),
    ("dialed", |case| case.sessions.dialed(NOW, case.attempt), [
        (Life::Absent, &[], true), (Life::Connecting, &[], false), (Life::Closing, &[], true),
        (Life::Ready, &[], true), (Life::Lost, &[], true), (Life::Closing, &[], true)]),
    ("connected", |case| { let _ = case.sessions.connected(NOW, case.attempt); }, [
        (Life::Absent, &[], true), (Life::Ready, &["ready"], false), (Life::Closing, &[], true),
        (Life::Ready, &[], true), (Life::Lost, &[], true), (Life::Closing, &[], true)]),
    ("failed", |case| case.sessions.failed(case.attempt, &refused()), [
        (Life::Absent, &[], true), (Life::Absent, &["failed"], false), (Life::Closing, &[], true),
        (Life::Ready, &[], true), (Life::Lost, &[], true), (Life::Closing, &[], true)]),
    ("dialed and failed", |case| {
        case.sessions.dialed(NOW, case.attempt);
        case.sessions.failed(case.attempt, &refused());
    }, [
        (Life::Absent, &[], true), (Life::Closing, &["abandon", "failed"], false), (Life::Closing, &[], true),
        (Life::Ready, &[], true), (Life::Lost, &[], true), (Life::Closing, &[], true)]),
    ("abandoned", |case| case.sessions.abandoned(case.attempt), [
        (Life::Absent, &[], true), (Life::Connecting, &[], true), (Life::Absent, &[], false),
        (Life::Ready, &[], true), (Life::Lost, &[], true), (Life::Closing, &[], true)]),
    ("lost", |case| if let Some(session) = case.session { case.sessions.lost(session) }, [
        (Life::Absent, &[], false), (Life::Connecting, &[], false), (Life::Closing, &[], false),
        (Life::Lost, &["close"], false), (Life::Lost, &[], false), (Life::Closing, &[], false)]),
    ("closed", |case| if let Some(session) = case.session { case.sessions.closed(session) }, [
        (Life::Absent, &[], false), (Life::Connecting, &[], false), (Life::Closing, &[], false),
        (Life::Absent, &[], false), (Life::Absent, &[], false), (Life::Absent, &[], false)]),
    ("closed twice", |case| if let Some(session) = case.session { (0..2).for_each(|_| case.sessions.closed(session)) }, [
        (Life::Absent, &[], false), (Life::Connecting, &[], false), (Life::Closing, &[], false),
        (Life::Absent, &[], true), (Life::Absent, &[], true), (Life::Absent, &[], true)]),
    ("replaced", |case| if let Some(lease) = case.lease.take() {
        case.sessions.replace(&"key", lease, &AcquireOptions::default()).unwrap();
    }, [
        (Life::Absent, &[], false), (Life::Connecting, &[], false), (Life::Closing, &[], false),
        (Life::Connecting, &["close", "connect"], false), (Life::Connecting, &["connect"], false),
        (Life::Connecting, &["connect"], false)]),
    ("evicted", |case| case.sessions.evict(&"key"), [
        (Life::Absent, &[], false), (Life::Closing, &["abandon", "failed"], false), (Life::Closing, &[], false),
        (Life::Closing, &["close"], false), (Life::Lost, &[], false), (Life::Closing, &[], false)]),
    ("the pool closes", |case| case.sessions.close(CloseReason::Local), [
        (Life::Absent, &[], false), (Life::Closing, &["abandon", "failed"], false), (Life::Closing, &[], false),
        (Life::Closing, &["close"], false), (Life::Lost, &[], false), (Life::Closing, &[], false)]),
    ("an hour passes, and the user has gone", |case| {
        if let Some(lease) = case.lease.take() { case.sessions.release(lease) }
        for _ in 0..3 { case.sessions.handle_timeout(case.sessions.poll_timeout().unwrap_or(NOW) + ms(3_600_000)); }
    }, [
        (Life::Absent, &[], false), (Life::Absent, &["discard attempt", "failed"], false),
        (Life::Absent, &["discard attempt"], false), (Life::Absent, &["discard"], false),
        (Life::Absent, &["discard"], false), (Life::Absent, &["discard"], false)]),
];

#[test]
fn every_state_with_every_input() {
    for (name, input, row) in TABLE {
        for (state, (next, said, is_late)) in STATES.into_iter().zip(row) {
            let mut case = Case::new(state);
            input(&mut case);
            assert_eq!(case.says(), (next, said.to_vec(), is_late), "{state:?} × {name}");
        }
    }
}

/// What is counted of attempts that failed and were abandoned, of sessions that were lost, and of late news, twice each.
#[test]
fn every_end_is_counted_once() {
    let counted = |state: State, input: fn(&mut Case)| {
        let mut case = Case::new(state);
        let before = case.sessions.counters();
        input(&mut case);
        let after = case.sessions.counters();
        [
            after.attempts - before.attempts,
            after.failed - before.failed,
            after.abandoned - before.abandoned,
            after.lost - before.lost,
            after.late - before.late,
        ]
    };
    let failed = |case: &mut Case| case.sessions.failed(case.attempt, &refused());
    let rejected = |case: &mut Case| {
        case.sessions.dialed(NOW, case.attempt);
        case.sessions.failed(case.attempt, &refused());
    };
    let evicted = |case: &mut Case| case.sessions.evict(&"key");
    let lost = |case: &mut Case| case.sessions.lost(case.session.unwrap());
    let closed = |case: &mut Case| case.sessions.closed(case.session.unwrap());
    let closed_and_lost = |case: &mut Case| {
        case.sessions.closed(case.session.unwrap());
        case.sessions.lost(case.session.unwrap());
    };
    let acquired = |case: &mut Case| drop(case.sessions.acquire(&"key", &AcquireOptions::default()));
    for (state, input, expected) in [
        (State::Absent, acquired as fn(&mut Case), [1, 0, 0, 0, 0]),
        (State::Connecting, acquired, [0, 0, 0, 0, 0]),
        (State::Connecting, failed, [0, 1, 0, 0, 0]),
        (State::Connecting, rejected, [0, 1, 0, 0, 0]),
        (State::Connecting, evicted, [0, 0, 1, 0, 0]),
        (State::Ready, failed, [0, 0, 0, 0, 1]),
        (State::Ready, lost, [0, 0, 0, 1, 0]),
        (State::Ready, closed, [0, 0, 0, 1, 0]),
        (State::Closing, lost, [0, 0, 0, 0, 0]),
        (State::Closing, closed, [0, 0, 0, 0, 0]),
        (State::Lost, closed, [0, 0, 0, 0, 0]),
        (State::Closing, closed_and_lost, [0, 0, 0, 0, 1]),
    ] {
        assert_eq!(counted(state, input), expected, "{state:?}");
    }
}

#[test]
fn an_attempt_may_have_deadlines_of_its_own_from_its_connection_on() {
    let mut case = Case::new(State::Connecting);
    assert!(!case.sessions.is_empty() && Case::new(State::Absent).sessions.is_empty());
    let timeouts = AttemptTimeouts::default().with_connect(ms(3)).with_handshake(ms(7));
    case.sessions.set_timeouts(case.attempt, timeouts);
    assert_eq!(case.sessions.poll_action(NOW), None);
    assert_eq!(case.sessions.poll_timeout(), Some(NOW + ms(3)));
    case.sessions.dialed(NOW, case.attempt);
    assert_eq!(case.sessions.poll_timeout(), Some(NOW + ms(7)));
}

#[test]
fn a_pool_is_not_finished_before_the_world_has_heard_everything() {
    let mut case = Case::new(State::Closing);
    case.sessions.close(CloseReason::Local);
    assert!(!case.sessions.is_finished(), "a session is being closed");
    case.sessions.handle_timeout(NOW + ms(3_600_000));
    assert!(!case.sessions.is_finished(), "it is to be dropped");
    assert!(matches!(
        case.sessions.poll_action(NOW),
        Some(PoolAction::Discard { .. })
    ));
    assert!(case.sessions.is_finished());
}

#[test]
fn a_session_that_nobody_has_taken_yet_is_not_the_first_to_make_room() {
    let config = SessionsConfig::default().with_sessions(2).with_unwanted(Unwanted::Keep);
    let mut sessions = SessionPool::new(config);
    let begin = |sessions: &mut SessionPool<&'static str>, key| {
        let waiter = sessions.acquire(&key, &AcquireOptions::default()).unwrap();
        match sessions.poll_action(NOW) {
            Some(PoolAction::Connect { attempt, .. }) => (waiter, attempt),
            other => panic!("{other:?}"),
        }
    };
    let (_, attempt) = begin(&mut sessions, "z");
    sessions.connected(NOW, attempt).unwrap();
    match sessions.poll_event() {
        Some(PoolEvent::Ready { lease, .. }) => sessions.release(lease),
        other => panic!("{other:?}"),
    }
    let (waiter, attempt) = begin(&mut sessions, "a");
    sessions.abandon(waiter);
    sessions.connected(NOW, attempt).unwrap();
    sessions.acquire(&"new", &AcquireOptions::default()).unwrap();
    assert_eq!((sessions.life(&"z"), sessions.life(&"a")), (Life::Closing, Life::Ready));
}
