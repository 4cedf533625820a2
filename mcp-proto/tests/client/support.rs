//! A client under test, and the pen of a scripted server. No transport, no clock.

use core::time::Duration;

use mcp_proto::client::{ClientConfig, ClientEvent, StreamClient};
use mcp_proto::jsonrpc::{Params, RawJson};
use mcp_proto::model::Implementation;
use mcp_proto::rpc::{CallError, CallId, CallOptions};
use mcp_proto::{Revision, Time};
use serde_json::{Value, json};

pub const MODERN: &str = "2026-07-28";

pub fn config() -> ClientConfig {
    ClientConfig::new(Implementation::new("tester", "1.0"))
}

pub fn at(seconds: u64) -> Time {
    Time::since_origin(Duration::from_secs(seconds))
}

pub fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub fn params(value: &Value) -> Params {
    Params::from_serialize(value).unwrap()
}

pub fn result(id: &Value, result: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "result": result})
}

pub fn error(id: &Value, code: i64) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": "no"}})
}

pub fn discover_result() -> Value {
    json!({"resultType": "complete", "supportedVersions": [MODERN], "capabilities": {"tools": {}}, "ttlMs": 0, "cacheScope": "private"})
}

pub fn initialize_result(revision: &str) -> Value {
    json!({"protocolVersion": revision, "capabilities": {"tools": {}}, "serverInfo": {"name": "s", "version": "1"}})
}

pub fn tools() -> Value {
    json!({"resultType": "complete", "tools": []})
}

/// The outcomes of calls among some events.
pub type Outcome = (CallId, Result<RawJson, CallError>);

pub fn replies(events: &[ClientEvent]) -> Vec<Outcome> {
    events
        .iter()
        .filter_map(|event| match event {
            ClientEvent::Reply { call, outcome } => Some((*call, outcome.clone())),
            _ => None,
        })
        .collect()
}

pub fn only_error(events: &[ClientEvent]) -> CallError {
    let replies = replies(events);
    assert_eq!(replies.len(), 1, "{events:?}");
    replies[0].1.clone().unwrap_err()
}

/// The methods of messages, or `result`, `error`.
pub fn methods(messages: &[Value]) -> Vec<&str> {
    messages
        .iter()
        .map(|message| match message["method"].as_str() {
            Some(method) => method,
            None if message.get("result").is_some() => "result",
            None => "error",
        })
        .collect()
}

/// A client over a byte stream, and what its server writes.
pub struct Wire {
    pub client: StreamClient,
    pub now: Time,
}

impl Wire {
    pub fn new(config: ClientConfig) -> Self {
        Self {
            client: StreamClient::new(config),
            now: at(0),
        }
    }

    /// One that speaks `revision` with its server already.
    pub fn ready(revision: Revision) -> Self {
        Self::ready_with(config(), revision)
    }

    pub fn ready_with(config: ClientConfig, revision: Revision) -> Self {
        let mut wire = Self::new(config);
        wire.client.client().connect();
        let probe = wire.sent();
        if revision.is_stateless() {
            wire.write(&result(&probe[0]["id"], discover_result()));
        } else {
            wire.write(&error(&probe[0]["id"], -32601));
            let initialize = wire.sent();
            wire.write(&result(&initialize[0]["id"], initialize_result(revision.as_str())));
            assert_eq!(methods(&wire.sent()), ["notifications/initialized"]);
        }
        assert!(wire.client.as_client().is_ready());
        assert!(matches!(wire.events()[..], [ClientEvent::Ready]));
        wire
    }

    pub fn call(&mut self, method: &str) -> CallId {
        self.call_with(method, Params::NONE, CallOptions::default())
    }

    pub fn call_with(&mut self, method: &str, params: Params, options: CallOptions) -> CallId {
        self.client.client().call(method, params, options).unwrap()
    }

    pub fn sent(&mut self) -> Vec<Value> {
        let mut out = Vec::new();
        while let Some(bytes) = self.client.poll_transmit(self.now) {
            out.extend_from_slice(&bytes);
        }
        let text = String::from_utf8(out).unwrap();
        assert!(text.is_empty() || text.ends_with('\n'));
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub fn write(&mut self, message: &Value) {
        self.write_text(&message.to_string());
    }

    pub fn write_text(&mut self, text: &str) {
        self.client.receive(self.now, format!("{text}\n").as_bytes());
    }

    /// What the application is told, but for junk, which is told beside everything else.
    pub fn events(&mut self) -> Vec<ClientEvent> {
        let events = core::iter::from_fn(|| self.client.poll_event());
        events.filter(|event| !matches!(event, ClientEvent::Junk(_))).collect()
    }

    /// Lets time pass to `seconds` since the start, deadline by deadline.
    pub fn advance(&mut self, seconds: u64) {
        let mut steps = 0;
        while let Some(due) = self.client.poll_timeout().filter(|due| *due <= at(seconds)) {
            self.now = self.now.max(due);
            self.client.handle_timeout(self.now);
            steps += 1;
            assert!(steps < 100_000, "handle_timeout makes no progress");
        }
        self.now = at(seconds);
    }
}
