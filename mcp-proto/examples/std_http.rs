//! A client and a server over HTTP/1.1, with threads and blocking IO: no runtime, and no HTTP library either.
//!
//! `cargo run -p mcp-proto --example std_http`
//!
//! # How to write a driver for the client over HTTP
//!
//! [`HttpPump`] says what to do, and is told what comes of it. [`drive`] is one thread that owns the pump:
//!
//! - [`HttpPump::poll_action`] gives [`Action::Open`]: make this request, as exchange such and such. Here each gets a
//!   thread and a connection; with an HTTP library it would be a future. [`Action::Abort`] means that nobody waits for
//!   that exchange any more: hang up, and report nothing. `Ready(None)` means that the driver is done.
//! - The response is reported as it comes, by [`HttpPump::head`], [`HttpPump::body`] and [`HttpPump::end`]; a
//!   connection that cannot be made or breaks, by [`HttpPump::failed`]. An event stream is a body like any other.
//! - While [`HttpPump::wants_body`] says no, the body is not to be read; that holds back the sender.
//! - When nothing is ready, sleep until [`HttpPump::deadline`] at most, then call [`HttpPump::handle_timeout`].
//!
//! The waker that `poll_action` keeps sends a report too: whatever happens, it comes through one channel.
//!
//! # How to write a driver for a server over HTTP
//!
//! See [`mcp_proto::handle::server::http`]; [`answer`] does its four steps for one request.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Uri, response};
use mcp_proto::Time;
use mcp_proto::client::ClientConfig;
use mcp_proto::handle::client::HttpPump;
use mcp_proto::handle::server::http::{Endpoint, Exchange};
use mcp_proto::handle::{Client, Server};
use mcp_proto::http::client::{Action, ExchangeError, ExchangeId, HttpClientConfig};
use mcp_proto::http::server::HttpConfig;
use mcp_proto::model::CallToolResult;
use serde::Deserialize;
use serde_json::json;

mod block_on;
mod http1;
use block_on::{block_on, waker};

/// What the driver of the client hears.
enum Report {
    Connected(ExchangeId, TcpStream),
    Head(ExchangeId, response::Parts),
    Body(ExchangeId, Bytes, Sender<()>),
    End(ExchangeId),
    Failed(ExchangeId, ExchangeError),
    Woken,
}

/// Does what `pump` says until it is done.
fn drive(pump: HttpPump) {
    let origin = Instant::now();
    let now = || Time::since_origin(origin.elapsed());
    let (sender, reports) = channel();
    let waker = Waker::from(Arc::new(Bell(sender.clone())));
    let mut driver = Driver {
        pump,
        open: BTreeMap::new(),
        paused: Vec::new(),
    };
    loop {
        match driver.pump.poll_action(&mut Context::from_waker(&waker), now()) {
            Poll::Ready(None) => return,
            Poll::Ready(Some(Action::Open { id, request })) => {
                let sender = sender.clone();
                driver.open.insert(id, None);
                thread::spawn(move || exchange(id, &request, &sender));
            }
            Poll::Ready(Some(Action::Abort(id))) => {
                if let Some(Some(stream)) = driver.open.remove(&id) {
                    hang_up(&stream);
                }
            }
            Poll::Pending => {
                driver.go_on();
                let sleep = driver.pump.deadline().map(|deadline| deadline.since(now()));
                if let Some(report) = next(&reports, sleep) {
                    driver.hear(now(), report);
                }
                driver.pump.handle_timeout(now());
            }
        }
    }
}

struct Driver {
    pump: HttpPump,
    /// The exchanges that are reported on, with their connections.
    open: BTreeMap<ExchangeId, Option<TcpStream>>,
    /// Those that have read something, and wait to be told to read on.
    paused: Vec<(ExchangeId, Sender<()>)>,
}

impl Driver {
    /// Passes a report on. Of an exchange that was aborted nothing is reported.
    fn hear(&mut self, now: Time, report: Report) {
        match report {
            Report::Connected(id, stream) => match self.open.get_mut(&id) {
                Some(slot) => *slot = Some(stream),
                None => hang_up(&stream),
            },
            Report::Head(id, head) if self.open.contains_key(&id) => self.pump.head(now, id, &head),
            Report::Body(id, chunk, go_on) if self.open.contains_key(&id) => {
                self.pump.body(now, id, &chunk);
                self.paused.push((id, go_on));
            }
            Report::End(id) if self.open.remove(&id).is_some() => self.pump.end(now, id),
            Report::Failed(id, error) if self.open.remove(&id).is_some() => self.pump.failed(now, id, error),
            _ => {}
        }
    }

    /// Lets the exchanges read on for which there is room. One that is over hears nothing, and ends.
    fn go_on(&mut self) {
        let (pump, open) = (&self.pump, &self.open);
        self.paused.retain(|(id, go_on)| {
            let wanted = pump.wants_body(*id);
            open.contains_key(id) && !(wanted && go_on.send(()).is_ok())
        });
    }
}

fn next(reports: &Receiver<Report>, most: Option<Duration>) -> Option<Report> {
    match most {
        None => reports.recv().ok(),
        Some(most) => reports.recv_timeout(most).ok(),
    }
}

fn hang_up(stream: &TcpStream) {
    let _ = stream.shutdown(Shutdown::Both);
}

/// One exchange: a connection, a request, a response.
fn exchange(id: ExchangeId, request: &Request<Bytes>, reports: &Sender<Report>) {
    let address = request.uri().authority().map_or("", |authority| authority.as_str());
    let end = match TcpStream::connect(address) {
        Err(error) => Report::Failed(id, ExchangeError::Unreachable(error.to_string().into())),
        Ok(stream) => match converse(id, request, stream, reports) {
            Err(error) => Report::Failed(id, ExchangeError::Broken(error.to_string().into())),
            Ok(()) => Report::End(id),
        },
    };
    let _ = reports.send(end);
}

fn converse(
    id: ExchangeId,
    request: &Request<Bytes>,
    mut stream: TcpStream,
    reports: &Sender<Report>,
) -> io::Result<()> {
    let report = |report| {
        reports
            .send(report)
            .map_err(|_| io::Error::other("the driver has ended"))
    };
    report(Report::Connected(id, stream.try_clone()?))?;
    stream.set_nodelay(true)?;
    http1::write_request(&mut stream, request)?;
    let mut input = BufReader::new(stream);
    let head = http1::read_response(&mut input)?;
    let mut body = http1::body(input, &head.headers, u64::MAX);
    report(Report::Head(id, head))?;
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let length = body.read(&mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        let (go_on, taken) = channel();
        report(Report::Body(id, Bytes::copy_from_slice(&buffer[..length]), go_on))?;
        taken.recv().map_err(|_| io::Error::other("nobody wants the rest"))?;
    }
}

/// A waker that is heard as a report.
struct Bell(Sender<Report>);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        let _ = self.0.send(Report::Woken);
    }
}

/// Serves each connection on a thread of its own, until the endpoint is closed and one more client has come.
fn serve(endpoint: &Endpoint, listener: &TcpListener, closed: &AtomicBool) -> io::Result<()> {
    let origin = Instant::now();
    for stream in listener.incoming() {
        if closed.load(Ordering::Relaxed) {
            break;
        }
        let (stream, endpoint) = (stream?, endpoint.clone());
        thread::spawn(move || answer(&endpoint, origin, stream));
    }
    Ok(())
}

/// Answers one request. Its handler is polled on this thread.
fn answer(endpoint: &Endpoint, origin: Instant, mut stream: TcpStream) -> io::Result<()> {
    let now = || Time::since_origin(origin.elapsed());
    let mut input = BufReader::new(stream.try_clone()?);
    let head = http1::read_request(&mut input)?;
    let admission = match endpoint.admit(&head) {
        Ok(admission) => admission,
        Err(refusal) => {
            let (head, body) = refusal.into_parts();
            http1::write_head(&mut stream, &head, Some(body.len()))?;
            return stream.write_all(&body);
        }
    };
    let mut body = Vec::new();
    if let Some(most) = admission.body_limit() {
        // One byte more than may be there shows that there is too much.
        http1::body(input, &head.headers, 0)
            .take(most as u64 + 1)
            .read_to_end(&mut body)?;
    }
    let mut exchange = endpoint.open(now(), &admission, &head, body.into(), random);
    let head = wait(&mut exchange, origin, Exchange::poll_head);
    http1::write_head(&mut stream, &head, exchange.body_length())?;
    while let Some(frame) = wait(&mut exchange, origin, Exchange::poll_frame) {
        stream.write_all(&frame)?;
    }
    Ok(())
}

/// Polls until there is something, and sleeps between: until this thread is woken, or the exchange wants its turn.
fn wait<T>(
    exchange: &mut Exchange,
    origin: Instant,
    poll: impl Fn(&mut Exchange, &mut Context<'_>, Time) -> Poll<T>,
) -> T {
    let now = || Time::since_origin(origin.elapsed());
    let waker = waker();
    loop {
        if let Poll::Ready(ready) = poll(exchange, &mut Context::from_waker(&waker), now()) {
            return ready;
        }
        match exchange.poll_timeout() {
            Some(due) => thread::park_timeout(due.since(now())),
            None => thread::park(),
        }
    }
}

/// Bytes for the id of a session, which nobody may guess.
fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    let source = File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes));
    source.expect("a source of random bytes");
    bytes
}

#[derive(Deserialize, schemars::JsonSchema)]
struct Forecast {
    city: String,
}

/// A server on a port of this machine, and a client that calls it once.
fn run() -> Result<CallToolResult, Box<dyn Error>> {
    let server = Server::builder("weather", "1.0.0")
        .tool("forecast", "Forecast for a city", |args: Forecast| async move {
            Ok(format!("sunny in {}", args.city))
        })
        .build();
    let endpoint = Endpoint::new(&server, HttpConfig::default());
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let uri = Uri::try_from(format!("http://{address}/mcp"))?;
    let config = ClientConfig::named("example-client", "1.0.0");
    let (client, pump) = Client::over_http(config, &HttpClientConfig::new(uri));
    let closed = AtomicBool::new(false);
    thread::scope(|scope| {
        let serving = scope.spawn(|| serve(&endpoint, &listener, &closed));
        let calling = scope.spawn(move || drive(pump));
        let result = block_on(client.call_tool("forecast", json!({"city": "Bern"})));
        drop(client);
        calling.join().map_err(|_| "the client's driver panicked")?;
        closed.store(true, Ordering::Relaxed);
        endpoint.close();
        drop(TcpStream::connect(address)?);
        serving.join().map_err(|_| "the server panicked")??;
        Ok(result?)
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("{:?}", run()?.content);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_answered_and_both_sides_end() {
        let (done, ended) = channel();
        thread::spawn(move || done.send(run().map_err(|error| error.to_string())));
        let result = ended
            .recv_timeout(Duration::from_secs(20))
            .expect("an end")
            .expect("an answer");
        assert_eq!(result.content, CallToolResult::text("sunny in Bern").content);
    }
}
