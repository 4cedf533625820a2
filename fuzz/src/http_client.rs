//! The client over HTTP: any verbs, any responses.
//!
//! Each call ends once; exchanges have ids of their own, and what is aborted was open; polls run dry; and when nothing
//! more comes, the clock ends every call. Bodies that come whole and bodies that come byte by byte do the same.

use std::collections::BTreeSet;

use arbitrary::{Arbitrary, Unstructured};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::response::Parts;
use http::{Response, Uri};
use mcp_proto::Time;
use mcp_proto::client::{ClientEvent, HttpClient};
use mcp_proto::http::client::{ExchangeError, ExchangeId, HttpAction, HttpClientConfig};
use mcp_proto::jsonrpc::{ErrorObject, Params, RawJson};
use mcp_proto::rpc::{CloseReason, RequestKey};

use crate::client::{METHODS, NOTIFICATIONS, told};
use crate::ledger::{Ledger, dry};
use crate::message::{Message, Raw, TO_CLIENT, pick};
use crate::settings::{self, End, Options, Start};

const STATUSES: [u16; 12] = [200, 200, 200, 202, 204, 400, 401, 403, 404, 405, 500, 307];
const TYPES: [&str; 6] = [
    "application/json",
    "text/event-stream",
    "Application/JSON; charset=utf-8",
    "text/html",
    "text/event-stream;charset=x",
    "",
];
const PARAMS: [&str; 2] = ["{}", r#"{"name":"t","arguments":{"a":1}}"#];

#[derive(Arbitrary, Debug)]
enum Op {
    Call {
        method: u8,
        params: u8,
        options: Options,
    },
    Notify {
        method: u8,
        params: u8,
    },
    Cancel(u8),
    Respond {
        request: u8,
        fails: bool,
    },
    Connect,
    Head {
        exchange: u8,
        status: u8,
        kind: u8,
        session: Option<Raw>,
    },
    Json {
        exchange: u8,
        message: Message,
    },
    Event {
        exchange: u8,
        id: u8,
        message: Message,
    },
    Body {
        exchange: u8,
        bytes: Raw,
    },
    End(u8),
    Failed {
        exchange: u8,
        reached: bool,
    },
    /// A whole response of one message.
    Answer {
        exchange: u8,
        message: Message,
    },
    Wait(u8),
    Actions,
    Events,
    Close(End),
}

/// The input is a start and operations.
pub fn run(data: &[u8]) {
    let whole = play(data, false);
    let bytewise = play(data, true);
    assert_eq!(whole, bytewise);
}

fn play(data: &[u8], bytewise: bool) -> Option<Vec<String>> {
    let mut u = Unstructured::new(data);
    let mut run = Run::new(Start::arbitrary(&mut u).ok()?, bytewise);
    while !u.is_empty() {
        run.apply(Op::arbitrary(&mut u).ok()?);
    }
    run.end();
    Some(run.log)
}

struct Run {
    client: HttpClient,
    now: Time,
    bytewise: bool,
    ledger: Ledger,
    /// Every exchange that was opened; some are over, and are reported on all the same.
    exchanges: Vec<ExchangeId>,
    aborted: BTreeSet<ExchangeId>,
    requests: Vec<RequestKey>,
    log: Vec<String>,
}

impl Run {
    fn new(start: Start, bytewise: bool) -> Self {
        let http = HttpClientConfig::new(Uri::from_static("http://127.0.0.1:8000/mcp"));
        Self {
            client: HttpClient::new(settings::client(start), &http),
            now: Time::ORIGIN,
            bytewise,
            ledger: Ledger::default(),
            exchanges: Vec::new(),
            aborted: BTreeSet::new(),
            requests: Vec::new(),
            log: Vec::new(),
        }
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Call {
                method,
                params: index,
                options,
            } => {
                if let Ok(call) = self
                    .client
                    .client()
                    .call(pick(&METHODS, method), params(index), options.into())
                {
                    self.ledger.begun(call);
                }
            }
            Op::Notify { method, params: index } => {
                let _ = self.client.client().notify(pick(&NOTIFICATIONS, method), params(index));
            }
            Op::Cancel(index) => {
                if let Some(call) = self.ledger.nth(index) {
                    self.ledger.cancelled(call, self.client.as_client().is_waiting(call));
                    self.client.client().cancel(call);
                }
            }
            Op::Respond { request, fails } => self.respond(request, fails),
            Op::Connect => self.client.client().connect(),
            Op::Head {
                exchange,
                status,
                kind,
                session,
            } => {
                let head = head(pick_status(status), pick(&TYPES, kind), session.map(|Raw(bytes)| bytes));
                self.on(exchange, |client, now, id| client.head(now, id, &head));
            }
            Op::Json { exchange, message } => self.body(exchange, &message.text(TO_CLIENT)),
            Op::Event { exchange, id, message } => {
                let text = message.text(TO_CLIENT);
                let event = [format!("id: {id}\ndata: ").as_bytes(), &text, b"\n\n"].concat();
                self.body(exchange, &event);
            }
            Op::Body {
                exchange,
                bytes: Raw(bytes),
            } => self.body(exchange, &bytes),
            Op::End(exchange) => self.on(exchange, HttpClient::end),
            Op::Failed { exchange, reached } => self.on(exchange, |client, now, id| {
                let why = Box::from("gone");
                let error = if reached {
                    ExchangeError::Broken(why)
                } else {
                    ExchangeError::Unreachable(why)
                };
                client.failed(now, id, error);
            }),
            Op::Answer { exchange, message } => {
                self.on(exchange, |client, now, id| {
                    client.head(now, id, &head(200, TYPES[0], None))
                });
                self.body(exchange, &message.text(TO_CLIENT));
                self.on(exchange, HttpClient::end);
            }
            Op::Wait(length) => {
                self.now = self.now + settings::pause(length);
                self.client.handle_timeout(self.now);
            }
            Op::Actions => self.actions(),
            Op::Events => self.events(),
            Op::Close(end) => {
                if end.kind(1).is_some() {
                    self.client.close(CloseReason::Local);
                }
            }
        }
    }

    fn on(&mut self, index: u8, report: impl FnOnce(&mut HttpClient, Time, ExchangeId)) {
        let Some(index) = usize::from(index).checked_rem(self.exchanges.len()) else {
            return;
        };
        // The newest first: those are open.
        if let Some(id) = self.exchanges.iter().rev().nth(index) {
            report(&mut self.client, self.now, *id);
        }
    }

    fn body(&mut self, exchange: u8, bytes: &[u8]) {
        let step = if self.bytewise { 1 } else { bytes.len().max(1) };
        for piece in bytes.chunks(step) {
            let piece = Bytes::copy_from_slice(piece);
            self.on(exchange, |client, now, id| client.body(now, id, &piece));
        }
    }

    fn respond(&mut self, index: u8, fails: bool) {
        let index = usize::from(index).checked_rem(self.requests.len());
        if let Some(key) = index.map(|index| self.requests[index]) {
            let result = RawJson::parse(r#"{"roots":[]}"#).expect("JSON");
            let answer = if fails {
                Err(ErrorObject::internal("no"))
            } else {
                Ok(result)
            };
            self.client.client().respond(key, answer);
        }
    }

    fn actions(&mut self) {
        for action in dry(4096, || self.client.poll_action(self.now)) {
            self.log.push(format!("{action:?}"));
            match action {
                HttpAction::Open { id, request } => {
                    assert!(!self.exchanges.contains(&id), "{id:?} is opened twice");
                    assert_eq!(request.uri().path(), "/mcp");
                    self.exchanges.push(id);
                }
                HttpAction::Abort(id) => {
                    assert!(self.exchanges.contains(&id), "{id:?} was never open");
                    assert!(self.aborted.insert(id), "{id:?} is aborted twice");
                }
            }
        }
    }

    fn events(&mut self) {
        for event in dry(4096, || self.client.poll_event()) {
            self.log.push(format!("{event:?} {}", told(&event)));
            self.ledger.told();
            match event {
                ClientEvent::Reply { call, .. } => self.ledger.settled(call),
                ClientEvent::Progress { call, .. } => self.ledger.progress(call),
                ClientEvent::Request(request) => self.requests.push(request.key),
                ClientEvent::Closed(_) => self.ledger.closed(),
                _ => {}
            }
        }
    }

    /// Nothing more comes: the clock ends every call, and a close everything.
    fn end(&mut self) {
        self.run_out();
        self.ledger.assert_settled();
        self.client.close(CloseReason::Local);
        self.run_out();
        assert!(self.ledger.is_closed());
        assert!(self.client.is_finished(), "a closed client has open exchanges");
    }

    fn run_out(&mut self) {
        for round in 0.. {
            assert!(round < 256 + 8 * self.ledger.len(), "the clock does not run out");
            self.actions();
            self.events();
            let Some(due) = self.client.poll_timeout() else { break };
            self.now = self.now.max(due);
            self.client.handle_timeout(self.now);
        }
    }
}

fn pick_status(index: u8) -> u16 {
    STATUSES[usize::from(index) % STATUSES.len()]
}

fn head(status: u16, kind: &str, session: Option<Vec<u8>>) -> Parts {
    let mut head = Response::builder()
        .status(status)
        .body(())
        .expect("a response")
        .into_parts()
        .0;
    if let Ok(kind) = HeaderValue::from_str(kind) {
        head.headers.insert(CONTENT_TYPE, kind);
    }
    if let Some(Ok(session)) = session.map(|bytes| HeaderValue::from_bytes(&bytes)) {
        head.headers.insert("mcp-session-id", session);
    }
    head
}

fn params(index: u8) -> Params {
    let text = pick(&PARAMS, index);
    Params::from_raw(RawJson::parse(text).expect("JSON")).expect("an object")
}
