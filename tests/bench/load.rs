//! The load of an HTTP server: requests that are ready to be sent, over plain sockets, so that the server is busier
//! than its clients.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::{JoinSet, LocalSet};

use crate::messages::{Era, INITIALIZE, INITIALIZED, TEXT, request};
use crate::subject::current_thread;

/// Connections to a server, each with one request in flight.
pub(crate) struct Load {
    runtime: Runtime,
    tasks: LocalSet,
    connections: Vec<Connection>,
}

impl Load {
    /// Opens the connections and, where the server has sessions, one session for all.
    pub(crate) fn open(address: SocketAddr, era: Era, sessions: bool, window: usize) -> Self {
        let (runtime, tasks) = (current_thread(), LocalSet::new());
        let connections = runtime.block_on(async {
            let session = if sessions {
                Some(initialize(address).await)
            } else {
                None
            };
            let mut connections = Vec::new();
            for n in 0..window {
                let meta = era.meta();
                let body = request(1000 + n as u64, meta.as_deref());
                let text = post(era, session.as_deref(), &body);
                connections.push(Connection::open(address, text).await);
            }
            connections
        });
        Self {
            runtime,
            tasks,
            connections,
        }
    }

    /// Makes so many requests in all.
    pub(crate) fn drive(&mut self, times: u64) {
        let left = Rc::new(Cell::new(times));
        let connections = std::mem::take(&mut self.connections);
        self.connections = self.tasks.block_on(&self.runtime, async {
            let mut workers = JoinSet::new();
            for connection in connections {
                workers.spawn_local(connection.work(left.clone()));
            }
            workers.join_all().await
        });
    }
}

struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
    /// How long each response is, and where in it the text is; they are all alike.
    shape: Option<(usize, usize)>,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(address: SocketAddr, request: Vec<u8>) -> Self {
        let stream = TcpStream::connect(address).await.expect("the server");
        stream.set_nodelay(true).expect("a socket");
        Self {
            stream,
            request,
            shape: None,
            buffer: Vec::with_capacity(16 << 10),
        }
    }

    async fn work(mut self, left: Rc<Cell<u64>>) -> Self {
        while let Some(rest) = left.get().checked_sub(1) {
            left.set(rest);
            self.exchange().await;
        }
        self
    }

    async fn exchange(&mut self) {
        self.stream.write_all(&self.request).await.expect("an open connection");
        self.buffer.clear();
        while !self.is_complete() {
            let read = self
                .stream
                .read_buf(&mut self.buffer)
                .await
                .expect("an open connection");
            assert!(read > 0, "cut off: {}", String::from_utf8_lossy(&self.buffer));
        }
        let Some((_, at)) = self.shape else {
            return self.learn();
        };
        assert_eq!(self.buffer.get(at..at + TEXT.len()), Some(TEXT.as_bytes()));
    }

    fn is_complete(&self) -> bool {
        match self.shape {
            Some((length, _)) => self.buffer.len() >= length,
            None => is_response(&self.buffer),
        }
    }

    fn learn(&mut self) {
        let text = std::str::from_utf8(&self.buffer).expect("text");
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
        let at = text.find(TEXT).unwrap_or_else(|| panic!("no echo: {text}"));
        self.shape = Some((text.len(), at));
    }
}

/// Whether these bytes are a whole response.
pub(crate) fn is_response(bytes: &[u8]) -> bool {
    let text = std::str::from_utf8(bytes).expect("text");
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    match header(head, "content-length") {
        Some(length) => body.len() == length.parse::<usize>().expect("a number"),
        None => body.ends_with("0\r\n\r\n"),
    }
}

pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

pub(crate) fn post(era: Era, session: Option<&str>, body: &[u8]) -> Vec<u8> {
    let mut text = String::from("POST /mcp HTTP/1.1\r\n");
    let session = session.map(|session| ("mcp-session-id", session));
    for (name, value) in era.headers().iter().copied().chain(session) {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    let mut text = text.into_bytes();
    text.extend_from_slice(body);
    text
}

/// Makes a legacy session, and gives its id.
async fn initialize(address: SocketAddr) -> String {
    let answer = say(address, post(Era::Legacy, None, INITIALIZE.as_bytes())).await;
    let session = header(&answer, "mcp-session-id").expect("a session").to_owned();
    let answer = say(address, post(Era::Legacy, Some(&session), INITIALIZED.as_bytes())).await;
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    session
}

async fn say(address: SocketAddr, request: Vec<u8>) -> String {
    let mut connection = Connection::open(address, request).await;
    connection
        .stream
        .write_all(&connection.request)
        .await
        .expect("an open connection");
    while !is_response(&connection.buffer) {
        connection
            .stream
            .read_buf(&mut connection.buffer)
            .await
            .expect("an answer");
    }
    String::from_utf8(connection.buffer).expect("text")
}
