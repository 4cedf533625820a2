//! A driver for the client over HTTP, with blocking IO: one thread owns the pump, and each exchange has one.
//!
//! [`HttpPump`] says what to do, and is told what comes of it. [`drive`] is one thread that owns the pump:
//!
//! - [`HttpPump::poll_action`] gives [`HttpAction::Open`]: make this request, as exchange such and such. Here each gets a
//!   thread and a connection; with an HTTP library it would be a future. [`HttpAction::Abort`] means that nobody waits for
//!   that exchange any more: hang up, and report nothing. `Ready(None)` means that the driver is done.
//! - The response is reported as it comes, by [`HttpPump::head`], [`HttpPump::body`] and [`HttpPump::end`]; a
//!   connection that cannot be made or breaks, by [`HttpPump::failed`]. An event stream is a body like any other.
//! - While [`HttpPump::wants_body`] says no, the body is not to be read; that holds back the sender.
//! - When nothing is ready, sleep until [`HttpPump::deadline`] at most, then call [`HttpPump::handle_timeout`].
//!
//! The waker that `poll_action` keeps sends a report too: whatever happens, it comes through one channel.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, response};
use mcp_proto::Time;
use mcp_proto::handle::client::HttpPump;
use mcp_proto::http::client::{ExchangeError, ExchangeId, HttpAction};

use crate::http1;

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
pub(crate) fn drive(pump: HttpPump) {
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
            Poll::Ready(Some(HttpAction::Open { id, request })) => {
                let sender = sender.clone();
                driver.open.insert(id, None);
                thread::spawn(move || exchange(id, &request, &sender));
            }
            Poll::Ready(Some(HttpAction::Abort(id))) => {
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
            Report::Head(id, head) if self.open.contains_key(&id) => {
                self.pump.head(now, id, &head);
            }
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
