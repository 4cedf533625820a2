//! What is known of a server outlives its sessions.

use mcp_proto::Revision;
use mcp_proto::client::Prior;
use mcp_proto::sessions::SessionsConfig;

use super::world::{Behaviour, World, ms};

const MODERN: Prior = Prior::new(Revision::LATEST);
const LEGACY: Prior = Prior::new(Revision::LATEST_LEGACY);

/// Has a session created that shows this, and closed again.
fn visit<K: Clone + Ord + core::fmt::Debug>(world: &mut World<K>, key: K, prior: Option<Prior>) {
    let waiter = world.acquire(key.clone(), ms(1_000)).unwrap();
    world.run_for(ms(20));
    let lease = world.lease(waiter);
    world.sessions.learned(lease.session(), prior);
    world.sessions.release(lease);
    world.sessions.evict(&key);
    world.run_for(ms(20));
}

#[test]
fn what_a_session_has_shown_is_known_for_the_next_of_its_key() {
    let mut world = World::new(SessionsConfig::default());
    assert_eq!(world.sessions.prior(&"a"), None);
    visit(&mut world, "a", Some(MODERN));
    assert_eq!(
        (world.sessions.prior(&"a"), world.sessions.prior(&"b")),
        (Some(MODERN), None)
    );
    // Another server has taken its place.
    visit(&mut world, "a", Some(LEGACY));
    assert_eq!(world.sessions.prior(&"a"), Some(LEGACY));
    visit(&mut world, "a", None);
    assert_eq!(world.sessions.prior(&"a"), None);
}

#[test]
fn a_handshake_that_fails_forgets_it_and_a_server_that_is_away_does_not() {
    for (behaviour, is_known) in [
        (Behaviour::Refuses(ms(10)), true),
        (Behaviour::Mute, false),
        (Behaviour::Rejects(ms(10)), false),
    ] {
        let mut world = World::new(SessionsConfig::default());
        visit(&mut world, "a", Some(MODERN));
        world.behaviour = behaviour.clone();
        let waiter = world.acquire("a", ms(60_000)).unwrap();
        world.run_for(ms(60_000));
        world.failure(waiter);
        assert_eq!(world.sessions.prior(&"a").is_some(), is_known, "{behaviour:?}");
    }
}

#[test]
fn of_no_more_keys_is_anything_kept_than_there_may_be_sessions() {
    let config = SessionsConfig::default().with_sessions(3);
    let mut world = World::<usize>::new(config);
    for key in 0..5 {
        visit(&mut world, key, Some(MODERN));
        visit(&mut world, 0, Some(MODERN));
    }
    let known: Vec<_> = (0..5).filter(|key| world.sessions.prior(key).is_some()).collect();
    assert_eq!(known, [0, 3, 4]);
}

#[test]
fn news_of_a_session_that_is_over_is_late() {
    let mut world = World::new(SessionsConfig::default());
    let waiter = world.acquire("a", ms(1_000)).unwrap();
    world.run_for(ms(20));
    let lease = world.lease(waiter);
    let session = lease.session();
    world.sessions.release(lease);
    world.sessions.evict(&"a");
    world.run_for(ms(20));
    world.sessions.learned(session, Some(MODERN));
    assert_eq!((world.sessions.prior(&"a"), world.sessions.counters().late), (None, 1));
}
