//! What a server keeps of one client of the legacy era.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use serde::Deserialize;

use super::context::{ClientFacts, parse_severity};
use super::uris::{Uris, weight};
use super::{ClientRequest, RequestContext, RequestToken, ResultBody, ServerConfig};
use crate::jsonrpc::{
    ErrorObject, Facts, Id, Message, Notification, Params, Peek, RawJson, Request, Response, encode_error,
    encode_notification, encode_notification_with, encode_request_with, encode_result, write_id, write_json,
};
use crate::legacy::server::{ServerAction, ServerHandshake, ServerInput, negotiate};
use crate::method::{Kind, Method, MethodName, Side};
use crate::modern;
use crate::revision::Revision;
use crate::rpc::{
    CallError, CallId, CallOptions, Calls, CloseReason, Counters, Kept, Phase, RequestKey, RequestRefused, Requests,
    SendError,
};
use crate::time::Time;

/// The severity from which on log messages are sent before the client has set a level: `info`.
/// (2025-11-25, Logging: the server MAY decide.)
const DEFAULT_SEVERITY: u8 = 1;

/// One legacy session: the handshake, what the client said about itself, its requests in progress and our calls
/// to it. A plain struct that knows no transport: a byte stream has one (inside
/// [`StreamServer`](super::StreamServer)), Streamable HTTP one per `Mcp-Session-Id`.
///
/// Its methods are of four kinds.
/// - Getters.
/// - The world tells it: [`receive`](Self::receive), [`handle_timeout`](Self::handle_timeout).
/// - The application tells it: [`respond`](Self::respond), [`notify`](Self::notify), [`call`](Self::call),
///   [`cancel`](Self::cancel), [`close`](Self::close).
/// - It tells the world: [`poll_timeout`](Self::poll_timeout).
///
/// What has to be sent is handed out at once, as a message without a line end; whoever has a transport queues it.
/// Any method may be called in any state.
#[derive(Debug)]
pub struct LegacySession {
    handshake: ServerHandshake,
    client: ClientFacts,
    severity: u8,
    /// The resources it has subscribed to, boxed because few sessions do.
    uris: Option<Box<Uris>>,
    /// Our calls, and whether they are sent.
    calls: Calls<bool>,
    requests: Requests,
    counters: Counters,
}

/// What a message from the client means.
#[derive(Debug)]
#[non_exhaustive]
#[allow(
    clippy::large_enum_variant,
    reason = "the large variant is the usual one, and is taken apart at once"
)]
pub enum Received {
    /// The application has to answer this.
    Request(ClientRequest),
    /// It is answered already: send this.
    Respond(Vec<u8>),
    /// A notification that is not about the protocol itself.
    Notification(Notification),
    /// The client does not want this request answered any more, and it will not be.
    Cancelled {
        /// Which one.
        key: RequestKey,
        /// Why, where the client says so.
        reason: Option<Box<str>>,
    },
    /// A call of ours is settled.
    Reply {
        /// Which one.
        call: CallId,
        /// The answer.
        outcome: Result<RawJson, CallError>,
    },
    /// A call of ours makes progress.
    Progress {
        /// Which one.
        call: CallId,
        /// The parameters of the notification.
        params: RawJson,
    },
    /// The handshake is complete: from now on calls may be made.
    Opened,
    /// Nothing is to be done.
    Nothing,
}

impl LegacySession {
    /// A session that awaits `initialize`.
    pub fn new(config: &ServerConfig) -> Self {
        Self {
            handshake: ServerHandshake::default(),
            client: ClientFacts::UNKNOWN,
            severity: DEFAULT_SEVERITY,
            uris: None,
            calls: Calls::new(config.limits().pending_calls),
            requests: Requests::new(config.limits().requests_in_progress),
            counters: Counters::default(),
        }
    }

    /// A session past its handshake, for one exchange of a server without sessions: nothing is known of the client.
    #[cfg(feature = "http")]
    pub(crate) fn operating(config: &ServerConfig, revision: Revision) -> Self {
        Self {
            handshake: ServerHandshake::Operating(revision),
            ..Self::new(config)
        }
    }

    /// Where the handshake stands.
    pub fn handshake(&self) -> ServerHandshake {
        self.handshake
    }

    /// The revision that was agreed on, while there is one.
    pub fn revision(&self) -> Option<Revision> {
        self.handshake.revision()
    }

    /// How many requests of the client are in progress.
    pub fn requests_in_progress(&self) -> usize {
        self.requests.len()
    }

    /// How many calls of ours wait for an answer.
    pub fn pending_calls(&self) -> usize {
        self.calls.len()
    }

    /// How much is kept at present: requests in progress, our calls, subscriptions.
    pub fn kept(&self) -> Kept {
        let uris = self.uris.as_ref().map_or(0, |uris| uris.len());
        Kept::new(
            self.requests.entries() + self.calls.entries() + uris,
            self.subscribed_bytes(),
        )
    }

    /// What went wrong without ending anything.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    pub(crate) fn counters_mut(&mut self) -> &mut Counters {
        &mut self.counters
    }

    /// Takes the next message of the client.
    pub fn receive(&mut self, config: &ServerConfig, now: Time, message: Message) -> Received {
        match message {
            Message::Request(request) => {
                let params = request.params.clone();
                self.receive_request(config, request, &Facts::of(params.as_ref()))
            }
            Message::Notification(notification) => self.receive_notification(now, notification),
            Message::Response(response) => self.receive_response(response),
        }
    }

    /// Takes a request whose parameters have been looked at.
    pub(crate) fn receive_request(&mut self, config: &ServerConfig, request: Request, facts: &Facts<'_>) -> Received {
        let input = match request.method.known() {
            Some(Method::Initialize) => ServerInput::Initialize,
            Some(Method::Ping) => ServerInput::Ping,
            _ => ServerInput::Request,
        };
        match self.handshake.receive(input) {
            ServerAction::Negotiate => Received::Respond(self.initialize(config, &request)),
            ServerAction::AnswerPing => Received::Respond(encode_result(&request.id, b"{}")),
            ServerAction::Refuse(refusal) => Received::Respond(encode_error(Some(&request.id), &refusal.to_error())),
            ServerAction::Serve => self.serve(config, request, facts),
            ServerAction::Ignore | ServerAction::Open | ServerAction::Deliver | ServerAction::Correlate => {
                Received::Nothing
            }
        }
    }

    /// Answers `initialize`.
    fn initialize(&mut self, config: &ServerConfig, request: &Request) -> Vec<u8> {
        match self.agree(config, request.params.as_ref()) {
            Ok(revision) => {
                self.handshake.receive(ServerInput::Negotiated(revision));
                encode_result(&request.id, config.initialize_result(revision).as_bytes())
            }
            Err(error) => encode_error(Some(&request.id), &error),
        }
    }

    fn agree(&mut self, config: &ServerConfig, params: Option<&RawJson>) -> Result<Revision, ErrorObject> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Initialize<'a> {
            #[serde(borrow)]
            protocol_version: Cow<'a, str>,
            #[serde(default)]
            capabilities: Option<RawJson>,
            #[serde(default)]
            client_info: Option<RawJson>,
        }
        let params = params.ok_or_else(|| ErrorObject::invalid_params("initialize needs parameters"))?;
        let asked: Initialize<'_> = params.decode_borrowed()?;
        let revision = negotiate(&asked.protocol_version, config.revisions())
            .ok_or_else(|| modern::server::unsupported(config.revisions(), &asked.protocol_version))?;
        let is_object = |json: &RawJson| json.as_bytes().first() == Some(&b'{');
        self.client = ClientFacts {
            info: asked.client_info.filter(is_object),
            capabilities: asked.capabilities.filter(is_object).unwrap_or(RawJson::empty_object()),
        };
        Ok(revision)
    }

    /// Hands a request to the application, or answers it where it is not in order.
    fn serve(&mut self, config: &ServerConfig, request: Request, facts: &Facts<'_>) -> Received {
        let Some(revision) = self.handshake.revision() else {
            return Received::Nothing;
        };
        match self.admit(config, revision, &request, facts) {
            Ok((key, context, subscribes)) => Received::Request(ClientRequest {
                token: RequestToken {
                    key: Some(key),
                    subscribes,
                    ..RequestToken::new(request.id, &request.method, revision)
                },
                method: request.method,
                params: request.params,
                context,
                text: request.text,
                called: facts.called(),
            }),
            Err(error) => Received::Respond(encode_error(Some(&request.id), &error)),
        }
    }

    fn admit(
        &mut self,
        config: &ServerConfig,
        revision: Revision,
        request: &Request,
        facts: &Facts<'_>,
    ) -> Result<(RequestKey, RequestContext, Option<Box<str>>), ErrorObject> {
        let known = request.method.known();
        if known.is_some_and(|method| !is_asked_of_servers(method, revision)) {
            return Err(ErrorObject::method_not_found(request.method.as_str()));
        }
        let uri = facts.seen.as_ref().ok().and_then(|(peek, _)| peek.uri.as_deref());
        if known == Some(Method::Subscribe) {
            self.may_subscribe(config, uri)?;
        }
        let token = match &facts.seen {
            Ok((_, meta)) => meta.progress_token.clone(),
            Err(error) if known.is_some() => return Err(error.clone().into()),
            Err(_) => None,
        };
        if known == Some(Method::SetLevel) {
            self.severity = set_level(config, request.params.as_ref())?;
        }
        let context = RequestContext {
            revision,
            client: self.client.clone(),
            progress_token: token,
            progress: None,
            log_level: config
                .allows(Method::LoggingMessageNotification)
                .then_some(self.severity),
            meta: facts.raw_meta(),
        };
        let key = self.begin(&request.id)?;
        let subscribes = uri.and_then(|uri| self.subscribe(config, known, uri));
        Ok((key, context, subscribes))
    }

    /// Whether there is room for one more subscription.
    fn may_subscribe(&self, config: &ServerConfig, uri: Option<&str>) -> Result<(), ErrorObject> {
        let limits = config.limits();
        let count = self.uris.as_ref().map_or(0, |uris| uris.len());
        let is_within = |uri: &str| {
            let bytes = self.subscribed_bytes().saturating_add(weight(uri));
            self.has_subscribed(uri) || count < limits.subscription_uris && bytes <= limits.total_bytes
        };
        match uri.is_none_or(is_within) {
            true => Ok(()),
            false => Err(ErrorObject::internal("too many subscriptions")),
        }
    }

    /// Takes note of what a session subscribes to: the URI, where it is new. The application is asked as well.
    fn subscribe(&mut self, config: &ServerConfig, method: Option<Method>, uri: &str) -> Option<Box<str>> {
        match method {
            Some(Method::Subscribe) if config.allows(Method::ResourceUpdatedNotification) => {
                self.uris.get_or_insert_default().insert(uri).then(|| uri.into())
            }
            Some(Method::Unsubscribe) => {
                self.unsubscribe(uri);
                None
            }
            _ => None,
        }
    }

    fn unsubscribe(&mut self, uri: &str) {
        if let Some(uris) = &mut self.uris {
            uris.remove(uri);
        }
        self.uris.take_if(|uris| uris.is_empty());
    }

    fn has_subscribed(&self, uri: &str) -> bool {
        self.uris.as_ref().is_some_and(|uris| uris.contains(uri))
    }

    /// About how many bytes its subscriptions take.
    pub(crate) fn subscribed_bytes(&self) -> usize {
        self.uris.as_ref().map_or(0, |uris| uris.bytes())
    }

    /// Takes note of a request in progress, of whichever era: ids are those of the stream.
    pub(crate) fn begin(&mut self, id: &Id) -> Result<RequestKey, ErrorObject> {
        self.requests.begin(id).map_err(|refused| match refused {
            RequestRefused::Duplicate => {
                self.counters.duplicate_requests += 1;
                ErrorObject::invalid_request("a request with this id is still in progress")
            }
            RequestRefused::TooMany => ErrorObject::internal("too many requests in progress"),
        })
    }

    pub(crate) fn receive_notification(&mut self, now: Time, notification: Notification) -> Received {
        // Requests of either era can be cancelled on a stream, so this does not ask for the handshake.
        if notification.method.known() == Some(Method::CancelledNotification) {
            return self.cancelled(notification.params.as_ref());
        }
        let input = match notification.method.known() {
            Some(Method::InitializedNotification) => ServerInput::Initialized,
            _ => ServerInput::Notification,
        };
        match self.handshake.receive(input) {
            ServerAction::Open => Received::Opened,
            ServerAction::Deliver if notification.method.known() == Some(Method::ProgressNotification) => {
                self.progress(now, notification.params)
            }
            ServerAction::Deliver => Received::Notification(notification),
            _ => Received::Nothing,
        }
    }

    /// `notifications/cancelled`: no response MUST follow; one for an unknown request is ignored (Cancellation).
    fn cancelled(&mut self, params: Option<&RawJson>) -> Received {
        #[derive(Deserialize)]
        struct Reason {
            reason: Option<String>,
        }
        let id = params.and_then(|params| Peek::of(params).ok()?.request_id);
        let key = id.and_then(|id| self.requests.find(&id));
        let Some(key) = key.filter(|key| self.requests.finish(*key).is_some()) else {
            self.counters.stray_cancellations += 1;
            return Received::Nothing;
        };
        let reason = params.and_then(|params| params.decode::<Reason>().ok()?.reason);
        Received::Cancelled {
            key,
            reason: reason.map(String::into_boxed_str),
        }
    }

    fn progress(&mut self, now: Time, params: Option<RawJson>) -> Received {
        let token = params.as_ref().and_then(|params| Peek::of(params).ok()?.progress_token);
        match (token.and_then(|token| self.calls.progress(&token, now)), params) {
            (Some(call), Some(params)) => Received::Progress { call, params },
            _ => {
                self.counters.stray_progress += 1;
                Received::Nothing
            }
        }
    }

    pub(crate) fn receive_response(&mut self, response: Response) -> Received {
        if self.handshake.receive(ServerInput::Reply) != ServerAction::Correlate {
            return Received::Nothing;
        }
        match response.id.as_ref().and_then(|id| self.settle(id)) {
            Some(call) => Received::Reply {
                call,
                outcome: response.outcome.map_err(CallError::Rpc),
            },
            None => Received::Nothing,
        }
    }

    /// Whether a call waits for a reply with this id.
    pub(crate) fn awaits(&self, id: &Id) -> bool {
        self.sent(id).is_some()
    }

    fn sent(&self, id: &Id) -> Option<CallId> {
        self.calls.find(id).filter(|call| self.calls.get(*call) == Some(&true))
    }

    /// The call that a reply with this id settles; it is counted where there is none.
    pub(crate) fn settle(&mut self, id: &Id) -> Option<CallId> {
        let call = self.sent(id);
        match call {
            Some(call) => drop(self.calls.remove(call).is_some()),
            None if self.calls.has_used(id) => self.counters.late_replies += 1,
            None => self.counters.unknown_replies += 1,
        }
        call
    }

    /// Whether the request of this token still wants an answer.
    pub fn is_in_progress(&self, token: &RequestToken) -> bool {
        token.key.is_some() && self.requests.find(&token.id) == token.key
    }

    /// Answers a request: the response to send, or `None` where it was cancelled (Cancellation: none is sent).
    pub fn respond(
        &mut self,
        config: &ServerConfig,
        token: RequestToken,
        outcome: Result<ResultBody, ErrorObject>,
    ) -> Option<Vec<u8>> {
        if !self.is_in_progress(&token) {
            return None;
        }
        self.requests.finish(token.key?)?;
        if let (Some(uri), Err(_)) = (&token.subscribes, &outcome) {
            self.unsubscribe(uri);
        }
        Some(token.into_response(config, outcome))
    }

    /// A notification to the client; `None` where it does not want it: an update of a resource that it has not
    /// subscribed to (2025-11-25, Resources, Subscriptions), a log message below its level (Logging).
    ///
    /// # Errors
    /// [`SendError`] where the method is not one of this side's notifications in the revision, where its
    /// capability was not declared, and [`SendError::Blocked`] before `initialize` has been answered.
    pub fn notify(
        &self,
        config: &ServerConfig,
        method: &MethodName,
        params: Params,
    ) -> Result<Option<Vec<u8>>, SendError> {
        let revision = self.may_send(method, Kind::Notification)?;
        if revision.is_none() {
            return Err(SendError::Blocked(params));
        }
        if method.known().is_some_and(|method| !config.allows(method)) {
            return Err(SendError::NotSupported { method: method.clone() });
        }
        let is_wanted = match method.known() {
            Some(Method::ResourceUpdatedNotification) => {
                let uri = params.as_raw().and_then(|params| Peek::of(params).ok()?.uri);
                uri.is_some_and(|uri| self.has_subscribed(&uri))
            }
            Some(Method::LoggingMessageNotification) => self.wants_log(&params),
            _ => true,
        };
        Ok(is_wanted.then(|| encode_notification_with(method.as_str(), &params, b"")))
    }

    fn wants_log(&self, params: &Params) -> bool {
        #[derive(Deserialize)]
        struct Message<'a> {
            #[serde(borrow)]
            level: Cow<'a, str>,
        }
        let message = params
            .as_raw()
            .and_then(|params| params.decode_borrowed::<Message<'_>>().ok());
        message.is_some_and(|message| parse_severity(&message.level).is_ok_and(|severity| severity >= self.severity))
    }

    /// A request to the client. Its deadline starts with the next [`handle_timeout`](Self::handle_timeout), which
    /// [`poll_timeout`](Self::poll_timeout) asks for at once.
    ///
    /// # Errors
    /// [`SendError`] where the method is not one of this side's requests in the revision, where the client lacks
    /// the capability, where too many calls wait, and [`SendError::Blocked`] before `notifications/initialized`
    /// (2025-11-25, Lifecycle: SHOULD NOT; `ping` is exempt once `initialize` is answered: before that the client may
    /// be one of the modern era, which takes no requests).
    pub fn call(
        &mut self,
        config: &ServerConfig,
        method: &MethodName,
        params: Params,
        options: &CallOptions,
    ) -> Result<(CallId, Vec<u8>), SendError> {
        self.call_as(config, None, method, params, options)
    }

    /// Makes place for a request that cannot be sent yet. From now on its time runs.
    #[cfg(feature = "handle")]
    pub(crate) fn reserve(&mut self, config: &ServerConfig, options: &CallOptions) -> Result<CallId, SendError> {
        let call = self.calls.begin(options, config.timeouts(), false);
        call.ok_or(SendError::TooManyCalls)
    }

    /// [`call`](Self::call), as the call that was reserved for it. Where that is settled meanwhile, the request is
    /// blocked.
    pub(crate) fn call_as(
        &mut self,
        config: &ServerConfig,
        reserved: Option<CallId>,
        method: &MethodName,
        params: Params,
        options: &CallOptions,
    ) -> Result<(CallId, Vec<u8>), SendError> {
        self.may_send(method, Kind::Request)?;
        let is_ping = method.known() == Some(Method::Ping) && self.handshake.revision().is_some();
        if !self.handshake.may_send_requests() && !is_ping {
            return Err(SendError::Blocked(params));
        }
        let needed = method.known().and_then(Method::required_client_capability);
        if needed.is_some_and(|capability| !self.client.declares(capability)) {
            return Err(SendError::NotSupported { method: method.clone() });
        }
        let call = match reserved {
            Some(call) => match self.calls.get_mut(call) {
                Some(is_sent) => {
                    *is_sent = true;
                    call
                }
                None => return Err(SendError::Blocked(params)),
            },
            None => self
                .calls
                .begin(options, config.timeouts(), true)
                .ok_or(SendError::TooManyCalls)?,
        };
        let id = call.to_id();
        let mut meta = Vec::new();
        if options.progress {
            meta.extend_from_slice(br#""progressToken":"#);
            write_id(&mut meta, &id);
        }
        Ok((call, encode_request_with(&id, method.as_str(), &params, &meta)))
    }

    /// The revision, where there is one already; an error where this side must not send `method` in it.
    fn may_send(&self, method: &MethodName, kind: Kind) -> Result<Option<Revision>, SendError> {
        if self.handshake == ServerHandshake::Closed {
            return Err(SendError::Closed(CloseReason::Local));
        }
        let revision = self.handshake.revision();
        let is_ours = |known: Method| {
            let revision = revision.unwrap_or(Revision::LATEST_LEGACY);
            known.kind() == kind && known.is_sent_by(Side::Server, revision)
        };
        match method.known() {
            Some(known) if !is_ours(known) => Err(SendError::OutOfEra {
                method: method.clone(),
                revision: revision.unwrap_or(Revision::LATEST_LEGACY),
            }),
            _ => Ok(revision),
        }
    }

    /// Stops waiting for a call: the cancellation to send, or `None` where the call is settled.
    pub fn cancel(&mut self, call: CallId, reason: Option<&str>) -> Option<Vec<u8>> {
        let is_sent = self.calls.remove(call)?;
        is_sent.then(|| encode_cancelled(call, reason))
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        self.calls.poll_timeout()
    }

    /// A call whose time is up, and the cancellation to send, where the call was sent. Call it until it gives `None`.
    pub fn handle_timeout(&mut self, now: Time) -> Option<(CallId, CallError, Option<Vec<u8>>)> {
        self.calls.arm(now);
        let (call, after, is_sent): (CallId, Duration, bool) = self.calls.expire(now)?;
        let phase = Phase::Request;
        let cancellation = is_sent.then(|| encode_cancelled(call, Some("timeout")));
        Some((call, CallError::Timeout { phase, after }, cancellation))
    }

    /// Ends the session: the calls that will have no answer. Requests in progress are not answered any more.
    pub fn close(&mut self) -> impl Iterator<Item = CallId> + use<> {
        self.handshake.receive(ServerInput::Close);
        self.requests.clear();
        self.calls.drain().map(|(call, _)| call)
    }

    /// Whether this request is in progress.
    pub(crate) fn has(&self, key: RequestKey) -> bool {
        self.requests.contains(key)
    }

    /// Gives every new call its deadline.
    pub(crate) fn arm(&mut self, now: Time) {
        self.calls.arm(now);
    }

    /// A request has been answered by other means.
    pub(crate) fn finish(&mut self, key: RequestKey) {
        self.requests.finish(key);
    }

    /// The calls that will have no answer because the client sends nothing any more.
    pub(crate) fn abandon_calls(&mut self) -> impl Iterator<Item = CallId> + use<> {
        self.calls.drain().map(|(call, _)| call)
    }
}

/// Whether a client may ask for `method` in `revision`.
fn is_asked_of_servers(method: Method, revision: Revision) -> bool {
    method.kind() == Kind::Request && method.is_sent_by(Side::Client, revision)
}

/// The severity that `logging/setLevel` asks for.
fn set_level(config: &ServerConfig, params: Option<&RawJson>) -> Result<u8, ErrorObject> {
    #[derive(Deserialize)]
    struct SetLevel<'a> {
        #[serde(borrow)]
        level: Cow<'a, str>,
    }
    if !config.allows(Method::SetLevel) {
        return Err(ErrorObject::method_not_found(Method::SetLevel.as_str()));
    }
    let params = params.ok_or_else(|| ErrorObject::invalid_params("level is missing"))?;
    parse_severity(&params.decode_borrowed::<SetLevel<'_>>()?.level)
}

fn encode_cancelled(call: CallId, reason: Option<&str>) -> Vec<u8> {
    let mut params = Vec::with_capacity(64);
    params.extend_from_slice(br#"{"requestId":"#);
    write_id(&mut params, &call.to_id());
    if let Some(reason) = reason {
        params.extend_from_slice(br#","reason":"#);
        write_json(&mut params, reason);
    }
    params.push(b'}');
    encode_notification(Method::CancelledNotification.as_str(), &params)
}

#[cfg(test)]
mod tests;
