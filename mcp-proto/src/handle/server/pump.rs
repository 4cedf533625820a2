//! The driver's side of a server on a byte stream.

use alloc::sync::{Arc, Weak};
use core::fmt;
use core::task::{Context, Poll};

use bytes::Bytes;

use super::desk::Desk;
use super::origin::Origin;
use super::seats::{Answer, Seats};
use super::stream::Stream;
use super::{Application, Call, Server, ServerConnection};
use crate::handle::contained::Contained;
use crate::handle::sync::{Mutex, lock_to_poll, unlocked};
use crate::handle::{Pump, Timer};
use crate::rpc::{CloseReason, Counters};
#[cfg(feature = "http")]
use crate::server::http::Asker;
use crate::server::{ClientRequest, ServerEvent, StreamServer};
use crate::time::Time;
#[cfg(feature = "http")]
use crate::wire::line::strip_newlines;

/// How often handlers that make each other ready are polled before the driver gets its turn.
const ROUNDS: usize = 4;

/// How many messages are taken in, and how many handlers are polled, in one round: all rounds together shall not hold
/// the thread for long.
const POLLS: usize = 8;

/// The driver's side of one connection of a server; see [`Pump`].
///
/// The handlers of its requests are polled in place, by [`poll_work`](Pump::poll_work): nothing is spawned. One
/// that panics ends its own request with an error (−32603).
///
/// # On drop
/// The handlers in progress are dropped, and calls that they have handed elsewhere end with `Closed`.
pub struct ServerPump {
    server: Server,
    pub(super) stream: Arc<Stream>,
    /// Locked while handlers are polled, by the driver alone.
    seats: Mutex<Seats>,
    origin: Origin,
}

impl Server {
    /// The driver's side of a new connection over a byte stream.
    pub fn pump(&self) -> ServerPump {
        ServerPump::new(self)
    }
}

impl ServerPump {
    pub(super) fn new(server: &Server) -> Self {
        let seats = Seats::new();
        let connection = StreamServer::new(Arc::clone(server.config()));
        let stream = Stream::new(connection, seats.queue(), server);
        // Weak: a server that tells its clients does not keep their connections.
        let audience: Weak<Stream> = Arc::downgrade(&stream);
        server.attend(audience);
        Self {
            server: server.clone(),
            stream,
            seats: Mutex::new(seats),
            origin: Origin::default(),
        }
    }

    /// The same, where this is who is at the other end: what handlers see ([`Context::asker`](super::Context::asker)).
    /// To be called before it is driven.
    #[cfg(feature = "http")]
    #[must_use]
    pub fn asked_by(self, asker: Asker) -> Self {
        self.stream.set_asker(asker);
        self
    }

    /// The same, where whole lines become this on their way out. To be called before it is driven.
    #[cfg(feature = "http")]
    pub(super) fn framed_by(self, framing: fn(Bytes) -> Bytes) -> Self {
        self.stream.set_framing(framing);
        self
    }

    /// A handle to the connection, for when a driver has taken the pump.
    pub fn handle(&self) -> ServerConnection {
        ServerConnection::new(&self.stream)
    }

    /// Takes a message that came by another way than the stream: one text, as it came. `false` where there is no room.
    #[cfg(feature = "http")]
    pub(super) fn take_message(&self, now: Time, text: Bytes) -> bool {
        self.stream.tell(|connection| {
            let takes = connection.wants_input();
            if takes {
                connection.receive_bytes(now, strip_newlines(text));
                connection.receive_bytes(now, Bytes::from_static(b"\n"));
            }
            takes
        })
    }

    /// Ends the connection: nothing more is read, what is queued and in progress is finished first, for
    /// [`Timeouts::close`](crate::Timeouts::close) at most.
    pub fn close(&self) {
        self.stream.tell(StreamServer::close);
    }

    /// What went wrong without ending the connection.
    pub fn counters(&self) -> Counters {
        self.stream.connection(|connection| connection.counters())
    }

    fn event(&self, seats: &mut Seats, event: ServerEvent, desk: Desk<'_>) {
        match event {
            ServerEvent::Request(request) => self.request(seats, request, desk),
            ServerEvent::Cancelled { key, .. } => {
                self.stream.cancelled(key);
                if let Some(token) = seats.remove(key) {
                    // Nothing is sent; the connection forgets what it counted for it.
                    self.stream
                        .respond(token, Err(crate::jsonrpc::ErrorObject::internal("cancelled")));
                }
            }
            ServerEvent::Notification(notification) => self.server.notified(notification),
            ServerEvent::Reply { call, outcome } => self.stream.answered(call, outcome),
            ServerEvent::Opened => self.stream.opened(),
            ServerEvent::Closed(reason) => {
                // First, so that handlers that are dropped, and what they drop, find the connection at its end.
                self.stream.end(reason);
                seats.clear();
            }
            // It has moved the deadline of the call, which is all that is asked of it.
            ServerEvent::Progress { .. } => {}
        }
    }

    fn request(&self, seats: &mut Seats, request: ClientRequest, desk: Desk<'_>) {
        let (token, call) = Call::of(request);
        let Some(key) = token.key() else { return };
        // Polled at once: many handlers are ready then, and such an answer leaves with the next write.
        let answer = seats.insert(&self.stream, key, token, desk, |peer| {
            Contained::start(|| self.server.serve(call, peer))
        });
        self.answer(answer);
    }

    fn answer(&self, answer: Option<Answer>) {
        if let Some((token, outcome)) = answer {
            self.stream.respond(token, outcome);
        }
    }

    /// One round: what came, and whoever is ready, within bounds. Whether there was anything.
    fn round(&self, seats: &mut Seats, desk: Desk<'_>) -> bool {
        let mut any = false;
        for _ in 0..POLLS {
            let Some(event) = self.stream.next_event() else { break };
            self.event(seats, event, desk);
            any = true;
        }
        for _ in 0..POLLS {
            let Some(answer) = seats.poll_next(desk) else { break };
            self.answer(answer);
            any = true;
        }
        any
    }
}

impl Pump for ServerPump {
    fn begin(&self, timer: &dyn Timer) {
        self.origin.set(timer);
        self.server.driven_by(timer);
    }

    fn poll_wants_input(&self, cx: &mut Context<'_>) -> Poll<bool> {
        self.stream.poll_wants_input(cx)
    }

    fn receive(&self, now: Time, bytes: Bytes) {
        self.stream
            .connection(|connection| connection.receive_bytes(now, bytes));
    }

    fn receive_eof(&self, now: Time) {
        self.stream.connection(|connection| connection.receive_eof(now));
    }

    fn receive_failure(&self, now: Time, why: &str) {
        self.stream
            .connection(|connection| connection.receive_failure(now, why));
    }

    fn poll_work(&self, cx: &mut Context<'_>, now: Time) {
        let desk = Desk::new(&self.server, &self.origin, now);
        let mut seats = lock_to_poll(&self.seats);
        let mut work = seats.start_work(cx);
        for _ in 0..ROUNDS {
            // Where it was called after it has looked, it looks once more.
            if !self.round(&mut seats, desk) && seats.rest(&mut work) {
                return;
            }
        }
        // At work still: it is woken for the rest when `work` is dropped.
    }

    fn poll_transmit(&self, cx: &mut Context<'_>, now: Time) -> Poll<Option<Bytes>> {
        self.stream.poll_transmit(cx, now)
    }

    fn is_cut_off(&self) -> bool {
        self.stream.is_cut_off()
    }

    fn deadline(&self) -> Option<Time> {
        self.stream.connection(|connection| connection.poll_timeout())
    }

    fn handle_timeout(&self, now: Time) {
        self.stream.connection(|connection| connection.handle_timeout(now));
    }
}

impl Drop for ServerPump {
    fn drop(&mut self) {
        // First, for the same reason as where the connection is closed.
        self.stream.end(CloseReason::DriverDropped);
        unlocked(&mut self.seats).clear();
    }
}

impl fmt::Debug for ServerPump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ServerPump").field(&self.server).finish()
    }
}
