//! Clients of both eras over loopback sockets.

use std::io::{BufReader, Read};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, response};

use super::*;

const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;
const CHANGED: &str = "notifications/tools/list_changed";

/// A response whose body is still to be read.
struct Answer {
    head: response::Parts,
    body: BufReader<TcpStream>,
    text: String,
}

impl Answer {
    fn status(&self) -> u16 {
        self.head.status.as_u16()
    }

    /// The body until `text` stands in it.
    fn until(&mut self, text: &str) -> &str {
        let mut piece = [0; 1024];
        while !self.text.contains(text) {
            let length = self.body.read(&mut piece).expect("more in time");
            assert_ne!(length, 0, "it ends with {:?}, not {text:?}", self.text);
            self.text += std::str::from_utf8(&piece[..length]).expect("text");
        }
        &self.text
    }

    /// The whole body.
    fn end(&mut self) -> &str {
        self.body.read_to_string(&mut self.text).expect("an end in time");
        &self.text
    }
}

/// Sends a request with these headers.
fn send(uri: &Uri, method: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut request = Request::builder()
        .method(method)
        .uri(uri)
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Bytes::from(body.to_owned())).expect("a request");
    let address = uri.authority().expect("an address").as_str();
    let mut stream = TcpStream::connect(address).expect("a connection");
    let timeout = Some(Duration::from_secs(10));
    stream.set_read_timeout(timeout).expect("a timeout");
    http1::write_request(&mut stream, &request).expect("room for the request");
    let mut body = BufReader::new(stream);
    let head = http1::read_response(&mut body).expect("a head in time");
    let text = String::new();
    Answer { head, body, text }
}

fn announce(server: &Sender<Report>) {
    say(server, |server| {
        let announced = server.notify(Method::ToolListChangedNotification, Params::NONE);
        announced.expect("it may be announced");
    });
}

fn finish(server: &Sender<Report>, serving: thread::JoinHandle<()>) {
    say(server, HttpServer::drain);
    serving.join().expect("the driver ends with its server");
}

fn call(id: u32, meta: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"forecast","arguments":{{"city":"Bern"}}{meta}}}}}"#
    )
}

#[test]
fn a_call_is_answered_and_both_sides_end() {
    let (done, ended) = channel();
    thread::spawn(move || done.send(run().map_err(|error| error.to_string())));
    let result = ended
        .recv_timeout(Duration::from_secs(20))
        .expect("an end")
        .expect("an answer");
    assert_eq!(result.content, CallToolResult::text("sunny in Bern").content);
}

#[test]
fn a_client_of_2025_has_a_session_with_its_stream_batches_and_an_end() {
    let (uri, server, serving) = serve().expect("a server");
    let version = ("mcp-protocol-version", "2025-03-26");
    let hello = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-03-26","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#;
    let answer = send(&uri, "POST", &[], hello);
    assert_eq!(answer.status(), 200);
    let session = answer.head.headers["mcp-session-id"].to_str().expect("text").to_owned();
    let ask = |method, body: &str| send(&uri, method, &[version, ("mcp-session-id", &session)], body);

    let opened = ask("POST", r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
    assert_eq!(opened.status(), 202);
    // What is announced before there is a stream waits for it.
    announce(&server);
    let mut stream = ask("GET", "");
    stream.until(CHANGED);
    stream.text.clear();
    announce(&server);
    stream.until(CHANGED);

    let note = r#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}"#;
    let mut batch = ask("POST", &format!("[{},{note},{}]", call(1, ""), call(2, "")));
    let text = batch.end();
    assert!(
        text.starts_with('[') && text.matches("sunny in Bern").count() == 2,
        "{text}"
    );

    assert_eq!(ask("DELETE", "").status(), 204);
    stream.end();
    assert_eq!(ask("POST", &call(3, "")).status(), 404);
    finish(&server, serving);
}

#[test]
fn a_client_of_2026_calls_and_subscribes() {
    let (uri, server, serving) = serve().expect("a server");
    let version = ("mcp-protocol-version", "2026-07-28");
    let headers = [version, ("mcp-method", "tools/call"), ("mcp-name", "forecast")];
    let mut answer = send(&uri, "POST", &headers, &call(1, &format!(",{META}")));
    assert_eq!(answer.status(), 200);
    assert!(answer.end().contains("sunny in Bern"));

    let listen = format!(
        r#"{{"jsonrpc":"2.0","id":2,"method":"subscriptions/listen","params":{{"notifications":{{"toolsListChanged":true}},{META}}}}}"#
    );
    let subscribe = || {
        send(
            &uri,
            "POST",
            &[version, ("mcp-method", "subscriptions/listen")],
            &listen,
        )
    };
    let (mut first, mut second) = (subscribe(), subscribe());
    first.until("notifications/subscriptions/acknowledged");
    second.until("notifications/subscriptions/acknowledged");
    announce(&server);
    first.until(CHANGED);
    // One is ended by its client, the other with its server.
    first.body.get_ref().shutdown(Shutdown::Both).expect("a connection");
    second.until(CHANGED);
    finish(&server, serving);
    assert!(second.end().contains(r#""id":2"#), "{}", second.text);
}

#[test]
fn a_request_that_is_refused_is_not_read() {
    let (uri, server, serving) = serve().expect("a server");
    let refused = send(&uri, "POST", &[("origin", "https://evil.example")], "{}");
    assert_eq!(refused.status(), 403);
    finish(&server, serving);
}

#[test]
fn the_driver_of_the_server_is_short() {
    let driver = include_str!("../http_server/mod.rs");
    let is_code = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("//");
    let lines = driver.lines().filter(is_code).count();
    assert!(lines <= 150, "{lines} lines");
}
