//! A small HTTP server made of the values of `mcp_proto::http::server`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response, StatusCode, response};
use mcp_proto::http::server::{
    Accepts, Gate, Head, HttpConfig, Posted, Refusal, Reply, Route, SessionId, Sessions, Visit,
};
use mcp_proto::jsonrpc::{ErrorCode, Id, Incoming, Message, Params, Peek, Request as RawRequest, encode_error};
use mcp_proto::method::{Method, MethodName};

use mcp_proto::rpc::SendError;
use mcp_proto::server::{Admitted, Received, Request as ServerRequest, ServerConfig, Session, admit};
use mcp_proto::{Era, Time};

use super::application::{Application, Desk, Said};
use crate::network::Rng;

/// A session of the legacy era, shared by its exchanges.
type Shared = Rc<RefCell<Session>>;

/// A small HTTP server: the gate, the table of sessions, and one reply for each exchange.
///
/// It knows nothing of subscriptions and batches; everything else is answered as the specification says.
pub struct HttpServer {
    config: Arc<ServerConfig>,
    http: HttpConfig,
    gate: Gate,
    sessions: Sessions<Shared>,
    exchanges: BTreeMap<u64, Served>,
    desk: Desk,
    rng: Rng,
    handshakes: usize,
    drops_streams: bool,
}

struct Served {
    reply: Reply,
    session: Option<(Visit, Shared)>,
    listens: bool,
    /// Whether the client still reads.
    connected: bool,
    /// Whether the connection ends without an answer.
    broken: bool,
}

/// A part of a response.
#[derive(Debug)]
pub(super) enum Part {
    Head(Box<response::Parts>),
    Body(Bytes),
    End,
    /// The end of the connection, without an answer.
    Broken,
}

impl HttpServer {
    pub(super) fn new(config: ServerConfig, application: Application, rng: Rng) -> Self {
        // Without comments on silent streams: a stream that is open for ever would never be quiet.
        let http = HttpConfig::default().keep_alive(None);
        Self {
            gate: Gate::new(&http, config.limits(), config.serves(Era::Legacy)),
            sessions: Sessions::new(config.limits()),
            exchanges: BTreeMap::new(),
            desk: Desk::new(application),
            rng,
            handshakes: 0,
            drops_streams: false,
            http,
            config: Arc::new(config),
        }
    }

    /// The application.
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// How often `initialize` or `server/discover` was answered.
    pub fn handshakes(&self) -> usize {
        self.handshakes
    }

    /// From now on every stream for notifications ends as soon as it is open.
    pub fn drop_streams(&mut self) {
        self.drops_streams = true;
    }

    /// How many sessions there are.
    pub fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// How many exchanges are open.
    pub fn exchanges(&self) -> usize {
        self.exchanges.len()
    }

    /// Checks that what the sessions keep is what is worked on.
    pub(super) fn audit(&self) {
        let mut sessions: Vec<_> = self
            .exchanges
            .values()
            .filter_map(|served| served.session.as_ref())
            .collect();
        sessions.sort_by_key(|(_, session)| Rc::as_ptr(session));
        sessions.dedup_by_key(|(_, session)| Rc::as_ptr(session));
        let kept: usize = sessions
            .iter()
            .map(|(_, session)| session.borrow().kept().entries)
            .sum();
        // Two tables of requests.
        assert_eq!(kept, 2 * self.desk.keyed(), "{self:?}");
    }

    /// Forgets every session, and with it what is in progress there.
    pub fn forget_sessions(&mut self) {
        let sessions = self.sessions.clear();
        sessions.iter().for_each(|session| self.end_session(session));
    }

    /// Begins anew, as a process that knows nothing of the one before.
    pub(super) fn restart(&mut self) {
        drop(self.sessions.clear());
        self.exchanges.clear();
        self.desk.clear();
    }

    /// Sends a notification on the stream of every session that has one. To how many.
    ///
    /// # Errors
    /// Those of [`Session::notify`].
    pub fn notify(&mut self, method: &MethodName, params: &Params) -> Result<usize, SendError> {
        let mut reached = 0;
        for served in self.exchanges.values_mut().filter(|served| served.listens) {
            if let Some((_, session)) = &served.session {
                let message = session.borrow().notify(&self.config, method, params.clone())?;
                reached += usize::from(message.is_some_and(|message| served.reply.notify(message).is_ok()));
            }
        }
        Ok(reached)
    }

    /// A request has arrived whole.
    pub(super) fn receive(&mut self, now: Time, place: u64, request: Request<Bytes>) {
        let (parts, body) = request.into_parts();
        let reply = Reply::new(Accepts::BOTH, &self.http, self.config.limits());
        let served = Served {
            reply,
            session: None,
            listens: false,
            connected: true,
            broken: false,
        };
        self.exchanges.insert(place, served);
        if let Err((id, refusal)) = self.route(now, place, &parts, body) {
            self.reply(place).refuse(refusal.answer(id.as_ref().or(refusal.id())));
        }
    }

    /// The client has ended the exchange.
    ///
    /// 2026-07-28, Cancellation: that cancels the request. 2025-11-25, Transports, Sending Messages, 6: it SHOULD
    /// NOT be taken for a cancellation.
    pub(super) fn disconnected(&mut self, now: Time, place: u64) {
        let Some(served) = self.exchanges.get_mut(&place) else {
            return;
        };
        served.connected = false;
        if served.listens {
            served.reply.end();
        }
        if served.session.is_none() {
            self.desk.vacate(place);
            self.exchanges.remove(&place);
        }
        self.sweep(now);
    }

    /// Lets the application work.
    pub(super) fn work(&mut self, now: Time) -> bool {
        let Self {
            exchanges,
            config,
            desk,
            ..
        } = self;
        desk.work(now, |place, said| {
            let Some(served) = exchanges.get_mut(&place) else {
                return Ok(());
            };
            match said {
                Said::Message(token, message) => {
                    let is_wanted = match &served.session {
                        Some((_, session)) => session.borrow().is_in_progress(token),
                        None => true,
                    };
                    match is_wanted {
                        true => served.reply.notify(message).map_err(|blocked| blocked.0),
                        false => Ok(()),
                    }
                }
                Said::Answer(token, outcome) => {
                    let status = match (&served.session, &outcome) {
                        (None, Err(error)) => status_of(error.code),
                        _ => StatusCode::OK,
                    };
                    let message = match &served.session {
                        Some((_, session)) => session.borrow_mut().respond(config, token, outcome),
                        None => Some(token.into_response(config, outcome)),
                    };
                    match message {
                        Some(message) => served.reply.respond(status, message),
                        None => served.reply.end(),
                    }
                    Ok(())
                }
            }
        })
    }

    /// The next part of a response to a client that still reads.
    pub(super) fn poll_part(&mut self, now: Time) -> Option<(u64, Part)> {
        let mut found = None;
        for (place, served) in &mut self.exchanges {
            if !served.connected {
                while served.reply.poll_head(now).is_some() || served.reply.poll_body(now).is_some() {}
                continue;
            }
            if served.broken {
                found = Some((*place, Part::Broken));
                break;
            }
            let part = match served.reply.poll_head(now) {
                Some(head) => Some(Part::Head(Box::new(head))),
                None => served.reply.poll_body(now).map(Part::Body),
            };
            let part = part.or_else(|| served.reply.is_finished().then_some(Part::End));
            if let Some(part) = part {
                found = Some((*place, part));
                break;
            }
        }
        if let Some((place, Part::End | Part::Broken)) = &found {
            self.leave(now, *place);
        }
        self.sweep(now);
        found
    }

    /// When something happens without anybody doing anything, but for sessions that are idle.
    pub(super) fn next_time(&self) -> Option<Time> {
        let replies = self.exchanges.values().filter_map(|served| served.reply.poll_timeout());
        self.desk.next_time().into_iter().chain(replies).min()
    }

    /// Time has passed.
    pub(super) fn handle_timeout(&mut self, now: Time) {
        let ended = self.sessions.handle_timeout(now);
        ended.iter().for_each(|session| self.end_session(session));
    }

    fn route(&mut self, now: Time, place: u64, parts: &Parts, body: Bytes) -> Result<(), (Option<Id>, Refusal)> {
        let plain = |refusal| (None, refusal);
        let route = self.gate.check(parts).map_err(plain)?;
        let head = Head::read(parts).map_err(plain)?;
        match route {
            Route::Post(accepts) => {
                *self.reply(place) = Reply::new(accepts, &self.http, self.config.limits());
                match Posted::read(&head, body, self.config.limits()).map_err(plain)? {
                    Posted::Stateless(message) => self.stateless(now, place, &head, message),
                    Posted::Legacy(Incoming::Single(message)) => self.legacy(now, place, &head, message),
                    Posted::Legacy(Incoming::Batch(_)) => Err(plain(Refusal::BatchNotAllowed)),
                }
            }
            Route::Get => self.listen(place, &head).map_err(plain),
            Route::Delete => {
                let id = session_id(&head).map_err(plain)?;
                let session = self.sessions.remove(&id, head.principal).map_err(plain)?;
                self.end_session(&session);
                let mut response = Response::new(Bytes::new());
                *response.status_mut() = StatusCode::NO_CONTENT;
                self.reply(place).refuse(response);
                Ok(())
            }
            _ => Err(plain(Refusal::MethodNotAllowed { allow: "POST" })),
        }
    }

    fn stateless(
        &mut self,
        now: Time,
        place: u64,
        head: &Head<'_>,
        message: Message,
    ) -> Result<(), (Option<Id>, Refusal)> {
        let request = match message {
            Message::Request(request) => request,
            Message::Notification(_) => {
                self.reply(place).accepted();
                return Ok(());
            }
            Message::Response(_) => return Err((None, Refusal::NotAllowedHere("no responses in this version"))),
        };
        check_head(head, &request).map_err(|refusal| (Some(request.id.clone()), refusal))?;
        match admit(&self.config, request) {
            Ok(Admitted::Request(request)) => self.desk.receive(now, place, request),
            Ok(Admitted::Answered(answer)) => {
                self.handshakes += 1;
                self.reply(place).respond(StatusCode::OK, answer);
            }
            Ok(Admitted::Listen(_)) => panic!("this server has no subscriptions"),
            Err(refused) => {
                let answer = encode_error(Some(&refused.id), &refused.error);
                self.reply(place).respond(status_of(refused.error.code), answer);
            }
        }
        Ok(())
    }

    fn legacy(
        &mut self,
        now: Time,
        place: u64,
        head: &Head<'_>,
        message: Message,
    ) -> Result<(), (Option<Id>, Refusal)> {
        let id = match &message {
            Message::Request(request) => Some(request.id.clone()),
            _ => None,
        };
        let refuse = |refusal| (id.clone(), refusal);
        let is_initialize =
            matches!(&message, Message::Request(request) if request.method.known() == Some(Method::Initialize));
        if is_initialize && head.session.is_none() {
            return self.initialize(now, place, head, message).map_err(refuse);
        }
        let id = session_id(head).map_err(refuse)?;
        let (visit, session) = self.sessions.enter(&id, head.principal).map_err(refuse)?;
        let session = session.clone();
        self.served(place).session = Some((visit, session.clone()));
        let agreed = session.borrow().revision();
        if let Err(refusal) = head.legacy_revision(agreed, self.config.revisions()) {
            return Err(refuse(refusal));
        }
        let received = session.borrow_mut().receive(&self.config, now, message);
        self.received(now, place, received);
        Ok(())
    }

    fn initialize(&mut self, now: Time, place: u64, head: &Head<'_>, message: Message) -> Result<(), Refusal> {
        self.sessions.may_create(head.principal)?;
        let mut session = Session::new(&self.config);
        let received = session.receive(&self.config, now, message);
        if session.revision().is_some() {
            let mut random = [0; 32];
            random.iter_mut().for_each(|byte| *byte = self.rng.bits() as u8);
            let (id, session) = (SessionId::from_random(random), Rc::new(RefCell::new(session)));
            let visit = self.sessions.create(now, id, head.principal, session.clone())?;
            self.served(place).session = Some((visit, session));
            self.reply(place).set_session(id);
            self.handshakes += 1;
        }
        self.received(now, place, received);
        Ok(())
    }

    fn received(&mut self, now: Time, place: u64, received: Received) {
        match received {
            Received::Request(request) => self.serve(now, place, request),
            Received::Reply(answer) => self.reply(place).respond(StatusCode::OK, answer),
            Received::Cancelled { key, .. } => {
                // Nothing but the session counts what its requests keep.
                drop(self.desk.cancel(key));
                self.reply(place).accepted();
            }
            _ => self.reply(place).accepted(),
        }
    }

    fn serve(&mut self, now: Time, place: u64, request: ServerRequest) {
        self.desk.receive(now, place, request);
    }

    fn listen(&mut self, place: u64, head: &Head<'_>) -> Result<(), Refusal> {
        let id = session_id(head)?;
        let (visit, session) = self.sessions.listen(&id, head.principal)?;
        let session = session.clone();
        let stream = Reply::stream(&self.http, self.config.limits());
        let served = self.served(place);
        served.reply = stream;
        served.session = Some((visit, session));
        served.listens = true;
        if self.drops_streams {
            self.reply(place).end();
        }
        Ok(())
    }

    /// Nothing in a session that has ended is answered any more. What was worked on gets no 404: that would say that it
    /// was not.
    fn end_session(&mut self, session: &Shared) {
        let is_in = |served: &Served| {
            served
                .session
                .as_ref()
                .is_some_and(|(_, other)| Rc::ptr_eq(other, session))
        };
        for (place, served) in self.exchanges.iter_mut().filter(|(_, served)| is_in(served)) {
            served.reply.end();
            served.broken = !served.reply.is_ended();
            self.desk.vacate(*place);
        }
        drop(session.borrow_mut().close());
    }

    /// Forgets exchanges whose client has gone, once they are answered.
    fn sweep(&mut self, now: Time) {
        let over = |served: &Served| {
            !served.connected && (served.reply.is_finished() || served.reply.is_ended() || served.broken)
        };
        let places: Vec<_> = self
            .exchanges
            .iter()
            .filter(|(_, served)| over(served))
            .map(|(place, _)| *place)
            .collect();
        places.into_iter().for_each(|place| self.leave(now, place));
    }

    fn leave(&mut self, now: Time, place: u64) {
        let Some(served) = self.exchanges.remove(&place) else {
            return;
        };
        match served.session {
            Some((visit, _)) => self.sessions.leave(now, visit),
            None => {}
        }
    }

    fn served(&mut self, place: u64) -> &mut Served {
        self.exchanges.get_mut(&place).expect("the exchange is open")
    }

    fn reply(&mut self, place: u64) -> &mut Reply {
        &mut self.served(place).reply
    }
}

/// The headers that mirror the body (2026-07-28, Streamable HTTP, Server Validation).
fn check_head(head: &Head<'_>, request: &RawRequest) -> Result<(), Refusal> {
    let peek = request.params.as_ref().and_then(|params| Peek::of(params).ok());
    let meta = peek.as_ref().and_then(|peek| peek.meta().ok());
    head.check_version(meta.as_ref().and_then(|meta| meta.protocol_version.as_deref()))?;
    head.check_mirrored(&request.method, peek.as_ref(), |_| None)
}

fn session_id(head: &Head<'_>) -> Result<SessionId, Refusal> {
    let value = head.session.ok_or(Refusal::SessionRequired)?;
    SessionId::from_header(value).ok_or(Refusal::SessionNotFound)
}

/// The status of an error of the modern era (2026-07-28, Streamable HTTP, Sending Messages, Error Handling).
fn status_of(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::METHOD_NOT_FOUND => StatusCode::NOT_FOUND,
        ErrorCode::UNSUPPORTED_PROTOCOL_VERSION
        | ErrorCode::HEADER_MISMATCH
        | ErrorCode::MISSING_REQUIRED_CLIENT_CAPABILITY => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    }
}

impl fmt::Debug for HttpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpServer")
            .field("sessions", &self.sessions)
            .field("exchanges", &self.exchanges.len())
            .field("desk", &self.desk)
            .finish_non_exhaustive()
    }
}
