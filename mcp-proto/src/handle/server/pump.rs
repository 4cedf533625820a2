//! The driver's side of a server on a byte stream.

use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::fmt;
use core::task::{Context, Poll};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

use super::seats::Seats;
use super::stream::Stream;
use super::{Application, Call, Server, ServerConnection};
use crate::handle::Pump;
use crate::rpc::{CloseReason, Counters};
use crate::server::{ClientRequest, ServerEvent, StreamServer};
use crate::time::Time;

/// How often handlers that make each other ready are polled before the driver gets its turn.
const ROUNDS: usize = 4;

/// How many messages are taken in, and how many handlers are polled, in one round: all rounds together shall not hold
/// the thread for long.
const POLLS: usize = 8;

/// The driver's side of one connection of a server; see [`Pump`].
///
/// The handlers of its requests are polled in place, by [`poll_work`](Pump::poll_work): nothing is spawned. A handler
/// that panics takes the driver with it.
///
/// # On drop
/// The handlers in progress are dropped, and calls that they have handed elsewhere end with `Closed`.
pub struct ServerPump {
    server: Server,
    stream: Arc<Stream>,
    work: Mutex<AtWork>,
}

struct AtWork {
    seats: Seats,
    /// Room for the seats that are ready, kept from one time to the next.
    ready: Vec<usize>,
}

impl Server {
    /// The driver's side of a new connection over a byte stream.
    pub fn pump(&self) -> ServerPump {
        ServerPump::new(self)
    }
}

impl ServerPump {
    pub(super) fn new(server: &Server) -> Self {
        let stream = Arc::new(Stream::new(StreamServer::new(Arc::clone(server.config()))));
        // Weak: a server that tells its clients does not keep their connections.
        let audience: Weak<Stream> = Arc::downgrade(&stream);
        server.attend(audience);
        Self {
            server: server.clone(),
            stream,
            work: Mutex::new(AtWork {
                seats: Seats::new(),
                ready: Vec::new(),
            }),
        }
    }

    /// A handle to the connection, for when a driver has taken the pump.
    pub fn handle(&self) -> ServerConnection {
        ServerConnection::new(&self.stream)
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

    fn event(&self, seats: &mut Seats, event: ServerEvent) {
        match event {
            ServerEvent::Request(request) => self.request(seats, request),
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
            ServerEvent::Progress { .. } => {}
        }
    }

    fn request(&self, seats: &mut Seats, request: ClientRequest) {
        let (token, call) = Call::of(request);
        let Some(key) = token.key() else { return };
        let seat = seats.insert(&self.stream, key, token, |peer| self.server.serve(call, peer));
        // At once: many handlers are ready at their first poll, and such an answer leaves with the next write.
        self.poll_seat(seats, seat);
    }

    fn poll_seat(&self, seats: &mut Seats, seat: usize) {
        if let Some((token, outcome)) = seats.poll(seat) {
            self.stream.respond(token, outcome);
        }
    }

    /// One round: what came, and whoever is ready, within bounds. Whether there was anything.
    fn round(&self, work: &mut AtWork) -> bool {
        let mut any = false;
        for _ in 0..POLLS {
            let Some(event) = self.stream.next_event() else { break };
            self.event(&mut work.seats, event);
            any = true;
        }
        // What the last round has left comes first, so that nobody is passed over.
        if work.ready.is_empty() {
            self.stream.take_ready(&mut work.ready);
        }
        let mut ready = core::mem::take(&mut work.ready);
        for seat in ready.drain(..ready.len().min(POLLS)) {
            self.poll_seat(&mut work.seats, seat);
            any = true;
        }
        work.ready = ready;
        any
    }
}

impl Pump for ServerPump {
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

    fn poll_work(&self, cx: &mut Context<'_>, _: Time) {
        let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        self.stream.start_work();
        let is_done = (0..ROUNDS).any(|_| !self.round(&mut work));
        self.stream.stop_work(cx, is_done);
    }

    fn poll_transmit(&self, cx: &mut Context<'_>, now: Time) -> Poll<Option<Bytes>> {
        self.stream.poll_transmit(cx, now)
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
        let work = self.work.get_mut().unwrap_or_else(PoisonError::into_inner);
        work.seats.clear();
    }
}

impl fmt::Debug for ServerPump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ServerPump").field(&self.server).finish()
    }
}
