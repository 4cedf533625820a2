//! How two sides come to speak: deadlines, order, eras.

use std::time::Duration;

use http::{Response, StatusCode, Uri};
use mcp_proto::client::{ClientEvent, HttpClient, Mode, StreamClient};
use mcp_proto::http::client::{HttpAction, HttpClientConfig};
use mcp_proto::jsonrpc::Params;
use mcp_proto::method::Method;
use mcp_proto::rpc::{CallError, CallId, CallOptions, SendError};
use mcp_proto::{Revision, Time};
use mcp_tests::pair::{PairLink, Setup};
use serde_json::json;

use crate::{INITIALIZED, NOW, call, config, hear, written};

/// rust-sdk#468, #1366, #745: something comes before the answer to `initialize`.
#[test]
fn the_answer_to_initialize_need_not_come_first() {
    let mut client = StreamClient::new(config(Mode::Legacy(Revision::V2025_11_25)));
    client.client().connect();
    assert!(written(&mut client).contains("initialize"));
    hear(
        &mut client,
        r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}"#,
    );
    hear(&mut client, r#"{"jsonrpc":"2.0","id":"early","method":"ping"}"#);
    assert_eq!(
        written(&mut client),
        "{\"jsonrpc\":\"2.0\",\"id\":\"early\",\"result\":{}}\n"
    );
    hear(
        &mut client,
        r#"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"s","version":"1"}}}"#,
    );
    assert_eq!(written(&mut client), format!("{INITIALIZED}\n"));
    assert!(client.as_client().is_ready());
}

/// Servers that are fetched before they start take longer than any deadline: python-sdk#395, #552. The client that asks
/// twice is told that it "may be sent once", and never hears anything else.
#[test]
fn a_server_that_is_slow_to_start_is_asked_once() {
    let mut client = StreamClient::new(config(Mode::Legacy(Revision::LATEST_LEGACY)));
    let mut now = NOW;
    let mut outcomes = Vec::new();
    let mut asked = String::new();
    for n in 0..3 {
        let params = Params::from_serialize(&json!({"name": "x", "arguments": {}})).expect("an object");
        client
            .client()
            .call(Method::CallTool, params, CallOptions::default())
            .expect("room");
        let sent = said_at(&mut client, now);
        assert_eq!(sent.contains("initialize"), n == 0, "{sent}");
        asked += &sent;
        if n < 2 {
            now = client.poll_timeout().expect("every call has its deadline");
            client.handle_timeout(now);
        }
        outcomes.extend(replies(&mut client));
    }
    assert_eq!(outcomes.len(), 2, "each call that nobody answered has failed");
    assert_eq!(
        client.as_client().pending_calls(),
        2,
        "the third, and the handshake that it waits for"
    );
    let id = asked
        .split("\"id\":")
        .nth(1)
        .and_then(|rest| rest.split(',').next())
        .expect("an id");
    let facts =
        r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"}}"#;
    client.receive(
        now,
        format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{facts}}}\n").as_bytes(),
    );
    let sent = said_at(&mut client, now);
    assert!(
        sent.contains("notifications/initialized") && sent.contains("tools/call"),
        "{sent}"
    );
    assert_eq!(client.as_client().counters().late_replies, 0);
}

/// Everything that the client has to say.
fn said_at(client: &mut StreamClient, now: Time) -> String {
    let mut text = Vec::new();
    while let Some(bytes) = client.poll_transmit(now) {
        text.extend_from_slice(&bytes);
    }
    String::from_utf8(text).expect("UTF-8")
}

/// The calls that are settled.
fn replies(client: &mut StreamClient) -> Vec<CallError> {
    std::iter::from_fn(|| client.poll_event())
        .filter_map(|event| match event {
            ClientEvent::Reply { outcome, .. } => Some(outcome.expect_err("nobody has answered")),
            _ => None,
        })
        .collect()
}

/// rust-sdk#1326, #1038: methods of one era sent in the other.
#[test]
fn what_the_era_does_not_have_is_not_sent() {
    for (revision, method) in [
        (Revision::V2026_07_28, "ping"),
        (Revision::V2026_07_28, "initialize"),
        (Revision::V2026_07_28, "resources/subscribe"),
        (Revision::V2025_11_25, "server/discover"),
        (Revision::V2025_11_25, "subscriptions/listen"),
        (Revision::V2025_11_25, "roots/list"),
    ] {
        let mut pair = Setup::speaking(revision).stream();
        pair.link.client().connect();
        pair.drive();
        let refused = pair.try_call(method, json!({}), CallOptions::default());
        assert!(
            matches!(refused, Err(SendError::OutOfEra { .. })),
            "{revision} {method}: {refused:?}"
        );
    }
}

/// The wall of an authorization server is no evidence that a server is old.
#[test]
fn an_authorization_wall_is_no_legacy_server() {
    for status in [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN] {
        let http = HttpClientConfig::new(Uri::from_static("http://localhost/mcp"));
        let mut client = HttpClient::new(config(Mode::Auto), &http);
        let options = CallOptions::new().with_timeout(Duration::from_secs(5));
        client
            .client()
            .call(Method::ListTools, Params::NONE, options)
            .expect("a call");
        let Some(HttpAction::Open { id, .. }) = client.poll_action(NOW) else {
            panic!("no request")
        };
        let head = Response::builder()
            .status(status)
            .body(())
            .expect("a response")
            .into_parts()
            .0;
        client.head(NOW, id, &head);
        client.end(NOW, id);
        assert!(client.poll_action(NOW).is_none(), "no initialize");
        let outcome = std::iter::from_fn(|| client.poll_event()).find_map(|event| match event {
            ClientEvent::Reply { outcome, .. } => Some(outcome),
            _ => None,
        });
        let error = outcome.expect("a reply").expect_err("no result");
        assert_eq!(error.http_status(), Some(status.as_u16()));
    }
}

/// python-sdk#1452, #543: a server that takes everything and says nothing, and a client that waits for ever.
#[test]
fn a_server_that_says_nothing_is_not_waited_for_for_ever() {
    for mode in [Mode::Auto, Mode::Modern, Mode::Legacy(Revision::LATEST_LEGACY)] {
        let mut client = StreamClient::new(config(mode));
        let pending = call(client.client());
        let mut now = NOW;
        let error = loop {
            let _ = said_at(&mut client, now);
            now = client.poll_timeout().expect("whatever waits has a deadline").max(now);
            client.handle_timeout(now);
            let mut events = std::iter::from_fn(|| client.poll_event());
            if let Some(ClientEvent::Reply { call, outcome }) =
                events.find(|event| matches!(event, ClientEvent::Reply { .. }))
            {
                assert_eq!(call, pending);
                break outcome.expect_err("nobody has answered");
            }
        };
        assert!(matches!(error, CallError::Timeout { .. }), "{mode:?}: {error}");
        assert!(now.elapsed() <= Duration::from_secs(60), "{mode:?}: {now:?}");
    }
}

/// rust-sdk#1038, #1308: fields of one era in the results of the other, or missing in their own.
#[test]
fn each_era_has_the_results_that_it_knows() {
    for revision in Revision::ALL {
        let mut pair = Setup::speaking(revision).stream();
        let list = pair.call("tools/list", json!({}));
        pair.drive();
        let result = pair.result(list);
        for field in ["resultType", "ttlMs", "cacheScope"] {
            let is_there = result.get(field).is_some();
            assert_eq!(is_there, !revision.has_initialize(), "{field} in {revision}: {result}");
        }
    }
}

/// A client over a child that can be started again, whose `server/discover` is written.
fn probing() -> (StreamClient, CallId) {
    let mut client = StreamClient::new(config(Mode::Auto));
    client.allow_reopening();
    let waiting = call(client.client());
    assert!(written(&mut client).contains("server/discover"));
    (client, waiting)
}

/// Answers `initialize`, and the call that waited for it.
fn serve_legacy(client: &mut StreamClient, waiting: CallId) {
    let asked: serde_json::Value = serde_json::from_str(&written(client)).expect("one message");
    assert_eq!(asked["method"], "initialize");
    let result =
        r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"}}"#;
    hear(
        client,
        &format!(r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#, asked["id"]),
    );
    let sent = written(client);
    let request: serde_json::Value = serde_json::from_str(sent.lines().last().expect("a line")).expect("JSON");
    assert_eq!(request["method"], "tools/call", "{sent}");
    hear(
        client,
        &format!(
            r#"{{"jsonrpc":"2.0","id":{},"result":{{"content":[]}}}}"#,
            request["id"]
        ),
    );
    let replies: Vec<_> = std::iter::from_fn(|| client.poll_event())
        .filter_map(|event| match event {
            ClientEvent::Reply { call, outcome } => Some((call, outcome.is_ok())),
            _ => None,
        })
        .collect();
    assert_eq!(replies, [(waiting, true)]);
    assert_eq!(
        client.as_client().prior().map(|prior| prior.revision()),
        Some(Revision::V2025_11_25)
    );
}

/// Legacy servers that exit because of a method that they do not know.
#[test]
fn a_server_that_dies_of_the_probe_is_started_again_with_initialize() {
    for last_words in [
        "",
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32601,\"message\":\"no\"}}\n",
        "panic!\n",
    ] {
        let (mut client, waiting) = probing();
        client.receive(NOW, last_words.as_bytes());
        client.receive_eof(NOW);
        assert!(client.wants_reopening(), "{last_words:?}");
        assert_eq!(written(&mut client), "", "nothing is for the stream that is over");
        client.reopened();
        serve_legacy(&mut client, waiting);
        client.receive_eof(NOW);
        assert!(
            !client.wants_reopening() && client.as_client().closed().is_some(),
            "once"
        );
    }
}

#[test]
fn a_server_that_dies_twice_or_for_another_reason_is_not_started_again() {
    let (mut client, _) = probing();
    client.receive_eof(NOW);
    client.reopened();
    client.receive_eof(NOW);
    assert!(
        !client.wants_reopening() && client.as_client().closed().is_some(),
        "twice"
    );
    let (mut client, _) = probing();
    client.receive_eof(NOW);
    client.receive_eof(NOW);
    assert!(
        !client.wants_reopening() && client.as_client().closed().is_some(),
        "it cannot be started"
    );
    for mode in [Mode::Modern, Mode::Legacy(Revision::V2025_11_25)] {
        let mut client = StreamClient::new(config(mode));
        client.allow_reopening();
        call(client.client());
        assert!(!written(&mut client).is_empty());
        client.receive_eof(NOW);
        assert!(!client.wants_reopening() && client.as_client().closed().is_some());
    }
    let mut client = StreamClient::new(config(Mode::Auto));
    call(client.client());
    assert!(!written(&mut client).is_empty());
    client.receive_eof(NOW);
    assert!(!client.wants_reopening(), "a stream that cannot be opened again");
    assert!(client.as_client().closed().is_some());
}

/// Servers that answer what they do not know without its id.
#[test]
fn an_error_without_an_id_answers_the_probe() {
    for answer in [
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32601,"message":"no"}}"#,
        r#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"no"}}"#,
        r#"{"error":{"code":-32601,"message":"no"}}"#,
    ] {
        let (mut client, waiting) = probing();
        hear(&mut client, answer);
        serve_legacy(&mut client, waiting);
    }
}

/// Of two revisions that a server named, only one was told.
#[test]
fn every_revision_that_the_server_named_is_told() {
    let mut client = StreamClient::new(config(Mode::Modern));
    let waiting = call(client.client());
    let asked: serde_json::Value = serde_json::from_str(&written(&mut client)).expect("one message");
    let data = r#"{"supported":["2031-01-01","2032-01-01"],"requested":"2026-07-28"}"#;
    let error = format!(r#"{{"code":-32022,"message":"unsupported","data":{data}}}"#);
    hear(
        &mut client,
        &format!(r#"{{"jsonrpc":"2.0","id":{},"error":{error}}}"#, asked["id"]),
    );
    let told = std::iter::from_fn(|| client.poll_event()).find_map(|event| match event {
        ClientEvent::Reply { call, outcome } if call == waiting => Some(outcome.expect_err("none in common")),
        _ => None,
    });
    let told = told.expect("it is settled").to_string();
    assert!(told.contains("2031-01-01") && told.contains("2032-01-01"), "{told}");
}
