//! The service in an application of axum's.

use std::time::Duration;

use mcp_proto::http::server::{Cors, HttpConfig};
use mcp_tokio::Server;
use mcp_tokio::http::server::{McpService, Principal};
use mcp_tokio::http::service;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[derive(Deserialize, JsonSchema)]
struct Echo {
    text: String,
}

fn server() -> Server {
    Server::builder("test", "1.0.0")
        .tool("echo", "Says it again", |args: Echo| async move { Ok(args.text) })
        .build()
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

fn request(method: &str, path: &str, address: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut text = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\naccept: application/json, text/event-stream\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    (text + "\r\n" + body).into_bytes()
}

fn modern(address: &str, path: &str, tool: &str, arguments: &str) -> Vec<u8> {
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{tool}","arguments":{arguments},"_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{{}}}}}}}}"#
    );
    let headers = [
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "tools/call"),
        ("mcp-name", tool),
    ];
    request("POST", path, address, &headers, &body)
}

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#;

/// One HTTP connection.
struct Connection(TcpStream);

impl Connection {
    async fn open(address: &str) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    async fn send(&mut self, request: &[u8]) {
        self.0.write_all(request).await.unwrap();
    }

    /// What one read gives.
    async fn read(&mut self) -> String {
        let mut buffer = vec![0; 1 << 16];
        let length = tokio::time::timeout(Duration::from_secs(10), self.0.read(&mut buffer))
            .await
            .unwrap()
            .unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    /// A response that comes in one piece: status and text.
    async fn ask(&mut self, request: &[u8]) -> (u16, String) {
        self.send(request).await;
        let text = self.read().await;
        (text[9..12].parse().unwrap(), text)
    }
}

fn header<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let head = text.split("\r\n\r\n").next()?;
    head.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[tokio::test]
async fn the_service_mounts_in_axum() {
    let (listener, address) = listen().await;
    let mcp = service(server());
    let endpoint = mcp.endpoint().clone();
    let secured = axum::Router::new()
        .route_service("/mcp", mcp.clone())
        .layer(axum::middleware::map_request(
            |mut request: axum::extract::Request| async move {
                if let Some(user) = request.headers().get("authorization").cloned() {
                    request.extensions_mut().insert(Principal::new(user));
                }
                request
            },
        ));
    let app = axum::Router::new().nest_service("/nested/mcp", mcp).merge(secured);
    tokio::spawn(async move { axum::serve(listener, app).await });
    let mut connection = Connection::open(&address).await;
    for path in ["/mcp", "/nested/mcp"] {
        let (status, text) = connection
            .ask(&modern(&address, path, "echo", r#"{"text":"hi"}"#))
            .await;
        assert!(status == 200 && text.contains(r#""text":"hi""#), "{path}: {text}");
    }
    assert_eq!(connection.ask(&modern(&address, "/other", "echo", "{}")).await.0, 404);

    let alice = [("authorization", "alice")];
    let (_, text) = connection
        .ask(&request("POST", "/mcp", &address, &alice, INITIALIZE))
        .await;
    let id = header(&text, "mcp-session-id").unwrap().to_string();
    let ping = r#"{"jsonrpc":"2.0","id":9,"method":"ping"}"#;
    for (who, expected) in [("alice", 200), ("mallory", 404)] {
        let headers = [("authorization", who), ("mcp-session-id", id.as_str())];
        assert_eq!(
            connection
                .ask(&request("POST", "/mcp", &address, &headers, ping))
                .await
                .0,
            expected
        );
    }
    assert_eq!(endpoint.sessions(), 1);
}

/// A page of another origin may call a tool of a server that is mounted under a path, and learns so before it does.
#[tokio::test]
async fn cors_works_for_a_service_that_is_nested_under_a_path() {
    const APP: &str = "https://app.example.com";
    let config = HttpConfig::default().allow_origin(APP).unwrap().cors(Cors::default());
    let app = axum::Router::new().nest_service("/api/mcp", McpService::new(server(), config));
    let (listener, address) = listen().await;
    tokio::spawn(async move { axum::serve(listener, app).await });
    let mut connection = Connection::open(&address).await;
    let asked = "content-type, mcp-protocol-version, mcp-method, mcp-name";
    for (origin, is_allowed) in [(APP, true), ("https://evil.example.com", false)] {
        let preflight = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", asked),
        ];
        let (status, text) = connection
            .ask(&request("OPTIONS", "/api/mcp", &address, &preflight, ""))
            .await;
        assert_eq!(
            header(&text, "access-control-allow-origin"),
            is_allowed.then_some(origin),
            "{text}"
        );
        assert_eq!((200..300).contains(&status), is_allowed, "{text}");
        if is_allowed {
            assert!(header(&text, "access-control-allow-methods").unwrap().contains("POST"));
            let allowed = header(&text, "access-control-allow-headers").unwrap();
            assert!(asked.split(", ").all(|name| allowed.contains(name)), "{allowed}");
        }
        let call = String::from_utf8(modern(&address, "/api/mcp", "echo", r#"{"text":"hi"}"#)).unwrap();
        let call = call.replacen("\r\n\r\n", &format!("\r\norigin: {origin}\r\n\r\n"), 1);
        let (status, text) = connection.ask(call.as_bytes()).await;
        assert_eq!(status == 200 && text.contains(r#""text":"hi""#), is_allowed, "{text}");
        assert_eq!(
            header(&text, "access-control-allow-origin"),
            is_allowed.then_some(origin),
            "{text}"
        );
    }
}
