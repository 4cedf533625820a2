//! A server on one byte stream.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::Bytes;

use super::batches::{BatchKey, Batches};
use super::lines::Lines;
use super::{
    Admitted, ClientRequest, LegacySession, Received, RequestToken, ResultBody, ServerConfig, Subscription, admit_seen,
};
use crate::jsonrpc::{
    self, Batch, ErrorObject, Facts, Head, Id, Incoming, Message, Notification, Params, ParseError, RawJson, Request,
    encode_error,
};
use crate::legacy::server::HandshakeRefusal;
use crate::method::{Method, MethodName};
use crate::revision::{Era, Revision};
use crate::rpc::{CallError, CallId, CallOptions, CloseReason, Counters, Kept, RequestKey, SendError};
use crate::time::Time;
use crate::wire::line::{Line, LineDecoder};

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
#[derive(Debug)]
pub struct StreamServer {
    config: Arc<ServerConfig>,
    session: LegacySession,
    subscriptions: BTreeMap<RequestKey, Subscription>,
    batches: Batches,
    decoder: LineDecoder,
    lines: Lines,
    events: VecDeque<ServerEvent>,
    life: Life,
    junk_answers: usize,
    /// Bytes of the requests that the application has not answered, and of the open subscriptions.
    held: usize,
    /// Bytes of the other events.
    event_bytes: usize,
}

/// What a [`StreamServer`] tells the application.
#[derive(Debug)]
#[non_exhaustive]
#[allow(
    clippy::large_enum_variant,
    reason = "the large variant is the usual one, and is taken apart at once"
)]
pub enum ServerEvent {
    /// The client asks for something: answer it with [`StreamServer::respond`].
    Request(ClientRequest),
    /// The client does not want this request answered any more. Give its token back with
    /// [`StreamServer::respond`] all the same: nothing is sent, and what was counted for it is free again.
    Cancelled {
        /// Which one.
        key: RequestKey,
        /// Why, where the client says so.
        reason: Option<Box<str>>,
    },
    /// A notification that is not about the protocol itself.
    Notification(Notification),
    /// A call of ours is settled.
    Reply {
        /// Which one.
        call: CallId,
        /// The answer.
        outcome: Result<RawJson, CallError>,
    },
    /// A call of ours makes progress.
    Progress {
        /// Which one.
        call: CallId,
        /// The parameters of the notification.
        params: RawJson,
    },
    /// The legacy handshake is complete: from now on calls may be made.
    Opened,
    /// The connection is over; nothing comes after this.
    Closed(CloseReason),
}

/// How far the end has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Open,
    /// Nothing is read any more; requests in progress may be answered until the deadline, which the next drain sets.
    Draining(CloseReason, Option<Time>),
    /// Over, and whether that has been told.
    Closed(CloseReason, bool),
}

impl StreamServer {
    /// A server on a new stream.
    pub fn new(config: impl Into<Arc<ServerConfig>>) -> Self {
        let config = config.into();
        let limits = config.limits();
        Self {
            session: LegacySession::new(&config),
            subscriptions: BTreeMap::new(),
            batches: Batches::default(),
            decoder: LineDecoder::new(limits.line_bytes),
            lines: Lines::new(limits.outbox_bytes),
            events: VecDeque::new(),
            life: Life::Open,
            junk_answers: 0,
            held: 0,
            event_bytes: 0,
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
        self.session.counters()
    }

    /// How much is kept at present. What a request keeps counts until its token is given back.
    pub fn kept(&self) -> Kept {
        let entries = self.subscriptions.len() + self.batches.entries() + self.lines.len() + self.events.len();
        let bytes = self.held + self.event_bytes + self.batches.bytes() + self.lines.bytes() + self.decoder.buffered();
        self.session.kept() + Kept::new(entries, bytes)
    }

    /// Whether the stream is to be read. `false` while too much waits to be written or to be taken as an event, and
    /// for good once the connection ends.
    pub fn wants_input(&self) -> bool {
        let limits = self.config.limits();
        // What is in progress does not count by itself: it takes reading to cancel it, and to answer our calls.
        let has_bytes = self.event_bytes == 0 || self.held_bytes() < limits.total_bytes;
        self.life == Life::Open && self.lines.has_room() && has_bytes && self.events.len() < limits.notifications
    }

    /// Whether everything has been written and nothing will be any more: the stream can be closed.
    pub fn is_finished(&self) -> bool {
        match self.life {
            Life::Open => false,
            Life::Draining(..) => self.is_drained(),
            Life::Closed(..) => self.lines.is_empty(),
        }
    }

    /// Whether the request of this token still wants an answer.
    pub fn is_in_progress(&self, token: &RequestToken) -> bool {
        token.key().is_some_and(|key| self.wants_answer(key))
    }

    /// Takes the next bytes of the stream.
    pub fn receive(&mut self, now: Time, bytes: &[u8]) {
        if self.life == Life::Open {
            self.decoder.push(bytes);
            self.read(now);
        }
    }

    /// Takes the next bytes of the stream, and keeps slices of them instead of copies where it can.
    pub fn receive_bytes(&mut self, now: Time, bytes: Bytes) {
        if self.life == Life::Open {
            self.decoder.push_bytes(bytes);
            self.read(now);
        }
    }

    /// The stream has ended on the client's side. What is in progress may be answered for
    /// [`Timeouts::close`](crate::Timeouts::close); subscriptions and our calls end at once.
    pub fn receive_eof(&mut self, now: Time) {
        if self.life != Life::Open {
            return;
        }
        while let Some(line) = self.decoder.finish() {
            self.line(now, line);
        }
        self.drain(CloseReason::Peer);
    }

    /// Ends the connection: nothing more is read, what is queued and in progress is finished first, for
    /// [`Timeouts::close`](crate::Timeouts::close) at most.
    pub fn close(&mut self) {
        if self.life == Life::Open {
            self.drain(CloseReason::Local);
        }
    }

    /// The next event.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<ServerEvent> {
        if let Some(event) = self.events.pop_front() {
            self.event_bytes = self.event_bytes.saturating_sub(weight(&event));
            return Some(event);
        }
        match self.life {
            Life::Draining(reason, _) if self.is_drained() => self.end(reason),
            _ => {}
        }
        match &mut self.life {
            Life::Closed(reason, told @ false) => {
                *told = true;
                Some(ServerEvent::Closed(*reason))
            }
            _ => None,
        }
    }

    /// The next bytes to write: whole lines, as many as belong together.
    #[must_use]
    pub fn poll_transmit(&mut self, now: Time) -> Option<Bytes> {
        self.session.arm(now);
        self.arm(now);
        self.lines.pop()
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        let closing = match self.life {
            Life::Draining(_, deadline) => Some(deadline.unwrap_or(Time::ORIGIN)),
            Life::Open | Life::Closed(..) => None,
        };
        [closing, self.session.poll_timeout()].into_iter().flatten().min()
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Time) {
        while let Some((call, error, cancellation)) = self.session.handle_timeout(now) {
            if let Some(cancellation) = cancellation {
                self.lines.push(cancellation);
            }
            let outcome = Err(error);
            self.emit(ServerEvent::Reply { call, outcome });
        }
        self.arm(now);
        if let Life::Draining(reason, Some(deadline)) = self.life
            && deadline <= now
        {
            self.lines.clear();
            self.end(reason);
        }
    }

    /// Answers a request. Nothing is sent where it was cancelled, or the connection is over.
    pub fn respond(&mut self, token: RequestToken, outcome: Result<ResultBody, ErrorObject>) {
        let Some(key) = token.key() else { return };
        self.held = self.held.saturating_sub(token.held);
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
        if !self.lines.has_room() {
            return Err(message);
        }
        self.lines.push(message);
        Ok(())
    }

    /// Whether the end has begun: nothing is read any more.
    pub fn is_closing(&self) -> bool {
        self.life != Life::Open
    }

    /// Why the end has begun, where it has.
    pub fn close_reason(&self) -> Option<CloseReason> {
        match self.life {
            Life::Open => None,
            Life::Draining(reason, _) | Life::Closed(reason, _) => Some(reason),
        }
    }

    /// Whether calls can be made: the legacy handshake is complete.
    pub fn may_call(&self) -> bool {
        self.session.handshake().may_send_requests()
    }

    /// Whether the outbox has room.
    pub fn has_room(&self) -> bool {
        self.lines.has_room()
    }

    /// Sends a notification to the client: to its legacy session, where it has one, and to those of its
    /// subscriptions that asked for it. Where it has neither, nobody listens and nothing is sent.
    ///
    /// # Errors
    /// [`SendError::Blocked`] with the parameters where the outbox is full, and those of
    /// [`LegacySession::notify`].
    pub fn notify(&mut self, method: &MethodName, params: Params) -> Result<(), SendError> {
        if let Life::Closed(reason, _) | Life::Draining(reason, _) = self.life {
            return Err(SendError::Closed(reason));
        }
        if !self.lines.has_room() {
            return Err(SendError::Blocked(params));
        }
        if let Some(known) = method.known() {
            for subscription in self.subscriptions.values() {
                if let Some(message) = subscription.select(known, &params) {
                    self.lines.push(message);
                }
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
    pub fn call(&mut self, method: &MethodName, params: Params, options: &CallOptions) -> Result<CallId, SendError> {
        self.call_as(None, method, params, options)
    }

    /// Makes place for a request that is blocked. From now on its time runs.
    #[cfg(feature = "handle")]
    pub(crate) fn reserve(&mut self, options: &CallOptions) -> Result<CallId, SendError> {
        match self.close_reason() {
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
        if let Life::Closed(reason, _) | Life::Draining(reason, _) = self.life {
            return Err(SendError::Closed(reason));
        }
        if !self.lines.has_room() {
            return Err(SendError::Blocked(params));
        }
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

    fn read(&mut self, now: Time) {
        while let Some(line) = self.decoder.poll_line() {
            self.line(now, line);
        }
    }

    fn line(&mut self, now: Time, line: Line) {
        let bytes = match line {
            Line::Complete(bytes) => bytes,
            Line::TooLong { head, .. } => return self.overlong(&head),
        };
        match jsonrpc::parse(bytes, self.config.limits()) {
            Ok(Incoming::Single(message)) => self.message(now, message),
            Ok(Incoming::Batch(batch)) => self.batch(now, batch),
            Err(error) => self.junk(&error),
        }
    }

    fn message(&mut self, now: Time, message: Message) {
        let received = match message {
            Message::Request(request) => {
                let params = request.params.clone();
                let facts = Facts::of(params.as_ref());
                // A stream whose `initialize` is answered is of the legacy era (2026-07-28, Versioning, Backward
                // Compatibility): a version in `_meta` is then somebody else's, whose parameters the client forwards.
                let is_legacy = self.session.revision().is_some();
                if !is_legacy && self.config.serves(Era::Modern) && facts.is_stateless() {
                    return self.stateless(request, &facts);
                }
                self.session.receive_request(&self.config, request, &facts)
            }
            Message::Notification(notification) => self.session.receive_notification(now, notification),
            Message::Response(response) => self.session.receive_response(response),
        };
        match received {
            Received::Request(request) => self.requested(request),
            Received::Respond(answer) => self.lines.push(answer),
            other => self.received(other),
        }
    }

    /// Hands a request to the application, unless the client makes us hold too much already.
    fn requested(&mut self, mut request: ClientRequest) {
        let bytes = request.text.as_bytes().len();
        if let Err(error) = self.hold(&mut request.token, bytes) {
            return self.respond(request.token, Err(error));
        }
        self.emit(ServerEvent::Request(request));
    }

    /// Opens a subscription, within the same bound.
    fn listen(&mut self, key: RequestKey, mut subscription: Subscription) {
        let bytes = subscription.bytes();
        if let Err(error) = self.hold(&mut subscription.token, bytes) {
            return self.respond(subscription.token, Err(error));
        }
        self.lines.push(subscription.acknowledgement());
        self.subscriptions.insert(key, subscription);
    }

    /// Counts what a request of the client keeps, until its end.
    fn hold(&mut self, token: &mut RequestToken, bytes: usize) -> Result<(), ErrorObject> {
        if self.held_bytes().saturating_add(bytes) > self.config.limits().total_bytes {
            return Err(ErrorObject::internal("too many bytes in progress"));
        }
        self.held += bytes;
        token.held = bytes;
        Ok(())
    }

    /// Whatever of a message is neither a request nor answered.
    fn received(&mut self, received: Received) {
        match received {
            Received::Notification(notification) => self.emit(ServerEvent::Notification(notification)),
            Received::Cancelled { key, reason } => self.cancelled(key, reason),
            Received::Reply { call, outcome } => self.emit(ServerEvent::Reply { call, outcome }),
            Received::Progress { call, params } => self.emit(ServerEvent::Progress { call, params }),
            Received::Opened => self.emit(ServerEvent::Opened),
            Received::Request(_) | Received::Respond(_) | Received::Nothing => {}
        }
    }

    /// A request of the modern era: admitted by itself, but its id is one of this stream.
    fn stateless(&mut self, request: Request, facts: &Facts<'_>) {
        let mut admitted = match admit_seen(&self.config, request, facts) {
            Ok(Admitted::Respond(answer)) => return self.lines.push(answer),
            Err(refused) => return self.lines.push(refused.to_response()),
            Ok(admitted) => admitted,
        };
        let token = match &mut admitted {
            Admitted::Request(request) => &mut request.token,
            Admitted::Listen(subscription) => &mut subscription.token,
            Admitted::Respond(_) => return,
        };
        let key = match self.session.begin(token.id()) {
            Ok(key) => key,
            Err(error) => return self.lines.push(encode_error(Some(token.id()), &error)),
        };
        token.key = Some(key);
        match admitted {
            Admitted::Request(request) => self.requested(request),
            Admitted::Listen(subscription) => self.listen(key, subscription),
            Admitted::Respond(_) => {}
        }
    }

    /// A batch: in 2025-03-26 alone, answered as one array (Batching: MUST support receiving them).
    fn batch(&mut self, now: Time, batch: Batch) {
        if !self.session.revision().is_some_and(Revision::allows_batches) {
            let error = ErrorObject::invalid_request("batches are not part of this protocol revision");
            return self.answer_junk(&error);
        }
        let key = self.batches.open();
        for item in batch.messages() {
            match item {
                Ok(message) => self.batched(now, key, message),
                Err(invalid) if invalid.is_reply => self.session.counters_mut().junk += 1,
                Err(invalid) => {
                    let id = invalid.id.clone();
                    let error = ParseError::Invalid(invalid).to_error();
                    self.batches.add(key, &encode_error(id.as_ref(), &error));
                }
            }
        }
        if let Some(answer) = self.batches.seal(key) {
            self.lines.push(answer);
        }
    }

    fn batched(&mut self, now: Time, key: BatchKey, message: Message) {
        if let Message::Request(request) = &message
            && request.method.known() == Some(Method::Initialize)
        {
            let error = HandshakeRefusal::InitializeInBatch.to_error();
            return self.batches.add(key, &encode_error(Some(&request.id), &error));
        }
        match self.session.receive(&self.config, now, message) {
            Received::Request(request) => {
                if let Some(request) = request.token.key() {
                    self.batches.expect(key, request);
                }
                self.requested(request);
            }
            Received::Respond(answer) => self.batches.add(key, &answer),
            other => self.received(other),
        }
    }

    /// A line that is no message. A message that is meant as a request, with an id that can be read, is always
    /// answered; the rest only so often, so that two sides that misunderstand each other fall silent.
    fn junk(&mut self, error: &ParseError) {
        match error {
            ParseError::Invalid(invalid) if invalid.is_reply => self.session.counters_mut().junk += 1,
            _ => match error.id() {
                Some(id) => {
                    self.session.counters_mut().junk += 1;
                    self.lines.push(encode_error(Some(id), &error.to_error()));
                }
                None => self.answer_junk(&error.to_error()),
            },
        }
    }

    fn answer_junk(&mut self, error: &ErrorObject) {
        self.session.counters_mut().junk += 1;
        if self.junk_answers < self.config.limits().junk_reports {
            self.junk_answers += 1;
            self.lines.push(encode_error(None, error));
        }
    }

    /// A line above the limit: answered by its id where its beginning shows one, and skipped.
    fn overlong(&mut self, head: &[u8]) {
        let head = Head::of(head);
        let error = ErrorObject::invalid_request(alloc::format!(
            "the message is longer than {} bytes",
            self.config.limits().line_bytes
        ));
        match head.id {
            // Without a method it may be an answer, which nobody answers.
            Some(id) if !head.has_method && self.session.awaits(&id) => self.overlong_reply(&id, &error),
            Some(id) => {
                self.session.counters_mut().junk += 1;
                self.lines.push(encode_error(Some(&id), &error));
            }
            None => self.answer_junk(&error),
        }
    }

    fn overlong_reply(&mut self, id: &Id, error: &ErrorObject) {
        self.session.counters_mut().junk += 1;
        if let Some(call) = self.session.settle(id) {
            let outcome = Err(CallError::InvalidReply(jsonrpc::DecodeError::new(&error.message)));
            self.emit(ServerEvent::Reply { call, outcome });
        }
    }

    fn cancelled(&mut self, key: RequestKey, reason: Option<Box<str>>) {
        self.settle(key, None);
        match self.subscriptions.remove(&key) {
            // The client has ended it, and knows.
            Some(subscription) => self.held = self.held.saturating_sub(subscription.token.held),
            None => self.emit(ServerEvent::Cancelled { key, reason }),
        }
    }

    fn emit(&mut self, event: ServerEvent) {
        self.event_bytes = self.event_bytes.saturating_add(weight(&event));
        self.events.push_back(event);
    }

    /// How many bytes the client makes us keep, apart from what waits to be written.
    fn held_bytes(&self) -> usize {
        let held = self.held.saturating_add(self.session.subscribed_bytes());
        held.saturating_add(self.batches.bytes())
            .saturating_add(self.event_bytes)
    }

    fn settle(&mut self, key: RequestKey, answer: Option<Vec<u8>>) {
        if let Some(message) = self.batches.settle(key, answer) {
            self.lines.push(message);
        }
    }

    fn drain(&mut self, reason: CloseReason) {
        self.life = Life::Draining(reason, None);
        for (key, subscription) in core::mem::take(&mut self.subscriptions) {
            self.held = self.held.saturating_sub(subscription.token.held);
            self.session.finish(key);
            // Cancellation: MUST send it when the server tears the stream down. Subscriptions, Graceful Closure: SHOULD
            // respond before the stream ends. Both are kept, in the order in which a client understands both.
            self.lines.push(subscription.cancellation());
            self.lines.push(subscription.into_response(&self.config));
        }
        self.fail_calls(reason);
    }

    fn fail_calls(&mut self, reason: CloseReason) {
        for call in self.session.abandon_calls() {
            let outcome = Err(CallError::Closed(reason));
            self.emit(ServerEvent::Reply { call, outcome });
        }
    }

    fn is_drained(&self) -> bool {
        self.session.requests_in_progress() == 0 && self.lines.is_empty() && self.events.is_empty()
    }

    /// Sets the deadline of an end that has none yet.
    fn arm(&mut self, now: Time) {
        if let Life::Draining(_, deadline @ None) = &mut self.life {
            *deadline = Some(now + self.config.timeouts().close);
        }
    }

    fn end(&mut self, reason: CloseReason) {
        self.fail_calls(reason);
        drop(self.session.close());
        self.life = Life::Closed(reason, false);
    }
}

/// How many bytes an event keeps. Those of a request are counted until it is answered.
fn weight(event: &ServerEvent) -> usize {
    match event {
        ServerEvent::Notification(notification) => notification.text.as_bytes().len(),
        ServerEvent::Reply {
            outcome: Ok(result), ..
        } => result.as_bytes().len(),
        ServerEvent::Progress { params, .. } => params.as_bytes().len(),
        ServerEvent::Cancelled { reason, .. } => reason.as_deref().map_or(0, str::len),
        _ => 0,
    }
}
