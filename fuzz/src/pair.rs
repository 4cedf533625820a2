//! A client and a server in memory, a channel that cuts as it likes, and any verbs on both sides.
//!
//! Each call gets the answer that was given to it and no other; as long as the channel stands and the clock does not
//! run, none is lost; when everything was said, both are quiet; when one side ends, both do.

use std::collections::BTreeMap;
use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use mcp_proto::Time;
use mcp_proto::client::{ClientEvent, StreamClient};
use mcp_proto::jsonrpc::{ErrorCode, ErrorObject, Params, RawJson};
use mcp_proto::method::Method;
use mcp_proto::rpc::{CallError, CallId, CloseReason, RequestKey};
use mcp_proto::server::{ClientRequest, ResultBody, ServerEvent, StreamServer};

use crate::ledger::{Ledger, dry};
use crate::settings::{self, End, Options, Start};

#[derive(Arbitrary, Debug)]
enum Op {
    Call(Options),
    CancelCall(u8),
    NotifyServer,
    AnswerServer {
        request: u8,
        fails: bool,
    },
    Serve {
        request: u8,
        fails: bool,
    },
    ProgressTo(u8),
    NotifyClient(u8),
    Ask(Options),
    CancelAsk(u8),
    /// Moves so many bytes of what is under way.
    ToServer(u8),
    ToClient(u8),
    ClientEvents,
    ServerEvents,
    Wait(u8),
    End(End),
}

const NOTIFICATIONS: [Method; 3] = [
    Method::ToolListChangedNotification,
    Method::ResourceListChangedNotification,
    Method::PromptListChangedNotification,
];

/// The input is a start and operations.
pub fn run(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let Ok(start) = Start::arbitrary(&mut u) else { return };
    let mut pair = Pair::new(start);
    while !u.is_empty() {
        let Ok(op) = Op::arbitrary(&mut u) else { break };
        pair.apply(op);
    }
    pair.settle();
    pair.end();
}

struct Pair {
    client: StreamClient,
    server: StreamServer,
    to_server: Vec<u8>,
    to_client: Vec<u8>,
    now: Time,
    calls: Ledger,
    /// What each call of the client asked with, and what it was answered with.
    tags: BTreeMap<CallId, u64>,
    answers: BTreeMap<u64, bool>,
    asks: Ledger,
    asking: Vec<CallId>,
    served: Vec<ClientRequest>,
    asked: Vec<RequestKey>,
    /// Nothing was cut, closed, or let time out.
    stands: bool,
}

impl Pair {
    fn new(start: Start) -> Self {
        Self {
            client: StreamClient::new(settings::client(start)),
            server: StreamServer::new(settings::server()),
            to_server: Vec::new(),
            to_client: Vec::new(),
            now: Time::ORIGIN,
            calls: Ledger::default(),
            tags: BTreeMap::new(),
            answers: BTreeMap::new(),
            asks: Ledger::default(),
            asking: Vec::new(),
            served: Vec::new(),
            asked: Vec::new(),
            stands: true,
        }
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Call(options) => self.call(options),
            Op::CancelCall(index) => {
                if let Some(call) = self.calls.nth(index) {
                    self.calls.cancelled(call, self.client.as_client().is_waiting(call));
                    self.client.client().cancel(call);
                }
            }
            Op::NotifyServer => {
                let _ = self
                    .client
                    .client()
                    .notify(Method::RootsListChangedNotification, Params::NONE);
            }
            Op::AnswerServer { request, fails } => self.answer(request, fails),
            Op::Serve { request, fails } => {
                if let Some(index) = usize::from(request).checked_rem(self.served.len()) {
                    let request = self.served.swap_remove(index);
                    self.serve(request, fails);
                }
            }
            Op::ProgressTo(request) => self.progress(request),
            Op::NotifyClient(method) => {
                let method = NOTIFICATIONS[usize::from(method) % NOTIFICATIONS.len()];
                let _ = self.server.notify(method, Params::NONE);
            }
            Op::Ask(options) => {
                if let Ok(call) = self.server.call(Method::ListRoots, Params::NONE, options.into()) {
                    self.asks.begun(call);
                    self.asking.push(call);
                }
            }
            Op::CancelAsk(index) => self.cancel_ask(index),
            Op::ToServer(most) => self.move_to_server(usize::from(most)),
            Op::ToClient(most) => self.move_to_client(usize::from(most)),
            Op::ClientEvents => self.client_events(),
            Op::ServerEvents => self.server_events(),
            Op::Wait(length) => {
                self.now = self.now + settings::pause(length);
                // No call waits for less, but those that do not wait at all.
                self.stands &= self.now.elapsed() < Duration::from_secs(1);
                self.client.handle_timeout(self.now);
                self.server.handle_timeout(self.now);
            }
            Op::End(end) => self.stop(end.kind(4)),
        }
    }

    fn stop(&mut self, kind: Option<u8>) {
        self.stands &= kind.is_none();
        match kind {
            Some(0) => self.client.receive_eof(self.now),
            Some(1) => self.server.receive_eof(self.now),
            Some(2) => self.client.close(CloseReason::Local),
            Some(_) => self.server.close(),
            None => {}
        }
    }

    fn call(&mut self, options: Options) {
        let tag = self.tags.len() as u64;
        let params = format!(r#"{{"name":"t","arguments":{{"tag":{tag}}}}}"#);
        let params = Params::from_raw(RawJson::parse(params).expect("JSON")).expect("an object");
        if let Ok(call) = self.client.client().call(Method::CallTool, params, options.into()) {
            self.calls.begun(call);
            self.tags.insert(call, tag);
            self.stands &= !matches!(options, Options::Timeout(0));
        }
    }

    fn answer(&mut self, index: u8, fails: bool) {
        if let Some(index) = usize::from(index).checked_rem(self.asked.len()) {
            let key = self.asked.swap_remove(index);
            let roots = RawJson::parse(r#"{"roots":[]}"#).expect("JSON");
            let answer = if fails {
                Err(ErrorObject::internal("no"))
            } else {
                Ok(roots)
            };
            self.client.client().respond(key, answer);
        }
    }

    /// Answers a call with its own tag.
    fn serve(&mut self, request: ClientRequest, fails: bool) {
        let tag = tag_of(
            request.params.as_ref().expect("a call has parameters"),
            "/arguments/tag",
        );
        let result = RawJson::parse(format!(r#"{{"content":[],"structuredContent":{{"tag":{tag}}}}}"#));
        let body = result.and_then(ResultBody::from_raw).expect("an object");
        let outcome = if fails {
            Err(ErrorObject::new(ErrorCode(1), format!("{tag}")))
        } else {
            Ok(body)
        };
        self.answers.insert(tag, fails);
        self.server.respond(request.token, outcome);
    }

    fn progress(&mut self, index: u8) {
        if let Some(index) = usize::from(index).checked_rem(self.served.len()) {
            let request = &mut self.served[index];
            if let Some(message) = request
                .context
                .encode_progress(f64::from(self.tags.len() as u32), None, None)
            {
                let _ = self.server.send_for(&request.token, message);
            }
        }
    }

    fn cancel_ask(&mut self, index: u8) {
        self.server_events();
        if let Some(index) = usize::from(index).checked_rem(self.asking.len()) {
            let call = self.asking.swap_remove(index);
            self.asks.cancelled(call, true);
            self.server.cancel(call, None);
        }
    }

    fn move_to_server(&mut self, most: usize) {
        self.to_server
            .extend(dry(64, || self.client.poll_transmit(self.now)).concat());
        if self.server.wants_input() {
            let bytes: Vec<u8> = self.to_server.drain(..most.min(self.to_server.len())).collect();
            self.server.receive(self.now, &bytes);
        }
    }

    fn move_to_client(&mut self, most: usize) {
        self.to_client
            .extend(dry(64, || self.server.poll_transmit(self.now)).concat());
        if self.client.wants_input() {
            let bytes: Vec<u8> = self.to_client.drain(..most.min(self.to_client.len())).collect();
            self.client.receive(self.now, &bytes);
        }
    }

    fn client_events(&mut self) {
        for event in dry(4096, || self.client.poll_event()) {
            self.calls.told();
            match event {
                ClientEvent::Reply { call, outcome } => {
                    self.calls.settled(call);
                    self.replied(self.tags[&call], outcome);
                }
                ClientEvent::Progress { call, .. } => self.calls.progress(call),
                ClientEvent::Request(request) => self.asked.push(request.key),
                ClientEvent::Closed(_) => self.calls.closed(),
                _ => {}
            }
        }
    }

    /// A reply is the answer that was given to that very call.
    fn replied(&self, tag: u64, outcome: Result<RawJson, CallError>) {
        match outcome {
            Ok(result) => {
                assert_eq!(tag_of(&result, "/structuredContent/tag"), tag);
                assert_eq!(self.answers.get(&tag), Some(&false));
            }
            Err(CallError::Rpc(error)) if error.code == ErrorCode(1) => {
                assert_eq!(error.message, format!("{tag}"));
                assert_eq!(self.answers.get(&tag), Some(&true));
            }
            // The server bears so many requests in progress; a client of one era alone may meet nobody.
            Err(error) => assert!(
                !self.stands
                    || !matches!(
                        error,
                        CallError::Disconnected | CallError::Stale | CallError::Closed(_) | CallError::Timeout { .. }
                    ),
                "{error}"
            ),
        }
    }

    fn server_events(&mut self) {
        for event in dry(4096, || self.server.poll_event()) {
            self.asks.told();
            match event {
                ServerEvent::Request(request) => self.served.push(request),
                ServerEvent::Reply { call, .. } => {
                    self.asks.settled(call);
                    self.asking.retain(|other| *other != call);
                }
                ServerEvent::Progress { call, .. } => self.asks.progress(call),
                ServerEvent::Closed(_) => self.asks.closed(),
                _ => {}
            }
        }
    }

    /// Both sides say and answer everything, while no time passes: then nothing is under way, and nobody waits who
    /// has somebody to wait for.
    fn settle(&mut self) {
        for round in 0.. {
            assert!(round < 200, "the two do not fall silent");
            let before = self.to_server.len() + self.to_client.len();
            self.move_to_server(usize::MAX);
            self.server_events();
            for request in std::mem::take(&mut self.served) {
                self.serve(request, false);
            }
            let back = self.to_client.len();
            self.move_to_client(usize::MAX);
            self.client_events();
            let asked = self.asked.len();
            (0..asked).for_each(|_| self.answer(0, false));
            let more = dry(64, || self.client.poll_transmit(self.now)).concat();
            self.to_server.extend(&more);
            let again = dry(64, || self.server.poll_transmit(self.now)).concat();
            self.to_client.extend(&again);
            if before == 0 && back == 0 && more.is_empty() && again.is_empty() && asked == 0 {
                break;
            }
            if !self.stands && round > 100 {
                break;
            }
        }
        if self.stands {
            self.calls.assert_settled();
            self.asks.assert_settled();
        }
    }

    /// The clock ends what is left, and a close the connection.
    fn end(&mut self) {
        self.client.close(CloseReason::Local);
        self.move_to_server(usize::MAX);
        self.server.receive_eof(self.now);
        for round in 0.. {
            assert!(round < 64 + 8 * self.asks.len(), "the clock does not run out");
            self.client_events();
            self.server_events();
            self.move_to_client(usize::MAX);
            let due = [self.client.poll_timeout(), self.server.poll_timeout()];
            let Some(due) = due.into_iter().flatten().min() else {
                break;
            };
            self.now = self.now.max(due);
            self.client.handle_timeout(self.now);
            self.server.handle_timeout(self.now);
        }
        self.client_events();
        self.server_events();
        self.calls.assert_settled();
        self.asks.assert_settled();
        assert!(self.calls.is_closed() && self.asks.is_closed() && self.server.is_finished());
    }
}

fn tag_of(json: &RawJson, pointer: &str) -> u64 {
    let value: serde_json::Value = json.decode().expect("JSON");
    value
        .pointer(pointer)
        .and_then(serde_json::Value::as_u64)
        .expect("a tag")
}
