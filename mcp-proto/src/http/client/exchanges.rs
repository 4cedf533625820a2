//! The exchanges of one client.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;
use http::Request;
use http::response::Parts;

use super::config::HttpClientConfig;
use super::exchange::{Exchange, ExchangeError, ExchangeId, Kind, Response, append, authenticate, failure};
use super::listen::Listen;
use super::request::Template;
use super::session::SessionId;
use crate::jsonrpc::{ErrorObject, Incoming, Message, parse};
use crate::limits::{Limits, Timeouts};
use crate::revision::Revision;
use crate::rpc::{CallId, Failure, Kept, Outgoing, Purpose};
use crate::time::Time;
use crate::wire::header::MCP_SESSION_ID;
use crate::wire::sse::SseEvent;
use crate::wire::url::Redacted;

/// What a driver has to do.
#[allow(clippy::large_enum_variant, reason = "nearly every action opens an exchange")]
pub enum Action {
    /// Make this request, and report its response under this id.
    Open {
        /// What to report it under.
        id: ExchangeId,
        /// The request, with the whole URI of the endpoint.
        request: Request<Bytes>,
    },
    /// End this exchange, whatever has come of it. Nothing is reported for it any more.
    Abort(ExchangeId),
}

/// Shows the method of a request, and where it goes without user information and query: the rest may be secret.
impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open { id, request } => f
                .debug_struct("Open")
                .field("id", id)
                .field("method", request.method())
                .field("uri", &Redacted(&request.uri().to_string()))
                .finish_non_exhaustive(),
            Self::Abort(id) => f.debug_tuple("Abort").field(id).finish(),
        }
    }
}

/// What the responses hold.
#[derive(Debug)]
pub enum Output {
    /// A message, or a batch, came.
    Text {
        /// The text.
        text: Bytes,
        /// The status of the response.
        status: u16,
        /// The call that the response should answer, and has not yet.
        call: Option<CallId>,
    },
    /// A call was answered with an error that names no id.
    Rejected {
        /// The call.
        call: CallId,
        /// The error.
        error: ErrorObject,
        /// The status of the response.
        status: u16,
    },
    /// The exchange of a call ended without an answer in its own right. Where an answer came before, this
    /// says nothing.
    Failed {
        /// The call.
        call: CallId,
        /// Why.
        failure: Failure,
    },
    /// The server does not know the present session any more.
    SessionLost,
    /// The server answered 404 to the GET of the present session: it has forgotten it, or has no such route.
    SessionDoubtful,
    /// A message that wants no answer was taken, or not.
    Delivered {
        /// What it was.
        purpose: Purpose,
        /// Whether it was taken.
        outcome: Result<(), Failure>,
    },
}

/// The exchanges of one client: what to open, and what the responses hold.
///
/// Its methods are of four kinds: getters; [`head`](Self::head), [`body`](Self::body), [`end`](Self::end),
/// [`failed`](Self::failed) and [`handle_timeout`](Self::handle_timeout) for the world; [`send`](Self::send),
/// [`abort`](Self::abort), [`listen`](Self::listen) and [`close`](Self::close) for the layer above; and
/// [`poll_action`](Self::poll_action), [`poll_output`](Self::poll_output),
/// [`poll_timeout`](Self::poll_timeout).
///
/// What the bodies keep is bounded together by [`Limits::total_bytes`]: a response that would go beyond it
/// ends its call. The exchange of a call lasts as long as the call; any other, and one that has its answer, is
/// ended when its time is over.
#[derive(Debug)]
pub struct Exchanges {
    template: Template,
    limits: Limits,
    timeouts: Timeouts,
    wants_listen: bool,
    session: Option<SessionId>,
    /// How many sessions were begun.
    sessions: u64,
    revision: Revision,
    listen: Listen,
    open: BTreeMap<ExchangeId, Exchange>,
    by_call: BTreeMap<CallId, ExchangeId>,
    /// Exchanges with an end, in its order.
    ends: BTreeSet<(Time, ExchangeId)>,
    /// How many messages that want no answer have not been taken yet.
    untaken: usize,
    /// What the bodies of open exchanges keep.
    body_bytes: usize,
    next: u64,
    actions: VecDeque<Action>,
    outputs: VecDeque<Output>,
}

impl Exchanges {
    /// No exchange yet.
    pub fn new(config: &HttpClientConfig, limits: Limits, timeouts: Timeouts) -> Self {
        Self {
            template: Template::new(config),
            limits,
            timeouts,
            wants_listen: config.listen,
            session: None,
            sessions: 0,
            revision: Revision::LATEST_LEGACY,
            listen: Listen::default(),
            open: BTreeMap::new(),
            by_call: BTreeMap::new(),
            ends: BTreeSet::new(),
            untaken: 0,
            body_bytes: 0,
            next: 0,
            actions: VecDeque::new(),
            outputs: VecDeque::new(),
        }
    }

    /// How many exchanges are open.
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// How much is kept at present.
    pub fn kept(&self) -> Kept {
        let tables = self.open.len() + self.by_call.len() + self.ends.len();
        Kept::new(tables + self.actions.len() + self.outputs.len(), self.body_bytes)
    }

    /// Whether the server has given a session.
    pub fn has_session(&self) -> bool {
        self.session.is_some()
    }

    /// Whether anything waits to be done by the driver.
    pub fn has_action(&self) -> bool {
        !self.actions.is_empty()
    }

    /// Whether more of the response should be read. Not while the server takes none of the answers to its own
    /// requests: it could ask without end ([`Limits::streams_per_session`]).
    pub fn wants_body(&self, id: ExchangeId) -> bool {
        self.open.contains_key(&id) && self.untaken < self.limits.streams_per_session
    }

    /// Sends a message in an exchange of its own.
    pub fn send(&mut self, now: Time, outgoing: Outgoing) {
        let purpose = outgoing.purpose;
        if let Purpose::Initialize(_) = purpose {
            // A new session begins without the id of an old one (2025-11-25, Session Management, 4).
            if let Some(session) = self.session.take() {
                self.end_session(now + self.timeouts.close, &session);
            }
            self.sessions += 1;
            self.stop_listening();
            self.abort_announcement();
        }
        if let Some(revision) = outgoing.revision {
            self.revision = revision;
        }
        let request = self.template.post(outgoing, self.session.as_ref());
        let id = self.start(Kind::Post(purpose), request);
        if !matches!(purpose, Purpose::Initialize(_) | Purpose::Call(_)) {
            self.untaken += 1;
            self.end_at(id, now + self.timeouts.request);
        }
    }

    /// Ends the exchange of a call. That of `initialize` goes on for the timeout for closing: the server may make a
    /// session for it all the same, which is ended as soon as its id is known.
    pub fn abort(&mut self, now: Time, call: CallId) {
        let Some(id) = self.by_call.remove(&call) else { return };
        let exchange = self.open.get(&id);
        let Some(exchange) = exchange.filter(|exchange| exchange.kind == Kind::Post(Purpose::Initialize(call))) else {
            return self.abort_exchange(id);
        };
        let is_awaited = matches!(exchange.response, Response::Awaited);
        if is_awaited && self.queued(id).is_none() {
            return self.end_at(id, now + self.timeouts.close);
        }
        self.abort_exchange(id);
        if !is_awaited && let Some(session) = self.session.take() {
            self.end_session(now + self.timeouts.close, &session);
        }
    }

    /// The call of an exchange has its answer. The server should end the response now; where it does not, the
    /// exchange is ended after the timeout for closing.
    pub fn answered(&mut self, now: Time, call: CallId) {
        if let Some(id) = self.by_call.remove(&call) {
            self.end_at(id, now + self.timeouts.close);
        }
    }

    /// The handshake is done: keeps a GET stream open, where that is wanted and the revision has one.
    pub fn listen(&mut self, revision: Revision) {
        self.revision = revision;
        if self.wants_listen && revision.has_sessions() && self.session.is_some() {
            self.listen.begin();
        }
    }

    /// Ends everything, and the session with a DELETE (2025-11-25, Session Management, 5).
    pub fn close(&mut self, now: Time) {
        self.stop_listening();
        if let Some(session) = self.session.take() {
            self.end_session(now + self.timeouts.close, &session);
        }
        // What is still on its way gets the same time.
        let open: Vec<_> = self.open.keys().copied().collect();
        for id in open {
            self.end_at(id, now + self.timeouts.close);
        }
    }

    /// The head of a response came.
    pub fn head(&mut self, now: Time, id: ExchangeId, head: &Parts) {
        let Some(exchange) = self.open.get_mut(&id) else { return };
        if !matches!(exchange.response, Response::Awaited) {
            return;
        }
        let kind = exchange.kind;
        if exchange.in_session.is_some() && head.status == http::StatusCode::NOT_FOUND {
            return self.lost(now, id);
        }
        exchange.response = Response::of(head, &self.limits);
        match kind {
            Kind::Post(purpose @ (Purpose::Initialize(_) | Purpose::Call(_))) => {
                if let Purpose::Initialize(call) = purpose
                    && head.status.is_success()
                {
                    let session = head.headers.get(MCP_SESSION_ID).and_then(SessionId::read);
                    self.begun(now, id, call, session);
                }
                self.refuse_at_once(now, id);
            }
            Kind::Post(_) => {
                let status = head.status.as_u16();
                let is_taken = head.status.is_success();
                let failure = || failure(status, authenticate(&head.headers));
                self.taken(now, id, if is_taken { Ok(()) } else { Err(failure()) });
            }
            Kind::Listen if !matches!(self.response_of(id), Some(Response::Events { .. })) => {
                // 405 is the regular way to say that there is none; nothing else is worth another attempt.
                self.listen.refused();
                self.ignore(now, id);
            }
            Kind::Listen => {}
            Kind::Delete => self.ignore(now, id),
        }
    }

    /// The server has begun a session, or works without one.
    fn begun(&mut self, now: Time, id: ExchangeId, call: CallId, session: Option<SessionId>) {
        if self.by_call.get(&call) == Some(&id) {
            self.session = session;
            return;
        }
        // Nobody waits for it any more. Its end takes no longer than the answer might have.
        self.ignore(now, id);
        let until = self.open.get(&id).and_then(|exchange| exchange.until);
        if let Some(session) = session {
            self.end_session(until.unwrap_or(now), &session);
        }
    }

    /// Has the server end a session, and waits for that until then.
    fn end_session(&mut self, until: Time, session: &SessionId) {
        let request = self.template.delete(session, self.revision);
        let id = self.start(Kind::Delete, request);
        self.end_at(id, until);
    }

    /// A part of the body of a response came.
    pub fn body(&mut self, _now: Time, id: ExchangeId, chunk: &Bytes) {
        let Some(exchange) = self.open.get_mut(&id) else { return };
        let kept = self.body_bytes - exchange.response.size();
        let fits = match &mut exchange.response {
            Response::Awaited | Response::Refused { .. } | Response::Ignored => return,
            _ if kept.saturating_add(chunk.len()) > self.limits.total_bytes => false,
            Response::Json { body, .. } => append(body, chunk, self.limits.body_bytes),
            Response::Failure {
                status,
                authenticate,
                body,
            } => {
                if !append(body, chunk, self.limits.error_body_bytes) {
                    let failure = failure(*status, authenticate.take());
                    return self.give_up(id, failure);
                }
                true
            }
            Response::Events { decoder, .. } => {
                decoder.push(chunk);
                true
            }
        };
        self.body_bytes = kept + exchange.response.size();
        if fits {
            self.read_events(id);
        } else {
            self.give_up(id, Failure::Unreadable("the response is too large".into()));
        }
    }

    /// The response is complete.
    pub fn end(&mut self, now: Time, id: ExchangeId) {
        let Some((exchange, call)) = self.take(id) else { return };
        match exchange.response {
            _ if exchange.kind == Kind::Listen => self.listen.ended(now),
            Response::Json { status, body } => {
                self.emit(Output::Text {
                    text: body.freeze(),
                    status,
                    call,
                });
                // Where that was the answer, this says nothing.
                self.fail_call(
                    call,
                    Failure::Unreadable("the response holds no answer to the call".into()),
                );
            }
            Response::Failure {
                status,
                authenticate,
                body,
            } => self.end_failure(call, status, authenticate, body.freeze()),
            Response::Awaited => self.broke_off(exchange.kind, call, Failure::Disconnected),
            Response::Events { .. } => self.fail_call(call, Failure::Disconnected),
            Response::Refused { .. } | Response::Ignored => {}
        }
    }

    /// The exchange failed on the transport.
    pub fn failed(&mut self, now: Time, id: ExchangeId, error: ExchangeError) {
        let Some((exchange, call)) = self.take(id) else { return };
        let failure = match error {
            ExchangeError::Unreachable(why) => Failure::Unreachable(why),
            ExchangeError::Broken(_) => Failure::Disconnected,
            ExchangeError::TooManyConnections => Failure::TooManyConnections,
        };
        match (exchange.kind, exchange.response) {
            (Kind::Listen, _) => self.listen.ended(now),
            // The status is known; what more the body would have said is not.
            (
                _,
                Response::Failure {
                    status, authenticate, ..
                },
            ) => self.fail_call(call, self::failure(status, authenticate)),
            (_, Response::Ignored | Response::Refused { .. }) => {}
            (kind, _) => self.broke_off(kind, call, failure),
        }
    }

    /// An exchange is over before anything was known of its message.
    fn broke_off(&mut self, kind: Kind, call: Option<CallId>, failure: Failure) {
        match kind {
            Kind::Post(Purpose::Initialize(_) | Purpose::Call(_)) => self.fail_call(call, failure),
            Kind::Post(purpose) => self.emit(Output::Delivered {
                purpose,
                outcome: Err(failure),
            }),
            Kind::Listen | Kind::Delete => {}
        }
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Time) {
        if self.listen.is_due(now) {
            let last = self.listen.last_event_id();
            let request = self.template.get(self.session.as_ref(), self.revision, last);
            let id = self.start(Kind::Listen, request);
            self.listen.opened(id);
        }
        while let Some(&(until, id)) = self.ends.first()
            && until <= now
        {
            self.abort_exchange(id);
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        let end = self.ends.first().map(|(until, _)| *until);
        [end, self.listen.poll_timeout()].into_iter().flatten().min()
    }

    /// What the driver has to do.
    #[must_use]
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// What the responses hold.
    #[must_use]
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn start(&mut self, kind: Kind, request: Request<Bytes>) -> ExchangeId {
        let id = ExchangeId(self.next);
        self.next += 1;
        let exchange = Exchange {
            kind,
            in_session: request.headers().contains_key(MCP_SESSION_ID).then_some(self.sessions),
            until: None,
            response: Response::Awaited,
        };
        self.open.insert(id, exchange);
        if let Some(call) = kind.call() {
            self.by_call.insert(call, id);
        }
        self.actions.push_back(Action::Open { id, request });
        id
    }

    /// Sees to it that an exchange ends at `until`, if not before.
    fn end_at(&mut self, id: ExchangeId, until: Time) {
        let Some(exchange) = self.open.get_mut(&id) else { return };
        let until = exchange.until.map_or(until, |old| old.min(until));
        if let Some(old) = exchange.until.replace(until) {
            self.ends.remove(&(old, id));
        }
        self.ends.insert((until, id));
    }

    /// Forgets an exchange that is over. Gives the call with it that has no answer yet.
    fn take(&mut self, id: ExchangeId) -> Option<(Exchange, Option<CallId>)> {
        let exchange = self.open.remove(&id)?;
        if let Some(until) = exchange.until {
            self.ends.remove(&(until, id));
        }
        self.body_bytes -= exchange.response.size();
        if exchange.is_untaken() {
            self.untaken -= 1;
        }
        let call = self.unanswered(id, exchange.kind);
        Some((exchange, call))
    }

    /// The call that an exchange should answer, and has not yet; it does not wait for the exchange any more.
    fn unanswered(&mut self, id: ExchangeId, kind: Kind) -> Option<CallId> {
        let call = kind.call().filter(|call| self.by_call.get(call) == Some(&id))?;
        self.by_call.remove(&call);
        Some(call)
    }

    fn abort_exchange(&mut self, id: ExchangeId) {
        if self.take(id).is_none() {
            return;
        }
        match self.queued(id) {
            // Never opened: there is nothing to end.
            Some(at) => {
                self.actions.remove(at);
            }
            None => self.actions.push_back(Action::Abort(id)),
        }
    }

    /// Where the request of an exchange waits for the driver, if it does.
    fn queued(&self, id: ExchangeId) -> Option<usize> {
        let is_it = |action: &Action| matches!(action, Action::Open { id: other, .. } if *other == id);
        self.actions.iter().position(is_it)
    }

    /// Whether the GET stream is open.
    pub fn is_listening(&self) -> bool {
        let response = self.listen.open().and_then(|id| self.response_of(id));
        matches!(response, Some(Response::Events { .. }))
    }

    /// Gives the GET stream up.
    pub fn stop_listening(&mut self) {
        if let Some(id) = self.listen.stop() {
            self.abort_exchange(id);
        }
    }

    /// A `notifications/initialized` of an earlier handshake says nothing of the next.
    fn abort_announcement(&mut self) {
        let announcement = |exchange: &Exchange| exchange.kind == Kind::Post(Purpose::Initialized);
        let belated = self.open.iter().find(|(_, exchange)| announcement(exchange));
        if let Some(id) = belated.map(|(id, _)| *id) {
            self.abort_exchange(id);
        }
    }

    /// The server does not know the session: whatever was sent, the client "MUST start a new session" (2025-11-25,
    /// Transports, Session Management, 4).
    fn lost(&mut self, now: Time, id: ExchangeId) {
        let Some(exchange) = self.open.get(&id) else { return };
        let is_present = exchange.in_session == Some(self.sessions) && self.session.is_some();
        if is_present && matches!(exchange.kind, Kind::Post(_)) {
            // It is not named any more, and needs no DELETE.
            self.session = None;
        }
        match exchange.kind {
            kind @ Kind::Post(Purpose::Initialize(_) | Purpose::Call(_)) => {
                let call = self.unanswered(id, kind);
                self.fail_call(call, Failure::SessionLost);
                self.ignore(now, id);
            }
            Kind::Post(purpose) => {
                self.taken(now, id, Err(Failure::SessionLost));
                if is_present && purpose != Purpose::Initialized {
                    self.emit(Output::SessionLost);
                }
            }
            Kind::Listen => {
                self.listen.refused();
                self.ignore(now, id);
                if is_present {
                    self.emit(Output::SessionDoubtful);
                }
            }
            Kind::Delete => self.ignore(now, id),
        }
    }

    /// A message that wants no answer was taken, or not.
    fn taken(&mut self, now: Time, id: ExchangeId, outcome: Result<(), Failure>) {
        if let Some(Exchange {
            kind: Kind::Post(purpose),
            ..
        }) = self.open.get(&id)
        {
            let purpose = *purpose;
            self.untaken -= 1;
            self.emit(Output::Delivered { purpose, outcome });
            self.ignore(now, id);
        }
    }

    /// Nothing in this response matters any more.
    fn ignore(&mut self, now: Time, id: ExchangeId) {
        if let Some(exchange) = self.open.get_mut(&id) {
            self.body_bytes -= exchange.response.size();
            exchange.response = Response::Ignored;
            self.end_at(id, now + self.timeouts.close);
        }
    }

    /// Fails the call of a response whose head says it all.
    fn refuse_at_once(&mut self, now: Time, id: ExchangeId) {
        if let Some(exchange) = self.open.get_mut(&id)
            && let Response::Refused { status, authenticate } = &mut exchange.response
        {
            let failure = failure(*status, authenticate.take());
            let kind = exchange.kind;
            let call = self.unanswered(id, kind);
            self.fail_call(call, failure);
            self.ignore(now, id);
        }
    }

    fn response_of(&self, id: ExchangeId) -> Option<&Response> {
        self.open.get(&id).map(|exchange| &exchange.response)
    }

    /// Reports the events that are complete.
    fn read_events(&mut self, id: ExchangeId) {
        loop {
            let Some(exchange) = self.open.get_mut(&id) else { return };
            let kind = exchange.kind;
            let Response::Events { status, decoder } = &mut exchange.response else {
                return;
            };
            let (status, before) = (*status, decoder.buffered());
            let event = decoder.poll_event();
            self.body_bytes = self.body_bytes - before + decoder.buffered();
            match event {
                None => return,
                Some(Ok(event)) => self.read_event(id, kind, status, &event),
                // Only one message is lost.
                Some(Err(_)) if kind == Kind::Listen => {}
                // The answer may have been in there: the call must not wait for what cannot come.
                Some(Err(error)) => self.give_up(id, Failure::Unreadable(alloc::format!("{error}").into())),
            }
        }
    }

    fn read_event(&mut self, id: ExchangeId, kind: Kind, status: u16, event: &SseEvent) {
        if kind == Kind::Listen {
            self.listen.progressed(event.id.as_deref(), event.retry);
        }
        if let Some(text) = event.message() {
            let text = text.clone();
            let call = kind.call().filter(|call| self.by_call.get(call) == Some(&id));
            self.emit(Output::Text { text, status, call });
        }
    }

    /// Ends an exchange that cannot bring an answer any more.
    fn give_up(&mut self, id: ExchangeId, failure: Failure) {
        if let Some(exchange) = self.open.get(&id) {
            let kind = exchange.kind;
            let call = self.unanswered(id, kind);
            self.fail_call(call, failure);
            if kind == Kind::Listen {
                self.listen.refused();
            }
            self.abort_exchange(id);
        }
    }

    /// The body of a failure is complete: it may hold the JSON-RPC error that was meant.
    fn end_failure(&mut self, call: Option<CallId>, status: u16, authenticate: Option<Box<str>>, body: Bytes) {
        let Some(call) = call else { return };
        match self.error_in(body) {
            Some(error) if !matches!(status, 401 | 403) => self.emit(Output::Rejected { call, error, status }),
            _ => self.fail_call(Some(call), failure(status, authenticate)),
        }
    }

    fn error_in(&self, body: Bytes) -> Option<ErrorObject> {
        match parse(body, &self.limits) {
            Ok(Incoming::Single(Message::Response(response))) => response.outcome.err(),
            _ => None,
        }
    }

    fn fail_call(&mut self, call: Option<CallId>, failure: Failure) {
        if let Some(call) = call {
            self.emit(Output::Failed { call, failure });
        }
    }

    fn emit(&mut self, output: Output) {
        self.outputs.push_back(output);
    }
}
