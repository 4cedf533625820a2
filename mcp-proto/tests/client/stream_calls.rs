//! Calls over a byte stream: cancellation, replies of every kind, the end.

use mcp_proto::Revision;
use mcp_proto::client::ClientEvent;
use mcp_proto::jsonrpc::{Params, RawJson};
use mcp_proto::rpc::{CallError, CallOptions, CloseReason, Phase, SendError};
use serde_json::{Value, json};

use crate::support::{Wire, config, error, methods, only_error, params, replies, result, secs, tools};

const LEGACY: Revision = Revision::V2025_11_25;

#[test]
fn a_queued_call_is_cancelled_without_a_word_and_a_sent_one_with_one() {
    for revision in [LEGACY, Revision::LATEST] {
        let mut wire = Wire::ready(revision);
        let queued = wire.call("tools/list");
        wire.client.client().cancel(queued);
        assert!(wire.sent().is_empty());
        let sent = wire.call("tools/list");
        let id = wire.sent()[0]["id"].clone();
        wire.client.client().cancel(sent);
        wire.client.client().cancel(sent);
        let told = wire.sent();
        assert_eq!(methods(&told), ["notifications/cancelled"]);
        assert_eq!(told[0]["params"]["requestId"], id);
        wire.write(&result(&id, tools()));
        assert!(wire.events().is_empty());
        assert_eq!(wire.client.as_client().counters().late_replies, 1);
        assert_eq!(wire.client.as_client().pending_calls(), 0);
    }
}

#[test]
fn replies_to_nothing_are_counted_and_survived() {
    let mut wire = Wire::ready(LEGACY);
    let call = wire.call("tools/list");
    let id = wire.sent()[0]["id"].clone();
    let late = wire.client.as_client().counters().late_replies;
    for wrong in [
        json!(null),
        json!(id.to_string()),
        json!(999),
        json!(-1),
        json!(0),
        json!(""),
        json!(1e300),
    ] {
        wire.write(&error(&wrong, -32600));
    }
    wire.write(&json!({"jsonrpc": "2.0", "id": "1", "result": {}}));
    assert!(wire.events().is_empty());
    assert_eq!(wire.client.as_client().counters().unknown_replies, 7);
    assert_eq!(wire.client.as_client().counters().junk, 1, "1e300 is no id");
    wire.write(&result(&id, tools()));
    wire.write(&result(&id, tools()));
    wire.write(&error(&id, -32600));
    assert_eq!(replies(&wire.events()).len(), 1);
    assert_eq!(wire.client.as_client().counters().late_replies, late + 2);
    assert!(!wire.client.as_client().is_waiting(call));
}

#[test]
fn the_float_form_of_an_id_is_the_id() {
    let mut wire = Wire::ready(LEGACY);
    wire.call("tools/list");
    let id = &wire.sent()[0]["id"];
    wire.write_text(&format!(r#"{{"jsonrpc":"2.0","id":{id}.0,"result":{{}}}}"#));
    assert!(replies(&wire.events())[0].1.is_ok());
}

#[test]
fn a_reply_to_a_call_that_was_never_sent_is_no_reply() {
    let mut wire = Wire::ready(LEGACY);
    let call = wire.call("tools/list");
    for guess in 0..10 {
        wire.write(&result(&json!(guess), tools()));
        wire.write_text(&format!(r#"{{"jsonrpc":"2.0","id":{guess},"result":1,"error":2}}"#));
    }
    assert!(wire.events().is_empty());
    assert!(wire.client.as_client().is_waiting(call));
    assert_eq!(methods(&wire.sent()), ["tools/list"]);
}

#[test]
fn a_reply_that_is_no_message_ends_its_call() {
    for tail in [
        r#""result":{},"error":{"code":1,"message":""}"#,
        r#""error":5"#,
        r#""error":{"code":"x"}"#,
        r#""error":null,"x":1"#,
    ] {
        let mut wire = Wire::ready(LEGACY);
        wire.call("tools/list");
        let id = &wire.sent()[0]["id"];
        wire.write_text(&format!(r#"{{"jsonrpc":"2.0","id":{id},{tail}}}"#));
        assert!(
            matches!(only_error(&wire.events()), CallError::InvalidReply(_)),
            "{tail}"
        );
        assert!(wire.sent().is_empty());
    }
}

/// What has neither result nor error is no reply, whatever id it has: a line of a log may have one.
#[test]
fn what_has_an_id_and_nothing_else_of_a_reply_ends_no_call() {
    let mut wire = Wire::ready(LEGACY);
    wire.call("tools/list");
    let id = &wire.sent()[0]["id"];
    wire.write_text(&format!(r#"{{"jsonrpc":"2.0","id":{id},"x":1}}"#));
    assert!(wire.events().is_empty());
}

#[test]
fn an_overlong_reply_ends_its_call_however_it_is_cut() {
    let mut config = config();
    config.limits.line_bytes = 400;
    for step in [1, 7, 100_000] {
        let mut wire = Wire::ready_with(config.clone(), LEGACY);
        wire.call("tools/list");
        wire.call("tools/list");
        let sent = wire.sent();
        let text = format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":{},\"result\":{{\"x\":\"{}\"}}}}\n",
            sent[0]["id"],
            "y".repeat(10_000)
        );
        for part in text.as_bytes().chunks(step) {
            wire.client.receive(wire.now, part);
        }
        assert!(
            matches!(only_error(&wire.events()), CallError::InvalidReply(_)),
            "{step}"
        );
        wire.write(&result(&sent[1]["id"], tools()));
        assert!(replies(&wire.events())[0].1.is_ok(), "the connection lives on");
    }
}

#[test]
fn junk_is_counted_and_never_answered() {
    let mut wire = Wire::ready(LEGACY);
    let call = wire.call("tools/list");
    let id = wire.sent()[0]["id"].clone();
    let junk = [
        "hello",
        "{",
        "[]",
        "[1]",
        "42",
        "null",
        "\"x\"",
        "{}",
        r#"{"jsonrpc":"2.0"}"#,
        r#"{"jsonrpc":"1.0","id":1,"method":"x"}"#,
        r#"{"jsonrpc":"2.0","id":null,"method":"x"}"#,
        r#"{"jsonrpc":"2.0","id":{},"result":{}}"#,
    ];
    for line in junk {
        wire.write_text(line);
    }
    wire.client.receive(wire.now, &[0xff, 0xfe, b'\n']);
    wire.write_text(&"[".repeat(10_000));
    assert!(wire.sent().is_empty());
    assert!(wire.events().is_empty());
    assert_eq!(wire.client.as_client().counters().junk, junk.len() as u64 + 2);
    wire.write(&result(&id, tools()));
    assert_eq!(replies(&wire.events())[0].0, call);
}

#[test]
fn batches_belong_to_one_revision() {
    for revision in Revision::ALL {
        let mut wire = Wire::ready(revision);
        wire.call("tools/list");
        wire.call("tools/list");
        let sent = wire.sent();
        let batch: Vec<Value> = sent.iter().map(|message| result(&message["id"], tools())).collect();
        wire.write(&json!(batch));
        let expected = if revision == Revision::V2025_03_26 { 2 } else { 0 };
        assert_eq!(replies(&wire.events()).len(), expected, "{revision}");
        assert_eq!(
            wire.client.as_client().counters().junk,
            u64::from(expected == 0),
            "{revision}"
        );
    }
}

/// 2025-03-26, Overview, Batching: what is asked in a batch "MUST" be received, and batches "MAY" be sent: the answers go
/// back one by one.
#[test]
fn requests_that_come_in_a_batch_are_answered_one_by_one() {
    let mut wire = Wire::ready(Revision::V2025_03_26);
    let ask = |id: &str, method: &str| json!({"jsonrpc": "2.0", "id": id, "method": method});
    wire.write(&json!([ask("a", "ping"), 7, ask("b", "roots/list"), ask("c", "ping")]));
    for event in wire.events() {
        if let ClientEvent::Request(request) = event {
            wire.client.client().respond(request.key, Ok(RawJson::empty_object()));
        }
    }
    let sent = wire.sent();
    let ids: Vec<_> = sent.iter().map(|message| message["id"].clone()).collect();
    assert_eq!(ids, ["a", "c", "b"]);
    assert_eq!(wire.client.as_client().counters().junk, 1);
}

#[test]
fn result_types() {
    let outcome = |revision, answer: Value| {
        let mut wire = Wire::ready(revision);
        wire.call("tools/list");
        let id = wire.sent()[0]["id"].clone();
        wire.write(&result(&id, answer));
        replies(&wire.events()).remove(0).1
    };
    let modern = Revision::LATEST;
    assert!(outcome(modern, json!({"resultType": "complete"})).is_ok());
    assert!(outcome(modern, json!({"tools": []})).is_ok());
    // What it needs cannot be given to this method (Multi Round-Trip Requests, Supported Requests).
    let input = outcome(modern, json!({"resultType": "input_required", "requestState": "s"}));
    assert!(matches!(input, Err(CallError::InvalidReply(_))), "{input:?}");
    assert!(outcome(LEGACY, json!({"resultType": "input_required"})).is_ok());
    for kind in ["mystery", ""] {
        let unknown = outcome(modern, json!({"resultType": kind}));
        assert_eq!(unknown.unwrap_err(), CallError::UnknownResultType(kind.into()));
        assert!(outcome(LEGACY, json!({"resultType": kind})).is_ok());
    }
    for wrong in [json!({"resultType": 5}), json!([]), json!(7), json!("x"), json!(null)] {
        let outcome = outcome(modern, wrong.clone());
        assert!(
            matches!(outcome, Err(CallError::InvalidReply(_))),
            "{wrong}: {outcome:?}"
        );
    }
}

#[test]
fn progress_reaches_its_call_and_lengthens_its_time_up_to_the_bound() {
    let mut wire = Wire::ready(LEGACY);
    let options = CallOptions::new()
        .with_timeout(secs(10))
        .with_max_timeout(secs(25))
        .with_progress();
    let first = wire.call_with("tools/call", params(&json!({"name": "a"})), options.clone());
    let second = wire.call_with("tools/call", params(&json!({"name": "b"})), options);
    let sent = wire.sent();
    let token = |at: usize| sent[at]["params"]["_meta"]["progressToken"].clone();
    let progress = |token: Value, progress: u64| json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": token, "progress": progress}});
    for seconds in [8, 16, 24] {
        wire.advance(seconds);
        wire.write(&progress(token(1), seconds));
    }
    wire.write(&progress(json!("nobody"), 1));
    wire.write(&progress(json!(4711), 1));
    assert_eq!(wire.client.as_client().counters().stray_progress, 2);
    wire.advance(100);
    let events = wire.events();
    let progressed = |event: &ClientEvent| matches!(event, ClientEvent::Progress { call, .. } if *call == second);
    assert_eq!(events.iter().filter(|event| progressed(event)).count(), 3);
    let timeout = |seconds| {
        Err(CallError::Timeout {
            phase: Phase::Request,
            after: secs(seconds),
        })
    };
    assert_eq!(replies(&events), [(first, timeout(10)), (second, timeout(25))]);
}

#[test]
fn progress_does_not_lengthen_the_time_of_a_call_that_was_not_sent() {
    let mut wire = Wire::new(config());
    let options = CallOptions::new().with_timeout(secs(5)).with_progress();
    wire.call_with("tools/call", params(&json!({"name": "a"})), options);
    wire.sent();
    wire.advance(4);
    for token in 0..5 {
        wire.write(&json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": token, "progress": 1}}));
    }
    wire.advance(5);
    assert!(matches!(
        only_error(&wire.events()),
        CallError::Timeout {
            phase: Phase::Probe,
            ..
        }
    ));
}

#[test]
fn the_callers_bound_is_kept_even_without_a_timeout_of_its_own() {
    let mut wire = Wire::ready(LEGACY);
    let options = CallOptions::new().with_max_timeout(secs(5));
    wire.call_with("tools/list", Params::NONE, options);
    wire.sent();
    wire.advance(5);
    assert!(matches!(only_error(&wire.events()), CallError::Timeout { after, .. } if after == secs(5)));
}

#[test]
fn closing_settles_every_call_once_and_the_first_reason_stays() {
    let mut wire = Wire::ready(LEGACY);
    let calls: Vec<_> = (0..5).map(|_| wire.call("tools/list")).collect();
    wire.sent();
    let queued = wire.call("tools/list");
    wire.client
        .client()
        .notify("notifications/roots/list_changed", Params::NONE)
        .unwrap();
    wire.client.close(CloseReason::Local);
    wire.client.receive_eof(wire.now);
    wire.client.close(CloseReason::DriverDropped);
    assert_eq!(
        methods(&wire.sent()),
        ["notifications/roots/list_changed"],
        "what is queued is flushed"
    );
    let events = wire.events();
    let expected: Vec<_> = calls
        .into_iter()
        .chain([queued])
        .map(|call| (call, Err(CallError::Closed(CloseReason::Local))))
        .collect();
    assert_eq!(replies(&events), expected);
    let closings = events
        .iter()
        .filter(|event| matches!(event, ClientEvent::Closed(_)))
        .count();
    assert_eq!(closings, 1);
    assert!(matches!(events.last(), Some(ClientEvent::Closed(CloseReason::Local))));
    let refused = wire
        .client
        .client()
        .call("tools/list", Params::NONE, CallOptions::default());
    assert_eq!(refused, Err(SendError::Closed(CloseReason::Local)));
    let refused = wire.client.client().notify("notifications/x", Params::NONE);
    assert_eq!(refused, Err(SendError::Closed(CloseReason::Local)));
    wire.client.client().connect();
    wire.write(&json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}));
    wire.advance(1_000);
    assert!(wire.sent().is_empty() && wire.events().is_empty());
    assert_eq!(wire.client.poll_timeout(), None);
}

#[test]
fn calls_and_bytes_are_bounded() {
    let mut config = config();
    config.limits.pending_calls = 3;
    // Each entry counts for some hundred bytes beside its text.
    config.limits.outbox_bytes = 2_000;
    let mut wire = Wire::ready_with(config, LEGACY);
    let call = |wire: &mut Wire, size: usize| {
        let params = params(&json!({"name": "x".repeat(size)}));
        wire.client.client().call("tools/call", params, CallOptions::default())
    };
    call(&mut wire, 2_100).unwrap();
    let Err(SendError::Blocked(back)) = call(&mut wire, 10) else {
        panic!()
    };
    assert_eq!(back, params(&json!({"name": "x".repeat(10)})));
    // The server may read on only when its answers are read.
    assert!(wire.client.wants_input());
    wire.sent();
    call(&mut wire, 10).unwrap();
    call(&mut wire, 10).unwrap();
    assert_eq!(call(&mut wire, 10), Err(SendError::TooManyCalls));
}

#[test]
fn sixty_thousand_calls_time_out_together_in_no_time() {
    let mut wire = Wire::new(config());
    for _ in 0..60_000 {
        wire.call("tools/list");
    }
    wire.sent();
    wire.advance(60);
    assert_eq!(replies(&wire.events()).len(), 60_000);
    let mut wire = Wire::ready(LEGACY);
    let calls: Vec<_> = (0..60_000).map(|_| wire.call("tools/list")).collect();
    for call in calls {
        wire.client.client().cancel(call);
    }
    assert!(wire.sent().is_empty());
}
