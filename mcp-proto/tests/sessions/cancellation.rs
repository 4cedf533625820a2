//! G: callers that vanish.

use mcp_proto::sessions::{Life, SessionsConfig, Unwanted};

use super::world::{Behaviour, World, ms};

#[test]
fn g1_the_caller_that_began_it_vanishes_and_the_others_have_their_session() {
    let mut world = World::new(SessionsConfig::default());
    world.behaviour = Behaviour::Answers(ms(2_000));
    let first = world.acquire("slow", ms(5_000)).unwrap();
    let others: Vec<_> = (0..3).map(|_| world.acquire("slow", ms(5_000)).unwrap()).collect();
    world.run_for(ms(200));
    world.sessions.abandon(first);
    world.run_for(ms(3_000));
    assert!(!world.outcomes.contains_key(&first));
    for waiter in others {
        assert_eq!(world.outcomes[&waiter].at, ms(2_000));
    }
    assert_eq!((world.handshakes["slow"], world.abandoned), (1, 0));
}

#[test]
fn g2_all_vanish_and_the_attempt_is_given_up_unless_it_is_to_be_kept() {
    for unwanted in [Unwanted::Abandon, Unwanted::Keep] {
        let config = SessionsConfig::default().with_unwanted(unwanted);
        let mut world = World::new(config);
        world.behaviour = Behaviour::Answers(ms(2_000));
        let waiters: Vec<_> = (0..3).map(|_| world.acquire("slow", ms(5_000)).unwrap()).collect();
        world.run_for(ms(200));
        for waiter in waiters {
            world.sessions.abandon(waiter);
        }
        world.run_for(ms(2_000));
        let kept = unwanted == Unwanted::Keep;
        let life = if kept { Life::Ready } else { Life::Absent };
        assert_eq!(world.sessions.life(&"slow"), life);
        assert_eq!(
            (world.abandoned, world.open.len()),
            (usize::from(!kept), usize::from(kept))
        );
        assert_eq!(
            world.sessions.counters().late,
            u64::from(!kept),
            "the answer that came too late"
        );
    }
}

#[test]
fn an_attempt_that_the_world_never_heard_of_is_not_begun() {
    let mut world = World::new(SessionsConfig::default());
    let waiter = world.acquire("server", ms(1_000)).unwrap();
    world.sessions.abandon(waiter);
    world.run_for(ms(1_000));
    assert_eq!((world.total_handshakes(), world.abandoned), (0, 0));
}

#[test]
fn a_session_for_a_caller_that_vanished_meanwhile_is_given_back() {
    let mut world = World::new(SessionsConfig::default().with_sessions(1));
    let waiter = world.acquire("one", ms(1_000)).unwrap();
    let now = world.time();
    let Some(mcp_proto::sessions::PoolAction::Connect { attempt, .. }) = world.sessions.poll_action(now) else {
        panic!()
    };
    assert!(world.sessions.connected(now, attempt).is_some());
    world.sessions.abandon(waiter);
    assert!(world.sessions.poll_event().is_none());
    // Nothing uses it: there is room for another.
    assert!(world.acquire("two", ms(1_000)).is_ok());
}
