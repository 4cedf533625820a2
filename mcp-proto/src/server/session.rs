//! What a server keeps of one client of the legacy era.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::calls::Calls;
use super::inbox::Inbox;
use super::interests::Interests;
use super::negotiation::Negotiation;
use super::{ClientRequest, Happening, Received, RequestContext, RequestToken, ResultBody, ServerConfig};
use crate::jsonrpc::{
    DecodeError, ErrorObject, Facts, Id, InvalidMessage, Message, Notification, Params, ParseError, Request, Response,
    encode_error, encode_notification_with, encode_result,
};
use crate::legacy::server::{HandshakeRefusal, ServerAction, ServerHandshake, ServerInput};
use crate::method::{Kind, Method, MethodName, Side};
use crate::revision::{Era, Revision};
use crate::rpc::{CallError, CallId, CallOptions, Counters, Kept, RequestKey, SendError};
use crate::time::Time;

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
// Each part is a machine of its own that knows none of the others: what follows from what one says is carried to the
// others here.
#[derive(Debug)]
pub struct LegacySession {
    /// What was agreed on with the client.
    negotiation: Negotiation,
    /// What it wants to hear of.
    interests: Interests,
    /// What it asks.
    inbox: Inbox,
    /// What it is asked.
    calls: Calls,
}

impl LegacySession {
    /// A session that awaits `initialize`.
    pub fn new(config: &ServerConfig) -> Self {
        Self::at(config, ServerHandshake::default())
    }

    /// A session past its handshake, for one exchange of a server without sessions: nothing is known of the client.
    #[cfg(feature = "http")]
    pub(crate) fn operating(config: &ServerConfig, revision: Revision) -> Self {
        Self::at(config, ServerHandshake::Operating(revision))
    }

    fn at(config: &ServerConfig, handshake: ServerHandshake) -> Self {
        Self {
            negotiation: Negotiation::new(handshake),
            interests: Interests::new(),
            inbox: Inbox::new(config.limits().requests_in_progress),
            calls: Calls::new(config.limits().pending_calls),
        }
    }

    /// Where the handshake stands.
    pub fn handshake(&self) -> ServerHandshake {
        self.negotiation.handshake()
    }

    /// The revision that was agreed on, while there is one.
    pub fn revision(&self) -> Option<Revision> {
        self.negotiation.revision()
    }

    /// How many requests of the client are in progress.
    pub fn requests_in_progress(&self) -> usize {
        self.inbox.len()
    }

    /// How many calls of ours wait for an answer.
    pub fn pending_calls(&self) -> usize {
        self.calls.len()
    }

    /// How much is kept at present: requests in progress, our calls, subscriptions.
    pub fn kept(&self) -> Kept {
        let entries = self.inbox.entries() + self.calls.entries() + self.interests.len();
        Kept::new(entries, self.interests.bytes())
    }

    /// What went wrong without ending anything.
    pub fn counters(&self) -> Counters {
        Counters {
            duplicate_requests: self.inbox.duplicates(),
            stray_cancellations: self.inbox.strays(),
            ..self.calls.counters()
        }
    }

    /// Takes the next message of the client.
    pub fn receive(&mut self, config: &ServerConfig, now: Time, message: Message) -> Received {
        match message {
            Message::Request(request) => {
                // A slice: what is seen of it borrows from it, while the request moves on.
                let params = request.params.clone();
                self.receive_request(config, request, &Facts::of(params.as_ref()))
            }
            Message::Notification(notification) => self.receive_notification(now, notification),
            Message::Response(response) => self.receive_response(response),
        }
    }

    /// Takes a message of a batch, which may be none (2025-03-26, Batching). Whether there may be batches is not asked.
    pub(crate) fn receive_batched(
        &mut self,
        config: &ServerConfig,
        now: Time,
        message: Result<Message, InvalidMessage>,
    ) -> Received {
        match message {
            // 2025-03-26, Lifecycle, Initialization: it MUST NOT be part of a batch.
            Ok(Message::Request(request)) if request.method.known() == Some(Method::Initialize) => {
                let error = HandshakeRefusal::InitializeInBatch.to_error();
                Received::Respond(encode_error(Some(&request.id), &error))
            }
            Ok(message) => self.receive(config, now, message),
            Err(invalid) if invalid.is_reply => self.receive_unreadable(&ParseError::Invalid(invalid)),
            Err(invalid) => {
                let id = invalid.id.clone();
                let error = ParseError::Invalid(invalid).to_error();
                Received::Respond(encode_error(id.as_ref(), &error))
            }
        }
    }

    /// Takes a request whose parameters have been looked at.
    pub(crate) fn receive_request(&mut self, config: &ServerConfig, request: Request, facts: &Facts<'_>) -> Received {
        let input = match request.method.known() {
            Some(Method::Initialize) => ServerInput::Initialize,
            Some(Method::Ping) => ServerInput::Ping,
            _ => ServerInput::Request,
        };
        match self.negotiation.receive(input) {
            ServerAction::Negotiate => Received::Respond(self.negotiation.initialize(config, &request)),
            ServerAction::AnswerPing => Received::Respond(encode_result(&request.id, b"{}")),
            ServerAction::Refuse(refusal) => {
                let error = match config.serves(Era::Modern) {
                    true => refusal.to_error(),
                    false => refusal.to_legacy_error(config.revisions()),
                };
                Received::Respond(encode_error(Some(&request.id), &error))
            }
            ServerAction::Serve => self.serve(config, request, facts),
            ServerAction::Ignore | ServerAction::Open | ServerAction::Deliver | ServerAction::Correlate => {
                Received::Nothing
            }
        }
    }

    /// Hands a request to the application, or answers it where it is not in order.
    fn serve(&mut self, config: &ServerConfig, request: Request, facts: &Facts<'_>) -> Received {
        let Some(revision) = self.revision() else {
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
        if known == Some(Method::Subscribe)
            && let Some(uri) = uri
        {
            self.interests.may_subscribe(config.limits(), uri)?;
        }
        let progress_token = match &facts.seen {
            Ok((_, meta)) => meta.progress_token.clone(),
            Err(error) if known.is_some() => return Err(error.clone().into()),
            // What the parameters of somebody else's method look like is the application's to judge.
            Err(_) => None,
        };
        if known == Some(Method::SetLevel) {
            self.interests.set_level(config, request.params.as_ref())?;
        }
        let context = RequestContext {
            revision,
            client: self.negotiation.client().clone(),
            progress_token,
            progress: None,
            log_level: self.interests.log_level(config),
            meta: facts.raw_meta(),
            // Nothing is asked by a result: there are requests for it.
            #[cfg(feature = "rounds")]
            asked: None,
        };
        // After everything that can refuse it: what is noted as in progress has to be answered.
        let key = self.inbox.begin(&request.id)?;
        let subscribes = uri.and_then(|uri| self.subscribe(config, known, uri));
        Ok((key, context, subscribes))
    }

    /// Takes note of what the client subscribes to: the URI, where it is new. The application is asked as well.
    fn subscribe(&mut self, config: &ServerConfig, method: Option<Method>, uri: &str) -> Option<Box<str>> {
        match method {
            Some(Method::Subscribe) if config.allows(Method::ResourceUpdatedNotification) => {
                self.interests.subscribe(uri)
            }
            Some(Method::Unsubscribe) => {
                self.interests.unsubscribe(uri);
                None
            }
            _ => None,
        }
    }

    /// About how many bytes its subscriptions take.
    pub(crate) fn subscribed_bytes(&self) -> usize {
        self.interests.bytes()
    }

    /// Takes note of a request in progress, of whichever era: ids are those of the stream.
    pub(crate) fn begin(&mut self, id: &Id) -> Result<RequestKey, ErrorObject> {
        self.inbox.begin(id)
    }

    pub(crate) fn receive_notification(&mut self, now: Time, notification: Notification) -> Received {
        let method = notification.method.known();
        // Requests of either era can be cancelled on a stream, so this does not ask for the handshake.
        if method == Some(Method::CancelledNotification) {
            let cancelled = self.inbox.cancel(notification.params.as_ref());
            return cancelled.map_or(Received::Nothing, |(key, reason)| {
                Received::Happened(Happening::Cancelled { key, reason })
            });
        }
        let input = match method {
            Some(Method::InitializedNotification) => ServerInput::Initialized,
            _ => ServerInput::Notification,
        };
        match self.negotiation.receive(input) {
            ServerAction::Open => Received::Happened(Happening::Opened),
            ServerAction::Deliver if method == Some(Method::ProgressNotification) => {
                let progress = self.calls.progress(now, notification.params);
                progress.map_or(Received::Nothing, |(call, params)| {
                    Received::Happened(Happening::Progress { call, params })
                })
            }
            ServerAction::Deliver => Received::Happened(Happening::Notification(notification)),
            _ => Received::Nothing,
        }
    }

    pub(crate) fn receive_response(&mut self, response: Response) -> Received {
        if self.negotiation.receive(ServerInput::Reply) != ServerAction::Correlate {
            return Received::Nothing;
        }
        match response.id.as_ref().and_then(|id| self.calls.settle(id)) {
            Some(call) => Received::Happened(Happening::Reply {
                call,
                outcome: response.outcome.map_err(CallError::Rpc),
            }),
            None => Received::Nothing,
        }
    }

    /// Takes a reply that cannot be read. The call that it names is settled all the same: nothing else will come for it.
    pub(crate) fn receive_unreadable(&mut self, error: &ParseError) -> Received {
        let id = error.id().filter(|id| error.is_reply() && self.calls.awaits(id));
        match id.and_then(|id| self.calls.settle(id)) {
            Some(call) => Received::Happened(Happening::Reply {
                call,
                outcome: Err(CallError::InvalidReply(DecodeError::new(error))),
            }),
            // An error is never answered with an error, or two peers would go on for ever.
            None => Received::Nothing,
        }
    }

    /// Whether the request of this token still wants an answer.
    pub fn is_in_progress(&self, token: &RequestToken) -> bool {
        self.inbox.wants(token)
    }

    /// Answers a request: the response to send, or `None` where it was cancelled (Cancellation: none is sent).
    pub fn respond(
        &mut self,
        config: &ServerConfig,
        token: RequestToken,
        outcome: Result<ResultBody, ErrorObject>,
    ) -> Option<Vec<u8>> {
        if !self.inbox.wants(&token) {
            return None;
        }
        self.inbox.finish(token.key?);
        // Noted when it was asked for, that no update in between is missed; undone where the application refuses.
        if let (Some(uri), Err(_)) = (&token.subscribes, &outcome) {
            self.interests.unsubscribe(uri);
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
        method: impl Into<MethodName>,
        params: Params,
    ) -> Result<Option<Vec<u8>>, SendError> {
        let method = method.into();
        if !self.negotiation.may_notify(&method)? {
            return Err(SendError::Blocked(params));
        }
        if method.known().is_some_and(|method| !config.allows(method)) {
            return Err(SendError::NotSupported { method });
        }
        let is_wanted = self.interests.wants(method.known(), &params);
        Ok(is_wanted.then(|| encode_notification_with(method.as_str(), &params, b"")))
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
        method: impl Into<MethodName>,
        params: Params,
        options: CallOptions,
    ) -> Result<(CallId, Vec<u8>), SendError> {
        self.call_as(config, None, &method.into(), params, &options)
    }

    /// Makes place for a request that cannot be sent yet. From now on its time runs.
    #[cfg(feature = "handle")]
    pub(crate) fn reserve(&mut self, config: &ServerConfig, options: &CallOptions) -> Result<CallId, SendError> {
        self.calls.reserve(config.timeouts(), options)
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
        if !self.negotiation.may_request(method)? {
            return Err(SendError::Blocked(params));
        }
        match self.calls.begin(config.timeouts(), reserved, options)? {
            Some(call) => Ok((call, Calls::encode(call, method, &params, options))),
            None => Err(SendError::Blocked(params)),
        }
    }

    /// Stops waiting for a call: the cancellation to send, or `None` where the call is settled.
    pub fn cancel(&mut self, call: CallId, reason: Option<&str>) -> Option<Vec<u8>> {
        self.calls.cancel(call, reason)
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        self.calls.poll_timeout()
    }

    /// A call whose time is up, and the cancellation to send, where the call was sent. Call it until it gives `None`.
    pub fn handle_timeout(&mut self, now: Time) -> Option<(CallId, CallError, Option<Vec<u8>>)> {
        self.calls.arm(now);
        self.calls.expire(now)
    }

    /// Ends the session: the calls that will have no answer. Requests in progress are not answered any more.
    pub fn close(&mut self) -> impl Iterator<Item = CallId> + use<> {
        self.negotiation.receive(ServerInput::Close);
        self.inbox.clear();
        self.calls.drain()
    }

    /// Whether this request is in progress.
    pub(crate) fn has(&self, key: RequestKey) -> bool {
        self.inbox.contains(key)
    }

    /// Gives every new call its deadline.
    pub(crate) fn arm(&mut self, now: Time) {
        self.calls.arm(now);
    }

    /// A request has been answered by other means.
    pub(crate) fn finish(&mut self, key: RequestKey) {
        self.inbox.finish(key);
    }

    /// The calls that will have no answer because the client sends nothing any more.
    pub(crate) fn abandon_calls(&mut self) -> impl Iterator<Item = CallId> + use<> {
        self.calls.drain()
    }
}

/// Whether a client may ask for `method` in `revision`.
fn is_asked_of_servers(method: Method, revision: Revision) -> bool {
    method.kind() == Kind::Request && method.is_sent_by(Side::Client, revision)
}

#[cfg(test)]
mod tests;
