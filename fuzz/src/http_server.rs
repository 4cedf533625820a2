//! One HTTP exchange of the server, as values: the gate, the body against the head, the admission, the reply.
//!
//! Whatever is refused is answered with a JSON-RPC error; a reply has one head and then a body of the length it says,
//! holds every message that it took in their order, and comes to its end when the last answer is in.

use std::iter;
use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Method, Request, StatusCode, request};
use mcp_proto::http::server::{
    Accepts, Blocked, Gate, Head, HttpConfig, Posted, Refusal, Reply, ReplyForm, Route, SessionId,
};
use mcp_proto::jsonrpc::{self, Incoming, Message as Written, Peek, RawJson};

use mcp_proto::server::{Admitted, Received, ResultBody, ServerConfig, Session, admit};
use mcp_proto::wire::sse::SseDecoder;
use mcp_proto::{Limits, Time};

use crate::ledger::dry;
use crate::message::{Message, Raw, TO_SERVER, pick};
use crate::settings;

const METHODS: [Method; 6] = [
    Method::POST,
    Method::POST,
    Method::POST,
    Method::GET,
    Method::DELETE,
    Method::PUT,
];
const TARGETS: [&str; 4] = ["/mcp", "http://127.0.0.1:8000/mcp", "http://evil.example/mcp", "*"];

/// Headers, half of them as they should be.
const HEADERS: [(&str, &str); 20] = [
    ("host", "127.0.0.1:8000"),
    ("host", "[::1]:8000"),
    ("host", "evil.example"),
    ("origin", "http://127.0.0.1:8000"),
    ("origin", "https://evil.example"),
    ("content-type", "application/json"),
    ("content-type", "application/json; charset=\"utf-8\""),
    ("content-type", "text/plain"),
    ("content-encoding", "gzip"),
    ("content-length", "99999999999999999999"),
    ("accept", "application/json, text/event-stream"),
    ("accept", "text/event-stream;q=0, */*"),
    ("accept", "application/json"),
    ("mcp-protocol-version", "2026-07-28"),
    ("mcp-protocol-version", "2025-11-25"),
    ("mcp-protocol-version", "2099-01-01"),
    ("mcp-session-id", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
    ("mcp-method", "tools/call"),
    ("mcp-method", "tools/list"),
    ("mcp-name", "t"),
];

#[derive(Arbitrary, Debug)]
struct Exchange {
    method: u8,
    target: u8,
    /// Whether the headers begin with those that a good client sends.
    good: bool,
    headers: [Option<Field>; 4],
    body: Message,
    form: bool,
}

#[derive(Arbitrary, Debug)]
enum Field {
    Known(u8),
    Raw { name: u8, value: Raw },
}

#[derive(Arbitrary, Debug)]
enum Op {
    Notify(Raw),
    Request(Raw),
    Respond(Raw),
    Accepted,
    Refuse,
    End,
    Wait(u8),
    Head,
    Body,
}

/// The input is a request, and then operations on a reply.
pub fn run(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let Ok(exchange) = Exchange::arbitrary(&mut u) else {
        return;
    };
    let config = config(exchange.form);
    let server = settings::server();
    if let Some(parts) = parts(&exchange) {
        let body = Bytes::from(exchange.body.text(TO_SERVER));
        match serve(&config, &server, &parts, body) {
            Ok(written) => written.iter().for_each(|message| single(message)),
            Err(refusal) => refused(&refusal),
        }
    }
    reply(&config, &mut u);
}

fn config(form: bool) -> HttpConfig {
    HttpConfig::default().reply(if form { ReplyForm::Sse } else { ReplyForm::Json })
}

fn parts(exchange: &Exchange) -> Option<request::Parts> {
    let method = METHODS[usize::from(exchange.method) % METHODS.len()].clone();
    let mut request = Request::builder().method(method).uri(pick(&TARGETS, exchange.target));
    if exchange.good {
        for index in [0, 5, 10] {
            let (name, value) = HEADERS[index];
            request = request.header(name, value);
        }
    }
    for field in exchange.headers.iter().flatten() {
        let known = |index: u8| HEADERS[usize::from(index) % HEADERS.len()];
        request = match field {
            Field::Known(index) => request.header(known(*index).0, known(*index).1),
            Field::Raw {
                name,
                value: Raw(value),
            } => request.header(
                HeaderName::from_static(known(*name).0),
                HeaderValue::from_bytes(value).ok()?,
            ),
        };
    }
    Some(request.body(()).ok()?.into_parts().0)
}

/// What an endpoint does with a request; the messages that it would write.
fn serve(
    config: &HttpConfig,
    server: &ServerConfig,
    parts: &request::Parts,
    body: Bytes,
) -> Result<Vec<Vec<u8>>, Refusal> {
    let route = Gate::new(config, server.limits(), true).check(parts)?;
    let Route::Post(_) = route else { return Ok(Vec::new()) };
    let head = Head::read(parts).expect("the gate has read it");
    match Posted::read(&head, body, server.limits())? {
        Posted::Stateless(Written::Request(request)) => {
            let params = request.params.clone();
            let peek = params.as_ref().and_then(|params| Peek::of(params).ok());
            let meta = peek.as_ref().and_then(|peek| peek.meta().ok());
            head.check_version(meta.as_ref().and_then(|meta| meta.protocol_version.as_deref()))?;
            head.check_mirrored(&request.method, peek.as_ref(), |_| None)?;
            Ok(stateless(server, request))
        }
        Posted::Stateless(_) => Ok(Vec::new()),
        Posted::Legacy(incoming) => {
            head.legacy_revision(None, server.revisions())?;
            Ok(legacy(server, incoming))
        }
    }
}

fn stateless(server: &ServerConfig, request: jsonrpc::Request) -> Vec<Vec<u8>> {
    let id = request.id.clone();
    let written = match admit(server, request) {
        Ok(Admitted::Request(request)) => vec![request.token.into_response(server, Ok(ResultBody::EMPTY))],
        Ok(Admitted::Answered(answer)) => vec![answer],
        Ok(Admitted::Listen(subscription)) => vec![subscription.acknowledgement(), subscription.into_response(server)],
        Err(refused) => vec![refused.to_response()],
    };
    let answer = written.last().expect("an answer");
    let Ok(Incoming::Single(Written::Response(response))) = parse(answer) else {
        panic!("no response")
    };
    assert_eq!(response.id, Some(id));
    written
}

fn legacy(server: &ServerConfig, incoming: Incoming) -> Vec<Vec<u8>> {
    let messages: Vec<Written> = match incoming {
        Incoming::Single(message) => vec![message],
        Incoming::Batch(batch) => batch.messages().flatten().collect(),
    };
    let mut session = Session::new(server);
    let mut written = Vec::new();
    for message in messages {
        match session.receive(server, Time::ORIGIN, message) {
            Received::Request(request) => written.extend(session.respond(server, request.token, Ok(ResultBody::EMPTY))),
            Received::Reply(answer) => written.push(answer),
            _ => {}
        }
    }
    written
}

fn parse(message: &[u8]) -> Result<Incoming, jsonrpc::ParseError> {
    jsonrpc::parse(Bytes::copy_from_slice(message), &Limits::default())
}

fn single(message: &[u8]) {
    assert!(
        matches!(parse(message), Ok(Incoming::Single(_))),
        "{:?}",
        String::from_utf8_lossy(message)
    );
}

fn refused(refusal: &Refusal) {
    let response = refusal.clone().into_response();
    assert!(response.status().is_client_error() || response.status().is_server_error());
    assert_eq!(response.status(), refusal.status());
    let Ok(Incoming::Single(Written::Response(error))) = parse(response.body()) else {
        panic!("no error: {refusal:?}")
    };
    assert_eq!(error.outcome.expect_err("an error").code, refusal.error().code);
}

/// What a reply took, and what came out of it.
struct Books {
    reply: Reply,
    now: Time,
    sent: Vec<Vec<u8>>,
    head: Option<http::response::Parts>,
    body: Vec<u8>,
    streams: bool,
}

fn reply(config: &HttpConfig, u: &mut Unstructured<'_>) {
    let limits = settings::limits();
    let Ok((json, sse, kind)) = <(bool, bool, u8)>::arbitrary(u) else {
        return;
    };
    let accepts = if json || sse {
        Accepts { json, sse }
    } else {
        Accepts::BOTH
    };
    let mut reply = match kind % 4 {
        0 => Reply::stream(config, &limits),
        1 => Reply::batch(usize::from(kind / 4 % 4) + 1, accepts, config, &limits),
        _ => Reply::new(accepts, config, &limits),
    };
    reply.set_session(SessionId::from_random([kind; 32]));
    let mut books = Books {
        reply,
        now: Time::ORIGIN,
        sent: Vec::new(),
        head: None,
        body: Vec::new(),
        streams: false,
    };
    while !u.is_empty() {
        let Ok(op) = Op::arbitrary(u) else { break };
        books.apply(op);
    }
    books.end(limits.outbox_bytes);
}

impl Books {
    fn apply(&mut self, op: Op) {
        match op {
            Op::Notify(raw) => {
                let (message, dropped) = (json(raw), self.reply.dropped());
                let taken = self.reply.notify(message.clone()).is_ok();
                self.took(message, taken && self.reply.dropped() == dropped);
            }
            Op::Request(raw) => {
                let message = json(raw);
                let taken = match self.reply.request(message.clone()) {
                    Ok(()) => true,
                    Err(Blocked(back)) => {
                        assert_eq!(back, message);
                        false
                    }
                };
                self.took(message, taken);
            }
            Op::Respond(raw) => {
                let message = json(raw);
                let taken = !self.reply.is_ended();
                self.reply.respond(StatusCode::OK, message.clone());
                self.took(message, taken);
            }
            Op::Accepted => self.reply.accepted(),
            Op::Refuse => self.reply.refuse(Refusal::Busy.into_response()),
            Op::End => self.reply.end(),
            Op::Wait(seconds) => {
                self.now = self.now + Duration::from_secs(seconds.into());
                self.reply.handle_timeout(self.now);
            }
            Op::Head => self.poll_head(),
            Op::Body => self.poll_body(),
        }
    }

    fn took(&mut self, message: Vec<u8>, taken: bool) {
        if taken {
            self.sent.push(message);
        }
        self.streams |= self.reply.is_streaming();
    }

    fn poll_head(&mut self) {
        for head in dry(1, || self.reply.poll_head(self.now)) {
            assert!(self.head.replace(head).is_none(), "two heads");
        }
    }

    fn poll_body(&mut self) {
        let length = self.reply.body_length().filter(|_| self.head.is_some());
        let pieces = dry(2, || self.reply.poll_body(self.now));
        assert!(pieces.is_empty() || self.head.is_some(), "a body before the head");
        let body = pieces.concat();
        assert!(
            length.is_none_or(|length| length == body.len()),
            "{length:?} is not {}",
            body.len()
        );
        self.body.extend(body);
    }

    fn end(mut self, most: usize) {
        assert!(
            self.reply
                .body_length()
                .is_none_or(|length| length <= 4 * most + 64 * 1024)
        );
        self.streams |= self.reply.is_streaming();
        if !self.reply.is_ended() {
            match self.streams {
                true => self.reply.end(),
                false => self.reply.accepted(),
            }
            if !self.streams {
                self.sent.clear();
            }
        }
        self.poll_head();
        self.poll_body();
        self.poll_body();
        assert!(self.reply.is_finished() && self.reply.is_ended());
        assert_eq!(self.reply.poll_timeout(), None);
        self.compare();
    }

    /// Everything that was taken has come out, in its order.
    fn compare(self) {
        let head = self.head.expect("a head");
        if head
            .headers
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind == "text/event-stream")
        {
            let mut decoder = SseDecoder::new(usize::MAX);
            decoder.push(&self.body);
            let events: Vec<Vec<u8>> = iter::from_fn(|| decoder.poll_event())
                .map(|event| event.expect("an event").data.to_vec())
                .collect();
            assert_eq!(events, self.sent);
        } else if head.status == StatusCode::OK {
            let whole: Vec<Box<serde_json::value::RawValue>> = match self.body.first() {
                Some(b'[') => serde_json::from_slice(&self.body).expect("an array"),
                _ => vec![serde_json::from_slice(&self.body).expect("JSON")],
            };
            let whole: Vec<&[u8]> = whole.iter().map(|message| message.get().as_bytes()).collect();
            assert_eq!(whole, self.sent);
        }
    }
}

/// A message with these bytes in it, on one line.
fn json(Raw(bytes): Raw) -> Vec<u8> {
    let text = String::from_utf8_lossy(&bytes);
    let params = serde_json::to_vec(&serde_json::json!({ "text": text })).expect("JSON");
    jsonrpc::encode_notification("notifications/x", RawJson::parse(params).expect("JSON").as_bytes())
}
