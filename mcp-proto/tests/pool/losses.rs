//! H: connections that end.

use std::future::poll_fn;
use std::task::Poll;

use mcp_proto::client::{Incident, Mode};
use mcp_proto::jsonrpc::{ErrorCode, Params};
use mcp_proto::rpc::{CallError, CallOptions, CloseReason};
use mcp_proto::sessions::{Life, SessionsConfig};
use mcp_proto::toolbox::{ToolSource, Toolbox};

use serde_json::json;

use super::MODES;
use super::world::{World, ms};

fn ready(world: &mut World) {
    let ready = world.executor.spawn({
        let session = world.session();
        async move { session.ready().await }
    });
    world.executor.run_for(ms(20));
    assert!(ready.expect().1.is_ok());
}

#[test]
fn h1_fifty_calls_after_the_server_has_gone_make_one_new_session() {
    for mode in MODES {
        let mut world = World::new(mode, SessionsConfig::default());
        ready(&mut world);
        // Nobody has noticed yet: the calls are made in the old session, and were never sent.
        world.kill();
        let calls: Vec<_> = (0..50)
            .map(|_| world.executor.spawn(world.session().call_tool("echo", ())))
            .collect();
        world.executor.run_for(ms(100));
        for call in calls {
            assert!(call.expect().1.is_ok(), "{mode:?}");
        }
        assert_eq!((world.connects("server"), world.open()), (2, 1));
    }
}

#[test]
fn h4_a_call_in_flight_ends_at_once_and_the_next_has_a_new_session() {
    for mode in MODES {
        let mut world = World::new(mode, SessionsConfig::default());
        ready(&mut world);
        let call = world.executor.spawn(world.session().call_tool("slow", ()));
        world.executor.run_for(ms(100));
        world.kill();
        world.executor.run_for(ms(1));
        let (_, outcome) = call.expect();
        assert_eq!(outcome.unwrap_err(), CallError::Closed(CloseReason::Peer), "{mode:?}");
        world.executor.run_for(ms(100));
        assert_eq!(
            (world.connects("server"), world.sessions.life("server")),
            (1, Life::Absent),
            "not before it is needed"
        );
        let next = world.executor.spawn(world.session().call_tool("echo", ()));
        world.executor.run_for(ms(100));
        assert!(next.expect().1.is_ok());
        assert_eq!((world.connects("server"), world.calls()), (2, 1));
    }
}

#[test]
fn h5_what_was_sent_is_sent_again_only_where_that_does_no_harm() {
    for mode in MODES {
        let mut world = World::new(mode, SessionsConfig::default());
        ready(&mut world);
        let harmless = world.executor.spawn(world.session().call_tool("slow", ()).idempotent());
        world.executor.run_for(ms(500));
        world.kill();
        world.executor.run_for(ms(5_000));
        let (at, outcome) = harmless.expect();
        assert_eq!((at, outcome.is_ok()), (ms(20 + 500 + 10 + 2_000), true), "{mode:?}");
        assert_eq!((world.calls(), world.connects("server")), (2, 2));
    }
}

/// Whose it was, that it was lost, and that it is there again.
#[test]
fn a_session_that_is_lost_and_made_again_is_told_with_its_key() {
    for mode in MODES {
        let mut world = World::new(mode, SessionsConfig::default());
        let (mut all, mut own) = (world.sessions.incidents(), world.session().incidents());
        let mut others = world.sessions.session("another").incidents();
        ready(&mut world);
        world.kill();
        world.executor.run_for(ms(100));
        ready(&mut world);
        let mut told = Vec::new();
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        while let Poll::Ready(Some(next)) = all.poll_next(&mut cx) {
            assert_eq!(*next.key, "server");
            told.push(next.incident);
        }
        let [Incident::Disconnected(CloseReason::Peer), Incident::Recreated] = &told[..] else {
            panic!("{mode:?}: {told:?}")
        };
        assert!(matches!(own.poll_next(&mut cx), Poll::Ready(Some(_))));
        assert!(matches!(own.poll_next(&mut cx), Poll::Ready(Some(_))));
        assert!(own.poll_next(&mut cx).is_pending() && others.poll_next(&mut cx).is_pending());
        drop(world);
        assert!(matches!(all.poll_next(&mut cx), Poll::Ready(None)));
        assert!(matches!(own.poll_next(&mut cx), Poll::Ready(None)));
        assert_eq!((all.missed(), own.missed()), (0, 0));
    }
}

#[test]
fn h2_a_call_whose_next_session_is_lost_as_well_is_over() {
    let mut world = World::new(MODES[0], SessionsConfig::default());
    ready(&mut world);
    let call = world.executor.spawn(world.session().call_tool("slow", ()).idempotent());
    for _ in 0..2 {
        world.executor.run_for(ms(100));
        world.kill();
    }
    world.executor.run_for(ms(100));
    assert_eq!(call.expect().1.unwrap_err(), CallError::Closed(CloseReason::Peer));
    assert_eq!(world.connects("server"), 2);
}

#[test]
fn what_the_first_session_took_counts_towards_the_time_of_the_call() {
    for mode in MODES {
        let mut world = World::new(mode, SessionsConfig::default());
        ready(&mut world);
        let call = world.session().call_tool("slow", ()).idempotent().timeout(ms(900));
        let call = world.executor.spawn(call);
        world.executor.run_for(ms(500));
        world.change(|fate| fate.connect = ms(300));
        world.kill();
        world.executor.run_for(ms(5_000));
        let (at, outcome) = call.expect();
        assert!(
            matches!(outcome, Err(CallError::Timeout { after, .. }) if after == ms(900)),
            "{outcome:?}"
        );
        assert_eq!(at, ms(20 + 900), "{mode:?}");
    }
}

#[test]
fn h3_a_server_that_was_down_is_reached_again() {
    let mut world = World::new(MODES[2], SessionsConfig::default());
    ready(&mut world);
    world.change(|fate| fate.refuses = true);
    world.kill();
    for _ in 0..3 {
        let call = world.executor.spawn(world.session().call_tool("echo", ()));
        world.executor.run_for(ms(20));
        assert!(matches!(call.expect().1, Err(CallError::Unreachable(_))));
    }
    world.change(|fate| fate.refuses = false);
    ready(&mut world);
}

#[test]
fn tools_are_listed_again_in_the_next_session() {
    let mut world = World::new(MODES[0], SessionsConfig::default());
    ready(&mut world);
    world.kill();
    let session = world.session();
    let list = world.executor.spawn(async move { session.list_tools().await });
    world.executor.run_for(ms(100));
    assert_eq!(list.expect().1.unwrap().len(), 4);
}

#[test]
fn a_toolbox_over_a_session_outlives_it() {
    for mode in MODES {
        let mut world = World::new(mode, SessionsConfig::default());
        let toolbox = Toolbox::builder().server("server", world.session()).build();
        for round in 1..=3 {
            let toolbox = toolbox.clone();
            let call = world
                .executor
                .spawn(async move { toolbox.call("echo", json!({})).await });
            world.executor.run_for(ms(100));
            assert_eq!(call.expect().1.unwrap().to_text(), "hello", "{mode:?}");
            assert_eq!(world.connects("server"), round);
            world.kill();
        }
    }
}

#[test]
fn notifications_go_on_in_the_next_session_and_make_none() {
    let mut world = World::new(MODES[2], SessionsConfig::default());
    let mut following = world.session().notifications();
    world.executor.run_for(ms(100));
    assert_eq!(world.connects("server"), 0);
    let reader = world.executor.spawn(async move {
        let mut names = Vec::new();
        while let Some(notification) = poll_fn(|cx| following.poll_next(cx)).await {
            names.push(notification.notification.method.as_str().to_owned());
        }
        (names, following.missed())
    });
    for round in 1..=3 {
        ready(&mut world);
        let name = format!("notifications/custom{round}");
        world.server.notify(name.as_str(), Params::NONE).unwrap();
        world.executor.run_for(ms(10));
        world.kill();
        world.executor.run_for(ms(10));
    }
    let sessions = world.sessions.clone();
    world.executor.spawn(async move { sessions.close().await });
    world.executor.run_for(ms(100));
    let (_, (names, missed)) = reader.expect();
    let expected: Vec<_> = (1..=3).map(|round| format!("notifications/custom{round}")).collect();
    // What each session may have had to say after its end counts as one.
    assert_eq!((names, missed), (expected, 3));
}

#[test]
fn what_the_first_session_took_counts_towards_the_time_of_a_listing() {
    let mut world = World::new(Mode::Modern, SessionsConfig::default());
    world.change(|fate| fate.deaf = true);
    let list = world.session().tools(CallOptions::new().with_timeout(ms(900)), ms(0));
    let list = world.executor.spawn(list);
    world.executor.run_for(ms(500));
    world.change(|fate| fate.connect = ms(300));
    world.kill();
    world.executor.run_for(ms(5_000));
    let (at, outcome) = list.expect();
    assert!(
        matches!(outcome.outcome, Err(CallError::Timeout { after, .. }) if after == ms(900)),
        "{outcome:?}"
    );
    assert_eq!((at, world.connects("server")), (ms(900), 2));
}

#[test]
fn a_call_that_was_sent_once_is_not_said_to_be_unprocessed() {
    for mode in MODES {
        let mut world = World::new(mode, SessionsConfig::default());
        ready(&mut world);
        let call = world.executor.spawn(world.session().call_tool("slow", ()).idempotent());
        world.executor.run_for(ms(500));
        world.change(|fate| fate.refuses = true);
        world.kill();
        world.executor.run_for(ms(100));
        let error = call.expect().1.unwrap_err();
        assert_eq!((world.calls(), error.is_unprocessed()), (1, false), "{mode:?} {error}");
    }
}

#[test]
fn what_a_session_said_before_anyone_could_hear_it_counts_as_missed() {
    let mut world = World::new(MODES[2], SessionsConfig::default());
    let mut following = world.session().notifications();
    ready(&mut world);
    world.server.notify("notifications/early", Params::NONE).unwrap();
    world.executor.run_for(ms(10));
    let reader = world.executor.spawn(async move {
        let mut names = Vec::new();
        while let Some(notification) = poll_fn(|cx| following.poll_next(cx)).await {
            names.push(notification.notification.method.as_str().to_owned());
        }
        (names, following.missed())
    });
    world.executor.run_for(ms(10));
    world.server.notify("notifications/late", Params::NONE).unwrap();
    world.executor.run_for(ms(10));
    let sessions = world.sessions.clone();
    world.executor.spawn(async move { sessions.close().await });
    world.executor.run_for(ms(100));
    let (_, (names, missed)) = reader.expect();
    // One for the early word, and one for the end of the session.
    assert_eq!((names, missed), (vec!["notifications/late".to_owned()], 2));
}

#[test]
fn a_handler_that_panics_in_a_connection_answers_its_own_call_alone() {
    for mode in MODES {
        let mut world = World::new(mode, SessionsConfig::default());
        ready(&mut world);
        let other = world.sessions.session("other");
        let slow = world.executor.spawn(other.call_tool("slow", ()));
        world.executor.run_for(ms(100));
        let broken = world.executor.spawn(world.session().call_tool("panic", ()));
        world.executor.run_for(ms(100));
        let (_, outcome) = broken.expect();
        let Err(CallError::Rpc(error)) = outcome else {
            panic!("{mode:?}: {outcome:?}")
        };
        assert_eq!(error.code, ErrorCode::INTERNAL_ERROR, "{mode:?}");
        let next = world.executor.spawn(world.session().call_tool("echo", ()));
        world.executor.run_for(ms(5_000));
        assert!(next.expect().1.is_ok() && slow.expect().1.is_ok(), "{mode:?}");
        assert_eq!((world.connects("server"), world.connects("other")), (1, 1));
    }
}
