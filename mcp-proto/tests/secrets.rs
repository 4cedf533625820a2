//! Arguments, results, tokens and sessions never reach `Debug`: it ends in logs.
#![cfg(feature = "http")]

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, Uri};
use mcp_proto::client::{Client, ClientConfig, HttpClient, StreamClient};
use mcp_proto::http::client::{HttpAction, HttpClientConfig};
use mcp_proto::http::server::{Head, HttpConfig};
use mcp_proto::jsonrpc::{self, Incoming, Message, Params, RawJson};
use mcp_proto::model::{Implementation, Json};
use mcp_proto::rpc::CallOptions;
use mcp_proto::server::http::{HttpEvent, HttpServer, Sender};
use mcp_proto::server::{ResultBody, ServerConfig, ServerEvent, StreamServer};
use mcp_proto::wire::line::LineDecoder;
use mcp_proto::wire::sse::{SseDecoder, SseFrame};
use mcp_proto::{Limits, Time};

const SECRET: &str = "s3cret";
const CALL: &str = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"t","arguments":{"a":"s3cret"},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"k":"s3cret"}}}"#;
const RESULT: &str = r#"{"jsonrpc":"2.0","id":7,"result":{"content":[],"x":"s3cret"}}"#;
const FAULT: &str = r#"{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"no","data":"s3cret"}}"#;
const NOTE: &str = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"s3cret"}}"#;
const NOW: Time = Time::ORIGIN;

/// What is shown of a value, which has nothing secret in it, neither as text nor as numbers.
#[track_caller]
fn hides(value: &dyn core::fmt::Debug) -> String {
    let numbers = format!("{:?}", SECRET.as_bytes());
    for shown in [format!("{value:?}"), format!("{value:#?}").replace([' ', '\n'], "")] {
        let bytes = numbers.trim_matches(['[', ']']);
        assert!(!shown.contains(SECRET), "{shown}");
        assert!(
            !shown.contains(bytes) && !shown.contains(&bytes.replace(' ', "")),
            "{shown}"
        );
    }
    format!("{value:?}")
}

fn message(text: &'static str) -> Message {
    match jsonrpc::parse(text.into(), &Limits::default()) {
        Ok(Incoming::Single(message)) => message,
        other => panic!("{other:?}"),
    }
}

fn secret() -> RawJson {
    RawJson::parse(r#"{"x":"s3cret"}"#).unwrap()
}

fn client_config() -> ClientConfig {
    ClientConfig::new(Implementation::new("c", "1"))
}

fn call(client: &mut Client) {
    let params = Params::from_raw(secret()).unwrap();
    let options = CallOptions::default();
    client.call("tools/call", params, options).unwrap();
}

#[test]
fn json_says_what_it_is_and_how_long() {
    assert_eq!(hides(&secret()), "RawJson(object, 14 bytes)");
    for (text, kind) in [
        ("[1]", "array, 3"),
        ("\"s3cret\"", "string, 8"),
        ("true", "boolean, 4"),
        ("null", "null, 4"),
        ("-1", "number, 2"),
    ] {
        let raw = RawJson::parse(text).unwrap();
        assert_eq!(hides(&raw), format!("RawJson({kind} bytes)"));
        let json: Json = raw.decode().unwrap();
        assert_eq!(hides(&json), format!("Json({kind} bytes)"));
    }
}

#[test]
fn messages_and_what_carries_them_show_no_text() {
    for text in [CALL, RESULT, FAULT, NOTE] {
        hides(&message(text));
        let mut lines = LineDecoder::new(1 << 10);
        lines.push(text.as_bytes());
        hides(&lines);
        lines.push(b"\n");
        hides(&lines.poll_line());
        let data = text.as_bytes();
        hides(&SseFrame {
            data,
            ..SseFrame::default()
        });
        let mut events = SseDecoder::new(1 << 10);
        events.push(format!("data: {text}\n").as_bytes());
        hides(&events);
        events.push(b"\n");
        hides(&events.poll_event());
    }
    hides(&jsonrpc::parse(format!("[{CALL},{NOTE}]").into(), &Limits::default()));
    hides(&ResultBody::from_raw(secret()));
    hides(&Params::from_raw(secret()));
}

#[test]
fn clients_show_neither_calls_nor_answers_nor_where_tokens_stand() {
    let mut stream = StreamClient::new(client_config());
    call(stream.client());
    hides(&stream);
    while stream.poll_transmit(NOW).is_some() {}
    stream.receive_bytes(NOW, Bytes::from_static(NOTE.as_bytes()));
    hides(&stream);
    stream.receive_bytes(NOW, Bytes::from_static(b"\n"));
    while let Some(event) = stream.poll_event() {
        hides(&event);
    }
    let mut config = HttpClientConfig::new(Uri::from_static("http://me:s3cret@localhost/mcp?token=s3cret"));
    config.headers = HeaderMap::from_iter([(http::header::AUTHORIZATION, HeaderValue::from_static("Bearer s3cret"))]);
    hides(&config);
    let mut http = HttpClient::new(client_config(), &config);
    call(http.client());
    hides(&http);
    while let Some(action) = http.poll_action(NOW) {
        hides(&action);
        if let HttpAction::Open { id, .. } = action {
            let answer = Response::builder()
                .header("content-type", "application/json")
                .header("mcp-session-id", SECRET);
            let head = answer.body(()).unwrap().into_parts().0;
            http.head(NOW, id, &head);
            http.body(NOW, id, &Bytes::from_static(RESULT.as_bytes()));
            hides(&http);
        }
    }
}

#[test]
fn servers_show_neither_requests_nor_answers_nor_who_asks() {
    let config = || ServerConfig::new(Implementation::new("s", "1"));
    let mut stream = StreamServer::new(config());
    stream.receive_bytes(NOW, format!("{CALL}\n").into());
    hides(&stream);
    let Some(ServerEvent::Request(request)) = stream.poll_event() else {
        panic!("a request");
    };
    hides(&request);
    stream.respond(
        request.token,
        ResultBody::from_raw(secret()).map_err(|_| unreachable!()),
    );
    hides(&stream);

    let mut server = HttpServer::new(config(), HttpConfig::default());
    let request = Request::post("/mcp?token=s3cret").header("host", "localhost");
    let request = request.header("content-type", "application/json");
    let request = request.header("accept", "application/json, text/event-stream");
    let request = request.header("mcp-protocol-version", "2026-07-28");
    let request = request.header("mcp-method", "tools/call").header("mcp-name", "t");
    let request = request.header("authorization", "Bearer s3cret").header("x", SECRET);
    let (head, body) = request.body(Bytes::from_static(CALL.as_bytes())).unwrap().into_parts();
    hides(&Head::read(&head).unwrap());
    let exchange = server.receive(NOW, head, body, Sender::new(), || [1; 32]);
    hides(&server);
    let Some(HttpEvent::Request(asked)) = server.poll_event() else {
        panic!("a request");
    };
    hides(&asked);
    let answer = ResultBody::from_raw(secret());
    server.respond(asked.token, answer.map_err(|_| unreachable!()));
    hides(&server);
    hides(&server.poll_head(NOW, exchange));
    hides(&server.poll_frame(NOW, exchange));
}
