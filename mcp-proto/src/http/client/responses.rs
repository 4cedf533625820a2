//! What comes of the exchanges of a client.

use alloc::boxed::Box;
use core::time::Duration;

use bytes::Bytes;
use http::response::Parts;

use super::exchange::{
    Exchange, ExchangeError, ExchangeId, Kind, Response, authenticate, failure, failure_with, not_resumed, refusal,
};
use super::exchanges::Exchanges;
use super::listen::retry_after;
use super::output::Output;
use super::resumes::Broken;
use super::session::SessionId;
use crate::jsonrpc::{ErrorObject, Incoming, Message, ParseError, parse};
use crate::rpc::{CallId, Failure, Purpose, is_transient};
use crate::time::Time;
use crate::wire::header::MCP_SESSION_ID;
use crate::wire::sse::{SseError, SseEvent};

impl Exchanges {
    /// The head of a response came.
    pub fn head(&mut self, now: Time, id: ExchangeId, head: &Parts) {
        let exchange = self.table.get(id);
        let Some(exchange) = exchange.filter(|exchange| matches!(exchange.response, Response::Awaited)) else {
            return;
        };
        let (kind, in_session) = (exchange.kind, exchange.in_session);
        let is_streamed = self.is_streamed(id);
        if let Kind::Post(purpose) = kind
            && is_streamed
            && self.posted(now, id, purpose, head)
        {
            return;
        }
        // Only to a request that names a session does 404 say that it is lost (2025-11-25, Transports, Session
        // Management, 3).
        if in_session.is_some() && !is_streamed && head.status == http::StatusCode::NOT_FOUND {
            return self.lost(now, id);
        }
        if head.status.is_redirection() {
            return self.redirected(now, id, head);
        }
        let response = Response::of(head, &self.limits);
        self.table.update(id, |exchange| exchange.response = response);
        match kind {
            Kind::Post(purpose @ (Purpose::Initialize(_) | Purpose::Call(_))) => {
                if let Purpose::Initialize(call) = purpose
                    && head.status.is_success()
                    && !is_streamed
                {
                    let session = head.headers.get(MCP_SESSION_ID).and_then(SessionId::read);
                    self.begun(now, id, call, session);
                }
                self.refuse_at_once(now, id);
            }
            Kind::Post(_) => {
                let status = head.status.as_u16();
                // It must be 202 (2025-11-25, Transports, Sending Messages, 4), but servers answer with others of 2xx
                // too.
                let is_taken = head.status.is_success();
                let failure = || failure(status, authenticate(&head.headers));
                self.taken(now, id, if is_taken { Ok(()) } else { Err(failure()) });
            }
            Kind::Listen => self.listening(now, id, head),
            Kind::Stream => self.streaming(now, id, head),
            Kind::Resume(call) => self.resuming(now, id, call, head),
            Kind::Delete => self.ignore(now, id),
        }
    }

    /// The server names another place for the request, or none that is followed.
    fn redirected(&mut self, now: Time, id: ExchangeId, head: &Parts) {
        let Some(exchange) = self.table.get(id) else { return };
        let (kind, in_session, until) = (exchange.kind, exchange.in_session, exchange.until);
        match exchange.route().redirected(self.target(id), head) {
            Err(reason) => {
                let www_authenticate = authenticate(&head.headers);
                let status = head.status.as_u16();
                let failure = Failure::Status {
                    status,
                    www_authenticate,
                    reason,
                };
                self.refused(now, id, failure);
            }
            Ok(route) if matches!(kind, Kind::Post(_)) && kind.call().is_some() => {
                let call = self.table.leave(id, kind);
                self.ignore(now, id);
                if let Some(call) = call {
                    self.emit(Output::Redirected { call, route });
                }
            }
            Ok(route) => {
                let kept = |exchange: &mut Exchange| (exchange.resend.take(), exchange.cursor.take());
                let (resend, cursor) = self.table.update(id, kept).unwrap_or_default();
                // The call waits for the next exchange.
                self.table.leave(id, kind);
                self.ignore(now, id);
                let exchange = Exchange {
                    kind,
                    in_session,
                    until,
                    resend,
                    cursor,
                    response: Response::Awaited,
                };
                self.restart(id, exchange, route);
            }
        }
    }

    /// An exchange comes to nothing, whatever more its response holds.
    fn refused(&mut self, now: Time, id: ExchangeId, failure: Failure) {
        let Some(kind) = self.table.get(id).map(|exchange| exchange.kind) else {
            return;
        };
        match kind {
            Kind::Post(Purpose::Initialize(_) | Purpose::Call(_)) | Kind::Resume(_) => {
                let call = self.table.leave(id, kind);
                self.fail_call(call, failure);
            }
            Kind::Post(_) => return self.taken(now, id, Err(failure)),
            Kind::Listen => {
                self.listen.refused();
                self.emit(Output::NotListening(failure));
            }
            Kind::Stream => return self.lose_stream(now, id, failure),
            Kind::Delete => {}
        }
        self.ignore(now, id);
    }

    /// A kept connection was gone before anything of the response came: what does no harm twice is sent once more.
    fn stale(&mut self, now: Time, id: ExchangeId, exchange: Exchange, call: Option<CallId>) {
        let (kind, route) = (exchange.kind, exchange.route().again());
        match (call, &exchange.resend) {
            (Some(call), _) if matches!(kind, Kind::Post(_)) => self.emit(Output::Stale { call, route }),
            (_, Some(resend)) if resend.is_repeatable => {
                self.restart(id, exchange, route);
            }
            _ => self.broke_off(now, id, kind, call, Failure::Disconnected),
        }
    }

    /// The GET stream is there, or refused.
    fn listening(&mut self, now: Time, id: ExchangeId, head: &Parts) {
        if matches!(self.response_of(id), Some(Response::Events { .. })) {
            return;
        }
        let status = head.status.as_u16();
        let refused = self.table.update(id, |exchange| refusal(&mut exchange.response));
        let failure = (refused.flatten()).unwrap_or_else(|| failure(status, authenticate(&head.headers)));
        self.ignore(now, id);
        if is_transient(status) {
            self.stopped_listening(now, id, retry_after(&head.headers), failure);
        // What it does not know may be the event alone.
        } else if status == 400 && self.listen.last_event_id().is_some() {
            self.listen.forget_event();
            self.stopped_listening(now, id, None, failure);
        } else {
            self.listen.refused();
            // 405 is the regular way to say that there is none (2025-11-25, Listening for Messages from the Server, 2):
            // nothing is lost with it.
            if head.status != http::StatusCode::METHOD_NOT_ALLOWED {
                self.emit(Output::NotListening(failure));
            }
        }
    }

    /// The rest of the stream of a call is there, or refused.
    fn resuming(&mut self, now: Time, id: ExchangeId, call: CallId, head: &Parts) {
        if matches!(self.response_of(id), Some(Response::Events { .. })) {
            return;
        }
        let status = head.status.as_u16();
        if is_transient(status)
            && let Some(mut cursor) = self.table.update(id, |exchange| exchange.cursor.take()).flatten()
            && let Some(next) = cursor.ended(now, retry_after(&head.headers))
            && self.table.unanswered(id, Kind::Resume(call)).is_some()
        {
            let in_session = self.table.get(id).and_then(|exchange| exchange.in_session);
            self.abort_exchange(id);
            return self.resumes.wait(
                next,
                Broken {
                    call,
                    cursor,
                    in_session,
                },
            );
        }
        let failure = not_resumed(status, authenticate(&head.headers));
        let call = self.table.leave(id, Kind::Resume(call));
        self.fail_call(call, failure);
        self.ignore(now, id);
    }

    /// Opens the stream of a call again that is over without the answer, where its events have ids (2025-11-25, Transports,
    /// Resumability and Redelivery, 2). Whether that is so: the call goes on, within its own time.
    fn resume(&mut self, now: Time, exchange: &mut Exchange, call: Option<CallId>) -> bool {
        let is_call = matches!(exchange.kind, Kind::Post(Purpose::Call(_)) | Kind::Resume(_));
        let in_session = exchange.in_session;
        // An id means nothing in another session. There are servers without sessions that number their events too.
        let is_here = in_session.is_none() == self.session.id().is_none()
            && (in_session.is_none() || self.session.is_present(in_session));
        let (Some(call), true, true) = (call, is_call, is_here && self.may_resume()) else {
            return false;
        };
        let cursor = (exchange.cursor.take()).filter(|cursor| cursor.last_event_id().is_some());
        let Some(mut cursor) = cursor else { return false };
        let Some(next) = cursor.ended(now, None) else {
            return false;
        };
        let broken = Broken {
            call,
            cursor,
            in_session,
        };
        self.resumes.wait(next, broken);
        true
    }

    /// Notes where the stream of a call is. Whether the event is new.
    fn move_on(&mut self, id: ExchangeId, event_id: Option<&str>, retry: Option<Duration>, has_message: bool) -> bool {
        let note = |exchange: &mut Exchange| {
            // Nothing is kept of a stream whose events have no ids: it cannot be resumed.
            if exchange.cursor.is_none() && event_id.is_none() && retry.is_none() {
                return true;
            }
            let cursor = exchange.cursor.get_or_insert_default();
            cursor.received(event_id, retry, has_message)
        };
        self.table.update(id, note).unwrap_or(true)
    }

    /// The GET stream ended, broke off, or was refused for the moment.
    fn stopped_listening(&mut self, now: Time, id: ExchangeId, after: Option<Duration>, failure: Failure) {
        if self.listen.ended(now, id, after) {
            self.emit(Output::NotListening(failure));
        }
    }

    /// The server has begun a session, or works without one.
    fn begun(&mut self, now: Time, id: ExchangeId, call: CallId, session: Option<SessionId>) {
        if self
            .table
            .unanswered(id, Kind::Post(Purpose::Initialize(call)))
            .is_some()
        {
            return self.session.begun(session);
        }
        // Nobody waits for it any more. Its end takes no longer than the answer might have.
        self.ignore(now, id);
        let until = self.table.get(id).and_then(|exchange| exchange.until);
        if let Some(session) = session {
            self.end_session(until.unwrap_or(now), &session);
        }
    }

    /// A part of the body of a response came.
    pub fn body(&mut self, now: Time, id: ExchangeId, chunk: &Bytes) {
        let kept = self.table.body_bytes();
        let taken = self.table.update(id, |exchange| {
            let elsewhere = kept - exchange.response.size();
            exchange.response.push(chunk, elsewhere, &self.limits)
        });
        match taken {
            Some(Ok(())) => self.readable.add(id),
            Some(Err(failure)) => self.give_up(now, id, failure),
            None => {}
        }
    }

    /// The response is complete.
    pub fn end(&mut self, now: Time, id: ExchangeId) {
        // What has come of it is read before.
        if self.readable.end(id) {
            return;
        }
        let Some((mut exchange, call)) = self.table.take(id) else {
            return;
        };
        let may_go_on = matches!(exchange.response, Response::Awaited | Response::Events { .. });
        if may_go_on && self.resume(now, &mut exchange, call) {
            return;
        }
        match exchange.response {
            _ if exchange.kind == Kind::Listen => self.stopped_listening(now, id, None, Failure::Disconnected),
            _ if exchange.kind == Kind::Stream => self.stream_broke(now, id, Failure::Interrupted),
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
            Response::Awaited => self.broke_off(now, id, exchange.kind, call, Failure::Disconnected),
            Response::Events { .. } => self.fail_call(call, Failure::Interrupted),
            Response::Refused { .. } | Response::Encoded { .. } | Response::Ignored => {}
        }
    }

    /// The exchange failed on the transport.
    pub fn failed(&mut self, now: Time, id: ExchangeId, error: ExchangeError) {
        // A stream that broke off has ended, like any other.
        if self.readable.end(id) {
            return;
        }
        let Some((mut exchange, call)) = self.table.take(id) else {
            return;
        };
        if let (ExchangeError::Stale(_), Response::Awaited) = (&error, &exchange.response)
            && !exchange.route().is_second
        {
            return self.stale(now, id, exchange, call);
        }
        // Also where no connection could be made: the server may be there again in a moment.
        if matches!(exchange.response, Response::Awaited | Response::Events { .. })
            && self.resume(now, &mut exchange, call)
        {
            return;
        }
        let failure = match error {
            ExchangeError::Unreachable(why) => Failure::Unreachable(why),
            // What of a response came says that it was not stale.
            ExchangeError::Stale(_) if matches!(exchange.response, Response::Awaited) => Failure::Stale,
            ExchangeError::Broken(_) | ExchangeError::Stale(_) => Failure::Disconnected,
            ExchangeError::TooManyConnections => Failure::TooManyConnections,
        };
        match (exchange.kind, exchange.response) {
            (Kind::Listen, _) => self.stopped_listening(now, id, None, failure),
            (Kind::Stream, _) => self.stream_broke(now, id, failure),
            // The status is known; what more the body would have said is not.
            (
                _,
                Response::Failure {
                    status, authenticate, ..
                },
            ) => self.fail_call(call, self::failure(status, authenticate)),
            (_, Response::Ignored | Response::Refused { .. } | Response::Encoded { .. }) => {}
            (kind, Response::Events { .. }) => self.broke_off(now, id, kind, call, Failure::Interrupted),
            (kind, _) => self.broke_off(now, id, kind, call, failure),
        }
    }

    /// An exchange is over before anything was known of its message.
    fn broke_off(&mut self, now: Time, id: ExchangeId, kind: Kind, call: Option<CallId>, failure: Failure) {
        match kind {
            Kind::Post(Purpose::Initialize(_) | Purpose::Call(_)) | Kind::Resume(_) => self.fail_call(call, failure),
            Kind::Post(purpose) => self.emit(Output::Delivered {
                purpose,
                outcome: Err(failure),
            }),
            Kind::Stream => self.stream_broke(now, id, failure),
            Kind::Listen | Kind::Delete => {}
        }
    }

    /// The server does not know the session: whatever was sent, the client "MUST start a new session" (2025-11-25,
    /// Transports, Session Management, 4).
    fn lost(&mut self, now: Time, id: ExchangeId) {
        let Some(exchange) = self.table.get(id) else { return };
        let is_present = self.session.is_present(exchange.in_session);
        let kind = exchange.kind;
        // Not for the GET stream: servers that have none answer 404 as well, whatever the session.
        if is_present && matches!(kind, Kind::Post(_)) {
            // It is not named any more, and needs no DELETE.
            self.session.take();
            self.answers.clear();
        }
        match kind {
            Kind::Post(Purpose::Initialize(_) | Purpose::Call(_)) => {
                let call = self.table.leave(id, kind);
                self.fail_call(call, Failure::SessionLost);
                self.ignore(now, id);
            }
            Kind::Post(purpose) => {
                self.taken(now, id, Err(Failure::SessionLost));
                // Without `notifications/initialized` the handshake fails, and the next call begins anew.
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
            // Nor here: a server may know the session, and the event no more.
            Kind::Resume(_) => {
                let call = self.table.leave(id, kind);
                self.fail_call(call, not_resumed(404, None));
                self.ignore(now, id);
                if is_present {
                    self.emit(Output::SessionDoubtful);
                }
            }
            Kind::Delete | Kind::Stream => self.ignore(now, id),
        }
    }

    /// A message that wants no answer was taken, or not.
    pub(super) fn taken(&mut self, now: Time, id: ExchangeId, outcome: Result<(), Failure>) {
        if let Some(Exchange {
            kind: Kind::Post(purpose),
            ..
        }) = self.table.get(id)
        {
            let purpose = *purpose;
            self.emit(Output::Delivered { purpose, outcome });
            self.ignore(now, id);
        }
    }

    /// Nothing in this response matters any more.
    pub(super) fn ignore(&mut self, now: Time, id: ExchangeId) {
        self.table.update(id, |exchange| exchange.response = Response::Ignored);
        self.table.end_at(id, now + self.timeouts.close);
    }

    /// Fails the call of a response whose head says it all.
    fn refuse_at_once(&mut self, now: Time, id: ExchangeId) {
        let refused = self
            .table
            .update(id, |exchange| Some((exchange.kind, refusal(&mut exchange.response)?)));
        if let Some((kind, failure)) = refused.flatten() {
            let call = self.table.leave(id, kind);
            self.fail_call(call, failure);
            self.ignore(now, id);
        }
    }

    /// Reads one more event of the streams that have brought some. `false` where there is none.
    ///
    /// One at a time, so that whoever reads can stop between two: each may be a request that wants an answer, and thousands
    /// fit into what a driver reads at once.
    pub fn read(&mut self, now: Time) -> bool {
        let Some(id) = self.readable.next() else { return false };
        let event = self.table.update(id, |exchange| match &mut exchange.response {
            Response::Events { status, decoder } => {
                let event = decoder.poll_event()?;
                let event = event.map_err(|error| (error, Box::new(decoder.refused().clone())));
                Some((exchange.kind, *status, event))
            }
            _ => None,
        });
        match event.flatten() {
            None => {
                if self.readable.finish() {
                    self.end(now, id);
                }
            }
            Some((Kind::Stream, status, Ok(event))) => self.read_stream(now, id, status, &event),
            Some((kind, status, Ok(event))) => self.read_event(id, kind, status, &event),
            Some((kind, status, Err((SseError::InvalidUtf8, outline)))) => {
                let call = self.table.unanswered(id, kind);
                let error = ParseError::NotUtf8;
                self.emit(Output::Broken {
                    error,
                    outline,
                    status,
                    call,
                });
            }
            // Only one message is lost, which is told.
            Some((kind, status, Err((SseError::TooLarge { limit }, outline))))
                if kind == Kind::Listen || self.is_open_stream(id) =>
            {
                self.emit(Output::Broken {
                    error: ParseError::TooLong { limit },
                    outline,
                    status,
                    call: None,
                });
            }
            // The answer may have been in there: the call must not wait for what cannot come.
            Some((_, _, Err((error, _)))) => {
                self.give_up(now, id, Failure::Unreadable(alloc::format!("{error}").into()));
            }
        }
        true
    }

    /// Whether there may be events that are not [read](Self::read).
    pub fn has_unread(&self) -> bool {
        !self.readable.is_empty()
    }

    fn read_event(&mut self, id: ExchangeId, kind: Kind, status: u16, event: &SseEvent) {
        let message = event.message();
        let (event_id, retry, has_message) = (event.id.as_deref(), event.retry, message.is_some());
        let is_new = match kind {
            Kind::Listen => self.listen.received(event_id, retry, has_message),
            _ => self.move_on(id, event_id, retry, has_message),
        };
        if let Some(text) = message.filter(|_| is_new) {
            let text = text.clone();
            let call = self.table.unanswered(id, kind);
            self.emit(Output::Text { text, status, call });
        }
    }

    /// Ends an exchange that cannot bring an answer any more.
    fn give_up(&mut self, now: Time, id: ExchangeId, failure: Failure) {
        if let Some(kind) = self.table.get(id).map(|exchange| exchange.kind) {
            if kind == Kind::Stream {
                return self.lose_stream(now, id, failure);
            }
            let call = self.table.leave(id, kind);
            if kind == Kind::Listen {
                self.listen.refused();
                self.emit(Output::NotListening(failure));
            } else {
                self.fail_call(call, failure);
            }
            self.abort_exchange(id);
        }
    }

    /// The body of a failure is complete: it may hold the JSON-RPC error that was meant.
    fn end_failure(&mut self, call: Option<CallId>, status: u16, authenticate: Option<Box<str>>, body: Bytes) {
        let Some(call) = call else { return };
        match self.error_in(body.clone()) {
            // A gateway that wants authorization may answer with any code: here only the status counts.
            Some(error) if !matches!(status, 401 | 403) => self.emit(Output::Rejected { call, error, status }),
            _ => self.fail_call(Some(call), failure_with(status, authenticate, &body)),
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
}
