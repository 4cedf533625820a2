//! Servers of HTTP+SSE (2024-11-05), on every runtime: found by the ladder, and asked at once where that is said.

use std::sync::{Arc, Mutex};

use mcp_driver::http::HttpOptions;
use mcp_proto::Revision;
use mcp_proto::client::ClientConfig;
use mcp_proto::handle::Client;
use mcp_proto::http::client::HttpDialect;
use mcp_proto::rpc::CallError;
use mcp_tests::runtime::Runtime;
use serde_json::json;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::site::{Request, Site, Step};
use crate::{call, everywhere};

const EVENTS: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
const ACCEPTED: &[u8] = b"HTTP/1.1 202 Accepted\r\ncontent-type: text/plain\r\ncontent-length: 8\r\n\r\nAccepted";
const NOT_FOUND: &[u8] = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";

/// A client that finds out what its server speaks.
fn config() -> ClientConfig {
    ClientConfig::named("tester", "1.0.0")
}

fn client(runtime: &dyn Runtime, url: &str) -> Client {
    client_with(runtime, url, &HttpOptions::default())
}

fn client_with(runtime: &dyn Runtime, url: &str, options: &HttpOptions) -> Client {
    runtime.connect_http(url, config(), options).expect("a client")
}

/// One session at a time: where its events are written.
type Stream = Arc<Mutex<Option<UnboundedSender<Vec<u8>>>>>;

/// A server whose streams name this endpoint.
fn site(endpoint: &'static str) -> (Site, Stream) {
    let stream = Stream::default();
    let own = stream.clone();
    let site = Site::start(move |request| answer(request, &own, endpoint));
    (site, stream)
}

fn answer(request: &Request, stream: &Stream, endpoint: &str) -> Vec<Step> {
    let line = request.head.lines().next().unwrap_or_default();
    if line.starts_with("GET /mcp ") {
        let (events, source) = unbounded_channel();
        *stream.lock().expect("a lock") = Some(events);
        let opening = format!("{EVENTS}event: endpoint\ndata: {endpoint}\n\n");
        return vec![Step::Write(opening.into_bytes()), Step::Feed(source), Step::Close];
    }
    if !line.starts_with("POST /messages?session=1 ") {
        return vec![Step::Write(NOT_FOUND.to_vec())];
    }
    let result = match request.body["method"].as_str() {
        Some("initialize") => json!({
            "protocolVersion": "2024-11-05", "capabilities": {}, "serverInfo": { "name": "s", "version": "1" }
        }),
        Some("test/echo") => json!({ "n": request.body["params"]["n"] }),
        _ => return vec![Step::Write(ACCEPTED.to_vec())],
    };
    let mut stream = stream.lock().expect("a lock");
    // A call of this number is what the server dies of.
    if request.body["params"]["n"] == 666 {
        *stream = None;
    }
    if let Some(events) = &*stream {
        let event = format!("event: message\ndata: {}\n\n", request.message(&result));
        let _ = events.send(event.into_bytes());
    }
    vec![Step::Write(ACCEPTED.to_vec())]
}

#[test]
fn a_server_of_http_sse_is_found_and_called() {
    everywhere(async |runtime| {
        let (site, _stream) = site("/messages?session=1");
        let client = client(runtime, &site.url);
        for n in 0..5 {
            assert_eq!(call(&client, n).await, Ok(n));
        }
        let facts = client.ready().await.expect("a server");
        assert_eq!(facts.revision, Revision::V2024_11_05);
        // The question and `initialize` over Streamable HTTP, the stream, the handshake over it, and the calls.
        assert_eq!(site.requests(), 2 + 1 + 2 + 5);
    });
}

#[test]
fn a_client_that_knows_it_asks_nothing_before() {
    everywhere(async |runtime| {
        let (site, _stream) = site("messages?session=1");
        let options = HttpOptions {
            dialect: HttpDialect::HttpSse,
            ..HttpOptions::default()
        };
        let client = client_with(runtime, &site.url, &options);
        assert_eq!(call(&client, 1).await, Ok(1));
        assert_eq!(site.requests(), 1 + 2 + 1);
    });
}

#[test]
fn a_stream_that_ends_takes_its_calls_along_and_the_next_session_works() {
    everywhere(async |runtime| {
        let (site, _stream) = site("/messages?session=1");
        let client = client(runtime, &site.url);
        assert_eq!(call(&client, 1).await, Ok(1));
        assert_eq!(call(&client, 666).await, Err(CallError::Disconnected));
        assert_eq!(call(&client, 2).await, Ok(2));
    });
}

#[test]
fn an_endpoint_of_another_origin_gets_nothing() {
    everywhere(async |runtime| {
        let elsewhere = Site::start(Request::plain);
        let endpoint: &'static str = elsewhere.url.clone().leak();
        let (site, _stream) = site(endpoint);
        let client = client(runtime, &site.url);
        assert_eq!(call(&client, 1).await, Err(CallError::ForeignEndpoint(endpoint.into())));
        assert_eq!(elsewhere.requests(), 0);
    });
}

#[test]
fn a_client_that_is_dropped_leaves_the_stream() {
    everywhere(async |runtime| {
        let (site, stream) = site("/messages?session=1");
        let (client, driver) = runtime.client_over_http(&site.url, config()).expect("a client");
        let mut driver = runtime.start(driver);
        assert_eq!(call(&client, 1).await, Ok(1));
        drop(client);
        driver.end().await;
        // The site notices when it writes.
        let sent = stream.lock().expect("a lock").take();
        drop(sent);
        site.open_is(runtime, 0).await;
    });
}
