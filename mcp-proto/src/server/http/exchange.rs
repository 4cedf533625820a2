//! One request over HTTP and its response.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;
use http::response::Parts;
use http::{Response, StatusCode};

use super::rules::Rules;
use crate::http::server::{
    Accepts, Blocked, Page, Recorded, Refusal, Replayed, Reply, Resumable, SessionId, StreamKey, error_response,
    stateless_status,
};
use crate::jsonrpc::{ErrorObject, Id};
use crate::server::{Announcement, Refused, RequestToken, ResultBody, ServerConfig, Subscription};
use crate::shown::{Size, shown};
use crate::time::Time;

/// One request over HTTP and its response: what its handlers say goes in, head and body come out.
///
/// ```text
///            notify, call              answer (the last)
///   Open ──────────────────▶ Streaming ────────────────▶ Ended ──▶ Finished
///    │                                                    ▲  poll_frame
///    └────────────────────────────────────────────────────┘
///            answer, skip (the last), refused from the start
///   any ── hang_up ──▶ Finished
/// ```
///
/// | state | `notify`, `call` | `answer`, `skip` | `hang_up` | polled | why |
/// |---|---|---|---|---|---|
/// | open | becomes a stream, where the client takes one | whole, or a stream of one event, with the last | finished | nothing | the form is final once the head is out |
/// | streaming | event, or `Blocked` | event; the last one ends it | finished | head, events that are ready | the client waits for its answers and no more |
/// | ended | dropped | no effect | finished | what is left, then the end | nothing may follow the last answer |
/// | finished | dropped | no effect | no effect | the end | nobody reads it |
///
/// The stream of a subscription and the GET stream of a session are exchanges too, which wait for no answer.
///
/// What hanging up means for the requests depends on the [`Scope`], and `hang_up` says it. In the modern era an exchange
/// shares nothing with any other. In the legacy era its requests are in progress in a [`HttpSession`](super::HttpSession),
/// whose [`respond`](super::HttpSession::respond) makes the [`HttpAnswer`] for it.
///
/// Methods are of four kinds. Getters: [`scope`](Self::scope), [`is_answered`](Self::is_answered),
/// [`is_finished`](Self::is_finished), [`body_length`](Self::body_length), [`has_room`](Self::has_room),
/// [`can_call`](Self::can_call), [`dropped`](Self::dropped), [`stream_key`](Self::stream_key),
/// [`reader`](Self::reader), [`is_left`](Self::is_left). From the world: [`hang_up`](Self::hang_up),
/// [`leave`](Self::leave), [`resume`](Self::resume). From the application: [`notify`](Self::notify), [`call`](Self::call), [`carry`](Self::carry), [`answer`](Self::answer),
/// [`skip`](Self::skip), [`announce`](Self::announce), [`close_stream`](Self::close_stream), [`end`](Self::end). To the
/// world: [`poll_head`](Self::poll_head), [`poll_record`](Self::poll_record),
/// [`poll_frame`](Self::poll_frame), [`take_body`](Self::take_body), [`poll_timeout`](Self::poll_timeout). Any of them may be called at any time.
#[derive(Debug)]
pub struct Exchange {
    reply: Reply,
    scope: Scope,
    /// Requests that a handler has to answer, and has not.
    awaited: usize,
    /// The subscription that it serves; boxed because few do.
    subscription: Option<Box<Subscription>>,
    /// Which connection reads it: 0 is that of the request, the others have resumed it.
    reader: u32,
    /// The page that a browser may show it to; boxed because few are shown to one.
    page: Option<Box<Page>>,
}

/// What the requests of an exchange belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scope {
    /// To nothing but the exchange: the modern era, and everything that is answered at once.
    Alone,
    /// To a legacy session that lives longer.
    Session,
    /// To a legacy session that was made for the exchange
    /// ([`SessionPolicy::Stateless`](crate::http::server::SessionPolicy::Stateless)).
    Throwaway,
}

/// What becomes of the requests of an exchange whose client has hung up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum HangUp {
    /// There is none in progress.
    Nothing,
    /// They are cancelled (2026-07-28, Streamable HTTP, Cancellation: MUST). So are those of a session that was made for
    /// them alone: nobody could ever learn what comes of them.
    Cancelled,
    /// They run on, for a while (2025-11-25, Transports, Sending Messages, 6: SHOULD NOT be taken for a cancellation);
    /// see [`Abandoned`](crate::http::server::Abandoned).
    RunOn,
}

/// A part of the body of a response.
#[derive(Clone, PartialEq, Eq)]
pub enum Frame {
    /// Some bytes.
    Data(Bytes),
    /// There is no more.
    End,
}

/// Says how long a part is, and not what is in it.
impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data(bytes) => f.debug_tuple("Data").field(&Size(bytes.len())).finish(),
            Self::End => f.write_str("End"),
        }
    }
}

impl Frame {
    /// The bytes; `None` at the end.
    pub fn into_data(self) -> Option<Bytes> {
        match self {
            Self::Data(bytes) => Some(bytes),
            Self::End => None,
        }
    }
}

/// The answer to one request, on its way from whoever keeps track of the request to its [`Exchange`].
#[must_use = "the exchange waits for it"]
pub struct HttpAnswer {
    status: StatusCode,
    /// `None` for a request that was cancelled.
    pub(super) message: Option<Vec<u8>>,
}

shown!(HttpAnswer { status });

impl HttpAnswer {
    /// The answer to a request of the modern era. Errors that the specification gives a status have it.
    pub fn alone(config: &ServerConfig, token: RequestToken, outcome: Result<ResultBody, ErrorObject>) -> Self {
        let status = outcome.as_ref().err().and_then(|error| stateless_status(error.code));
        Self {
            status: status.unwrap_or(StatusCode::OK),
            message: Some(token.into_response(config, outcome)),
        }
    }

    /// The answer to a request of a legacy session; `None` where it was cancelled.
    pub(super) fn in_session(message: Option<Vec<u8>>) -> Self {
        Self {
            status: StatusCode::OK,
            message,
        }
    }
}

impl Exchange {
    /// The exchange of one request, or of a message that is answered at once.
    pub(super) fn new(rules: Rules<'_>, accepts: Accepts, scope: Scope) -> Self {
        Self::with(rules, Reply::new(accepts, rules.http, rules.config.limits()), scope)
    }

    /// The exchange of a batch with so many requests, valid or not.
    pub(super) fn batch(rules: Rules<'_>, accepts: Accepts, scope: Scope, requests: usize) -> Self {
        let reply = Reply::batch(requests, accepts, rules.http, rules.config.limits());
        let mut exchange = Self::with(rules, reply, scope);
        // Notifications and responses alone have no answer (2025-03-26, Transports, Sending Messages, 4).
        if requests == 0 {
            exchange.reply.accepted();
        }
        exchange
    }

    /// The exchange of a GET stream.
    pub(super) fn stream(rules: Rules<'_>) -> Self {
        Self::with(rules, Reply::stream(rules.http, rules.config.limits()), Scope::Session)
    }

    /// The exchange of a GET that goes on with a stream.
    pub(super) fn continued(rules: Rules<'_>, resumable: Resumable, replayed: &Replayed) -> Self {
        let reply = Reply::continued(rules.http, rules.config.limits(), resumable, replayed);
        Self::with(rules, reply, Scope::Session)
    }

    /// The exchange of a request that is refused.
    pub(crate) fn refused(rules: Rules<'_>, id: Option<&Id>, refusal: &Refusal) -> Self {
        Self::whole(rules, refusal.answer(id.or(refusal.id())))
    }

    /// The exchange of a request of the modern era that is not in order.
    pub(super) fn not_admitted(rules: Rules<'_>, refused: &Refused) -> Self {
        // Unlike an error that a handler answers with: this request was never served, so 200 would be wrong.
        let status = stateless_status(refused.error.code).unwrap_or(StatusCode::BAD_REQUEST);
        Self::whole(rules, error_response(status, Some(&refused.id), &refused.error))
    }

    /// The exchange whose response is there.
    pub(super) fn whole(rules: Rules<'_>, response: Response<Bytes>) -> Self {
        // The response has its form already, whatever the client accepts.
        let mut exchange = Self::new(rules, Accepts::BOTH, Scope::Alone);
        exchange.reply.refuse(response);
        exchange
    }

    /// The exchange of a message that was taken, and has no answer.
    pub(super) fn accepted(rules: Rules<'_>) -> Self {
        let mut exchange = Self::new(rules, Accepts::BOTH, Scope::Alone);
        exchange.reply.accepted();
        exchange
    }

    fn with(rules: Rules<'_>, reply: Reply, scope: Scope) -> Self {
        Self {
            reply,
            scope,
            awaited: 0,
            subscription: None,
            reader: 0,
            page: rules.page.cloned().map(Box::new),
        }
    }

    /// Serves a subscription: acknowledges it before anything else (2026-07-28, Subscriptions, Acknowledgment: MUST).
    pub(super) fn subscribe(&mut self, subscription: Subscription) {
        // The queue is empty, and into an empty one everything goes.
        let _ = self.notify(subscription.acknowledgement());
        self.subscription = Some(Box::new(subscription));
    }

    /// Names the session that the answer begins.
    pub(super) fn set_session(&mut self, id: SessionId) {
        self.reply.set_session(id);
    }

    /// It can be resumed, where it becomes a stream.
    pub(super) fn set_resumable(&mut self, resumable: Option<Resumable>) {
        self.reply.set_resumable(resumable);
    }

    /// One more request is handed to a handler.
    pub(super) fn expect(&mut self) {
        self.awaited += 1;
    }

    /// Answers a message that no handler is asked about.
    pub(super) fn respond(&mut self, message: Vec<u8>) {
        self.reply.respond(StatusCode::OK, message);
    }

    /// Leaves a message without an answer that no handler was asked about.
    pub(super) fn respond_nothing(&mut self) {
        self.reply.skip();
    }

    /// What its requests belong to.
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// Whether its answer names a session that it begins.
    pub(super) fn begins_session(&self) -> bool {
        self.reply.begins_session()
    }

    /// Whether no handler has to answer anything any more.
    pub fn is_answered(&self) -> bool {
        self.awaited == 0
    }

    /// Whether everything was taken.
    pub fn is_finished(&self) -> bool {
        self.reply.is_finished()
    }

    /// How many bytes of the body are left, where that is settled: for `Content-Length`, after the head.
    pub fn body_length(&self) -> Option<usize> {
        self.reply.body_length()
    }

    /// Whether another message would be taken; see [`Reply::has_room`].
    pub fn has_room(&self) -> bool {
        self.reply.has_room()
    }

    /// Whether a request of the server can reach the client here.
    pub fn can_call(&self) -> bool {
        self.reply.can_call()
    }

    /// How many bytes of memory the events take that are queued on a stream.
    pub fn queued_bytes(&self) -> usize {
        self.reply.queued_bytes()
    }

    /// How many notifications were dropped, since the client takes no stream.
    pub fn dropped(&self) -> u64 {
        self.reply.dropped()
    }

    /// The client has gone: what is said from now on is dropped.
    pub fn hang_up(&mut self) -> HangUp {
        self.leave(0)
    }

    /// The connection of this [reader](Self::reader) has gone. Where another reads by now, only that is told what becomes
    /// of the requests.
    pub fn leave(&mut self, reader: u32) -> HangUp {
        if reader == self.reader {
            self.reply.abandon();
        }
        match (self.awaited, self.scope) {
            (0, _) => HangUp::Nothing,
            (_, Scope::Session) => HangUp::RunOn,
            (_, Scope::Alone | Scope::Throwaway) => HangUp::Cancelled,
        }
    }

    /// The stream that it is, where that can be resumed.
    pub fn stream_key(&self) -> Option<StreamKey> {
        self.reply.stream_key()
    }

    /// Which connection reads it: 0 is that of the request, the others have [resumed](Self::resume) it. One that reads no
    /// more ends.
    pub fn reader(&self) -> u32 {
        self.reader
    }

    /// Whether nobody reads its stream for the moment, though that may go on.
    pub fn is_left(&self) -> bool {
        self.reply.is_left()
    }

    /// Ends the connection and not the stream; see [`Reply::close_stream`].
    pub fn close_stream(&mut self) -> bool {
        self.reply.close_stream()
    }

    /// Another connection goes on with its stream: as which reader. `None` where nothing is left of it here.
    pub fn resume(&mut self, replayed: &Replayed) -> Option<u32> {
        if !self.reply.resume(replayed) {
            return None;
        }
        self.reader = self.reader.saturating_add(1);
        Some(self.reader)
    }

    /// What is to be kept of its stream; see [`Reply::poll_record`].
    #[must_use]
    pub fn poll_record(&mut self) -> Option<Recorded> {
        self.reply.poll_record()
    }

    /// Sends a notification. Dropped and counted where the client takes no stream, or the last answer is in.
    ///
    /// # Errors
    /// [`Blocked`] while the queue is full ([`Limits::stream_bytes`](crate::Limits::stream_bytes)).
    pub fn notify(&mut self, message: Vec<u8>) -> Result<(), Blocked> {
        self.reply.notify(message)
    }

    /// Sends a request of the server (legacy era). Check [`can_call`](Self::can_call) first.
    ///
    /// # Errors
    /// [`Blocked`] while the queue is full, and for good where the request cannot reach the client.
    pub fn call(&mut self, message: Vec<u8>) -> Result<(), Blocked> {
        self.reply.call(message)
    }

    /// Sends a notification that another stream may carry as well.
    ///
    /// # Errors
    /// [`Blocked`] while the queue is full, and for good where it cannot reach the client here.
    pub fn carry(&mut self, message: Vec<u8>) -> Result<(), Blocked> {
        // As with a request, what cannot go out here must come back.
        self.reply.call(message)
    }

    /// Sends the answer to one of its requests. Never blocked.
    pub fn answer(&mut self, answer: HttpAnswer) {
        self.awaited = self.awaited.saturating_sub(1);
        match answer.message {
            Some(message) => self.reply.respond(answer.status, message),
            None => self.reply.skip(),
        }
    }

    /// One of its requests was cancelled, and MUST NOT be answered (2025-11-25, Cancellation, Behavior Requirements).
    pub fn skip(&mut self) {
        self.awaited = self.awaited.saturating_sub(1);
        self.reply.skip();
    }

    /// Tells the subscription that it serves, if that asked for this. Nothing is told where it does not serve one.
    ///
    /// # Errors
    /// [`Blocked`] while the queue is full.
    pub fn announce(&mut self, announcement: &Announcement) -> Result<(), Blocked> {
        // A filter names methods of the protocol alone, so what an application makes up is in none.
        let known = announcement.method().known();
        let subscription = self.subscription.as_ref();
        let message = known.and_then(|method| subscription?.select(method, announcement.params()));
        message.map_or(Ok(()), |message| self.notify(message))
    }

    /// Ends a stream; a subscription by its response (2026-07-28, Subscriptions, Graceful Closure: SHOULD). A client that is
    /// told of a cancellation would ignore that response, and the stream ends for it anyway.
    pub fn end(&mut self, config: &ServerConfig) {
        // Taken: it has one response, however often it is ended.
        if let Some(subscription) = self.subscription.take() {
            self.reply.respond(StatusCode::OK, subscription.into_response(config));
        }
        self.reply.end();
    }

    /// The head, once, when it is decided.
    #[must_use]
    pub fn poll_head(&mut self, now: Time) -> Option<Parts> {
        let mut head = self.reply.poll_head(now)?;
        if let Some(page) = &self.page {
            page.show(&mut head.headers);
        }
        Some(head)
    }

    /// What is ready of the body, after the head: all events that are there in one piece, a comment on a stream that was
    /// silent for too long, or the end.
    #[must_use]
    pub fn poll_frame(&mut self, now: Time) -> Option<Frame> {
        // Here, as a driver polls when `poll_timeout` says so, and tells the time in no other way.
        self.reply.handle_timeout(now);
        match self.reply.poll_body(now) {
            Some(bytes) => Some(Frame::Data(bytes)),
            // A stream whose connection was closed ends for that connection alone.
            None => (self.reply.is_finished() || self.reply.is_left()).then_some(Frame::End),
        }
    }

    /// All of the body, after the head, where it is there: the exchange is over then. `None` where something is still to
    /// come.
    #[must_use]
    pub fn take_body(&mut self, now: Time) -> Option<Bytes> {
        if !self.reply.is_ended() {
            return None;
        }
        let body = self.reply.poll_body(now).unwrap_or_default();
        self.reply.is_finished().then_some(body)
    }

    /// When a silent stream needs a comment: poll it again then.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        self.reply.poll_timeout()
    }
}
