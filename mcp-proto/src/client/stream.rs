//! A client over a byte stream: one message per line.

use bytes::Bytes;

use super::config::ClientConfig;
use super::event::ClientEvent;
use super::link::{Link, Origin};
use super::machine::Client;
use crate::rpc::{CloseReason, Kept};
use crate::time::Time;
use crate::wire::line::{Line, LineDecoder, encode_line};

/// A [`Client`] over a byte stream: stdio, a Unix socket, TCP, a pipe in memory.
///
/// The four kinds of method are those of [`Client`], with bytes in place of messages:
/// [`receive`](Self::receive), [`receive_eof`](Self::receive_eof) and [`handle_timeout`](Self::handle_timeout)
/// for the world; [`poll_transmit`](Self::poll_transmit), [`poll_event`](Self::poll_event) and
/// [`poll_timeout`](Self::poll_timeout) to it. The verbs are those of the client, through
/// [`client`](Self::client).
#[derive(Debug)]
pub struct StreamClient {
    client: Client,
    lines: LineDecoder,
    /// The stream has ended, and another is to take its place.
    reopens: bool,
}

impl StreamClient {
    /// A client that has sent nothing yet.
    pub fn new(config: ClientConfig) -> Self {
        let lines = LineDecoder::new(config.limits.line_bytes);
        Self {
            client: Client::new(config, Link::Stream),
            lines,
            reopens: false,
        }
    }

    /// The client, for its getters.
    pub fn as_client(&self) -> &Client {
        &self.client
    }

    /// The client, for its verbs.
    pub fn client(&mut self) -> &mut Client {
        &mut self.client
    }

    /// How much is kept at present, the beginning of a line included.
    pub fn kept(&self) -> Kept {
        self.client.kept() + Kept::new(0, self.lines.buffered())
    }

    /// Bytes came, cut anywhere.
    pub fn receive(&mut self, now: Time, bytes: &[u8]) {
        self.lines.push(bytes);
        self.receive_lines(now);
    }

    /// [`receive`](Self::receive) of bytes that can be kept: their messages are slices, not copies.
    pub fn receive_bytes(&mut self, now: Time, bytes: Bytes) {
        self.lines.push_bytes(bytes);
        self.receive_lines(now);
    }

    /// The stream ended. A last line without its end still counts.
    pub fn receive_eof(&mut self, now: Time) {
        self.end_input(now, None);
    }

    /// The stream broke off, and this is why.
    pub fn receive_failure(&mut self, now: Time, why: &str) {
        self.end_input(now, Some(why));
    }

    /// Says that the driver can open the stream again, as who has started a child can start it again. Without this the
    /// end of the stream is the end of the connection.
    ///
    /// There are legacy servers that exit when they are asked for `server/discover`. In [`Mode::Auto`](super::Mode::Auto)
    /// the connection then goes on with another start of the server, which is sent `initialize` at once (2026-07-28,
    /// stdio, Backward Compatibility).
    ///
    /// A server that ends later is started again too (2026-07-28, stdio, Unexpected Termination: SHOULD), up to
    /// [`Limits::restarts`](crate::Limits::restarts) times within a minute; not one that exits with success while nobody
    /// waits for anything, which may want to end. What was in progress and does no harm is sent once more; every other
    /// call that was sent ends with [`CallError::Closed`](crate::rpc::CallError::Closed), which says how the server
    /// ended. Subscriptions and the log level are asked for again; a legacy session is a new one
    /// ([`ClientEvent::SessionLost`]).
    pub fn allow_reopening(&mut self) {
        self.client.allow_reopening();
    }

    /// Whether the stream has ended and is to be opened again: say [`reopened`](Self::reopened) when it is, or
    /// [`receive_eof`](Self::receive_eof) again where it cannot be.
    #[must_use]
    pub fn wants_reopening(&self) -> bool {
        self.reopens && self.client.closed().is_none()
    }

    /// The stream is a new one.
    pub fn reopened(&mut self) {
        self.client.begin_again();
        self.reopens = false;
    }

    /// Time has passed. What has arrived is [received](Self::receive) before; see [`Client::handle_timeout`].
    pub fn handle_timeout(&mut self, now: Time) {
        self.client.handle_timeout(now);
    }

    /// Closes the connection; see [`Client::close`].
    pub fn close(&mut self, reason: CloseReason) {
        self.client.close(reason);
    }

    /// Whether the driver should read.
    pub fn wants_input(&self) -> bool {
        self.client.wants_input()
    }

    /// The next bytes to write: everything that is ready, in one piece.
    #[must_use]
    pub fn poll_transmit(&mut self, now: Time) -> Option<Bytes> {
        // It is for the stream that comes.
        if self.wants_reopening() {
            return None;
        }
        // What an application forwards may have line breaks in it, between tokens.
        let mut out = encode_line(self.client.poll_outgoing(now)?.text);
        while let Some(next) = self.client.poll_outgoing(now) {
            out.extend_from_slice(&encode_line(next.text));
        }
        Some(out.into())
    }

    /// What the application should know.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<ClientEvent> {
        self.client.poll_event()
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        self.client.poll_timeout()
    }

    fn end_input(&mut self, now: Time, failure: Option<&str>) {
        // Before the close: the last line may be an answer that someone waits for.
        while let Some(line) = self.lines.finish() {
            self.receive_line(now, line);
        }
        // Where it could not be opened, that is the end.
        self.reopens = !self.reopens && self.client.reopen(now);
        if !self.reopens {
            self.client.peer_closed(failure);
        }
    }

    fn receive_lines(&mut self, now: Time) {
        while let Some(line) = self.lines.poll_line() {
            self.receive_line(now, line);
        }
    }

    fn receive_line(&mut self, now: Time, line: Line) {
        match line {
            Line::Complete(text) => self.client.receive_text(now, text, Origin::Stream),
            Line::TooLong { outline, head, .. } => self.client.receive_overlong(&outline, &head),
        }
    }
}
