//! The response to one POST, or the stream of a GET, as a machine.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::response::Parts;
use http::{Response, StatusCode};

use super::accept::Accepts;
use super::config::{HttpConfig, ReplyForm};
use super::refusal::JSON;
use super::replay::{Recorded, Replayed, StreamKey};
use super::session_id::SessionId;
use super::track::{Reader, Resumable, Track};
use crate::limits::Limits;
use crate::shown::{Size, shown};
use crate::time::Time;
use crate::wire::header::MCP_SESSION_ID;
use crate::wire::sse;

const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");
// Without it nginx holds events back until its buffer is full.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
const NO: HeaderValue = HeaderValue::from_static("no");
const SESSION_ID: HeaderName = HeaderName::from_static(MCP_SESSION_ID);

/// The response to one POST, or the stream of a GET.
///
/// It chooses its form as late as it can. An answer that is all there is goes out as one JSON document, or as a
/// stream of one event where the client takes nothing else or the configuration prefers that: in both cases head,
/// length and body are known together and can be written together. A notification or a request of the server that
/// comes first makes it a stream (2025-11-25, Transports, Sending Messages, 6).
///
/// | so far | `notify`, `call` | `respond` | polled | why |
/// |---|---|---|---|---|
/// | nothing | stream, if accepted | whole, when it is the last answer | nothing | the form cannot be changed once the head is out |
/// | whole | no effect | no effect | head with length, body, end | nothing may follow the answer |
/// | stream | event, or `Blocked` | event; the last one ends the stream | head, events that are ready as one body | the client waits for no more than its answers |
///
/// Methods are of four kinds. Getters: [`is_streaming`](Self::is_streaming), [`body_length`](Self::body_length),
/// [`is_finished`](Self::is_finished), [`dropped`](Self::dropped), [`stream_key`](Self::stream_key),
/// [`is_left`](Self::is_left). From the world: [`handle_timeout`](Self::handle_timeout), [`resume`](Self::resume),
/// [`abandon`](Self::abandon). From the application: [`notify`](Self::notify),
/// [`call`](Self::call), [`respond`](Self::respond), [`accepted`](Self::accepted),
/// [`refuse`](Self::refuse), [`close_stream`](Self::close_stream), [`end`](Self::end). To the world: [`poll_head`](Self::poll_head),
/// [`poll_body`](Self::poll_body), [`poll_record`](Self::poll_record), [`poll_timeout`](Self::poll_timeout). Any of them
/// may be called at any time.
pub struct Reply {
    accepts: Accepts,
    form: ReplyForm,
    most_bytes: usize,
    keep_alive: Option<Duration>,
    session: Option<SessionId>,
    /// How many answers are still to come.
    awaited: usize,
    is_batch: bool,
    /// Answers of a batch that are waiting for the last one.
    answers: Vec<Vec<u8>>,
    /// Whether it can be resumed as a stream.
    resumable: Option<Resumable>,
    state: State,
    dropped: u64,
}

shown!(Reply {
    accepts,
    form,
    awaited,
    is_batch,
    state,
    dropped
});

enum State {
    /// Nothing to say yet.
    Open,
    /// A JSON document, its head not taken.
    Document(StatusCode, Bytes),
    /// Another whole response, its head not taken. Boxed as it is large and rare: an exchange is moved from step to step.
    Whole(Box<Response<Bytes>>),
    /// The body of either, the head taken.
    Body(Bytes),
    /// A stream.
    Stream(Stream),
    /// All is taken.
    Finished,
}

/// Says how much of the body there is, and not what is in it.
impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("Open"),
            Self::Document(status, body) => write!(f, "Document({status}, {:?})", Size(body.len())),
            Self::Whole(response) => write!(f, "Whole({}, {:?})", response.status(), Size(response.body().len())),
            Self::Body(body) => write!(f, "Body({:?})", Size(body.len())),
            Self::Stream(stream) => stream.fmt(f),
            Self::Finished => f.write_str("Finished"),
        }
    }
}

#[derive(Default)]
struct Stream {
    /// Events that are not taken.
    events: Vec<u8>,
    head_taken: bool,
    /// No more events will come.
    ended: bool,
    /// When something was taken last.
    silent_since: Time,
    /// Where it can be resumed.
    track: Option<Box<Track>>,
}

impl Stream {
    /// A stream that begins.
    fn begin(resumable: Option<Resumable>) -> Self {
        let mut stream = Self::default();
        stream.track = resumable.map(|resumable| Box::new(Track::begin(resumable, &mut stream.events)));
        stream
    }

    fn event(&mut self, message: &[u8], is_last: bool) {
        match &mut self.track {
            Some(track) => track.write(&mut self.events, message, is_last),
            None => sse::encode_message(&mut self.events, message),
        }
    }

    /// No more will come, and nothing says so.
    fn end(&mut self) {
        if let Some(track) = self.track.as_mut().filter(|_| !self.ended) {
            track.end();
        }
        self.ended = true;
    }

    fn reader(&self) -> Reader {
        self.track.as_ref().map_or(Reader::There, |track| track.reader)
    }
}

shown!(Stream { head_taken, ended, silent_since } bytes { events });

/// The queue of a response is full: the client does not read. The message is handed back.
#[derive(Clone, PartialEq, Eq)]
pub struct Blocked(pub Vec<u8>);

impl Reply {
    /// The reply to a request of a client that takes `accepts`.
    pub fn new(accepts: Accepts, config: &HttpConfig, limits: &Limits) -> Self {
        Self {
            accepts,
            form: config.reply,
            most_bytes: limits.outbox_bytes.min(limits.stream_bytes),
            keep_alive: config.keep_alive,
            session: None,
            awaited: 1,
            is_batch: false,
            answers: Vec::new(),
            resumable: None,
            state: State::Open,
            dropped: 0,
        }
    }

    /// The same, to be resumed where it becomes a stream.
    pub(crate) fn set_resumable(&mut self, resumable: Option<Resumable>) {
        self.resumable = resumable.filter(|_| self.accepts.sse);
        if let (State::Stream(stream), Some(_)) = (&mut self.state, self.resumable) {
            *stream = Stream::begin(self.resumable);
        }
    }

    /// A stream that goes on with what it has brought before. For a GET: no answer is awaited.
    pub(crate) fn continued(config: &HttpConfig, limits: &Limits, resumable: Resumable, replayed: &Replayed) -> Self {
        let mut reply = Self::stream(config, limits);
        reply.resumable = Some(resumable);
        reply.state = State::Stream(Stream {
            events: Track::catch_up(resumable.retry, replayed),
            ended: replayed.is_over,
            track: Some(Box::new(Track::at(resumable, replayed.next))),
            ..Stream::default()
        });
        reply
    }

    /// The stream that this is, where it can be resumed.
    pub fn stream_key(&self) -> Option<StreamKey> {
        match &self.state {
            State::Stream(stream) => stream.track.as_ref().map(|track| track.key),
            _ => None,
        }
    }

    /// What is to be kept, for streams that can be resumed. Call it after everything that is said, until it gives `None`.
    #[must_use]
    pub fn poll_record(&mut self) -> Option<Recorded> {
        match &mut self.state {
            State::Stream(stream) => stream.track.as_mut()?.poll_record(),
            _ => None,
        }
    }

    /// Ends the connection and not the stream: the client is to come back for the rest (2025-11-25, Transports, Sending
    /// Messages, 6). `false` where it could not.
    pub fn close_stream(&mut self) -> bool {
        if !self.resumable.is_some_and(|resumable| resumable.primes) || self.is_ended() {
            return false;
        }
        self.open_stream();
        if let State::Stream(stream) = &mut self.state
            && let Some(track) = &mut stream.track
            && track.reader == Reader::There
        {
            track.reader = Reader::Leaving;
        }
        true
    }

    /// Whether nobody reads the stream for the moment, though it may go on.
    pub fn is_left(&self) -> bool {
        matches!(&self.state, State::Stream(stream) if stream.reader() == Reader::Gone)
    }

    /// Another connection goes on with the stream, from what it has brought before. `false` where there is none.
    pub fn resume(&mut self, replayed: &Replayed) -> bool {
        let State::Stream(stream) = &mut self.state else {
            return false;
        };
        let Some(track) = &mut stream.track else { return false };
        track.reader = Reader::There;
        stream.events = Track::catch_up(track.retry(), replayed);
        stream.head_taken = false;
        true
    }

    /// The reply to a batch with `requests` requests (2025-03-26): one array, or a stream of single answers.
    pub fn batch(requests: usize, accepts: Accepts, config: &HttpConfig, limits: &Limits) -> Self {
        Self {
            awaited: requests,
            is_batch: true,
            ..Self::new(accepts, config, limits)
        }
    }

    /// A stream from the start, for GET: it carries notifications and requests, and no answer.
    pub fn stream(config: &HttpConfig, limits: &Limits) -> Self {
        let mut reply = Self {
            awaited: 0,
            // Nobody waits here until the client reads: what finds no room is lost.
            most_bytes: limits.outbox_bytes,
            ..Self::new(Accepts::SSE, config, limits)
        };
        reply.state = State::Stream(Stream::default());
        reply
    }

    /// Names the session that this answer begins (`Mcp-Session-Id`).
    pub fn set_session(&mut self, session: SessionId) {
        self.session = Some(session);
    }

    /// Whether it names a session that it begins.
    pub fn begins_session(&self) -> bool {
        self.session.is_some()
    }

    /// Whether the head of a stream is decided on.
    pub fn is_streaming(&self) -> bool {
        matches!(self.state, State::Stream(_))
    }

    /// Whether everything was taken.
    pub fn is_finished(&self) -> bool {
        matches!(self.state, State::Finished)
    }

    /// Whether the last answer is in, so that nothing more can be said.
    pub fn is_ended(&self) -> bool {
        match &self.state {
            State::Open => false,
            State::Stream(stream) => stream.ended,
            State::Document(..) | State::Whole(_) | State::Body(_) | State::Finished => true,
        }
    }

    /// The bytes of the body that are still to be taken, where that is settled: `Content-Length`, asked before or
    /// after the head is taken.
    pub fn body_length(&self) -> Option<usize> {
        match &self.state {
            State::Open => None,
            State::Whole(response) => Some(response.body().len()),
            State::Document(_, body) | State::Body(body) => Some(body.len()),
            State::Stream(stream) => stream.ended.then_some(stream.events.len()),
            State::Finished => Some(0),
        }
    }

    /// How many bytes of memory the events take that are queued on a stream.
    pub fn queued_bytes(&self) -> usize {
        match &self.state {
            State::Stream(stream) if !stream.events.is_empty() => stream.events.capacity(),
            _ => 0,
        }
    }

    /// How many notifications were dropped, since the client takes no stream.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Sends a notification. Dropped and counted where the client takes no stream, or the last answer is in.
    ///
    /// # Errors
    /// [`Blocked`] while the queue is full ([`Limits::stream_bytes`], for GET [`Limits::outbox_bytes`]).
    pub fn notify(&mut self, message: Vec<u8>) -> Result<(), Blocked> {
        if !self.accepts.sse || self.is_ended() {
            self.dropped = self.dropped.saturating_add(1);
            return Ok(());
        }
        self.push(message)
    }

    /// Whether another message would be taken: the queue is not full. One message is always taken, however large.
    pub fn has_room(&self) -> bool {
        match &self.state {
            // Into an empty queue everything goes, or what is larger than the bound could never be sent; after the end
            // it is dropped, which needs no room.
            State::Stream(stream) => stream.ended || stream.events.is_empty() || stream.events.len() < self.most_bytes,
            _ => true,
        }
    }

    /// Whether a request of the server can reach the client here.
    pub fn can_call(&self) -> bool {
        self.accepts.sse && !self.is_ended()
    }

    /// Sends a request of the server. Check [`can_call`](Self::can_call) first.
    ///
    /// # Errors
    /// [`Blocked`] while the queue is full, and for good where the request cannot reach the client.
    pub fn call(&mut self, message: Vec<u8>) -> Result<(), Blocked> {
        match self.can_call() {
            true => self.push(message),
            false => Err(Blocked(message)),
        }
    }

    /// Sends an answer; the last one that is awaited ends the reply. It is never blocked.
    ///
    /// `status` is used where the head is not taken yet: an error of the modern era has its own.
    pub fn respond(&mut self, status: StatusCode, message: Vec<u8>) {
        // Never blocked: there is one answer for each request, and those are bounded.
        self.awaited = self.awaited.saturating_sub(1);
        match &mut self.state {
            State::Stream(stream) if !stream.ended => {
                let is_last = self.awaited == 0;
                // Where nothing is queued, a large answer is made the event in its own memory.
                match stream.events.is_empty() && stream.track.is_none() {
                    true => stream.events = sse::into_event(message),
                    false => stream.event(&message, is_last),
                }
                stream.ended = is_last;
            }
            // One array in one document (2025-03-26): until something makes it a stream, each answer waits for the
            // last.
            State::Open if self.is_batch => {
                self.answers.push(message);
                if self.awaited == 0 {
                    self.finish_batch();
                }
            }
            State::Open => self.finish(status, message),
            _ => {}
        }
    }

    /// One answer less will come: its request was cancelled, and a cancelled request MUST NOT be answered
    /// (2025-11-25, Cancellation, Behavior Requirements). A reply without any answer is a stream without events.
    pub fn skip(&mut self) {
        self.awaited = self.awaited.saturating_sub(1);
        if self.awaited > 0 {
            return;
        }
        match &mut self.state {
            State::Stream(stream) => stream.end(),
            State::Open if !self.answers.is_empty() => self.finish_batch(),
            State::Open if self.accepts.sse => {
                self.state = State::Stream(Stream {
                    ended: true,
                    ..Stream::default()
                });
            }
            // It takes no stream, so that nothing has to be said by the status.
            State::Open => self.accepted(),
            State::Document(..) | State::Whole(_) | State::Body(_) | State::Finished => {}
        }
    }

    /// The client has gone: whatever is said is dropped; of a stream that can be resumed, kept for it.
    pub fn abandon(&mut self) {
        if let State::Stream(stream) = &mut self.state
            && let Some(track) = stream.track.as_mut().filter(|_| !stream.ended)
        {
            track.reader = Reader::Gone;
            stream.events = Vec::new();
            return;
        }
        self.state = State::Finished;
        // Not `clear`: an abandoned request may run for an hour, and would keep the memory.
        self.answers = Vec::new();
    }

    /// Answers 202 without a body: what came was no request, and was taken.
    pub fn accepted(&mut self) {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::ACCEPTED;
        self.refuse(response);
    }

    /// Answers with `response`; where a stream has begun, ends it.
    pub fn refuse(&mut self, response: Response<Bytes>) {
        match &mut self.state {
            State::Open => self.state = State::Whole(Box::new(response)),
            // The status is out and cannot be taken back.
            State::Stream(stream) => stream.end(),
            State::Document(..) | State::Whole(_) | State::Body(_) | State::Finished => {}
        }
    }

    /// Ends a stream.
    pub fn end(&mut self) {
        if let State::Stream(stream) = &mut self.state {
            stream.end();
        }
    }

    /// The head, once, when it is decided.
    #[must_use]
    pub fn poll_head(&mut self, now: Time) -> Option<Parts> {
        // Not answered when it is first asked for: the client is told at once how to come back (2025-11-25, Transports,
        // Sending Messages, 6: SHOULD).
        if self.resumable.is_some_and(|resumable| resumable.primes) {
            self.open_stream();
        }
        match &mut self.state {
            State::Stream(stream) if !stream.head_taken => {
                stream.head_taken = true;
                stream.silent_since = now;
                let mut parts = Response::new(()).into_parts().0;
                parts.headers.insert(header::CONTENT_TYPE, EVENT_STREAM);
                parts.headers.insert(header::CACHE_CONTROL, NO_CACHE);
                parts.headers.insert(X_ACCEL_BUFFERING, NO);
                Some(self.with_session(parts))
            }
            State::Document(status, body) => {
                let (status, body) = (*status, core::mem::take(body));
                self.state = State::Body(body);
                let mut parts = Response::new(()).into_parts().0;
                parts.status = status;
                parts.headers.insert(header::CONTENT_TYPE, JSON);
                Some(self.with_session(parts))
            }
            State::Whole(_) => {
                let State::Whole(response) = core::mem::replace(&mut self.state, State::Finished) else {
                    return None;
                };
                let (parts, body) = response.into_parts();
                // Without a body the head is all there is, and no empty piece follows it.
                if !body.is_empty() {
                    self.state = State::Body(body);
                }
                Some(self.with_session(parts))
            }
            _ => None,
        }
    }

    /// What is ready of the body, after the head. [`is_finished`](Self::is_finished) tells nothing yet from
    /// nothing any more.
    #[must_use]
    pub fn poll_body(&mut self, now: Time) -> Option<Bytes> {
        match &mut self.state {
            State::Body(_) => match core::mem::replace(&mut self.state, State::Finished) {
                State::Body(body) => Some(body),
                _ => None,
            },
            State::Stream(stream) if stream.head_taken && stream.reader() != Reader::Gone => {
                let events = core::mem::take(&mut stream.events);
                // Only what was taken breaks the silence: a stream that is polled in vain more often than its keep-alive
                // would never be due for a comment.
                if !events.is_empty() {
                    stream.silent_since = now;
                }
                // Finished with the last events, so that a driver can write them and the end in one go.
                if stream.ended {
                    self.state = State::Finished;
                } else if events.is_empty()
                    && let Some(track) = stream.track.as_mut().filter(|track| track.reader == Reader::Leaving)
                {
                    track.reader = Reader::Gone;
                }
                (!events.is_empty()).then(|| Bytes::from(events))
            }
            _ => None,
        }
    }

    /// When a silent stream needs a comment.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        match &self.state {
            // What is queued breaks the silence by itself as soon as it is taken.
            State::Stream(stream)
                if stream.head_taken
                    && !stream.ended
                    && stream.events.is_empty()
                    && stream.reader() == Reader::There =>
            {
                self.keep_alive.map(|silence| stream.silent_since + silence)
            }
            _ => None,
        }
    }

    /// Writes the comment that keeps a silent stream open, if it is due.
    pub fn handle_timeout(&mut self, now: Time) {
        if self.poll_timeout().is_some_and(|due| due <= now)
            && let State::Stream(stream) = &mut self.state
        {
            sse::encode_comment(&mut stream.events, "");
        }
    }

    fn with_session(&self, mut parts: Parts) -> Parts {
        if let Some(session) = &self.session
            // A refusal begins no session (2025-11-25, Transports, Session Management, 1).
            && parts.status.is_success()
        {
            parts.headers.insert(SESSION_ID, session.to_header());
        }
        parts
    }

    /// Queues an event, making this a stream.
    fn push(&mut self, message: Vec<u8>) -> Result<(), Blocked> {
        self.open_stream();
        if !self.has_room() {
            return Err(Blocked(message));
        }
        self.event(&message);
        Ok(())
    }

    /// Makes this a stream, if it can still be one.
    fn open_stream(&mut self) {
        if matches!(self.state, State::Open) {
            self.state = State::Stream(Stream::begin(self.resumable));
            for answer in core::mem::take(&mut self.answers) {
                self.event(&answer);
            }
        }
    }

    fn event(&mut self, message: &[u8]) {
        if let State::Stream(stream) = &mut self.state {
            stream.event(message, false);
        }
    }

    /// The only answer of a request, with nothing before it.
    fn finish(&mut self, status: StatusCode, message: Vec<u8>) {
        // The head of a stream says 200, which an error with a status of its own cannot use.
        self.state = match self.is_document() || status != StatusCode::OK {
            true => State::Document(status, Bytes::from(message)),
            false if self.resumable.is_some() => {
                let mut stream = Stream::begin(self.resumable);
                stream.event(&message, true);
                stream.ended = true;
                State::Stream(stream)
            }
            false => State::Stream(Stream {
                events: sse::into_event(message),
                ended: true,
                ..Stream::default()
            }),
        };
    }

    fn finish_batch(&mut self) {
        let answers = core::mem::take(&mut self.answers);
        if !self.is_document() {
            let mut stream = Stream::begin(self.resumable);
            answers.iter().for_each(|answer| stream.event(answer, false));
            stream.end();
            self.state = State::Stream(stream);
            return;
        }
        let length = answers
            .iter()
            .map(|answer| answer.len().saturating_add(1))
            .fold(2, usize::saturating_add);
        let mut array = Vec::with_capacity(length);
        for answer in &answers {
            array.push(if array.is_empty() { b'[' } else { b',' });
            array.extend_from_slice(answer);
        }
        array.push(b']');
        self.state = State::Document(StatusCode::OK, Bytes::from(array));
    }

    fn is_document(&self) -> bool {
        self.accepts.json && (self.form == ReplyForm::Json || !self.accepts.sse)
    }
}

impl fmt::Debug for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blocked({} bytes)", self.0.len())
    }
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the client does not read its stream")
    }
}

impl core::error::Error for Blocked {}

#[cfg(test)]
mod tests;
