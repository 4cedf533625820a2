//! What a client makes of what the world tells it.

use alloc::sync::Arc;

use super::call::{Call, CallProgress, CallPurpose};
use super::era::Channel;
use super::event::{ClientEvent, ServerNotification, ServerRequest};
use super::inbox::{Inbox, Taken};
use super::link::{Link, Origin};
use super::machine::Client;
use crate::jsonrpc::{
    DecodeError, ErrorCode, ErrorObject, Id, Incoming, Message, Notification, Params, ParseError, Peek, RawJson,
    Request, Response, result_type,
};
use crate::method::Method;
use crate::revision::Revision;
use crate::rpc::{CallError, CallId, CallOptions, Excerpt, Failure, Purpose};
use crate::time::Time;
use crate::wire::outline::Outline;

impl Client {
    /// A line, body or event came.
    pub fn receive_text(&mut self, now: Time, text: bytes::Bytes, origin: Origin) {
        match crate::jsonrpc::parse_shared(&text, &self.config.limits) {
            Ok(Incoming::Single(message)) => self.receive(now, message, origin),
            Ok(Incoming::Batch(batch)) if self.revision().is_some_and(Revision::allows_batches) => {
                // One that cannot be read takes none of the others along.
                for message in batch.messages() {
                    match message {
                        Ok(message) => self.receive(now, message, origin),
                        Err(invalid) => {
                            let excerpt = || Excerpt::withheld(0);
                            self.receive_invalid(&ParseError::Invalid(invalid), origin, excerpt);
                        }
                    }
                }
            }
            // Only 2025-03-26 has batches.
            Ok(Incoming::Batch(_)) => self.junk(Excerpt::withheld(text.len())),
            Err(error) => self.receive_invalid(&error, origin, || excerpt(&text, text.len())),
        }
    }

    /// A message came.
    pub fn receive(&mut self, now: Time, message: Message, origin: Origin) {
        // All calls have ended, and all that asked was told: nothing that comes has a receiver.
        if self.closed.is_some() {
            return;
        }
        // Verbs take no time: what they need of it is this.
        self.now = now;
        self.tools.expire(now);
        self.kept_results.expire(now);
        match message {
            Message::Response(response) => self.receive_response(response, origin),
            Message::Notification(notification) => self.receive_notification(now, notification, origin),
            Message::Request(request) => self.receive_request(request, origin),
        }
    }

    /// The exchange of a call ended without an answer to it.
    pub fn fail(&mut self, call: CallId, failure: Failure) {
        // One that waits to be sent again is not touched by what becomes of its last exchange.
        let Some(waiting) = self.calls.get(call).filter(|call| call.is_sent()) else {
            return;
        };
        let step = match waiting.purpose {
            CallPurpose::Application | CallPurpose::Tools | CallPurpose::Round(_) => {
                return self.work_failed(call, failure);
            }
            CallPurpose::Listen(listener) => return self.listen_failed(call, listener, failure),
            // Is never with the server.
            CallPurpose::ToolList => return,
            CallPurpose::Ping | CallPurpose::Topic => return self.own_failed(call, failure),
            CallPurpose::Discover => {
                self.calls.remove(call);
                self.negotiation.discover_failed(failure)
            }
            CallPurpose::Initialize => {
                self.calls.remove(call);
                self.negotiation.initialize_failed(failure)
            }
        };
        self.follow(step);
    }

    /// The server has a message that wants no answer, or refused it.
    pub fn delivered(&mut self, purpose: Purpose, outcome: Result<(), Failure>) {
        if purpose == Purpose::Initialized && self.closed.is_none() {
            let step = self.negotiation.announced(outcome);
            self.follow(step);
        }
    }

    /// The byte stream has ended: nothing will come any more. Where it broke off, `failure` says why.
    pub fn peer_closed(&mut self, failure: Option<&str>) {
        self.tell_end();
        self.close(self.obituary.reason(failure.map(Arc::from)));
    }

    /// The server that this side had started has ended: how, such as `exited with status 1`, whether that is how one exits
    /// that wants to, and what it said last for people, where that is known. To be told before [`peer_closed`](Self::peer_closed), where that is possible: the calls
    /// then end with [`CloseReason::Exited`](crate::rpc::CloseReason::Exited). Comes as [`ClientEvent::Exited`].
    pub fn ended(&mut self, status: &str, is_success: bool, last_output: Option<&str>) {
        self.obituary.set(status, is_success, last_output);
        if self.closed.is_some() {
            self.tell_end();
        }
    }

    /// Tells how the server ended, where that is known and was not told. All that it has written is read.
    pub(super) fn tell_end(&mut self) {
        let was_early = !self.negotiation.is_confirmed();
        if let Some(farewell) = self.obituary.tell(was_early, self.junk.0.as_ref()) {
            self.events.push(ClientEvent::Exited(farewell));
        }
    }

    /// An exchange was answered with an error that carries no id: it can only mean the call of the exchange.
    pub fn rejected(&mut self, call: CallId, error: ErrorObject, status: u16) {
        if self.calls.is_sent(call) {
            self.answer(call, Err(error), Channel::Http(status));
        }
    }

    /// The server does not know the present session any more: the next begins at once.
    pub fn session_forgotten(&mut self) {
        // While the next one is begun, this is belated news of the last.
        if self.negotiation.is_legacy() && self.is_ready() {
            self.lose_session();
            self.connect();
        }
    }

    /// The session is over, and the next begins when someone needs it.
    #[cfg(feature = "http")]
    pub(super) fn session_ended(&mut self) {
        if self.negotiation.is_legacy() && self.is_ready() {
            self.lose_session();
        }
    }

    /// Whether there is a session of the legacy era, or its handshake is under way.
    #[cfg(feature = "http")]
    pub(super) fn has_handshake(&self) -> bool {
        self.closed.is_some() || self.negotiation.has_handshake()
    }

    /// Asks whether the server knows the session. A server without a GET stream should answer 405 to one
    /// (2025-11-25, Transports, Listening for Messages from the Server, 2), but many say 404: giving up a session
    /// for that would lose what it holds, again and again.
    pub fn ask_for_session(&mut self) {
        if self.negotiation.is_legacy() && self.is_ready() {
            let ping = self.ask(Method::Ping, Params::NONE, CallOptions::default(), CallPurpose::Ping);
            self.calls.set_doubt(ping);
        }
    }

    /// The GET stream of a legacy session will not be opened any more.
    #[cfg(feature = "http")]
    pub(super) fn not_listening(&mut self, failure: Failure) {
        // When it closed, the application was told all there is.
        if self.closed.is_none() {
            let error = CallError::from(failure);
            self.listeners.deafen(error.clone());
            self.events.push(ClientEvent::NotListening(error));
        }
    }

    /// A line came that is too long to be read. Where it shows that it answers a call, the call ends.
    pub(super) fn receive_overlong(&mut self, outline: &Outline, head: &[u8]) {
        let limits = &self.config.limits;
        let limit = limits.line_bytes;
        let error = ParseError::TooLong { limit }.with_outline(outline, limits.id_bytes);
        self.receive_invalid(&error, Origin::Stream, || excerpt(head, limit));
    }

    /// An event came that is no text, or too long.
    #[cfg(feature = "http")]
    pub(super) fn receive_broken(&mut self, error: ParseError, outline: &Outline, origin: Origin) {
        let error = error.with_outline(outline, self.config.limits.id_bytes);
        self.receive_invalid(&error, origin, || Excerpt::withheld(0));
    }

    /// Something came that is no message. On a byte stream nothing is answered: two sides that answer junk
    /// with junk never stop.
    fn receive_invalid(&mut self, error: &ParseError, origin: Origin, excerpt: impl FnOnce() -> Excerpt) {
        // Else its caller would wait for an answer that has come.
        if let Some(call) = self.meant(error, origin)
            && let Some(data) = self.calls.remove(call)
        {
            let error = CallError::InvalidReply(DecodeError::new(error));
            self.counters.junk += 1;
            self.settle(call, &data, Err(error), origin.channel());
        } else {
            self.junk(excerpt());
        }
    }

    /// Something came that is of no use to anybody.
    fn junk(&mut self, excerpt: Excerpt) {
        self.counters.junk += 1;
        let (last, told) = &mut self.junk;
        *last = Some(excerpt.clone());
        // A server that writes its log to standard output does so with every call.
        if *told < self.config.limits.junk_reports && self.closed.is_none() {
            *told += 1;
            self.events.push(ClientEvent::Junk(excerpt));
        }
    }

    /// The call that something answers which cannot be read.
    fn meant(&self, error: &ParseError, origin: Origin) -> Option<CallId> {
        match error.id() {
            // A request of the server may have the id of one of our calls.
            Some(id) if error.is_reply() => self.calls.find_sent(id),
            Some(_) => None,
            // What comes in the response to a call and is cut before it says what it is can only be the answer.
            None => {
                let related = self.carried(origin).filter(|_| error.may_be_reply());
                related.or_else(|| self.probe(origin).filter(|_| error.is_reply()))
            }
        }
    }

    /// The question what the server speaks, on a byte stream: it is alone there, and so what names no request answers it.
    /// Servers that do not know the method may not have read its id.
    fn probe(&self, origin: Origin) -> Option<CallId> {
        let is_alone = matches!(origin, Origin::Stream) && self.negotiation.is_asking();
        self.calls.asked().filter(|_| is_alone)
    }

    fn receive_response(&mut self, response: Response, origin: Origin) {
        let id = response.id.as_ref();
        let meant = match id {
            Some(id) => self.calls.find_sent(id),
            // It can only mean the call whose exchange it came in; a byte stream does not tell, but where one question
            // is all that there is.
            None => self.carried(origin).or_else(|| self.probe(origin)),
        };
        match meant {
            Some(call) => self.answer(call, response.outcome, origin.channel()),
            // That is regular: an answer may cross with the cancellation (2025-11-25, Cancellation).
            None if id.is_some_and(|id| self.calls.was_answered(id)) => self.counters.late_replies += 1,
            None => self.counters.unknown_replies += 1,
        }
    }

    fn answer(&mut self, id: CallId, outcome: Result<RawJson, ErrorObject>, channel: Channel) {
        if let Err(error) = &outcome
            && (self.is_refused_for_headers(id, error) || self.is_renegotiated(id, error, channel))
        {
            return;
        }
        if let Some(call) = self.calls.remove(id) {
            self.settle(id, &call, outcome.map_err(CallError::Rpc), channel);
        }
    }

    fn settle(&mut self, id: CallId, call: &Call, outcome: Result<RawJson, CallError>, channel: Channel) {
        self.calls.settle(id);
        let step = match call.purpose {
            CallPurpose::Application | CallPurpose::Round(_) => return self.settle_application(id, call, outcome),
            CallPurpose::Tools => {
                if outcome.is_ok() {
                    self.negotiation.confirm();
                }
                return self.settle_page(outcome);
            }
            // Whatever answers a ping, it shows that the session is known.
            CallPurpose::Ping | CallPurpose::ToolList => return,
            CallPurpose::Listen(listener) => return self.listen_answered(listener, outcome, channel),
            CallPurpose::Topic => return self.topic_answered(id, outcome.as_ref().map(drop)),
            CallPurpose::Discover => self.negotiation.discovered(&outcome, channel),
            CallPurpose::Initialize => self.negotiation.initialized(outcome, channel),
        };
        self.follow(step);
    }

    fn settle_application(&mut self, id: CallId, call: &Call, outcome: Result<RawJson, CallError>) {
        // Only a result tells: servers of either era answer with errors.
        if outcome.is_ok() {
            self.negotiation.confirm();
        }
        let outcome = match outcome.and_then(|result| Ok((self.requires_input(&result)?, result))) {
            Ok((false, result)) => Ok(result),
            Ok((true, result)) => return self.input_required(id, call, result),
            Err(error) => Err(error),
        };
        if let (Ok(_), Some(method), true) = (&outcome, call.method.known(), self.negotiation.is_legacy()) {
            self.standing.agreed(method, &call.params);
            if method == Method::Unsubscribe {
                self.unsubscribed(&call.params);
            }
        }
        // Of a call that needed input, what was answered is in it (2026-07-28, Multi Round-Trip Requests).
        if call.options.cached
            && call.purpose == CallPurpose::Application
            && let Some(method) = call.method.known()
        {
            self.keep_result(method, &call.params, &outcome);
        }
        let outcome = match call.method.known() {
            // Also where the application reads the list itself: calls of these tools need their headers.
            Some(Method::ListTools) => outcome.map(|result| self.learn_tools(result)),
            _ => outcome,
        };
        self.conclude(id, call.purpose, outcome);
    }

    /// A call that may be answered by what is kept has brought a result, or none.
    fn keep_result(&mut self, method: Method, params: &Params, outcome: &Result<RawJson, CallError>) {
        match outcome {
            // In a legacy result, `ttlMs` is a member like any other.
            Ok(result) if self.negotiation.is_modern() => {
                let most = self.config.limits.kept_results_bytes;
                self.kept_results.keep(self.now, method, params, result, most);
            }
            Err(CallError::Rpc(error)) if error.code == ErrorCode::INVALID_PARAMS => self.kept_results.distrust(method),
            _ => {}
        }
    }

    /// Whether a result is none yet, because the server needs input first.
    ///
    /// 2026-07-28, Overview, ResultType: an unknown type "MUST be considered invalid", an absent one is
    /// `complete`.
    pub(super) fn requires_input(&self, result: &RawJson) -> Result<bool, CallError> {
        // In a legacy result, `resultType` is a member like any other.
        if !self.revision().is_some_and(Revision::is_stateless) {
            return Ok(false);
        }
        match result_type(result) {
            Ok(None) => Ok(false),
            Ok(Some(kind)) if kind == "complete" => Ok(false),
            Ok(Some(kind)) if kind == "input_required" => Ok(true),
            Ok(Some(kind)) => Err(CallError::UnknownResultType(kind.into())),
            Err(error) => Err(CallError::InvalidReply(error)),
        }
    }

    /// Whether a call was refused because of the era or the revision it was made in: once, it is made again.
    fn is_renegotiated(&mut self, id: CallId, error: &ErrorObject, channel: Channel) -> bool {
        let Some(epoch) = self.first_sent(id) else { return false };
        let renegotiation = self.negotiation.doubt(epoch, error, channel);
        self.renegotiate(id, renegotiation)
    }

    /// The epoch in which a call for the application was sent, where that was once.
    pub(super) fn first_sent(&self, id: CallId) -> Option<u64> {
        let call = self.calls.get(id).filter(|call| call.is_work() && !call.repeated)?;
        match call.progress {
            CallProgress::Sent(epoch) => Some(epoch),
            _ => None,
        }
    }

    fn work_failed(&mut self, id: CallId, failure: Failure) {
        // Before the era is doubted: it says that the session is gone, and nothing else.
        if failure == Failure::SessionLost {
            return self.session_lost(id);
        }
        if let Some(epoch) = self.first_sent(id) {
            let renegotiation = self.negotiation.doubt_failure(epoch, &failure);
            if self.renegotiate(id, renegotiation) || self.is_reissued(id, &failure) {
                return;
            }
        }
        if let Some(call) = self.calls.remove(id) {
            self.conclude(id, call.purpose, Err(failure.into()));
        }
    }

    /// The server does not know the session that a call was made in.
    ///
    /// 2025-11-25, Transports, Session Management, 4: the client "MUST start a new session". The call was not
    /// processed, so it is made again in the new one, once.
    fn session_lost(&mut self, id: CallId) {
        let Some(call) = self.calls.get(id) else { return };
        let (repeated, purpose) = (call.repeated, call.purpose);
        if self.is_present(call) {
            self.lose_session();
        }
        if repeated {
            self.calls.remove(id);
            self.conclude(id, purpose, Err(CallError::SessionLost));
        } else {
            self.repeat(id);
        }
    }

    /// The question whether the server knows the session failed, or another of the machine's own.
    fn own_failed(&mut self, id: CallId, failure: Failure) {
        let own = self.calls.remove(id);
        if failure == Failure::SessionLost && own.is_some_and(|own| self.is_present(&own)) {
            self.lose_session();
            self.connect();
        } else {
            self.topic_answered(id, Err(&failure.into()));
        }
    }

    /// Whether a call was sent in the present session. Where the next has begun already, what comes for it is belated
    /// news of the last one, and does not touch the next.
    fn is_present(&self, call: &Call) -> bool {
        call.progress == CallProgress::Sent(self.negotiation.epoch()) && self.is_ready()
    }

    fn lose_session(&mut self) {
        let step = self.negotiation.lose();
        self.follow(step);
    }

    fn receive_notification(&mut self, now: Time, notification: Notification, origin: Origin) {
        match notification.method.known() {
            Some(Method::ProgressNotification) => return self.receive_progress(now, notification),
            Some(Method::CancelledNotification) => return self.receive_cancelled(&notification),
            // Before the application hears of it: who asks then gets what is read from then on.
            Some(Method::ToolListChangedNotification) => self.tools.forget(),
            Some(
                changed @ (Method::PromptListChangedNotification
                | Method::ResourceListChangedNotification
                | Method::ResourceUpdatedNotification),
            ) => {
                self.kept_results.changed(changed, notification.params.as_ref());
            }
            Some(Method::SubscriptionsAcknowledgedNotification) if self.is_acknowledged(now, &notification, origin) => {
                return;
            }
            // It goes on from there like any other: it need not belong to a call.
            Some(Method::LoggingMessageNotification) => self.receive_log(&notification, origin),
            _ => {}
        }
        self.hear(&notification, origin);
        let related = self.related(origin).or_else(|| self.subscription_of(&notification));
        self.events
            .push(ClientEvent::Notification(ServerNotification { notification, related }));
    }

    /// The request whose response a message came in, where what carries it tells, and it is not answered.
    pub(super) fn carried(&self, origin: Origin) -> Option<CallId> {
        origin.call().filter(|call| self.calls.is_sent(*call))
    }

    /// The call that a message came with, where what carries it tells, and the call is not over.
    fn related(&self, origin: Origin) -> Option<CallId> {
        let call = origin.call()?;
        let sent = self.calls.get(call).filter(|call| call.is_sent())?;
        Some(sent.named(call))
    }

    /// The `subscriptions/listen` that a notification says it belongs to: on a byte stream, where nothing else tells
    /// (2026-07-28, Subscriptions: each carries the id of its subscription).
    pub(super) fn subscription_of(&self, notification: &Notification) -> Option<CallId> {
        if self.link != Link::Stream || !self.negotiation.is_modern() {
            return None;
        }
        let meta = Peek::of(notification.params.as_ref()?).ok()?.meta().ok()?;
        let id = Id::from_json(meta.subscription_id?)?;
        self.calls.find_sent(&id)
    }

    fn receive_progress(&mut self, now: Time, notification: Notification) {
        let peek = notification.params.as_ref().and_then(|params| Peek::of(params).ok());
        let call = peek.and_then(|peek| self.calls.report(peek.progress_token.as_ref()?, peek.reached(), now));
        match (call, notification.params) {
            (Some(call), Some(params)) => {
                let call = self.calls.get(call).map_or(call, |it| it.named(call));
                self.events.push(ClientEvent::Progress { call, params });
            }
            _ => self.counters.stray_progress += 1,
        }
    }

    /// A log message names no call. Over HTTP one that comes in the response to a call belongs to it
    /// (2026-07-28, Logging: "MUST NOT" come on another stream; before, Streamable HTTP: what comes there "SHOULD"
    /// relate to the request); on a byte stream nothing tells.
    fn receive_log(&mut self, notification: &Notification, origin: Origin) {
        let call = origin.call();
        let waiting = call.and_then(|call| Some((call, self.calls.get(call)?)));
        let wanting = waiting.filter(|(_, it)| it.options.log_level.is_some());
        if let (Some((call, it)), Some(params)) = (wanting, &notification.params) {
            let call = it.named(call);
            let params = params.clone();
            self.events.push(ClientEvent::Log { call, params });
        }
    }

    fn receive_cancelled(&mut self, notification: &Notification) {
        let id = notification
            .params
            .as_ref()
            .and_then(|params| Peek::of(params).ok()?.request_id);
        let Some(id) = id else {
            self.counters.stray_cancellations += 1;
            return;
        };
        if let Some(key) = self.inbox.cancel(&id) {
            self.events.push(ClientEvent::Cancelled(key));
        } else if let Some(call) = self.subscription(&id) {
            match self.calls.remove(call).map(|call| call.purpose) {
                Some(CallPurpose::Listen(listener)) => self.listeners.end(listener, Ok(())),
                _ => self.reply(call, Err(CallError::Cancelled)),
            }
        } else {
            self.counters.stray_cancellations += 1;
        }
    }

    /// Our `subscriptions/listen` with this id, where the server may end it with a cancellation: on a byte stream,
    /// which has no response stream to end (2026-07-28, Cancellation).
    fn subscription(&self, id: &Id) -> Option<CallId> {
        let call = self.calls.find_sent(id)?;
        let is_ours = self.calls.get(call)?.method.known() == Some(Method::ListenSubscriptions);
        (is_ours && self.link == Link::Stream).then_some(call)
    }

    /// A request of the server. 2026-07-28, Transports: clients "do not send JSON-RPC responses", so a modern server
    /// that asks all the same gets no answer.
    fn receive_request(&mut self, request: Request, origin: Origin) {
        let Some(revision) = self.negotiation.serves(Inbox::is_own(&request.method)) else {
            self.counters.junk += 1;
            return;
        };
        match self.inbox.take(&request, revision) {
            Taken::Asked(key) => {
                let related = self.related(origin);
                self.events
                    .push(ClientEvent::Request(ServerRequest { key, request, related }));
            }
            Taken::Respond(answer) => self.outbox.push_response(&request.id, &answer),
        }
    }
}

/// What may be shown of a text that was no message: nothing where it begins as one, for it may hold the arguments or the
/// result of a call.
fn excerpt(text: &[u8], length: usize) -> Excerpt {
    match text.trim_ascii_start().first() {
        Some(b'{' | b'[') => Excerpt::withheld(length),
        _ => Excerpt::of(text),
    }
}
