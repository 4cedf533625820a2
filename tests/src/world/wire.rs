//! What comes in at a server, seen before the code that is examined sees it.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Method;
use http::request::Parts;
use mcp_proto::Time;
use mcp_proto::handle::{Pump, Timer};

/// Everything that a server has received.
#[derive(Clone, Debug, Default)]
pub struct Wire(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    bytes: Vec<u8>,
    session: Option<String>,
    requests: Vec<Method>,
}

impl Wire {
    /// The session that was named last, over HTTP in the legacy era.
    ///
    /// # Panics
    /// Where none was.
    pub fn session(&self) -> String {
        self.seen(|seen| seen.session.clone()).expect("a session")
    }

    /// How many messages of this method have come in.
    pub fn count(&self, method: &str) -> usize {
        let message = format!("\"method\":\"{method}\"");
        self.seen(|seen| String::from_utf8_lossy(&seen.bytes).matches(&message).count())
    }

    /// How many requests of this HTTP method have come in.
    pub fn requests(&self, method: &Method) -> usize {
        self.seen(|seen| seen.requests.iter().filter(|other| *other == method).count())
    }

    /// How often a client has introduced itself.
    pub fn handshakes(&self) -> usize {
        self.count("initialize") + self.count("server/discover")
    }

    /// An HTTP request has come in.
    pub fn saw_request(&self, head: &Parts, body: &[u8]) {
        let session = head.headers.get("mcp-session-id").and_then(|id| id.to_str().ok());
        self.seen(|seen| {
            seen.bytes.extend_from_slice(body);
            seen.requests.push(head.method.clone());
            if let Some(session) = session {
                seen.session = Some(session.to_owned());
            }
        });
    }

    fn saw(&self, bytes: &[u8]) {
        self.seen(|seen| seen.bytes.extend_from_slice(bytes));
    }

    fn seen<T>(&self, look: impl FnOnce(&mut Seen) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A pump whose input is kept.
#[derive(Debug)]
pub struct Tapped<P>(P, Wire);

impl<P> Tapped<P> {
    /// What `pump` receives is kept in `wire`.
    pub fn new(pump: P, wire: Wire) -> Self {
        Self(pump, wire)
    }
}

impl<P: Pump> Pump for Tapped<P> {
    fn begin(&self, timer: &dyn Timer) {
        self.0.begin(timer);
    }

    fn poll_wants_input(&self, cx: &mut Context<'_>) -> Poll<bool> {
        self.0.poll_wants_input(cx)
    }

    fn receive(&self, now: Time, bytes: Bytes) {
        self.1.saw(&bytes);
        self.0.receive(now, bytes);
    }

    fn receive_eof(&self, now: Time) {
        self.0.receive_eof(now);
    }

    fn poll_work(&self, cx: &mut Context<'_>, now: Time) {
        self.0.poll_work(cx, now);
    }

    fn poll_transmit(&self, cx: &mut Context<'_>, now: Time) -> Poll<Option<Bytes>> {
        self.0.poll_transmit(cx, now)
    }

    fn is_cut_off(&self) -> bool {
        self.0.is_cut_off()
    }

    fn deadline(&self) -> Option<Time> {
        self.0.deadline()
    }

    fn handle_timeout(&self, now: Time) {
        self.0.handle_timeout(now);
    }
}
