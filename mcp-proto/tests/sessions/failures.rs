//! F: servers that hang or refuse.

use std::time::Duration;

use mcp_proto::rpc::{CallError, Phase};
use mcp_proto::sessions::{AttemptTimeouts, Life, SessionsConfig};

use super::world::{Behaviour, World, ms, refused};

#[test]
fn f1_each_waiter_of_a_mute_server_has_its_own_deadline_and_there_is_one_handshake() {
    let mut world = World::new(SessionsConfig::default());
    world.behaviour = Behaviour::Mute;
    let patient: Vec<_> = (0..19).map(|_| world.acquire("mute", ms(2_000)).unwrap()).collect();
    let hasty = world.acquire("mute", ms(500)).unwrap();
    world.run_for(ms(3_000));

    let timeout = |after| CallError::Timeout {
        phase: Phase::Initialize,
        after,
    };
    assert_eq!(world.failure(hasty), (ms(500), timeout(ms(500))));
    for waiter in patient {
        assert_eq!(world.failure(waiter), (ms(2_000), timeout(ms(2_000))));
    }
    assert_eq!((world.handshakes["mute"], world.abandoned), (1, 1));

    // It is healthy again: the next caller has its session at once.
    world.behaviour = Behaviour::Answers(ms(1));
    let retry = world.acquire("mute", ms(2_000)).unwrap();
    world.run_for(ms(10));
    assert_eq!(world.outcomes[&retry].at, ms(3_001));
    assert!(world.outcomes[&retry].result.is_ok());
    assert_eq!(world.handshakes["mute"], 2);
}

#[test]
fn f2_a_hundred_waiters_on_a_mute_server_hold_up_nobody_else() {
    let mut world = World::new(SessionsConfig::default());
    world.special.insert("mute", Behaviour::Mute);
    for _ in 0..100 {
        world.acquire("mute", ms(60_000)).unwrap();
    }
    world.run_for(ms(100));
    let healthy = world.acquire("healthy", ms(60_000)).unwrap();
    world.run_for(ms(100));
    assert_eq!(world.outcomes[&healthy].waited, ms(10));
}

#[test]
fn f3_a_refusal_reaches_all_who_wait_at_once_and_leaves_the_key_vacant() {
    let mut world = World::new(SessionsConfig::default());
    world.behaviour = Behaviour::Refuses(ms(5));
    let waiters: Vec<_> = (0..20).map(|_| world.acquire("down", ms(60_000)).unwrap()).collect();
    world.run_for(ms(100));
    for waiter in waiters {
        assert_eq!(world.failure(waiter), (ms(5), refused()));
    }
    assert_eq!(world.sessions.life(&"down"), Life::Absent);
    assert_eq!(world.handshakes["down"], 1);
}

#[test]
fn the_parts_of_an_attempt_have_deadlines_of_their_own_that_never_add_to_the_callers() {
    let attempt = AttemptTimeouts::default().with_connect(ms(300)).with_handshake(ms(700));
    let config = SessionsConfig::default().with_attempt(attempt);
    let failure_of = |behaviour: Behaviour, timeout: Duration| {
        let mut world = World::new(config.clone());
        world.behaviour = behaviour;
        let waiter = world.acquire("server", timeout).unwrap();
        world.run_for(ms(10_000));
        assert_eq!((world.abandoned, world.sessions.len()), (1, 0));
        world.failure(waiter)
    };
    let timeout = |phase, after| CallError::Timeout { phase, after };
    let silent = Behaviour::Refuses(Duration::MAX / 4);
    assert_eq!(
        failure_of(silent.clone(), ms(5_000)),
        (ms(300), timeout(Phase::Connect, ms(300)))
    );
    assert_eq!(failure_of(silent, ms(100)), (ms(100), timeout(Phase::Connect, ms(100))));
    assert_eq!(
        failure_of(Behaviour::Mute, ms(5_000)),
        (ms(700), timeout(Phase::Initialize, ms(700)))
    );
    assert_eq!(
        failure_of(Behaviour::Mute, ms(400)),
        (ms(400), timeout(Phase::Initialize, ms(400)))
    );
}

#[test]
fn an_attempt_may_have_deadlines_of_its_own() {
    let mut world = World::new(SessionsConfig::default());
    let waiter = world.acquire("server", ms(60_000)).unwrap();
    let now = world.time();
    let Some(mcp_proto::sessions::PoolAction::Connect { attempt, .. }) = world.sessions.poll_action(now) else {
        panic!()
    };
    let timeouts = AttemptTimeouts::default().with_connect(ms(50)).with_handshake(ms(70));
    world.sessions.set_timeouts(attempt, timeouts);
    world.run_for(ms(40));
    world.sessions.dialed(world.time(), attempt);
    world.run_for(ms(1_000));
    let error = CallError::Timeout {
        phase: Phase::Initialize,
        after: ms(70),
    };
    assert_eq!(world.failure(waiter), (ms(110), error));
}
