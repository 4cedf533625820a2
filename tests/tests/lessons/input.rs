//! What comes in: too much, too deep, no message at all, or not quite what was meant.

use bytes::Bytes;
use http::{Request, Response};
use mcp_proto::client::{ClientEvent, Mode, StreamClient};
use mcp_proto::http::server::{Gate, Head, HttpConfig, Refusal, Route};
use mcp_proto::jsonrpc::{Peek, RawJson};
use mcp_proto::method::{Method, MethodName};
use mcp_proto::model::CallToolResult;
use mcp_proto::rpc::CallError;
use mcp_proto::server::ResultBody;
use mcp_proto::{Limits, Revision};
use mcp_tests::pair::{PairLink, Setup};
use serde_json::json;

use crate::{NOW, config, hear, one_exchange, requests, said, server, server_with, tell, written};

/// rust-sdk#1030: a line without an end.
#[test]
fn an_endless_line_is_answered_once_and_skipped() {
    let limits = Limits::default().with_line_bytes(1000);
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

/// rust-sdk#970, #1180: bodies without an end, whatever they are.
#[test]
fn a_body_without_an_end_is_not_kept() {
    let limits = Limits::default()
        .with_body_bytes(5_000)
        .with_event_bytes(5_000)
        .with_error_body_bytes(1_000);
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
            .filter(|event| matches!(event, ClientEvent::Reply { outcome: Err(_), .. }))
            .collect();
        assert_eq!(errors.len(), 1, "{kind}: {errors:?}");
    }
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

/// rust-sdk#1274, modelcontextprotocol#2772: a header that is there twice, or says something else than the body, so that
/// two parts of a system take one request for two.
#[test]
fn a_header_that_says_something_else_is_refused() {
    let post = || Request::post("/mcp").header("mcp-method", "tools/call");
    let head = |request: http::request::Builder| request.body(()).expect("a request").into_parts().0;
    let twice = head(post().header("mcp-method", "tools/list"));
    assert_eq!(
        Head::read(&twice).expect_err("refused"),
        Refusal::InvalidHeader("Mcp-Method")
    );
    let params = RawJson::parse(r#"{"name":"safe","arguments":{}}"#.as_bytes()).expect("JSON");
    let peek = Peek::of(&params).expect("an object");
    let method = MethodName::from(Method::CallTool);
    for (name, is_refused) in [("safe", false), ("other", true), ("SAFE", true)] {
        let parts = head(post().header("mcp-name", name));
        let head = Head::read(&parts).expect("a head");
        let checked = head.check_mirrored(&method, Some(&peek), |_| None);
        assert_eq!(checked.is_err(), is_refused, "{name}");
    }
}

/// rust-sdk#1382: an `Accept` that means the same in other words.
#[test]
fn whoever_accepts_what_is_sent_is_served() {
    let gate = Gate::new(&HttpConfig::default(), &Limits::default(), true);
    for (accept, is_served) in [
        ("application/json, text/event-stream", true),
        ("text/event-stream;q=0.5 , APPLICATION/JSON; q=1", true),
        ("*/*", true),
        ("application/*, text/*", true),
        ("text/html", false),
    ] {
        let request = Request::post("/mcp")
            .header("host", "localhost")
            .header("content-type", "application/json; charset=utf-8")
            .header("accept", accept);
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        let route = gate.check(&parts);
        assert_eq!(matches!(route, Ok(Route::Post(_))), is_served, "{accept}: {route:?}");
    }
}

/// Results of tools without the `content` that they should have.
#[test]
fn a_result_without_content_is_read() {
    for text in ["{}", r#"{"structuredContent":{"a":1}}"#, r#"{"content":null}"#] {
        let result: Result<CallToolResult, _> = serde_json::from_str(text);
        assert_eq!(result.expect(text).content.len(), 0, "{text}");
    }
}
