//! The endpoint with a small application, polled by hand on virtual time.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::poll_fn;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::sync::Mutex;

use bytes::Bytes;
use http::Request;
use http::response::Parts;

use super::*;
use crate::handle::server::{Application, Audience, Call, Peer, Sending, Work};
use crate::http::server::{HttpConfig, Principal, Refusal, ReplyForm, SessionPolicy};
use crate::jsonrpc::{ErrorCode, ErrorObject, Notification, Params, RawJson};
use crate::limits::Limits;
use crate::method::{ClientCapability, Method};
use crate::model::Implementation;
use crate::revision::Revision;
use crate::rpc::{CallOptions, SendError};
use crate::server::{Announcement, Question, ResultBody, ServerConfig};
use crate::time::Time;
use crate::wire::header::ParamHeaders;

mod hostile;
mod large;
mod legacy;
mod sessions;
mod stateless;
mod unread;

/// What a test application does, by the name of the tool.
struct App {
    config: ServerConfig,
    params: Arc<ParamHeaders>,
    /// Handlers that are alive.
    running: Arc<AtomicUsize>,
    /// Opens the gate of the tool `wait`.
    gate: Arc<Mutex<(bool, Vec<Waker>)>>,
    notified: Mutex<Vec<String>>,
}

/// How long a long answer is.
const LONG: usize = 300 << 10;

/// Counts itself while it lives.
struct Alive(Arc<AtomicUsize>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Application for App {
    fn config(&self) -> &ServerConfig {
        &self.config
    }

    fn serve(&self, call: Call, peer: Arc<dyn Peer>) -> Work {
        self.running.fetch_add(1, Ordering::Relaxed);
        let (alive, gate) = (Alive(self.running.clone()), self.gate.clone());
        Box::pin(async move {
            let _alive = alive;
            let name = call
                .called
                .name
                .as_deref()
                .map(|name| String::from_utf8(name.to_vec()).unwrap());
            match name.as_deref() {
                _ if call.method.known() == Some(Method::ListTools) => body(r#"{"tools":[]}"#),
                Some("echo") => body(&format!(
                    r#"{{"echo":{}}}"#,
                    call.called.arguments.as_ref().map_or("null", |json| json.as_str())
                )),
                Some("annotated") => body("{}"),
                Some("talk") => {
                    for step in 1..=3 {
                        peer.notify(format!(r#"{{"step":{step}}}"#).into_bytes()).unwrap();
                    }
                    body(r#"{"said":3}"#)
                }
                Some("talk and wait") => {
                    peer.notify(b"{}".to_vec()).unwrap();
                    opened(&gate).await;
                    body("{}")
                }
                Some("flood") => {
                    for _ in 0..100 {
                        let mut message = alloc::vec![b'1'; 1000];
                        while let Err(back) = peer.notify(message) {
                            message = back;
                            let mut sending = Sending::new(&*peer);
                            poll_fn(|cx| sending.poll_room(cx)).await;
                        }
                    }
                    body("{}")
                }
                Some("talk and answer at length") => {
                    peer.notify(b"{}".to_vec()).unwrap();
                    opened(&gate).await;
                    body(&format!(r#"{{"long":"{}"}}"#, "x".repeat(LONG)))
                }
                Some("wait") => {
                    opened(&gate).await;
                    body(r#"{"waited":true}"#)
                }
                Some("ask") => {
                    let (method, options) = (Method::ListRoots.into(), CallOptions::default());
                    let question = Question {
                        method: &method,
                        options: &options,
                    };
                    let ask = || peer.call(None, &question, Params::NONE);
                    let mut asked = ask();
                    while let Err(SendError::Blocked(_)) = asked {
                        let mut sending = Sending::new(&*peer);
                        poll_fn(|cx| sending.poll_callable(cx)).await;
                        asked = ask();
                    }
                    match asked {
                        Ok(call) => match poll_fn(|cx| peer.poll_answer(call, cx)).await {
                            Ok(answer) => body(&format!(r#"{{"roots":{}}}"#, answer.as_str())),
                            Err(error) => Err(ErrorObject::internal(error.to_string())),
                        },
                        Err(error) => Err(ErrorObject::internal(error.to_string())),
                    }
                }
                Some("spin") => {
                    poll_fn(|cx| {
                        cx.waker().wake_by_ref();
                        Poll::Pending
                    })
                    .await
                }
                Some("need") => call
                    .context
                    .require(ClientCapability::Sampling)
                    .and_then(|()| body("{}")),
                Some("panic") => panic!("the handler of this test panics"),
                _ => Err(ErrorObject::method_not_found(call.method.as_str())),
            }
        })
    }

    fn notified(&self, notification: Notification) {
        self.notified.lock().unwrap().push(notification.method.to_string());
    }

    fn param_headers(&self, tool: &str) -> Option<Arc<ParamHeaders>> {
        (tool == "annotated").then(|| self.params.clone())
    }
}

fn body(json: &str) -> Result<ResultBody, ErrorObject> {
    Ok(ResultBody::from_raw(RawJson::parse(String::from(json)).unwrap()).unwrap())
}

async fn opened(gate: &Mutex<(bool, Vec<Waker>)>) {
    poll_fn(|cx| {
        let mut gate = gate.lock().unwrap();
        if gate.0 {
            return Poll::Ready(());
        }
        gate.1.push(cx.waker().clone());
        Poll::Pending
    })
    .await;
}

/// An endpoint, its application and its clock.
struct World {
    endpoint: Endpoint,
    app: Arc<App>,
    upkeep: Option<Upkeep>,
    now: Time,
    ids: u32,
}

impl World {
    fn new() -> Self {
        Self::with(HttpConfig::default(), Limits::default(), &Revision::ALL)
    }

    fn with(http: HttpConfig, limits: Limits, revisions: &[Revision]) -> Self {
        let capabilities = r#"{"tools":{"listChanged":true},"resources":{"subscribe":true},"prompts":{},"logging":{}}"#;
        let config = ServerConfig::new(Implementation::new("test", "1"))
            .with_capabilities(serde_json::from_str(capabilities).unwrap())
            .with_limits(limits)
            .with_revisions(revisions);
        let schema = r#"{"type":"object","properties":{"value":{"type":"string","x-mcp-header":"Value"}}}"#;
        let app = Arc::new(App {
            config,
            params: Arc::new(ParamHeaders::from_schema(schema).unwrap()),
            running: Arc::default(),
            gate: Arc::default(),
            notified: Mutex::default(),
        });
        let endpoint = Endpoint::of(app.clone(), http);
        Self {
            endpoint,
            app,
            upkeep: None,
            now: Time::ORIGIN,
            ids: 0,
        }
    }

    fn announce(&self, method: Method) {
        self.tell(method, Params::NONE);
    }

    fn tell(&self, method: Method, params: Params) {
        let method = method.into();
        self.endpoint.inner.announce(&Announcement { method, params });
    }

    fn running(&self) -> usize {
        self.app.running.load(Ordering::Relaxed)
    }

    fn open_gate(&self) {
        let mut gate = self.app.gate.lock().unwrap();
        gate.0 = true;
        gate.1.drain(..).for_each(Waker::wake);
    }

    /// Opens an exchange, or gives the refusal as one that is taken whole.
    fn send(&mut self, request: Request<Bytes>) -> Open {
        let (head, body) = request.into_parts();
        let admission = match self.endpoint.admit(&head) {
            Ok(admission) => admission,
            Err(refusal) => {
                let (head, body) = refusal.into_parts();
                return Open::Refused(head, body);
            }
        };
        assert!(admission.body_limit().is_none_or(|limit| body.len() <= limit));
        self.ids += 1;
        let id = self.ids;
        let random = || core::array::from_fn(|at| (id >> (5 * at.min(6))) as u8 & 31);
        let exchange = self.endpoint.open(self.now, &admission, head, body, random);
        if let Some(upkeep) = self.endpoint.take_upkeep() {
            assert!(self.upkeep.replace(upkeep).is_none(), "there is one upkeep");
        }
        Open::Exchange(exchange)
    }

    /// Sends a request whose answer is ready at once.
    fn call(&mut self, request: Request<Bytes>) -> Answer {
        let mut open = self.send(request);
        let answer = open.read(self.now);
        assert!(answer.ended, "the answer is not complete: {}", answer.body);
        answer
    }

    /// Lets time pass, and the upkeep run.
    fn pass(&mut self, time: Duration) {
        self.now = self.now + time;
        self.keep();
    }

    fn keep(&mut self) {
        if let Some(upkeep) = &mut self.upkeep {
            assert!(upkeep.poll(&mut noop(), self.now).is_pending());
            assert!(upkeep.poll_timeout().is_none_or(|due| due > self.now));
        }
    }

    /// A session of `revision`, past its handshake.
    fn session(&mut self, revision: &str) -> Client {
        let answer = self.call(post(&[], &initialize(revision)));
        assert_eq!(answer.status(), 200, "{}", answer.body);
        let client = Client {
            id: answer.head.headers["mcp-session-id"].to_str().unwrap().into(),
            version: revision.into(),
        };
        let initialized = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
        assert_eq!(self.call(client.post(initialized)).status(), 202);
        client
    }
}

/// A legacy client.
struct Client {
    id: String,
    version: String,
}

impl Client {
    fn headers(&self) -> [(&str, &str); 2] {
        [("mcp-session-id", &self.id), ("mcp-protocol-version", &self.version)]
    }

    fn post(&self, body: &str) -> Request<Bytes> {
        post(&self.headers(), body)
    }

    fn get(&self) -> Request<Bytes> {
        request("GET", &self.headers(), "")
    }

    fn delete(&self) -> Request<Bytes> {
        request("DELETE", &self.headers(), "")
    }

    fn tool(&self, id: u32, name: &str) -> Request<Bytes> {
        self.post(&tool(id, name))
    }
}

enum Open {
    Exchange(Exchange),
    Refused(Parts, Bytes),
}

struct Answer {
    head: Parts,
    body: String,
    ended: bool,
}

impl Answer {
    fn status(&self) -> u16 {
        self.head.status.as_u16()
    }

    fn code(&self) -> i64 {
        let value: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        value["error"]["code"].as_i64().unwrap()
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }

    fn content_type(&self) -> &str {
        self.head
            .headers
            .get("content-type")
            .map_or("", |value| value.to_str().unwrap())
    }
}

impl Open {
    /// The head and what there is of the body.
    fn read(&mut self, now: Time) -> Answer {
        let head = self.head(now).expect("there is no head yet");
        let (body, ended) = self.body(now);
        Answer { head, body, ended }
    }

    fn head(&mut self, now: Time) -> Option<Parts> {
        match self {
            Self::Refused(head, _) => Some(head.clone()),
            Self::Exchange(exchange) => match exchange.poll_head(&mut noop(), now) {
                Poll::Ready(head) => Some(head),
                Poll::Pending => None,
            },
        }
    }

    fn body(&mut self, now: Time) -> (String, bool) {
        let exchange = match self {
            Self::Refused(_, body) => return (String::from_utf8(body.to_vec()).unwrap(), true),
            Self::Exchange(exchange) => exchange,
        };
        let mut body = Vec::new();
        loop {
            match exchange.poll_frame(&mut noop(), now) {
                Poll::Ready(Some(bytes)) => body.extend_from_slice(&bytes),
                Poll::Ready(None) => return (String::from_utf8(body).unwrap(), true),
                Poll::Pending => return (String::from_utf8(body).unwrap(), false),
            }
        }
    }
}

fn noop() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

fn request(method: &str, headers: &[(&str, &str)], body: &str) -> Request<Bytes> {
    let defaults = [
        ("host", "localhost:8000"),
        ("content-type", "application/json"),
        ("accept", "application/json, text/event-stream"),
    ];
    let mut request = Request::builder().method(method).uri("/mcp");
    let kept = defaults
        .iter()
        .filter(|(name, _)| !headers.iter().any(|(other, _)| other == name));
    for (name, value) in kept.chain(headers).filter(|(_, value)| !value.is_empty()) {
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

fn tool(id: u32, name: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{name}","arguments":{{"x":1}}}}}}"#)
}
