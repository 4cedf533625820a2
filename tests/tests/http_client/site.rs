//! An HTTP server that answers as a test says, byte by byte, and counts. It runs on a thread of its own.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use mcp_tests::runtime::Runtime;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;
use tokio::time::sleep;

/// A server, until it is dropped.
pub(crate) struct Site {
    pub(crate) url: String,
    counts: Arc<Counts>,
    /// The server ends when this is dropped.
    _stop: oneshot::Sender<()>,
}

#[derive(Default)]
struct Counts {
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
    /// Writes what comes here, until nothing can come any more or the client is gone.
    Feed(UnboundedReceiver<Vec<u8>>),
    /// Reads on, until the client closes.
    Hang,
    Close,
    Reset,
}

impl Site {
    /// A server on a port of its own.
    pub(crate) fn start(answer: impl Fn(&Request) -> Vec<Step> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
        listener.set_nonblocking(true).expect("nonblocking");
        let url = format!("http://{}/mcp", listener.local_addr().expect("address"));
        let counts = Arc::new(Counts::default());
        let (stop, stopped) = oneshot::channel::<()>();
        let (own, answer) = (counts.clone(), Arc::new(answer));
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                tokio::select! {
                    () = accept(listener, own, answer) => {}
                    _ = stopped => {}
                }
            });
        });
        Self {
            url,
            counts,
            _stop: stop,
        }
    }

    pub(crate) fn connections(&self) -> usize {
        self.counts.connections.load(SeqCst)
    }

    pub(crate) fn requests(&self) -> usize {
        self.counts.requests.load(SeqCst)
    }

    /// Waits until so many connections are open.
    pub(crate) async fn open_is(&self, runtime: &dyn Runtime, wanted: usize) {
        until(runtime, "connections that are open", wanted, &self.counts.open).await;
    }

    /// Waits until so many requests have come.
    pub(crate) async fn requests_are(&self, runtime: &dyn Runtime, wanted: usize) {
        until(runtime, "requests", wanted, &self.counts.requests).await;
    }
}

async fn until(runtime: &dyn Runtime, what: &str, wanted: usize, count: &AtomicUsize) {
    for _ in 0..2_500 {
        if count.load(SeqCst) == wanted {
            return;
        }
        runtime.sleep(Duration::from_millis(2)).await;
    }
    panic!("{what}: {}, not {wanted}", count.load(SeqCst));
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
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
    loop {
        let (stream, _) = listener.accept().await.expect("accept");
        stream.set_nodelay(true).expect("nodelay");
        counts.connections.fetch_add(1, SeqCst);
        counts.open.fetch_add(1, SeqCst);
        let (counts, answer) = (counts.clone(), answer.clone());
        tokio::spawn(async move {
            serve(stream, &counts, &answer).await;
            counts.open.fetch_sub(1, SeqCst);
        });
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
                Step::Wait(duration) => sleep(duration).await,
                Step::Feed(mut source) => {
                    while let Some(bytes) = source.recv().await {
                        if stream.write_all(&bytes).await.is_err() {
                            return;
                        }
                    }
                }
                Step::Hang => while matches!(stream.read(&mut [0; 1024]).await, Ok(1..)) {},
                Step::Close => return,
                Step::Reset => {
                    stream.set_zero_linger().expect("linger");
                    return;
                }
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
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

fn length_of(head: &str) -> usize {
    let lower = head.to_ascii_lowercase();
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length:"));
    length.map_or(0, |length| length.trim().parse().expect("a length"))
}
