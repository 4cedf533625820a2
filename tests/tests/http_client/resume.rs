//! A response that breaks off after an event id is asked for again, on every runtime.

use std::time::{Duration, Instant};

use mcp_driver::http::HttpOptions;
use mcp_proto::Revision;
use mcp_proto::client::Mode;
use serde_json::json;

use crate::site::{Request, Site, Step};
use crate::{call, config, everywhere};

const EVENTS: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

/// The scenario `sse-retry` of the conformance suite: an id, a time, and the end before the answer.
fn answer(request: &Request) -> Vec<Step> {
    let method = request.body["method"].as_str().unwrap_or_default();
    if method == "initialize" {
        let result = json!({
            "protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": { "name": "s", "version": "1" }
        });
        return vec![Step::Write(request.json(&result))];
    }
    if request.head.starts_with("GET") {
        // That of the call; the other is the stream of the client.
        if !request.head.to_lowercase().contains("last-event-id: event-7") {
            let none = "HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 0\r\n\r\n";
            return vec![Step::Write(none.into())];
        }
        let message = json!({ "jsonrpc": "2.0", "id": 1, "result": { "n": 3 } });
        let text = format!(
            "{EVENTS}{}0\r\n\r\n",
            chunk(&format!("id: event-8\ndata: {message}\n\n"))
        );
        return vec![Step::Write(text.into_bytes())];
    }
    if method == "test/echo" {
        let text = format!("{EVENTS}{}", chunk("id: event-7\nretry: 500\ndata:\n\n"));
        return vec![
            Step::Write(text.into_bytes()),
            Step::Wait(Duration::from_millis(50)),
            Step::Close,
        ];
    }
    vec![Step::Write(
        b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n".to_vec(),
    )]
}

#[test]
fn a_response_that_breaks_off_is_resumed_after_the_time_that_the_server_names() {
    everywhere(async |runtime| {
        let site = Site::start(answer);
        let config = config().with_mode(Mode::Legacy(Revision::V2025_11_25));
        let options = HttpOptions::default();
        let client = runtime.connect_http(&site.url, config, &options).expect("a client");
        let began = Instant::now();
        assert_eq!(call(&client, 3).await, Ok(3));
        assert!(began.elapsed() >= Duration::from_millis(500));
    });
}
