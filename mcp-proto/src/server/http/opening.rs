//! From an admitted request to its exchange: which era, which session, which handler.

use alloc::vec::Vec;

use bytes::Bytes;
use http::request::Parts;
use http::{Response, StatusCode};

use super::exchange::{Exchange, Scope};
use super::rules::Rules;
use super::session::{Happening, HttpSession, Outcome};
use super::subscriber::Subscriber;
use crate::http::server::{
    Accepts, Admission, Head, Posted, Principal, Refusal, Route, SessionId, SessionPolicy, Sessions, SubscriptionKey,
    Subscriptions, Visit, error_response,
};
use crate::jsonrpc::{Batch, ErrorCode, Facts, Id, Incoming, InvalidMessage, Message, ParseError, encode_error};
use crate::legacy;
use crate::method::Method;
use crate::modern::server::unsupported;
use crate::revision::Revision;
use crate::server::{Admitted, Request, Session, Subscription, admit_seen};
use crate::time::Time;
use crate::wire::header::ParamHeaders;

/// What comes next for a request whose body is there.
///
/// Everything that needs no more than the request itself is decided; where something is shared, the next step says what,
/// so that a threaded driver takes one lock for one step, and never two:
///
/// ```text
///   Opening::of ─┬─▶ Done                                          Exchange
///                ├─▶ Request                                       Exchange, Request        (modern: nothing is shared)
///                ├─▶ Subscribe ── enter(table of subscriptions) ─▶ Subscriber
///                ├─▶ Begin ────── check, finish(table of sessions) ▶ Exchange
///                ├─▶ Enter ────── enter(table of sessions) ───────▶ take(that session) ──▶ Taken
///                ├─▶ Throwaway ── take(a session of its own) ─────▶ Taken
///                ├─▶ Listen ───── enter(table of sessions) ───────▶ listen(that session)
///                └─▶ Delete ───── remove(table of sessions) ──────▶ end(that session), Exchange
/// ```
///
/// A step that fails gives the exchange of the refusal.
#[derive(Debug)]
#[must_use = "the client waits for it"]
#[expect(
    clippy::large_enum_variant,
    reason = "it is taken apart at once, and the large variants are the usual ones"
)]
pub enum Opening<'a> {
    /// Everything is said.
    Done(Exchange),
    /// A handler has to answer it, from nothing but itself.
    Request(Exchange, Request),
    /// It opens a subscription.
    Subscribe(Subscribing<'a>),
    /// It begins a session.
    Begin(Beginning<'a>),
    /// It is something in a session.
    Enter(Entering<'a>),
    /// It is something of the legacy era, at an endpoint without sessions.
    Throwaway(Throwaway),
    /// It opens the GET stream of a session.
    Listen(Listening<'a>),
    /// It ends a session.
    Delete(Deleting<'a>),
}

/// A legacy session in the table of sessions: where the driver has it, and what has to be known without it. `S` is
/// small and cloned: a key, or an `Arc` around a lock.
#[derive(Clone, Debug)]
pub struct Member<S> {
    revision: Revision,
    /// Where it is.
    pub session: S,
}

/// The messages of one request, taken by their session.
#[derive(Debug)]
pub struct Taken<R> {
    /// Where the answers go.
    pub exchange: Exchange,
    /// What a handler has to answer, in most cases.
    pub request: Option<Request>,
    /// The others, in a batch.
    pub more: Vec<Request>,
    /// What has happened otherwise.
    pub happened: Vec<Happening<R>>,
}

/// A refusal, with the id of the request it refuses.
type Refused = (Option<Id>, Refusal);

impl<'a> Opening<'a> {
    /// Decides what an admitted request needs. `tools` gives the parameters of a tool that its callers mirror into
    /// HTTP headers, where it has any.
    pub fn of<'t>(
        rules: Rules<'_>,
        admission: &'a Admission,
        parts: &'a Parts,
        body: Bytes,
        tools: impl FnOnce(&str) -> Option<&'t ParamHeaders>,
    ) -> Self {
        let head = admission.head(parts);
        let opening = rules.check_open().and_then(|()| match admission.route() {
            Route::Post(_) => Ok(Self::posted(rules, &head, body, tools)),
            Route::Get => Ok(Self::Listen(Listening(Place::of(&head)?))),
            Route::Delete => Ok(Self::Delete(Deleting(Place::of(&head)?))),
        });
        opening.unwrap_or_else(|refusal| Self::Done(Exchange::refused(rules, None, &refusal)))
    }

    fn posted<'t>(
        rules: Rules<'_>,
        head: &Head<'a>,
        body: Bytes,
        tools: impl FnOnce(&str) -> Option<&'t ParamHeaders>,
    ) -> Self {
        let opening = match Posted::read(head, body, rules.config.limits()) {
            Ok(Posted::Stateless(message)) => Self::stateless(rules, head, message, tools),
            Ok(Posted::Legacy(incoming)) => Self::legacy(rules, head, incoming),
            Err(refusal) => Err((None, refusal)),
        };
        opening.unwrap_or_else(|(id, refusal)| Self::Done(Exchange::refused(rules, id.as_ref(), &refusal)))
    }

    /// A message of the modern era: served from nothing but itself.
    fn stateless<'t>(
        rules: Rules<'_>,
        head: &Head<'a>,
        message: Message,
        tools: impl FnOnce(&str) -> Option<&'t ParamHeaders>,
    ) -> Result<Self, Refused> {
        let request = match message {
            Message::Request(request) => request,
            // 2026-07-28 defines no notification from client to server over HTTP; one is taken, and means nothing.
            Message::Notification(_) => return Ok(Self::Done(Exchange::accepted(rules))),
            Message::Response(_) => {
                let refusal = Refusal::NotAllowedHere("a client sends no responses in this protocol version");
                return Err((None, refusal));
            }
        };
        let params = request.params.clone();
        let facts = Facts::of(params.as_ref());
        let seen = facts.seen.as_ref().ok();
        let named = seen.and_then(|(_, meta)| meta.protocol_version.as_deref());
        if let Err(refusal) = head.check_version(named) {
            return Err((Some(request.id), refusal));
        }
        let mirrored = head.check_mirrored(&request.method, seen.map(|(peek, _)| peek), tools);
        // A version, a method or a `_meta` that is wrong counts before headers that do not fit it.
        let mirrored = mirrored.map_err(|refusal| (Some(request.id.clone()), refusal));
        let admitted = match admit_seen(rules.config, request, &facts) {
            Ok(admitted) => admitted,
            Err(refused) => return Ok(Self::Done(Exchange::not_admitted(rules, &refused))),
        };
        mirrored?;
        let mut exchange = Exchange::new(rules, head.accepts, Scope::Alone);
        match admitted {
            Admitted::Request(request) => {
                exchange.expect();
                Ok(Self::Request(exchange, request))
            }
            Admitted::Answered(message) => {
                exchange.respond(message);
                Ok(Self::Done(exchange))
            }
            Admitted::Listen(subscription) if !head.accepts.sse => {
                Err((Some(subscription.id().clone()), Refusal::NotAcceptable))
            }
            Admitted::Listen(subscription) => Ok(Self::Subscribe(Subscribing {
                subscription,
                exchange,
                principal: head.principal,
            })),
        }
    }

    /// A message of the legacy era.
    fn legacy(rules: Rules<'_>, head: &Head<'a>, incoming: Incoming) -> Result<Self, Refused> {
        let refuse = |incoming: &Incoming, refusal| (request_id(incoming).cloned(), refusal);
        if !rules
            .config
            .revisions()
            .iter()
            .any(|revision| revision.has_initialize())
        {
            return Ok(Self::Done(only_modern(rules, head, request_id(&incoming))));
        }
        let initialize = is_initialize(&incoming);
        if rules.http.sessions == SessionPolicy::Stateless {
            let revision = head.legacy_revision(None, rules.config.revisions());
            let revision = revision.and_then(|revision| check_batch(&incoming, revision));
            return match revision {
                Ok(revision) => Ok(Self::Throwaway(Throwaway {
                    incoming,
                    accepts: head.accepts,
                    agreed: (!initialize).then_some(revision),
                })),
                Err(refusal) => Err(refuse(&incoming, refusal)),
            };
        }
        match (incoming, head.session) {
            (Incoming::Single(message), None) if initialize => Ok(Self::Begin(Beginning {
                message,
                accepts: head.accepts,
                principal: head.principal,
            })),
            (incoming, _) => match Place::of(head) {
                Ok(place) => Ok(Self::Enter(Entering {
                    place,
                    incoming,
                    accepts: head.accepts,
                })),
                Err(refusal) => Err(refuse(&incoming, refusal)),
            },
        }
    }
}

/// A legacy client at a server without legacy revisions: it is told which there are
/// (2026-07-28, Versioning, Backward Compatibility: SHOULD).
fn only_modern(rules: Rules<'_>, head: &Head<'_>, id: Option<&Id>) -> Exchange {
    let mut error = unsupported(rules.config.revisions(), head.version.unwrap_or_default());
    if head.version.is_none() {
        // The header is what is missing (2026-07-28, Streamable HTTP, Protocol Version Header: MUST).
        error.code = ErrorCode::HEADER_MISMATCH;
    }
    Exchange::whole(rules, error_response(StatusCode::BAD_REQUEST, id, &error))
}

fn request_id(incoming: &Incoming) -> Option<&Id> {
    match incoming {
        Incoming::Single(Message::Request(request)) => Some(&request.id),
        _ => None,
    }
}

fn is_initialize(incoming: &Incoming) -> bool {
    match incoming {
        Incoming::Single(Message::Request(request)) => request.method.known() == Some(Method::Initialize),
        _ => false,
    }
}

/// A batch is part of 2025-03-26 alone.
fn check_batch(incoming: &Incoming, revision: Revision) -> Result<Revision, Refusal> {
    match incoming {
        Incoming::Batch(_) if !revision.allows_batches() => Err(Refusal::BatchNotAllowed),
        _ => Ok(revision),
    }
}

/// A session that a request names, and for whom.
#[derive(Debug)]
struct Place<'a> {
    id: SessionId,
    principal: Option<&'a Principal>,
    /// The revision that the version header names; `None` without a header.
    named: Option<Result<Revision, Refusal>>,
}

impl<'a> Place<'a> {
    fn of(head: &Head<'a>) -> Result<Self, Refusal> {
        let value = head.session.ok_or(Refusal::SessionRequired)?;
        let named = head.version.map(|_| head.revision().ok_or(Refusal::UnsupportedVersion));
        Ok(Self {
            id: SessionId::from_header(value).ok_or(Refusal::SessionNotFound)?,
            principal: head.principal,
            named,
        })
    }

    /// The revision of the session, where it is not another one that the header names (2025-11-25, Transports, Protocol
    /// Version Header: MUST).
    fn check<S>(&self, member: &Member<S>) -> Result<Revision, Refusal> {
        match &self.named {
            None => Ok(member.revision),
            Some(Ok(named)) if *named == member.revision => Ok(member.revision),
            Some(_) => Err(Refusal::UnsupportedVersion),
        }
    }
}

/// The opening of a subscription.
#[derive(Debug)]
pub struct Subscribing<'a> {
    subscription: Subscription,
    exchange: Exchange,
    principal: Option<&'a Principal>,
}

impl Subscribing<'_> {
    /// Enters the subscription into the table, where `keep` says what is kept of it.
    ///
    /// # Errors
    /// The exchange of the refusal.
    pub fn enter<S: Clone>(
        self,
        rules: Rules<'_>,
        table: &mut Subscriptions<S>,
        keep: impl FnOnce(Subscriber) -> S,
    ) -> Result<(SubscriptionKey, S), Exchange> {
        let id = self.subscription.id().clone();
        let bytes = self.subscription.bytes();
        let kept = keep(Subscriber::new(self.subscription, self.exchange));
        match table.open(bytes, self.principal, kept.clone()) {
            Ok(key) => Ok((key, kept)),
            Err(refusal) => Err(Exchange::refused(rules, Some(&id), &refusal)),
        }
    }
}

/// The beginning of a session.
#[derive(Debug)]
pub struct Beginning<'a> {
    message: Message,
    accepts: Accepts,
    principal: Option<&'a Principal>,
}

/// A session that has begun, or why it has not.
#[derive(Debug)]
pub struct Begun<'a, R> {
    exchange: Exchange,
    session: Option<(SessionId, Revision, HttpSession<R>)>,
    /// The id of the request.
    id: Option<Id>,
    principal: Option<&'a Principal>,
}

impl<'a> Beginning<'a> {
    /// Asks for room in the table, before anything is prepared.
    ///
    /// # Errors
    /// The exchange of the refusal.
    pub fn check<S>(self, rules: Rules<'_>, table: &Sessions<Member<S>>) -> Result<Self, Exchange> {
        match table.may_create(self.principal) {
            Ok(()) => Ok(self),
            Err(refusal) => Err(Exchange::refused(rules, message_id(&self.message), &refusal)),
        }
    }

    /// Does the handshake. No table is needed. `random` is asked where a session begins, and gives bytes of a
    /// cryptographically secure source.
    pub fn negotiate<R>(self, rules: Rules<'_>, now: Time, random: impl FnOnce() -> [u8; 32]) -> Begun<'a, R> {
        let id = message_id(&self.message).cloned();
        let mut session = HttpSession::new(Session::new(rules.config));
        let mut exchange = Exchange::new(rules, self.accepts, Scope::Alone);
        if let Outcome::Reply(answer) = session.receive(rules.config, now, self.message) {
            exchange.respond(answer);
        }
        Begun {
            exchange,
            session: (session.revision()).map(|revision| (SessionId::from_random(random()), revision, session)),
            id,
            principal: self.principal,
        }
    }
}

impl<R> Begun<'_, R> {
    /// Enters the session into the table, where `keep` says what is kept of it.
    pub fn finish<S>(
        mut self,
        rules: Rules<'_>,
        now: Time,
        table: &mut Sessions<Member<S>>,
        keep: impl FnOnce(HttpSession<R>) -> S,
    ) -> Exchange {
        let Some((id, revision, session)) = self.session else {
            return self.exchange;
        };
        // Once more, under the lock under which it is made: another may have come in between.
        if let Err(refusal) = table.may_create(self.principal) {
            return Exchange::refused(rules, self.id.as_ref(), &refusal);
        }
        let session = keep(session);
        match table.create(now, id, self.principal, Member { revision, session }) {
            Ok(visit) => {
                table.leave(now, visit);
                self.exchange.set_session(id);
                self.exchange
            }
            Err(refusal) => Exchange::refused(rules, self.id.as_ref(), &refusal),
        }
    }
}

fn message_id(message: &Message) -> Option<&Id> {
    match message {
        Message::Request(request) => Some(&request.id),
        _ => None,
    }
}

/// Something in a session.
#[derive(Debug)]
pub struct Entering<'a> {
    place: Place<'a>,
    incoming: Incoming,
    accepts: Accepts,
}

impl Entering<'_> {
    /// Finds the session, and keeps it alive until the visit is given back.
    ///
    /// # Errors
    /// The exchange of the refusal.
    pub fn enter<S: Clone>(
        &self,
        rules: Rules<'_>,
        now: Time,
        table: &mut Sessions<Member<S>>,
    ) -> Result<(Visit, S), Exchange> {
        let refuse = |refusal: Refusal| Exchange::refused(rules, request_id(&self.incoming), &refusal);
        let (visit, member) = table.enter(&self.place.id, self.place.principal).map_err(refuse)?;
        let revision = self.place.check(member);
        match revision.and_then(|revision| check_batch(&self.incoming, revision)) {
            Ok(_) => Ok((visit, member.session.clone())),
            Err(refusal) => {
                table.leave(now, visit);
                Err(refuse(refusal))
            }
        }
    }

    /// Has the session take it.
    pub fn take<R>(self, rules: Rules<'_>, now: Time, session: &mut HttpSession<R>) -> Taken<R> {
        take(rules, now, session, self.incoming, self.accepts, Scope::Session)
    }
}

/// Something of the legacy era, at an endpoint without sessions: a session is made for it alone.
#[derive(Debug)]
pub struct Throwaway {
    incoming: Incoming,
    accepts: Accepts,
    /// The revision; `None` where it is being negotiated.
    agreed: Option<Revision>,
}

impl Throwaway {
    /// Makes the session, and has it take the request.
    pub fn take<R>(self, rules: Rules<'_>, now: Time) -> (HttpSession<R>, Taken<R>) {
        let machine = match self.agreed {
            Some(revision) => Session::operating(rules.config, revision),
            None => Session::new(rules.config),
        };
        let mut session = HttpSession::new(machine);
        let taken = take(rules, now, &mut session, self.incoming, self.accepts, Scope::Throwaway);
        (session, taken)
    }
}

/// The opening of a GET stream.
#[derive(Debug)]
pub struct Listening<'a>(Place<'a>);

impl Listening<'_> {
    /// Finds the session, and keeps it alive until the visit is given back. Its stream is to be
    /// [opened](HttpSession::listen) then.
    ///
    /// # Errors
    /// The exchange of the refusal.
    pub fn enter<S: Clone>(&self, rules: Rules<'_>, table: &mut Sessions<Member<S>>) -> Result<(Visit, S), Exchange> {
        let mut enter = || {
            let member = table
                .get(&self.0.id, self.0.principal)
                .ok_or(Refusal::SessionNotFound)?;
            // A version that does not fit counts before a stream that is taken.
            self.0.check(member)?;
            let (visit, member) = table.listen(&self.0.id, self.0.principal)?;
            Ok((visit, member.session.clone()))
        };
        enter().map_err(|refusal| Exchange::refused(rules, None, &refusal))
    }
}

/// The end of a session at the wish of its client.
#[derive(Debug)]
pub struct Deleting<'a>(Place<'a>);

impl Deleting<'_> {
    /// Takes the session out of the table: it is to be [ended](HttpSession::end), and the exchange to be served. 204:
    /// there is nothing to say about it.
    ///
    /// # Errors
    /// The exchange of the refusal.
    pub fn remove<S>(self, rules: Rules<'_>, table: &mut Sessions<Member<S>>) -> Result<(S, Exchange), Exchange> {
        let mut remove = || {
            let member = table
                .get(&self.0.id, self.0.principal)
                .ok_or(Refusal::SessionNotFound)?;
            self.0.check(member)?;
            table.remove(&self.0.id, self.0.principal)
        };
        let member = remove().map_err(|refusal| Exchange::refused(rules, None, &refusal))?;
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::NO_CONTENT;
        Ok((member.session, Exchange::whole(rules, response)))
    }
}

/// Has a session take what came in one request.
fn take<R>(
    rules: Rules<'_>,
    now: Time,
    session: &mut HttpSession<R>,
    incoming: Incoming,
    accepts: Accepts,
    scope: Scope,
) -> Taken<R> {
    match incoming {
        Incoming::Single(message) => single(rules, now, session, message, accepts, scope),
        Incoming::Batch(batch) => {
            let messages: Vec<_> = batch_messages(batch);
            let requests = messages.iter().filter(|message| wants_answer(message)).count();
            let mut taken = Taken {
                exchange: Exchange::batch(rules, accepts, scope, requests),
                request: None,
                more: Vec::new(),
                happened: Vec::new(),
            };
            for message in messages {
                taken.member(rules, now, session, message);
            }
            taken
        }
    }
}

fn batch_messages(batch: Batch) -> Vec<Result<Message, InvalidMessage>> {
    batch.messages().collect()
}

fn single<R>(
    rules: Rules<'_>,
    now: Time,
    session: &mut HttpSession<R>,
    message: Message,
    accepts: Accepts,
    scope: Scope,
) -> Taken<R> {
    let is_request = matches!(message, Message::Request(_));
    let mut taken = Taken {
        exchange: Exchange::new(rules, accepts, scope),
        request: None,
        more: Vec::new(),
        happened: Vec::new(),
    };
    match session.receive(rules.config, now, message) {
        Outcome::Request(request) => {
            taken.exchange.expect();
            taken.request = Some(request);
        }
        Outcome::Reply(answer) => taken.exchange.respond(answer),
        // The session has ended meanwhile.
        Outcome::Nothing if is_request => taken.exchange = Exchange::refused(rules, None, &Refusal::SessionNotFound),
        Outcome::Nothing => taken.exchange = Exchange::accepted(rules),
        Outcome::Happened(happening) => {
            taken.happened.push(happening);
            taken.exchange = Exchange::accepted(rules);
        }
    }
    taken
}

impl<R> Taken<R> {
    /// One message of a batch (2025-03-26, Transports, Sending Messages, 3): the answers come together.
    fn member(
        &mut self,
        rules: Rules<'_>,
        now: Time,
        session: &mut HttpSession<R>,
        message: Result<Message, InvalidMessage>,
    ) {
        let message = match message {
            Ok(message) => message,
            Err(invalid) if invalid.is_reply => return,
            Err(invalid) => {
                let id = invalid.id.clone();
                let error = ParseError::Invalid(invalid).to_error();
                return self.exchange.respond(encode_error(id.as_ref(), &error));
            }
        };
        let is_request = matches!(message, Message::Request(_));
        if let Message::Request(request) = &message
            && request.method.known() == Some(Method::Initialize)
        {
            let error = legacy::server::Refusal::InitializeInBatch.to_error();
            return self.exchange.respond(encode_error(Some(&request.id), &error));
        }
        match session.receive(rules.config, now, message) {
            Outcome::Request(request) => {
                self.exchange.expect();
                self.more.push(request);
            }
            Outcome::Reply(answer) => self.exchange.respond(answer),
            Outcome::Happened(happening) => self.happened.push(happening),
            // The session has ended meanwhile.
            Outcome::Nothing if is_request => self.exchange.respond_nothing(),
            Outcome::Nothing => {}
        }
    }
}

/// Whether a message of a batch is owed an answer.
fn wants_answer(message: &Result<Message, InvalidMessage>) -> bool {
    match message {
        Ok(message) => matches!(message, Message::Request(_)),
        Err(invalid) => !invalid.is_reply,
    }
}
