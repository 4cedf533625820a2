//! The driver's side of a client.

use alloc::sync::Arc;
use core::task::{Context, Poll};

use bytes::Bytes;

use super::answering::Desk;
use super::machine::Machine;
use super::shared::{Shared, State};
#[cfg(feature = "http")]
use crate::client::HttpClient;
use crate::client::StreamClient;
use crate::handle::pump::Pump;
#[cfg(feature = "http")]
use crate::handle::sync::unlocked;
use crate::handle::sync::{Mutex, lock_to_poll};
use crate::handle::teller::Teller;
#[cfg(feature = "http")]
use crate::http::client::{ExchangeError, ExchangeId, HttpAction};
use crate::time::Time;

/// The driver's side of a client over a byte stream; see [`Pump`].
#[derive(Debug)]
pub struct ClientPump {
    shared: Arc<Shared>,
    /// The answers in progress, where there are some who answer.
    desk: Option<Mutex<Desk>>,
}

impl ClientPump {
    pub(super) fn new(shared: Arc<Shared>, desk: Option<Desk>) -> Self {
        let desk = desk.map(Mutex::new);
        Self { shared, desk }
    }
}

/// Keeps the readers of incidents waiting for the end of the server.
#[derive(Debug)]
struct Telling(Arc<Shared>);

impl Telling {
    fn ended(&self, status: &str, is_success: bool, last_output: Option<&str>) {
        self.0.with(|state| {
            state.machine.client().ended(status, is_success, last_output);
        });
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        self.0.with(|state| {
            state.tellers -= 1;
            state.wake_readers();
        });
    }
}

impl State {
    fn stream(&mut self) -> Option<&mut StreamClient> {
        match &mut self.machine {
            Machine::Stream(machine) => Some(machine),
            #[cfg(feature = "http")]
            Machine::Http(_) => None,
        }
    }

    #[cfg(feature = "http")]
    fn http(&mut self) -> Option<&mut HttpClient> {
        match &mut self.machine {
            Machine::Http(machine) => Some(machine),
            Machine::Stream(_) => None,
        }
    }
}

impl Pump for ClientPump {
    fn poll_wants_input(&self, cx: &mut Context<'_>) -> Poll<bool> {
        self.shared.with(|state| {
            let client = state.machine.as_client();
            // The lane that reads ends here: nothing that comes would be taken any more.
            if client.closed().is_some() {
                return Poll::Ready(false);
            }
            let wants_input = client.wants_input();
            // Also where it wants some: a driver that waits for bytes has to learn of the close.
            state.keep_driver(cx);
            if wants_input { Poll::Ready(true) } else { Poll::Pending }
        })
    }

    fn receive(&self, now: Time, bytes: Bytes) {
        self.shared.with(|state| {
            state.tick(now);
            if let Some(stream) = state.stream() {
                stream.receive_bytes(now, bytes);
            }
        });
    }

    fn receive_eof(&self, now: Time) {
        self.shared.with(|state| {
            state.tick(now);
            if let Some(stream) = state.stream() {
                stream.receive_eof(now);
            }
        });
    }

    fn receive_failure(&self, now: Time, why: &str) {
        self.shared.with(|state| {
            state.tick(now);
            if let Some(stream) = state.stream() {
                stream.receive_failure(now, why);
            }
        });
    }

    fn allow_reopening(&self) {
        self.shared
            .with(|state| state.stream().map(StreamClient::allow_reopening));
    }

    fn wants_reopening(&self) -> bool {
        self.shared.look(|state| match &state.machine {
            Machine::Stream(stream) => stream.wants_reopening(),
            #[cfg(feature = "http")]
            Machine::Http(_) => false,
        })
    }

    fn reopened(&self) {
        self.shared.with(|state| state.stream().map(StreamClient::reopened));
    }

    fn teller(&self) -> Option<Teller> {
        self.shared.with(|state| state.tellers += 1);
        let telling = Telling(self.shared.clone());
        Some(Teller::new(move |status, is_success, last_output| {
            telling.ended(status, is_success, last_output)
        }))
    }

    fn poll_work(&self, cx: &mut Context<'_>, _: Time) {
        if let Some(desk) = &self.desk {
            lock_to_poll(desk).poll(cx);
        }
    }

    fn poll_transmit(&self, cx: &mut Context<'_>, now: Time) -> Poll<Option<Bytes>> {
        self.shared.with(|state| {
            state.arm(now);
            // Also where there is something to write: a driver whose write is held up learns of new calls and of
            // the close.
            state.keep_driver(cx);
            if let Some(bytes) = state.stream().and_then(|stream| stream.poll_transmit(now)) {
                return Poll::Ready(Some(bytes));
            }
            if state.machine.as_client().closed().is_some() {
                // Only now: who waits for the end waits for what was queued, too.
                state.finish();
                return Poll::Ready(None);
            }
            Poll::Pending
        })
    }

    fn deadline(&self) -> Option<Time> {
        self.shared.look(State::deadline)
    }

    fn handle_timeout(&self, now: Time) {
        self.shared.with(|state| state.handle_timeout(now));
    }
}

impl Drop for ClientPump {
    fn drop(&mut self) {
        self.shared.with(State::finish);
    }
}

/// The driver's side of a client over HTTP.
///
/// The driver opens the exchanges that [`poll_action`](Self::poll_action) names, and reports what comes of them. Dropping the
/// pump closes the connection: every call that waits ends with `Closed`.
#[cfg(feature = "http")]
#[derive(Debug)]
pub struct HttpPump {
    shared: Arc<Shared>,
    /// The answers in progress, where there are some who answer. Behind a lock that nobody waits for: futures need not be
    /// `Sync`, and a pump is.
    desk: Option<Mutex<Desk>>,
}

#[cfg(feature = "http")]
impl HttpPump {
    pub(super) fn new(shared: Arc<Shared>, desk: Option<Desk>) -> Self {
        let desk = desk.map(Mutex::new);
        Self { shared, desk }
    }

    /// Runs what runs in place, the answers to what the server asks, and says what to do next. `Ready(None)` means that the connection is closed and nothing is open any more: the
    /// driver is done.
    pub fn poll_action(&mut self, cx: &mut Context<'_>, now: Time) -> Poll<Option<HttpAction>> {
        if let Some(desk) = &mut self.desk {
            unlocked(desk).poll(cx);
        }
        self.shared.with(|state| {
            state.arm(now);
            let Some(http) = state.http() else {
                return Poll::Ready(None);
            };
            if let Some(action) = http.poll_action(now) {
                return Poll::Ready(Some(action));
            }
            // Only now: what ends a session on its server was still to be sent.
            if http.is_finished() {
                state.finish();
                return Poll::Ready(None);
            }
            state.keep_driver(cx);
            Poll::Pending
        })
    }

    /// The head of a response came. Whether to read on, as [`wants_body`](Self::wants_body) says.
    pub fn head(&mut self, now: Time, id: ExchangeId, head: &http::response::Parts) -> bool {
        self.tell(now, |http| {
            http.head(now, id, head);
            http.wants_body(id)
        })
    }

    /// A part of the body of a response came. Whether to read on, as [`wants_body`](Self::wants_body) says.
    pub fn body(&mut self, now: Time, id: ExchangeId, chunk: &Bytes) -> bool {
        self.tell(now, |http| {
            http.body(now, id, chunk);
            http.wants_body(id)
        })
    }

    /// Whether to read on in the body of this response.
    pub fn wants_body(&self, id: ExchangeId) -> bool {
        self.shared.look(|state| match &state.machine {
            Machine::Http(http) => http.wants_body(id),
            Machine::Stream(_) => false,
        })
    }

    /// The last part of the body of a response came: [`body`](Self::body) and [`end`](Self::end) under one lock, since
    /// most responses are one part.
    pub fn last(&mut self, now: Time, id: ExchangeId, chunk: &Bytes) {
        self.tell(now, |http| {
            http.body(now, id, chunk);
            http.end(now, id);
        });
    }

    /// The response is complete.
    pub fn end(&mut self, now: Time, id: ExchangeId) {
        self.tell(now, |http| http.end(now, id));
    }

    /// The exchange failed on the transport.
    pub fn failed(&mut self, now: Time, id: ExchangeId, error: ExchangeError) {
        self.tell(now, |http| http.failed(now, id, error));
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called; read it after the polls.
    pub fn deadline(&self) -> Option<Time> {
        self.shared.look(State::deadline)
    }

    /// Time has passed. Too early or too often changes nothing. What has arrived of the responses is reported before: an
    /// answer that is there when its deadline is noticed is in time.
    pub fn handle_timeout(&mut self, now: Time) {
        self.shared.with(|state| state.handle_timeout(now));
    }

    fn tell<T: Default>(&self, now: Time, change: impl FnOnce(&mut HttpClient) -> T) -> T {
        self.shared.with(|state| {
            state.tick(now);
            state.http().map(change).unwrap_or_default()
        })
    }
}

#[cfg(feature = "http")]
impl Drop for HttpPump {
    fn drop(&mut self) {
        self.shared.with(State::finish);
    }
}
