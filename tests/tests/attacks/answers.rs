//! A legacy server that pings without end and takes none of the answers: descriptors of its client.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use mcp_driver::http::HttpOptions;
use mcp_proto::Revision;
use mcp_proto::client::Mode;
use mcp_proto::jsonrpc::Params;
use mcp_proto::rpc::CallError;
use mcp_tests::caller::{config, everywhere};
use serde_json::json;

use crate::hostile::{Hostile, Request, hang, respond};
use crate::victim::alone;

/// What the session has at most: answers, the stream that asks, and a call or two that begin and end.
const MOST: usize = 8 + 4;

/// So many pings are sent, unless the client stops reading before.
const PINGS: usize = 200_000;

fn serve(request: &Request, stream: &mut TcpStream) {
    let id = &request.body["id"];
    match (request.verb.as_str(), request.body["method"].as_str()) {
        ("POST", Some("initialize")) => {
            let info = json!({"name": "s", "version": "1"});
            let result = json!({"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": info});
            let body = json!({"jsonrpc": "2.0", "id": id, "result": result}).to_string();
            let headers = "content-type: application/json\r\nmcp-session-id: s1\r\n";
            respond(stream, "200 OK", headers, &body);
        }
        ("POST", Some("notifications/initialized")) => respond(stream, "202 Accepted", "", ""),
        ("POST", Some(_)) => flood(stream),
        // An answer: it is never taken.
        ("POST", None) => hang(stream),
        _ => respond(stream, "405 Method Not Allowed", "", ""),
    }
}

fn flood(stream: &mut TcpStream) {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
    let mut text = String::from(head);
    for id in 0..PINGS {
        text.push_str(&format!(
            "data: {{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"ping\"}}\n\n"
        ));
        if text.len() > 64 << 10 {
            if stream.write_all(text.as_bytes()).is_err() {
                return;
            }
            text.clear();
        }
    }
}

#[test]
fn a_server_that_takes_no_answers_costs_its_client_a_few_descriptors() {
    let _alone = alone();
    everywhere(async |runtime| {
        let server = Hostile::start(serve);
        let options = HttpOptions {
            listen: false,
            ..HttpOptions::default()
        };
        let config = config().with_mode(Mode::Legacy(Revision::V2025_11_25));
        let client = runtime.connect_http(&server.url, config, &options).expect("a client");
        let begun = Instant::now();
        let call = client
            .request_raw("tools/list", Params::NONE)
            .timeout(Duration::from_secs(1));
        let outcome = call.await;
        assert!(matches!(outcome, Err(CallError::Timeout { .. })), "{outcome:?}");
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
        assert!(
            server.most_open() <= MOST,
            "{} connections at a time",
            server.most_open()
        );
        assert!(server.made() <= 2 * MOST, "{} connections", server.made());
    });
}
