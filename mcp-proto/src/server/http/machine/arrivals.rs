//! Requests on their way in: heads, bodies, and what is opened by them.

use alloc::boxed::Box;
use alloc::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::request::Parts;

use super::super::event::{
    Asker, ExchangeId, HttpCallId, HttpEvent, HttpRequestKey, HttpRequestToken, HttpSessionKey, Sender,
};
use super::super::exchange::Exchange;
use super::super::opening::Opening;
use super::super::replays::Resuming;
use super::super::rules::Rules;
use super::super::served::{Answering, Reading, Resumed, Served};
use super::super::steps::Listening;
use super::super::taken::Taken;
use super::HttpServer;
use crate::http::server::{Admission, BodyRoom, EventId, Refusal, Remote, Visit};
use crate::server::{ClientRequest, Happening};
use crate::time::Time;

impl HttpServer {
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
                    true => self.refuse(id, admission.page(), &Refusal::TooLarge),
                }
            }
            Err(refused) => self.serve(id, Answering::alone(*refused)),
        }
        id
    }

    /// The head of a request has come. Where its body matters, it is read next ([`wants_body`](Self::wants_body));
    /// anything else is opened at once.
    pub fn receive_head(&mut self, now: Time, head: Parts, sender: Sender) -> ExchangeId {
        let id = self.next_id();
        match self.admit(head, sender) {
            Ok((admission, asker)) => match admission.body_limit() {
                Some(_) => {
                    let reading = Reading {
                        room: BodyRoom::new(admission.body_limit().unwrap_or(0)),
                        large: None,
                        admission,
                        asker,
                        body: BytesMut::new(),
                    };
                    self.exchanges.insert(id, Served::Reading(Box::new(reading)));
                }
                // Nothing but a POST begins a session.
                None => self.open(now, id, &admission, asker, Bytes::new(), || [0; 32]),
            },
            Err(refused) => self.serve(id, Answering::alone(*refused)),
        }
        id
    }

    /// A piece of the body of a request has come. Where there is no room for it the request is refused, and the rest need
    /// not be read.
    pub fn receive_body(&mut self, id: ExchangeId, bytes: &[u8]) {
        let taken = self.take_body(id, bytes);
        while let Some(lost) = self.bodies.poll_lost() {
            if let Some(lost) = self.large.remove(&lost) {
                self.fail_body(lost, &Refusal::Overloaded);
            }
        }
        if let Err(refusal) = taken {
            self.fail_body(id, &refusal);
        }
    }

    fn take_body(&mut self, id: ExchangeId, bytes: &[u8]) -> Result<(), Refusal> {
        let Some(Served::Reading(reading)) = self.exchanges.get_mut(&id) else {
            return Ok(());
        };
        let needed = reading.room.take(self.site.budget(), bytes.len())?;
        if needed > 0 {
            let key = *reading.large.get_or_insert_with(|| {
                let key = self.bodies.begin(reading.admission.holder(&reading.asker.head));
                self.large.insert(key, id);
                key
            });
            self.bodies.take(key, needed)?;
        }
        reading.body.extend_from_slice(bytes);
        Ok(())
    }

    /// A body is not read any more: what it has taken is free.
    pub(super) fn stop_reading(&mut self, id: ExchangeId) {
        if let Some(Served::Reading(reading)) = self.exchanges.get_mut(&id) {
            reading.room.give_back(self.site.budget());
            if let Some(key) = reading.large.take() {
                self.bodies.finish(key);
                self.large.remove(&key);
            }
        }
    }

    /// The body of a request is complete. `random` is asked where a session begins, and gives bytes of a
    /// cryptographically secure source.
    pub fn receive_end(&mut self, now: Time, id: ExchangeId, random: impl FnOnce() -> [u8; 32]) {
        if !self.wants_body(id) {
            return;
        }
        self.stop_reading(id);
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
        self.stop_reading(id);
        if let Some(Served::Reading(reading)) = self.exchanges.get(&id) {
            let page = reading.admission.page().cloned();
            self.refuse(id, page.as_ref(), refusal);
        }
    }

    pub(super) fn next_id(&mut self) -> ExchangeId {
        let id = ExchangeId(self.next_exchange);
        self.next_exchange += 1;
        id
    }

    /// Judges a request by its head; or the exchange of its refusal.
    pub(super) fn admit(&self, mut head: Parts, sender: Sender) -> Result<(Admission, Asker), Box<Exchange>> {
        if let Some(principal) = &sender.principal {
            // There the gate and the steps look for it, as an authentication layer in front would have put it.
            head.extensions.insert(principal.clone());
        }
        // Each request that waits for the application holds its body.
        let judged = match self.events.len() >= self.config.limits().requests_in_progress {
            true => Err(Refusal::Overloaded),
            false => self.site.judge(&head),
        };
        match judged {
            Ok(admission) => {
                let remote = Remote::new(sender.address, sender.connection);
                Ok((admission.from(remote), Asker { head, sender }))
            }
            Err(refusal) => {
                let page = self.site.page(&head);
                Err(Box::new(Exchange::refused(
                    self.rules().shown(page.as_deref()),
                    None,
                    &refusal,
                )))
            }
        }
    }

    /// From a request to its exchange; the steps of [`Opening`], by one owner.
    pub(super) fn open(
        &mut self,
        now: Time,
        id: ExchangeId,
        admission: &Admission,
        asker: Asker,
        body: Bytes,
        random: impl FnOnce() -> [u8; 32],
    ) {
        let (config, site) = (self.config.clone(), self.site.clone());
        let rules = site.rules(&config).answering(admission);
        let tools = |tool: &str| self.tools.get(tool);
        let asker = Arc::new(asker);
        let (mut oldest, mut resumed) = (None, None);
        let answering = match Opening::of(rules, admission, &asker.head, body, tools) {
            Opening::Done(exchange) => Ok(Answering::alone(exchange)),
            Opening::Request(exchange, request) => {
                let mut answering = Answering::alone(exchange);
                self.ask(id, &mut answering, None, request, &asker);
                Ok(answering)
            }
            Opening::Subscribe(subscribing) => {
                let mut stream = None;
                let keep = |exchange| {
                    stream = Some(exchange);
                    id
                };
                let entered = subscribing.enter(rules, &mut self.subscriptions, keep);
                entered.map(|subscribed| {
                    subscribed.lost.into_iter().for_each(|lost| self.end_stream(lost));
                    Answering {
                        subscription: Some(subscribed.key),
                        ..Answering::alone(stream.unwrap_or_else(|| Exchange::accepted(rules)))
                    }
                })
            }
            Opening::Begin(beginning) => beginning.check(rules, &self.table).map(|beginning| {
                let mut key = None;
                let keep = |session| *key.insert(self.rooms.add(session, false));
                let begun = beginning.negotiate(rules, now, random);
                let (exchange, lost) = begun.finish(rules, now, &mut self.table, keep);
                // It has not been entered after all.
                if let Some(key) = key.filter(|_| !exchange.begins_session()) {
                    self.rooms.remove(key);
                }
                if let Some(lost) = lost {
                    self.end_session(lost);
                }
                Answering::alone(exchange)
            }),
            Opening::Enter(entering) => entering.enter(rules, now, &mut self.table).map(|(visit, key)| {
                // A session leaves the table before its room, so this does not happen; a visit that is dropped would
                // keep it for ever.
                let Some(room) = self.rooms.get_mut(key) else {
                    self.table.leave(now, visit);
                    return Answering::alone(Exchange::refused(rules, None, &Refusal::SessionNotFound));
                };
                let taken = entering.take(rules, now, &mut room.session);
                self.taken(id, key, Some(visit), taken, &asker)
            }),
            Opening::Throwaway(throwaway) => {
                let (session, taken) = throwaway.take(rules, now);
                let key = self.rooms.add(session, true);
                Ok(self.taken(id, key, None, taken, &asker))
            }
            Opening::Listen(listening) => listening.enter(rules, &mut self.table).map(|(visit, key)| {
                let Some(room) = self.rooms.get_mut(key) else {
                    self.table.leave(now, visit);
                    return Answering::alone(Exchange::refused(rules, None, &Refusal::SessionNotFound));
                };
                let keep = |exchange| (exchange, id);
                let found = listening.find(&room.session);
                let opened = match found {
                    Ok(Resuming::New) => Ok(room.session.listen(rules, keep)),
                    Ok(Resuming::Listener(last, before)) => {
                        if let Some(before) = before {
                            room.session.unlisten(|stream| *stream == before);
                            self.end_stream(before);
                        }
                        let replayed = self.replay.replay(last).ok_or(Refusal::UnknownEvent);
                        replayed.and_then(|replayed| {
                            let room = self.rooms.get_mut(key).ok_or(Refusal::SessionNotFound)?;
                            Ok(room.session.listen_on(rules, last.stream, replayed, keep))
                        })
                    }
                    Ok(Resuming::Live(last, of)) => match self.resume(id, key, of, last) {
                        true => {
                            resumed = Some(visit);
                            return Answering::alone(Exchange::accepted(rules));
                        }
                        false => self
                            .left_of(rules, &listening, key, last)
                            .map(|exchange| (exchange, None)),
                    },
                    Ok(Resuming::Kept(last)) => self
                        .left_of(rules, &listening, key, last)
                        .map(|exchange| (exchange, None)),
                    Err(refusal) => Err(refusal),
                };
                let (stream, one_too_many) = match opened {
                    Ok(opened) => opened,
                    Err(refusal) => {
                        self.table.leave(now, visit);
                        return Answering::alone(Exchange::refused(rules, None, &refusal));
                    }
                };
                if let Some(room) = self.rooms.get_mut(key) {
                    room.exchanges += 1;
                }
                oldest = one_too_many;
                Answering {
                    session: Some(key),
                    visit: Some(visit),
                    ..Answering::alone(stream)
                }
            }),
            Opening::Delete(deleting) => deleting.remove(rules, &mut self.table).map(|(key, exchange)| {
                self.end_session(key);
                Answering::alone(exchange)
            }),
        };
        let answering = answering.unwrap_or_else(|refusal| Answering::alone(*refusal));
        // It reads another exchange, and has its place already.
        if let Some(visit) = resumed {
            if let Some(Served::Resumed(resumed)) = self.exchanges.get_mut(&id) {
                resumed.visit = Some(visit);
            }
            return;
        }
        // Served before the session is looked at: what ends with it may be in this very exchange.
        let session = answering.session;
        self.serve(id, answering);
        if let Some(oldest) = oldest {
            self.end_stream(oldest);
        }
        if let Some(key) = session {
            self.after(key);
        }
    }

    /// Goes on with the stream of a request. `false` where nothing is left of it there.
    fn resume(&mut self, id: ExchangeId, session: HttpSessionKey, of: ExchangeId, last: EventId) -> bool {
        let Some(Served::Answering(answering)) = self.exchanges.get_mut(&of) else {
            return false;
        };
        let replayed = self.replay.replay(last);
        let Some(reader) = replayed.and_then(|replayed| answering.exchange.resume(&replayed)) else {
            return false;
        };
        // Whoever has read it so far is told of its end.
        self.ready.insert(answering.reader.replace(id).unwrap_or(of));
        self.silent_streams.set(of, None);
        let visit = None;
        let resumed = Resumed {
            of,
            reader,
            session,
            visit,
        };
        self.exchanges.insert(id, Served::Resumed(Box::new(resumed)));
        self.ready.insert(id);
        if let Some(room) = self.rooms.get_mut(session) {
            room.exchanges += 1;
        }
        true
    }

    /// What is kept of a stream that is over.
    fn left_of(
        &mut self,
        rules: Rules<'_>,
        listening: &Listening<'_>,
        key: HttpSessionKey,
        last: EventId,
    ) -> Result<Exchange, Refusal> {
        let room = self.rooms.get(key).ok_or(Refusal::SessionNotFound)?;
        let replayed = self.replay.replay(last);
        // It is served once, and kept for another time.
        self.replay.leave(last.stream);
        listening.kept(rules, &room.session, last, replayed)
    }

    /// An exchange of a session, which has taken its messages.
    pub(super) fn taken(
        &mut self,
        id: ExchangeId,
        key: HttpSessionKey,
        visit: Option<Visit>,
        taken: Taken<HttpRequestKey>,
        asker: &Arc<Asker>,
    ) -> Answering {
        let mut answering = Answering {
            session: Some(key),
            visit,
            ..Answering::alone(taken.exchange)
        };
        if let Some(room) = self.rooms.get_mut(key) {
            // Before anything that may end the session, which is forgotten once it has ended and has no exchange.
            room.exchanges += 1;
        }
        for request in taken.request.into_iter().chain(taken.more) {
            self.ask(id, &mut answering, Some(key), request, asker);
        }
        for (happening, request) in taken.happened {
            self.happened(key, happening, request, asker);
        }
        if answering.exchange.is_answered() {
            // Nothing is in progress: from now on its idle time counts, though the client may not have read the answer.
            self.leaving.extend(answering.visit.take());
        }
        answering
    }

    /// Hands a request to the application.
    pub(super) fn ask(
        &mut self,
        id: ExchangeId,
        answering: &mut Answering,
        session: Option<HttpSessionKey>,
        request: ClientRequest,
        asker: &Arc<Asker>,
    ) {
        let number = answering.requests.len() as u32;
        let key = HttpRequestKey { exchange: id, number };
        let in_session = request.token.key();
        answering.requests.insert(number, in_session);
        if let (Some(session), Some(running)) = (session, in_session)
            && let Some(room) = self.rooms.get_mut(session)
            && room.session.started(running, key).is_err()
        {
            // Cancelled by a later message of the same batch: nobody hears of it.
            answering.requests.remove(&number);
            answering.exchange.skip();
            return;
        }
        let request = request.map_token(|token| HttpRequestToken {
            key,
            session,
            token,
            asker: asker.clone(),
        });
        self.events.push_back(HttpEvent::Request(request));
    }

    pub(super) fn happened(
        &mut self,
        session: HttpSessionKey,
        happening: Happening,
        request: Option<HttpRequestKey>,
        asker: &Arc<Asker>,
    ) {
        match happening {
            Happening::Notification(notification) => self.events.push_back(HttpEvent::Notification {
                session,
                notification,
                from: asker.clone(),
            }),
            Happening::Cancelled { reason, .. } => {
                // `None` where it is not handed out yet: `started` gives it back then.
                if let Some(request) = request {
                    self.cancelled(request, reason);
                }
            }
            Happening::Reply { call, outcome } => {
                let call = HttpCallId { session, call };
                self.calls.remove(&call);
                self.events.push_back(HttpEvent::Reply { call, outcome });
                self.rooms.watch(session);
            }
            Happening::Progress { call, params } => {
                let call = HttpCallId { session, call };
                self.events.push_back(HttpEvent::Progress { call, params });
                self.rooms.watch(session);
            }
            Happening::Opened => self.events.push_back(HttpEvent::Opened(session)),
        }
    }
}
