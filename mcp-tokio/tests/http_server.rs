//! The server over loopback, asked by sockets and by nobody's client.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mcp_tokio::Server;
use mcp_tokio::http::server::{HttpConfig, McpService, Principal, ReplyForm, ServeOptions, serve_until};
use mcp_tokio::http::{self, service};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[derive(Deserialize, JsonSchema)]
struct Echo {
    text: String,
}

#[derive(Deserialize, JsonSchema)]
struct Nothing {}

/// Counts the handlers that are alive.
struct Alive(Arc<AtomicUsize>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn server(running: &Arc<AtomicUsize>) -> Server {
    let running = running.clone();
    Server::builder("test", "1.0.0")
        .tool("echo", "Says it again", |args: Echo| async move { Ok(args.text) })
        .tool("wait", "Waits for good", move |_: Nothing| {
            running.fetch_add(1, Ordering::SeqCst);
            let alive = Alive(running.clone());
            async move {
                std::future::pending::<()>().await;
                drop(alive);
                Ok(String::new())
            }
        })
        .build()
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// A server on its own, and its address.
async fn served() -> (String, Arc<AtomicUsize>) {
    let running = Arc::default();
    let (listener, address) = listen().await;
    tokio::spawn(http::serve(listener, server(&running)));
    (address, running)
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

fn call(tool: &str, arguments: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{tool}","arguments":{arguments}}}}}"#)
}

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

/// Waits for something that another task brings about.
async fn until(what: impl Fn() -> bool) {
    for _ in 0..1_000 {
        if what() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it did not happen");
}

#[tokio::test]
async fn both_eras_on_one_endpoint() {
    let (address, _) = served().await;
    let mut connection = Connection::open(&address).await;
    let (status, text) = connection
        .ask(&modern(&address, "/mcp", "echo", r#"{"text":"hi"}"#))
        .await;
    assert_eq!(status, 200, "{text}");
    assert!(
        text.contains(r#""text":"hi""#) && text.contains(r#""resultType":"complete""#),
        "{text}"
    );
    assert!(header(&text, "mcp-session-id").is_none());

    let (status, text) = connection
        .ask(&request("POST", "/mcp", &address, &[], INITIALIZE))
        .await;
    assert_eq!(status, 200, "{text}");
    let id = header(&text, "mcp-session-id").unwrap().to_string();
    let session = [("mcp-session-id", id.as_str()), ("mcp-protocol-version", "2025-11-25")];
    let initialized = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    assert_eq!(
        connection
            .ask(&request("POST", "/mcp", &address, &session, initialized))
            .await
            .0,
        202
    );
    let echo = call("echo", r#"{"text":"ho"}"#);
    let (status, text) = connection
        .ask(&request("POST", "/mcp", &address, &session, &echo))
        .await;
    assert!(status == 200 && text.contains(r#""text":"ho""#), "{text}");
    assert_eq!(
        connection
            .ask(&request("DELETE", "/mcp", &address, &session, ""))
            .await
            .0,
        204
    );
    assert_eq!(
        connection
            .ask(&request("POST", "/mcp", &address, &session, &echo))
            .await
            .0,
        404
    );
}

#[tokio::test]
async fn a_reply_that_is_ready_is_written_once_with_its_length() {
    for form in [ReplyForm::Json, ReplyForm::Sse] {
        let (listener, address) = listen().await;
        let service = McpService::new(server(&Arc::default()), HttpConfig::default().reply(form));
        tokio::spawn(
            async move { serve_until(listener, service, &ServeOptions::default(), std::future::pending()).await },
        );
        let mut connection = Connection::open(&address).await;
        for _ in 0..20 {
            let (status, text) = connection.ask(&modern(&address, "/", "echo", r#"{"text":"hi"}"#)).await;
            let (_, body) = text.split_once("\r\n\r\n").unwrap();
            assert_eq!(status, 200);
            assert_eq!(
                header(&text, "content-length").unwrap().parse::<usize>().unwrap(),
                body.len()
            );
            assert_eq!(body.starts_with("data: "), form == ReplyForm::Sse);
        }
    }
}

#[tokio::test]
async fn hanging_up_cancels_in_the_modern_era_alone() {
    let (address, running) = served().await;
    let mut connection = Connection::open(&address).await;
    connection.send(&modern(&address, "/mcp", "wait", "{}")).await;
    until(|| running.load(Ordering::SeqCst) == 1).await;
    drop(connection);
    until(|| running.load(Ordering::SeqCst) == 0).await;

    let mut connection = Connection::open(&address).await;
    let (_, text) = connection
        .ask(&request("POST", "/mcp", &address, &[], INITIALIZE))
        .await;
    let id = header(&text, "mcp-session-id").unwrap().to_string();
    let session = [("mcp-session-id", id.as_str())];
    connection
        .send(&request("POST", "/mcp", &address, &session, &call("wait", "{}")))
        .await;
    until(|| running.load(Ordering::SeqCst) == 1).await;
    drop(connection);
    let mut connection = Connection::open(&address).await;
    let ping = r#"{"jsonrpc":"2.0","id":9,"method":"ping"}"#;
    for _ in 0..10 {
        assert_eq!(
            connection
                .ask(&request("POST", "/mcp", &address, &session, ping))
                .await
                .0,
            200
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(running.load(Ordering::SeqCst), 1);
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
    assert_eq!(
        connection
            .ask(&request("POST", "/mcp", &address, &session, cancel))
            .await
            .0,
        202
    );
    until(|| running.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test]
async fn a_hundred_clients_begin_at_once() {
    let (address, _) = served().await;
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let address = address.clone();
        clients.spawn(async move {
            let mut connection = Connection::open(&address).await;
            let (status, text) = connection
                .ask(&request("POST", "/mcp", &address, &[], INITIALIZE))
                .await;
            assert_eq!(status, 200, "{text}");
            header(&text, "mcp-session-id").unwrap().to_string()
        });
    }
    let ids: std::collections::HashSet<_> = clients.join_all().await.into_iter().collect();
    assert_eq!(ids.len(), 100);
}

#[tokio::test]
async fn the_service_mounts_in_axum() {
    let (listener, address) = listen().await;
    let mcp = service(server(&Arc::default()));
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

#[tokio::test]
async fn bad_requests_are_refused_and_the_connection_lives_on() {
    let (address, _) = served().await;
    let mut connection = Connection::open(&address).await;
    let evil = modern("evil.example.com", "/mcp", "echo", "{}");
    assert_eq!(connection.ask(&evil).await.0, 403);
    assert_eq!(
        connection
            .ask(&request("POST", "/mcp", &address, &[], "nonsense"))
            .await
            .0,
        400
    );
    assert_eq!(connection.ask(&request("PUT", "/mcp", &address, &[], "")).await.0, 405);
    let (status, _) = connection
        .ask(&modern(&address, "/mcp", "echo", r#"{"text":"hi"}"#))
        .await;
    assert_eq!(status, 200);

    let mut connection = Connection::open(&address).await;
    let head = format!(
        "POST /mcp HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: 99999999999\r\n\r\n"
    );
    assert_eq!(connection.ask(head.as_bytes()).await.0, 413);
}

#[tokio::test]
async fn a_body_in_pieces_is_put_together_and_bounded() {
    let limits = mcp_tokio::mcp_proto::Limits {
        body_bytes: 2_000,
        ..Default::default()
    };
    let (listener, address) = listen().await;
    let bounded = Server::builder("test", "1.0.0")
        .limits(limits)
        .tool("echo", "Says it again", |args: Echo| async move { Ok(args.text) })
        .build();
    tokio::spawn(http::serve(listener, bounded));
    let whole = String::from_utf8(modern(&address, "/mcp", "echo", r#"{"text":"hi"}"#)).unwrap();
    let (head, body) = whole.split_once("\r\n\r\n").unwrap();
    let head: String = head
        .lines()
        .filter(|line| !line.starts_with("content-length"))
        .map(|line| format!("{line}\r\n"))
        .collect();
    for (pieces, status) in [(1, 200), (7, 200), (body.len(), 200)] {
        let mut connection = Connection::open(&address).await;
        connection
            .send(format!("{head}transfer-encoding: chunked\r\n\r\n").as_bytes())
            .await;
        for piece in body.as_bytes().chunks(body.len().div_ceil(pieces)) {
            let piece = format!("{:x}\r\n{}\r\n", piece.len(), std::str::from_utf8(piece).unwrap());
            connection.send(piece.as_bytes()).await;
        }
        let (got, text) = connection.ask(b"0\r\n\r\n").await;
        assert_eq!(got, status, "{text}");
        assert!(text.contains(r#""text":"hi""#));
    }
    let mut connection = Connection::open(&address).await;
    connection
        .send(format!("{head}transfer-encoding: chunked\r\n\r\n").as_bytes())
        .await;
    let blanks = format!("400\r\n{}\r\n", " ".repeat(0x400));
    let (status, _) = connection.ask(format!("{blanks}{blanks}").as_bytes()).await;
    assert_eq!(status, 413);
}

#[tokio::test]
async fn a_shutdown_ends_streams_and_lets_requests_end() {
    let (listener, address) = listen().await;
    let service = service(server(&Arc::default()));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(async move {
        let shutdown = async { drop(stopped.await) };
        serve_until(listener, service, &ServeOptions::default(), shutdown).await
    });
    let mut connection = Connection::open(&address).await;
    let (_, text) = connection
        .ask(&request("POST", "/mcp", &address, &[], INITIALIZE))
        .await;
    let id = header(&text, "mcp-session-id").unwrap().to_string();
    let session = [("mcp-session-id", id.as_str())];
    let (status, text) = connection.ask(&request("GET", "/mcp", &address, &session, "")).await;
    assert_eq!(
        (status, header(&text, "content-type")),
        (200, Some("text/event-stream"))
    );
    stop.send(()).unwrap();
    assert_eq!(connection.read().await, "0\r\n\r\n", "the stream ends in order");
    tokio::time::timeout(Duration::from_secs(5), serving)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(TcpStream::connect(&address).await.is_err());
}
