//! What broke other implementations, one short test for each failure that the machines alone can show.
//!
//! Named after the failure; the numbers are those of the public reports. Where a theme has its own suite (deadlines,
//! cuts, cancellation, lost sessions: `tests/pair`), it is not repeated.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode, Uri};
use mcp_proto::client::{self, ClientConfig, HttpClient, Mode, StreamClient};
use mcp_proto::http::client::{Action, ExchangeError, ExchangeId, HttpClientConfig};
use mcp_proto::jsonrpc::Params;
use mcp_proto::method::Method;
use mcp_proto::model::{CallToolResult, Implementation};
use mcp_proto::rpc::{CallError, CallOptions, CloseReason, SendError};
use mcp_proto::server::{Event, Request, ResultBody, ServerConfig, StreamServer};
use mcp_proto::{Limits, Revision, Time};
use mcp_tests::pair::{Link, Setup};
use serde_json::json;

const NOW: Time = Time::ORIGIN;
const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#;
const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

fn server_with(limits: Limits) -> StreamServer {
    let capabilities = serde_json::from_str(r#"{"tools":{}}"#).expect("capabilities");
    let config = ServerConfig::new(Implementation::new("s", "1")).with_capabilities(capabilities);
    StreamServer::new(config.with_limits(limits))
}

/// A server whose legacy session is open.
fn server() -> StreamServer {
    let mut server = server_with(Limits::default());
    tell(&mut server, INITIALIZE);
    tell(&mut server, INITIALIZED);
    assert!(said(&mut server).contains("serverInfo"));
    server
}

fn tell(server: &mut StreamServer, line: &str) {
    server.receive(NOW, format!("{line}\n").as_bytes());
}

fn said(server: &mut StreamServer) -> String {
    let mut text = Vec::new();
    while let Some(bytes) = server.poll_transmit(NOW) {
        text.extend_from_slice(&bytes);
    }
    String::from_utf8(text).expect("UTF-8")
}

fn requests(server: &mut StreamServer) -> Vec<Request> {
    std::iter::from_fn(|| server.poll_event())
        .filter_map(|event| match event {
            Event::Request(request) => Some(request),
            _ => None,
        })
        .collect()
}

fn config(mode: Mode) -> ClientConfig {
    ClientConfig {
        mode,
        ..ClientConfig::new(Implementation::new("c", "1"))
    }
}

fn written(client: &mut StreamClient) -> String {
    let bytes = client.poll_transmit(NOW).unwrap_or_default();
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn hear(client: &mut StreamClient, line: &str) {
    client.receive(NOW, format!("{line}\n").as_bytes());
}

/// rust-sdk#1261: a handler that sends before anything drains waits for ever. Here sending only queues, up to a
/// bound that hands the message back.
#[test]
fn sending_waits_for_no_write() {
    let mut server = server_with(Limits {
        outbox_bytes: 1000,
        ..Limits::default()
    });
    tell(&mut server, INITIALIZE);
    tell(
        &mut server,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"}}"#,
    );
    let request = requests(&mut server).remove(0);
    let queued = (0..1000)
        .take_while(|_| server.send_for(&request.token, b"{\"x\":1}".to_vec()).is_ok())
        .count();
    assert!((10..200).contains(&queued), "{queued}");
    assert!(
        !server.wants_input(),
        "nothing is read from a client that does not read"
    );
    server.respond(request.token, Ok(ResultBody::EMPTY));
    assert!(
        said(&mut server).ends_with("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n"),
        "an answer is always taken"
    );
    assert!(server.wants_input());
}

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

/// python-sdk#1283, prowler#12235: clients that never say goodbye.
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
            client::Event::Reply { outcome, .. } => Some(outcome.expect_err("nobody has answered")),
            _ => None,
        })
        .collect()
}

#[test]
fn a_session_that_nobody_ends_ends() {
    let mut pair = Setup::speaking(Revision::V2025_11_25).http();
    pair.link.client().connect();
    pair.drive();
    assert_eq!(pair.link.server().sessions(), 1);
    pair.link.take_down(true);
    let now = pair.now();
    pair.link.break_all(now);
    pair.drive();
    pair.drive_for(Limits::default().session_idle * 2);
    assert_eq!((pair.link.server().sessions(), pair.link.server().exchanges()), (0, 0));
}

/// rust-sdk#958: a stream that is granted and ends at once is opened again for ever.
#[test]
fn an_empty_stream_is_not_opened_for_ever() {
    let config = config(Mode::Legacy(Revision::V2025_11_25));
    let http = HttpClientConfig::new(Uri::from_static("http://localhost/mcp"));
    let mut client = HttpClient::new(config, &http);
    client.client().connect();
    let (mut now, mut streams) = (NOW, 0);
    for _ in 0..1000 {
        while let Some(action) = client.poll_action(now) {
            let Action::Open { id, request } = action else { continue };
            let is_stream = request.method() == http::Method::GET;
            streams += usize::from(is_stream);
            let kind = if is_stream {
                "text/event-stream"
            } else {
                "application/json"
            };
            let head = Response::builder()
                .header("content-type", kind)
                .header("mcp-session-id", "s");
            client.head(now, id, &head.body(()).expect("a response").into_parts().0);
            if request.body().starts_with(br#"{"jsonrpc":"2.0","id":1"#) {
                let result = r#"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"s","version":"1"}}}"#;
                client.body(now, id, &Bytes::from_static(result.as_bytes()));
            }
            client.end(now, id);
        }
        let Some(next) = client.poll_timeout() else { break };
        now = now.max(next);
        client.handle_timeout(now);
    }
    assert!(client.as_client().is_ready());
    assert!((2..20).contains(&streams), "{streams} streams");
    assert_eq!(client.poll_timeout(), None, "and then it is quiet");
}

/// A client that closes its end at once, such as `echo '…' | server`, still gets its answers.
#[test]
fn the_end_of_input_cuts_off_no_answer() {
    let mut server = server();
    tell(&mut server, r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#);
    server.receive(NOW, br#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#);
    server.receive_eof(NOW);
    let answers = said(&mut server);
    assert!(
        answers.contains(r#""id":1,"result":{}"#) && answers.contains(r#""id":2,"result":{}"#),
        "{answers}"
    );
    while server.poll_event().is_some() {}
    assert!(server.is_finished());
}

/// rust-sdk#957: a request that was cancelled is answered all the same.
#[test]
fn a_cancelled_request_is_not_answered() {
    let mut server = server();
    tell(
        &mut server,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"}}"#,
    );
    let request = requests(&mut server).remove(0);
    tell(
        &mut server,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#,
    );
    server.respond(request.token, Ok(ResultBody::EMPTY));
    assert_eq!(said(&mut server), "");
}

/// openai/codex#29002: an annotation of a newer server makes a tool's result unreadable.
#[test]
fn an_unknown_annotation_spoils_no_result() {
    let text = r#"{"content":[{"type":"text","text":"x","annotations":{"audience":["robot"]}},{"type":"smell"}]}"#;
    let result: CallToolResult = serde_json::from_str(text).expect("a result");
    assert_eq!(serde_json::to_string(&result).expect("JSON"), text);
}

/// rust-sdk#1094: a result that asks for input becomes an empty result of the tool.
#[test]
fn a_result_that_wants_something_is_not_taken_for_the_end() {
    let mut client = StreamClient::new(config(Mode::Modern));
    let call = client
        .client()
        .call(Method::CallTool, Params::NONE, CallOptions::default())
        .expect("a call");
    assert!(!written(&mut client).is_empty());
    hear(
        &mut client,
        r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"later","_meta":{"a":1}}}"#,
    );
    match std::iter::from_fn(|| client.poll_event()).last() {
        Some(client::Event::Reply { call: other, outcome }) if other == call => {
            assert_eq!(outcome, Err(CallError::UnknownResultType("later".into())));
        }
        other => panic!("{other:?}"),
    }
}

/// CVE-2026-25536, rust-sdk#1021: ids that look alike are taken for each other.
#[test]
fn ids_are_what_they_are_and_nobody_elses() {
    let (mut one, mut two) = (server(), server());
    for (server, text) in [(&mut one, "one"), (&mut two, "two")] {
        for id in ["1", "\"1\"", "1.0"] {
            tell(
                server,
                &format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{text}"}}}}"#),
            );
        }
    }
    // 1.0 is 1: the second request with an id in use is refused, and the first one is not disturbed.
    assert!(said(&mut one).contains(r#""id":1.0,"error":{"code":-32600"#));
    let (first, second) = (requests(&mut one), requests(&mut two));
    assert_eq!((first.len(), second.len()), (2, 2));
    let answer = |server: &mut StreamServer, requests: Vec<Request>| {
        for request in requests.into_iter().rev() {
            let echo = ResultBody::from_raw(request.params.expect("parameters")).expect("an object");
            server.respond(request.token, Ok(echo));
        }
    };
    answer(&mut two, second);
    answer(&mut one, first);
    assert_eq!(
        said(&mut one),
        concat!(
            r#"{"jsonrpc":"2.0","id":"1","result":{"name":"one"}}"#,
            "\n",
            r#"{"jsonrpc":"2.0","id":1,"result":{"name":"one"}}"#,
            "\n"
        )
    );
    assert!(said(&mut two).contains(r#""id":"1","result":{"name":"two"}"#));
}

/// rust-sdk#1346: an id written as a float comes back as another number.
#[test]
fn a_float_comes_back_as_it_was_written() {
    let mut server = server();
    tell(&mut server, r#"{"jsonrpc":"2.0","id":7.0,"method":"ping"}"#);
    assert_eq!(said(&mut server), "{\"jsonrpc\":\"2.0\",\"id\":7.0,\"result\":{}}\n");
}

/// rust-sdk#1030: a line without an end.
#[test]
fn an_endless_line_is_answered_once_and_skipped() {
    let limits = Limits {
        line_bytes: 1000,
        ..Limits::default()
    };
    let mut server = server_with(limits);
    server.receive(
        NOW,
        br#"{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":""#,
    );
    for _ in 0..1000 {
        server.receive(NOW, &[b'x'; 1000]);
    }
    server.receive(NOW, b"\n");
    let answer = said(&mut server);
    assert_eq!(
        (answer.lines().count(), answer.contains(r#""id":5,"error""#)),
        (1, true),
        "{answer}"
    );
    tell(&mut server, r#"{"jsonrpc":"2.0","id":6,"method":"ping"}"#);
    assert!(
        said(&mut server).contains(r#""id":6,"result""#),
        "and the stream goes on"
    );
}

/// rust-sdk#938: a server that prints its log to standard output, and a client that answers each line.
#[test]
fn a_client_answers_no_junk() {
    let mut client = StreamClient::new(config(Mode::Legacy(Revision::V2025_11_25)));
    client.client().connect();
    assert!(!written(&mut client).is_empty());
    for junk in [
        "INFO listening",
        "{",
        "[]",
        "[1]",
        "null",
        "{\"jsonrpc\":\"1.0\"}",
        "\u{1f4a5}",
    ] {
        hear(&mut client, junk);
    }
    client.receive(NOW, b"\xff\xfe\n");
    assert_eq!(written(&mut client), "");
    assert_eq!(client.as_client().counters().junk, 8);
    assert!(client.as_client().closed().is_none());
}

/// The same between two servers that were connected by mistake.
#[test]
fn two_servers_fall_silent() {
    let (mut one, mut two) = (server_with(Limits::default()), server_with(Limits::default()));
    tell(&mut one, "hello?");
    for round in 0.. {
        assert!(round < 1000, "they never stop");
        let (first, second) = (said(&mut one), said(&mut two));
        if first.is_empty() && second.is_empty() {
            break;
        }
        two.receive(NOW, first.as_bytes());
        one.receive(NOW, second.as_bytes());
    }
}

/// A flood of junk is not answered with a flood.
#[test]
fn a_server_answers_only_so_much_junk() {
    let mut server = server();
    (0..10_000).for_each(|_| tell(&mut server, "junk"));
    assert_eq!(said(&mut server).lines().count(), Limits::default().junk_reports);
    tell(&mut server, r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#);
    assert!(said(&mut server).contains(r#""id":1,"result":{}"#));
}

/// python-sdk#2730: a name with a line end becomes a header of its own, one outside ASCII an exception.
#[test]
fn any_name_travels_in_a_header() {
    for name in ["a\r\nx-evil: 1", "日本", " spaces ", "=?base64?eA==?=", "", "\u{0}"] {
        let mut pair = Setup::new(Mode::Modern).http();
        let call = pair.call_tool(name, json!({}));
        pair.drive();
        match pair.outcome(call) {
            Err(CallError::Rpc(error)) => assert_eq!(error.message, format!("unknown tool: {name}")),
            other => panic!("{name:?}: {other:?}"),
        }
        assert!(!pair.link.transcript().contains("> x-evil"));
    }
}

/// mcp-execution#303, openclaw#138439: nesting that ends in a stack overflow.
#[test]
fn deep_nesting_is_an_error_and_nothing_more() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", open.repeat(10_000), close.repeat(10_000));
        let mut server = server();
        tell(
            &mut server,
            &format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":{deep}}}}}"#),
        );
        assert!(said(&mut server).contains(r#""error""#));
        tell(&mut server, &deep);
        assert!(said(&mut server).lines().count() <= 1);
        tell(&mut server, r#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#);
        assert!(said(&mut server).contains(r#""id":2,"result":{}"#));
        let mut client = StreamClient::new(config(Mode::Modern));
        hear(&mut client, &format!(r#"{{"jsonrpc":"2.0","id":1,"result":{deep}}}"#));
        assert_eq!(written(&mut client), "");
    }
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
        let options = CallOptions::with_timeout(Duration::from_secs(5));
        client
            .client()
            .call(Method::ListTools, Params::NONE, options)
            .expect("a call");
        let Some(Action::Open { id, .. }) = client.poll_action(NOW) else {
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
            client::Event::Reply { outcome, .. } => Some(outcome),
            _ => None,
        });
        let error = outcome.expect("a reply").expect_err("no result");
        assert_eq!(error.http_status(), Some(status.as_u16()));
    }
}

/// apicurio#6899, hermes-agent#105738: `_meta` that is null, or empty.
#[test]
fn an_empty_meta_is_read_and_never_written() {
    let mut server = server();
    for meta in ["null", "{}"] {
        tell(
            &mut server,
            &format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{{"_meta":{meta}}}}}"#),
        );
        let request = requests(&mut server).remove(0);
        let result = CallToolResult::text("x");
        server.respond(
            request.token,
            Ok(ResultBody::from_serialize(&result).expect("an object")),
        );
        let answer = said(&mut server);
        assert!(answer.contains(r#""result""#) && !answer.contains("_meta"), "{answer}");
    }
}

/// A client in the modern era over HTTP, with one call that was sent: the exchange of it.
fn one_exchange(limits: Limits) -> (HttpClient, ExchangeId) {
    let config = ClientConfig {
        limits,
        ..config(Mode::Modern)
    };
    let http = HttpClientConfig::new(Uri::from_static("http://localhost/mcp"));
    let mut client = HttpClient::new(config, &http);
    let params = Params::from_serialize(&json!({"name": "x", "arguments": {}})).expect("an object");
    let call = client.client().call(Method::CallTool, params, CallOptions::default());
    call.expect("room");
    match client.poll_action(NOW) {
        Some(Action::Open { id, .. }) => (client, id),
        other => panic!("{other:?}"),
    }
}

/// rust-sdk#970, #1180: bodies without an end, whatever they are.
#[test]
fn a_body_without_an_end_is_not_kept() {
    let limits = Limits {
        body_bytes: 5_000,
        event_bytes: 5_000,
        error_body_bytes: 1_000,
        ..Limits::default()
    };
    for (status, kind, beginning) in [
        (200, "application/json", r#"{"jsonrpc":"2.0","id":1,"result":{"x":""#),
        (200, "text/event-stream", r#"data: {"x":""#),
        (500, "text/plain", ""),
    ] {
        let (mut client, id) = one_exchange(limits.clone());
        let head = Response::builder().status(status).header("content-type", kind);
        client.head(NOW, id, &head.body(()).expect("a response").into_parts().0);
        client.body(NOW, id, &Bytes::from_static(beginning.as_bytes()));
        let chunk = Bytes::from(vec![b'x'; 1_000]);
        let taken = (0..1_000).take_while(|_| {
            client.body(NOW, id, &chunk);
            client.as_client().pending_calls() > 0
        });
        assert!(taken.count() < 10, "{kind}: it is given up when the bound is reached");
        let settled = std::iter::from_fn(|| client.poll_event());
        let errors: Vec<_> = settled
            .filter(|event| matches!(event, client::Event::Reply { outcome: Err(_), .. }))
            .collect();
        assert_eq!(errors.len(), 1, "{kind}: {errors:?}");
    }
}

/// go-sdk#1150, #1183: closing that waits for the peer, for seconds or for ever.
#[test]
fn closing_waits_for_nobody() {
    let mut client = StreamClient::new(config(Mode::Modern));
    let params = Params::from_serialize(&json!({"name": "x", "arguments": {}})).expect("an object");
    let call = client.client().call(Method::CallTool, params, CallOptions::default());
    let call = call.expect("room");
    assert!(written(&mut client).contains("tools/call"));
    client.client().close(CloseReason::Local);
    let events: Vec<_> = std::iter::from_fn(|| client.poll_event()).collect();
    let error = CallError::Closed(CloseReason::Local);
    let told = |event: &client::Event| matches!(event, client::Event::Reply { call: of, outcome: Err(why) } if *of == call && *why == error);
    assert!(
        events.iter().any(told),
        "the peer has said nothing, and need not: {events:?}"
    );
    assert!(matches!(events.last(), Some(client::Event::Closed(CloseReason::Local))));
    assert_eq!(client.poll_timeout(), None, "nothing is waited for");
}

/// python-sdk#79, #922: ends that have to come in a certain order, from a certain task.
#[test]
fn either_side_closes_first_and_more_than_once() {
    for order in ["client", "server", "both", "twice", "eof first"] {
        let mut client = StreamClient::new(config(Mode::Modern));
        let mut server = server_with(Limits::default());
        let params = Params::from_serialize(&json!({"name": "x", "arguments": {}})).expect("an object");
        client
            .client()
            .call(Method::CallTool, params, CallOptions::default())
            .expect("room");
        server.receive(NOW, written(&mut client).as_bytes());
        let request = requests(&mut server).remove(0);
        if order != "server" {
            client.client().close(CloseReason::Local);
        }
        if order == "twice" {
            client.client().close(CloseReason::Local);
            client.receive_eof(NOW);
        }
        if order == "eof first" {
            client.receive_eof(NOW);
        }
        if matches!(order, "server" | "both" | "twice") {
            server.close();
            server.close();
        }
        server.receive_eof(NOW);
        server.respond(request.token, Ok(ResultBody::EMPTY));
        client.receive(NOW, said(&mut server).as_bytes());
        client.receive_eof(NOW);
        let events: Vec<_> = std::iter::from_fn(|| client.poll_event()).collect();
        let ends = events
            .iter()
            .filter(|event| matches!(event, client::Event::Closed(_)))
            .count();
        let replies = events
            .iter()
            .filter(|event| matches!(event, client::Event::Reply { .. }))
            .count();
        assert_eq!((replies, ends), (1, 1), "{order}: {events:?}");
        while server.poll_event().is_some() {}
        assert!(server.is_finished(), "{order}");
    }
}

/// rust-sdk#1231: the pause before the next attempt overflows, and the program with it.
#[test]
fn the_end_of_time_is_no_overflow() {
    let end = Time::since_origin(Duration::MAX);
    let (mut client, id) = one_exchange(Limits::default());
    client.handle_timeout(end);
    client.failed(end, id, ExchangeError::Broken("gone".into()));
    while client.poll_action(end).is_some() {}
    assert_eq!(client.as_client().pending_calls(), 0);
    let mut server = server();
    server.handle_timeout(end);
    server.receive(end, b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n");
    assert!(server.poll_transmit(end).is_some());
}

/// What lies between two reads belongs to the machine: rust-sdk#941 lost it with the future that had read it.
#[test]
fn half_a_message_is_kept_until_the_rest_comes() {
    let line = b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n";
    for cut in 1..line.len() {
        let mut server = server();
        server.receive(NOW, &line[..cut]);
        assert_eq!(said(&mut server), "");
        server.handle_timeout(NOW);
        server.receive(NOW, &line[cut..]);
        assert_eq!(said(&mut server), "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
    }
}
