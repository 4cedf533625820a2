//! Peers of the server that are none of our clients.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::rt::{Read, Write};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ClientConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

pub(crate) const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#;

/// A call of a legacy session.
pub(crate) fn call(tool: &str, arguments: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{tool}","arguments":{arguments}}}}}"#)
}

/// The headers and the body of a modern call.
pub(crate) fn modern(tool: &str, arguments: &str) -> (Vec<(String, String)>, String) {
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{tool}","arguments":{arguments},"_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{{}}}}}}}}"#
    );
    let headers = [
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "tools/call"),
        ("mcp-name", tool),
    ];
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    (headers.map(owned).to_vec(), body)
}

/// One connection that is written and read by hand.
pub(crate) struct Raw(pub(crate) TcpStream);

impl Raw {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    pub(crate) async fn send(&mut self, request: &[u8]) {
        self.0.write_all(request).await.unwrap();
    }

    /// What one read gives: nothing at the end, or where the connection is reset.
    pub(crate) async fn read(&mut self) -> String {
        let mut buffer = vec![0; 1 << 16];
        let read = tokio::time::timeout(Duration::from_secs(20), self.0.read(&mut buffer));
        let length = read.await.expect("an answer, or the end").unwrap_or(0);
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    /// The status of what is answered, where anything is.
    pub(crate) async fn try_ask(&mut self, request: &[u8]) -> Option<u16> {
        self.0.write_all(request).await.ok()?;
        self.read().await.get(9..12)?.parse().ok()
    }

    /// A response that comes in one piece: status and text.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> (u16, String) {
        self.send(request).await;
        let text = self.read().await;
        let status = text.get(9..12).and_then(|status| status.parse().ok());
        (status.unwrap_or(0), text)
    }
}

/// An HTTP/1 request in text.
pub(crate) fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut text = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\naccept: application/json, text/event-stream\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    (text + "\r\n" + body).into_bytes()
}

/// A modern call in text.
pub(crate) fn modern_request(path: &str, tool: &str, arguments: &str) -> Vec<u8> {
    let (headers, body) = modern(tool, arguments);
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    request("POST", path, &headers, &body)
}

pub(crate) fn header<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let head = text.split("\r\n\r\n").next()?;
    head.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// hyper's client on one connection.
#[derive(Clone)]
pub(crate) enum Peer {
    Http1(Arc<tokio::sync::Mutex<http1::SendRequest<Full<Bytes>>>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

impl Peer {
    pub(crate) async fn http1(stream: impl Read + Write + Unpin + Send + 'static) -> Self {
        let (sender, connection) = http1::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        Self::Http1(Arc::new(tokio::sync::Mutex::new(sender)))
    }

    pub(crate) async fn http2(stream: impl Read + Write + Unpin + Send + 'static) -> Self {
        let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
        tokio::spawn(connection);
        Self::Http2(sender)
    }

    /// HTTP/2 from the start, without TLS.
    pub(crate) async fn prior_knowledge(address: SocketAddr) -> Self {
        Self::http2(plain(address).await).await
    }

    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> hyper::Result<Response<Incoming>> {
        match self {
            Self::Http1(sender) => {
                let mut sender = sender.lock().await;
                sender.ready().await?;
                sender.send_request(request).await
            }
            Self::Http2(sender) => {
                let mut sender = sender.clone();
                sender.ready().await?;
                sender.send_request(request).await
            }
        }
    }

    /// The whole answer to a POST: status, session and text.
    pub(crate) async fn post(
        &self,
        headers: &[(String, String)],
        body: impl Into<Bytes>,
    ) -> hyper::Result<(StatusCode, Option<String>, String)> {
        let response = self.send(self.request("POST", headers, body)).await?;
        let session = response.headers().get("mcp-session-id");
        let session = session.map(|id| id.to_str().unwrap().to_owned());
        let status = response.status();
        let text = response.into_body().collect().await?.to_bytes();
        Ok((status, session, String::from_utf8_lossy(&text).into_owned()))
    }

    /// What a modern call of a tool gives.
    pub(crate) async fn call(&self, tool: &str, arguments: &str) -> hyper::Result<(StatusCode, String)> {
        let (headers, body) = modern(tool, arguments);
        let (status, _, text) = self.post(&headers, body).await?;
        Ok((status, text))
    }

    pub(crate) fn request(
        &self,
        method: &str,
        headers: &[(String, String)],
        body: impl Into<Bytes>,
    ) -> Request<Full<Bytes>> {
        let uri = match self {
            Self::Http1(_) => "/mcp",
            Self::Http2(_) => "http://localhost/mcp",
        };
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .header("accept", "application/json, text/event-stream")
            .header("content-type", "application/json");
        if matches!(self, Self::Http1(_)) {
            request = request.header("host", "localhost");
        }
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.body(Full::new(body.into())).unwrap()
    }
}

pub(crate) async fn plain(address: SocketAddr) -> TokioIo<TcpStream> {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    TokioIo::new(stream)
}

/// The handshake of TLS with `localhost`.
pub(crate) async fn encrypted(
    address: SocketAddr,
    config: &Arc<ClientConfig>,
) -> std::io::Result<TokioIo<TlsStream<TcpStream>>> {
    let stream = TcpStream::connect(address).await.unwrap();
    let connector = TlsConnector::from(config.clone());
    let stream = connector.connect("localhost".try_into().unwrap(), stream).await?;
    Ok(TokioIo::new(stream))
}
