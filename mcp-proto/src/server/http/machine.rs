//! A server over HTTP, whole.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use http::response;

use super::alarms::Alarms;
use super::event::{ExchangeId, HttpCallId, HttpEvent, HttpRequestToken, HttpSessionKey};
use super::exchange::{Exchange, Frame, HttpAnswer};
use super::rooms::Rooms;
use super::rules::Rules;
use super::served::{Answering, Served};
use super::site::Site;
use super::steps::Member;
use crate::http::server::{
    Abandoned, Bodies, BodyKey, HttpConfig, Page, Refusal, Replay, SessionTable, Subscriptions, Visit,
};
use crate::jsonrpc::{ErrorObject, Params};
use crate::method::MethodName;
use crate::rpc::{Kept, SendError};
use crate::server::{Announcement, ResultBody, ServerConfig};
use crate::time::Time;
use crate::wire::header::ParamHeaders;

mod arrivals;
mod calls;
mod ends;

/// A server over Streamable HTTP, in both eras at once, for a single owner: the partner of
/// [`HttpClient`](crate::client::HttpClient).
///
/// A driver has an HTTP library, or sockets, or a simulation. It says what comes, for each request:
/// 1. [`receive`](Self::receive) with the head and the whole body; or [`receive_head`](Self::receive_head), then, while
///    [`wants_body`](Self::wants_body), [`receive_body`](Self::receive_body) for each piece and
///    [`receive_end`](Self::receive_end). What is known of the [`Sender`](super::Sender) comes with the head.
/// 2. It takes [`poll_head`](Self::poll_head) and then [`poll_frame`](Self::poll_frame) until [`Frame::End`], with which
///    the exchange is forgotten. [`poll_ready`](Self::poll_ready) says which exchanges have something new.
/// 3. [`disconnect`](Self::disconnect) when the client hangs up before that.
///
/// The application takes [`poll_event`](Self::poll_event) and answers each request with its token.
///
/// | exchange | a body is read | `respond` | `send_for` | `disconnect` | polled | why |
/// |---|---|---|---|---|---|---|
/// | reading | a piece; with the end it is opened | | | forgotten | nothing | nothing is in progress yet |
/// | answering | ignored | the answer | a notification, or back | modern: cancelled; in a session: runs on; streams: forgotten | head and frames | what hanging up means is the revision's to say |
/// | forgotten | ignored | nothing is sent | dropped | nothing | nothing | tokens and ids outlive what they name |
///
/// What a request and a session do is theirs: see [`Exchange`] and [`HttpSession`](super::HttpSession), of which a threaded
/// driver is made, which has a lock for each instead.
///
/// Its methods are of four kinds.
/// - Getters.
/// - The world tells it: [`receive`](Self::receive), [`receive_head`](Self::receive_head),
///   [`receive_body`](Self::receive_body), [`receive_end`](Self::receive_end), [`fail_body`](Self::fail_body),
///   [`disconnect`](Self::disconnect), [`handle_timeout`](Self::handle_timeout).
/// - The application tells it: [`respond`](Self::respond), [`send_for`](Self::send_for), [`call`](Self::call),
///   [`cancel`](Self::cancel), [`close_stream`](Self::close_stream), [`notify`](Self::notify), [`end_sessions`](Self::end_sessions), [`drain`](Self::drain),
///   [`close`](Self::close). They take no time; what they say is queued.
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
/// let tools = ServerCapabilities::default().with_tools(ToolsCapability::default());
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
    site: Arc<Site>,
    /// The parameters of tools that callers mirror into headers.
    tools: BTreeMap<Box<str>, ParamHeaders>,
    exchanges: BTreeMap<ExchangeId, Served>,
    next_exchange: u64,
    /// The large bodies that are being read, and the exchanges they are of.
    bodies: Bodies,
    large: BTreeMap<BodyKey, ExchangeId>,
    table: SessionTable<Member<HttpSessionKey>>,
    rooms: Rooms,
    subscriptions: Subscriptions<ExchangeId>,
    abandoned: Abandoned<ExchangeId>,
    /// Our calls that wait for a reply, and the exchanges they went out on.
    calls: BTreeMap<HttpCallId, ExchangeId>,
    events: VecDeque<HttpEvent>,
    /// The exchanges that have something new to take.
    ready: BTreeSet<ExchangeId>,
    /// The visits of exchanges that ended while nobody said what time it is.
    leaving: Vec<Visit>,
    silent_streams: Alarms<ExchangeId>,
    /// The events of streams that can be resumed.
    replay: Replay,
}

impl HttpServer {
    /// A server with no exchanges and no sessions.
    pub fn new(config: impl Into<Arc<ServerConfig>>, http: HttpConfig) -> Self {
        let config = config.into();
        let limits = config.limits();
        let keep = http
            .resumption
            .as_ref()
            .map_or_else(Default::default, |resumption| resumption.keep);
        let replay = Replay::new(limits, keep);
        Self {
            site: Arc::new(Site::new(&config, http)),
            tools: BTreeMap::new(),
            exchanges: BTreeMap::new(),
            next_exchange: 0,
            bodies: Bodies::of_requests(limits),
            large: BTreeMap::new(),
            table: SessionTable::new(limits),
            rooms: Rooms::new(),
            subscriptions: Subscriptions::new(limits),
            abandoned: Abandoned::new(limits, config.timeouts()),
            calls: BTreeMap::new(),
            events: VecDeque::new(),
            ready: BTreeSet::new(),
            leaving: Vec::new(),
            silent_streams: Alarms::new(),
            replay,
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
            Served::Reading(_) | Served::Resumed(_) => None,
        }
    }

    /// Whether the request of this token still wants an answer.
    pub fn is_in_progress(&self, token: &HttpRequestToken) -> bool {
        match token.session {
            Some(key) => (self.rooms.get(key)).is_some_and(|room| room.session.is_in_progress(&token.token)),
            // Nothing but its exchange knows of it: it is in progress for as long as that is there.
            None => self.exchanges.contains_key(&token.key.exchange),
        }
    }

    /// Whether another notification of this request would be taken.
    pub fn has_room(&self, token: &HttpRequestToken) -> bool {
        match self.exchanges.get(&token.key.exchange) {
            Some(Served::Answering(answering)) => answering.exchange.has_room(),
            _ => true,
        }
    }

    /// Whether it is shut down, and everything is said: the driver is done.
    pub fn is_finished(&self) -> bool {
        // Events too: with some the application learns that a handler is to stop.
        self.site.is_closed() && self.exchanges.is_empty() && self.events.is_empty()
    }

    /// How much is kept at present. Sessions count until they end, idle ones too.
    pub fn kept(&self) -> Kept {
        let entries = [
            self.exchanges.len(),
            self.table.len(),
            self.subscriptions.len(),
            self.abandoned.len(),
            self.calls.len(),
            self.events.len(),
            self.leaving.len(),
        ];
        let bytes = self.site.budget().reading() + self.bodies.bytes() + self.subscriptions.bytes();
        self.rooms.kept() + self.replay.kept() + Kept::new(entries.iter().sum(), bytes)
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Time) {
        self.settle_visits(now);
        while let Some(id) = self.abandoned.handle_timeout(now) {
            self.give_up(now, id);
        }
        // The visits are settled by now, or a session that was left would count as one in use.
        for member in self.table.handle_timeout(now) {
            self.end_session(member.session);
        }
        while let Some(key) = self.rooms.take_due(now) {
            self.expire_calls(now, key);
        }
        self.replay.handle_timeout(now);
        // Only named: the comment is written when its frame is polled.
        while let Some(id) = self.silent_streams.take(now) {
            self.ready.insert(id);
        }
    }

    /// Answers a request. Nothing is sent where nobody wants the answer any more.
    pub fn respond(&mut self, token: HttpRequestToken, outcome: Result<ResultBody, ErrorObject>) {
        let HttpRequestToken {
            key, session, token, ..
        } = token;
        // Told to the session first: only it knows whether the answer is still wanted.
        let answer = match session {
            None => HttpAnswer::alone(&self.config, token, outcome),
            Some(session) => match self.rooms.get_mut(session) {
                Some(room) if room.session.is_in_progress(&token) => room.session.respond(&self.config, token, outcome),
                // Cancelled, or its session has ended: its exchange was told then, and does not count it any more.
                _ => return,
            },
        };
        if let Some(answering) = self.answering(key.exchange) {
            answering.requests.remove(&key.number);
            answering.exchange.answer(answer);
            self.answered(key.exchange);
        }
        // Once the answer is in: with the last one a session that drains ends, and tells its exchanges.
        if let Some(session) = session {
            self.after(session);
        }
    }

    /// Sends a notification that belongs to a request: one of [`RequestContext`](crate::server::RequestContext). It is
    /// dropped where nobody wants an answer any more, or the client takes no stream.
    ///
    /// # Errors
    /// The message, while the client does not read.
    pub fn send_for(&mut self, token: &HttpRequestToken, message: Vec<u8>) -> Result<(), Vec<u8>> {
        if !self.is_in_progress(token) {
            return Ok(());
        }
        let Some(answering) = self.answering(token.key.exchange) else {
            return Ok(());
        };
        answering.exchange.notify(message).map_err(|blocked| blocked.0)?;
        self.mark(token.key.exchange);
        Ok(())
    }

    /// Ends the connection of a request and not its stream: the client is to come back for the answer (2025-11-25,
    /// Transports, Sending Messages, 6). `false` where it could not: its streams cannot be
    /// [resumed](crate::http::server::Resumption), or it is of another revision.
    pub fn close_stream(&mut self, token: &HttpRequestToken) -> bool {
        if !self.is_in_progress(token) {
            return false;
        }
        let answering = self.answering(token.key.exchange);
        let is_closed = answering.is_some_and(|answering| answering.exchange.close_stream());
        self.mark(token.key.exchange);
        is_closed
    }

    /// Tells every client of something that concerns them all: in the legacy era on the GET stream of each session, in
    /// the modern era on each subscription that asked for it. A client that does not read hears of it later, and of the
    /// same thing once.
    ///
    /// # Errors
    /// Those of [`Announcement::new`].
    pub fn notify(&mut self, method: impl Into<MethodName>, params: Params) -> Result<(), SendError> {
        let announcement = Announcement::new(&self.config, method, params)?;
        let (exchanges, ready) = (&mut self.exchanges, &mut self.ready);
        for member in self.table.iter() {
            let Some(room) = self.rooms.get_mut(member.session) else {
                continue;
            };
            let Some(mut message) = room.session.notify(&self.config, &announcement) else {
                continue;
            };
            // A client that reads none of its streams loses notifications, which only say that something changed.
            for id in room.session.streams() {
                let Some(Served::Answering(listener)) = exchanges.get_mut(id) else {
                    continue;
                };
                match listener.exchange.carry(message) {
                    Ok(()) => {
                        while let Some(recorded) = listener.exchange.poll_record() {
                            self.replay.append(recorded);
                        }
                        ready.insert(*id);
                        break;
                    }
                    Err(blocked) => message = blocked.0,
                }
            }
        }
        for id in self.subscriptions.iter() {
            if let Some(Served::Answering(subscriber)) = exchanges.get_mut(id)
                && subscriber.exchange.announce(&announcement).is_ok()
            {
                ready.insert(*id);
            }
        }
        Ok(())
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
        // Who hangs up or answers does not say the time; who polls does, and settles what they left.
        self.settle_visits(now);
        let head = self.read(id)?.poll_head(now)?;
        self.stream_opened(id);
        self.watch_stream(id);
        Some(head)
    }

    /// What is ready of the body of a response, after the head. With [`Frame::End`] the exchange is forgotten.
    #[must_use]
    pub fn poll_frame(&mut self, now: Time, id: ExchangeId) -> Option<Frame> {
        self.settle_visits(now);
        let Some(exchange) = self.read(id) else {
            let is_cut_off = self.is_cut_off(id);
            if is_cut_off {
                self.disconnect(now, id);
            }
            return is_cut_off.then_some(Frame::End);
        };
        let frame = exchange.poll_frame(now);
        match (&frame, exchange.is_left()) {
            // Its stream goes on without it.
            (Some(Frame::End), true) => self.disconnect(now, id),
            (Some(Frame::End), false) => self.forget(now, id),
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
            self.rooms.poll_timeout(),
            self.silent_streams.first(),
            self.replay.poll_timeout(),
        ];
        parts.into_iter().flatten().min()
    }

    fn rules(&self) -> Rules<'_> {
        self.site.rules(&self.config)
    }

    fn refuse(&mut self, id: ExchangeId, page: Option<&Page>, refusal: &Refusal) {
        let exchange = Exchange::refused(self.rules().shown(page), None, refusal);
        self.serve(id, Answering::alone(exchange));
    }

    fn serve(&mut self, id: ExchangeId, answering: Answering) {
        self.exchanges.insert(id, Served::Answering(Box::new(answering)));
        self.ready.insert(id);
    }

    fn settle_visits(&mut self, now: Time) {
        for visit in self.leaving.drain(..) {
            self.table.leave(now, visit);
        }
    }

    /// Sets the alarm of a stream, which must not be silent for too long.
    fn watch_stream(&mut self, id: ExchangeId) {
        let due = self.read(id).and_then(|exchange| exchange.poll_timeout());
        self.silent_streams.set(id, due);
    }

    fn answering(&mut self, id: ExchangeId) -> Option<&mut Answering> {
        match self.exchanges.get_mut(&id) {
            Some(Served::Answering(answering)) => Some(answering),
            _ => None,
        }
    }

    /// What this exchange reads, while nobody else does.
    fn read(&mut self, id: ExchangeId) -> Option<&mut Exchange> {
        let (of, reader) = match self.exchanges.get(&id)? {
            Served::Resumed(resumed) => (resumed.of, resumed.reader),
            Served::Answering(answering) if answering.abandoned.is_none() => (id, 0),
            _ => return None,
        };
        let exchange = &mut self.answering(of)?.exchange;
        (exchange.reader() == reader).then_some(exchange)
    }

    /// Whether another reads what this exchange has read, which is over with that.
    fn is_cut_off(&self, id: ExchangeId) -> bool {
        match self.exchanges.get(&id) {
            Some(Served::Answering(answering)) => answering.abandoned.is_none(),
            served => matches!(served, Some(Served::Resumed(_))),
        }
    }

    /// There is something new in an exchange: for who reads it, and to be kept.
    fn mark(&mut self, id: ExchangeId) {
        let mut reader = None;
        if let Some(Served::Answering(answering)) = self.exchanges.get_mut(&id) {
            reader = answering.reader;
            while let Some(recorded) = answering.exchange.poll_record() {
                self.replay.append(recorded);
            }
        }
        self.ready.insert(reader.unwrap_or(id));
    }

    /// The client learns of a stream, and from now on may resume it.
    fn stream_opened(&mut self, id: ExchangeId) {
        let Some(Served::Answering(answering)) = self.exchanges.get_mut(&id) else {
            return;
        };
        let Some(key) = answering.exchange.stream_key() else {
            return;
        };
        answering.stream = Some(key);
        if let Some(room) = answering.session.and_then(|session| self.rooms.get_mut(session)) {
            room.session.stream_opened(key, id);
        }
        while let Some(recorded) = answering.exchange.poll_record() {
            self.replay.append(recorded);
        }
    }

    /// Ends the stream of a subscription, or the GET stream of a session.
    fn end_stream(&mut self, id: ExchangeId) {
        let config = self.config.clone();
        if let Some(answering) = self.answering(id) {
            answering.exchange.end(&config);
            self.mark(id);
        }
    }
}

impl fmt::Debug for HttpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpServer")
            .field("exchanges", &self.exchanges.len())
            .field("sessions", &self.table)
            .field("subscriptions", &self.subscriptions)
            .field("closed", &self.site.is_closed())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
