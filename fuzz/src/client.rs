//! The client on a byte stream: any verbs, any bytes.
//!
//! Each call ends once; events end with the end; what waits to be written stays within its limit; polls run dry; a
//! client that gets every byte by itself does exactly the same; and when nothing more comes, the clock ends every
//! call.

use arbitrary::{Arbitrary, Unstructured};
use mcp_proto::Time;
use mcp_proto::client::{ClientEvent, StreamClient};
use mcp_proto::jsonrpc::{ErrorObject, Params, RawJson};
use mcp_proto::rpc::{CloseReason, RequestKey};

use crate::ledger::{Ledger, dry};
use crate::message::{Message, TO_CLIENT, pick};
use crate::settings::{self, End, OUTBOX, Options, Start};

pub const METHODS: [&str; 7] = [
    "tools/call",
    "tools/list",
    "ping",
    "prompts/list",
    "logging/setLevel",
    "x",
    "initialize",
];
pub const NOTIFICATIONS: [&str; 4] = [
    "notifications/roots/list_changed",
    "notifications/x",
    "notifications/initialized",
    "ping",
];
const PARAMS: [&str; 3] = [
    "{}",
    r#"{"name":"t","arguments":{"a":1}}"#,
    r#"{"name":"t","_meta":{"k":1},"text":"                                "}"#,
];

#[derive(Arbitrary, Debug)]
enum Op {
    Call { method: u8, params: u8, options: Options },
    Notify { method: u8, params: u8 },
    Cancel(u8),
    Respond { request: u8, fails: bool },
    Connect,
    Receive(Message),
    ReceivePart(Message),
    Wait(u8),
    Transmit,
    Events,
    End(End),
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
    client: StreamClient,
    now: Time,
    bytewise: bool,
    ledger: Ledger,
    requests: Vec<RequestKey>,
    log: Vec<String>,
}

impl Run {
    fn new(start: Start, bytewise: bool) -> Self {
        Self {
            client: StreamClient::new(settings::client(start)),
            now: Time::ORIGIN,
            bytewise,
            ledger: Ledger::default(),
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
                let method = pick(&METHODS, method);
                if let Ok(call) = self.client.client().call(method, params(index), options.into()) {
                    self.ledger.begun(call);
                }
                assert!(
                    self.client.as_client().pending_calls()
                        <= self.client.as_client().config().limits.pending_calls + 2
                );
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
            Op::Receive(message) => {
                let mut line = message.text(TO_CLIENT);
                line.push(b'\n');
                self.receive(&line);
            }
            Op::ReceivePart(message) => self.receive(&message.text(TO_CLIENT)),
            Op::Wait(length) => {
                self.now = self.now + settings::pause(length);
                self.client.handle_timeout(self.now);
            }
            Op::Transmit => self.transmit(),
            Op::Events => self.events(),
            Op::End(end) => match end.kind(2) {
                Some(0) => self.client.receive_eof(self.now),
                Some(_) => self.client.close(CloseReason::Local),
                None => {}
            },
        }
    }

    fn receive(&mut self, bytes: &[u8]) {
        if !self.client.wants_input() {
            return;
        }
        let step = if self.bytewise { 1 } else { bytes.len().max(1) };
        for piece in bytes.chunks(step) {
            self.client.receive(self.now, piece);
        }
    }

    fn respond(&mut self, index: u8, fails: bool) {
        let index = usize::from(index) % self.requests.len().max(1);
        if let Some(key) = self.requests.get(index).copied() {
            let result = RawJson::parse(r#"{"roots":[]}"#).expect("JSON");
            let answer = if fails {
                Err(ErrorObject::internal("no"))
            } else {
                Ok(result)
            };
            self.client.client().respond(key, answer);
        }
    }

    fn transmit(&mut self) {
        let sent = dry(64, || self.client.poll_transmit(self.now));
        let bytes: usize = sent.iter().map(|piece| piece.len()).sum();
        // Above its limit the outbox takes what it owes: one message of the application, and the answers to a line.
        assert!(bytes <= OUTBOX + 16 * 1024, "{bytes} bytes were queued");
        self.log.extend(sent.iter().map(|piece| format!("{piece:?}")));
    }

    fn events(&mut self) {
        let events = dry(4096, || self.client.poll_event());
        for event in events {
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

    /// Nothing more comes: the clock ends every call, and a close the rest.
    fn end(&mut self) {
        let most = 64 + 8 * self.ledger.len();
        for round in 0.. {
            assert!(round < most, "the clock does not run out");
            self.transmit();
            self.events();
            let Some(due) = self.client.poll_timeout() else { break };
            self.now = self.now.max(due);
            self.client.handle_timeout(self.now);
        }
        self.ledger.assert_settled();
        assert_eq!(self.client.as_client().pending_calls(), 0);
        self.client.close(CloseReason::Local);
        self.events();
        assert!(self.ledger.is_closed());
        self.transmit();
        self.events();
    }
}

fn params(index: u8) -> Params {
    let text = pick(&PARAMS, index);
    Params::from_raw(RawJson::parse(text).expect("JSON")).expect("an object")
}

/// The text of an event, which its `Debug` does not show.
pub fn told(event: &ClientEvent) -> &str {
    match event {
        ClientEvent::Reply {
            outcome: Ok(result), ..
        } => result.as_str(),
        ClientEvent::Progress { params, .. } | ClientEvent::Log { params, .. } => params.as_str(),
        ClientEvent::Notification(told) => told.notification.text.as_str(),
        ClientEvent::Request(asked) => asked.request.text.as_str(),
        _ => "",
    }
}
