//! The server over HTTP: any requests of any clients, in any pieces, and an application that does anything.
//!
//! Each response has one head, a body of the length it says, and an end; each request has one answer, on its own
//! response, or is cancelled once; requests of the server are settled once; polls run dry; and when everything is
//! answered and closed nothing is kept. Bodies that come whole and bodies that come byte by byte do the same.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;

use arbitrary::{Arbitrary, Unstructured};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Method, Request, request, response};
use mcp_proto::http::server::{HttpConfig, Refusal, ReplyForm, SessionPolicy};
use mcp_proto::jsonrpc::{self, ErrorObject, Id, Incoming, Message as Written, Params};
use mcp_proto::server::http::{
    ExchangeId, Frame, HttpCallId, HttpEvent, HttpRequestKey, HttpRequestToken, HttpServer, Sender,
};
use mcp_proto::server::{ClientRequest, ResultBody};
use mcp_proto::wire::sse::SseDecoder;
use mcp_proto::{Limits, Time};

use crate::ledger::dry;
use crate::message::{Message, Raw, TO_SERVER, pick};
use crate::reply;
use crate::settings::{self, End, Options};

const METHODS: [Method; 8] = [
    Method::POST,
    Method::POST,
    Method::POST,
    Method::POST,
    Method::POST,
    Method::GET,
    Method::DELETE,
    Method::PUT,
];
const TARGETS: [&str; 4] = ["/mcp", "http://127.0.0.1:8000/mcp", "http://evil.example/mcp", "*"];
const ASKED: [&str; 3] = ["roots/list", "sampling/createMessage", "ping"];
const NOTIFICATIONS: [&str; 3] = [
    "notifications/tools/list_changed",
    "notifications/resources/updated",
    "notifications/initialized",
];

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
struct Head {
    method: u8,
    target: u8,
    /// Whether the headers begin with those that a good client sends, and those that fit the body.
    good: bool,
    /// The session, of those that were begun.
    session: Option<u8>,
    header: Option<Field>,
}

#[derive(Arbitrary, Debug)]
enum Field {
    Known(u8),
    Raw { name: u8, value: Raw },
}

#[derive(Arbitrary, Debug)]
enum Op {
    Send { head: Head, body: Message },
    Begin { head: Head, body: Message },
    Piece { exchange: u8, body: Message },
    Finish(u8),
    Fail { exchange: u8, late: bool },
    Disconnect(u8),
    Respond { request: u8, fails: bool },
    Progress { request: u8, progress: u8 },
    Ask { request: u8, method: u8, options: Options },
    Cancel(u8),
    Notify { method: u8, named: bool },
    Wait(u8),
    Poll(u8),
    Ready,
    Events,
    End(End),
}

/// The input is how the server serves, and operations; or operations on a single reply.
pub fn run(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let Ok(kind) = u8::arbitrary(&mut u) else { return };
    if kind % 4 == 0 {
        return reply::run(&config(kind), &mut u);
    }
    let rest = u.take_rest();
    assert_eq!(play(kind, rest, false), play(kind, rest, true));
}

fn config(kind: u8) -> HttpConfig {
    let form = if kind & 0x10 > 0 {
        ReplyForm::Sse
    } else {
        ReplyForm::Json
    };
    let policy = if kind & 0x60 == 0x60 {
        SessionPolicy::Stateless
    } else {
        SessionPolicy::Stateful
    };
    HttpConfig::default().reply(form).sessions(policy)
}

fn play(kind: u8, data: &[u8], bytewise: bool) -> Vec<String> {
    let mut u = Unstructured::new(data);
    let mut run = Run::new(config(kind), bytewise);
    while !u.is_empty() {
        let Ok(op) = Op::arbitrary(&mut u) else { break };
        run.apply(op);
    }
    run.end();
    run.log
}

/// What came out of an exchange, and what has to.
#[derive(Default)]
struct Books {
    head: Option<response::Parts>,
    /// What `Content-Length` would say.
    length: Option<usize>,
    body: Vec<u8>,
    is_over: bool,
    /// The requests that were answered while they were in progress, and their client there.
    answered: Vec<Id>,
}

struct Run {
    server: HttpServer,
    now: Time,
    bytewise: bool,
    random: u8,
    exchanges: Vec<ExchangeId>,
    books: BTreeMap<ExchangeId, Books>,
    sessions: Vec<HeaderValue>,
    requests: Vec<ClientRequest<HttpRequestToken>>,
    keys: BTreeSet<HttpRequestKey>,
    cancelled: BTreeSet<HttpRequestKey>,
    /// The requests of the server, and whether each is settled.
    asked: BTreeMap<HttpCallId, bool>,
    log: Vec<String>,
}

impl Run {
    fn new(http: HttpConfig, bytewise: bool) -> Self {
        Self {
            server: HttpServer::new(settings::server(), http),
            now: Time::ORIGIN,
            bytewise,
            random: 0,
            exchanges: Vec::new(),
            books: BTreeMap::new(),
            sessions: Vec::new(),
            requests: Vec::new(),
            keys: BTreeSet::new(),
            cancelled: BTreeSet::new(),
            asked: BTreeMap::new(),
            log: Vec::new(),
        }
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Send { head, body } => {
                let body = body.text(TO_SERVER);
                if let Some(head) = self.head(&head, &body) {
                    self.send(head, &body);
                }
            }
            Op::Begin { head, body } => {
                if let Some(head) = self.head(&head, &body.text(TO_SERVER)) {
                    let id = self.server.receive_head(self.now, head, Sender::new());
                    self.opened(id);
                }
            }
            Op::Piece { exchange, body } => self.on(exchange, |run, id| run.pieces(id, &body.text(TO_SERVER))),
            Op::Finish(exchange) => self.on(exchange, Self::finish),
            Op::Fail { exchange, late } => self.on(exchange, |run, id| {
                let refusal = if late { Refusal::TimedOut } else { Refusal::Incomplete };
                run.server.fail_body(id, &refusal);
            }),
            Op::Disconnect(exchange) => self.on(exchange, Self::disconnect),
            Op::Respond { request, fails } => {
                if let Some(at) = self.index(request) {
                    let asked = self.requests.swap_remove(at);
                    self.respond(asked, fails);
                }
            }
            Op::Progress { request, progress } => self.progress(request, progress),
            Op::Ask {
                request,
                method,
                options,
            } => self.ask(request, pick(&ASKED, method), options),
            Op::Cancel(index) => self.cancel(index),
            Op::Notify { method, named } => {
                let params = serde_json::json!({ "uri": if named { "2026-07-28" } else { "x" } });
                let params = Params::from_serialize(&params).expect("an object");
                let _ = self.server.notify(pick(&NOTIFICATIONS, method), params);
            }
            Op::Wait(length) => {
                self.now = self.now + settings::pause(length);
                self.server.handle_timeout(self.now);
            }
            Op::Poll(exchange) => self.on(exchange, Self::poll),
            Op::Ready => self.ready(),
            Op::Events => self.events(),
            Op::End(end) => match end.kind(6) {
                Some(0) => self.server.drain(),
                Some(1) => self.server.close(),
                Some(_) => self.server.end_sessions(),
                None => {}
            },
        }
    }

    fn head(&self, head: &Head, body: &[u8]) -> Option<request::Parts> {
        let method = METHODS[usize::from(head.method) % METHODS.len()].clone();
        let mut request = Request::builder().method(method).uri(pick(&TARGETS, head.target));
        if head.good {
            for index in [0, 5, 10] {
                request = request.header(HEADERS[index].0, HEADERS[index].1);
            }
            for (name, value) in fitting(body) {
                request = request.header(name, value);
            }
        }
        if let Some(index) = head.session
            && let Some(at) = usize::from(index).checked_rem(self.sessions.len())
        {
            request = request.header("mcp-session-id", &self.sessions[at]);
        }
        let known = |index: u8| HEADERS[usize::from(index) % HEADERS.len()];
        request = match &head.header {
            None => request,
            Some(Field::Known(index)) => request.header(known(*index).0, known(*index).1),
            Some(Field::Raw {
                name,
                value: Raw(value),
            }) => request.header(
                HeaderName::from_static(known(*name).0),
                HeaderValue::from_bytes(value).ok()?,
            ),
        };
        Some(request.body(()).ok()?.into_parts().0)
    }

    fn send(&mut self, head: request::Parts, body: &[u8]) {
        if self.bytewise {
            let id = self.server.receive_head(self.now, head, Sender::new());
            self.opened(id);
            self.pieces(id, body);
            self.finish(id);
        } else {
            self.random = self.random.wrapping_add(1);
            let random = [self.random; 32];
            let body = Bytes::copy_from_slice(body);
            let id = self.server.receive(self.now, head, body, Sender::new(), || random);
            self.opened(id);
        }
    }

    fn opened(&mut self, id: ExchangeId) {
        assert!(
            self.books.insert(id, Books::default()).is_none(),
            "{id:?} is given out twice"
        );
        self.exchanges.push(id);
    }

    fn pieces(&mut self, id: ExchangeId, body: &[u8]) {
        let step = if self.bytewise { 1 } else { body.len().max(1) };
        body.chunks(step).for_each(|piece| self.server.receive_body(id, piece));
    }

    fn finish(&mut self, id: ExchangeId) {
        self.random = self.random.wrapping_add(1);
        let random = [self.random; 32];
        self.server.receive_end(self.now, id, || random);
        assert!(!self.server.wants_body(id));
    }

    fn disconnect(&mut self, id: ExchangeId) {
        self.server.disconnect(self.now, id);
        assert!(!self.server.is_open(id));
        self.book(id).is_over = true;
    }

    /// Does something to an exchange, the newest first: those are open.
    fn on(&mut self, index: u8, act: impl FnOnce(&mut Self, ExchangeId)) {
        if let Some(at) = usize::from(index).checked_rem(self.exchanges.len())
            && let Some(id) = self.exchanges.iter().rev().nth(at).copied()
        {
            act(self, id);
        }
    }

    fn index(&self, index: u8) -> Option<usize> {
        usize::from(index).checked_rem(self.requests.len())
    }

    fn book(&mut self, id: ExchangeId) -> &mut Books {
        self.books.get_mut(&id).expect("an exchange that was opened")
    }

    fn respond(&mut self, asked: ClientRequest<HttpRequestToken>, fails: bool) {
        let exchange = asked.token.key().exchange();
        if self.server.is_in_progress(&asked.token) && self.server.is_open(exchange) {
            assert!(
                !self.cancelled.contains(&asked.token.key()),
                "in progress, and cancelled"
            );
            let id = asked.token.id().clone();
            self.book(exchange).answered.push(id);
        }
        let outcome = if fails {
            Err(ErrorObject::internal("no"))
        } else {
            Ok(ResultBody::EMPTY)
        };
        self.server.respond(asked.token, outcome);
    }

    fn progress(&mut self, request: u8, progress: u8) {
        let Some(at) = self.index(request) else { return };
        let asked = &mut self.requests[at];
        if let Some(message) = asked.context.encode_progress(progress.into(), None, None) {
            let has_room = self.server.has_room(&asked.token);
            let taken = self.server.send_for(&asked.token, message);
            assert!(taken.is_ok() || !has_room, "there was room");
        }
    }

    fn ask(&mut self, request: u8, method: &'static str, options: Options) {
        let Some(at) = self.index(request) else { return };
        let token = &self.requests[at].token;
        if let Ok(id) = self.server.call(token, method, Params::NONE, options.into()) {
            assert!(self.asked.insert(id, false).is_none(), "{id:?} is given out twice");
        }
    }

    fn cancel(&mut self, index: u8) {
        let at = usize::from(index) % self.asked.len().max(1);
        if let Some(id) = self.asked.keys().nth(at).copied() {
            self.events();
            self.server.cancel(id, Some("enough"));
            self.asked.insert(id, true);
        }
    }

    fn ready(&mut self) {
        for id in dry(self.exchanges.len(), || self.server.poll_ready()) {
            self.poll(id);
        }
    }

    fn poll(&mut self, id: ExchangeId) {
        for head in dry(1, || self.server.poll_head(self.now, id)) {
            self.log.push(format!("{id:?} {}", head.status));
            self.sessions.extend(head.headers.get("mcp-session-id").cloned());
            let length = self.server.body_length(id);
            let book = self.book(id);
            assert!(!book.is_over && book.head.is_none(), "a head too many");
            (book.head, book.length) = (Some(head), length);
        }
        // An event stream may have a comment too.
        for frame in dry(3, || self.server.poll_frame(self.now, id)) {
            let book = self.books.get_mut(&id).expect("an exchange that was opened");
            assert!(book.head.is_some() && !book.is_over, "{frame:?} out of turn");
            match frame {
                Frame::Data(bytes) => book.body.extend_from_slice(&bytes),
                Frame::End => {
                    book.is_over = true;
                    check(book);
                    assert!(!self.server.is_open(id) && self.server.body_length(id).is_none());
                    self.log.push(format!("{id:?} {}", String::from_utf8_lossy(&book.body)));
                }
            }
        }
    }

    fn events(&mut self) {
        for event in dry(4096, || self.server.poll_event()) {
            match event {
                HttpEvent::Request(asked) => {
                    assert!(self.keys.insert(asked.token.key()), "a request comes twice");
                    self.log
                        .push(format!("{} {:?}", asked.method.as_str(), asked.token.key()));
                    self.requests.push(asked);
                }
                HttpEvent::Cancelled { request, .. } => {
                    assert!(self.keys.contains(&request), "{request:?} is unknown");
                    assert!(self.cancelled.insert(request), "{request:?} is cancelled twice");
                }
                HttpEvent::Reply { call, outcome } => {
                    self.log.push(format!("{call:?} {}", outcome.is_ok()));
                    assert_eq!(self.asked.insert(call, true), Some(false), "{call:?} is settled");
                }
                HttpEvent::Progress { call, .. } => assert!(self.asked.contains_key(&call)),
                other => self.log.push(format!("{other:?}")),
            }
        }
    }

    /// Everything is answered and closed: then nothing is left.
    fn end(&mut self) {
        for id in self.exchanges.clone() {
            self.server.fail_body(id, &Refusal::Incomplete);
        }
        self.events();
        for asked in std::mem::take(&mut self.requests) {
            self.respond(asked, false);
        }
        self.server.close();
        for round in 0.. {
            assert!(round < 64 + 8 * self.asked.len(), "the clock does not run out");
            self.ready();
            self.events();
            self.server.handle_timeout(self.now);
            let Some(due) = self.server.poll_timeout() else { break };
            self.now = self.now.max(due);
        }
        assert!(self.asked.values().all(|settled| *settled), "{:?}", self.asked);
        assert!(
            self.books.values().all(|book| book.is_over),
            "an exchange without an end"
        );
        let kept = self.server.kept();
        assert!(
            self.server.is_finished() && kept.entries == 0 && kept.bytes == 0,
            "{:?} {kept:?}",
            self.server
        );
    }
}

/// The headers that fit a body.
fn fitting(body: &[u8]) -> Vec<(&'static str, String)> {
    let Ok(message) = serde_json::from_slice::<serde_json::Value>(body) else {
        return Vec::new();
    };
    let version = &message["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"];
    let Some(version) = version.as_str() else {
        return Vec::new();
    };
    let mut headers = vec![("mcp-protocol-version", version.to_owned())];
    headers.extend(
        message["method"]
            .as_str()
            .map(|method| ("mcp-method", method.to_owned())),
    );
    headers.extend(
        message["params"]["name"]
            .as_str()
            .map(|name| ("mcp-name", name.to_owned())),
    );
    headers
}

/// A response is as long as it says, refuses with an error, and holds each answer that was given.
fn check(book: &Books) {
    let head = book.head.as_ref().expect("a head");
    assert!(
        book.length.is_none_or(|length| length == book.body.len()),
        "{:?} is not {}",
        book.length,
        book.body.len()
    );
    let is_stream = head
        .headers
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind == "text/event-stream");
    let messages: Vec<Vec<u8>> = if is_stream {
        let mut decoder = SseDecoder::new(usize::MAX);
        decoder.push(&book.body);
        let events = iter::from_fn(|| decoder.poll_event());
        events.map(|event| event.expect("an event").data.to_vec()).collect()
    } else {
        Some(book.body.clone())
            .filter(|body| !body.is_empty())
            .into_iter()
            .collect()
    };
    let mut answers: BTreeMap<Id, usize> = BTreeMap::new();
    let mut said = |message: &Written| match message {
        Written::Response(response) => {
            assert!(!head.status.is_client_error() || response.outcome.is_err());
            response
                .id
                .iter()
                .for_each(|id| *answers.entry(id.clone()).or_default() += 1);
        }
        _ => assert!(is_stream, "{message:?} in a document"),
    };
    for message in &messages {
        match jsonrpc::parse(Bytes::copy_from_slice(message), &Limits::default()) {
            Ok(Incoming::Single(message)) => said(&message),
            Ok(Incoming::Batch(batch)) => batch.messages().for_each(|message| said(&message.expect("a message"))),
            Err(error) => panic!("no message: {error:?} {:?}", String::from_utf8_lossy(message)),
        }
    }
    let refuses = head.status.is_client_error() || head.status.is_server_error();
    assert!(!refuses || messages.len() == 1, "a refusal without an error");
    for id in &book.answered {
        let left = answers.get_mut(id).filter(|left| **left > 0);
        *left.unwrap_or_else(|| panic!("{id:?} has no answer")) -= 1;
    }
}
