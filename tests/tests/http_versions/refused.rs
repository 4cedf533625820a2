//! Requests that a server of HTTP/2 sends back: which of them are sent again, and which are not.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use mcp_driver::http::{HttpOptions, HttpVersions};
use mcp_proto::rpc::CallError;
use serde_json::{Value, json};

use super::client;
use mcp_tests::caller::{call, everywhere};

/// Codes of errors (RFC 9113, 7).
const NO_ERROR: u32 = 0;
const INTERNAL_ERROR: u32 = 2;
const REFUSED_STREAM: u32 = 7;
const CANCEL: u32 = 8;
const ENHANCE_YOUR_CALM: u32 = 11;

/// Types of frames (RFC 9113, 6).
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;

/// What a server does about a request.
#[derive(Clone, Copy)]
enum Act {
    /// Answers the request on this stream.
    Answer(u32),
    /// Sends RST_STREAM for the request.
    Reset(u32),
    /// Sends GOAWAY: streams up to this one may have been processed.
    GoAway(u32, u32),
    /// Closes the connection.
    Close,
}

/// What it does about the request on a stream of a connection; both are counted, from 0 and from 1 in twos.
type Script = fn(connection: usize, stream: u32) -> Vec<Act>;

/// A server that writes its frames by hand.
struct Server {
    address: SocketAddr,
    /// The connection and the stream of every request.
    seen: Arc<Mutex<Vec<(usize, u32)>>>,
}

impl Server {
    fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
        let address = listener.local_addr().expect("address");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let shared = seen.clone();
        // It ends with the process.
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().flatten().enumerate() {
                let seen = shared.clone();
                std::thread::spawn(move || {
                    let _ = serve(stream, |id| {
                        seen.lock().expect("a lock").push((number, id));
                        script(number, id)
                    });
                });
            }
        });
        Self { address, seen }
    }

    fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    fn seen(&self) -> Vec<(usize, u32)> {
        self.seen.lock().expect("a lock").clone()
    }
}

fn serve(mut stream: TcpStream, mut script: impl FnMut(u32) -> Vec<Act>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.read_exact(&mut [0; 24])?;
    write(&mut stream, SETTINGS, 0, 0, &[])?;
    let mut bodies = std::collections::BTreeMap::<u32, Vec<u8>>::new();
    loop {
        let (kind, flags, id, payload) = read(&mut stream)?;
        match kind {
            SETTINGS if flags & 1 == 0 => write(&mut stream, kind, 1, 0, &[])?,
            PING if flags & 1 == 0 => write(&mut stream, kind, 1, 0, &payload)?,
            DATA => bodies.entry(id).or_default().extend(payload),
            _ => {}
        }
        if kind != DATA || flags & 1 == 0 {
            continue;
        }
        for act in script(id) {
            match act {
                Act::Answer(id) => answer(&mut stream, id, &bodies[&id])?,
                Act::Reset(code) => write(&mut stream, RST_STREAM, 0, id, &code.to_be_bytes())?,
                Act::GoAway(last, code) => {
                    let payload = [last.to_be_bytes(), code.to_be_bytes()].concat();
                    write(&mut stream, GOAWAY, 0, 0, &payload)?;
                }
                Act::Close => return Ok(()),
            }
        }
    }
}

fn read(stream: &mut TcpStream) -> io::Result<(u8, u8, u32, Vec<u8>)> {
    let mut head = [0; 9];
    stream.read_exact(&mut head)?;
    let [a, b, c, kind, flags, id @ ..] = head;
    let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
    stream.read_exact(&mut payload)?;
    Ok((kind, flags, u32::from_be_bytes(id), payload))
}

fn write(stream: &mut TcpStream, kind: u8, flags: u8, id: u32, payload: &[u8]) -> io::Result<()> {
    let [_, a, b, c] = (payload.len() as u32).to_be_bytes();
    let head = [a, b, c, kind, flags];
    stream.write_all(&[&head, &id.to_be_bytes()[..], payload].concat())
}

fn answer(stream: &mut TcpStream, id: u32, body: &[u8]) -> io::Result<()> {
    let request: Value = serde_json::from_slice(body)?;
    let result = json!({"resultType": "complete", "n": request["params"]["n"]});
    let answer = json!({"jsonrpc": "2.0", "id": request["id"], "result": result}).to_string();
    // `:status` 200 and `content-type` of the static table (RFC 7541, appendix A).
    let head = [b"\x88\x0f\x10\x10".as_slice(), b"application/json"].concat();
    write(stream, HEADERS, 4, id, &head)?;
    write(stream, DATA, 1, id, answer.as_bytes())
}

fn options() -> HttpOptions {
    HttpOptions {
        versions: HttpVersions::Http2,
        ..HttpOptions::default()
    }
}

#[test]
fn a_request_that_is_refused_goes_out_once_more_on_another_connection() {
    everywhere(async |runtime| {
        let server = Server::start(|connection, stream| match (connection, stream) {
            (0, 1) | (1, 3) => vec![Act::Reset(REFUSED_STREAM)],
            _ => vec![Act::Answer(stream)],
        });
        let client = client(runtime, &server.url(), &options());
        for n in 0..3 {
            assert_eq!(call(&client, n).await, Ok(n));
        }
        assert_eq!(server.seen(), [(0, 1), (1, 1), (1, 3), (2, 1), (2, 3)]);
    });
}

#[test]
fn so_does_one_that_was_not_reached_before_the_end_of_a_connection() {
    everywhere(async |runtime| {
        for code in [NO_ERROR, ENHANCE_YOUR_CALM] {
            let script: Script = match code {
                NO_ERROR => |connection, stream| match (connection, stream) {
                    (0, 1) => Vec::new(),
                    (0, 3) => vec![Act::GoAway(1, NO_ERROR), Act::Answer(1)],
                    _ => vec![Act::Answer(stream)],
                },
                _ => |connection, stream| match (connection, stream) {
                    (0, 1) => Vec::new(),
                    (0, 3) => vec![Act::GoAway(1, ENHANCE_YOUR_CALM), Act::Answer(1)],
                    _ => vec![Act::Answer(stream)],
                },
            };
            let server = Server::start(script);
            let client = client(runtime, &server.url(), &options());
            let other = client.clone();
            let first = runtime.run(async move { call(&other, 1).await });
            super::until(runtime, "the first is there", || server.seen().len() == 1).await;
            assert_eq!(call(&client, 2).await, Ok(2));
            assert_eq!(first.await, Some(Ok(1)), "it may have been processed, and was");
            assert_eq!(server.seen(), [(0, 1), (0, 3), (1, 1)]);
        }
    });
}

#[test]
fn a_request_that_is_refused_twice_was_never_processed() {
    everywhere(async |runtime| {
        let server = Server::start(|_, _| vec![Act::Reset(REFUSED_STREAM)]);
        let client = client(runtime, &server.url(), &options());
        let outcome = call(&client, 1).await;
        assert!(matches!(&outcome, Err(CallError::Unreachable(_))), "{outcome:?}");
        assert_eq!(server.seen(), [(0, 1), (1, 1)]);
    });
}

#[test]
fn a_request_that_may_have_been_processed_is_sent_once() {
    let scripts: [Script; 6] = [
        |_, _| vec![Act::Reset(CANCEL)],
        |_, _| vec![Act::Reset(INTERNAL_ERROR)],
        |_, _| vec![Act::Reset(NO_ERROR)],
        |_, stream| vec![Act::GoAway(stream, NO_ERROR), Act::Close],
        |_, stream| vec![Act::GoAway(stream, INTERNAL_ERROR), Act::Close],
        |_, _| vec![Act::Close],
    ];
    everywhere(async |runtime| {
        for (number, script) in scripts.into_iter().enumerate() {
            let server = Server::start(script);
            let client = client(runtime, &server.url(), &options());
            assert_eq!(call(&client, 1).await, Err(CallError::Disconnected), "{number}");
            assert_eq!(server.seen(), [(0, 1)], "{number}");
        }
    });
}
