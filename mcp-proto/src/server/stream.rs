//! A server on one byte stream.

use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::Bytes;

use super::batches::Batches;
use super::ending::Ending;
use super::events::Events;
use super::junk::Junk;
use super::lines::Lines;
use super::load::Load;
use super::subscriptions::Subscriptions;
use super::{LegacySession, RequestToken, ResultBody, ServerConfig, ServerEvent};
use crate::jsonrpc::{ErrorObject, Params};
use crate::method::MethodName;
use crate::revision::Revision;
use crate::rpc::{CallError, CallId, CallOptions, CloseReason, Counters, Kept, RequestKey, SendError};
use crate::time::Time;
use crate::wire::line::LineDecoder;

mod arrivals;

/// A server on one byte stream (stdio, a socket, a pipe), of whichever era its client is.
///
/// A request that carries a modern protocol version in its `_meta` is served on its own, until `initialize` starts the
/// legacy session of the stream: from then on the revision is what was agreed, whatever `_meta` says
/// (2026-07-28, Versioning, Backward Compatibility).
///
/// Its methods are of four kinds.
/// - Getters.
/// - The world tells it: [`receive`](Self::receive), [`receive_eof`](Self::receive_eof),
///   [`handle_timeout`](Self::handle_timeout).
/// - The application tells it: [`respond`](Self::respond), [`send_for`](Self::send_for), [`notify`](Self::notify),
///   [`call`](Self::call), [`cancel`](Self::cancel), [`close`](Self::close). They take no time; what they say
///   is queued.
/// - It tells the world: [`poll_transmit`](Self::poll_transmit), [`poll_event`](Self::poll_event),
///   [`poll_timeout`](Self::poll_timeout). They never block, and run dry.
///
/// Any method may be called in any state, in any order. After every input and every verb, poll until dry, and read
/// from the stream while [`wants_input`](Self::wants_input).
///
/// ```
/// use mcp_proto::Time;
/// use mcp_proto::model::Implementation;
/// use mcp_proto::server::{StreamServer, ServerConfig};
///
/// let mut server = StreamServer::new(ServerConfig::new(Implementation::new("s", "1")));
/// server.receive(Time::ORIGIN, b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n");
/// assert_eq!(server.poll_transmit(Time::ORIGIN).unwrap(), "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
/// assert_eq!(server.poll_transmit(Time::ORIGIN), None);
/// ```
// Each part is a machine of its own that knows none of the others: what follows from what one says is carried to the
// others here, and for what comes in `arrivals`.
#[derive(Debug)]
pub struct StreamServer {
    config: Arc<ServerConfig>,
    /// What is kept of the client, and the requests in progress of either era.
    session: LegacySession,
    /// What a client of the modern era listens to.
    subscriptions: Subscriptions,
    /// What is answered together.
    batches: Batches,
    /// How much all that is in progress keeps.
    load: Load,
    decoder: LineDecoder,
    /// What was no message.
    junk: Junk,
    /// What waits to be written.
    lines: Lines,
    /// What waits for the application.
    events: Events,
    ending: Ending,
}

impl StreamServer {
    /// A server on a new stream.
    pub fn new(config: impl Into<Arc<ServerConfig>>) -> Self {
        let config = config.into();
        let limits = config.limits();
        Self {
            session: LegacySession::new(&config),
            subscriptions: Subscriptions::default(),
            batches: Batches::default(),
            load: Load::default(),
            decoder: LineDecoder::new(limits.line_bytes),
            junk: Junk::new(limits.junk_reports),
            lines: Lines::new(limits.outbox_bytes, limits.stream_bytes),
            events: Events::default(),
            ending: Ending::new(),
            config,
        }
    }

    /// What the server says about itself.
    pub fn config(&self) -> &Arc<ServerConfig> {
        &self.config
    }

    /// The revision of the legacy session, while there is one.
    pub fn revision(&self) -> Option<Revision> {
        self.session.revision()
    }

    /// What went wrong without ending the connection.
    pub fn counters(&self) -> Counters {
        Counters {
            junk: self.junk.count(),
            ..self.session.counters()
        }
    }

    /// How much is kept at present. What a request keeps counts until its token is given back.
    pub fn kept(&self) -> Kept {
        let entries = self.subscriptions.len() + self.batches.entries() + self.lines.len() + self.events.len();
        let progress = self.load.bytes() + self.events.bytes() + self.batches.bytes();
        self.session.kept() + Kept::new(entries, progress + self.lines.bytes() + self.decoder.buffered())
    }

    /// Whether the stream is to be read. `false` while too much waits to be written or to be taken as an event, and
    /// for good once the connection ends.
    pub fn wants_input(&self) -> bool {
        let limits = self.config.limits();
        // What is in progress does not count by itself: it takes reading to cancel it, and to answer our calls.
        let held = self.load.bytes().saturating_add(self.bytes_beside());
        let has_bytes = self.events.bytes() == 0 || held < limits.total_bytes;
        self.ending.is_open() && self.lines.has_room() && has_bytes && self.events.len() < limits.notifications
    }

    /// Whether everything has been written and nothing will be any more: the stream can be closed.
    pub fn is_finished(&self) -> bool {
        match self.ending.is_draining() {
            true => self.is_drained(),
            false => !self.ending.is_open() && self.lines.is_empty(),
        }
    }

    /// How many bytes wait to be written.
    pub fn queued_bytes(&self) -> usize {
        self.lines.bytes()
    }

    /// Whether the request of this token still wants an answer.
    pub fn is_in_progress(&self, token: &RequestToken) -> bool {
        token.key().is_some_and(|key| self.wants_answer(key))
    }

    /// Takes the next bytes of the stream.
    pub fn receive(&mut self, now: Time, bytes: &[u8]) {
        if self.ending.is_open() {
            self.decoder.push(bytes);
            self.read(now);
        }
    }

    /// Takes the next bytes of the stream, and keeps slices of them instead of copies where it can.
    pub fn receive_bytes(&mut self, now: Time, bytes: Bytes) {
        if self.ending.is_open() {
            self.decoder.push_bytes(bytes);
            self.read(now);
        }
    }

    /// The stream has ended on the client's side. What is in progress may be answered for
    /// [`Timeouts::close`](crate::Timeouts::close); subscriptions and our calls end at once.
    pub fn receive_eof(&mut self, now: Time) {
        self.end_input(now, CloseReason::Peer);
    }

    /// The stream broke off, and this is why. What is queued may still be written.
    pub fn receive_failure(&mut self, now: Time, why: &str) {
        self.end_input(now, CloseReason::Failed(why.into()));
    }

    /// Ends the connection: nothing more is read, what is queued and in progress is finished first, for
    /// [`Timeouts::close`](crate::Timeouts::close) at most.
    pub fn close(&mut self) {
        if self.ending.is_open() {
            self.drain(CloseReason::Local);
        }
    }

    /// Gives up a client that does not read: what is queued and in progress is dropped, and the connection is over at
    /// once, with [`CloseReason::Unread`]. For who bounds what is queued on many connections together; see
    /// [`queued_bytes`](Self::queued_bytes).
    pub fn cut_off(&mut self) {
        self.drain(CloseReason::Unread);
        self.lines.clear();
        self.end();
    }

    /// The next event.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<ServerEvent> {
        if let Some(event) = self.events.pop() {
            return Some(event);
        }
        // After all events: nothing comes after the end.
        if self.ending.is_draining() && self.is_drained() {
            self.end();
        }
        self.ending.tell().map(ServerEvent::Closed)
    }

    /// The next bytes to write: whole lines, as many as belong together.
    #[must_use]
    pub fn poll_transmit(&mut self, now: Time) -> Option<Bytes> {
        self.session.arm(now);
        self.ending.arm(now, self.config.timeouts().close);
        self.lines.pop()
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        [self.ending.deadline(), self.session.poll_timeout()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Time) {
        while let Some((call, error, cancellation)) = self.session.handle_timeout(now) {
            if let Some(cancellation) = cancellation {
                self.lines.push(cancellation);
            }
            let outcome = Err(error);
            self.events.push(ServerEvent::Reply { call, outcome });
        }
        self.ending.arm(now, self.config.timeouts().close);
        if self.ending.is_overdue(now) {
            // The client does not read: what is left would be left for ever.
            self.lines.clear();
            self.end();
        }
    }

    /// Answers a request. Nothing is sent where it was cancelled, or the connection is over.
    pub fn respond(&mut self, token: RequestToken, outcome: Result<ResultBody, ErrorObject>) {
        let Some(key) = token.key() else { return };
        self.load.release(&token);
        if let Some(answer) = self.session.respond(&self.config, token, outcome) {
            self.settle(key, Some(answer));
        }
    }

    /// Sends a notification that belongs to a request: one of [`RequestContext`](super::RequestContext). It is
    /// dropped where the request is not in progress any more (Progress: MUST stop after completion; 2026-07-28,
    /// stdio, Cancellation: MUST NOT send any further messages for it).
    ///
    /// # Errors
    /// The message, where the outbox is full.
    pub fn send_for(&mut self, token: &RequestToken, message: Vec<u8>) -> Result<(), Vec<u8>> {
        match token.key() {
            Some(key) => self.send_for_request(key, message),
            None => Ok(()),
        }
    }

    /// Whether this request still wants an answer.
    pub(crate) fn wants_answer(&self, key: RequestKey) -> bool {
        self.session.has(key)
    }

    /// [`send_for`](Self::send_for), where only the key is at hand.
    pub(crate) fn send_for_request(&mut self, key: RequestKey, message: Vec<u8>) -> Result<(), Vec<u8>> {
        if !self.session.has(key) {
            return Ok(());
        }
        if !self.lines.has_room_for_requests() {
            return Err(message);
        }
        self.lines.push(message);
        Ok(())
    }

    /// Whether the end has begun: nothing is read any more.
    pub fn is_closing(&self) -> bool {
        !self.ending.is_open()
    }

    /// Why the end has begun, where it has.
    pub fn close_reason(&self) -> Option<CloseReason> {
        self.ending.reason()
    }

    /// Whether calls can be made: the legacy handshake is complete.
    pub fn may_call(&self) -> bool {
        self.session.handshake().may_send_requests()
    }

    /// Whether the outbox has room.
    pub fn has_room(&self) -> bool {
        self.lines.has_room_for_requests()
    }

    /// Sends a notification to the client: to its legacy session, where it has one, and to those of its
    /// subscriptions that asked for it. Where it has neither, nobody listens and nothing is sent.
    ///
    /// # Errors
    /// [`SendError::Blocked`] with the parameters where the outbox is full, and those of
    /// [`LegacySession::notify`].
    pub fn notify(&mut self, method: impl Into<MethodName>, params: Params) -> Result<(), SendError> {
        let (method, params) = (method.into(), self.may_send(params)?);
        if let Some(known) = method.known() {
            for message in self.subscriptions.select(known, &params) {
                self.lines.push(message);
            }
        }
        if self.session.revision().is_some() {
            let message = self.session.notify(&self.config, method, params)?;
            if let Some(message) = message {
                self.lines.push(message);
            }
        }
        Ok(())
    }

    /// Makes a request of the client (legacy era). Its deadline starts with the next drain.
    ///
    /// # Errors
    /// [`SendError::Blocked`] with the parameters where the outbox is full or the handshake is not complete, and
    /// those of [`LegacySession::call`].
    pub fn call(
        &mut self,
        method: impl Into<MethodName>,
        params: Params,
        options: CallOptions,
    ) -> Result<CallId, SendError> {
        self.call_as(None, &method.into(), params, &options)
    }

    /// Makes place for a request that is blocked. From now on its time runs.
    #[cfg(feature = "handle")]
    pub(crate) fn reserve(&mut self, options: &CallOptions) -> Result<CallId, SendError> {
        match self.ending.reason() {
            Some(reason) => Err(SendError::Closed(reason)),
            None => self.session.reserve(&self.config, options),
        }
    }

    /// [`call`](Self::call), as the call that was reserved for it.
    pub(crate) fn call_as(
        &mut self,
        reserved: Option<CallId>,
        method: &MethodName,
        params: Params,
        options: &CallOptions,
    ) -> Result<CallId, SendError> {
        let params = self.may_send(params)?;
        let (call, message) = self.session.call_as(&self.config, reserved, method, params, options)?;
        self.lines.push(message);
        Ok(call)
    }

    /// Stops waiting for a call, and tells the client.
    pub fn cancel(&mut self, call: CallId, reason: Option<&str>) {
        if let Some(message) = self.session.cancel(call, reason) {
            self.lines.push(message);
        }
    }

    /// Gives the parameters back where something may be sent.
    fn may_send(&self, params: Params) -> Result<Params, SendError> {
        match self.ending.reason() {
            Some(reason) => Err(SendError::Closed(reason)),
            None if self.lines.has_room() => Ok(params),
            None => Err(SendError::Blocked(params)),
        }
    }

    /// Takes every line that is complete.
    fn read(&mut self, now: Time) {
        while let Some(line) = self.decoder.poll_line() {
            self.line(now, line);
        }
    }

    /// How many bytes the client makes us keep beside its requests in progress, and apart from what waits to be written.
    fn bytes_beside(&self) -> usize {
        let bytes = self.session.subscribed_bytes().saturating_add(self.batches.bytes());
        bytes.saturating_add(self.events.bytes())
    }

    /// A request has its answer, or wants none: sends it, by itself or with its batch.
    fn settle(&mut self, key: RequestKey, answer: Option<Vec<u8>>) {
        if let Some(message) = self.batches.settle(key, answer) {
            self.lines.push(message);
        }
    }

    fn end_input(&mut self, now: Time, reason: CloseReason) {
        if !self.ending.is_open() {
            return;
        }
        // A last line without its end counts: a client may end with it.
        while let Some(line) = self.decoder.finish() {
            self.line(now, line);
        }
        self.drain(reason);
    }

    fn drain(&mut self, reason: CloseReason) {
        self.ending.begin(reason.clone());
        for (key, subscription) in self.subscriptions.drain() {
            self.load.release(&subscription.token);
            self.session.finish(key);
            // At the end of input it is the client that ends it, and there is nothing to be torn down.
            if reason == CloseReason::Local {
                self.lines.push(subscription.cancellation());
            }
            // After it: the order in which a client understands both.
            self.lines.push(subscription.into_response(&self.config));
        }
        // A client that is not read cannot answer them.
        for call in self.session.abandon_calls() {
            let outcome = Err(CallError::Closed(reason.clone()));
            self.events.push(ServerEvent::Reply { call, outcome });
        }
    }

    fn is_drained(&self) -> bool {
        self.session.requests_in_progress() == 0 && self.lines.is_empty() && self.events.is_empty()
    }

    /// Nothing is left, or its time is up. There are no calls any more since the end has begun.
    fn end(&mut self) {
        drop(self.session.close());
        self.ending.finish();
    }
}
