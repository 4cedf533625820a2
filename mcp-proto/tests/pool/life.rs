//! I: what is kept, and what is left in the end.

use std::sync::atomic::Ordering;

use mcp_proto::rpc::{CallError, CloseReason, SendError};
use mcp_proto::sessions::{Life, SessionsConfig};

use super::MODES;
use super::world::{World, ms};

#[test]
fn i1_a_thousand_keys_and_room_for_a_hundred() {
    let config = SessionsConfig::default().with_sessions(100);
    let mut world = World::new(MODES[0], config);
    let mut most = 0;
    for n in 0..1_000 {
        let call = world
            .executor
            .spawn(world.sessions.session(format!("{n}")).call_tool("echo", ()));
        world.executor.run_for(ms(20));
        assert!(call.expect().1.is_ok());
        most = most.max(world.open());
    }
    assert_eq!((most, world.open(), world.sessions.len()), (100, 100, 100));
    assert_eq!(world.sessions.counters().evicted, 900);
}

#[test]
fn where_all_are_in_use_another_is_an_error_at_once() {
    let config = SessionsConfig::default().with_sessions(8);
    let mut world = World::new(MODES[0], config);
    let call = |world: &mut World, n: usize, tool: &str| {
        let call = world.sessions.session(format!("{n}")).call_tool(tool, ());
        world.executor.spawn(call)
    };
    let busy: Vec<_> = (0..8).map(|n| call(&mut world, n, "slow")).collect();
    let ninth = call(&mut world, 9, "slow");
    world.executor.run_for(ms(0));
    let full = CallError::Refused(SendError::TooManySessions);
    assert_eq!(ninth.expect().1.unwrap_err(), full);
    // The calls of those that are there go on, also new ones.
    let more = call(&mut world, 3, "echo");
    world.executor.run_for(ms(3_000));
    assert!(busy.into_iter().chain([more]).all(|call| call.expect().1.is_ok()));
    let late = call(&mut world, 9, "echo");
    world.executor.run_for(ms(100));
    assert!(late.expect().1.is_ok());
}

#[test]
fn a_session_that_is_idle_is_closed_and_one_that_is_lent_is_not() {
    let config = SessionsConfig::default().with_idle(Some(ms(1_000)));
    let mut world = World::new(MODES[0], config);
    let session = world.session();
    let loan = world.executor.spawn(async move { session.client().await });
    world.executor.run_for(ms(10_000));
    let loan = loan.expect().1.unwrap();
    assert_eq!(world.sessions.life("server"), Life::Ready);
    drop(loan);
    world.executor.run_for(ms(2_000));
    assert_eq!((world.sessions.life("server"), world.open()), (Life::Absent, 0));
}

#[test]
fn i2_with_the_last_handle_everything_is_closed() {
    for mode in MODES {
        let mut world = World::new(mode, SessionsConfig::default());
        let session = world.session();
        let call = world.executor.spawn(session.call_tool("slow", ()));
        world.executor.run_for(ms(100));
        let World {
            mut executor,
            network,
            sessions,
            own,
            ..
        } = world;
        own.lock().unwrap().take();
        drop((sessions, session));
        // A call in flight is a handle as well.
        executor.run_for(ms(5_000));
        assert!(call.expect().1.is_ok());
        assert_eq!(network.open.load(Ordering::SeqCst), 0, "{mode:?}");
        assert_eq!(executor.running(), 0, "the driver is done");
    }
}

#[test]
fn i3_closing_the_pool_closes_all_and_ends_who_waits() {
    let mut world = World::new(MODES[0], SessionsConfig::default());
    let slow = world.executor.spawn(world.session().call_tool("slow", ()));
    world.executor.run_for(ms(100));
    world.change(|fate| fate.deaf = true);
    let waiting = world
        .executor
        .spawn(world.sessions.session("other").call_tool("echo", ()));
    world.executor.run_for(ms(100));
    let sessions = world.sessions.clone();
    let close = world.executor.spawn(async move { sessions.close().await });
    world.executor.run_for(ms(100));
    assert_eq!(close.expect().0, ms(200), "nothing holds it up");
    for call in [slow, waiting] {
        assert_eq!(call.expect().1.unwrap_err(), CallError::Closed(CloseReason::Local));
    }
    assert_eq!((world.open(), world.sessions.len()), (0, 0));
    let late = world.executor.spawn(world.session().call_tool("echo", ()));
    world.executor.run_for(ms(1));
    assert_eq!(late.expect().1.unwrap_err(), CallError::Closed(CloseReason::Local));
}

#[test]
fn e2_handles_do_nothing_by_themselves() {
    let mut world = World::new(MODES[0], SessionsConfig::default());
    for n in 0..100 {
        let session = world.sessions.session(format!("{n}"));
        let call = session.call_tool("echo", ()).idempotent();
        assert!(!format!("{session:?} {call:?} {:?}", world.sessions).contains("token"));
        drop((call, session.clone(), session.notifications()));
    }
    world.executor.run_for(ms(1_000));
    assert_eq!(
        (
            world.connects("0"),
            world.sessions.len(),
            world.sessions.counters().attempts
        ),
        (0, 0, 0)
    );
}
