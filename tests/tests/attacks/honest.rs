//! What peers say, and how long an honest one waits.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#;
pub(crate) const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
pub(crate) const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

/// As long as an honest client may wait, and forty times as long in a build without optimisation.
pub(crate) const SOON: Duration = Duration::from_millis(if cfg!(debug_assertions) { 4_000 } else { 100 });

/// A request in text.
pub(crate) fn request(headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    [&head(headers, body.len())[..], body.as_bytes()].concat()
}

/// The head of a request whose body has this length.
pub(crate) fn head(headers: &[(&str, &str)], length: usize) -> Vec<u8> {
    let mut text = format!(
        "POST /mcp HTTP/1.1\r\nhost: localhost\r\naccept: application/json, text/event-stream\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n"
    );
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    (text + "\r\n").into_bytes()
}

/// The headers and the body of a request of 2026-07-28, with these further members of its parameters.
pub(crate) fn modern<'a>(method: &'a str, name: &'a str, members: &str) -> (Vec<(&'a str, &'a str)>, String) {
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{members},"_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{{}},"progressToken":"p"}}}}}}"#
    );
    let mut headers = vec![("mcp-protocol-version", "2026-07-28"), ("mcp-method", method)];
    if !name.is_empty() {
        headers.push(("mcp-name", name));
    }
    (headers, body)
}

/// A call of a tool with these arguments, in 2026-07-28.
pub(crate) fn call(tool: &str, arguments: &str) -> Vec<u8> {
    let (headers, body) = modern(
        "tools/call",
        tool,
        &format!(r#""name":"{tool}","arguments":{arguments}"#),
    );
    request(&headers, &body)
}

/// A connection that is written and read by hand.
pub(crate) struct Raw(pub(crate) TcpStream);

impl Raw {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    /// The response to a request, whole where its length is told; of a stream what one read gives.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> String {
        self.0.write_all(request).await.unwrap();
        self.response().await
    }

    pub(crate) async fn response(&mut self) -> String {
        let (mut text, mut buffer) = (Vec::new(), vec![0; 1 << 16]);
        loop {
            let read = tokio::time::timeout(Duration::from_secs(30), self.0.read(&mut buffer)).await;
            let length = read.expect("an answer, or the end").unwrap_or(0);
            text.extend_from_slice(&buffer[..length]);
            if length == 0 || is_whole(&text) {
                return String::from_utf8_lossy(&text).into_owned();
            }
        }
    }

    /// Begins a session, and completes its handshake.
    pub(crate) async fn session(&mut self) -> String {
        let text = self.ask(&request(&[], INITIALIZE)).await;
        assert_eq!(status(&text), 200, "{text}");
        let id = text.lines().find_map(|line| line.strip_prefix("mcp-session-id: "));
        let id = id.unwrap().to_owned();
        let text = self.ask(&request(&[("mcp-session-id", &id)], INITIALIZED)).await;
        assert_eq!(status(&text), 202, "{text}");
        id
    }
}

fn is_whole(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.is_none_or(|length| body.len() >= length.parse().unwrap())
}

/// The status of a response; 0 where there is none.
pub(crate) fn status(text: &str) -> u16 {
    text.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0)
}

/// Asks over a connection of its own, and is answered soon: status and text.
pub(crate) async fn soon(address: SocketAddr, request: &[u8]) -> (u16, String) {
    let begun = Instant::now();
    let text = Raw::open(address).await.ask(request).await;
    let time = begun.elapsed();
    assert!(time < SOON, "{time:?}");
    (status(&text), text)
}

/// Asks when an attack has just ended: its remains are in nobody's way.
pub(crate) async fn recovered(address: SocketAddr, request: &[u8]) {
    let (status, text) = soon(address, request).await;
    assert_eq!(status, 200, "{text}");
}

/// Memory of the process, in bytes.
pub(crate) fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes: usize = line.unwrap().trim().trim_end_matches(" kB").parse().unwrap();
    kilobytes << 10
}
