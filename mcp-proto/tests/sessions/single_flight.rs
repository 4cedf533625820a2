//! C: however many want a session, it is created once.

use mcp_proto::sessions::SessionsConfig;

use super::world::{Behaviour, World, ms};

#[test]
fn c1_any_number_of_first_callers_make_one_handshake() {
    for callers in [1, 10, 100, 1_000] {
        let mut world = World::new(SessionsConfig::default());
        let waiters: Vec<_> = (0..callers)
            .map(|_| world.acquire("weather", ms(1_000)).unwrap())
            .collect();
        world.run_for(ms(100));
        assert_eq!(world.handshakes["weather"], 1, "{callers}");
        let leases: Vec<_> = waiters
            .iter()
            .map(|waiter| {
                assert_eq!(world.outcomes[waiter].at, ms(10));
                assert_eq!(world.outcomes[waiter].waited, ms(10));
                world.lease(*waiter)
            })
            .collect();
        assert!(leases.windows(2).all(|pair| pair[0].session() == pair[1].session()));
    }
}

#[test]
fn c2_two_keys_have_a_session_each_and_neither_waits_for_the_other() {
    let mut world = World::new(SessionsConfig::default());
    world.special.insert("slow", Behaviour::Answers(ms(900)));
    let slow: Vec<_> = (0..50).map(|_| world.acquire("slow", ms(1_000)).unwrap()).collect();
    let fast: Vec<_> = (0..50).map(|_| world.acquire("fast", ms(1_000)).unwrap()).collect();
    world.run_for(ms(1_000));
    assert_eq!((world.handshakes["slow"], world.handshakes["fast"]), (1, 1));
    assert!(fast.iter().all(|waiter| world.outcomes[waiter].at == ms(10)));
    assert!(slow.iter().all(|waiter| world.outcomes[waiter].at == ms(900)));
    let (one, other) = (world.lease(slow[0]), world.lease(fast[0]));
    assert_ne!(one.session(), other.session());
}

#[test]
fn c3_a_key_made_anew_for_each_request_finds_the_same_session() {
    let mut world = World::<String>::new(SessionsConfig::default());
    for _ in 0..30 {
        let key = format!("{}/{}", "http://localhost/mcp", 7);
        let waiter = world.acquire(key, ms(1_000)).unwrap();
        world.run_for(ms(20));
        let lease = world.lease(waiter);
        world.sessions.release(lease);
    }
    assert_eq!((world.total_handshakes(), world.deleted), (1, 0));
}
