//! What a client knows of HTTP+SSE: whether the server speaks it, and where its stream stands.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use bytes::Bytes;
use http::{Request, Uri};

use super::config::HttpDialect;
use super::cursor::Cursor;
use super::exchange::ExchangeId;
use super::output::Output;
use crate::rpc::{CallError, CallId, Failure};
use crate::time::Time;

/// HTTP+SSE of 2024-11-05, deprecated since 2025-03-26: one GET stream for everything of the server, which names where to
/// POST what the client says.
///
/// | state | what it means | on to |
/// |---|---|---|
/// | off | no handshake is under way, or it is one of Streamable HTTP | asking, due |
/// | asking | `initialize` is out as Streamable HTTP has it | off: it was answered; due: it was refused with 400, 404, 405 |
/// | due | the stream is to be opened | opening |
/// | opening | it is opened, and has not named its endpoint | open; off: it is none; due: the server is away for a moment |
/// | open | everything goes to its endpoint | off: it has ended, and the session with it |
///
/// 2025-11-25, Transports, Backwards Compatibility, is the way from asking to open. What the server speaks is remembered
/// until it proves wrong, so that the next handshake begins with the stream.
#[derive(Debug)]
pub(super) struct HttpSse {
    dialect: HttpDialect,
    /// Whether the server has shown that it speaks it.
    is_known: bool,
    state: State,
    /// How often it is opened again without bringing anything.
    cursor: Cursor,
    /// When it may be opened next.
    not_before: Time,
    /// The calls that the server has taken, and that are to be answered on the stream.
    waiting: BTreeMap<u64, CallId>,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Off,
    Asking(Handshake),
    Due(Time, Handshake),
    /// With the time until which its endpoint must have come.
    Opening(ExchangeId, Option<Time>, Handshake),
    Open(Stream),
}

/// The handshake that the stream is opened for.
pub(super) struct Handshake {
    pub(super) call: CallId,
    /// The `initialize` that goes to the endpoint.
    pub(super) request: Request<Bytes>,
    /// What became of it over Streamable HTTP: what is told where there is no stream either.
    refusal: Option<Output>,
}

/// Shows nothing of the request: there are credentials in it.
impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake")
            .field("call", &self.call)
            .field("refusal", &self.refusal)
            .finish_non_exhaustive()
    }
}

struct Stream {
    id: ExchangeId,
    endpoint: Uri,
    /// The number of its session.
    number: u64,
    /// `initialize`, until it is answered.
    initialize: Option<CallId>,
    /// Whether the handshake is done: what comes from then on is progress.
    is_settled: bool,
    /// Whether it is ended when all that was sent has arrived.
    is_closing: bool,
}

/// Shows not where the endpoint is: its query names the session.
impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("id", &self.id)
            .field("initialize", &self.initialize)
            .field("is_settled", &self.is_settled)
            .field("is_closing", &self.is_closing)
            .finish_non_exhaustive()
    }
}

/// What becomes of a stream that is over.
#[derive(Debug)]
pub(super) enum Ended {
    /// It was not there any more.
    Nothing,
    /// It is opened once more, later.
    Again,
    /// There is no such stream: the handshake has failed, with this.
    Failed(Output),
    /// The session of this number is over, with these calls; whether the next begins at once.
    Session(u64, Vec<CallId>, bool),
}

impl HttpSse {
    pub(super) fn new(dialect: HttpDialect) -> Self {
        Self {
            dialect,
            is_known: false,
            state: State::Off,
            cursor: Cursor::default(),
            not_before: Time::ORIGIN,
            waiting: BTreeMap::new(),
        }
    }

    /// How many entries it keeps.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
            + usize::from(matches!(
                self.state,
                State::Asking(_) | State::Due(..) | State::Opening(..)
            ))
    }

    /// A handshake begins. Whether that is with the stream, and not with a POST to the server's URL.
    pub(super) fn begin(&mut self, call: CallId, request: &Request<Bytes>) -> bool {
        let handshake = || Handshake {
            call,
            request: request.clone(),
            refusal: None,
        };
        self.state = match self.dialect {
            HttpDialect::Streamable => State::Off,
            HttpDialect::Any if !self.is_known => State::Asking(handshake()),
            HttpDialect::Any | HttpDialect::HttpSse => State::Due(self.not_before, handshake()),
        };
        matches!(self.state, State::Due(..))
    }

    /// Keeps back what a handshake over Streamable HTTP has come to, where the stream has to be tried first. Modern errors
    /// are an answer: only a server that speaks Streamable HTTP has them.
    pub(super) fn divert(&mut self, output: Output) -> Option<Output> {
        let (call, is_refusal) = match &output {
            Output::Failed { call, failure } => {
                let status = match failure {
                    Failure::Status { status, .. } => *status,
                    _ => 0,
                };
                (*call, leads_on(status))
            }
            Output::Rejected { call, error, status } => (*call, leads_on(*status) && !error.code.is_modern()),
            // One that is sent again begins anew.
            Output::Redirected { call, .. } | Output::Stale { call, .. } => (*call, false),
            _ => return Some(output),
        };
        match core::mem::take(&mut self.state) {
            State::Asking(handshake) if handshake.call == call => {
                // Any other end says nothing of what the server speaks.
                if !is_refusal {
                    return Some(output);
                }
                let refusal = Some(output);
                self.state = State::Due(Time::ORIGIN, Handshake { refusal, ..handshake });
                None
            }
            other => {
                self.state = other;
                Some(output)
            }
        }
    }

    /// Whether the stream is to be opened now.
    pub(super) fn is_due(&self, now: Time) -> bool {
        matches!(self.state, State::Due(at, _) if at <= now)
    }

    /// The stream is being opened. Where it is only tried, its endpoint has so much time to come.
    pub(super) fn opened(&mut self, id: ExchangeId, by: Time) {
        self.state = match core::mem::take(&mut self.state) {
            State::Due(_, handshake) => {
                let by = handshake.refusal.is_some().then_some(by);
                State::Opening(id, by, handshake)
            }
            other => other,
        };
    }

    /// The same stream has another number.
    pub(super) fn renumber(&mut self, old: ExchangeId, new: ExchangeId) {
        if let State::Opening(id, ..) = &mut self.state
            && *id == old
        {
            *id = new;
        }
    }

    /// The stream that should have named its endpoint by now.
    pub(super) fn overdue(&self, now: Time) -> Option<ExchangeId> {
        match self.state {
            State::Opening(id, Some(by), _) if by <= now => Some(id),
            _ => None,
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        match self.state {
            State::Due(at, _) => Some(at),
            State::Opening(_, by, _) => by,
            _ => None,
        }
    }

    /// Whether the endpoint of this stream is still to come.
    pub(super) fn awaits_endpoint(&self, stream: ExchangeId) -> bool {
        matches!(self.state, State::Opening(id, ..) if id == stream)
    }

    /// The endpoint has come, and a session begins with this number. Gives the `initialize` that goes there.
    pub(super) fn found(&mut self, endpoint: Uri, number: u64) -> Option<Handshake> {
        let State::Opening(id, _, handshake) = core::mem::take(&mut self.state) else {
            return None;
        };
        self.is_known = true;
        self.state = State::Open(Stream {
            id,
            endpoint,
            number,
            initialize: Some(handshake.call),
            is_settled: false,
            is_closing: false,
        });
        Some(handshake)
    }

    /// Where messages go, and the number of the session, while the stream is open.
    pub(super) fn endpoint(&self) -> Option<(&Uri, u64)> {
        self.open().map(|stream| (&stream.endpoint, stream.number))
    }

    /// The stream that is open.
    pub(super) fn stream(&self) -> Option<ExchangeId> {
        self.open().map(|stream| stream.id)
    }

    /// The session in which it sends.
    pub(super) fn number(&self) -> Option<u64> {
        self.open().map(|stream| stream.number)
    }

    fn open(&self) -> Option<&Stream> {
        match &self.state {
            State::Open(stream) => Some(stream),
            _ => None,
        }
    }

    fn open_mut(&mut self) -> Option<&mut Stream> {
        match &mut self.state {
            State::Open(stream) => Some(stream),
            _ => None,
        }
    }

    /// The handshake over the stream is done.
    pub(super) fn settled(&mut self) {
        if let Some(stream) = self.open_mut() {
            stream.is_settled = true;
        }
    }

    /// An event came, with a message or without.
    pub(super) fn received(&mut self, retry: Option<Duration>, has_message: bool) {
        let is_settled = self.open().is_some_and(|stream| stream.is_settled);
        // A handshake alone is none: a server could have it made for ever.
        self.cursor.received(None, retry, has_message && is_settled);
    }

    /// The server has taken a call, and answers it on the stream.
    pub(super) fn wait(&mut self, call: CallId) {
        self.waiting.insert(call.number(), call);
    }

    /// A call has its answer, by whatever way.
    pub(super) fn answered(&mut self, call: CallId) {
        self.waiting.remove(&call.number());
        match &mut self.state {
            State::Asking(handshake) if handshake.call == call => self.state = State::Off,
            State::Open(stream) if stream.initialize == Some(call) => stream.initialize = None,
            _ => {}
        }
    }

    /// Nobody waits for a call any more, which was taken. Whether it is that.
    pub(super) fn forget(&mut self, call: CallId) -> bool {
        if matches!(&self.state, State::Asking(handshake) if handshake.call == call) {
            self.state = State::Off;
        }
        self.waiting.remove(&call.number()).is_some()
    }

    /// Whether this is the handshake that the stream is there for, or is opened for: it is over with it.
    pub(super) fn is_handshake(&self, call: CallId) -> bool {
        match &self.state {
            State::Due(_, handshake) | State::Opening(_, _, handshake) => handshake.call == call,
            State::Open(stream) => stream.initialize == Some(call),
            State::Off | State::Asking(_) => false,
        }
    }

    /// Leaves the stream from this side. Gives what is to be ended: its exchange, and the number of its session.
    pub(super) fn leave(&mut self) -> (Option<ExchangeId>, Option<u64>) {
        self.waiting.clear();
        match core::mem::take(&mut self.state) {
            State::Opening(id, ..) => (Some(id), None),
            State::Open(stream) => (Some(stream.id), Some(stream.number)),
            State::Off | State::Asking(_) | State::Due(..) => (None, None),
        }
    }

    /// It is left as soon as all that was sent has arrived.
    pub(super) fn close(&mut self) {
        self.waiting.clear();
        if let Some(stream) = self.open_mut() {
            stream.is_closing = true;
        }
    }

    pub(super) fn is_closing(&self) -> bool {
        self.open().is_some_and(|stream| stream.is_closing)
    }

    /// The stream is over, or there is none: for the moment only, and until `after`, where the server said so, or for good.
    pub(super) fn ended(
        &mut self,
        now: Time,
        id: ExchangeId,
        failure: Failure,
        is_transient: bool,
        after: Option<Duration>,
    ) -> Ended {
        match core::mem::take(&mut self.state) {
            State::Opening(opening, _, handshake) if opening == id => {
                let is_retried = self.is_known && is_transient;
                if is_retried && let Some(next) = self.cursor.ended(now, after) {
                    self.state = State::Due(next, handshake);
                    return Ended::Again;
                }
                // The server may have changed: the next handshake finds it out.
                self.is_known = self.is_known && is_transient;
                Ended::Failed(handshake.refused(failure))
            }
            State::Open(stream) if stream.id == id => {
                let next = self.cursor.ended(now, after);
                self.not_before = next.unwrap_or(now);
                let waiting = core::mem::take(&mut self.waiting).into_values().collect();
                Ended::Session(stream.number, waiting, next.is_some() && !stream.is_closing)
            }
            other => {
                self.state = other;
                Ended::Nothing
            }
        }
    }
}

impl Handshake {
    /// What the handshake has come to, where the stream is refused for this reason too.
    fn refused(self, failure: Failure) -> Output {
        let call = self.call;
        // These say more than what was before: there is such a server, or a wall in front of it.
        let says_more = matches!(
            failure,
            Failure::ForeignEndpoint(_) | Failure::Status { status: 401 | 403, .. }
        );
        let Some(refusal) = self.refusal.filter(|_| !says_more) else {
            return Output::Failed { call, failure };
        };
        let why = CallError::from(failure);
        match refusal {
            Output::Failed {
                failure:
                    Failure::Status {
                        status,
                        www_authenticate,
                        reason,
                    },
                ..
            } => {
                let reason = alloc::format!("{reason}; and a GET opens no stream of HTTP+SSE: {why}");
                let failure = Failure::Status {
                    status,
                    www_authenticate,
                    reason: Box::from(reason),
                };
                Output::Failed { call, failure }
            }
            other => other,
        }
    }
}

/// Whether a server that refuses `initialize` in this way may be one of HTTP+SSE (2025-11-25, Transports, Backwards
/// Compatibility).
fn leads_on(status: u16) -> bool {
    matches!(status, 400 | 404 | 405)
}
