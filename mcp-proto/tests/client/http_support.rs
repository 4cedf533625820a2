//! A client over HTTP under test, and the pen of a scripted server.

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use mcp_proto::client::{ClientConfig, ClientEvent, HttpClient};
use mcp_proto::http::client::{ExchangeError, ExchangeId, HttpAction, HttpClientConfig};
use mcp_proto::jsonrpc::Params;
use mcp_proto::rpc::{CallId, CallOptions};
use mcp_proto::{Revision, Time};
use serde_json::{Value, json};

use crate::support::{at, config, discover_result, error, initialize_result, result};

pub const JSON: &str = "application/json";
pub const SSE: &str = "text/event-stream";

/// An exchange that the client has opened.
#[derive(Debug)]
pub struct Opened {
    pub id: ExchangeId,
    pub verb: http::Method,
    pub uri: http::Uri,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Opened {
    pub fn header(&self, name: &str) -> Option<&str> {
        assert!(self.headers.get_all(name).iter().count() < 2, "{name} twice");
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub fn method(&self) -> &str {
        self.body["method"].as_str().unwrap_or_else(|| self.verb.as_str())
    }

    pub fn rpc_id(&self) -> &Value {
        &self.body["id"]
    }
}

pub fn verbs(opened: &[Opened]) -> Vec<&str> {
    opened.iter().map(Opened::method).collect()
}

pub struct Web {
    pub client: HttpClient,
    pub now: Time,
    pub aborted: Vec<ExchangeId>,
    /// Where requests have to go; anywhere, where empty.
    pub place: &'static str,
}

impl Web {
    pub fn new(config: ClientConfig) -> Self {
        Self::with(config, HttpClientConfig::new("http://localhost/mcp".parse().unwrap()))
    }

    pub fn with(config: ClientConfig, http: HttpClientConfig) -> Self {
        Self {
            client: HttpClient::new(config, &http),
            now: at(0),
            aborted: Vec::new(),
            place: "http://localhost/mcp",
        }
    }

    /// One that speaks `revision` with its server already, in a session named `s1`, without a GET stream.
    pub fn ready(revision: Revision) -> Self {
        Self::ready_with(config(), revision)
    }

    pub fn ready_with(config: ClientConfig, revision: Revision) -> Self {
        let mut web = Self::new(config);
        web.client.client().connect();
        web.probe_answered(revision);
        if !revision.is_stateless() {
            let opened = web.opened();
            web.initialize_answered(&opened[0], revision, "s1");
            let opened = web.opened();
            assert_eq!(verbs(&opened), ["notifications/initialized"]);
            web.status(opened[0].id, 202);
            for get in web.opened() {
                web.status(get.id, 405);
            }
        }
        assert!(web.client.as_client().is_ready());
        assert!(matches!(web.events()[..], [ClientEvent::Ready]));
        assert!(web.opened().is_empty());
        web
    }

    pub fn probe_answered(&mut self, revision: Revision) {
        let opened = self.opened();
        assert_eq!(verbs(&opened), ["server/discover"]);
        let id = opened[0].rpc_id();
        if revision.is_stateless() {
            self.json(opened[0].id, 200, &result(id, discover_result()));
        } else {
            self.json(opened[0].id, 400, &error(id, -32600));
        }
    }

    pub fn initialize_answered(&mut self, opened: &Opened, revision: Revision, session: &str) {
        assert_eq!(opened.method(), "initialize");
        let body = result(opened.rpc_id(), initialize_result(revision.as_str()));
        self.head(opened.id, 200, &[("content-type", JSON), ("mcp-session-id", session)]);
        self.body(opened.id, body.to_string().as_bytes());
        self.end(opened.id);
    }

    pub fn call(&mut self, method: &str) -> CallId {
        self.call_with(method, Params::NONE, CallOptions::default())
    }

    pub fn call_with(&mut self, method: &str, params: Params, options: CallOptions) -> CallId {
        self.client.client().call(method, params, options).unwrap()
    }

    /// What the client opens now; what it aborts is noted.
    pub fn opened(&mut self) -> Vec<Opened> {
        let mut opened = Vec::new();
        while let Some(action) = self.client.poll_action(self.now) {
            match action {
                HttpAction::Open { id, request } => {
                    let (parts, body) = request.into_parts();
                    assert!(self.place.is_empty() || parts.uri == self.place, "{}", parts.uri);
                    let body = if body.is_empty() {
                        json!(null)
                    } else {
                        serde_json::from_slice(&body).unwrap()
                    };
                    opened.push(Opened {
                        id,
                        verb: parts.method,
                        uri: parts.uri,
                        headers: parts.headers,
                        body,
                    });
                }
                HttpAction::Abort(id) => self.aborted.push(id),
            }
        }
        opened
    }

    pub fn head(&mut self, id: ExchangeId, status: u16, headers: &[(&str, &str)]) {
        let mut response = Response::builder().status(StatusCode::from_u16(status).unwrap());
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        let (parts, ()) = response.body(()).unwrap().into_parts();
        self.client.head(self.now, id, &parts);
    }

    pub fn body(&mut self, id: ExchangeId, chunk: &[u8]) {
        self.client.body(self.now, id, &Bytes::copy_from_slice(chunk));
    }

    pub fn end(&mut self, id: ExchangeId) {
        self.client.end(self.now, id);
    }

    /// A whole response without a body.
    pub fn status(&mut self, id: ExchangeId, status: u16) {
        self.head(id, status, &[]);
        self.end(id);
    }

    /// A whole response with a JSON body.
    pub fn json(&mut self, id: ExchangeId, status: u16, body: &Value) {
        self.head(id, status, &[("content-type", JSON)]);
        self.body(id, body.to_string().as_bytes());
        self.end(id);
    }

    pub fn broken(&mut self, id: ExchangeId) {
        self.client.failed(self.now, id, ExchangeError::Broken("cut".into()));
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

/// Messages as server-sent events.
pub fn sse(messages: &[Value]) -> Vec<u8> {
    messages
        .iter()
        .flat_map(|message| format!("event: message\ndata: {message}\n\n").into_bytes())
        .collect()
}
