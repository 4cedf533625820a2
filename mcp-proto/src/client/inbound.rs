//! What a client makes of what the server sends.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use super::config::Mode;
use super::era::{Channel, Evidence, Verdict, judge, names_versions};
use super::event::{Event, IncomingRequest, ServerFacts};
use super::machine::{Call, CallProgress, CallPurpose, Client, Link, Origin, Stage};
use super::tool_headers::Rejected;
use crate::jsonrpc::{
    DecodeError, ErrorCode, ErrorObject, Head, Id, Incoming, InvalidMessage, Message, Notification, ParseError, Peek,
    RawJson, Request, Response, result_type,
};
use crate::legacy::client as legacy;
use crate::method::{Method, Role};
use crate::model::{DiscoverResult, InitializeResult};
use crate::modern::client::{self as modern, Discovery};
use crate::revision::Revision;
use crate::rpc::{CallError, CallId, CloseReason, Failure, HttpFailure, Phase, Purpose, RequestRefused, SendError};
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
                        Err(invalid) => self.receive_invalid(&ParseError::Invalid(invalid), origin),
                    }
                }
            }
            Ok(Incoming::Batch(_)) => self.counters.junk += 1,
            Err(error) => self.receive_invalid(&error, origin),
        }
    }

    /// A message came.
    pub fn receive(&mut self, now: Time, message: Message, origin: Origin) {
        if self.closed.is_some() {
            return;
        }
        self.now = now;
        self.expire_tools(now);
        match message {
            Message::Response(response) => self.receive_response(response, origin),
            Message::Notification(notification) => self.receive_notification(now, notification, origin),
            Message::Request(request) => self.receive_request(request),
        }
    }

    /// The exchange of a call ended without an answer to it.
    pub fn fail(&mut self, call: CallId, failure: Failure) {
        if !self.is_sent(call) {
            return;
        }
        let Some(waiting) = self.calls.get(call) else { return };
        match (waiting.purpose, failure) {
            (CallPurpose::Application | CallPurpose::Tools, Failure::SessionLost) => self.session_lost(call),
            (CallPurpose::Application | CallPurpose::Tools, failure) => self.application_failed(call, failure),
            (CallPurpose::Discover, failure) => {
                self.calls.remove(call);
                self.discover_failed(failure);
            }
            (CallPurpose::Initialize, failure) => {
                self.calls.remove(call);
                self.initialize_failed(failure);
            }
            (CallPurpose::Ping, failure) => {
                if let Some(ping) = self.calls.remove(call) {
                    self.ping_failed(&ping, &failure);
                }
            }
            // Is never with the server.
            (CallPurpose::ToolList, _) => {}
        }
    }

    /// The server has a message that wants no answer, or refused it.
    pub fn delivered(&mut self, purpose: Purpose, outcome: Result<(), Failure>) {
        if purpose != Purpose::Initialized || self.closed.is_some() {
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
        self.receive_invalid(
            &ParseError::Invalid(InvalidMessage {
                id,
                is_reply: !has_method,
                reason,
            }),
            Origin::Stream,
        );
    }

    /// Something came that is no message. On a byte stream nothing is answered: two sides that answer junk
    /// with junk never stop.
    fn receive_invalid(&mut self, error: &ParseError, origin: Origin) {
        self.counters.junk += 1;
        let ParseError::Invalid(invalid) = error else { return };
        let Some(id) = invalid.id.as_ref().filter(|_| invalid.is_reply) else {
            return;
        };
        if let Some(call) = self.calls.find(id).filter(|call| self.is_sent(*call))
            && let Some(data) = self.calls.remove(call)
        {
            let error = CallError::InvalidReply(DecodeError::new(error));
            self.settle(call, &data, Err(error), origin.channel());
        }
    }

    fn receive_response(&mut self, response: Response, origin: Origin) {
        let id = response.id.as_ref();
        let meant = match (id, origin) {
            (Some(id), _) => self.calls.find(id),
            (None, Origin::Http { call, .. }) => call,
            (None, Origin::Stream) => None,
        };
        match meant.filter(|call| self.is_sent(*call)) {
            Some(call) => self.answer(call, response.outcome, origin.channel()),
            None if id.is_some_and(|id| self.was_answered(id)) => self.counters.late_replies += 1,
            None => self.counters.unknown_replies += 1,
        }
    }

    /// Whether a call with this id is over.
    fn was_answered(&self, id: &Id) -> bool {
        self.calls.has_used(id) && self.calls.find(id).is_none()
    }

    /// An exchange was answered with an error that carries no id: it can only mean the call of the exchange.
    pub fn rejected(&mut self, call: CallId, error: ErrorObject, status: u16) {
        if self.is_sent(call) {
            self.answer(call, Err(error), Channel::Http(status));
        }
    }

    fn answer(&mut self, call: CallId, outcome: Result<RawJson, ErrorObject>, channel: Channel) {
        if let Err(error) = &outcome
            && (self.is_refused_for_headers(call, error) || self.is_renegotiated(call, error, channel))
        {
            return;
        }
        if let Some(data) = self.calls.remove(call) {
            self.settle(call, &data, outcome.map_err(CallError::Rpc), channel);
        }
    }

    fn settle(&mut self, call: CallId, data: &Call, outcome: Result<RawJson, CallError>, channel: Channel) {
        self.settled(call);
        match data.purpose {
            CallPurpose::Application => {
                self.confirmed |= outcome.is_ok();
                let outcome = outcome.and_then(|result| self.check_result_type(result));
                let outcome = match data.method.known() {
                    Some(Method::ListTools) => outcome.map(|result| self.learn_tools(result).0),
                    _ => outcome,
                };
                self.emit_reply(call, outcome);
            }
            CallPurpose::Discover => self.settle_discover(&outcome, channel),
            CallPurpose::Initialize => self.settle_initialize(outcome, channel),
            CallPurpose::Ping | CallPurpose::ToolList => {}
            CallPurpose::Tools => {
                self.confirmed |= outcome.is_ok();
                self.settle_page(outcome);
            }
        }
    }

    /// 2026-07-28, Overview, ResultType: an unknown type "MUST be considered invalid", an absent one is
    /// `complete`.
    pub(super) fn check_result_type(&self, result: RawJson) -> Result<RawJson, CallError> {
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

    /// Whether a call was refused because of the era or the revision it was made in: once, it is made again.
    fn is_renegotiated(&mut self, id: CallId, error: &ErrorObject, channel: Channel) -> bool {
        let Some(call) = self.calls.get(id) else { return false };
        let is_work = matches!(call.purpose, CallPurpose::Application | CallPurpose::Tools);
        if !is_work || call.repeated || !self.was_modern(call) {
            return false;
        }
        if error.code == ErrorCode::UNSUPPORTED_PROTOCOL_VERSION {
            return self.is_made_in_another_revision(id, judge(channel, Evidence::Error(error)));
        }
        let unlike_modern = match channel {
            // An error may be just the answer; but not before a method has done anything.
            Channel::Stream => error.code.is_refusal(),
            Channel::Http(_) => is_unlike_modern(channel, Evidence::Error(error)),
        };
        unlike_modern && self.is_made_after_all(id)
    }

    /// Whether a call was sent as a modern request: in this stage, or in one that is over.
    fn was_modern(&self, call: &Call) -> bool {
        matches!(self.stage, Stage::Modern(_))
            || !matches!(call.progress, CallProgress::Sent(epoch) if epoch == self.epoch)
    }

    /// 2026-07-28, Versioning, Protocol Version Negotiation: the client chooses from what the server supports.
    fn is_made_in_another_revision(&mut self, id: CallId, verdict: Verdict) -> bool {
        match verdict {
            Verdict::Modern(_) => {}
            Verdict::Legacy(revision) if self.config.mode == Mode::Auto => {
                if matches!(self.stage, Stage::Modern(_)) {
                    self.prior = None;
                    self.fall_back(revision);
                }
            }
            Verdict::Legacy(Some(revision)) => {
                self.refused_for_ever(id, Box::from([revision.as_str().into()]));
                return true;
            }
            Verdict::NoCommonRevision(supported) => {
                self.refused_for_ever(id, supported);
                return true;
            }
            _ => return false,
        }
        self.repeat(id);
        true
    }

    fn refused_for_ever(&mut self, id: CallId, supported: Box<[Box<str>]>) {
        self.settled(id);
        if let Some(call) = self.calls.remove(id) {
            self.conclude(id, call.purpose, Err(CallError::NoCommonRevision { supported }));
        }
    }

    /// Whether a call that was sent on the strength of an earlier verdict alone is made again, now that the
    /// verdict is in doubt.
    fn is_made_after_all(&mut self, id: CallId) -> bool {
        let on_trust = |call: &Call| call.progress == CallProgress::Sent(0) && !call.repeated;
        let was_told = self.config.mode == Mode::Auto && self.config.prior.is_some();
        if !was_told || !self.calls.get(id).is_some_and(on_trust) {
            return false;
        }
        if self.is_doubtful() {
            self.refute_prior();
        } else if self.prior.is_some() {
            return false;
        }
        self.repeat(id);
        true
    }

    /// 2026-07-28, Streamable HTTP, Schema Extension: over HTTP a tool with wrong annotations is excluded.
    pub(super) fn learn_tools(&mut self, result: RawJson) -> (RawJson, Vec<Rejected>) {
        if self.link != Link::Http || !self.revision().is_some_and(Revision::is_stateless) {
            return (result, Vec::new());
        }
        let (result, rejected) = self.tool_headers.learn(result);
        for Rejected { tool, reason } in rejected.clone() {
            self.emit(Event::ToolRejected { tool, reason });
        }
        (result, rejected)
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
                Err(_) => self.discovered_as(None),
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
            Ok(result) => self.discovered_as(Some(result)),
            Err(error) if names_versions(result) => self.handshake_failed(&CallError::InvalidReply(error)),
            // Some legacy servers answer what they do not know with an empty result.
            Err(_) => self.fall_back(None),
        }
    }

    fn discovered_as(&mut self, result: Option<DiscoverResult>) {
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
        self.confirmed = true;
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
            Failure::TooManyConnections => Verdict::Fatal,
        };
        match verdict {
            Verdict::Legacy(revision) => self.fall_back(revision),
            _ => self.handshake_failed(&error_of(failure)),
        }
    }

    fn settle_initialize(&mut self, outcome: Result<RawJson, CallError>, channel: Channel) {
        self.overdue = None;
        if let Err(CallError::Rpc(error)) = &outcome
            && self.is_modern_after_all(error, channel)
        {
            self.stage = Stage::Modern(Discovery::Start);
            return self.discovered_as(None);
        }
        let result = outcome.and_then(|raw| raw.decode::<InitializeResult>().map_err(CallError::InvalidReply));
        match result {
            Ok(result) => self.initialized(result),
            Err(CallError::Rpc(_)) if self.is_doubtful() => self.refute_prior(),
            Err(error) => self.handshake_failed(&error),
        }
    }

    fn initialize_failed(&mut self, failure: Failure) {
        self.overdue = None;
        let unlike_legacy = matches!(&failure, Failure::Status { status, .. }
            if is_unlike_modern(Channel::Http(*status), Evidence::Other));
        if unlike_legacy && self.is_doubtful() {
            self.refute_prior();
        } else {
            self.handshake_failed(&error_of(failure));
        }
    }

    /// Whether the error that `initialize` was answered with names modern revisions: the server was only slow to
    /// answer the question before (2026-07-28, Versioning, Backward Compatibility: such an error identifies a
    /// modern server).
    fn is_modern_after_all(&self, error: &ErrorObject, channel: Channel) -> bool {
        let names_revisions = error.code == ErrorCode::UNSUPPORTED_PROTOCOL_VERSION && error.data.is_some();
        self.config.mode == Mode::Auto
            && names_revisions
            && matches!(judge(channel, Evidence::Error(error)), Verdict::Modern(_))
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
        self.confirmed = true;
        self.step_legacy(legacy::Input::Accepted);
    }

    /// The server does not know the session that a call was made in.
    ///
    /// 2025-11-25, Transports, Session Management, 4: the client "MUST start a new session". The call was not
    /// processed, so it is made again in the new one, once. Where the next session has begun already, this is
    /// belated news of the last one, and does not touch it.
    fn session_lost(&mut self, id: CallId) {
        let Some(call) = self.calls.get(id) else { return };
        let (repeated, purpose) = (call.repeated, call.purpose);
        if call.progress == CallProgress::Sent(self.epoch) && self.is_ready() {
            self.lose_session();
        }
        if repeated {
            self.calls.remove(id);
            self.conclude(id, purpose, Err(CallError::SessionLost));
        } else {
            self.repeat(id);
        }
    }

    fn application_failed(&mut self, id: CallId, failure: Failure) {
        let unlike_modern = matches!(&failure, Failure::Status { status, .. }
            if is_unlike_modern(Channel::Http(*status), Evidence::Other));
        if unlike_modern && self.is_made_after_all(id) {
            return;
        }
        if let Some(call) = self.calls.remove(id) {
            self.conclude(id, call.purpose, Err(error_of(failure)));
        }
    }

    fn receive_notification(&mut self, now: Time, notification: Notification, origin: Origin) {
        match notification.method.known() {
            Some(Method::ProgressNotification) => self.receive_progress(now, notification),
            Some(Method::CancelledNotification) => self.receive_cancelled(&notification),
            Some(Method::ToolListChangedNotification) => {
                self.forget_tools();
                self.emit_notification(notification);
            }
            Some(Method::LoggingMessageNotification) => self.receive_log(notification, origin),
            _ => self.emit_notification(notification),
        }
    }

    fn receive_progress(&mut self, now: Time, notification: Notification) {
        let token = notification
            .params
            .as_ref()
            .and_then(|params| Peek::of(params).ok()?.progress_token);
        let token = token.filter(|token| self.calls.find(token).is_some_and(|call| self.is_sent(call)));
        let call = token.and_then(|token| self.calls.progress(&token, now));
        match (call, notification.params) {
            (Some(call), Some(params)) => self.emit(Event::Progress { call, params }),
            _ => self.counters.stray_progress += 1,
        }
    }

    /// A log message names no call. Over HTTP one that comes in the response to a call belongs to it
    /// (2026-07-28, Logging: "MUST NOT" come on another stream; before, Streamable HTTP: what comes there "SHOULD"
    /// relate to the request); on a byte stream nothing tells.
    fn receive_log(&mut self, notification: Notification, origin: Origin) {
        let call = match origin {
            Origin::Http { call, .. } => call,
            Origin::Stream => None,
        };
        let wants_log = |call: &CallId| self.calls.get(*call).is_some_and(|it| it.options.log_level.is_some());
        if let (Some(call), Some(params)) = (call.filter(wants_log), &notification.params) {
            self.emit(Event::Log {
                call,
                params: params.clone(),
            });
        }
        self.emit_notification(notification);
    }

    fn receive_cancelled(&mut self, notification: &Notification) {
        let id = notification
            .params
            .as_ref()
            .and_then(|params| Peek::of(params).ok()?.request_id);
        match id.as_ref().and_then(|id| self.requests.find(id)) {
            Some(key) => {
                self.requests.finish(key);
                self.emit(Event::Cancelled(key));
            }
            None => match id.and_then(|id| self.subscription(&id)) {
                Some(call) => {
                    self.calls.remove(call);
                    self.emit_reply(call, Err(CallError::Cancelled));
                }
                None => self.counters.stray_cancellations += 1,
            },
        }
    }

    /// Our `subscriptions/listen` with this id, where the server may end it with a cancellation: on a byte stream,
    /// which has no response stream to end (2026-07-28, Cancellation).
    fn subscription(&self, id: &Id) -> Option<CallId> {
        let call = self.calls.find(id).filter(|call| self.is_sent(*call))?;
        let is_ours = self.calls.get(call)?.method.known() == Some(Method::ListenSubscriptions);
        (is_ours && self.link == Link::Stream).then_some(call)
    }

    fn emit_notification(&mut self, notification: Notification) {
        if self.notifications < self.config.limits.notifications {
            self.notifications += 1;
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
            // While the era is asked, the server may well be a legacy one, which may ping at any time.
            Stage::Undecided | Stage::Modern(Discovery::Start | Discovery::Discovering)
                if Self::is_own(&request.method) =>
            {
                Revision::LATEST_LEGACY
            }
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

/// Whether an HTTP answer is one that a modern server would not give.
fn is_unlike_modern(channel: Channel, evidence: Evidence<'_>) -> bool {
    matches!(channel, Channel::Http(400..=499)) && judge(channel, evidence) == Verdict::Legacy(None)
}

/// What a failed exchange means to a caller.
fn error_of(failure: Failure) -> CallError {
    match failure {
        Failure::Unreachable(why) => CallError::Unreachable(why),
        Failure::Disconnected => CallError::Disconnected,
        Failure::TooManyConnections => CallError::Refused(SendError::TooManyConnections),
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
