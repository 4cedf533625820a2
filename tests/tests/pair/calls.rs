//! Calls, progress, cancellation and the handshake before them, where nothing goes wrong.

use std::time::Duration;

use mcp_proto::Revision;
use mcp_proto::client::Mode;
use mcp_proto::jsonrpc::ErrorCode;
use mcp_proto::rpc::{CallError, CallOptions};
use mcp_tests::pair::{Pair, PairLink, Setup};
use serde_json::json;

use crate::worlds::{Test, everywhere};

/// The revision that both speak in the end.
fn check_revision<L: PairLink>(pair: &Pair<L>, revision: Revision) {
    assert_eq!(pair.link.as_client().facts().expect("a handshake").revision, revision);
}

#[test]
fn a_conversation_goes_well() {
    struct Conversation;
    impl Test for Conversation {
        fn run<L: PairLink>(mut pair: Pair<L>, revision: Revision) {
            let list = pair.call("tools/list", json!({}));
            let echo = pair.call_tool("echo", json!({ "text": "a \"b\"\n ü 🎈" }));
            let fail = pair.call_tool("fail", json!({}));
            let unknown = pair.call_tool("nothing", json!({}));
            pair.drive();
            check_revision(&pair, revision);
            assert_eq!(pair.result(list)["tools"].as_array().expect("tools").len(), 5);
            assert_eq!(pair.text(echo), "a \"b\"\n ü 🎈");
            let code = |call| pair.outcome(call).as_ref().expect_err("an error").rpc_code();
            assert_eq!(code(fail), Some(ErrorCode::INTERNAL_ERROR));
            assert_eq!(code(unknown), Some(ErrorCode::INVALID_PARAMS));
            pair.close();
            pair.drive();
            pair.check_quiet();
            assert!(pair.link.is_finished());
            assert_eq!(pair.now(), mcp_proto::Time::ORIGIN, "nothing had to wait for a clock");
        }
    }
    everywhere::<Conversation>();
}

#[test]
fn a_hundred_first_calls_make_one_handshake() {
    struct First;
    impl Test for First {
        fn run<L: PairLink>(mut pair: Pair<L>, revision: Revision) {
            let calls: Vec<_> = (0..100)
                .map(|n| pair.call_tool("echo", json!({ "text": n.to_string() })))
                .collect();
            pair.drive();
            for (n, call) in calls.into_iter().enumerate() {
                assert_eq!(pair.text(call), n.to_string());
            }
            assert_eq!(pair.record.ready, 1);
            let handshake = match revision.has_initialize() {
                true => r#""method":"initialize""#,
                false => r#""method":"server/discover""#,
            };
            assert_eq!(pair.link.transcript().matches(handshake).count(), 1);
            pair.check_quiet();
        }
    }
    everywhere::<First>();
}

#[test]
fn progress_comes_in_its_order_and_before_the_answer() {
    struct Progress;
    impl Test for Progress {
        fn run<L: PairLink>(mut pair: Pair<L>, _: Revision) {
            let wanted = pair.call_tool_with("steps", json!({ "steps": 5 }), CallOptions::new().with_progress());
            let unwanted = pair.call_tool("steps", json!({ "steps": 5 }));
            pair.drive();
            assert_eq!(pair.record.progress(wanted), [1.0, 2.0, 3.0, 4.0, 5.0]);
            assert_eq!(pair.record.progress(unwanted), [] as [f64; 0]);
            assert_eq!((pair.text(wanted), pair.text(unwanted)), ("done".into(), "done".into()));
            assert_eq!(pair.link.as_client().counters(), Default::default());
            pair.check_quiet();
        }
    }
    everywhere::<Progress>();
}

#[test]
fn a_cancellation_reaches_the_application_and_is_not_answered() {
    struct Cancellation;
    impl Test for Cancellation {
        fn run<L: PairLink>(mut pair: Pair<L>, _: Revision) {
            let slow = pair.call_tool("slow", json!({ "ms": 5000 }));
            let other = pair.call_tool("slow", json!({ "ms": 2000, "text": "kept" }));
            pair.drive_for(Duration::from_secs(1));
            assert_eq!((pair.link.desk().in_progress(), pair.link.desk().cancelled()), (2, 0));
            pair.cancel(slow);
            pair.settle();
            assert_eq!((pair.link.desk().in_progress(), pair.link.desk().cancelled()), (1, 1));
            pair.drive();
            assert!(!pair.record.is_settled(slow));
            assert_eq!(pair.text(other), "kept");
            assert_eq!(
                pair.link.as_client().counters(),
                Default::default(),
                "no late answer either"
            );
            pair.check_quiet();
        }
    }
    everywhere::<Cancellation>();
}

#[test]
fn a_call_that_was_never_sent_is_cancelled_without_a_word() {
    struct Unsent;
    impl Test for Unsent {
        fn run<L: PairLink>(mut pair: Pair<L>, _: Revision) {
            let held = pair.call_tool("echo", json!({ "text": "held" }));
            let kept = pair.call_tool("echo", json!({ "text": "kept" }));
            pair.cancel(held);
            pair.drive();
            let queued = pair.call_tool("echo", json!({ "text": "queued" }));
            pair.cancel(queued);
            pair.drive();
            assert_eq!(pair.text(kept), "kept");
            assert_eq!(pair.link.desk().served(), ["tools/call"]);
            assert!(!pair.link.transcript().contains("notifications/cancelled"));
            pair.check_quiet();
        }
    }
    everywhere::<Unsent>();
}

#[test]
fn a_client_of_both_eras_follows_a_legacy_server() {
    for revision in Revision::ALL.into_iter().filter(|revision| revision.has_initialize()) {
        let setup = || Setup::new(Mode::Auto).serving(&[revision]);
        follow(setup().stream(), revision);
        if revision.has_streamable_http() {
            follow(setup().http(), revision);
        }
    }
}

fn follow<L: PairLink>(mut pair: Pair<L>, revision: Revision) {
    let calls = [(); 10].map(|()| pair.call_tool("echo", json!({ "text": "x" })));
    pair.drive();
    calls.into_iter().for_each(|call| assert_eq!(pair.text(call), "x"));
    check_revision(&pair, revision);
    let once = |method: &str| assert_eq!(pair.link.transcript().matches(method).count(), 1, "{method}");
    once(r#""method":"server/discover""#);
    once(r#""method":"initialize""#);
    pair.check_quiet();
}

#[test]
fn two_sides_without_a_common_revision_say_so() {
    let modern = || Setup::new(Mode::Legacy(Revision::V2025_11_25)).serving(&[Revision::V2026_07_28]);
    refuse(modern().stream());
    refuse(modern().http());
    let legacy = || Setup::new(Mode::Modern).serving(&[Revision::V2025_11_25]);
    refuse(legacy().stream());
    refuse(legacy().http());
}

fn refuse<L: PairLink>(mut pair: Pair<L>) {
    let call = pair.call("tools/list", json!({}));
    pair.drive();
    let error = pair.outcome(call).as_ref().expect_err("no result");
    assert!(
        matches!(
            error,
            CallError::Rpc(_) | CallError::NoCommonRevision { .. } | CallError::Http(_)
        ),
        "{error:?}"
    );
    assert_eq!(pair.now(), mcp_proto::Time::ORIGIN, "at once, not by a deadline");
    pair.check_quiet();
}
