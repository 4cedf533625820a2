//! A server over HTTP, whole.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;
use http::request::Parts;
use http::response;

use super::alarms::Alarms;
use super::event::{Asked, AskedKey, AskedToken, Asker, AskingId, ExchangeId, HttpEvent, Sender, SessionKey};
use super::exchange::{Answer, Exchange, Frame, HangUp};
use super::opening::{Member, Opening, Taken};
use super::rules::Rules;
use super::served::{Answering, Reading, Served};
use super::session::{Happening, HttpSession};
use crate::http::server::{Abandoned, Admission, BodyBudget, BodyRoom, Gate, HttpConfig, Refusal, Sessions};
use crate::http::server::{Subscriptions, Visit};
use crate::jsonrpc::{ErrorObject, Params};
use crate::method::MethodName;
use crate::revision::Era;
use crate::rpc::{CallError, CallOptions, CloseReason, Kept, SendError};
use crate::server::{Announcement, ResultBody, ServerConfig};
use crate::time::Time;
use crate::wire::header::ParamHeaders;

/// A server over Streamable HTTP, in both eras at once, for a single owner: the partner of
/// [`HttpClient`](crate::client::HttpClient).
///
/// A driver has an HTTP library, or sockets, or a simulation. It says what comes, for each request:
/// 1. [`receive`](Self::receive) with the head and the whole body; or [`receive_head`](Self::receive_head), then, while
///    [`wants_body`](Self::wants_body), [`receive_body`](Self::receive_body) for each piece and
///    [`receive_end`](Self::receive_end). What is known of the [`Sender`] comes with the head.
/// 2. It takes [`poll_head`](Self::poll_head) and then [`poll_frame`](Self::poll_frame) until [`Frame::End`], with which
///    the exchange is forgotten. [`poll_ready`](Self::poll_ready) says which exchanges have something new.
/// 3. [`disconnect`](Self::disconnect) when the client hangs up before that.
///
/// The application takes [`poll_event`](Self::poll_event) and answers each request with its token.
///
/// | exchange | a body is read | `respond` | `send_for` | `disconnect` | polled |
/// |---|---|---|---|---|---|
/// | reading | a piece; with the end it is opened | | | forgotten | nothing |
/// | answering | ignored | the answer | a notification, or back | modern: cancelled; in a session: runs on | head and frames |
/// | listening, subscribed | ignored | | | forgotten | head and frames |
/// | forgotten | ignored | nothing is sent | dropped | nothing | nothing |
///
/// What a request, a session and a subscription do is theirs: see [`Exchange`], [`HttpSession`](super::HttpSession) and
/// [`Subscriber`](super::Subscriber), of which a threaded driver is made, which has a lock for each instead.
///
/// Its methods are of four kinds.
/// - Getters.
/// - The world tells it: [`receive`](Self::receive), [`receive_head`](Self::receive_head),
///   [`receive_body`](Self::receive_body), [`receive_end`](Self::receive_end), [`fail_body`](Self::fail_body),
///   [`disconnect`](Self::disconnect), [`handle_timeout`](Self::handle_timeout).
/// - The application tells it: [`respond`](Self::respond), [`send_for`](Self::send_for), [`request`](Self::request),
///   [`cancel`](Self::cancel), [`notify`](Self::notify), [`drain`](Self::drain), [`close`](Self::close). They take no
///   time; what they say is queued.
/// - It tells the world: [`poll_ready`](Self::poll_ready), [`poll_head`](Self::poll_head),
///   [`poll_frame`](Self::poll_frame), [`poll_event`](Self::poll_event), [`poll_timeout`](Self::poll_timeout). They
///   never block, and run dry.
///
/// Any method may be called in any state, in any order, with any handle.
///
/// ```
/// use bytes::Bytes;
/// use mcp_proto::Time;
/// use mcp_proto::http::server::HttpConfig;
/// use mcp_proto::model::{CallToolResult, Implementation, ServerCapabilities, ToolsCapability};
/// use mcp_proto::server::http::{Frame, HttpEvent, HttpServer, Sender};
/// use mcp_proto::server::{ResultBody, ServerConfig};
///
/// let tools = ServerCapabilities { tools: Some(ToolsCapability::default()), ..ServerCapabilities::default() };
/// let config = ServerConfig::new(Implementation::new("greeter", "1.0.0")).with_capabilities(tools);
/// let mut server = HttpServer::new(config, HttpConfig::default());
///
/// let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"greet","_meta":{
///     "io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#;
/// let (head, body) = http::Request::post("/mcp")
///     .header("Host", "localhost")
///     .header("Content-Type", "application/json")
///     .header("Accept", "application/json, text/event-stream")
///     .header("MCP-Protocol-Version", "2026-07-28")
///     .header("Mcp-Method", "tools/call")
///     .header("Mcp-Name", "greet")
///     .body(Bytes::from(body))?
///     .into_parts();
///
/// let now = Time::ORIGIN; // the driver's clock
/// let random = || [7; 32]; // bytes of a secure source, asked for where a session begins
/// let exchange = server.receive(now, head, body, Sender::new(), random);
///
/// while let Some(event) = server.poll_event() {
///     if let HttpEvent::Request(asked) = event {
///         assert_eq!(asked.name(), Some("greet"));
///         server.respond(asked.token, Ok(ResultBody::from_serialize(&CallToolResult::text("hello"))?));
///     }
/// }
/// assert_eq!(server.poll_ready(), Some(exchange));
/// assert_eq!(server.poll_head(now, exchange).unwrap().status, 200);
/// let Some(Frame::Data(body)) = server.poll_frame(now, exchange) else { panic!() };
/// assert!(std::str::from_utf8(&body)?.contains(r#""text":"hello""#));
/// assert_eq!(server.poll_frame(now, exchange), Some(Frame::End));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct HttpServer {
    config: Arc<ServerConfig>,
    http: Arc<HttpConfig>,
    gate: Gate,
    /// The parameters of tools that callers mirror into headers.
    tools: BTreeMap<Box<str>, ParamHeaders>,
    exchanges: BTreeMap<ExchangeId, Served>,
    next_exchange: u64,
    table: Sessions<Member<SessionKey>>,
    sessions: BTreeMap<SessionKey, Room>,
    next_session: u64,
    subscriptions: Subscriptions<ExchangeId>,
    abandoned: Abandoned<ExchangeId>,
    budget: Arc<BodyBudget>,
    /// Our requests that wait for an answer, and the exchanges they went out on.
    asking: BTreeMap<AskingId, ExchangeId>,
    events: VecDeque<HttpEvent>,
    /// The exchanges that have something new to take.
    ready: BTreeSet<ExchangeId>,
    /// The visits of exchanges that ended while nobody said what time it is.
    leaving: Vec<Visit>,
    silent_streams: Alarms<ExchangeId>,
    waiting_sessions: Alarms<SessionKey>,
    closed: bool,
}

/// A session, and what an HTTP server has to know of it besides.
#[derive(Debug)]
struct Room {
    session: HttpSession<AskedKey>,
    /// How many exchanges belong to it: it is forgotten with the last one, once it has ended.
    exchanges: usize,
    /// The exchange of its GET stream.
    listener: Option<ExchangeId>,
    /// It was made for one exchange, and ends with it.
    is_throwaway: bool,
}

impl HttpServer {
    /// A server with no exchanges and no sessions.
    pub fn new(config: impl Into<Arc<ServerConfig>>, http: HttpConfig) -> Self {
        let config = config.into();
        let limits = config.limits();
        Self {
            gate: Gate::new(&http, limits, config.serves(Era::Legacy)),
            tools: BTreeMap::new(),
            exchanges: BTreeMap::new(),
            next_exchange: 0,
            table: Sessions::new(limits),
            sessions: BTreeMap::new(),
            next_session: 0,
            subscriptions: Subscriptions::new(limits),
            abandoned: Abandoned::new(limits, config.timeouts()),
            budget: Arc::new(BodyBudget::new(limits)),
            asking: BTreeMap::new(),
            events: VecDeque::new(),
            ready: BTreeSet::new(),
            leaving: Vec::new(),
            silent_streams: Alarms::new(),
            waiting_sessions: Alarms::new(),
            closed: false,
            http: Arc::new(http),
            config,
        }
    }

    /// The same, with a tool whose callers mirror parameters into headers (2026-07-28, Streamable HTTP, Schema
    /// Extension): a call is refused where the two differ.
    #[must_use]
    pub fn with_tool_headers(mut self, tool: impl Into<Box<str>>, headers: ParamHeaders) -> Self {
        self.tools.insert(tool.into(), headers);
        self
    }

    /// What the server says about itself.
    pub fn config(&self) -> &Arc<ServerConfig> {
        &self.config
    }

    /// How many exchanges are open, those included that run on after their clients have gone.
    pub fn open_exchanges(&self) -> usize {
        self.exchanges.len()
    }

    /// How many legacy sessions can be entered.
    pub fn sessions(&self) -> usize {
        self.table.len()
    }

    /// How many subscriptions are open.
    pub fn subscriptions(&self) -> usize {
        self.subscriptions.len()
    }

    /// Whether there is such an exchange, and its client still reads.
    pub fn is_open(&self, id: ExchangeId) -> bool {
        match self.exchanges.get(&id) {
            Some(Served::Answering(answering)) => answering.abandoned.is_none(),
            served => served.is_some(),
        }
    }

    /// Whether the body of this request is to be read on.
    pub fn wants_body(&self, id: ExchangeId) -> bool {
        matches!(self.exchanges.get(&id), Some(Served::Reading(_)))
    }

    /// How many bytes of the body of a response are left, where that is settled: for `Content-Length`, after the head.
    pub fn body_length(&self, id: ExchangeId) -> Option<usize> {
        match self.exchanges.get(&id)? {
            Served::Answering(answering) => answering.exchange.body_length(),
            _ => None,
        }
    }

    /// Whether the request of this token still wants an answer.
    pub fn is_in_progress(&self, token: &AskedToken) -> bool {
        match token.session {
            Some(key) => (self.sessions.get(&key)).is_some_and(|room| room.session.is_in_progress(&token.token)),
            None => self.exchanges.contains_key(&token.key.exchange),
        }
    }

    /// Whether another notification of this request would be taken.
    pub fn has_room(&self, token: &AskedToken) -> bool {
        match self.exchanges.get(&token.key.exchange) {
            Some(Served::Answering(answering)) => answering.exchange.has_room(),
            _ => true,
        }
    }

    /// Whether it is shut down, and everything is said: the driver is done.
    pub fn is_finished(&self) -> bool {
        self.closed && self.exchanges.is_empty() && self.events.is_empty()
    }

    /// How much is kept at present. Sessions count until they end, idle ones too.
    pub fn kept(&self) -> Kept {
        let sessions = self.sessions.values().map(|room| room.session.kept());
        let entries = [
            self.exchanges.len(),
            self.table.len(),
            self.sessions.len(),
            self.subscriptions.len(),
            self.abandoned.len(),
            self.asking.len(),
            self.events.len(),
            self.leaving.len(),
        ];
        let own = Kept::new(entries.iter().sum(), self.budget.reading() + self.subscriptions.bytes());
        sessions.fold(own, |all, session| all + session)
    }

    /// A request has come whole. `random` is asked where a session begins, and gives bytes of a cryptographically secure
    /// source.
    pub fn receive(
        &mut self,
        now: Time,
        head: Parts,
        body: Bytes,
        sender: Sender,
        random: impl FnOnce() -> [u8; 32],
    ) -> ExchangeId {
        let id = self.next_id();
        match self.admit(head, sender) {
            Ok((admission, asker)) => {
                // It is here: what is left to be counted is whether it is too large.
                match admission.body_limit().is_some_and(|limit| body.len() > limit) {
                    false => self.open(now, id, &admission, asker, body, random),
                    true => self.refuse(id, &Refusal::TooLarge),
                }
            }
            Err(refusal) => self.refuse(id, &refusal),
        }
        id
    }

    /// The head of a request has come. Where its body matters, it is read next ([`wants_body`](Self::wants_body));
    /// anything else is opened at once.
    pub fn receive_head(&mut self, now: Time, head: Parts, sender: Sender) -> ExchangeId {
        let id = self.next_id();
        match self.admit(head, sender) {
            Ok((admission, asker)) => match admission.body_limit() {
                Some(limit) => {
                    let reading = Reading {
                        room: BodyRoom::new(&self.budget, limit),
                        admission,
                        asker,
                        body: bytes::BytesMut::new(),
                    };
                    self.exchanges.insert(id, Served::Reading(Box::new(reading)));
                }
                // Nothing but a POST begins a session.
                None => self.open(now, id, &admission, asker, Bytes::new(), || [0; 32]),
            },
            Err(refusal) => self.refuse(id, &refusal),
        }
        id
    }

    /// A piece of the body of a request has come. Where there is no room for it the request is refused, and the rest need
    /// not be read.
    pub fn receive_body(&mut self, id: ExchangeId, bytes: &[u8]) {
        if let Some(Served::Reading(reading)) = self.exchanges.get_mut(&id)
            && let Err(refusal) = reading.take(bytes)
        {
            self.refuse(id, &refusal);
        }
    }

    /// The body of a request is complete. `random` is asked where a session begins, and gives bytes of a
    /// cryptographically secure source.
    pub fn receive_end(&mut self, now: Time, id: ExchangeId, random: impl FnOnce() -> [u8; 32]) {
        if !self.wants_body(id) {
            return;
        }
        if let Some(Served::Reading(reading)) = self.exchanges.remove(&id) {
            let Reading {
                admission, asker, body, ..
            } = *reading;
            self.open(now, id, &admission, asker, body.freeze(), random);
        }
    }

    /// The body of a request will not be complete: [`Refusal::Incomplete`], or [`Refusal::TimedOut`] where it has taken
    /// longer than the driver allows, to a client that may still read.
    pub fn fail_body(&mut self, id: ExchangeId, refusal: &Refusal) {
        if self.wants_body(id) {
            self.refuse(id, refusal);
        }
    }

    /// The client has hung up. In the modern era that cancels its request (2026-07-28, Streamable HTTP, Cancellation);
    /// in a session of the legacy era the request runs on (2025-11-25, Transports, Sending Messages, 6), within
    /// [`Limits::abandoned_requests`](crate::Limits::abandoned_requests).
    pub fn disconnect(&mut self, now: Time, id: ExchangeId) {
        let Some(Served::Answering(answering)) = self.exchanges.get_mut(&id) else {
            return self.forget(now, id);
        };
        if answering.abandoned.is_some() {
            return;
        }
        match answering.exchange.hang_up() {
            HangUp::Nothing => self.forget(now, id),
            HangUp::Cancelled => {
                self.cancel_all(id);
                self.forget(now, id);
            }
            HangUp::RunOn => {
                let (key, oldest) = self.abandoned.insert(now, id);
                answering.abandoned = Some(key);
                if let Some(oldest) = oldest {
                    self.give_up(now, oldest);
                }
            }
        }
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Time) {
        self.settle_visits(now);
        while let Some(id) = self.abandoned.handle_timeout(now) {
            self.give_up(now, id);
        }
        for member in self.table.handle_timeout(now) {
            self.end_session(member.session);
        }
        while let Some(key) = self.waiting_sessions.take(now) {
            self.expire_requests(now, key);
        }
        while let Some(id) = self.silent_streams.take(now) {
            self.ready.insert(id);
        }
    }

    /// Answers a request. Nothing is sent where nobody wants the answer any more.
    pub fn respond(&mut self, token: AskedToken, outcome: Result<ResultBody, ErrorObject>) {
        let AskedToken { key, session, token } = token;
        let answer = match session {
            None => Answer::alone(&self.config, token, outcome),
            Some(session) => match self.sessions.get_mut(&session) {
                Some(room) if room.session.is_in_progress(&token) => room.session.respond(&self.config, token, outcome),
                _ => return,
            },
        };
        if let Some(answering) = self.answering(key.exchange) {
            answering.requests.remove(&key.number);
            answering.exchange.answer(answer);
            self.answered(key.exchange);
        }
        if let Some(session) = session {
            self.after(session);
        }
    }

    /// Sends a notification that belongs to a request: one of [`RequestContext`](crate::server::RequestContext). It is
    /// dropped where nobody wants an answer any more, or the client takes no stream.
    ///
    /// # Errors
    /// The message, while the client does not read.
    pub fn send_for(&mut self, token: &AskedToken, message: Vec<u8>) -> Result<(), Vec<u8>> {
        if !self.is_in_progress(token) {
            return Ok(());
        }
        let Some(answering) = self.answering(token.key.exchange) else {
            return Ok(());
        };
        answering.exchange.notify(message).map_err(|blocked| blocked.0)?;
        self.ready.insert(token.key.exchange);
        Ok(())
    }

    /// Makes a request of the client that has made this one (legacy era), on its stream. Its deadline starts with the
    /// next [`handle_timeout`](Self::handle_timeout), which [`poll_timeout`](Self::poll_timeout) asks for at once.
    ///
    /// # Errors
    /// [`SendError::OutOfEra`] in the modern era; [`SendError::Closed`] where the request is over, or its client has
    /// gone or takes no stream; [`SendError::Blocked`] with the parameters while the client does not read; and those of
    /// [`Session::request`](crate::server::Session::request).
    pub fn request(
        &mut self,
        token: &AskedToken,
        method: impl Into<MethodName>,
        params: Params,
        options: &CallOptions,
    ) -> Result<AskingId, SendError> {
        let (method, revision) = (method.into(), token.revision());
        let Some(session) = token.session else {
            return Err(SendError::OutOfEra { method, revision });
        };
        let gone = || SendError::Closed(CloseReason::Peer);
        if !self.is_in_progress(token) {
            return Err(gone());
        }
        let Some(Served::Answering(answering)) = self.exchanges.get_mut(&token.key.exchange) else {
            return Err(gone());
        };
        if !answering.exchange.can_request() {
            return Err(gone());
        }
        if !answering.exchange.has_room() {
            return Err(SendError::Blocked(params));
        }
        let room = self.sessions.get_mut(&session).ok_or_else(gone)?;
        let (call, message) = room.session.request(&self.config, &method, params, options)?;
        // There is room, and the client can be reached: both were asked for.
        let _ = answering.exchange.request(message);
        let id = AskingId { session, call };
        self.asking.insert(id, token.key.exchange);
        self.ready.insert(token.key.exchange);
        self.watch(session);
        Ok(id)
    }

    /// Stops waiting for a request of ours, and tells the client. One that is settled is ignored.
    pub fn cancel(&mut self, request: AskingId, reason: Option<&str>) {
        let Some(exchange) = self.asking.remove(&request) else {
            return;
        };
        let room = self.sessions.get_mut(&request.session);
        let message = room.and_then(|room| room.session.cancel(request.call, reason));
        self.tell(exchange, message);
        self.watch(request.session);
    }

    /// Tells every client of something that concerns them all: in the legacy era on the GET stream of each session, in
    /// the modern era on each subscription that asked for it. A client that does not read hears of it later, and of the
    /// same thing once.
    ///
    /// # Errors
    /// Those of [`Announcement::new`].
    pub fn notify(&mut self, method: impl Into<MethodName>, params: Params) -> Result<(), SendError> {
        let announcement = Announcement::new(&self.config, method, params)?;
        for member in self.table.iter() {
            if let Some(room) = self.sessions.get_mut(&member.session)
                && room.session.notify(&self.config, &announcement)
            {
                self.ready.extend(room.listener);
            }
        }
        for id in self.subscriptions.iter() {
            if let Some(Served::Subscribed(_, subscriber)) = self.exchanges.get_mut(id)
                && subscriber.notify(&announcement)
            {
                self.ready.insert(*id);
            }
        }
        Ok(())
    }

    /// Begins to shut down: refuses new requests, and ends every subscription, and every session that has no request in
    /// progress. Requests in progress are answered; a session ends with its last one.
    pub fn drain(&mut self) {
        self.closed = true;
        for id in self.subscriptions.close() {
            if let Some(Served::Subscribed(_, subscriber)) = self.exchanges.get_mut(&id) {
                subscriber.close(&self.config);
                self.ready.insert(id);
            }
        }
        for member in self.table.close() {
            if let Some(room) = self.sessions.get_mut(&member.session) {
                room.session.drain();
            }
            self.after(member.session);
        }
    }

    /// Shuts down: refuses new requests, and ends every subscription and every session, with the requests in progress
    /// there, which get no answer. Requests of the modern era that are in progress are answered.
    pub fn close(&mut self) {
        self.drain();
        let sessions: Vec<SessionKey> = self.sessions.keys().copied().collect();
        for key in sessions {
            self.end_session(key);
        }
    }

    /// The next exchange that has something new to take: a head, a frame, or its end. Those that were not taken from
    /// are not named again until there is more.
    #[must_use]
    pub fn poll_ready(&mut self) -> Option<ExchangeId> {
        self.ready.pop_first()
    }

    /// The head of a response, once.
    #[must_use]
    pub fn poll_head(&mut self, now: Time, id: ExchangeId) -> Option<response::Parts> {
        self.settle_visits(now);
        let head = self.polled(id)?.poll_head(now);
        self.watch_stream(id);
        head
    }

    /// What is ready of the body of a response, after the head. With [`Frame::End`] the exchange is forgotten.
    #[must_use]
    pub fn poll_frame(&mut self, now: Time, id: ExchangeId) -> Option<Frame> {
        self.settle_visits(now);
        let frame = self.polled(id)?.poll_frame(now);
        match frame {
            Some(Frame::End) => self.forget(now, id),
            _ => self.watch_stream(id),
        }
        frame
    }

    /// What the application should know.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<HttpEvent> {
        self.events.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        let parts = [
            self.table.poll_timeout(),
            self.abandoned.poll_timeout(),
            self.waiting_sessions.first(),
            self.silent_streams.first(),
        ];
        parts.into_iter().flatten().min()
    }

    fn next_id(&mut self) -> ExchangeId {
        let id = ExchangeId(self.next_exchange);
        self.next_exchange += 1;
        id
    }

    fn next_session(&mut self) -> SessionKey {
        let key = SessionKey(self.next_session);
        self.next_session += 1;
        key
    }

    fn admit(&self, mut head: Parts, sender: Sender) -> Result<(Admission, Asker), Refusal> {
        self.rules().check_open()?;
        // Each request that waits for the application holds its body.
        if self.events.len() >= self.config.limits().requests_in_progress {
            return Err(Refusal::Overloaded);
        }
        if let Some(principal) = &sender.principal {
            head.extensions.insert(principal.clone());
        }
        Ok((self.gate.admit(&head)?, Asker { head, sender }))
    }

    fn rules(&self) -> Rules<'_> {
        Rules::new(&self.config, &self.http, self.closed)
    }

    fn refuse(&mut self, id: ExchangeId, refusal: &Refusal) {
        let exchange = Exchange::refused(self.rules(), None, refusal);
        self.serve(id, Served::done(exchange));
    }

    fn serve(&mut self, id: ExchangeId, served: Served) {
        self.exchanges.insert(id, served);
        self.ready.insert(id);
    }

    /// From a request to its exchange; the steps of [`Opening`], by one owner.
    fn open(
        &mut self,
        now: Time,
        id: ExchangeId,
        admission: &Admission,
        asker: Asker,
        body: Bytes,
        random: impl FnOnce() -> [u8; 32],
    ) {
        let (config, http) = (self.config.clone(), self.http.clone());
        let rules = Rules::new(&config, &http, self.closed);
        let tools = |tool: &str| self.tools.get(tool);
        let asker = Arc::new(asker);
        let served = match Opening::of(rules, admission, &asker.head, body, tools) {
            Opening::Done(exchange) => Ok(Served::done(exchange)),
            Opening::Request(exchange, request) => {
                let mut answering = Answering::alone(exchange);
                self.ask(id, &mut answering, None, request, &asker);
                Ok(Served::Answering(Box::new(answering)))
            }
            Opening::Subscribe(subscribing) => {
                let mut opened = None;
                let entered = subscribing.enter(rules, &mut self.subscriptions, |subscriber| {
                    opened = Some(Box::new(subscriber));
                    id
                });
                entered.and_then(|(key, _)| match opened {
                    Some(subscriber) => Ok(Served::Subscribed(key, subscriber)),
                    None => Err(Exchange::refused(rules, None, &Refusal::Busy)),
                })
            }
            Opening::Begin(beginning) => beginning.check(rules, &self.table).map(|beginning| {
                let (key, before) = (self.next_session(), self.table.len());
                let keep = |session| {
                    self.sessions.insert(key, Room::new(session, false));
                    key
                };
                let begun = beginning.negotiate(rules, now, random);
                let exchange = begun.finish(rules, now, &mut self.table, keep);
                if self.table.len() == before {
                    self.sessions.remove(&key);
                }
                Served::done(exchange)
            }),
            Opening::Enter(entering) => entering.enter(rules, now, &mut self.table).map(|(visit, key)| {
                let Some(room) = self.sessions.get_mut(&key) else {
                    self.table.leave(now, visit);
                    return Served::done(Exchange::refused(rules, None, &Refusal::SessionNotFound));
                };
                let taken = entering.take(rules, now, &mut room.session);
                self.taken(id, key, Some(visit), taken, &asker)
            }),
            Opening::Throwaway(throwaway) => {
                let (session, taken) = throwaway.take(rules, now);
                let key = self.next_session();
                self.sessions.insert(key, Room::new(session, true));
                Ok(self.taken(id, key, None, taken, &asker))
            }
            Opening::Listen(listening) => listening.enter(rules, &mut self.table).map(|(visit, key)| {
                if let Some(room) = self.sessions.get_mut(&key) {
                    room.session.listen(rules);
                    room.listener = Some(id);
                    room.exchanges += 1;
                }
                Served::Listening(key, visit)
            }),
            Opening::Delete(deleting) => deleting.remove(rules, &mut self.table).map(|(key, exchange)| {
                self.end_session(key);
                Served::done(exchange)
            }),
        };
        let served = served.unwrap_or_else(Served::done);
        let session = match &served {
            Served::Answering(answering) => answering.session,
            _ => None,
        };
        self.serve(id, served);
        if let Some(key) = session {
            self.after(key);
        }
    }

    /// An exchange of a session, which has taken its messages.
    fn taken(
        &mut self,
        id: ExchangeId,
        key: SessionKey,
        visit: Option<Visit>,
        taken: Taken<AskedKey>,
        asker: &Arc<Asker>,
    ) -> Served {
        let mut answering = Answering {
            session: Some(key),
            visit,
            ..Answering::alone(taken.exchange)
        };
        if let Some(room) = self.sessions.get_mut(&key) {
            room.exchanges += 1;
        }
        for request in taken.request.into_iter().chain(taken.more) {
            self.ask(id, &mut answering, Some(key), request, asker);
        }
        for happening in taken.happened {
            self.happened(key, happening, asker);
        }
        if answering.exchange.is_answered() {
            self.leaving.extend(answering.visit.take());
        }
        Served::Answering(Box::new(answering))
    }

    /// Hands a request to the application.
    fn ask(
        &mut self,
        id: ExchangeId,
        answering: &mut Answering,
        session: Option<SessionKey>,
        request: crate::server::Request,
        asker: &Arc<Asker>,
    ) {
        let number = answering.requests.len() as u32;
        let key = AskedKey { exchange: id, number };
        let in_session = request.token.key();
        answering.requests.insert(number, in_session);
        if let (Some(session), Some(running)) = (session, in_session)
            && let Some(room) = self.sessions.get_mut(&session)
            && room.session.started(running, key).is_err()
        {
            // Cancelled by a later message of the same batch: nobody hears of it.
            answering.requests.remove(&number);
            answering.exchange.skip();
            return;
        }
        let asked = Asked::new(request, key, session, asker.clone());
        self.events.push_back(HttpEvent::Request(asked));
    }

    fn happened(&mut self, session: SessionKey, happening: Happening<AskedKey>, asker: &Arc<Asker>) {
        match happening {
            Happening::Notification(notification) => self.events.push_back(HttpEvent::Notification {
                session,
                notification,
                from: asker.clone(),
            }),
            Happening::Cancelled { request, reason, .. } => {
                if let Some(request) = request {
                    self.cancelled(request, reason);
                }
            }
            Happening::Answered { call, outcome } => {
                let request = AskingId { session, call };
                self.asking.remove(&request);
                self.events.push_back(HttpEvent::Answered { request, outcome });
                self.watch(session);
            }
            Happening::Progress { call, params } => {
                let request = AskingId { session, call };
                self.events.push_back(HttpEvent::Progress { request, params });
                self.watch(session);
            }
            Happening::Opened => self.events.push_back(HttpEvent::Opened(session)),
        }
    }

    /// A request gets no answer; its exchange goes on without it.
    fn cancelled(&mut self, request: AskedKey, reason: Option<Box<str>>) {
        if let Some(answering) = self.answering(request.exchange)
            && answering.requests.remove(&request.number).is_some()
        {
            answering.exchange.skip();
            self.answered(request.exchange);
            self.events.push_back(HttpEvent::Cancelled { request, reason });
        }
    }

    /// An exchange has one request less that waits for an answer.
    fn answered(&mut self, id: ExchangeId) {
        self.ready.insert(id);
        let Some(answering) = self.answering(id) else { return };
        if !answering.exchange.is_answered() {
            return;
        }
        let (visit, gone) = (answering.visit.take(), answering.abandoned);
        self.leaving.extend(visit);
        if let Some(gone) = gone {
            self.abandoned.remove(gone);
            self.remove(id);
        }
    }

    /// None of the requests of an exchange is answered any more.
    fn cancel_all(&mut self, id: ExchangeId) {
        let Some(answering) = self.answering(id) else { return };
        let (requests, session) = (core::mem::take(&mut answering.requests), answering.session);
        for (number, running) in requests {
            if let Some(room) = session.and_then(|key| self.sessions.get_mut(&key)) {
                running.into_iter().for_each(|running| room.session.forget(running));
            }
            let request = AskedKey { exchange: id, number };
            let reason = None;
            self.events.push_back(HttpEvent::Cancelled { request, reason });
        }
        if let Some(key) = session {
            self.after(key);
        }
    }

    /// Gives up requests whose client has gone.
    fn give_up(&mut self, now: Time, id: ExchangeId) {
        self.cancel_all(id);
        self.forget(now, id);
    }

    /// An exchange is over.
    fn forget(&mut self, now: Time, id: ExchangeId) {
        self.remove(id);
        self.settle_visits(now);
    }

    fn remove(&mut self, id: ExchangeId) {
        self.ready.remove(&id);
        self.silent_streams.set(id, None);
        match self.exchanges.remove(&id) {
            Some(Served::Answering(answering)) => {
                self.leaving.extend(answering.visit);
                if let Some(key) = answering.session {
                    self.left(key);
                }
            }
            Some(Served::Listening(key, visit)) => {
                self.leaving.push(visit);
                if let Some(room) = self.sessions.get_mut(&key) {
                    room.session.unlisten();
                    room.listener = None;
                }
                self.left(key);
            }
            Some(Served::Subscribed(key, _)) => {
                self.subscriptions.remove(key);
            }
            Some(Served::Reading(_)) | None => {}
        }
    }

    /// A session has one exchange less.
    fn left(&mut self, key: SessionKey) {
        let Some(room) = self.sessions.get_mut(&key) else {
            return;
        };
        room.exchanges = room.exchanges.saturating_sub(1);
        if room.is_throwaway && room.exchanges == 0 {
            room.session.end();
        }
        self.after(key);
    }

    fn end_session(&mut self, key: SessionKey) {
        if let Some(room) = self.sessions.get_mut(&key) {
            room.session.end();
        }
        self.after(key);
    }

    /// What has ended with a session is told, once it has.
    fn after(&mut self, key: SessionKey) {
        let Some(room) = self.sessions.get_mut(&key) else {
            return;
        };
        if let Some(end) = room.session.poll_end() {
            self.ready.extend(room.listener);
            let is_throwaway = room.is_throwaway;
            for request in end.requests {
                self.cancelled(request, None);
            }
            for call in end.calls {
                let request = AskingId { session: key, call };
                self.asking.remove(&request);
                let outcome = Err(CallError::Closed(CloseReason::Local));
                self.events.push_back(HttpEvent::Answered { request, outcome });
            }
            if !is_throwaway {
                self.events.push_back(HttpEvent::Ended(key));
            }
        }
        self.sweep(key);
    }

    /// Forgets a session that is over, once no exchange belongs to it.
    fn sweep(&mut self, key: SessionKey) {
        let is_over = |room: &Room| room.exchanges == 0 && room.session.has_ended();
        if self.sessions.get(&key).is_some_and(is_over) {
            self.sessions.remove(&key);
            self.waiting_sessions.set(key, None);
        }
    }

    /// Our requests in a session whose time is over.
    fn expire_requests(&mut self, now: Time, session: SessionKey) {
        while let Some(room) = self.sessions.get_mut(&session)
            && let Some((call, error, cancellation)) = room.session.handle_timeout(now)
        {
            let request = AskingId { session, call };
            if let Some(exchange) = self.asking.remove(&request) {
                self.tell(exchange, cancellation);
            }
            let outcome = Err(error);
            self.events.push_back(HttpEvent::Answered { request, outcome });
        }
        self.watch(session);
    }

    /// Sends a cancellation on an exchange. Where there is no room, the client learns it from its late answer being
    /// ignored.
    fn tell(&mut self, exchange: ExchangeId, message: Option<Vec<u8>>) {
        if let (Some(message), Some(answering)) = (message, self.answering(exchange)) {
            let _ = answering.exchange.notify(message);
            self.ready.insert(exchange);
        }
    }

    /// Sets the alarm of a session, which waits for answers of its client.
    fn watch(&mut self, key: SessionKey) {
        let due = self.sessions.get(&key).and_then(|room| room.session.poll_timeout());
        self.waiting_sessions.set(key, due);
    }

    /// Sets the alarm of a stream, which must not be silent for too long.
    fn watch_stream(&mut self, id: ExchangeId) {
        let due = self.polled(id).and_then(|exchange| exchange.poll_timeout());
        self.silent_streams.set(id, due);
    }

    fn settle_visits(&mut self, now: Time) {
        for visit in self.leaving.drain(..) {
            self.table.leave(now, visit);
        }
    }

    fn answering(&mut self, id: ExchangeId) -> Option<&mut Answering> {
        match self.exchanges.get_mut(&id) {
            Some(Served::Answering(answering)) => Some(answering),
            _ => None,
        }
    }

    /// What is polled of an exchange whose client still reads.
    fn polled(&mut self, id: ExchangeId) -> Option<&mut Exchange> {
        match self.exchanges.get_mut(&id)? {
            Served::Answering(answering) => match answering.abandoned {
                None => Some(&mut answering.exchange),
                Some(_) => None,
            },
            Served::Subscribed(_, subscriber) => Some(subscriber.stream()),
            Served::Listening(key, _) => self.sessions.get_mut(key)?.session.stream(),
            Served::Reading(_) => None,
        }
    }
}

impl Room {
    fn new(session: HttpSession<AskedKey>, is_throwaway: bool) -> Self {
        Self {
            session,
            exchanges: 0,
            listener: None,
            is_throwaway,
        }
    }
}

impl fmt::Debug for HttpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpServer")
            .field("exchanges", &self.exchanges.len())
            .field("sessions", &self.table)
            .field("subscriptions", &self.subscriptions)
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
