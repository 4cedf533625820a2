//! What a server sends of its own over a byte stream.

use mcp_proto::Revision;
use mcp_proto::client::{ClientEvent, ServerRequest};
use mcp_proto::jsonrpc::RawJson;
use mcp_proto::rpc::CallError;
use serde_json::{Value, json};

use crate::support::{Wire, config, error, methods, replies};

const LEGACY: Revision = Revision::V2025_11_25;

fn request(id: Value, method: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": method})
}

fn asked(wire: &mut Wire) -> Vec<ServerRequest> {
    let requests = wire.events().into_iter().filter_map(|event| match event {
        ClientEvent::Request(request) => Some(request),
        _ => None,
    });
    requests.collect()
}

#[test]
fn a_ping_is_answered_at_any_time_of_the_legacy_era() {
    let mut wire = Wire::new(config());
    wire.client.client().connect();
    let probe = wire.sent();
    wire.write(&error(&probe[0]["id"], -32601));
    wire.sent();
    for id in [json!(7), json!("x"), json!(-1), json!(1.0)] {
        wire.write(&request(id.clone(), "ping"));
        let sent = wire.sent();
        assert_eq!(methods(&sent), ["result"]);
        assert_eq!(sent[0]["id"], id);
        assert_eq!(sent[0]["result"], json!({}));
    }
    assert!(wire.events().is_empty());
}

#[test]
fn a_ping_is_answered_while_the_era_is_asked() {
    let mut wire = Wire::new(config());
    wire.client.client().connect();
    let probe = wire.sent();
    wire.write(&request(json!(7), "ping"));
    let sent = wire.sent();
    assert_eq!(methods(&sent), ["result"]);
    assert_eq!(sent[0]["id"], 7);
    // An answer that is not gone yet when the client falls back is still owed.
    wire.write(&request(json!(8), "ping"));
    wire.write(&request(json!(9), "roots/list"));
    wire.write(&error(&probe[0]["id"], -32601));
    let sent = wire.sent();
    assert_eq!(methods(&sent), ["result", "initialize"]);
    assert_eq!(sent[0]["id"], 8);
    assert_eq!(wire.client.as_client().counters().junk, 1, "anything else is too early");
}

#[test]
fn a_modern_server_may_not_ask() {
    let mut wire = Wire::ready(Revision::LATEST);
    wire.write(&request(json!(7), "ping"));
    assert!(wire.sent().is_empty());
    assert_eq!(wire.client.as_client().counters().junk, 1);
}

#[test]
fn a_modern_server_ends_a_subscription_and_no_other_call() {
    let mut wire = Wire::ready(Revision::LATEST);
    let listen = wire.call("subscriptions/listen");
    let list = wire.call("tools/list");
    let sent = wire.sent();
    for id in [&sent[1]["id"], &json!(99), &sent[0]["id"], &sent[0]["id"]] {
        wire.write(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}}));
    }
    assert_eq!(replies(&wire.events()), [(listen, Err(CallError::Cancelled))]);
    assert!(wire.sent().is_empty(), "nothing is told to the server");
    assert_eq!(wire.client.as_client().counters().stray_cancellations, 3);
    assert!(wire.client.as_client().is_waiting(list));
}

#[test]
fn requests_are_tokens_and_their_ids_are_their_own() {
    let mut wire = Wire::ready(LEGACY);
    // The ids of both directions have nothing to do with each other.
    wire.call("tools/list");
    let id = wire.sent()[0]["id"].clone();
    wire.write(&request(id.clone(), "roots/list"));
    wire.write(&request(id.clone(), "sampling/createMessage"));
    let refused = wire.sent();
    assert_eq!(methods(&refused), ["error"], "the id is in progress");
    assert_eq!(refused[0]["error"]["code"], -32600);
    let requests = asked(&mut wire);
    assert_eq!(requests.len(), 1);
    let answer = || Ok(RawJson::parse(r#"{"roots":[]}"#).unwrap());
    wire.client.client().respond(requests[0].key, answer());
    wire.client.client().respond(requests[0].key, answer());
    let sent = wire.sent();
    assert_eq!(methods(&sent), ["result"], "answered once");
    assert_eq!(sent[0]["id"], id);
    assert_eq!(wire.client.as_client().counters().duplicate_requests, 1);
}

#[test]
fn a_method_that_is_not_the_servers_is_refused_and_an_unknown_one_is_asked() {
    let mut wire = Wire::ready(Revision::V2025_03_26);
    for method in ["tools/list", "elicitation/create", "server/discover", "tasks/get"] {
        wire.write(&request(json!(method), method));
        let sent = wire.sent();
        assert_eq!(sent[0]["error"]["code"], -32601, "{method}");
    }
    wire.write(&request(json!(1), "x/y"));
    wire.write(&request(json!(2), "sampling/createMessage"));
    assert!(wire.sent().is_empty());
    assert_eq!(asked(&mut wire).len(), 2);
}

#[test]
fn a_request_that_is_cancelled_gets_no_answer() {
    let mut wire = Wire::ready(LEGACY);
    wire.write(&request(json!(5), "roots/list"));
    let request = asked(&mut wire).remove(0);
    let cancelled =
        |id: Value| json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}});
    wire.write(&cancelled(json!("5")));
    wire.write(&cancelled(json!(null)));
    wire.write(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled"}));
    assert_eq!(wire.client.as_client().counters().stray_cancellations, 3);
    wire.write(&cancelled(json!(5)));
    assert!(matches!(wire.events()[..], [ClientEvent::Cancelled(key)] if key == request.key));
    wire.client
        .client()
        .respond(request.key, Ok(RawJson::parse("{}").unwrap()));
    assert!(wire.sent().is_empty());
}

#[test]
fn a_modern_server_does_not_ask() {
    let mut wire = Wire::ready(Revision::LATEST);
    for method in ["ping", "roots/list", "x"] {
        wire.write(&request(json!(1), method));
    }
    assert!(wire.sent().is_empty() && wire.events().is_empty());
    assert_eq!(wire.client.as_client().counters().junk, 3);
}

#[test]
fn requests_in_progress_are_bounded() {
    let mut config = config();
    config.limits.requests_in_progress = 2;
    let mut wire = Wire::ready_with(config, LEGACY);
    for id in 0..3 {
        wire.write(&request(json!(id), "roots/list"));
    }
    let sent = wire.sent();
    assert_eq!((sent.len(), &sent[0]["error"]["code"]), (1, &json!(-32603)));
    assert_eq!(asked(&mut wire).len(), 2);
}

#[test]
fn notifications_that_nobody_reads_are_dropped_and_counted() {
    let mut config = config();
    config.limits.notifications = 3;
    let mut wire = Wire::ready_with(config, LEGACY);
    let notification =
        json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": 1}});
    for _ in 0..10 {
        wire.write(&notification);
    }
    assert_eq!(wire.events().len(), 3);
    assert_eq!(wire.client.as_client().counters().dropped_notifications, 7);
    wire.write(&notification);
    assert_eq!(wire.events().len(), 1, "there is room again");
}

#[test]
fn a_client_that_is_not_read_from_stops_reading() {
    let mut config = config();
    config.limits.total_bytes = 10_000;
    let mut wire = Wire::ready_with(config.clone(), LEGACY);
    let mut lines = 0;
    while wire.client.wants_input() {
        wire.write(&request(json!(lines), "roots/list"));
        lines += 1;
        assert!(lines < 1_000);
    }
    wire.events();
    assert!(wire.client.wants_input());
    config.limits.outbox_bytes = 1_000;
    let mut wire = Wire::ready_with(config, LEGACY);
    let mut lines = 0;
    while wire.client.wants_input() {
        wire.write(&request(json!(lines), "ping"));
        lines += 1;
        assert!(lines < 1_000);
    }
    assert_eq!(wire.sent().len(), lines);
    assert!(wire.client.wants_input());
}
