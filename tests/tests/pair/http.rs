//! What happens to exchanges, and what becomes of the calls in them.

use std::time::Duration;

use mcp_proto::Revision;
use mcp_proto::client::Mode;
use mcp_proto::jsonrpc::Params;
use mcp_proto::method::Method;
use mcp_proto::rpc::{CallError, CallOptions};
use mcp_tests::network::Conditions;
use mcp_tests::pair::{Fate, HttpLink, Pair, PairLink, Setup};
use serde_json::json;

const LEGACY: Revision = Revision::V2025_11_25;
const MODERN: Revision = Revision::V2026_07_28;

fn ready(setup: Setup) -> Pair<HttpLink> {
    let mut pair = setup.http();
    pair.link.client().connect();
    pair.drive();
    assert_eq!(pair.record.ready, 1);
    pair
}

#[test]
fn a_response_cut_at_any_byte_resolves_the_call_once() {
    for revision in [LEGACY, MODERN] {
        for bytes in 0..600 {
            for fate in [Fate::Broken(bytes), Fate::Truncated(bytes)] {
                let mut pair = ready(Setup::speaking(revision));
                pair.link.destine([fate]);
                let options = CallOptions::new().with_progress();
                let cut = pair.call_tool_with("steps", json!({ "steps": 2 }), options);
                let whole = pair.call_tool("echo", json!({ "text": "whole" }));
                pair.drive();
                match pair.outcome(cut) {
                    Ok(_) => assert_eq!(pair.text(cut), "done"),
                    Err(CallError::Disconnected) => {}
                    other => panic!("{revision} {fate:?}: {other:?}"),
                }
                assert_eq!(pair.text(whole), "whole", "another exchange is another connection");
                pair.check_quiet();
            }
        }
    }
}

/// Acceptance H6: of a stream that drops nothing is lost, wherever it is cut, and nothing comes twice.
#[test]
fn a_stream_cut_at_any_byte_goes_on_where_it_was() {
    // An event with an id alone comes first in one of them, one with a message in the other.
    for (revision, first) in [(LEGACY, 64), (Revision::V2025_06_18, 200)] {
        let mut resumed = 0;
        for bytes in 0..700 {
            for fate in [Fate::Broken(bytes), Fate::Truncated(bytes)] {
                let mut pair = ready(Setup::speaking(revision).resumable());
                // The next one breaks as well, and the one after that.
                pair.link.destine([fate, fate, fate]);
                let options = CallOptions::new().with_progress();
                let cut = pair.call_tool_with("steps", json!({ "steps": 3 }), options);
                pair.drive();
                match pair.outcome(cut) {
                    Ok(_) => assert_eq!(pair.text(cut), "done"),
                    // It broke before the client knew of an event.
                    Err(CallError::Disconnected) if bytes < first => continue,
                    other => panic!("{revision} {fate:?}: {other:?}"),
                }
                assert_eq!(
                    pair.record.progress(cut),
                    [1.0, 2.0, 3.0],
                    "{revision} {fate:?}: each once"
                );
                resumed += pair.link.transcript().matches("> last-event-id").count().min(1);
                pair.check_quiet();
            }
        }
        assert!(resumed > 500, "{resumed}");
    }
}

#[test]
fn exchanges_overtake_each_other() {
    for revision in [LEGACY, MODERN] {
        for seed in 0..20 {
            let conditions = Conditions::CALM.with_latency(Duration::ZERO..=Duration::from_millis(500));
            let mut pair = Setup::speaking(revision).conditions(conditions).seed(seed).http();
            let calls: Vec<_> = (0..20)
                .map(|n| pair.call_tool("echo", json!({ "text": n.to_string() })))
                .collect();
            pair.drive();
            for (n, call) in calls.into_iter().enumerate() {
                assert_eq!(pair.text(call), n.to_string(), "seed {seed}");
            }
            pair.check_quiet();
        }
    }
}

#[test]
fn a_session_that_is_lost_is_made_again_and_no_call_is_lost() {
    let mut pair = ready(Setup::speaking(LEGACY));
    for round in 1..4 {
        pair.link.server().machine.end_sessions();
        let calls: Vec<_> = (0..10)
            .map(|n| pair.call_tool("echo", json!({ "text": n.to_string() })))
            .collect();
        pair.drive();
        for (n, call) in calls.into_iter().enumerate() {
            assert_eq!(pair.text(call), n.to_string());
        }
        assert_eq!(pair.link.handshakes(), round + 1, "one handshake for all of them");
        assert_eq!(pair.record.sessions_lost, round);
        assert_eq!(pair.link.server().machine.sessions(), 1);
    }
    pair.check_quiet();
}

#[test]
fn a_call_that_learns_of_the_loss_late_goes_to_the_new_session() {
    let mut pair = ready(Setup::speaking(LEGACY));
    pair.link.server().machine.end_sessions();
    pair.link.destine([Fate::Good, Fate::Slow(Duration::from_secs(1))]);
    let first = pair.call_tool("echo", json!({ "text": "first" }));
    let late = pair.call_tool("echo", json!({ "text": "late" }));
    pair.drive();
    assert_eq!((pair.text(first), pair.text(late)), ("first".into(), "late".into()));
    assert_eq!((pair.link.handshakes(), pair.record.sessions_lost), (2, 1));
    pair.check_quiet();
}

#[test]
fn closing_ends_the_session() {
    let mut pair = ready(Setup::speaking(LEGACY));
    let call = pair.call_tool("mute", json!({}));
    pair.settle();
    pair.close();
    pair.drive();
    assert!(matches!(pair.outcome(call), Err(CallError::Closed(_))));
    assert_eq!(
        (
            pair.link.server().machine.sessions(),
            pair.link.server().machine.open_exchanges()
        ),
        (0, 0)
    );
    assert!(pair.link.is_finished());
    assert_eq!(
        pair.now(),
        mcp_proto::Time::ORIGIN,
        "nothing waits for a dead peer here"
    );
}

#[test]
fn closing_does_not_wait_for_a_dead_server() {
    let mut pair = ready(Setup::speaking(LEGACY));
    pair.link.destine([Fate::Lost]);
    pair.close();
    pair.drive();
    assert!(pair.link.is_finished());
    assert!(pair.now().elapsed() <= Duration::from_secs(2));
}

#[test]
fn what_belongs_to_no_request_comes_on_the_stream_of_the_session() {
    let capabilities = serde_json::from_str(r#"{"tools":{"listChanged":true}}"#).expect("capabilities");
    let mut setup = Setup::speaking(LEGACY);
    setup.server = setup.server.with_capabilities(capabilities);
    let mut pair = ready(setup);
    let method = Method::ToolListChangedNotification.into();
    assert_eq!(pair.link.server().notify(&method, &Params::NONE), Ok(1));
    pair.drive();
    assert_eq!(pair.record.notifications.len(), 1);
    // The stream breaks, and is opened again.
    let now = pair.now();
    pair.link.break_all(now);
    pair.drive();
    assert_eq!(pair.link.server().notify(&method, &Params::NONE), Ok(1));
    pair.drive();
    assert_eq!(pair.record.notifications.len(), 2);
    pair.check_quiet();
}

#[test]
fn a_server_that_is_gone_is_not_asked_for_ever() {
    let mut pair = ready(Setup::speaking(LEGACY));
    pair.link.take_down(true);
    let now = pair.now();
    pair.link.break_all(now);
    let steps = pair.drive_bounded(100).expect("it comes to rest");
    assert!(steps > 3, "the stream was tried again: {steps}");
    assert!(pair.now().elapsed() < Duration::from_secs(300));
    pair.check_quiet();
}

#[test]
fn a_modern_client_keeps_no_exchange_open() {
    let mut pair = ready(Setup::new(Mode::Auto));
    let call = pair.call_tool("echo", json!({}));
    pair.drive();
    assert!(pair.record.is_settled(call));
    assert_eq!(
        (
            pair.link.server().machine.open_exchanges(),
            pair.link.server().machine.sessions()
        ),
        (0, 0)
    );
}
