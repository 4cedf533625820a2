//! Small conversations in memory, of each era.

use alloc::format;
use alloc::string::String;
use core::time::Duration;

use bytes::Bytes;
use http::Request;

use super::super::event::{HttpRequestToken, Sender};
use super::*;
use crate::http::server::{Principal, SessionPolicy};
use crate::jsonrpc::RawJson;
use crate::limits::Limits;
use crate::method::Method;
use crate::model::Implementation;
use crate::revision::Revision;
use crate::rpc::CallOptions;
use crate::server::ClientRequest;

mod bounds;
mod cors;
mod legacy;
mod modern;
mod order;
mod resume;
mod versions;

const NOW: Time = Time::ORIGIN;
const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"progressToken":"p"}"#;

/// A server, and a driver that has every response at once.
struct World {
    server: HttpServer,
    now: Time,
    sessions: u8,
}

/// A response, as far as it has come.
#[derive(Debug)]
struct Answer {
    head: response::Parts,
    body: String,
    ended: bool,
}

impl Answer {
    fn status(&self) -> u16 {
        self.head.status.as_u16()
    }

    fn session(&self) -> String {
        self.head.headers["mcp-session-id"].to_str().unwrap().into()
    }
}

impl World {
    fn new() -> Self {
        Self::with(Limits::default(), HttpConfig::default())
    }

    fn with(limits: Limits, http: HttpConfig) -> Self {
        let capabilities = r#"{"tools":{"listChanged":true},"resources":{"subscribe":true},"logging":{}}"#;
        let config = ServerConfig::new(Implementation::new("test", "1"))
            .with_capabilities(serde_json::from_str(capabilities).unwrap())
            .with_limits(limits);
        Self {
            server: HttpServer::new(config, http),
            now: NOW,
            sessions: 0,
        }
    }

    fn send(&mut self, request: Request<Bytes>) -> ExchangeId {
        let (head, body) = request.into_parts();
        self.sessions += 1;
        let mut random = [self.sessions; 32];
        // Bits that are not of the session id.
        random[31] ^= self.sessions << 6;
        self.server.receive(self.now, head, body, Sender::new(), || random)
    }

    /// Sends a request whose answer is ready at once.
    fn call(&mut self, request: Request<Bytes>) -> Answer {
        let id = self.send(request);
        let answer = self.read(id);
        assert!(answer.ended && !self.server.is_open(id), "{answer:?}");
        answer
    }

    fn read(&mut self, id: ExchangeId) -> Answer {
        let head = self.server.poll_head(self.now, id).expect("a head");
        let (body, ended) = self.body(id);
        Answer { head, body, ended }
    }

    fn body(&mut self, id: ExchangeId) -> (String, bool) {
        let mut body = Vec::new();
        loop {
            match self.server.poll_frame(self.now, id) {
                Some(Frame::Data(bytes)) => body.extend_from_slice(&bytes),
                Some(Frame::End) => return (String::from_utf8(body).unwrap(), true),
                None => return (String::from_utf8(body).unwrap(), false),
            }
        }
    }

    fn asked(&mut self) -> ClientRequest<HttpRequestToken> {
        match self.server.poll_event() {
            Some(HttpEvent::Request(asked)) => asked,
            other => panic!("{other:?}"),
        }
    }

    fn answer(&mut self, token: HttpRequestToken, json: &str) {
        self.server.respond(token, Ok(body(json)));
    }

    /// A session past its handshake: its id.
    fn session(&mut self, revision: &str) -> String {
        let answer = self.call(post(&[], &initialize(revision)));
        assert_eq!(answer.status(), 200, "{answer:?}");
        let id = answer.session();
        let initialized = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
        assert_eq!(self.call(post(&[("mcp-session-id", &id)], initialized)).status(), 202);
        assert!(matches!(self.server.poll_event(), Some(HttpEvent::Opened(_))));
        id
    }

    fn is_idle(&self) -> bool {
        let server = &self.server;
        server.exchanges.is_empty()
            && server.rooms.is_empty()
            && server.subscriptions.is_empty()
            && server.abandoned.is_empty()
            && server.calls.is_empty()
            && server.silent_streams.first().is_none()
    }
}

fn body(json: &str) -> ResultBody {
    ResultBody::from_raw(RawJson::parse(String::from(json)).unwrap()).unwrap()
}

fn request(method: &str, headers: &[(&str, &str)], body: &str) -> Request<Bytes> {
    let defaults = [
        ("host", "localhost"),
        ("content-type", "application/json"),
        ("accept", "application/json, text/event-stream"),
    ];
    let mut request = Request::builder().method(method).uri("/mcp");
    for (name, value) in defaults.iter().chain(headers) {
        request = request.header(*name, *value);
    }
    request.body(Bytes::copy_from_slice(body.as_bytes())).unwrap()
}

fn post(headers: &[(&str, &str)], body: &str) -> Request<Bytes> {
    request("POST", headers, body)
}

fn initialize(revision: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":0,"method":"initialize","params":{{"protocolVersion":"{revision}","capabilities":{{"roots":{{}}}},"clientInfo":{{"name":"c","version":"1"}}}}}}"#
    )
}

fn tool(id: u32) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"t","_meta":{{"progressToken":"p"}}}}}}"#
    )
}

/// A request of the modern era.
fn modern(method: &str, params: &str) -> Request<Bytes> {
    let body = format!(r#"{{"jsonrpc":"2.0","id":7,"method":"{method}","params":{{{params}{META}}}}}"#);
    let mut headers = alloc::vec![("mcp-protocol-version", "2026-07-28"), ("mcp-method", method)];
    if method == "tools/call" {
        headers.push(("mcp-name", "t"));
    }
    post(&headers, &body)
}

fn modern_tool() -> Request<Bytes> {
    modern("tools/call", r#""name":"t","#)
}
