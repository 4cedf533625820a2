//! Whose is it: what comes with a call says so, and what is sent for somebody says for whom.

use mcp_proto::client::ClientEvent;
use mcp_proto::jsonrpc::{Params, RawJson};
use mcp_proto::model::{ClientCapabilities, Implementation};
use mcp_proto::rpc::{CallId, CallOptions, OnBehalfOf};
use mcp_proto::{Era, Revision};
use serde_json::{Value, json};

use crate::http_support::{SSE, Web, sse};
use crate::support::{Wire, params, result, tools};

const LEGACY: Revision = Revision::LATEST_LEGACY;
const BOTH: [Revision; 2] = [LEGACY, Revision::LATEST];

fn note(method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "method": method, "params": params})
}

fn ask(id: u32) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "roots/list"})
}

/// What came, and with which call.
fn related(events: Vec<ClientEvent>) -> Vec<(String, Option<CallId>)> {
    let of = |event| match event {
        ClientEvent::Notification(incoming) => Some((incoming.notification.method.as_str().into(), incoming.related)),
        ClientEvent::Request(incoming) => Some((incoming.request.method.as_str().into(), incoming.related)),
        _ => None,
    };
    events.into_iter().filter_map(of).collect()
}

#[test]
fn over_http_what_comes_in_a_response_came_with_its_call() {
    for revision in BOTH {
        let mut web = Web::ready(revision);
        let calls = [web.call("tools/list"), web.call("tools/list")];
        let posts = web.opened();
        for (at, post) in posts.iter().enumerate() {
            web.head(post.id, 200, &[("content-type", SSE)]);
            web.body(post.id, &sse(&[note("its/own", json!({"x": 1})), ask(at as u32)]));
        }
        let mut expected = Vec::new();
        for call in calls {
            expected.push(("its/own".to_owned(), Some(call)));
            // A modern server does not ask.
            if revision.era() == Era::Legacy {
                expected.push(("roots/list".to_owned(), Some(call)));
            }
        }
        assert_eq!(related(web.events()), expected, "{revision:?}");
        let after = [result(posts[0].rpc_id(), tools()), note("its/own", json!({}))];
        web.body(posts[0].id, &sse(&after));
        assert_eq!(related(web.events()), [("its/own".into(), None)], "it is answered");
    }
}

#[test]
fn on_a_byte_stream_only_a_subscription_says_so() {
    let mut wire = Wire::ready(Revision::LATEST);
    let listen = wire.call_with(
        "subscriptions/listen",
        params(&json!({"notifications": {}})),
        CallOptions::new(),
    );
    let id = wire.sent()[0]["id"].clone();
    let changed = "notifications/prompts/list_changed";
    wire.write(&note(
        changed,
        json!({"_meta": {"io.modelcontextprotocol/subscriptionId": id}}),
    ));
    wire.write(&note(
        changed,
        json!({"_meta": {"io.modelcontextprotocol/subscriptionId": 99}}),
    ));
    wire.write(&note(changed, json!({})));
    let calls: Vec<_> = related(wire.events()).into_iter().map(|(_, call)| call).collect();
    assert_eq!(calls, [Some(listen), None, None]);
    let mut wire = Wire::ready(LEGACY);
    wire.call("tools/list");
    wire.sent();
    wire.write(&ask(1));
    assert_eq!(related(wire.events()), [("roots/list".into(), None)]);
}

#[test]
fn a_call_is_made_on_behalf_of_somebody_where_the_era_has_words_for_it() {
    let other = OnBehalfOf::new(&Implementation::new("other", "2"), &ClientCapabilities::default());
    let options = CallOptions::new().with_on_behalf_of(other);
    let key = |name: &str| format!("io.modelcontextprotocol/{name}");
    for revision in BOTH {
        let mut wire = Wire::ready(revision);
        wire.call_with("tools/list", Params::NONE, options.clone());
        wire.call("tools/list");
        let sent = wire.sent();
        let names: Vec<_> = sent
            .iter()
            .map(|it| it["params"]["_meta"][key("clientInfo")]["name"].as_str())
            .collect();
        match revision.era() {
            Era::Modern => assert_eq!(names, [Some("other"), Some("tester")]),
            _ => assert_eq!(names, [None, None]),
        }
    }
}

/// Parameters of a modern request of somebody else, with a line break and odd spacing.
const FORWARDED: &str = "{ \"name\" :\"a\",\n\"_meta\": {\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\",\
    \"io.modelcontextprotocol/clientInfo\":{\"name\":\"other\",\"version\":\"2\"}, \"mine\" : 1.0,\
    \"io.modelcontextprotocol/clientCapabilities\":{},\"io.modelcontextprotocol/logLevel\":\"info\",\
    \"progressToken\":\"theirs\"} ,\"arguments\":{\"x\" : 1e0} }";

#[test]
fn what_is_forwarded_is_not_sent_in_the_name_of_who_wrote_it() {
    for revision in BOTH {
        let mut wire = Wire::ready(revision);
        let forwarded = Params::from_raw(RawJson::parse(FORWARDED).unwrap()).unwrap();
        wire.call_with("tools/call", forwarded, CallOptions::new());
        let line = wire.client.poll_transmit(wire.now).unwrap();
        let line = core::str::from_utf8(&line).unwrap();
        assert_eq!(line.matches('\n').count(), 1, "{line}");
        for kept in [
            r#"{ "name" :"a", "#,
            r#""mine" : 1.0"#,
            r#"logLevel":"info""#,
            r#" ,"arguments":{"x" : 1e0} }"#,
        ] {
            assert!(line.contains(kept), "{kept} in {line}");
        }
        assert!(!line.contains("theirs") && !line.contains("other"), "{line}");
        let sent: Value = serde_json::from_str(line).unwrap();
        let version = &sent["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"];
        match revision.era() {
            Era::Modern => assert_eq!(version, "2026-07-28"),
            _ => assert!(version.is_null()),
        }
    }
}
