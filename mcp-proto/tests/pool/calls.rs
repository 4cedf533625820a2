//! C, D, F and G: many callers, callers inside of calls, servers that hang, callers that vanish.

use std::sync::{Arc, Mutex};

use mcp_proto::rpc::{CallError, Phase};
use mcp_proto::sessions::{Life, SessionsConfig, Unwanted};
use mcp_proto::toolbox::{ServerTools, Toolbox};
use serde_json::json;

use super::MODES;
use super::world::{World, ms};

#[test]
fn c1_any_number_of_first_callers_make_one_session() {
    for mode in MODES {
        for callers in [1, 10, 100, 1_000] {
            let mut world = World::new(mode, SessionsConfig::default());
            let calls: Vec<_> = (0..callers)
                .map(|_| world.executor.spawn(world.session().call_tool("echo", ())))
                .collect();
            world.executor.run_for(ms(100));
            for call in calls {
                let (at, result) = call.expect();
                assert_eq!((at, result.unwrap().content[0].as_text()), (ms(10), Some("hello")));
            }
            assert_eq!((world.connects("server"), world.open()), (1, 1), "{mode:?} {callers}");
        }
    }
}

#[test]
fn d1_a_tool_calls_itself_a_thousand_deep() {
    for mode in MODES {
        let mut world = World::new(mode, SessionsConfig::default());
        let call = world
            .executor
            .spawn(world.session().call_tool("deeper", json!({"depth": 1_000})));
        world.executor.run_for(ms(100));
        assert_eq!(
            call.expect().1.unwrap().content[0].as_text(),
            Some("bottom"),
            "{mode:?}"
        );
        assert_eq!(world.connects("server"), 1);
    }
}

#[test]
fn d2_five_hundred_tools_that_call_a_tool() {
    for mode in MODES {
        let mut world = World::new(mode, SessionsConfig::default());
        let calls: Vec<_> = (0..500)
            .map(|_| {
                world
                    .executor
                    .spawn(world.session().call_tool("deeper", json!({"depth": 1})))
            })
            .collect();
        world.executor.run_for(ms(100));
        for call in calls {
            assert_eq!(
                call.expect().1.unwrap().content[0].as_text(),
                Some("bottom"),
                "{mode:?}"
            );
        }
        assert_eq!(world.connects("server"), 1);
    }
}

#[test]
fn d5_a_tool_of_a_server_whose_handshake_needs_the_session_fails_in_time() {
    let mut world = World::new(MODES[2], SessionsConfig::default());
    world.change(|fate| fate.mute = true);
    let outer = world
        .executor
        .spawn(world.session().call_tool("echo", ()).timeout(ms(500)));
    let inner = world
        .executor
        .spawn(world.session().call_tool("echo", ()).timeout(ms(500)));
    world.executor.run_for(ms(600));
    for call in [outer, inner] {
        let (at, outcome) = call.expect();
        let phase = Phase::Initialize;
        assert_eq!(
            (at, outcome.unwrap_err()),
            (ms(500), CallError::Timeout { phase, after: ms(500) })
        );
    }
    world.change(|fate| fate.mute = false);
    let retry = world.executor.spawn(world.session().call_tool("echo", ()));
    world.executor.run_for(ms(100));
    assert!(retry.expect().1.is_ok());
}

#[test]
fn f1_each_caller_of_a_mute_server_has_its_own_deadline() {
    for mode in [MODES[0], MODES[2]] {
        let mut world = World::new(mode, SessionsConfig::default());
        world.change(|fate| fate.deaf = true);
        let call = |timeout| world.session().call_tool("echo", ()).timeout(timeout);
        let calls: Vec<_> = (0..19).map(|_| call(ms(2_000))).chain([call(ms(500))]).collect();
        let calls: Vec<_> = calls.into_iter().map(|call| world.executor.spawn(call)).collect();
        world.executor.run_for(ms(5_000));
        let times: Vec<_> = calls.iter().map(|call| call.expect()).collect();
        for (n, (at, outcome)) in times.into_iter().enumerate() {
            assert_eq!(at, if n < 19 { ms(2_000) } else { ms(500) });
            assert!(matches!(outcome, Err(CallError::Timeout { .. })));
        }
        assert_eq!(
            (world.connects("server"), world.open()),
            (1, 0),
            "the attempt is given up"
        );
    }
}

#[test]
fn f3_a_refusal_reaches_all_who_wait_and_the_next_call_tries_again() {
    let mut world = World::new(MODES[0], SessionsConfig::default());
    world.change(|fate| fate.refuses = true);
    let calls: Vec<_> = (0..20)
        .map(|_| world.executor.spawn(world.session().call_tool("echo", ())))
        .collect();
    world.executor.run_for(ms(100));
    for call in calls {
        let (at, outcome) = call.expect();
        assert_eq!(
            (at, outcome.unwrap_err()),
            (ms(10), CallError::Unreachable("connection refused".into()))
        );
    }
    assert_eq!(world.connects("server"), 1);
    world.change(|fate| fate.refuses = false);
    let retry = world.executor.spawn(world.session().call_tool("echo", ()));
    world.executor.run_for(ms(100));
    assert!(retry.expect().1.is_ok());
}

#[test]
fn the_time_of_a_call_covers_the_session_and_the_reply_together() {
    for mode in MODES {
        let mut world = World::new(mode, SessionsConfig::default());
        world.change(|fate| fate.connect = ms(300));
        let call = world
            .executor
            .spawn(world.session().call_tool("slow", ()).timeout(ms(500)));
        world.executor.run_for(ms(5_000));
        let (at, outcome) = call.expect();
        let phase = Phase::Request;
        assert_eq!(
            (at, outcome.unwrap_err()),
            (ms(500), CallError::Timeout { phase, after: ms(500) }),
            "{mode:?}"
        );
    }
}

#[test]
fn progress_extends_the_time_by_all_of_it_whatever_the_session_took() {
    let mut world = World::new(MODES[0], SessionsConfig::default());
    world.change(|fate| fate.connect = ms(300));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = seen.clone();
    let call = world.session().call_tool("slow", ()).timeout(ms(1_400));
    let call = call.on_progress(move |report| sink.lock().unwrap().push(report.progress));
    let call = world.executor.spawn(call);
    world.executor.run_for(ms(5_000));
    assert_eq!(call.expect().1.unwrap().content[0].as_text(), Some("at last"));
    assert_eq!(*seen.lock().unwrap(), [1.0]);
}

#[test]
fn g1_the_caller_that_began_it_vanishes_and_the_others_have_their_session() {
    let mut world = World::new(MODES[2], SessionsConfig::default());
    world.change(|fate| fate.connect = ms(2_000));
    let first = world.executor.spawn(world.session().call_tool("echo", ()));
    let others: Vec<_> = (0..3)
        .map(|_| world.executor.spawn(world.session().call_tool("echo", ())))
        .collect();
    world.executor.run_for(ms(200));
    world.executor.cancel(&first);
    world.executor.run_for(ms(3_000));
    for call in others {
        let (at, outcome) = call.expect();
        assert_eq!((at, outcome.is_ok()), (ms(2_000), true));
    }
    assert_eq!(world.connects("server"), 1);
}

#[test]
fn g2_all_vanish_and_nothing_is_left_unless_it_is_to_be_kept() {
    for unwanted in [Unwanted::Abandon, Unwanted::Keep] {
        let config = SessionsConfig::default().with_unwanted(unwanted);
        let mut world = World::new(MODES[2], config);
        world.change(|fate| fate.mute = unwanted == Unwanted::Abandon);
        world.change(|fate| fate.connect = ms(100));
        let calls: Vec<_> = (0..3)
            .map(|_| world.executor.spawn(world.session().call_tool("echo", ())))
            .collect();
        world.executor.run_for(ms(50));
        calls.iter().for_each(|call| world.executor.cancel(call));
        world.executor.run_for(ms(200));
        let kept = unwanted == Unwanted::Keep;
        assert_eq!(world.open(), usize::from(kept));
        assert_eq!(
            world.sessions.life("server"),
            if kept { Life::Ready } else { Life::Absent }
        );
    }
}

#[test]
fn g3_a_dropped_call_is_cancelled_and_the_session_goes_on() {
    for mode in MODES {
        let mut world = World::new(mode, SessionsConfig::default());
        let call = world.executor.spawn(world.session().call_tool("slow", ()));
        world.executor.run_for(ms(300));
        assert_eq!(world.calls(), 1);
        world.executor.cancel(&call);
        let next = world.executor.spawn(world.session().call_tool("echo", ()));
        world.executor.run_for(ms(10));
        assert!(next.expect().1.is_ok());
        assert_eq!((world.connects("server"), world.open()), (1, 1));
    }
}

#[test]
fn finding_the_tool_and_calling_it_share_one_deadline() {
    for mode in MODES {
        for is_total in [false, true] {
            let mut world = World::new(mode, SessionsConfig::default());
            world.change(|fate| fate.connect = ms(1_000));
            let server = |name: &str| world.sessions.session(name);
            // Either may have it: both are asked, in sessions that have to be created first.
            let toolbox = Toolbox::builder()
                .server("a", ServerTools::new(server("a")).only(["slow"]))
                .server("b", ServerTools::new(server("b")).only(["slow"]).filter(|_| false))
                .build();
            let call = toolbox.call("slow", ());
            let call = match is_total {
                true => call.max_timeout(ms(2_500)),
                false => call.timeout(ms(2_500)),
            };
            let call = world.executor.spawn(call);
            world.executor.run_for(ms(10_000));
            let (at, outcome) = call.expect();
            assert!(outcome.is_err(), "{outcome:?}");
            assert_eq!((at, world.calls()), (ms(2_500), 1), "{mode:?}");
        }
    }
}
