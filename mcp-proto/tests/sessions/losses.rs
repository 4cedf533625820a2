//! H: sessions that are lost.

use mcp_proto::rpc::CallError;
use mcp_proto::sessions::{AcquireOptions, Lease, Life, SessionsConfig};

use super::world::{Behaviour, Key, World, ms, refused};

fn ready(world: &mut World<Key>) -> Lease {
    let waiter = world.acquire("server", ms(1_000)).unwrap();
    world.run_for(ms(20));
    world.lease(waiter)
}

#[test]
fn h1_fifty_who_lose_their_session_have_another_after_one_handshake() {
    let mut world = World::new(SessionsConfig::default());
    let waiters: Vec<_> = (0..50).map(|_| world.acquire("server", ms(1_000)).unwrap()).collect();
    world.run_for(ms(20));
    let leases: Vec<_> = waiters.into_iter().map(|waiter| world.lease(waiter)).collect();
    // The first comes to know at once, the others while its session is created again, or after that.
    let mut again = Vec::new();
    for (n, lease) in leases.into_iter().enumerate() {
        if n % 10 == 1 {
            world.run_for(ms(4));
        }
        again.push(
            world
                .sessions
                .replace(&"server", lease, &AcquireOptions::default())
                .unwrap(),
        );
    }
    world.run_for(ms(100));
    assert_eq!((world.handshakes["server"], world.sessions.counters().lost), (2, 1));
    assert_eq!((world.open.len(), world.sessions.len()), (1, 1));
    let leases: Vec<_> = again.into_iter().map(|waiter| world.lease(waiter)).collect();
    assert!(
        leases
            .iter()
            .all(|lease| lease.is_replacement() && lease.session() == leases[0].session())
    );
}

#[test]
fn h2_a_session_that_is_lost_again_is_an_error_after_one_retry() {
    let mut world = World::new(SessionsConfig::default());
    let lease = ready(&mut world);
    let waiter = world
        .sessions
        .replace(&"server", lease, &AcquireOptions::default())
        .unwrap();
    world.run_for(ms(20));
    let lease = world.lease(waiter);
    let again = world.sessions.replace(&"server", lease, &AcquireOptions::default());
    assert_eq!(again, Err(CallError::SessionLost));
    world.run_for(ms(10_000));
    assert_eq!(world.handshakes["server"], 2, "no loop");
    // For another caller it is a loss like any other.
    let lease = ready(&mut world);
    assert!(!lease.is_replacement());
}

#[test]
fn h3_a_server_that_was_down_is_reached_again() {
    let mut world = World::new(SessionsConfig::default());
    let lease = ready(&mut world);
    world.behaviour = Behaviour::Refuses(ms(1));
    world.kill(lease.session());
    world.sessions.release(lease);
    for _ in 0..3 {
        let waiter = world.acquire("server", ms(10_000)).unwrap();
        let began = world.now;
        world.run_for(ms(1_000));
        assert_eq!(world.failure(waiter), (began + ms(1), refused()));
    }
    world.behaviour = Behaviour::Answers(ms(1));
    let _kept = ready(&mut world);
}

#[test]
fn h4_a_session_whose_process_ended_is_created_again_for_the_next_caller_and_not_before() {
    let mut world = World::new(SessionsConfig::default());
    let lease = ready(&mut world);
    let session = lease.session();
    world.kill(session);
    assert_eq!(world.sessions.life(&"server"), Life::Lost);
    assert!(world.sessions.lease(&"server").is_none());
    world.run_for(ms(5_000));
    assert_eq!(
        (world.handshakes["server"], world.sessions.life(&"server")),
        (1, Life::Absent)
    );
    let next = ready(&mut world);
    assert_ne!(next.session(), session);
    assert_eq!(world.handshakes["server"], 2);
    // What the old one's callers give back does not touch the new one.
    world.sessions.release(lease);
    assert_eq!(world.sessions.life(&"server"), Life::Ready);
}

#[test]
fn h5_nobody_gets_another_session_without_asking() {
    let mut world = World::new(SessionsConfig::default());
    let lease = ready(&mut world);
    world.kill(lease.session());
    world.run_for(ms(100));
    // Its call may have been processed: it gives the session back, and nothing is created.
    world.sessions.release(lease);
    world.run_for(ms(1_000));
    assert_eq!(world.handshakes["server"], 1);
}

#[test]
fn what_was_waited_before_is_a_part_of_the_time_of_the_caller() {
    let mut world = World::new(SessionsConfig::default());
    let lease = ready(&mut world);
    world.behaviour = Behaviour::Mute;
    let began = world.now;
    let options = AcquireOptions::default()
        .with_timeout(Some(ms(500)))
        .with_waited(ms(350));
    let waiter = world.sessions.replace(&"server", lease, &options).unwrap();
    world.run_for(ms(1_000));
    let (at, error) = world.failure(waiter);
    assert_eq!(at, began + ms(150));
    assert!(matches!(error, CallError::Timeout { after, .. } if after == ms(500)));
}
