//! Servers over a byte stream that end, and are started again (2026-07-28, stdio, Unexpected Termination).

use mcp_proto::client::{Change, ClientEvent};
use mcp_proto::rpc::{CallError, CallOptions, CloseReason};
use mcp_proto::{Limits, Revision};
use serde_json::json;

use crate::listening_stream::{acknowledged, capabilities, changes, filter};
use crate::support::{Wire, at, config, initialize_result, methods, params, replies, result, tools};

const LEGACY: Revision = Revision::V2025_11_25;
const MODERN: Revision = Revision::V2026_07_28;

/// One that knows its server, which can be started again.
fn ready(revision: Revision) -> Wire {
    let mut wire = Wire::ready_with(config().with_strict_capabilities(false), revision);
    wire.client.allow_reopening();
    wire
}

/// The server ends like this. Whether it is to be started again.
fn ends(wire: &mut Wire, status: &str, is_success: bool) -> bool {
    wire.client.client().ended(status, is_success, None);
    wire.client.receive_eof(at(0));
    wire.client.wants_reopening()
}

/// It is there again: what it is sent first. A legacy one has its handshake.
fn again(wire: &mut Wire, revision: Revision) -> Vec<serde_json::Value> {
    assert!(wire.sent().is_empty(), "nothing is for the stream that is over");
    wire.client.reopened();
    let sent = wire.sent();
    if revision.is_stateless() {
        return sent;
    }
    assert_eq!(methods(&sent), ["initialize"], "nobody asks what it is");
    let mut answer = initialize_result(revision.as_str());
    answer["capabilities"] = capabilities();
    wire.write(&result(&sent[0]["id"], answer));
    let mut sent = wire.sent();
    assert_eq!(sent.remove(0)["method"], "notifications/initialized");
    sent
}

fn call(wire: &mut Wire) -> mcp_proto::rpc::CallId {
    wire.call_with("tools/call", params(&json!({"name": "echo"})), CallOptions::default())
}

#[test]
fn what_does_no_harm_is_sent_once_more_and_the_rest_says_how_the_server_ended() {
    for revision in [LEGACY, MODERN] {
        let mut wire = ready(revision);
        let (harmful, safe) = (call(&mut wire), wire.call("resources/list"));
        assert_eq!(wire.sent().len(), 2);
        wire.events();
        assert!(ends(&mut wire, "exited with status 3", false), "{revision}");
        let outcomes = replies(&wire.events());
        let [(failed, Err(CallError::Closed(CloseReason::Exited(farewell))))] = &outcomes[..] else {
            panic!("{outcomes:?}");
        };
        assert_eq!((*failed, &*farewell.status), (harmful, "exited with status 3"));
        let sent = again(&mut wire, revision);
        assert_eq!(methods(&sent), ["resources/list"]);
        wire.write(&result(
            &sent[0]["id"],
            json!({"resources": [], "resultType": "complete", "ttlMs": 0, "cacheScope": "private"}),
        ));
        assert!(matches!(&replies(&wire.events())[..], [(id, Ok(_))] if *id == safe));
        // And it goes on as before.
        let next = call(&mut wire);
        let sent = wire.sent();
        wire.write(&result(&sent[0]["id"], tools()));
        assert!(matches!(&replies(&wire.events())[..], [(id, Ok(_))] if *id == next));
    }
}

#[test]
fn a_call_that_is_marked_is_sent_once_more_and_never_twice() {
    let mut wire = ready(MODERN);
    let options = CallOptions::default().with_idempotence();
    let marked = wire.call_with("tools/call", params(&json!({"name": "echo"})), options);
    wire.sent();
    assert!(ends(&mut wire, "exited with status 1", false));
    assert_eq!(methods(&again(&mut wire, MODERN)), ["tools/call"]);
    assert!(ends(&mut wire, "exited with status 1", false));
    assert!(matches!(&replies(&wire.events())[..], [(id, Err(CallError::Closed(_)))] if *id == marked));
    assert!(again(&mut wire, MODERN).is_empty());
}

#[test]
fn what_was_listened_to_is_asked_for_again_and_the_listener_is_told() {
    let mut wire = ready(MODERN);
    let listener = wire.client.client().listen(filter()).unwrap();
    let asked = wire.sent();
    wire.write(&acknowledged(&asked[0]["id"], json!({"toolsListChanged": true})));
    wire.events();
    assert!(ends(&mut wire, "ended by signal 9", false));
    let asked = again(&mut wire, MODERN);
    assert_eq!(methods(&asked), ["subscriptions/listen"]);
    wire.write(&acknowledged(&asked[0]["id"], json!({"toolsListChanged": true})));
    wire.events();
    assert_eq!(changes(wire.client.client(), listener), [Change::Restored]);
}

#[test]
fn a_legacy_session_is_a_new_one_with_what_stood_in_the_last() {
    let mut wire = ready(LEGACY);
    wire.call_with(
        "logging/setLevel",
        params(&json!({"level": "error"})),
        CallOptions::default(),
    );
    for request in wire.sent() {
        if request.get("id").is_some() {
            wire.write(&result(&request["id"], json!({})));
        }
    }
    wire.events();
    assert!(ends(&mut wire, "exited with status 1", false));
    assert!(
        wire.events()
            .iter()
            .any(|event| matches!(event, ClientEvent::SessionLost))
    );
    let sent = again(&mut wire, LEGACY);
    assert!(methods(&sent).contains(&"logging/setLevel"), "{sent:?}");
}

#[test]
fn one_that_wants_to_end_while_nobody_waits_may() {
    for revision in [LEGACY, MODERN] {
        let mut wire = ready(revision);
        assert!(!ends(&mut wire, "exited with status 0", true));
        assert!(wire.client.as_client().closed().is_some());
        let mut wire = ready(revision);
        call(&mut wire);
        assert!(ends(&mut wire, "exited with status 0", true), "somebody waits");
        let mut wire = ready(revision);
        assert!(ends(&mut wire, "exited with status 1", false), "it did not want to");
    }
}

#[test]
fn starts_are_bounded_and_can_be_switched_off() {
    for most in [0, 3] {
        let config = config().with_limits(Limits::default().with_restarts(most));
        let mut wire = Wire::ready_with(config, MODERN);
        wire.client.allow_reopening();
        for _ in 0..most {
            assert!(ends(&mut wire, "exited with status 1", false));
            assert!(again(&mut wire, MODERN).is_empty());
        }
        assert!(!ends(&mut wire, "exited with status 1", false));
        assert!(matches!(wire.client.as_client().closed(), Some(CloseReason::Exited(_))));
    }
}

#[test]
fn one_that_cannot_be_started_again_is_the_end() {
    let mut wire = ready(MODERN);
    let safe = wire.call("resources/list");
    wire.sent();
    assert!(ends(&mut wire, "exited with status 1", false));
    wire.client.receive_eof(at(0));
    assert!(!wire.client.wants_reopening());
    let outcomes = replies(&wire.events());
    assert!(
        matches!(&outcomes[..], [(id, Err(CallError::Closed(CloseReason::Exited(_))))] if *id == safe),
        "{outcomes:?}"
    );
}

#[test]
fn one_that_dies_in_the_handshake_of_its_second_start_is_started_again() {
    let mut wire = ready(LEGACY);
    let safe = wire.call("resources/list");
    wire.sent();
    assert!(ends(&mut wire, "exited with status 1", false));
    wire.client.reopened();
    assert_eq!(methods(&wire.sent()), ["initialize"]);
    assert!(ends(&mut wire, "exited with status 1", false));
    let sent = again(&mut wire, LEGACY);
    assert_eq!(methods(&sent), ["resources/list"]);
    wire.write(&result(&sent[0]["id"], json!({"resources": []})));
    assert!(matches!(&replies(&wire.events())[..], [(id, Ok(_))] if *id == safe));
}
