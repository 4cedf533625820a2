//! What a client makes of what the server sends.

use alloc::boxed::Box;
use core::time::Duration;

use super::config::Mode;
use super::era::{Channel, Evidence, Verdict, judge};
use super::event::{Event, IncomingRequest, ServerFacts};
use super::machine::{Call, CallProgress, CallPurpose, Client, Held, Link, Origin, Stage};
use crate::jsonrpc::{
    DecodeError, ErrorCode, ErrorObject, Head, Incoming, InvalidMessage, Message, Notification, ParseError, Peek,
    RawJson, Request, Response, result_type,
};
use crate::legacy::client as legacy;
use crate::method::{Method, Role};
use crate::model::{DiscoverResult, InitializeResult};
use crate::modern::client as modern;
use crate::revision::{Era, Revision};
use crate::rpc::{CallError, CallId, CloseReason, Failure, HttpFailure, Phase, Purpose, RequestRefused};
use crate::time::Time;

impl Client {
    /// A line, body or event came.
    pub fn receive_text(&mut self, now: Time, text: bytes::Bytes, origin: Origin) {
        match crate::jsonrpc::parse(text, &self.config.limits) {
            Ok(Incoming::Single(message)) => self.receive(now, message, origin),
            Ok(Incoming::Batch(batch)) if self.revision().is_some_and(Revision::allows_batches) => {
                for message in batch.messages() {
                    match message {
                        Ok(message) => self.receive(now, message, origin),
                        Err(invalid) => self.receive_invalid(&ParseError::Invalid(invalid)),
                    }
                }
            }
            Ok(Incoming::Batch(_)) => self.counters.junk += 1,
            Err(error) => self.receive_invalid(&error),
        }
    }

    /// A message came.
    pub fn receive(&mut self, now: Time, message: Message, origin: Origin) {
        if self.closed.is_some() {
            return;
        }
        match message {
            Message::Response(response) => self.receive_response(response, origin),
            Message::Notification(notification) => self.receive_notification(now, notification),
            Message::Request(request) => self.receive_request(request),
        }
    }

    /// The exchange of a call ended without an answer to it.
    pub fn fail(&mut self, call: CallId, failure: Failure) {
        let Some(waiting) = self.calls.get(call) else { return };
        match (waiting.purpose, failure) {
            (CallPurpose::Application, Failure::SessionLost) => self.session_lost(call),
            (CallPurpose::Application, failure) => self.application_failed(call, failure),
            (CallPurpose::Discover, failure) => {
                self.calls.remove(call);
                self.discover_failed(failure);
            }
            (CallPurpose::Initialize, failure) => {
                self.calls.remove(call);
                self.handshake_failed(&error_of(failure));
            }
        }
    }

    /// The server has a message that wants no answer, or refused it.
    pub fn delivered(&mut self, purpose: Purpose, outcome: Result<(), Failure>) {
        if purpose != Purpose::Initialized {
            return;
        }
        match outcome {
            Ok(()) => self.step_legacy(legacy::Input::Announced),
            Err(Failure::SessionLost) => self.handshake_failed(&CallError::SessionLost),
            Err(failure) => self.handshake_failed(&error_of(failure)),
        }
    }

    /// The byte stream has ended: nothing will come any more.
    pub fn peer_closed(&mut self) {
        self.close(CloseReason::Peer);
    }

    /// A line came that is too long to be read. Where its beginning shows that it answers a call, the call ends.
    pub(super) fn receive_overlong(&mut self, head: &[u8]) {
        let Head { id, has_method } = Head::of(head);
        let reason = "the message is too long";
        self.receive_invalid(&ParseError::Invalid(InvalidMessage {
            id,
            is_reply: !has_method,
            reason,
        }));
    }

    /// Something came that is no message. On a byte stream nothing is answered: two sides that answer junk
    /// with junk never stop.
    fn receive_invalid(&mut self, error: &ParseError) {
        self.counters.junk += 1;
        let ParseError::Invalid(invalid) = error else { return };
        let Some(id) = invalid.id.as_ref().filter(|_| invalid.is_reply) else {
            return;
        };
        if let Some(call) = self.calls.find(id)
            && let Some(data) = self.calls.remove(call)
        {
            let error = CallError::InvalidReply(DecodeError::new(error));
            self.settle(call, &data, Err(error), Channel::Stream);
        }
    }

    fn receive_response(&mut self, response: Response, origin: Origin) {
        let Some(id) = &response.id else {
            self.counters.unknown_replies += 1;
            return;
        };
        let channel = match origin {
            Origin::Stream => Channel::Stream,
            Origin::Http(status) => Channel::Http(status),
        };
        match self.calls.find(id) {
            Some(call) => self.answer(call, response.outcome, channel),
            None if self.calls.has_used(id) => self.counters.late_replies += 1,
            None => self.counters.unknown_replies += 1,
        }
    }

    /// An exchange was answered with an error that carries no id: it can only mean the call of the exchange.
    pub fn rejected(&mut self, call: CallId, error: ErrorObject, status: u16) {
        if self.calls.get(call).is_some() {
            self.answer(call, Err(error), Channel::Http(status));
        }
    }

    fn answer(&mut self, call: CallId, outcome: Result<RawJson, ErrorObject>, channel: Channel) {
        if let Err(error) = &outcome
            && self.contradicts(call, error, channel)
        {
            return self.renegotiate(call, error, channel);
        }
        if let Some(data) = self.calls.remove(call) {
            self.forget_queued(call, &data);
            self.settle(call, &data, outcome.map_err(CallError::Rpc), channel);
        }
    }

    /// A reply to a call that was never handed to the transport: the call is not sent any more.
    fn forget_queued(&mut self, call: CallId, data: &Call) {
        match data.progress {
            CallProgress::Sent(_) => {}
            CallProgress::Queued => self.outbox.retain(|(purpose, ..)| *purpose != Purpose::Call(call)),
            CallProgress::Held => {
                self.held
                    .retain(|held| !matches!(held, Held::Call(other) if *other == call));
                self.held_bytes = self.held_bytes.saturating_sub(data.params.size());
            }
        }
    }

    fn settle(&mut self, call: CallId, data: &Call, outcome: Result<RawJson, CallError>, channel: Channel) {
        match data.purpose {
            CallPurpose::Application => {
                let outcome = outcome.and_then(|result| self.check_result_type(result));
                self.emit_reply(call, outcome);
            }
            CallPurpose::Discover => self.settle_discover(&outcome, channel),
            CallPurpose::Initialize => self.settle_initialize(outcome),
        }
    }

    /// 2026-07-28, Overview, ResultType: an unknown type "MUST be considered invalid", an absent one is
    /// `complete`.
    fn check_result_type(&self, result: RawJson) -> Result<RawJson, CallError> {
        if !self.revision().is_some_and(Revision::is_stateless) {
            return Ok(result);
        }
        match result_type(&result) {
            Ok(None) => Ok(result),
            Ok(Some(kind)) if kind == "complete" => Ok(result),
            Ok(Some(kind)) => Err(CallError::UnknownResultType(kind.into())),
            Err(error) => Err(CallError::InvalidReply(error)),
        }
    }

    /// Whether the error that a call was answered with says that what is believed of the server is wrong.
    fn contradicts(&self, call: CallId, error: &ErrorObject, channel: Channel) -> bool {
        let Some(call) = self.calls.get(call) else { return false };
        if call.purpose != CallPurpose::Application || call.repeated || !matches!(self.stage, Stage::Modern(_)) {
            return false;
        }
        // Over HTTP the status tells; on a byte stream an error may be just the answer.
        let unlike_modern = matches!(channel, Channel::Http(400..=499)) && self.never_confirmed();
        error.code == ErrorCode::UNSUPPORTED_PROTOCOL_VERSION
            || (unlike_modern && judge(channel, Evidence::Error(error)) == Verdict::Legacy(None))
    }

    /// Whether the server is only believed to be modern.
    fn never_confirmed(&self) -> bool {
        self.config.mode == Mode::Auto && self.facts.as_ref().is_some_and(|facts| facts.capabilities.is_none())
    }

    /// A call was refused because of the revision it was made in: once, it is made again in another
    /// (2026-07-28, Protocol Version Negotiation).
    fn renegotiate(&mut self, call: CallId, error: &ErrorObject, channel: Channel) {
        match judge(channel, Evidence::Error(error)) {
            Verdict::Modern(_) => self.hold_again(call),
            Verdict::Legacy(revision) if self.config.mode == Mode::Auto => {
                self.fall_back(revision);
                self.hold_again(call);
            }
            verdict => {
                let error = match verdict {
                    Verdict::NoCommonRevision(supported) => CallError::NoCommonRevision { supported },
                    _ => CallError::Rpc(error.clone()),
                };
                self.calls.remove(call);
                self.emit_reply(call, Err(error));
            }
        }
    }

    fn settle_discover(&mut self, outcome: &Result<RawJson, CallError>, channel: Channel) {
        let verdict = match outcome {
            Ok(result) => judge(channel, Evidence::Result(result)),
            Err(CallError::Rpc(error)) => judge(channel, Evidence::Error(error)),
            Err(_) => judge(channel, Evidence::Other),
        };
        match verdict {
            Verdict::Modern(_) => match outcome {
                Ok(result) => self.discovered(result),
                // The server is modern but did not answer the question; it is not needed to go on.
                Err(_) => self.settled(None),
            },
            Verdict::Legacy(revision) => self.fall_back(revision),
            Verdict::NoCommonRevision(supported) => {
                self.handshake_failed(&CallError::NoCommonRevision { supported });
            }
            Verdict::Auth | Verdict::Retry | Verdict::Fatal => {
                let error = outcome.as_ref().err().cloned().unwrap_or(CallError::Disconnected);
                self.handshake_failed(&error);
            }
        }
    }

    fn discovered(&mut self, result: &RawJson) {
        match result.decode::<DiscoverResult>() {
            Ok(result) => self.settled(Some(result)),
            Err(error) => self.handshake_failed(&CallError::InvalidReply(error)),
        }
    }

    fn settled(&mut self, result: Option<DiscoverResult>) {
        let meta = result.as_ref().and_then(|result| result.meta.as_ref());
        let info = meta.and_then(|meta| meta.server_info().ok().flatten());
        let (capabilities, instructions) = match result {
            Some(result) => (Some(result.capabilities), result.instructions),
            None => (None, None),
        };
        self.facts = Some(ServerFacts {
            revision: Revision::LATEST,
            info,
            capabilities,
            instructions,
        });
        self.step_modern(modern::Input::Settled);
    }

    /// The question which era the server speaks was not answered in time.
    pub(super) fn judge_silence(&mut self, after: Duration) {
        let channel = match self.link {
            Link::Stream => Channel::Stream,
            Link::Http => Channel::Http(200),
        };
        match judge(channel, Evidence::Silence) {
            Verdict::Legacy(revision) => self.fall_back(revision),
            _ => self.handshake_failed(&CallError::Timeout {
                phase: Phase::Probe,
                after,
            }),
        }
    }

    fn discover_failed(&mut self, failure: Failure) {
        let verdict = match &failure {
            Failure::Status { status, .. } => judge(Channel::Http(*status), Evidence::Other),
            Failure::SessionLost => judge(Channel::Http(404), Evidence::Other),
            Failure::Unreadable(_) => Verdict::Fatal,
            Failure::Unreachable(_) | Failure::Disconnected => judge(Channel::Http(0), Evidence::Broken),
        };
        match verdict {
            Verdict::Legacy(revision) => self.fall_back(revision),
            _ => self.handshake_failed(&error_of(failure)),
        }
    }

    fn settle_initialize(&mut self, outcome: Result<RawJson, CallError>) {
        let result = outcome.and_then(|raw| raw.decode::<InitializeResult>().map_err(CallError::InvalidReply));
        match result {
            Ok(result) => self.initialized(result),
            Err(error) => self.handshake_failed(&error),
        }
    }

    fn initialized(&mut self, result: InitializeResult) {
        let revision = Revision::parse(&result.protocol_version).filter(|revision| revision.has_initialize());
        let (Some(revision), Stage::Legacy(handshake, _)) = (revision, self.stage) else {
            // 2025-11-25, Lifecycle, Version Negotiation: the client "SHOULD disconnect".
            let supported = Box::from([result.protocol_version.into()]);
            return self.handshake_failed(&CallError::NoCommonRevision { supported });
        };
        self.stage = Stage::Legacy(handshake, revision);
        self.facts = Some(ServerFacts {
            revision,
            info: Some(result.server_info),
            capabilities: Some(result.capabilities),
            instructions: result.instructions,
        });
        self.step_legacy(legacy::Input::Accepted);
    }

    /// The server does not know the session that a call was made in.
    ///
    /// 2025-11-25, Transports, Session Management, 4: the client "MUST start a new session". The call was not
    /// processed, so it is made again in the new one, once.
    fn session_lost(&mut self, id: CallId) {
        let Some(call) = self.calls.get(id) else { return };
        if call.repeated {
            self.calls.remove(id);
            self.emit_reply(id, Err(CallError::SessionLost));
            return;
        }
        if call.progress == CallProgress::Sent(self.epoch) && self.is_ready() {
            self.step_legacy(legacy::Input::Lost);
            self.emit(Event::SessionLost);
        }
        self.hold_again(id);
    }

    fn application_failed(&mut self, id: CallId, failure: Failure) {
        let unlike_modern = matches!(&failure, Failure::Status { status, .. }
            if judge(Channel::Http(*status), Evidence::Other) == Verdict::Legacy(None));
        let is_modern = self.revision().is_some_and(|revision| revision.era() == Era::Modern);
        let Some(call) = self.calls.get(id) else { return };
        if is_modern && unlike_modern && !call.repeated && self.never_confirmed() {
            // The verdict that was kept from an earlier connection has proved wrong.
            self.fall_back(None);
            self.hold_again(id);
            return;
        }
        self.calls.remove(id);
        self.emit_reply(id, Err(error_of(failure)));
    }

    fn receive_notification(&mut self, now: Time, notification: Notification) {
        match notification.method.known() {
            Some(Method::ProgressNotification) => self.receive_progress(now, notification),
            Some(Method::CancelledNotification) => self.receive_cancelled(&notification),
            _ => self.emit_notification(notification),
        }
    }

    fn receive_progress(&mut self, now: Time, notification: Notification) {
        let token = notification
            .params
            .as_ref()
            .and_then(|params| Peek::of(params).ok()?.progress_token);
        let call = token.and_then(|token| self.calls.progress(&token, now));
        match (call, notification.params) {
            (Some(call), Some(params)) => self.emit(Event::Progress { call, params }),
            _ => self.counters.stray_progress += 1,
        }
    }

    fn receive_cancelled(&mut self, notification: &Notification) {
        let id = notification
            .params
            .as_ref()
            .and_then(|params| Peek::of(params).ok()?.request_id);
        match id.and_then(|id| self.requests.find(&id)) {
            Some(key) => {
                self.requests.finish(key);
                self.emit(Event::Cancelled(key));
            }
            None => self.counters.stray_cancellations += 1,
        }
    }

    fn emit_notification(&mut self, notification: Notification) {
        let most = self.config.limits.notifications;
        let kept = self
            .events
            .iter()
            .filter(|event| matches!(event, Event::Notification(_)))
            .count();
        if kept < most {
            self.emit(Event::Notification(notification));
        } else {
            self.counters.dropped_notifications += 1;
        }
    }

    /// A request of the server: part of the legacy era alone. 2026-07-28, Transports: clients "do not send
    /// JSON-RPC responses", so a modern server that asks all the same gets no answer.
    fn receive_request(&mut self, request: Request) {
        let revision = match self.stage {
            Stage::Legacy(_, revision) => revision,
            Stage::Modern(_) | Stage::Undecided => {
                self.counters.junk += 1;
                return;
            }
        };
        let key = match self.requests.begin(&request.id) {
            Ok(key) => key,
            Err(refused) => return self.refuse_request(&request, refused),
        };
        if Self::is_own(&request.method) {
            return self.respond(key, Ok(RawJson::empty_object()));
        }
        let out_of_era = request
            .method
            .known()
            .is_some_and(|method| !method.is_sent_by(Role::Server, revision));
        if out_of_era {
            return self.refuse(key, ErrorObject::method_not_found(request.method.as_str()));
        }
        self.emit(Event::Request(IncomingRequest { key, request }));
    }

    fn refuse_request(&mut self, request: &Request, refused: RequestRefused) {
        let error = match refused {
            RequestRefused::Duplicate => {
                self.counters.duplicate_requests += 1;
                ErrorObject::invalid_request("a request with this id is in progress")
            }
            RequestRefused::TooMany => ErrorObject::internal("too many requests are in progress"),
        };
        self.enqueue_response(&request.id, &Err(error));
    }
}

/// What a failed exchange means to a caller.
fn error_of(failure: Failure) -> CallError {
    match failure {
        Failure::Unreachable(why) => CallError::Unreachable(why),
        Failure::Disconnected => CallError::Disconnected,
        Failure::SessionLost => CallError::SessionLost,
        Failure::Status {
            status: 401,
            www_authenticate,
            ..
        } => CallError::Unauthorized(www_authenticate),
        Failure::Status {
            status: 403,
            www_authenticate,
            ..
        } => CallError::Forbidden(www_authenticate),
        Failure::Status { status, reason, .. } => CallError::Http(HttpFailure { status, reason }),
        Failure::Unreadable(why) => CallError::InvalidReply(DecodeError::new(&why)),
    }
}
