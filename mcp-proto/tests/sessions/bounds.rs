//! I: nothing is kept for ever, and nothing grows without bound.

use std::collections::BTreeMap;
use std::time::Duration;

use mcp_proto::Time;
use mcp_proto::rpc::{CallError, CloseReason, SendError};
use mcp_proto::sessions::{AcquireOptions, Life, PoolAction, PoolEvent, SessionPool, SessionsConfig};

use super::world::{Behaviour, World, ms};

#[test]
fn i1_a_thousand_keys_and_room_for_a_hundred() {
    let config = SessionsConfig::default().with_sessions(100);
    let mut world = World::<String>::new(config);
    world.closing = Some(ms(0));
    for n in 0..1_000 {
        let waiter = world.acquire(format!("conversation {n}"), ms(1_000)).unwrap();
        world.run_for(ms(20));
        let lease = world.lease(waiter);
        world.sessions.release(lease);
        assert!(world.sessions.len() <= 100);
    }
    assert_eq!((world.sessions.len(), world.open.len(), world.deleted), (100, 100, 900));
    assert!(world.most_open <= 100, "{}", world.most_open);
    assert_eq!(world.sessions.counters().evicted, 900);
    // Those that were used last are the ones that are left.
    assert_eq!(world.sessions.life(&"conversation 900".into()), Life::Ready);
    assert_eq!(world.sessions.life(&"conversation 899".into()), Life::Absent);
    // And when nobody wants them any more, they go as well.
    world.run_for(2 * SessionsConfig::default().idle.unwrap());
    assert_eq!((world.sessions.len(), world.open.len(), world.deleted), (0, 0, 1_000));
    assert_eq!(world.sessions.counters().expired, 100);
}

#[test]
fn the_least_recently_used_goes_first_and_never_one_that_is_in_use() {
    let config = SessionsConfig::default().with_sessions(3);
    let mut world = World::new(config);
    let leases: Vec<_> = ["a", "b", "c"]
        .map(|key| world.acquire(key, ms(1_000)).unwrap())
        .into_iter()
        .map(|waiter| {
            world.run_for(ms(20));
            world.lease(waiter)
        })
        .collect();
    assert_eq!(world.acquire("d", ms(1_000)), Err(SendError::TooManySessions));
    assert_eq!(world.total_handshakes(), 3, "refused at once");
    for lease in leases.into_iter().rev() {
        world.sessions.release(lease);
    }
    // Given back in the order c, b, a: c is the oldest, until it is used again.
    let again = world.sessions.lease(&"c").unwrap();
    world.acquire("d", ms(1_000)).unwrap();
    assert_eq!(
        ["a", "b", "c"].map(|key| world.sessions.life(&key)),
        [Life::Ready, Life::Closing, Life::Ready]
    );
    world.sessions.release(again);
}

#[test]
fn a_session_that_is_looked_at_is_not_used() {
    let mut world = World::new(SessionsConfig::default().with_sessions(2));
    assert_eq!(world.sessions.session(&"a"), None);
    for key in ["a", "b"] {
        let waiter = world.acquire(key, ms(1_000)).unwrap();
        world.run_for(ms(20));
        let lease = world.lease(waiter);
        assert_eq!(world.sessions.session(&key), Some(lease.session()));
        world.sessions.release(lease);
    }
    assert!(world.sessions.session(&"a").is_some());
    world.acquire("c", ms(1_000)).unwrap();
    assert_eq!(world.sessions.life(&"a"), Life::Closing, "it was used least recently");
    assert_eq!(world.sessions.session(&"a"), None);
}

#[test]
fn an_idle_session_is_closed_after_its_time_and_one_in_use_never_is() {
    let config = SessionsConfig::default().with_idle(Some(ms(1_000)));
    let mut world = World::new(config);
    let waiter = world.acquire("server", ms(1_000)).unwrap();
    world.run_for(ms(10_000));
    let lease = world.lease(waiter);
    assert_eq!(world.sessions.life(&"server"), Life::Ready);
    world.sessions.release(lease);
    world.run_for(ms(999));
    assert_eq!(world.sessions.life(&"server"), Life::Ready);
    world.run_for(ms(1_001));
    assert_eq!((world.sessions.life(&"server"), world.deleted), (Life::Absent, 1));
}

#[test]
fn too_many_waiters_are_an_error_at_once() {
    let config = SessionsConfig::default().with_waiters(2);
    let mut world = World::new(config);
    world.behaviour = Behaviour::Mute;
    let first = world.acquire("server", ms(1_000)).unwrap();
    world.acquire("server", ms(1_000)).unwrap();
    assert_eq!(world.acquire("server", ms(1_000)), Err(SendError::TooManyCalls));
    world.sessions.abandon(first);
    assert!(world.acquire("server", ms(1_000)).is_ok());
}

#[test]
fn a_session_that_does_not_close_is_dropped_and_none_of_them_pile_up() {
    let config = SessionsConfig::default().with_sessions(2).with_close(ms(1_000));
    let mut world = World::<usize>::new(config);
    world.closing = None;
    for n in 0..10 {
        let waiter = world.acquire(n, ms(1_000)).unwrap();
        world.run_for(ms(20));
        let lease = world.lease(waiter);
        world.sessions.release(lease);
    }
    assert!(world.open.len() <= 2 + 2, "{}", world.open.len());
    world.run_for(ms(1_000));
    assert_eq!((world.open.len(), world.discarded), (2, 8));
}

#[test]
fn of_too_many_that_are_being_closed_the_one_goes_that_has_had_the_most_time() {
    let config = SessionsConfig::default().with_sessions(3);
    let mut world = World::new(config);
    world.closing = None;
    let mut session = BTreeMap::new();
    for key in ["long-lived", "a", "b"] {
        let waiter = world.acquire(key, ms(1_000)).unwrap();
        world.run_for(ms(20));
        let lease = world.lease(waiter);
        session.insert(key, lease.session());
        world.sessions.release(lease);
    }
    for key in ["a", "b", "long-lived", "a"] {
        if world.sessions.life(&key) != Life::Ready {
            let waiter = world.acquire(key, ms(1_000)).unwrap();
            world.run_for(ms(20));
            let lease = world.lease(waiter);
            world.sessions.release(lease);
        }
        world.sessions.evict(&key);
        world.run_for(ms(20));
    }
    assert_eq!(world.discarded, 1);
    assert!(world.open.contains(&session["long-lived"]) && !world.open.contains(&session["a"]));
}

#[test]
fn what_a_creation_that_was_given_up_has_opened_is_closed_in_bounded_time_and_number() {
    let config = SessionsConfig::default().with_sessions(2).with_close(ms(1_000));
    let mut world = World::<usize>::new(config);
    world.behaviour = Behaviour::Mute;
    world.closing = None;
    for n in 0..10 {
        let waiter = world.acquire(n, ms(5_000)).unwrap();
        world.run_for(ms(20));
        world.sessions.abandon(waiter);
        world.settle();
        // The key is vacant at once: what is left is nobody's business but the pool's.
        assert_eq!((world.sessions.life(&n), world.sessions.len()), (Life::Closing, 0));
    }
    assert_eq!((world.abandoned, world.discarded), (10, 8));
    world.run_for(ms(1_000));
    assert_eq!((world.discarded, world.sessions.counters().discarded), (10, 10));
    assert_eq!(
        (world.sessions.life(&9), world.sessions.poll_timeout()),
        (Life::Absent, None)
    );
    // What says that it is done is forgotten at once.
    world.closing = Some(ms(10));
    let waiter = world.acquire(0, ms(50)).unwrap();
    world.run_for(ms(55));
    assert!(matches!(world.failure(waiter).1, CallError::Timeout { .. }));
    assert_eq!(world.sessions.life(&0), Life::Closing);
    world.run_for(ms(10));
    assert_eq!(
        (world.sessions.life(&0), world.sessions.poll_timeout()),
        (Life::Absent, None)
    );
    assert_eq!(world.discarded, 10);
}

#[test]
fn who_wants_what_was_given_up_begins_anew_beside_it() {
    let mut world = World::new(SessionsConfig::default());
    world.behaviour = Behaviour::Answers(ms(500));
    world.closing = Some(ms(400));
    let first = world.acquire("server", ms(5_000)).unwrap();
    world.run_for(ms(400));
    world.sessions.abandon(first);
    world.settle();
    let second = world.acquire("server", ms(5_000)).unwrap();
    world.run_for(ms(600));
    assert_eq!(world.outcomes[&second].at, ms(900));
    assert_eq!(
        (world.handshakes["server"], world.abandoned, world.discarded),
        (2, 1, 0)
    );
    assert_eq!(world.sessions.life(&"server"), Life::Ready);
}

#[test]
fn closing_the_pool_ends_everything_within_the_time_to_close() {
    let mut world = World::new(SessionsConfig::default());
    world.special.insert("mute", Behaviour::Mute);
    world.closing = None;
    let waiting = world.acquire("mute", ms(60_000)).unwrap();
    let ready = world.acquire("server", ms(60_000)).unwrap();
    world.run_for(ms(100));
    let lease = world.lease(ready);
    world.sessions.close(CloseReason::Local);
    assert_eq!(
        world.acquire("server", ms(1)),
        Err(SendError::Closed(CloseReason::Local))
    );
    assert!(world.sessions.lease(&"server").is_none());
    world.run_for(ms(4_000));
    assert_eq!(world.failure(waiting).1, CallError::Closed(CloseReason::Local));
    assert!(!world.sessions.is_finished());
    world.run_for(ms(1_000));
    assert!(world.sessions.is_finished());
    assert_eq!(
        (world.open.len(), world.abandoned, world.deleted, world.discarded),
        (0, 1, 1, 2)
    );
    assert_eq!(world.sessions.poll_timeout(), None);
    world.sessions.release(lease);
}

#[test]
fn who_has_all_the_time_there_is_has_spent_what_the_session_took() {
    let mut world = World::new(SessionsConfig::default());
    world.run_for(ms(3 * 60 * 60 * 1_000));
    let waiter = world.acquire("a", Duration::MAX).unwrap();
    world.run_for(ms(20));
    let outcome = &world.outcomes[&waiter];
    assert_eq!(outcome.waited, ms(10));
}

#[test]
fn a_session_that_is_not_to_be_kept_keeps_nobody_busy_while_it_is_in_use() {
    let config = SessionsConfig::default().with_idle(Some(ms(0)));
    let mut sessions = SessionPool::new(config);
    let now = Time::since_origin(ms(1));
    sessions.acquire(&"a", &AcquireOptions::default()).unwrap();
    let Some(PoolAction::Connect { attempt, .. }) = sessions.poll_action(now) else {
        panic!("nothing to connect")
    };
    sessions.connected(now, attempt).unwrap();
    let Some(PoolEvent::Ready { lease, .. }) = sessions.poll_event() else {
        panic!("nobody is served")
    };
    for _ in 0..3 {
        sessions.handle_timeout(now);
    }
    assert!(
        sessions.poll_timeout().unwrap() > now,
        "nothing is to be done at present"
    );
    sessions.release(lease);
    for _ in 0..2 {
        let next = sessions.poll_timeout().unwrap();
        assert!(next.since(now) <= ms(200));
        sessions.handle_timeout(next);
    }
    assert_eq!(sessions.life(&"a"), Life::Closing);
}
