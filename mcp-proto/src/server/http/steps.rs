//! The steps of an opening: each needs one shared thing at most.

use alloc::boxed::Box;
use alloc::vec::Vec;

use bytes::Bytes;
use http::{Response, StatusCode};

use super::exchange::{Exchange, Scope};
use super::replays::Resuming;
use super::rules::Rules;
use super::session::HttpSession;
use super::taken::Taken;
use crate::http::server::{
    Accepts, EventId, Head, Holder, Principal, Refusal, Replayed, SessionId, SessionTable, SubscriptionKey,
    Subscriptions, Visit,
};
use crate::jsonrpc::{Id, Incoming, Message, ParseError};
use crate::revision::Revision;
use crate::server::{LegacySession, Received, Subscription};
use crate::time::Time;

/// A legacy session in the table of sessions: where the driver has it, and what has to be known without it. `S` is
/// small and cloned: a key, or an `Arc` around a lock.
#[derive(Clone, Debug)]
pub struct Member<S> {
    // Beside the session and not in it, so that a version is judged without the lock of the session.
    revision: Revision,
    /// Where it is.
    pub session: S,
}

/// The id of a request that stands alone.
pub(super) fn request_id(incoming: &Incoming) -> Option<&Id> {
    match incoming {
        Incoming::Single(Message::Request(request)) => Some(&request.id),
        _ => None,
    }
}

/// A batch is part of 2025-03-26 alone.
pub(super) fn check_batch(incoming: &Incoming, revision: Revision) -> Result<Revision, Refusal> {
    match incoming {
        Incoming::Batch(_) if !revision.allows_batches() => Err(Refusal::BatchNotAllowed),
        _ => Ok(revision),
    }
}

/// A session that a request names, and for whom.
#[derive(Debug)]
pub(super) struct Place<'a> {
    id: SessionId,
    principal: Option<&'a Principal>,
    /// The revision that the version header names; `None` without a header.
    named: Option<Result<Revision, Refusal>>,
}

impl<'a> Place<'a> {
    pub(super) fn of(head: &Head<'a>) -> Result<Self, Refusal> {
        let value = head.session.ok_or(Refusal::SessionRequired)?;
        // Judged later: a session that is not there counts more, as the client has to begin anew then.
        let named = head.version.map(|_| head.revision().ok_or(Refusal::UnsupportedVersion));
        Ok(Self {
            // What cannot be an id of ours is as unknown as one that has ended: either way the client begins anew.
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
pub struct Subscribing {
    pub(super) subscription: Subscription,
    pub(super) exchange: Exchange,
    pub(super) holder: Holder,
}

/// A subscription that is entered.
#[derive(Debug)]
pub struct Subscribed<S> {
    /// Where it is in the table.
    pub key: SubscriptionKey,
    /// What is kept of its exchange.
    pub kept: S,
    /// Those that are lost for it: each is to be [ended](Exchange::end).
    pub lost: Vec<S>,
}

impl Subscribing {
    /// Enters the subscription into the table, where `keep` says what is kept of its exchange.
    ///
    /// # Errors
    /// The exchange of the refusal.
    pub fn enter<S: Clone>(
        mut self,
        rules: Rules<'_>,
        table: &mut Subscriptions<S>,
        keep: impl FnOnce(Exchange) -> S,
    ) -> Result<Subscribed<S>, Box<Exchange>> {
        let id = self.subscription.id().clone();
        let bytes = self.subscription.bytes();
        // Acknowledged before it is in the table, from where announcements come, and the acknowledgement MUST be first.
        self.exchange.subscribe(self.subscription);
        let kept = keep(self.exchange);
        match table.open(bytes, &self.holder, kept.clone()) {
            Ok((key, lost)) => Ok(Subscribed { key, kept, lost }),
            Err(refusal) => Err(Box::new(Exchange::refused(rules, Some(&id), &refusal))),
        }
    }
}

/// The beginning of a session.
#[derive(Debug)]
pub struct Beginning {
    pub(super) message: Message,
    pub(super) accepts: Accepts,
    pub(super) holder: Holder,
}

/// A session that has begun, or why it has not.
#[derive(Debug)]
pub struct Begun<R, L = R> {
    exchange: Exchange,
    session: Option<(SessionId, Revision, HttpSession<R, L>)>,
    /// The id of the request.
    id: Option<Id>,
    holder: Holder,
}

impl Beginning {
    /// Asks for room in the table, before anything is prepared.
    ///
    /// # Errors
    /// The exchange of the refusal.
    pub fn check<S>(self, rules: Rules<'_>, table: &SessionTable<Member<S>>) -> Result<Self, Box<Exchange>> {
        match table.may_create(&self.holder) {
            Ok(()) => Ok(self),
            Err(refusal) => Err(Box::new(Exchange::refused(rules, message_id(&self.message), &refusal))),
        }
    }

    /// Does the handshake. No table is needed. `random` is asked where a session begins, and gives bytes of a
    /// cryptographically secure source.
    pub fn negotiate<R, L>(self, rules: Rules<'_>, now: Time, random: impl FnOnce() -> [u8; 32]) -> Begun<R, L> {
        let id = message_id(&self.message).cloned();
        let mut session = HttpSession::new(LegacySession::new(rules.config));
        let mut exchange = Exchange::new(rules, self.accepts, Scope::Alone);
        if let (Received::Respond(answer), _) = session.receive(rules.config, now, self.message) {
            exchange.respond(answer);
        }
        let session = session.revision().map(|revision| {
            let random = random();
            if let Some(resumption) = &rules.http.resumption {
                session.set_resumable(resumption, random);
            }
            (SessionId::from_random(random), revision, session)
        });
        Begun {
            exchange,
            session,
            id,
            holder: self.holder,
        }
    }
}

impl<R, L> Begun<R, L> {
    /// Enters the session into the table, where `keep` says what is kept of it. With its exchange comes the session that
    /// is lost for it, which is to be [ended](HttpSession::end).
    pub fn finish<S>(
        mut self,
        rules: Rules<'_>,
        now: Time,
        table: &mut SessionTable<Member<S>>,
        keep: impl FnOnce(HttpSession<R, L>) -> S,
    ) -> (Exchange, Option<S>) {
        let Some((id, revision, session)) = self.session else {
            return (self.exchange, None);
        };
        // Once more, under the lock under which it is made: another may have come in between.
        if let Err(refusal) = table.may_create(&self.holder) {
            return (Exchange::refused(rules, self.id.as_ref(), &refusal), None);
        }
        let session = keep(session);
        match table.create(now, id, &self.holder, Member { revision, session }) {
            Ok((visit, lost)) => {
                // `initialize` is answered already: from now on its idle time counts.
                table.leave(now, visit);
                self.exchange.set_session(id);
                (self.exchange, lost.map(|lost| lost.session))
            }
            Err(refusal) => (Exchange::refused(rules, self.id.as_ref(), &refusal), None),
        }
    }
}

fn message_id(message: &Message) -> Option<&Id> {
    match message {
        Message::Request(request) => Some(&request.id),
        _ => None,
    }
}

/// What comes into a session.
#[derive(Debug)]
pub(super) enum Coming {
    Messages(Incoming),
    /// A reply that cannot be read: the call that it names has to be told, which its session alone can.
    Unreadable(ParseError),
}

impl Coming {
    fn id(&self) -> Option<&Id> {
        match self {
            Self::Messages(incoming) => request_id(incoming),
            Self::Unreadable(_) => None,
        }
    }

    fn check(&self, revision: Revision) -> Result<Revision, Refusal> {
        match self {
            Self::Messages(incoming) => check_batch(incoming, revision),
            Self::Unreadable(_) => Ok(revision),
        }
    }
}

/// Something in a session.
#[derive(Debug)]
pub struct Entering<'a> {
    pub(super) place: Place<'a>,
    pub(super) coming: Coming,
    pub(super) accepts: Accepts,
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
        table: &mut SessionTable<Member<S>>,
    ) -> Result<(Visit, S), Box<Exchange>> {
        let refuse = |refusal: Refusal| Box::new(Exchange::refused(rules, self.coming.id(), &refusal));
        let (visit, member) = table.enter(&self.place.id, self.place.principal).map_err(refuse)?;
        let revision = self.place.check(member);
        match revision.and_then(|revision| self.coming.check(revision)) {
            Ok(_) => Ok((visit, member.session.clone())),
            Err(refusal) => {
                // A visit that is dropped would keep the session for ever.
                table.leave(now, visit);
                Err(refuse(refusal))
            }
        }
    }

    /// Has the session take it.
    pub fn take<R, L>(self, rules: Rules<'_>, now: Time, session: &mut HttpSession<R, L>) -> Taken<R> {
        match self.coming {
            Coming::Messages(incoming) => Taken::of(rules, now, session, incoming, self.accepts, Scope::Session),
            Coming::Unreadable(error) => Taken::unreadable(rules, session, error),
        }
    }
}

/// Something of the legacy era, at an endpoint without sessions: a session is made for it alone.
#[derive(Debug)]
pub struct Throwaway {
    pub(super) incoming: Incoming,
    pub(super) accepts: Accepts,
    /// The revision; `None` where it is being negotiated.
    pub(super) agreed: Option<Revision>,
}

impl Throwaway {
    /// Makes the session, and has it take the request.
    pub fn take<R, L>(self, rules: Rules<'_>, now: Time) -> (HttpSession<R, L>, Taken<R>) {
        let machine = match self.agreed {
            Some(revision) => LegacySession::operating(rules.config, revision),
            None => LegacySession::new(rules.config),
        };
        let mut session = HttpSession::new(machine);
        let taken = Taken::of(rules, now, &mut session, self.incoming, self.accepts, Scope::Throwaway);
        (session, taken)
    }
}

/// The opening of a GET stream. A session may have several; of too many the oldest ends
/// ([`Limits::get_streams_per_session`](crate::Limits::get_streams_per_session)).
#[derive(Debug)]
pub struct Listening<'a> {
    pub(super) place: Place<'a>,
    /// The event after which a stream is to go on.
    pub(super) last: Option<Result<EventId, Refusal>>,
}

impl Listening<'_> {
    /// Where the stream goes on.
    ///
    /// # Errors
    /// [`Refusal::UnknownEvent`] for an event that is not of this session.
    pub fn find<R, L: Clone>(&self, session: &HttpSession<R, L>) -> Result<Resuming<L>, Refusal> {
        match &self.last {
            None => Ok(Resuming::New),
            Some(last) => {
                let found = session.find_stream(last.clone()?);
                found.ok_or(Refusal::UnknownEvent)
            }
        }
    }

    /// What is left of a stream that is over.
    ///
    /// # Errors
    /// [`Refusal::UnknownEvent`] where nothing is, or it was given up.
    pub fn kept<R, L>(
        &self,
        rules: Rules<'_>,
        session: &HttpSession<R, L>,
        id: EventId,
        replayed: Option<Replayed>,
    ) -> Result<Exchange, Refusal> {
        let replayed = replayed.filter(|replayed| replayed.is_over);
        let (Some(replayed), Some(resumable)) = (replayed, session.known_stream(id.stream)) else {
            return Err(Refusal::UnknownEvent);
        };
        Ok(Exchange::continued(rules, resumable, &replayed))
    }

    /// Finds the session, and keeps it alive until the visit is given back. Its stream is to be
    /// [opened](HttpSession::listen) then.
    ///
    /// # Errors
    /// The exchange of the refusal.
    pub fn enter<S: Clone>(
        &self,
        rules: Rules<'_>,
        table: &mut SessionTable<Member<S>>,
    ) -> Result<(Visit, S), Box<Exchange>> {
        let mut enter = || {
            let member = table
                .get(&self.place.id, self.place.principal)
                .ok_or(Refusal::SessionNotFound)?;
            // A version that does not fit counts before a session that has too much open.
            self.place.check(member)?;
            let (visit, member) = table.enter(&self.place.id, self.place.principal)?;
            Ok((visit, member.session.clone()))
        };
        enter().map_err(|refusal| Box::new(Exchange::refused(rules, None, &refusal)))
    }
}

/// The end of a session at the wish of its client.
#[derive(Debug)]
pub struct Deleting<'a>(pub(super) Place<'a>);

impl Deleting<'_> {
    /// Takes the session out of the table: it is to be [ended](HttpSession::end), and the exchange to be served. 204:
    /// there is nothing to say about it.
    ///
    /// # Errors
    /// The exchange of the refusal.
    pub fn remove<S>(
        self,
        rules: Rules<'_>,
        table: &mut SessionTable<Member<S>>,
    ) -> Result<(S, Exchange), Box<Exchange>> {
        let mut remove = || {
            let member = table
                .get(&self.0.id, self.0.principal)
                .ok_or(Refusal::SessionNotFound)?;
            self.0.check(member)?;
            // Only now: in a version that does not fit, DELETE must not end it.
            table.remove(&self.0.id, self.0.principal)
        };
        let member = remove().map_err(|refusal| Box::new(Exchange::refused(rules, None, &refusal)))?;
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::NO_CONTENT;
        Ok((member.session, Exchange::whole(rules, response)))
    }
}
