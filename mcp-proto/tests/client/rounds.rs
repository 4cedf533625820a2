//! Calls whose servers need input first (2026-07-28, Multi Round-Trip Requests).

use mcp_proto::Revision;
use mcp_proto::client::ClientEvent;
use mcp_proto::jsonrpc::{Params, RawJson};
use mcp_proto::model::{Json, Map};
use mcp_proto::rpc::{CallError, CallId, CallOptions, CloseReason, Phase};
use serde_json::{Value, json};

use crate::http_support::{SSE, Web, sse, verbs};
use crate::support::{Wire, config, methods, only_error, params, replies, result, secs};

const LEGACY: Revision = Revision::V2025_11_25;

fn required(id: &Value, state: &str) -> Value {
    result(
        id,
        json!({"resultType": "input_required", "requestState": state, "inputRequests": {"roots": {"method": "roots/list"}}}),
    )
}

fn complete(id: &Value) -> Value {
    result(id, json!({"resultType": "complete", "content": []}))
}

fn tool(wire: &mut Wire, options: CallOptions) -> CallId {
    wire.call_with("tools/call", params(&json!({"name": "x", "arguments": {}})), options)
}

/// The calls that need input, among some events.
fn asked(events: &[ClientEvent]) -> Vec<(CallId, Vec<String>)> {
    let asked = events.iter().filter_map(|event| match event {
        ClientEvent::InputRequired { call, requests, .. } => {
            Some((*call, requests.iter().map(|(key, _)| key.to_owned()).collect()))
        }
        _ => None,
    });
    asked.collect()
}

fn inputs() -> Map<Json> {
    [("roots", Json::parse(r#"{"roots": []}"#).unwrap())]
        .into_iter()
        .collect()
}

#[test]
fn the_request_is_made_again_with_another_id_the_inputs_and_the_same_state() {
    let mut wire = Wire::ready(Revision::LATEST);
    let call = tool(&mut wire, CallOptions::new().with_progress());
    let first = wire.sent().remove(0);
    wire.write_text(&format!(
        r#"{{"jsonrpc":"2.0","id":{},"result":{{"resultType":"input_required","requestState":"\u0041 \/","inputRequests":{{"roots":{{"method":"roots/list"}}}}}}}}"#,
        first["id"]
    ));
    let events = wire.events();
    assert_eq!(asked(&events), [(call, vec![String::from("roots")])]);
    assert!(replies(&events).is_empty() && wire.sent().is_empty());
    assert!(wire.client.as_client().is_waiting(call));
    wire.client.client().resume(call, inputs());
    wire.client.client().resume(call, inputs());
    let text = wire.client.poll_transmit(wire.now).unwrap();
    assert!(wire.sent().is_empty(), "it is made again once");
    let text = String::from_utf8(text.to_vec()).unwrap();
    assert!(text.contains(r#""requestState":"\u0041 \/""#), "byte for byte: {text}");
    let second: Value = serde_json::from_str(&text).unwrap();
    assert_ne!(second["id"], first["id"]);
    assert_eq!(second["params"]["inputResponses"], json!({"roots": {"roots": []}}));
    assert_eq!(second["params"]["arguments"], first["params"]["arguments"]);
    assert_eq!(second["params"]["_meta"]["progressToken"], second["id"]);
    // What comes for the second request belongs to the call.
    let token = &second["id"];
    wire.write(&json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": token, "progress": 1}}));
    wire.write(&complete(&second["id"]));
    let events = wire.events();
    assert!(matches!(events[0], ClientEvent::Progress { call: it, .. } if it == call));
    assert!(matches!(replies(&events)[..], [(it, Ok(_))] if it == call));
    assert_eq!(wire.client.as_client().pending_calls(), 0);
    assert_eq!(wire.client.kept().entries, 0);
}

#[test]
fn a_state_alone_goes_back_at_once_and_what_is_absent_stays_so() {
    let mut wire = Wire::ready(Revision::LATEST);
    let call = tool(&mut wire, CallOptions::default());
    let first = wire.sent().remove(0);
    wire.write(&result(
        &first["id"],
        json!({"resultType": "input_required", "requestState": "s"}),
    ));
    assert!(wire.events().is_empty());
    let second = wire.sent().remove(0);
    assert_eq!(second["params"]["requestState"], "s");
    assert_eq!(second["params"].get("inputResponses"), None);
    // The second answer names no state: none goes back.
    wire.write(&result(
        &second["id"],
        json!({"resultType": "input_required", "inputRequests": {"roots": {"method": "roots/list"}}}),
    ));
    wire.client.client().resume(call, inputs());
    let third = wire.sent().remove(0);
    assert_eq!(third["params"].get("requestState"), None);
}

#[test]
fn calls_side_by_side_keep_their_own_states() {
    let mut wire = Wire::ready(Revision::LATEST);
    let calls: Vec<CallId> = (0..3).map(|_| tool(&mut wire, CallOptions::default())).collect();
    for (number, sent) in wire.sent().iter().enumerate() {
        wire.write(&required(&sent["id"], &format!("state {number}")));
    }
    for call in [calls[2], calls[0], calls[1]] {
        wire.client.client().resume(call, inputs());
    }
    let other = wire.call("tools/list");
    let states: Vec<Value> = wire
        .sent()
        .iter()
        .map(|it| it["params"]["requestState"].clone())
        .collect();
    assert_eq!(
        states,
        [json!("state 2"), json!("state 0"), json!("state 1"), json!(null)]
    );
    assert!(wire.client.as_client().is_waiting(other));
}

#[test]
fn a_wait_for_input_has_its_own_deadline_and_the_calls_own_does_not_run() {
    let mut wire = Wire::ready(Revision::LATEST);
    let call = tool(&mut wire, CallOptions::new().with_timeout(secs(5)));
    let first = wire.sent().remove(0);
    wire.write(&required(&first["id"], "s"));
    wire.advance(500);
    assert!(replies(&wire.events()).is_empty());
    wire.client.client().resume(call, inputs());
    let second = wire.sent().remove(0);
    wire.advance(504);
    assert!(replies(&wire.events()).is_empty(), "its time begins anew");
    wire.write(&required(&second["id"], "s"));
    wire.advance(504 + 600);
    let after = secs(600);
    let error = only_error(&wire.events());
    assert_eq!(
        error,
        CallError::Timeout {
            phase: Phase::Input,
            after
        }
    );
    assert!(!error.is_unprocessed());
    wire.client.client().resume(call, inputs());
    assert!(wire.sent().is_empty());
    assert_eq!(wire.client.kept().entries, 0);
}

#[test]
fn the_rounds_of_a_call_are_bounded() {
    let mut config = config();
    config.limits.rounds = 3;
    let mut wire = Wire::ready_with(config, Revision::LATEST);
    let call = tool(&mut wire, CallOptions::default());
    for _ in 0..3 {
        let sent = wire.sent().remove(0);
        wire.write(&required(&sent["id"], "s"));
        assert_eq!(asked(&wire.events()).len(), 1);
        wire.client.client().resume(call, inputs());
    }
    let sent = wire.sent().remove(0);
    wire.write(&required(&sent["id"], "s"));
    assert_eq!(only_error(&wire.events()), CallError::TooManyRounds { most: 3 });
    assert_eq!(wire.client.kept().entries, 0);
}

#[test]
fn only_three_methods_may_be_answered_so_and_only_with_what_may_be_asked() {
    for method in ["tools/call", "prompts/get", "resources/read"] {
        let mut wire = Wire::ready_with(config().with_strict_capabilities(false), Revision::LATEST);
        let call = wire.call(method);
        let sent = wire.sent().remove(0);
        wire.write(&required(&sent["id"], "s"));
        assert_eq!(asked(&wire.events())[0].0, call, "{method}");
    }
    for method in ["tools/list", "completion/complete", "x/y"] {
        let mut wire = Wire::ready_with(config().with_strict_capabilities(false), Revision::LATEST);
        wire.call(method);
        let sent = wire.sent().remove(0);
        wire.write(&required(&sent["id"], "s"));
        let error = only_error(&wire.events());
        assert!(matches!(error, CallError::InvalidReply(_)), "{method}: {error}");
    }
    for answer in [
        json!({"resultType": "input_required"}),
        json!({"resultType": "input_required", "requestState": 7}),
        json!({"resultType": "input_required", "inputRequests": {"a": {"method": "tools/call"}}}),
    ] {
        let mut wire = Wire::ready(Revision::LATEST);
        tool(&mut wire, CallOptions::default());
        let sent = wire.sent().remove(0);
        wire.write(&result(&sent["id"], answer.clone()));
        assert!(
            matches!(only_error(&wire.events()), CallError::InvalidReply(_)),
            "{answer}"
        );
    }
}

#[test]
fn a_legacy_result_with_a_result_type_is_a_result() {
    let mut wire = Wire::ready(LEGACY);
    tool(&mut wire, CallOptions::default());
    let sent = wire.sent().remove(0);
    wire.write(&required(&sent["id"], "s"));
    assert!(matches!(replies(&wire.events())[..], [(_, Ok(_))]));
}

#[test]
fn who_wants_each_round_gets_it_as_it_came() {
    let mut wire = Wire::ready(Revision::LATEST);
    let call = tool(&mut wire, CallOptions::new().with_rounds_by_hand());
    let sent = wire.sent().remove(0);
    wire.write(&required(&sent["id"], "s"));
    let replies = replies(&wire.events());
    let [(it, Ok(round))] = &replies[..] else {
        panic!("{replies:?}")
    };
    assert!(*it == call && RawJson::as_str(round).contains("input_required"));
    assert!(!wire.client.as_client().is_waiting(call));
}

#[test]
fn a_call_that_is_given_up_cancelled_or_closed_leaves_nothing() {
    for is_sent_again in [false, true] {
        for end in 0..3 {
            let mut wire = Wire::ready(Revision::LATEST);
            let call = tool(&mut wire, CallOptions::default());
            let first = wire.sent().remove(0);
            wire.write(&required(&first["id"], "s"));
            wire.events();
            let mut latest = None;
            if is_sent_again {
                wire.client.client().resume(call, inputs());
                latest = Some(wire.sent().remove(0)["id"].clone());
            }
            let client = wire.client.client();
            match end {
                0 => client.give_up(call, CallError::Cancelled),
                1 => client.cancel(call),
                _ => client.close(CloseReason::Local),
            }
            let (sent, replies) = (wire.sent(), replies(&wire.events()));
            match (end, &latest) {
                (0, Some(_)) => {
                    assert!(replies.is_empty(), "it waits for its answer");
                    continue;
                }
                (0, None) => assert_eq!(replies, [(call, Err(CallError::Cancelled))]),
                (1, Some(latest)) => {
                    assert_eq!(methods(&sent), ["notifications/cancelled"]);
                    assert_eq!(sent[0]["params"]["requestId"], *latest);
                }
                (1, None) => assert!(sent.is_empty() && replies.is_empty()),
                _ => assert_eq!(replies, [(call, Err(CallError::Closed(CloseReason::Local)))]),
            }
            assert!(!wire.client.as_client().is_waiting(call));
            assert_eq!(wire.client.kept().entries, 0);
        }
    }
}

#[test]
fn calls_that_wait_for_input_count_as_calls() {
    let mut config = config();
    config.limits.pending_calls = 1;
    let mut wire = Wire::ready_with(config, Revision::LATEST);
    let call = tool(&mut wire, CallOptions::default());
    let first = wire.sent().remove(0);
    wire.write(&required(&first["id"], "s"));
    let more = |wire: &mut Wire| {
        wire.client
            .client()
            .call("tools/list", Params::NONE, CallOptions::default())
            .is_ok()
    };
    assert!(!more(&mut wire));
    wire.client.client().give_up(call, CallError::Cancelled);
    assert!(more(&mut wire));
}

#[test]
fn over_http_what_comes_with_a_later_round_belongs_to_the_call() {
    let mut web = Web::ready(Revision::LATEST);
    let call = web.call_with("tools/call", params(&json!({"name": "x"})), CallOptions::default());
    let first = web.opened().remove(0);
    web.json(first.id, 200, &required(first.rpc_id(), "s"));
    assert_eq!(asked(&web.events()).len(), 1);
    web.client.client().resume(call, inputs());
    let second = web.opened().remove(0);
    assert_eq!(second.header("mcp-name"), Some("x"));
    assert_ne!(second.rpc_id(), first.rpc_id());
    web.head(second.id, 200, &[("content-type", SSE)]);
    let notice = json!({"jsonrpc": "2.0", "method": "x/notice"});
    web.body(second.id, &sse(&[notice]));
    let events = web.events();
    assert!(
        matches!(&events[..], [ClientEvent::Notification(it)] if it.related == Some(call)),
        "{events:?}"
    );
    web.body(second.id, &sse(&[complete(second.rpc_id())]));
    assert!(matches!(replies(&web.events())[..], [(it, Ok(_))] if it == call));
}

#[test]
fn a_broken_modern_response_is_asked_for_again_as_another_request_where_that_does_no_harm() {
    for (method, options, is_repeated) in [
        ("resources/read", CallOptions::new(), true),
        ("prompts/get", CallOptions::new(), true),
        ("tools/call", CallOptions::new().with_idempotence(), true),
        ("tools/call", CallOptions::new(), false),
    ] {
        let mut web = Web::ready_with(config().with_strict_capabilities(false), Revision::LATEST);
        let call = web.call_with(method, params(&json!({"name": "x", "uri": "x:"})), options);
        let first = web.opened().remove(0);
        web.head(first.id, 200, &[("content-type", SSE)]);
        web.broken(first.id);
        let mut opened = web.opened();
        if !is_repeated {
            assert!(opened.is_empty());
            assert_eq!(only_error(&web.events()), CallError::Disconnected, "{method}");
            continue;
        }
        assert_eq!(verbs(&opened), [method]);
        let second = opened.remove(0);
        assert_ne!(second.rpc_id(), first.rpc_id());
        // Once: a server that breaks off each time is not asked for ever.
        web.head(second.id, 200, &[("content-type", SSE)]);
        web.broken(second.id);
        assert!(web.opened().is_empty());
        assert_eq!(
            replies(&web.events()),
            [(call, Err(CallError::Disconnected))],
            "{method}"
        );
    }
}

#[test]
fn a_broken_legacy_response_is_not_asked_for_again() {
    let mut web = Web::ready_with(config().with_strict_capabilities(false), LEGACY);
    web.call_with("resources/read", Params::NONE, CallOptions::new());
    let first = web.opened().remove(0);
    web.head(first.id, 200, &[("content-type", SSE)]);
    web.broken(first.id);
    assert!(!verbs(&web.opened()).contains(&"resources/read"));
}
