//! An HTTP server that answers as a test says, byte by byte, and counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::net::{TcpListener, TcpStream};
use smol::{Task, Timer};

/// A server, until it is dropped.
pub(crate) struct Site {
    pub(crate) url: String,
    pub(crate) counts: Arc<Counts>,
    _server: Task<()>,
}

#[derive(Default)]
pub(crate) struct Counts {
    connections: AtomicUsize,
    open: AtomicUsize,
    requests: AtomicUsize,
}

/// A request that came.
pub(crate) struct Request {
    /// How many came before on all connections.
    pub(crate) number: usize,
    pub(crate) head: String,
    pub(crate) body: Value,
}

/// What the server does.
pub(crate) enum Step {
    Write(Vec<u8>),
    Wait(Duration),
    /// Reads on, until the client closes.
    Hang,
    Close,
}

impl Site {
    /// A server on a port of its own.
    pub(crate) async fn start(answer: impl Fn(&Request) -> Vec<Step> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let url = format!("http://{}/mcp", listener.local_addr().expect("address"));
        let counts = Arc::new(Counts::default());
        let _server = smol::spawn(accept(listener, counts.clone(), Arc::new(answer)));
        Self { url, counts, _server }
    }

    pub(crate) fn connections(&self) -> usize {
        self.counts.connections.load(SeqCst)
    }

    pub(crate) fn requests(&self) -> usize {
        self.counts.requests.load(SeqCst)
    }

    /// Waits until so many connections are open.
    pub(crate) async fn open_is(&self, wanted: usize) {
        let until = Instant::now() + Duration::from_secs(5);
        while self.counts.open.load(SeqCst) != wanted {
            assert!(
                Instant::now() < until,
                "{} open, not {wanted}",
                self.counts.open.load(SeqCst)
            );
            Timer::after(Duration::from_millis(2)).await;
        }
    }

    /// Waits until so many requests have come.
    pub(crate) async fn requests_are(&self, wanted: usize) {
        let until = Instant::now() + Duration::from_secs(5);
        while self.requests() != wanted {
            assert!(Instant::now() < until, "{} requests, not {wanted}", self.requests());
            Timer::after(Duration::from_millis(2)).await;
        }
    }
}

impl Request {
    /// The answer `result`, as a whole JSON response.
    pub(crate) fn json(&self, result: &Value) -> Vec<u8> {
        let body = self.message(result);
        let length = body.len();
        format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}").into()
    }

    /// The text of the answer `result`.
    pub(crate) fn message(&self, result: &Value) -> String {
        json!({"jsonrpc": "2.0", "id": self.body["id"], "result": result}).to_string()
    }

    /// An answer that says nothing.
    pub(crate) fn plain(&self) -> Vec<Step> {
        vec![Step::Write(
            self.json(&json!({"resultType": "complete", "n": self.body["params"]["n"]})),
        )]
    }
}

type Answer = Arc<dyn Fn(&Request) -> Vec<Step> + Send + Sync>;

async fn accept(listener: TcpListener, counts: Arc<Counts>, answer: Answer) {
    let mut connections = Vec::new();
    loop {
        let (stream, _) = listener.accept().await.expect("accept");
        stream.set_nodelay(true).expect("nodelay");
        counts.connections.fetch_add(1, SeqCst);
        counts.open.fetch_add(1, SeqCst);
        let (counts, answer) = (counts.clone(), answer.clone());
        connections.push(smol::spawn(async move {
            serve(stream, &counts, &answer).await;
            counts.open.fetch_sub(1, SeqCst);
        }));
    }
}

/// Serves requests until either side closes.
async fn serve(mut stream: TcpStream, counts: &Counts, answer: &Answer) {
    let mut buffer = Vec::new();
    while let Some((head, body)) = read(&mut stream, &mut buffer).await {
        let number = counts.requests.fetch_add(1, SeqCst);
        for step in answer(&Request { number, head, body }) {
            match step {
                Step::Write(bytes) => {
                    if stream.write_all(&bytes).await.is_err() {
                        return;
                    }
                }
                Step::Wait(duration) => drop(Timer::after(duration).await),
                Step::Hang => while matches!(stream.read(&mut [0; 1024]).await, Ok(1..)) {},
                Step::Close => return,
            }
        }
    }
}

/// The next request; `None` at the end.
async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<(String, Value)> {
    loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(buffer[..end].to_vec()).expect("text");
            let length = length_of(&head);
            if buffer.len() >= end + 4 + length {
                let body = serde_json::from_slice(&buffer[end + 4..end + 4 + length]).unwrap_or(Value::Null);
                buffer.drain(..end + 4 + length);
                return Some((head, body));
            }
        }
        let mut piece = [0; 1 << 14];
        match stream.read(&mut piece).await.ok()? {
            0 => return None,
            length => buffer.extend_from_slice(&piece[..length]),
        }
    }
}

fn length_of(head: &str) -> usize {
    let header = |line: &str| {
        Some(
            line.to_ascii_lowercase()
                .strip_prefix("content-length:")?
                .trim()
                .parse(),
        )
    };
    head.lines()
        .find_map(header)
        .map_or(0, |length| length.expect("a length"))
}
