//! What a server answers to bytes that make no sense, and that it goes on afterwards.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use mcp_tests::raw::exchange;
use mcp_tests::runtime::{Address, Flavour};
use mcp_tests::world::{Probe, Remote, Transport, Wire};
use serde_json::{Value, json};

/// A request of the modern era that is in order.
const PROPER: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#;

/// Its headers.
const HEADERS: [(&str, &str); 5] = [
    ("Host", "localhost"),
    ("Content-Type", "application/json"),
    ("Accept", "application/json, text/event-stream"),
    ("MCP-Protocol-Version", "2026-07-28"),
    ("Mcp-Method", "tools/list"),
];

#[test]
fn http_requests_that_make_no_sense_are_refused() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let unknown = PROPER.replace("tools/list", "x/unheard-of");
    let removed = PROPER.replace("tools/list", "ping");
    let version = PROPER.replace("2026-07-28", "v999.0.0");
    let huge = format!("{{\"x\":\"{}\"}}", "x".repeat(17 << 20));
    let cases: [(&str, Request, u16, i64); 19] = [
        ("no JSON", Request::proper().body("{"), 400, -32700),
        ("nothing", Request::proper().body(""), 400, -32700),
        (
            "no UTF-8",
            Request::proper().body(b"{\"jsonrpc\":\"\xff\"}"),
            400,
            -32700,
        ),
        ("no message", Request::proper().body("{\"x\":1}"), 400, -32600),
        ("a batch", Request::proper().body(format!("[{PROPER}]")), 400, -32600),
        ("a deep nest", Request::proper().body(deep), 400, -32700),
        ("a huge body", Request::proper().body(huge), 413, -32600),
        (
            "an unknown method",
            Request::proper().header("Mcp-Method", "x/unheard-of").body(unknown),
            404,
            -32601,
        ),
        (
            "a removed method",
            Request::proper().header("Mcp-Method", "ping").body(removed),
            404,
            -32601,
        ),
        (
            "another method in the header",
            Request::proper().header("Mcp-Method", "tools/call"),
            400,
            -32020,
        ),
        (
            "another version in the body",
            Request::proper().body(version),
            400,
            -32020,
        ),
        (
            "a text",
            Request::proper().header("Content-Type", "text/plain"),
            415,
            -32600,
        ),
        (
            "an unknown encoding",
            Request::proper().more("Content-Encoding", "br"),
            415,
            -32600,
        ),
        (
            "no form that is accepted",
            Request::proper().header("Accept", "text/html"),
            406,
            -32600,
        ),
        (
            "a foreign host",
            Request::proper().header("Host", "evil.example.com"),
            403,
            -32600,
        ),
        (
            "a foreign origin",
            Request::proper().more("Origin", "http://evil.example.com"),
            403,
            -32600,
        ),
        (
            "two versions",
            Request::proper().more("MCP-Protocol-Version", "2026-07-28"),
            400,
            -32020,
        ),
        ("PUT", Request::proper().method("PUT"), 405, -32600),
        (
            "an unknown session",
            Request::legacy().more("Mcp-Session-Id", "nobody"),
            404,
            -32600,
        ),
    ];
    for flavour in Flavour::ALL {
        let (address, _server) = serve(flavour);
        for (name, request, status, code) in &cases {
            let (found, body) = request.send(address);
            assert_eq!(found, *status, "{name}, {flavour}: {body}");
            let body: Value = serde_json::from_str(&body).unwrap_or_else(|_| panic!("{name}, {flavour}: {body:?}"));
            assert_eq!(body["error"]["code"], *code, "{name}, {flavour}: {body}");
            let (status, body) = Request::proper().send(address);
            assert_eq!(status, 200, "after {name}, {flavour}: {body}");
        }
    }
}

#[test]
fn bytes_that_are_no_http_close_their_connection_alone() {
    for flavour in Flavour::ALL {
        let (address, _server) = serve(flavour);
        let mut garbage = TcpStream::connect(address).unwrap();
        garbage.write_all(b"\x16\x03\x01 this is no request\r\n\r\n").unwrap();
        let mut half = TcpStream::connect(address).unwrap();
        half.write_all(b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
            .unwrap();
        half.shutdown(Shutdown::Write).unwrap();
        for connection in [&mut garbage, &mut half] {
            let mut rest = Vec::new();
            let _ = connection.read_to_end(&mut rest);
            assert!(!rest.starts_with(b"HTTP/1.1 200"));
        }
        assert_eq!(Request::proper().send(address).0, 200);
    }
}

#[test]
fn lines_that_make_no_sense_are_answered_and_the_stream_goes_on() {
    for flavour in Flavour::ALL {
        let (Address::Unix(path), _server) = start(flavour, Transport::Unix) else {
            panic!("a path");
        };
        let mut stream = UnixStream::connect(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let mut ask = |line: &[u8]| -> Value {
            stream.write_all(line).unwrap();
            stream.write_all(b"\n").unwrap();
            serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap()
        };
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        for (line, code) in [
            (&b"{"[..], -32700),
            (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}", -32700),
            (br#"{"jsonrpc":"2.0","id":1,"method":5}"#, -32600),
            (br#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#, -32600),
            (deep.as_bytes(), -32700),
        ] {
            let answer = ask(line);
            assert_eq!(
                answer["error"]["code"],
                code,
                "{} -> {answer}",
                String::from_utf8_lossy(&line[..20.min(line.len())])
            );
        }
        // Replies to nothing and notifications of nobody have no answer.
        let silent = b"{\"jsonrpc\":\"2.0\",\"id\":9,\"result\":{}}\n{\"jsonrpc\":\"2.0\",\"method\":\"x\"}\n\n";
        let proper = ask(&[&silent[..], PROPER.as_bytes()].concat());
        assert_eq!(proper["result"]["tools"][0]["name"], "echo");
        stream.shutdown(Shutdown::Write).unwrap();
        assert!(lines.next().is_none(), "the server ends its side as well");
    }
}

/// A server in a thread of its own; the client of these tests is a blocking one.
fn start(flavour: Flavour, transport: Transport) -> (Address, Remote) {
    Remote::start(flavour, transport, &Arc::new(Probe::default()), &Wire::default())
}

fn serve(flavour: Flavour) -> (SocketAddr, Remote) {
    let (Address::Http(url), remote) = start(flavour, Transport::Http) else {
        panic!("a URL");
    };
    let address = url.trim_start_matches("http://").trim_end_matches("/mcp");
    (address.parse().unwrap(), remote)
}

/// An HTTP request, written by hand.
struct Request {
    method: &'static str,
    headers: Vec<(&'static str, &'static str)>,
    body: Vec<u8>,
}

impl Request {
    /// One that is in order.
    fn proper() -> Self {
        Self {
            method: "POST",
            headers: HEADERS.to_vec(),
            body: PROPER.into(),
        }
    }

    /// One of a session.
    fn legacy() -> Self {
        Self {
            method: "POST",
            headers: HEADERS[..3].to_vec(),
            body: json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
                .to_string()
                .into(),
        }
    }

    fn method(self, method: &'static str) -> Self {
        Self { method, ..self }
    }

    fn body(self, body: impl Into<Vec<u8>>) -> Self {
        Self {
            body: body.into(),
            ..self
        }
    }

    /// Another value for this header.
    fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.retain(|(other, _)| *other != name);
        self.more(name, value)
    }

    /// One more header.
    fn more(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Sends it on a connection of its own; gives the status and the body of the response.
    fn send(&self, address: SocketAddr) -> (u16, String) {
        let mut head = format!("{} /mcp HTTP/1.1\r\nConnection: close\r\n", self.method);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("Content-Length: {}\r\n\r\n", self.body.len());
        let response = exchange(address, &[head.as_bytes(), &self.body].concat());
        let status = response.get(9..12).and_then(|status| status.parse().ok());
        let body = response.split_once("\r\n\r\n").map(|(_, body)| body);
        (status.unwrap_or_default(), body.unwrap_or_default().to_owned())
    }
}
