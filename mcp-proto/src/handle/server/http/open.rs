//! From an admitted request to its exchange: which era, which session, which handler.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::Bytes;
use http::request::Parts;
use http::{Response, StatusCode};

use super::endpoint::Inner;
use super::errand::{Errand, Task};
use super::exchange::{Exchange, Kind};
use super::line::{Line, Member};
use super::lock;
use super::session::{HttpSession, Taken};
use crate::handle::server::{Call, Peer};
use crate::http::server::{
    Accepts, Head, Posted, Refusal, Reply, Route, SessionId, SessionPolicy, error_response, stateless_status,
};
use crate::jsonrpc::{
    Batch, ErrorCode, ErrorObject, Facts, Id, Incoming, InvalidMessage, Message, ParseError, Request as RawRequest,
    encode_error,
};
use crate::legacy;
use crate::method::Method;
use crate::modern::server::unsupported;
use crate::revision::Revision;
use crate::server::{Admitted, Request, Session, admit_seen};
use crate::time::Time;

/// One opening, with what all steps need.
struct Opening<'a> {
    inner: &'a Arc<Inner>,
    now: Time,
    head: Head<'a>,
}

pub(super) fn open(
    inner: &Arc<Inner>,
    now: Time,
    route: Route,
    parts: &Parts,
    body: Bytes,
    random: impl FnOnce() -> [u8; 32],
) -> Exchange {
    let refuse = |refusal: &Refusal| answered(inner, refusal.answer(refusal.id()));
    let head = match inner.check_open().and_then(|()| Head::read(parts)) {
        Ok(head) => head,
        Err(refusal) => return refuse(&refusal),
    };
    let accepts = head.accepts;
    let opening = Opening { inner, now, head };
    let outcome = match route {
        Route::Post(_) => match Posted::read(&opening.head, body, inner.server.config().limits()) {
            Ok(Posted::Stateless(message)) => opening.stateless(message, accepts),
            Ok(Posted::Legacy(incoming)) => opening.legacy(incoming, accepts, random),
            Err(refusal) => Err((None, refusal)),
        },
        Route::Get => opening.stream().map_err(|refusal| (None, refusal)),
        Route::Delete => opening.delete().map_err(|refusal| (None, refusal)),
    };
    outcome.unwrap_or_else(|(id, refusal)| answered(inner, refusal.answer(id.as_ref().or(refusal.id()))))
}

/// A refusal, with the id of the request it refuses.
type Refused = (Option<Id>, Refusal);

impl Opening<'_> {
    /// A message of the modern era: served from nothing but itself.
    fn stateless(&self, message: Message, accepts: Accepts) -> Result<Exchange, Refused> {
        let request = match message {
            Message::Request(request) => request,
            // 2026-07-28 defines no notification from client to server over HTTP; one is taken, and means nothing.
            Message::Notification(_) => return Ok(self.accepted()),
            Message::Response(_) => {
                return Err((
                    None,
                    Refusal::NotAllowedHere("a client sends no responses in this protocol version"),
                ));
            }
        };
        let params = request.params.clone();
        let facts = Facts::of(params.as_ref());
        let seen = facts.seen.as_ref().ok();
        let named = seen.and_then(|(_, meta)| meta.protocol_version.as_deref());
        let refuse = |refusal| (Some(request.id.clone()), refusal);
        self.head.check_version(named).map_err(refuse)?;
        let peek = seen.map(|(peek, _)| peek);
        let tools = |tool: &str| self.inner.server.param_headers(tool);
        let mirrored = self.head.check_mirrored(&request.method, peek, tools).map_err(refuse);
        // A version, a method or a `_meta` that is wrong counts before headers that do not fit it.
        let admitted = match admit_seen(self.inner.server.config(), request, &facts) {
            Ok(admitted) => admitted,
            Err(refused) => {
                let status = stateless_status(refused.error.code).unwrap_or(StatusCode::BAD_REQUEST);
                return Ok(answered(
                    self.inner,
                    error_response(status, Some(&refused.id), &refused.error),
                ));
            }
        };
        mirrored?;
        let mut reply = self.reply(accepts);
        match admitted {
            Admitted::Request(request) => Ok(self.serve(reply, None, None, request)),
            Admitted::Answered(message) => {
                reply.respond(StatusCode::OK, message);
                Ok(Exchange::new(self.inner, Kind::Answered(Box::new(reply)), None))
            }
            Admitted::Listen(subscription) => {
                let id = Some(subscription.id().clone());
                if !accepts.sse {
                    return Err((id, Refusal::NotAcceptable));
                }
                let subscriber = self
                    .inner
                    .subscribers
                    .open(subscription, self.head.principal, reply)
                    .map_err(|refusal| (id, refusal))?;
                Ok(Exchange::new(self.inner, Kind::Subscription(subscriber), None))
            }
        }
    }

    /// A message of the legacy era.
    fn legacy(
        &self,
        incoming: Incoming,
        accepts: Accepts,
        random: impl FnOnce() -> [u8; 32],
    ) -> Result<Exchange, Refused> {
        let id = match &incoming {
            Incoming::Single(Message::Request(request)) => Some(request.id.clone()),
            _ => None,
        };
        let initialize = match &incoming {
            Incoming::Single(Message::Request(request)) => request.method.known() == Some(Method::Initialize),
            _ => false,
        };
        let outcome = if !self.inner.revisions().iter().any(|revision| revision.has_initialize()) {
            Ok(self.only_modern(id.as_ref()))
        } else if self.inner.config.sessions == SessionPolicy::Stateless {
            self.throwaway(incoming, accepts, initialize)
        } else if initialize && self.head.session.is_none() {
            self.initialize(incoming, accepts, random)
        } else {
            self.in_session(incoming, accepts)
        };
        outcome.map_err(|refusal| (id, refusal))
    }

    /// A legacy client at a server without legacy revisions: it is told which there are
    /// (2026-07-28, Versioning, Backward Compatibility: SHOULD).
    fn only_modern(&self, id: Option<&Id>) -> Exchange {
        let mut error = unsupported(self.inner.revisions(), self.head.version.unwrap_or_default());
        if self.head.version.is_none() {
            // The header is what is missing (2026-07-28, Streamable HTTP, Protocol Version Header: MUST).
            error.code = ErrorCode::HEADER_MISMATCH;
        }
        answered(self.inner, error_response(StatusCode::BAD_REQUEST, id, &error))
    }

    /// The beginning of a session.
    fn initialize(
        &self,
        incoming: Incoming,
        accepts: Accepts,
        random: impl FnOnce() -> [u8; 32],
    ) -> Result<Exchange, Refusal> {
        let principal = self.head.principal;
        lock(&self.inner.sessions).may_create(principal)?;
        let server = &self.inner.server;
        let session = HttpSession::new(server.clone(), Session::new(server.config()));
        let mut reply = self.reply(accepts);
        if let Incoming::Single(message) = incoming
            && let Taken::Reply(answer) = session.receive(self.now, message)
        {
            reply.respond(StatusCode::OK, answer);
        }
        if session.revision().is_some() {
            let id = SessionId::from_random(random());
            let is_first = {
                let mut sessions = lock(&self.inner.sessions);
                self.inner.check_open()?;
                sessions.create(self.now, id, principal, Arc::new(session))?;
                sessions.leave(self.now, &id);
                sessions.len() == 1
            };
            if is_first {
                self.inner.upkeep.call();
            }
            reply.set_session(id);
        }
        Ok(Exchange::new(self.inner, Kind::Answered(Box::new(reply)), None))
    }

    /// Something in a session.
    fn in_session(&self, incoming: Incoming, accepts: Accepts) -> Result<Exchange, Refusal> {
        let id = self.session_id()?;
        let session = lock(&self.inner.sessions).enter(&id, self.head.principal)?.clone();
        let outcome = self
            .head
            .legacy_revision(session.revision(), self.inner.revisions())
            .and_then(|revision| self.take(incoming, accepts, revision, &session, Some(id)));
        if outcome.is_err() {
            lock(&self.inner.sessions).leave(self.now, &id);
        }
        outcome
    }

    /// Something without sessions: a session is made for it alone.
    fn throwaway(&self, incoming: Incoming, accepts: Accepts, initialize: bool) -> Result<Exchange, Refusal> {
        let config = self.inner.server.config();
        let revision = self.head.legacy_revision(None, self.inner.revisions())?;
        let machine = if initialize {
            Session::new(config)
        } else {
            Session::operating(config, revision)
        };
        let session = Arc::new(HttpSession::new(self.inner.server.clone(), machine));
        self.take(incoming, accepts, revision, &session, None)
    }

    fn take(
        &self,
        incoming: Incoming,
        accepts: Accepts,
        revision: Revision,
        session: &Arc<HttpSession>,
        entered: Option<SessionId>,
    ) -> Result<Exchange, Refusal> {
        match incoming {
            Incoming::Single(message) => Ok(self.single(message, accepts, session, entered)),
            Incoming::Batch(batch) if revision.allows_batches() => Ok(self.batch(batch, accepts, session, entered)),
            Incoming::Batch(_) => Err(Refusal::BatchNotAllowed),
        }
    }

    fn single(
        &self,
        message: Message,
        accepts: Accepts,
        session: &Arc<HttpSession>,
        entered: Option<SessionId>,
    ) -> Exchange {
        let is_request = matches!(message, Message::Request(_));
        let mut reply = self.reply(accepts);
        match session.receive(self.now, message) {
            Taken::Request(request) => return self.serve(reply, Some(session), entered, request),
            Taken::Reply(answer) => reply.respond(StatusCode::OK, answer),
            // The session has ended meanwhile.
            Taken::Nothing if is_request => reply.refuse(Refusal::SessionNotFound.into_response()),
            Taken::Nothing => reply.accepted(),
        }
        self.leave(entered);
        Exchange::new(self.inner, Kind::Answered(Box::new(reply)), None)
    }

    /// A batch (2025-03-26, Transports, Sending Messages, 3): the answers come together.
    fn batch(
        &self,
        batch: Batch,
        accepts: Accepts,
        session: &Arc<HttpSession>,
        entered: Option<SessionId>,
    ) -> Exchange {
        let messages: Vec<_> = batch.messages().collect();
        let requests = messages.iter().filter(|message| wants_answer(message)).count();
        let limits = self.inner.server.config().limits();
        let line = Arc::new(Line::new(
            Reply::batch(requests, accepts, &self.inner.config, limits),
            Some(session.clone()),
        ));
        if requests == 0 {
            line.with_reply(Reply::accepted);
        }
        let tasks = messages
            .into_iter()
            .filter_map(|message| self.member(message, &line, session))
            .collect();
        let errand = Errand::batch(line, tasks);
        let entered = if errand.is_done() {
            self.leave(entered);
            None
        } else {
            entered
        };
        Exchange::new(self.inner, Kind::Errand(errand), entered)
    }

    /// One message of a batch; its handler, where it needs one.
    fn member(
        &self,
        message: Result<Message, InvalidMessage>,
        line: &Arc<Line>,
        session: &Arc<HttpSession>,
    ) -> Option<Task> {
        let respond = |id: Option<&Id>, error: &ErrorObject| {
            line.with_reply(|reply| reply.respond(StatusCode::OK, encode_error(id, error)));
        };
        let message = match message {
            Ok(message) => message,
            Err(invalid) => {
                if !invalid.is_reply {
                    let id = invalid.id.clone();
                    respond(id.as_ref(), &ParseError::Invalid(invalid).to_error());
                }
                return None;
            }
        };
        let asks = match &message {
            Message::Request(RawRequest { method, id, .. }) if method.known() == Some(Method::Initialize) => {
                respond(Some(id), &legacy::server::Refusal::InitializeInBatch.to_error());
                return None;
            }
            Message::Request(_) => true,
            _ => false,
        };
        match session.receive(self.now, message) {
            Taken::Request(request) => {
                let member = Arc::new(Member::new(line.clone()));
                let key = request.token.key();
                let task = self.task(request, member.clone());
                if let Some(key) = key {
                    session.started(key, member);
                }
                return Some(task);
            }
            Taken::Reply(answer) => line.with_reply(|reply| reply.respond(StatusCode::OK, answer)),
            Taken::Nothing if asks => line.with_reply(Reply::skip),
            Taken::Nothing => {}
        }
        None
    }

    /// The exchange of a request that needs a handler.
    fn serve(
        &self,
        reply: Reply,
        session: Option<&Arc<HttpSession>>,
        entered: Option<SessionId>,
        request: Request,
    ) -> Exchange {
        let line = Arc::new(Line::new(reply, session.cloned()));
        let key = request.token.key();
        let task = self.task(request, line.clone());
        if let (Some(session), Some(key)) = (session, key) {
            session.started(key, line.clone());
        }
        Exchange::new(self.inner, Kind::Errand(Errand::new(line, Some(task))), entered)
    }

    fn task(&self, request: Request, peer: Arc<dyn Peer>) -> Task {
        let (token, call) = Call::of(request);
        Task::new(self.inner.server.serve(call, peer.clone()), token, peer)
    }

    /// The GET stream of a session.
    fn stream(&self) -> Result<Exchange, Refusal> {
        let id = self.session_id()?;
        let session = {
            let mut sessions = lock(&self.inner.sessions);
            let session = sessions.get(&id, self.head.principal).ok_or(Refusal::SessionNotFound)?;
            self.head.legacy_revision(session.revision(), self.inner.revisions())?;
            sessions.listen(&id, self.head.principal)?.clone()
        };
        session.listen(Reply::stream(&self.inner.config, self.inner.server.config().limits()));
        Ok(Exchange::new(self.inner, Kind::Stream(session), Some(id)))
    }

    /// The end of a session. 204: there is nothing to say about it.
    fn delete(&self) -> Result<Exchange, Refusal> {
        let id = self.session_id()?;
        let session = {
            let mut sessions = lock(&self.inner.sessions);
            let session = sessions.get(&id, self.head.principal).ok_or(Refusal::SessionNotFound)?;
            self.head.legacy_revision(session.revision(), self.inner.revisions())?;
            sessions.remove(&id, self.head.principal)?
        };
        session.end();
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::NO_CONTENT;
        Ok(answered(self.inner, response))
    }

    fn session_id(&self) -> Result<SessionId, Refusal> {
        let value = self.head.session.ok_or(Refusal::SessionRequired)?;
        SessionId::from_header(value).ok_or(Refusal::SessionNotFound)
    }

    fn leave(&self, entered: Option<SessionId>) {
        if let Some(id) = entered {
            lock(&self.inner.sessions).leave(self.now, &id);
        }
    }

    fn reply(&self, accepts: Accepts) -> Reply {
        Reply::new(accepts, &self.inner.config, self.inner.server.config().limits())
    }

    fn accepted(&self) -> Exchange {
        let mut reply = self.reply(Accepts::BOTH);
        reply.accepted();
        Exchange::new(self.inner, Kind::Answered(Box::new(reply)), None)
    }
}

/// Whether a message of a batch is owed an answer.
fn wants_answer(message: &Result<Message, InvalidMessage>) -> bool {
    match message {
        Ok(message) => matches!(message, Message::Request(_)),
        Err(invalid) => !invalid.is_reply,
    }
}

/// The exchange whose response is whole.
fn answered(inner: &Arc<Inner>, response: Response<Bytes>) -> Exchange {
    let mut reply = Reply::new(Accepts::BOTH, &inner.config, inner.server.config().limits());
    reply.refuse(response);
    Exchange::new(inner, Kind::Answered(Box::new(reply)), None)
}
