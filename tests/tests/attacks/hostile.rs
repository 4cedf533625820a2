//! An HTTP server that means ill, on threads of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// A server whose connections are counted, and served by what the test says: each request with its stream.
pub(crate) struct Hostile {
    pub(crate) url: String,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    open: AtomicUsize,
    most: AtomicUsize,
    made: AtomicUsize,
}

/// A request that came. `body` is null where there is none.
pub(crate) struct Request {
    pub(crate) verb: String,
    pub(crate) body: Value,
}

impl Hostile {
    pub(crate) fn start(serve: impl Fn(&Request, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
        let url = format!("http://{}/mcp", listener.local_addr().expect("address"));
        let counts = Arc::new(Counts::default());
        let (own, serve) = (counts.clone(), Arc::new(serve));
        // It ends with the process: nothing of it is in the way of a test.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (counts, serve) = (own.clone(), serve.clone());
                counts.made.fetch_add(1, SeqCst);
                let open = counts.open.fetch_add(1, SeqCst) + 1;
                counts.most.fetch_max(open, SeqCst);
                thread::spawn(move || {
                    run(stream, &*serve);
                    counts.open.fetch_sub(1, SeqCst);
                });
            }
        });
        Self { url, counts }
    }

    /// How many connections there were at a time, at most.
    pub(crate) fn most_open(&self) -> usize {
        self.counts.most.load(SeqCst)
    }

    /// How many connections were made.
    pub(crate) fn made(&self) -> usize {
        self.counts.made.load(SeqCst)
    }
}

fn run(mut stream: TcpStream, serve: &dyn Fn(&Request, &mut TcpStream)) {
    // A peer that takes nothing is not written to for ever.
    let bound = Some(Duration::from_secs(10));
    let _ = (stream.set_write_timeout(bound), stream.set_read_timeout(bound));
    let Ok(copy) = stream.try_clone() else { return };
    let mut reader = BufReader::new(copy);
    while let Some(request) = read(&mut reader) {
        serve(&request, &mut stream);
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let (mut verb, mut length, mut line) = (String::new(), 0, String::new());
    loop {
        line.clear();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let text = line.trim_end();
        if text.is_empty() {
            break;
        }
        if verb.is_empty() {
            verb = text.split(' ').next()?.into();
        }
        if let Some(value) = text.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    Some(Request { verb, body })
}

/// Writes a whole response.
pub(crate) fn respond(stream: &mut TcpStream, status: &str, headers: &str, body: &str) {
    let length = body.len();
    let text = format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n{body}");
    let _ = stream.write_all(text.as_bytes());
}

/// Reads on, until the client closes.
pub(crate) fn hang(stream: &mut TcpStream) {
    while matches!(stream.read(&mut [0; 1024]), Ok(1..)) {}
}
