//! A host without sockets, threads and runtime: it hands a [`Request`] in, and takes a [`Response`] out. So do workers at
//! the edge, and components behind `wasi:http`. Here are both roles for it, and `main` has them meet in memory.
//!
//! `cargo run -p mcp-proto --example worker`
//!
//! - [`Worker`] serves: [`fetch`](Worker::fetch) is what the host calls for each request. What is answered at once has
//!   its whole body in the response; a stream is read piece by piece, as long as the host likes.
//! - [`Caller`] calls: what its machine wants done comes out as requests that the host sends by whatever `fetch` it has.
//!
//! The host brings a clock, and random bytes of a secure source. It calls `handle_timeout` when `poll_timeout` is due.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::Read;

use bytes::Bytes;
use http::{Request, Response, Uri};
use mcp_proto::Time;
use mcp_proto::client::{ClientConfig, ClientEvent, HttpClient, Mode};
use mcp_proto::http::client::{self, HttpAction, HttpClientConfig};
use mcp_proto::http::server::HttpConfig;
use mcp_proto::jsonrpc::{ErrorObject, Params};
use mcp_proto::method::Method;
use mcp_proto::model::Implementation;
use mcp_proto::rpc::{CallId, CallOptions, CloseReason};
use mcp_proto::server::http::{ExchangeId, Frame, HttpEvent, HttpServer, Sender};
use mcp_proto::server::{ClientRequest, ResultBody, ServerConfig};
use serde_json::json;

/// A server in a host that calls it for each request.
struct Worker {
    server: HttpServer,
    /// Bytes of a secure source, for the ids of sessions.
    random: fn() -> [u8; 32],
}

/// The body of a response.
enum Body {
    /// All of it.
    Whole(Bytes),
    /// It is read with [`Worker::read`].
    Stream(ExchangeId),
}

impl Worker {
    fn new(random: fn() -> [u8; 32]) -> Self {
        let capabilities = serde_json::from_str(r#"{"tools":{"listChanged":true}}"#).expect("capabilities");
        let config = ServerConfig::new(Implementation::new("worker", "1.0.0")).with_capabilities(capabilities);
        Self {
            server: HttpServer::new(config, HttpConfig::default()),
            random,
        }
    }

    /// Answers a request.
    fn fetch(&mut self, now: Time, request: Request<Bytes>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let id = self.server.receive(now, head, body, Sender::new(), self.random);
        self.answer();
        // The application answers at once, or on a stream that has begun.
        let head = self.server.poll_head(now, id).expect("a head");
        let body = match self.server.body_length(id) {
            None => Body::Stream(id),
            Some(_) => {
                let pieces = std::iter::from_fn(|| self.read(now, id)?.into_data());
                Body::Whole(pieces.collect::<Vec<_>>().concat().into())
            }
        };
        Response::from_parts(head, body)
    }

    /// The next piece of a stream, or its end; `None` while there is nothing.
    fn read(&mut self, now: Time, id: ExchangeId) -> Option<Frame> {
        self.server.poll_frame(now, id)
    }

    /// Nobody reads this stream any more.
    fn hang_up(&mut self, now: Time, id: ExchangeId) {
        self.server.disconnect(now, id);
        self.answer();
    }

    /// Tells everybody who listens that there are other tools now.
    fn announce(&mut self) {
        let announced = self.server.notify(Method::ToolListChangedNotification, Params::NONE);
        announced.expect("it is declared");
    }

    /// The application.
    fn answer(&mut self) {
        while let Some(event) = self.server.poll_event() {
            if let HttpEvent::Request(asked) = event {
                let outcome = greet(&asked);
                self.server.respond(asked.token, outcome);
            }
        }
    }
}

fn greet<T>(asked: &ClientRequest<T>) -> Result<ResultBody, ErrorObject> {
    let result = match (asked.method.known(), asked.name()) {
        (Some(Method::CallTool), Some("greet")) => json!({ "content": [{ "type": "text", "text": "hello" }] }),
        (Some(Method::CallTool), _) => return Err(ErrorObject::invalid_params("no such tool")),
        (Some(Method::ListTools), _) => json!({ "tools": [{ "name": "greet", "inputSchema": { "type": "object" } }] }),
        _ => return Err(ErrorObject::method_not_found(asked.method.as_str())),
    };
    ResultBody::from_serialize(&result).map_err(|error| ErrorObject::internal(error.to_string()))
}

/// A client in a host that sends its requests.
struct Caller {
    client: HttpClient,
}

impl Caller {
    fn new(uri: Uri, mode: Mode) -> Self {
        let config = ClientConfig::named("host", "1.0.0").with_mode(mode);
        Self {
            client: HttpClient::new(config, &HttpClientConfig::new(uri)),
        }
    }

    fn call(&mut self, method: Method, params: &serde_json::Value) -> CallId {
        let params = Params::from_serialize(params).expect("an object");
        let call = self.client.client().call(method, params, CallOptions::default());
        call.expect("there is room")
    }

    /// A request that the host is to send, or a response that it is to read no further.
    fn poll_action(&mut self, now: Time) -> Option<HttpAction> {
        self.client.poll_action(now)
    }

    /// A response has come, with a body that is there or that is to be read.
    fn fetched(&mut self, now: Time, id: client::ExchangeId, response: Response<Option<Bytes>>) {
        let (head, body) = response.into_parts();
        self.client.head(now, id, &head);
        if let Some(body) = body {
            self.client.body(now, id, &body);
            self.client.end(now, id);
        }
    }

    /// A piece of such a body has come, or its end.
    fn read(&mut self, now: Time, id: client::ExchangeId, frame: Frame) {
        match frame {
            Frame::Data(bytes) => self.client.body(now, id, &bytes),
            Frame::End => self.client.end(now, id),
        }
    }
}

/// The two in memory, where there is no network between them.
struct Host {
    worker: Worker,
    caller: Caller,
    /// The streams that are open, on the two sides.
    streams: BTreeMap<client::ExchangeId, ExchangeId>,
}

impl Host {
    fn new(mode: Mode) -> Self {
        Self {
            worker: Worker::new(random),
            caller: Caller::new(Uri::from_static("http://localhost/mcp"), mode),
            streams: BTreeMap::new(),
        }
    }

    /// Runs both until there is nothing to do; what the client has to say.
    fn run(&mut self, now: Time) -> Vec<ClientEvent> {
        let mut events = Vec::new();
        loop {
            let mut is_idle = true;
            while let Some(action) = self.caller.poll_action(now) {
                is_idle = false;
                self.go(now, action);
            }
            for (id, stream) in self.streams.clone() {
                while let Some(frame) = self.worker.read(now, stream) {
                    is_idle = false;
                    if frame == Frame::End {
                        self.streams.remove(&id);
                    }
                    self.caller.read(now, id, frame);
                }
            }
            events.extend(std::iter::from_fn(|| self.caller.client.poll_event()));
            if is_idle {
                return events;
            }
        }
    }

    fn go(&mut self, now: Time, action: HttpAction) {
        match action {
            HttpAction::Open { id, request } => {
                let response = self.worker.fetch(now, request).map(|body| match body {
                    Body::Whole(bytes) => Some(bytes),
                    Body::Stream(stream) => {
                        self.streams.insert(id, stream);
                        None
                    }
                });
                self.caller.fetched(now, id, response);
            }
            HttpAction::Abort(id) => {
                if let Some(stream) = self.streams.remove(&id) {
                    self.worker.hang_up(now, stream);
                }
            }
        }
    }
}

/// Bytes for the id of a session, which nobody may guess. Each host has its own source.
fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    let source = File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes));
    source.expect("a source of random bytes");
    bytes
}

/// The text of the answer to a call.
fn answer(events: &[ClientEvent], wanted: CallId) -> Option<String> {
    events.iter().find_map(|event| match event {
        ClientEvent::Reply { call, outcome } if *call == wanted => {
            outcome.as_ref().ok().map(|result| result.as_str().into())
        }
        _ => None,
    })
}

fn notifications(events: &[ClientEvent]) -> usize {
    let is_one = |event: &&ClientEvent| matches!(event, ClientEvent::Notification(_));
    events.iter().filter(is_one).count()
}

fn main() -> Result<(), Box<dyn Error>> {
    for mode in [Mode::Modern, Mode::Legacy(mcp_proto::Revision::V2025_11_25)] {
        let now = Time::ORIGIN;
        let mut host = Host::new(mode);
        let call = host
            .caller
            .call(Method::CallTool, &json!({ "name": "greet", "arguments": {} }));
        let events = host.run(now);
        println!("{}", answer(&events, call).ok_or("no answer")?);
        // A session hears of it on its stream; in the modern era nobody has subscribed here.
        host.worker.announce();
        println!("{} notifications", notifications(&host.run(now)));
        host.caller.client.close(CloseReason::Local);
        host.run(now);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use mcp_proto::Revision;

    #[test]
    fn the_two_meet_in_both_eras() {
        main().expect("an answer");
    }

    #[test]
    fn a_client_of_2025_hears_on_the_stream_of_its_session() {
        let (now, mut host) = (Time::ORIGIN, Host::new(Mode::Legacy(Revision::V2025_11_25)));
        host.caller.client.client().connect();
        host.run(now);
        assert_eq!((host.worker.server.sessions(), host.streams.len()), (1, 1));
        host.worker.announce();
        assert_eq!(notifications(&host.run(now)), 1);
        // Its end is a DELETE, and the end of the stream.
        host.caller.client.close(CloseReason::Local);
        host.run(now);
        assert!(host.caller.client.is_finished());
        assert_eq!(
            (host.worker.server.sessions(), host.worker.server.open_exchanges()),
            (0, 0)
        );
    }

    #[test]
    fn a_client_of_2026_hears_on_its_subscription() {
        let (now, mut host) = (Time::ORIGIN, Host::new(Mode::Modern));
        let params = json!({ "notifications": { "toolsListChanged": true } });
        let call = host.caller.call(Method::ListenSubscriptions, &params);
        host.run(now);
        assert_eq!((host.worker.server.subscriptions(), host.streams.len()), (1, 1));
        host.worker.announce();
        assert!(notifications(&host.run(now)) >= 1);
        host.worker.server.drain();
        let events = host.run(now);
        assert!(answer(&events, call).is_some(), "{events:?}");
        assert!(host.worker.server.is_finished());
    }
}
