//! The exchanges of one client.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use core::time::Duration;

use bytes::{Bytes, BytesMut};
use http::Request;
use http::response::Parts;

use super::config::HttpClientConfig;
use super::exchange::{Exchange, ExchangeError, ExchangeId, Kind, Response, append, failure};
use super::listen::Listen;
use super::request::Template;
use super::session::SessionId;
use crate::jsonrpc::{ErrorObject, Incoming, Message, parse};
use crate::limits::Limits;
use crate::revision::Revision;
use crate::rpc::{CallId, Failure, Outgoing, Purpose};
use crate::time::Time;
use crate::wire::header::MCP_SESSION_ID;
use crate::wire::sse::SseEvent;

/// What a driver has to do.
#[derive(Debug)]
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

/// What the responses hold.
#[derive(Debug)]
pub enum Output {
    /// A message, or a batch, that came in this exchange.
    Text {
        /// The exchange.
        exchange: ExchangeId,
        /// The text.
        text: Bytes,
        /// The status of the response.
        status: u16,
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
#[derive(Debug)]
pub struct Exchanges {
    template: Template,
    limits: Limits,
    close_timeout: Duration,
    wants_listen: bool,
    session: Option<SessionId>,
    session_epoch: u64,
    revision: Revision,
    listen: Listen,
    open: BTreeMap<ExchangeId, Exchange>,
    by_call: BTreeMap<CallId, ExchangeId>,
    /// Exchanges that have served their purpose, and when they are ended if the server does not.
    lingering: BTreeSet<(Time, ExchangeId)>,
    next: u64,
    actions: VecDeque<Action>,
    outputs: VecDeque<Output>,
    output_bytes: usize,
}

impl Exchanges {
    /// No exchange yet.
    pub fn new(config: &HttpClientConfig, limits: Limits, close_timeout: Duration) -> Self {
        Self {
            template: Template::new(config),
            limits,
            close_timeout,
            wants_listen: config.listen,
            session: None,
            session_epoch: 0,
            revision: Revision::LATEST_LEGACY,
            listen: Listen::default(),
            open: BTreeMap::new(),
            by_call: BTreeMap::new(),
            lingering: BTreeSet::new(),
            next: 0,
            actions: VecDeque::new(),
            outputs: VecDeque::new(),
            output_bytes: 0,
        }
    }

    /// How many exchanges are open.
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// Whether the server has given a session.
    pub fn has_session(&self) -> bool {
        self.session.is_some()
    }

    /// Whether more of the response should be read.
    pub fn wants_body(&self, id: ExchangeId) -> bool {
        self.open.contains_key(&id) && self.output_bytes < self.limits.total_bytes
    }

    /// The call that an exchange should answer, and has not yet.
    pub fn call_of(&self, id: ExchangeId) -> Option<CallId> {
        let call = self.open.get(&id)?.kind.call()?;
        (self.by_call.get(&call) == Some(&id)).then_some(call)
    }

    /// Sends a message in an exchange of its own.
    pub fn send(&mut self, outgoing: Outgoing) {
        let (purpose, epoch) = (outgoing.purpose, outgoing.epoch);
        if let Purpose::Initialize(_) = purpose {
            // A new session begins without the id of an old one (2025-11-25, Session Management, 4).
            self.session = None;
            self.stop_listening();
        }
        let request = self.template.post(outgoing, self.session.as_ref());
        self.start(Kind::Post(purpose), epoch, request);
    }

    /// Ends the exchange of a call.
    pub fn abort(&mut self, call: CallId) {
        if let Some(id) = self.by_call.remove(&call) {
            self.abort_exchange(id);
        }
    }

    /// The call of an exchange has its answer. The server should end the response now; where it does not, the
    /// exchange is ended after the timeout for closing.
    pub fn answered(&mut self, now: Time, call: CallId) {
        if let Some(id) = self.by_call.remove(&call) {
            self.lingering.insert((now + self.close_timeout, id));
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
            let request = self.template.delete(&session, self.revision);
            let id = self.start(Kind::Delete, self.session_epoch, request);
            self.lingering.insert((now + self.close_timeout, id));
        }
        // What is still on its way gets the same time.
        let until = now + self.close_timeout;
        self.lingering.extend(self.open.keys().map(|id| (until, *id)));
    }

    /// The head of a response came.
    pub fn head(&mut self, _now: Time, id: ExchangeId, head: &Parts) {
        let Some(exchange) = self.open.get_mut(&id) else { return };
        exchange.response = Response::of(head, &self.limits);
        let (kind, epoch) = (exchange.kind, exchange.epoch);
        let is_success = head.status.is_success();
        if exchange.in_session && head.status == http::StatusCode::NOT_FOUND && epoch == self.session_epoch {
            return self.lost(id, kind);
        }
        match kind {
            Kind::Post(Purpose::Initialize(_)) if is_success => self.begin_session(epoch, head),
            Kind::Post(Purpose::Initialize(_) | Purpose::Call(_)) => {}
            Kind::Post(purpose) => {
                let authenticate = head.headers.get(http::header::WWW_AUTHENTICATE);
                let authenticate = authenticate.and_then(|value| value.to_str().ok()).map(Box::from);
                let outcome = if is_success {
                    Ok(())
                } else {
                    Err(failure(head.status.as_u16(), authenticate))
                };
                self.ignore(id);
                self.emit(Output::Delivered { purpose, outcome });
            }
            Kind::Listen if !matches!(self.response_of(id), Some(Response::Events { .. })) => {
                // 405 is the regular way to say that there is none; nothing else is worth another attempt.
                self.listen.refused();
                self.ignore(id);
            }
            Kind::Listen => {}
            Kind::Delete => self.ignore(id),
        }
    }

    /// A part of the body of a response came.
    pub fn body(&mut self, _now: Time, id: ExchangeId, chunk: &Bytes) {
        let Some(exchange) = self.open.get_mut(&id) else { return };
        let call = exchange.kind.call();
        let fits = match &mut exchange.response {
            Response::Awaited | Response::Ignored => true,
            Response::Json { body, .. } => append(body, chunk, self.limits.body_bytes),
            Response::Failure { body, is_json, .. } => {
                *is_json &= append(body, chunk, self.limits.error_body_bytes);
                true
            }
            Response::Events { decoder, .. } => {
                decoder.push(chunk);
                return self.read_events(id);
            }
        };
        if !fits {
            self.unreadable(id, call, "the response is too large");
        }
    }

    /// The response is complete.
    pub fn end(&mut self, now: Time, id: ExchangeId) {
        let Some(exchange) = self.take(id) else { return };
        match (exchange.kind, exchange.response) {
            (Kind::Listen, _) => self.listen.ended(now),
            (kind, Response::Json { status, body }) => {
                if !body.is_empty() {
                    self.emit_text(id, body.freeze(), status);
                }
                self.fail_call(kind, Failure::Disconnected);
            }
            (
                kind,
                Response::Failure {
                    status,
                    authenticate,
                    body,
                    is_json,
                },
            ) => {
                self.end_failure(kind, status, authenticate, body, is_json);
            }
            (kind, Response::Awaited | Response::Events { .. }) => self.fail_call(kind, Failure::Disconnected),
            (_, Response::Ignored) => {}
        }
    }

    /// The exchange failed on the transport.
    pub fn failed(&mut self, now: Time, id: ExchangeId, error: ExchangeError) {
        let Some(exchange) = self.take(id) else { return };
        let failure = match error {
            ExchangeError::Unreachable(why) => Failure::Unreachable(why),
            ExchangeError::Broken(_) => Failure::Disconnected,
        };
        match exchange.kind {
            Kind::Listen => self.listen.ended(now),
            Kind::Post(Purpose::Call(_) | Purpose::Initialize(_)) => self.fail_call(exchange.kind, failure),
            Kind::Post(purpose) if !matches!(exchange.response, Response::Ignored) => {
                self.emit(Output::Delivered {
                    purpose,
                    outcome: Err(failure),
                });
            }
            Kind::Post(_) | Kind::Delete => {}
        }
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Time) {
        if self.listen.is_due(now) {
            let last = self.listen.last_event_id();
            let request = self.template.get(self.session.as_ref(), self.revision, last);
            let id = self.start(Kind::Listen, self.session_epoch, request);
            self.listen.opened(id);
        }
        while let Some(&(until, id)) = self.lingering.first()
            && until <= now
        {
            self.lingering.pop_first();
            self.abort_exchange(id);
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        let lingering = self.lingering.first().map(|(until, _)| *until);
        [lingering, self.listen.poll_timeout()].into_iter().flatten().min()
    }

    /// What the driver has to do.
    #[must_use]
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// What the responses hold.
    #[must_use]
    pub fn poll_output(&mut self) -> Option<Output> {
        let output = self.outputs.pop_front()?;
        if let Output::Text { text, .. } = &output {
            self.output_bytes = self.output_bytes.saturating_sub(text.len());
        }
        Some(output)
    }

    fn start(&mut self, kind: Kind, epoch: u64, request: Request<Bytes>) -> ExchangeId {
        let id = ExchangeId(self.next);
        self.next += 1;
        let in_session = request.headers().contains_key(MCP_SESSION_ID);
        self.open.insert(
            id,
            Exchange {
                kind,
                epoch,
                in_session,
                response: Response::Awaited,
            },
        );
        if let Some(call) = kind.call() {
            self.by_call.insert(call, id);
        }
        self.actions.push_back(Action::Open { id, request });
        id
    }

    /// Forgets an exchange that is over.
    fn take(&mut self, id: ExchangeId) -> Option<Exchange> {
        let exchange = self.open.remove(&id)?;
        if let Some(call) = exchange.kind.call()
            && self.by_call.get(&call) == Some(&id)
        {
            self.by_call.remove(&call);
        }
        self.lingering.retain(|(_, other)| *other != id);
        Some(exchange)
    }

    fn abort_exchange(&mut self, id: ExchangeId) {
        if self.take(id).is_none() {
            return;
        }
        let queued = self
            .actions
            .iter()
            .position(|action| matches!(action, Action::Open { id: other, .. } if *other == id));
        match queued {
            // Never opened: there is nothing to end.
            Some(at) => {
                self.actions.remove(at);
            }
            None => self.actions.push_back(Action::Abort(id)),
        }
    }

    fn begin_session(&mut self, epoch: u64, head: &Parts) {
        self.session_epoch = epoch;
        self.session = head.headers.get(MCP_SESSION_ID).and_then(SessionId::read);
    }

    fn stop_listening(&mut self) {
        if let Some(id) = self.listen.stop() {
            self.abort_exchange(id);
        }
    }

    /// The server does not know the session.
    fn lost(&mut self, id: ExchangeId, kind: Kind) {
        self.ignore(id);
        match kind {
            Kind::Post(Purpose::Call(call)) => {
                self.by_call.remove(&call);
                self.emit(Output::Failed {
                    call,
                    failure: Failure::SessionLost,
                });
            }
            Kind::Post(purpose) => self.emit(Output::Delivered {
                purpose,
                outcome: Err(Failure::SessionLost),
            }),
            Kind::Listen => self.listen.refused(),
            Kind::Delete => {}
        }
    }

    fn ignore(&mut self, id: ExchangeId) {
        if let Some(exchange) = self.open.get_mut(&id) {
            exchange.response = Response::Ignored;
        }
    }

    fn response_of(&self, id: ExchangeId) -> Option<&Response> {
        self.open.get(&id).map(|exchange| &exchange.response)
    }

    /// Reports the events that are complete.
    fn read_events(&mut self, id: ExchangeId) {
        loop {
            let Some(exchange) = self.open.get_mut(&id) else { return };
            let (kind, call) = (exchange.kind, exchange.kind.call());
            let Response::Events { status, decoder } = &mut exchange.response else {
                return;
            };
            let status = *status;
            match decoder.poll_event() {
                None => return,
                Some(Ok(event)) => self.read_event(id, kind, status, &event),
                // The answer may have been in there: the call must not wait for what cannot come.
                Some(Err(error)) => self.unreadable(id, call, &alloc::format!("{error}")),
            }
        }
    }

    fn read_event(&mut self, id: ExchangeId, kind: Kind, status: u16, event: &SseEvent) {
        if kind == Kind::Listen {
            self.listen.progressed(event.id.as_deref(), event.retry);
        }
        if let Some(text) = event.message() {
            self.emit_text(id, text.clone(), status);
        }
    }

    fn unreadable(&mut self, id: ExchangeId, call: Option<CallId>, why: &str) {
        if let Some(call) = call {
            self.emit(Output::Failed {
                call,
                failure: Failure::Unreadable(why.into()),
            });
        }
        self.abort_exchange(id);
    }

    /// The body of a failure is complete: it may hold the JSON-RPC error that was meant.
    fn end_failure(&mut self, kind: Kind, status: u16, authenticate: Option<Box<str>>, body: BytesMut, is_json: bool) {
        let Some(call) = kind.call() else { return };
        let error = if is_json { self.error_in(body.freeze()) } else { None };
        match error {
            Some(error) if !matches!(status, 401 | 403) => self.emit(Output::Rejected { call, error, status }),
            _ => self.emit(Output::Failed {
                call,
                failure: failure(status, authenticate),
            }),
        }
    }

    fn error_in(&self, body: Bytes) -> Option<ErrorObject> {
        match parse(body, &self.limits) {
            Ok(Incoming::Single(Message::Response(response))) => response.outcome.err(),
            _ => None,
        }
    }

    fn fail_call(&mut self, kind: Kind, failure: Failure) {
        if let Some(call) = kind.call() {
            self.emit(Output::Failed { call, failure });
        }
    }

    fn emit_text(&mut self, exchange: ExchangeId, text: Bytes, status: u16) {
        self.output_bytes += text.len();
        self.emit(Output::Text { exchange, text, status });
    }

    fn emit(&mut self, output: Output) {
        self.outputs.push_back(output);
    }
}
