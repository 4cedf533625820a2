//! The server on a byte stream: any verbs, any bytes.
//!
//! Each request is answered at most once, and exactly once while the connection stands and it is not cancelled;
//! nothing is answered that was not asked; each call of the server ends once; events end with the end; what is written
//! is made of valid messages; polls run dry; a server that gets every byte by itself does exactly the same.

use std::collections::BTreeMap;

use arbitrary::{Arbitrary, Unstructured};
use bytes::Bytes;
use mcp_proto::jsonrpc::{self, ErrorObject, Incoming, Message as Written, Params, RawJson};
use mcp_proto::model::LoggingLevel;
use mcp_proto::rpc::CallId;
use mcp_proto::server::{ClientRequest, ResultBody, ServerEvent, StreamServer};
use mcp_proto::{Limits, Time};

use crate::asked::Asked;
use crate::ledger::{Ledger, dry};
use crate::message::{Message, TO_SERVER, pick};
use crate::settings::{self, End, OUTBOX, Options};

const METHODS: [&str; 5] = ["ping", "roots/list", "sampling/createMessage", "x", "tools/call"];
const NOTIFICATIONS: [&str; 5] = [
    "notifications/tools/list_changed",
    "notifications/resources/updated",
    "notifications/prompts/list_changed",
    "notifications/x",
    "ping",
];
const PARAMS: [&str; 3] = [
    "{}",
    r#"{"uri":"2026-07-28"}"#,
    r#"{"_meta":{"k":1},"messages":[],"maxTokens":1}"#,
];
const RESULTS: [&str; 3] = [
    "{}",
    r#"{"content":[],"resultType":"complete"}"#,
    r#"{"tools":[],"_meta":{"a":1},"ttlMs":5}"#,
];

#[derive(Arbitrary, Debug)]
enum Op {
    Receive(Message),
    ReceivePart(Message),
    Respond { request: u8, result: u8, fails: bool },
    Progress { request: u8, progress: u8 },
    Log { request: u8 },
    Notify { method: u8, params: u8 },
    Request { method: u8, params: u8, options: Options },
    Cancel(u8),
    Wait(u8),
    Transmit,
    Events,
    End(End),
}

/// The input is operations.
pub fn run(data: &[u8]) {
    let whole = play(data, false);
    let bytewise = play(data, true);
    assert_eq!(whole, bytewise);
}

fn play(data: &[u8], bytewise: bool) -> Vec<String> {
    let mut u = Unstructured::new(data);
    let mut run = Run::new(bytewise);
    while !u.is_empty() {
        let Ok(op) = Op::arbitrary(&mut u) else { break };
        run.apply(op);
    }
    run.end();
    run.log
}

struct Run {
    server: StreamServer,
    now: Time,
    bytewise: bool,
    ledger: Ledger,
    waiting: BTreeMap<CallId, ()>,
    requests: Vec<ClientRequest>,
    asked: Asked,
    /// Whether the end has begun: requests may stay without an answer then.
    ends: bool,
    log: Vec<String>,
}

impl Run {
    fn new(bytewise: bool) -> Self {
        Self {
            server: StreamServer::new(settings::server()),
            now: Time::ORIGIN,
            bytewise,
            ledger: Ledger::default(),
            waiting: BTreeMap::new(),
            requests: Vec::new(),
            asked: Asked::new(settings::limits().line_bytes),
            ends: false,
            log: Vec::new(),
        }
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Receive(message) => {
                let mut line = message.text(TO_SERVER);
                line.push(b'\n');
                self.receive(&line);
            }
            Op::ReceivePart(message) => self.receive(&message.text(TO_SERVER)),
            Op::Respond { request, result, fails } => {
                if let Some(index) = self.index(request) {
                    let request = self.requests.swap_remove(index);
                    self.respond(request, result, fails);
                }
            }
            Op::Progress { request, progress } => self.send_for(request, |request| {
                request.context.encode_progress(progress.into(), None, None)
            }),
            Op::Log { request } => self.send_for(request, |request| {
                let data = RawJson::parse("1").expect("JSON");
                request.context.encode_log(&LoggingLevel::Error, None, &data)
            }),
            Op::Notify { method, params: index } => {
                let _ = self.server.notify(pick(&NOTIFICATIONS, method), params(index));
            }
            Op::Request {
                method,
                params: index,
                options,
            } => self.request(pick(&METHODS, method), index, options),
            Op::Cancel(index) => self.cancel(index),
            Op::Wait(length) => {
                self.now = self.now + settings::pause(length);
                self.server.handle_timeout(self.now);
            }
            Op::Transmit => self.transmit(),
            Op::Events => self.events(),
            Op::End(end) => self.stop(end.kind(2)),
        }
    }

    fn stop(&mut self, kind: Option<u8>) {
        self.ends |= kind.is_some();
        match kind {
            Some(0) => {
                self.asked.finish();
                self.server.receive_eof(self.now);
            }
            Some(_) => self.server.close(),
            None => {}
        }
    }

    fn receive(&mut self, bytes: &[u8]) {
        if !self.server.wants_input() {
            return;
        }
        self.asked.push(bytes);
        let step = if self.bytewise { 1 } else { bytes.len().max(1) };
        for piece in bytes.chunks(step) {
            self.server.receive(self.now, piece);
        }
    }

    fn index(&self, index: u8) -> Option<usize> {
        usize::from(index).checked_rem(self.requests.len())
    }

    fn respond(&mut self, request: ClientRequest, result: u8, fails: bool) {
        let result = RawJson::parse(pick(&RESULTS, result))
            .and_then(ResultBody::from_raw)
            .expect("an object");
        let outcome = if fails {
            Err(ErrorObject::internal("no"))
        } else {
            Ok(result)
        };
        self.server.respond(request.token, outcome);
    }

    fn send_for(&mut self, index: u8, encode: impl FnOnce(&mut ClientRequest) -> Option<Vec<u8>>) {
        let Some(index) = self.index(index) else { return };
        if let Some(message) = encode(&mut self.requests[index]) {
            let _ = self.server.send_for(&self.requests[index].token, message);
        }
    }

    fn request(&mut self, method: &str, index: u8, options: Options) {
        if let Ok(call) = self.server.call(method, params(index), options.into()) {
            self.ledger.begun(call);
            self.waiting.insert(call, ());
        }
    }

    fn cancel(&mut self, index: u8) {
        if let Some(call) = self.ledger.nth(index) {
            // Its answer may be on its way to the application already.
            self.events();
            self.ledger.cancelled(call, self.waiting.remove(&call).is_some());
            self.server.cancel(call, Some("enough"));
        }
    }

    fn transmit(&mut self) {
        let sent = dry(4096, || self.server.poll_transmit(self.now));
        let bytes: usize = sent.iter().map(|piece| piece.len()).sum();
        assert!(bytes <= OUTBOX + 32 * 1024, "{bytes} bytes were queued");
        for piece in &sent {
            assert_eq!(piece.last(), Some(&b'\n'));
            piece
                .split(|byte| *byte == b'\n')
                .filter(|line| !line.is_empty())
                .for_each(|line| self.written(line));
        }
        self.log.extend(sent.iter().map(|piece| format!("{piece:?}")));
    }

    fn written(&mut self, line: &[u8]) {
        match jsonrpc::parse(Bytes::copy_from_slice(line), &Limits::default()) {
            Ok(Incoming::Single(message)) => self.said(&message),
            Ok(Incoming::Batch(batch)) => batch
                .messages()
                .for_each(|message| self.said(&message.expect("a message"))),
            Err(error) => panic!("no message is written: {error:?} {:?}", String::from_utf8_lossy(line)),
        }
    }

    fn said(&mut self, message: &Written) {
        if let Written::Response(response) = message
            && let Some(id) = &response.id
        {
            self.asked.answered(id);
        }
    }

    fn events(&mut self) {
        for event in dry(4096, || self.server.poll_event()) {
            self.log.push(format!("{event:?} {}", told(&event)));
            self.ledger.told();
            match event {
                ServerEvent::Request(request) => self.requests.push(request),
                ServerEvent::Reply { call, .. } => {
                    self.waiting.remove(&call);
                    self.ledger.settled(call);
                }
                ServerEvent::Progress { call, .. } => self.ledger.progress(call),
                ServerEvent::Cancelled { key, .. } => {
                    let known = self.requests.iter().find(|request| request.token.key() == Some(key));
                    if let Some(request) = known {
                        self.asked.cancelled(request.token.id());
                    }
                }
                ServerEvent::Closed(_) => self.ledger.closed(),
                _ => {}
            }
        }
    }

    /// Everything is answered, then the connection is closed.
    fn end(&mut self) {
        self.transmit();
        self.events();
        for request in std::mem::take(&mut self.requests) {
            assert!(
                self.ends || self.asked.is_pending(request.token.id()) || !self.server.is_in_progress(&request.token)
            );
            let answered = self
                .server
                .is_in_progress(&request.token)
                .then(|| request.token.id().clone());
            let before = answered.as_ref().map(|id| self.asked.answers(id));
            self.respond(request, 0, false);
            self.transmit();
            if let (Some(id), Some(before)) = (answered, before)
                && !self.asked.batches()
            {
                assert_eq!(self.asked.answers(&id), before + 1, "{id:?} is answered once");
            }
        }
        self.events();
        self.server.close();
        for round in 0.. {
            assert!(round < 64 + 8 * self.ledger.len(), "the clock does not run out");
            self.transmit();
            self.events();
            let Some(due) = self.server.poll_timeout() else { break };
            self.now = self.now.max(due);
            self.server.handle_timeout(self.now);
        }
        assert!(self.server.is_finished() && self.ledger.is_closed());
        self.ledger.assert_settled();
    }
}

fn params(index: u8) -> Params {
    let text = pick(&PARAMS, index);
    Params::from_raw(RawJson::parse(text).expect("JSON")).expect("an object")
}

/// The text of an event, which its `Debug` does not show.
fn told(event: &ServerEvent) -> &str {
    match event {
        ServerEvent::Request(request) => request.text.as_str(),
        ServerEvent::Notification(notification) => notification.text.as_str(),
        ServerEvent::Reply {
            outcome: Ok(result), ..
        } => result.as_str(),
        _ => "",
    }
}
