//! What a client does for those who listen to changes.

use alloc::vec::Vec;

use super::call::{Call, CallPurpose};
use super::change::{Change, ListenerId};
use super::era::Channel;
use super::link::Origin;
use super::listener::{Listener, Stand};
#[cfg(feature = "http")]
use super::listeners::Hearing;
use super::machine::Client;
use super::topics::{Errand, Verdict};
#[cfg(feature = "http")]
use crate::http::client::GetStream;
use crate::jsonrpc::{DecodeError, Notification, Params, Peek, RawJson};
use crate::method::{Kind, Method};
use crate::model::{ListenParams, SubscribeParams, SubscriptionFilter, SubscriptionsAcknowledgedParams};
use crate::rpc::{CallError, CallId, CallOptions, Failure, HttpFailure, SendError, is_transient};
use crate::time::Time;

impl Client {
    /// Listens to what changes at the server, in the way of the era: with one `subscriptions/listen` for each listener
    /// (2026-07-28, Subscriptions), or with `resources/subscribe` for each resource, once however many listen, and what a
    /// legacy server sends on its own. It begins when the handshake is done.
    ///
    /// [`ClientEvent::Changed`](super::ClientEvent::Changed) tells that there is something new:
    /// - what the server has [granted](Self::granted), which may be less than `filter`. A legacy server grants the changes
    ///   of the lists that it has promised (`listChanged`), and the resources that it has agreed to one by one;
    /// - the first of the [changes](Self::poll_change) that wait, each once however often it comes. Where more than
    ///   [`Limits::listener_bytes`](crate::Limits::listener_bytes) wait, [`Change::Lagged`] takes their place;
    /// - the [end](Self::listener_end).
    ///
    /// A subscription that was granted, and then lost, is asked for again: with the next session at once; after a stream
    /// that broke off, or a refusal for the moment, up to five times in a row that bring nothing, after 1, 2, 4, … seconds.
    /// When it is there again [`Change::Restored`] tells so.
    ///
    /// # Errors
    /// [`SendError::Closed`]; [`SendError::TooManyCalls`] where there are [`Limits::listeners`](crate::Limits::listeners);
    /// [`SendError::InvalidParams`] where the filter names more than
    /// [`Limits::subscription_uris`](crate::Limits::subscription_uris) resources.
    pub fn listen(&mut self, filter: SubscriptionFilter) -> Result<ListenerId, SendError> {
        if let Some(reason) = &self.closed {
            return Err(SendError::Closed(reason.clone()));
        }
        let named = filter.resource_subscriptions.as_ref().map_or(0, Vec::len);
        if named > self.config.limits.subscription_uris {
            let error = DecodeError::new(&"a filter of too many resources");
            return Err(SendError::InvalidParams(error));
        }
        let id = self.listeners.insert(filter).ok_or(SendError::TooManyCalls)?;
        match self.is_ready() {
            true => self.establish(),
            false => self.connect(),
        }
        if self.is_ready() && self.negotiation.is_legacy() {
            self.listeners.end_deaf(no_stream);
        }
        Ok(id)
    }

    /// Ends a subscription, and tells the server in the way of the era and the transport. No event comes for it any more.
    pub fn unlisten(&mut self, listener: ListenerId) {
        let Some(gone) = self.listeners.remove(listener) else {
            return;
        };
        if let Some(call) = gone.call() {
            self.cancel_listen(call);
        }
        if gone.stand == Stand::InSession {
            for uri in gone.uris() {
                let errand = self.listeners.topics.leave(uri, self.standing.is_subscribed(uri));
                self.run(errand);
            }
        }
    }

    /// Takes the next change that a listener has not taken yet.
    #[must_use]
    pub fn poll_change(&mut self, listener: ListenerId) -> Option<Change> {
        self.listeners.pop_change(listener)
    }

    /// What the server has agreed to tell a listener of; `None` before it has, while the subscription is lost, and after
    /// its end.
    pub fn granted(&self, listener: ListenerId) -> Option<&SubscriptionFilter> {
        self.listeners.get(listener)?.granted()
    }

    /// How a subscription has ended: by the server, in good order, or why else. `None` while it has not.
    pub fn listener_end(&self, listener: ListenerId) -> Option<&Result<(), CallError>> {
        match &self.listeners.get(listener)?.stand {
            Stand::Ended(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// The handshake is done: asks for all that is wanted.
    pub(super) fn establish(&mut self) {
        for id in self.listeners.those(|stand| *stand == Stand::Wanted) {
            match self.negotiation.is_legacy() {
                true => self.establish_in_session(id),
                false => self.ask_to_listen(id),
            }
        }
        self.grant_in_session();
    }

    fn ask_to_listen(&mut self, id: ListenerId) {
        let Some(listener) = self.listeners.get(id) else { return };
        let params = Params::from_serialize(&ListenParams::new(listener.filter.clone())).unwrap_or_default();
        let purpose = CallPurpose::Listen(id);
        let call = self.ask(Method::ListenSubscriptions, params, CallOptions::default(), purpose);
        self.stand(id, Stand::Asked(call));
    }

    fn establish_in_session(&mut self, id: ListenerId) {
        self.stand(id, Stand::InSession);
        let uris = self.listeners.get(id).map(|listener| listener.uris().to_vec());
        for uri in uris.unwrap_or_default() {
            let errand = self.listeners.topics.want(&uri);
            self.run(errand);
        }
    }

    fn stand(&mut self, id: ListenerId, stand: Stand) {
        if let Some(listener) = self.listeners.get_mut(id) {
            listener.stand = stand;
        }
    }

    /// Makes a request for a resource.
    fn run(&mut self, errand: Option<Errand>) {
        let Some(Errand { method, uri }) = errand else { return };
        if self.closed.is_some() || self.negotiation.check(&method.into(), Kind::Request).is_err() {
            return self.listeners.topics.refused(&uri);
        }
        // Of both requests: they have the same parameters.
        let params = Params::from_serialize(&SubscribeParams::new(&*uri)).unwrap_or_default();
        let call = self.ask(method, params, CallOptions::default(), CallPurpose::Topic);
        self.listeners.topics.asked(uri, call);
    }

    /// A request for a resource was answered, or failed.
    pub(super) fn topic_answered(&mut self, call: CallId, outcome: Result<(), &CallError>) {
        let verdict = match outcome {
            Ok(()) => Verdict::Agreed,
            Err(error) if error.is_of_the_moment() => Verdict::Unanswered,
            Err(_) => Verdict::Refused,
        };
        let errand = self.listeners.topics.answered(call, verdict);
        self.run(errand);
        self.grant_in_session();
    }

    /// The application has unsubscribed by hand from a resource.
    pub(super) fn unsubscribed(&mut self, params: &Params) {
        let peek = params.as_raw().and_then(|params| Peek::of(params).ok());
        if let Some(uri) = peek.and_then(|peek| peek.uri) {
            let errand = self.listeners.topics.taken_back(&uri);
            self.run(errand);
        }
    }

    /// Tells those who listen in a legacy session what is granted, as soon as all of it is known, and is heard.
    fn grant_in_session(&mut self) {
        if !self.listeners.hears() {
            return;
        }
        for id in self.listeners.those(|stand| *stand == Stand::InSession) {
            let granted = self.listeners.get(id).filter(|listener| listener.granted().is_none());
            if let Some(granted) = granted.and_then(|listener| self.honored(listener)) {
                self.listeners.grant(self.now, id, granted);
            }
        }
    }

    /// What a legacy server tells of; `None` where it has not said all of it yet.
    fn honored(&self, listener: &Listener) -> Option<SubscriptionFilter> {
        let capabilities = self.facts()?.capabilities.as_ref();
        let offers = |method: Method, change: &Change| {
            let needed = method.required_server_capability();
            let has = capabilities
                .zip(needed)
                .is_none_or(|(offered, needed)| offered.has(needed));
            (listener.wants(change) && has).then_some(true)
        };
        let mut granted = SubscriptionFilter {
            tools_list_changed: offers(Method::ToolListChangedNotification, &Change::Tools),
            prompts_list_changed: offers(Method::PromptListChangedNotification, &Change::Prompts),
            resources_list_changed: offers(Method::ResourceListChangedNotification, &Change::Resources),
            ..SubscriptionFilter::default()
        };
        let mut held = Vec::new();
        for uri in listener.uris() {
            if self.listeners.topics.is_held(uri)? {
                held.push(uri.clone());
            }
        }
        granted.resource_subscriptions = (!held.is_empty()).then_some(held);
        Some(granted)
    }

    /// A notification came: whoever asked for what it tells hears of it.
    pub(super) fn hear(&mut self, notification: &Notification, origin: Origin) {
        if self.listeners.is_empty() {
            return;
        }
        let Some(change) = change_of(notification) else { return };
        if self.negotiation.is_legacy() {
            self.listeners.hear_in_session(&change);
        } else if let Some((_, id)) = self.listened(notification, origin)
            && self.listeners.get(id).is_some_and(|listener| listener.wants(&change))
        {
            self.listeners.hear(id, change);
        }
    }

    /// Whose subscription a notification says it belongs to, and the request that stands for it.
    fn listened(&self, notification: &Notification, origin: Origin) -> Option<(CallId, ListenerId)> {
        let call = self.carried(origin).or_else(|| self.subscription_of(notification))?;
        match self.calls.get(call)?.purpose {
            CallPurpose::Listen(id) => Some((call, id)),
            _ => None,
        }
    }

    /// The server says what it grants. Whether that was for a listener.
    pub(super) fn is_acknowledged(&mut self, now: Time, notification: &Notification, origin: Origin) -> bool {
        let Some((call, id)) = self.listened(notification, origin) else {
            return false;
        };
        let params = notification.params.as_ref();
        let params = params.map(RawJson::decode::<SubscriptionsAcknowledgedParams>);
        match params.unwrap_or_else(|| Err(DecodeError::new(&"notifications is missing"))) {
            Ok(params) => {
                self.negotiation.confirm();
                // It lasts for as long as both want it.
                self.calls.unlimit(call);
                self.stand(id, Stand::Open(call));
                self.listeners.grant(now, id, params.notifications);
            }
            Err(error) => {
                self.cancel_listen(call);
                self.listeners.end(id, Err(CallError::InvalidReply(error)));
            }
        }
        true
    }

    fn cancel_listen(&mut self, call: CallId) {
        if let Some(gone) = self.calls.remove(call) {
            self.abandon(call, &gone);
        }
    }

    /// `subscriptions/listen` was answered: with a result where the server ends the subscription in good order
    /// (2026-07-28, Subscriptions, Graceful Closure).
    pub(super) fn listen_answered(&mut self, id: ListenerId, outcome: Result<RawJson, CallError>, channel: Channel) {
        let was_granted = self.listeners.get(id).is_some_and(Listener::was_granted);
        match (outcome, channel) {
            (Err(error), Channel::Http(status)) if was_granted && is_transient(status) => {
                let reason = alloc::format!("{error}").into();
                self.listeners.lose(id, CallError::Http(HttpFailure { status, reason }));
            }
            (outcome, _) => self.listeners.end(id, outcome.map(drop)),
        }
    }

    /// The stream of a subscription has ended without a word, or there was none.
    pub(super) fn listen_failed(&mut self, call: CallId, id: ListenerId, failure: Failure) {
        if let Some(epoch) = self.first_sent(call) {
            let renegotiation = self.negotiation.doubt_failure(epoch, &failure);
            if self.renegotiate(call, renegotiation) {
                return;
            }
        }
        self.calls.remove(call);
        self.listeners.lose(id, failure.into());
    }

    /// The request of a listener, taken back before it was sent, is made anew after the handshake.
    pub(super) fn want_again(&mut self, call: CallId, id: ListenerId) {
        self.calls.remove(call);
        if let Some(listener) = self.listeners.get_mut(id) {
            listener.void();
        }
    }

    /// The session is over, or what was believed of the server.
    pub(super) fn void_listeners(&mut self) {
        for call in self.listeners.void() {
            if self.calls.remove(call).as_ref().is_some_and(Call::is_sent) {
                self.calls.abort(call);
            }
        }
    }

    /// The handshake came to nothing.
    pub(super) fn fail_listeners(&mut self, error: &CallError) {
        for id in self.listeners.those(|stand| *stand == Stand::Wanted) {
            self.listeners.lose(id, error.clone());
        }
    }

    /// The connection is closed.
    pub(super) fn close_listeners(&mut self, error: &CallError) {
        self.listeners.topics.clear();
        for id in self.listeners.those(|stand| !matches!(stand, Stand::Ended(_))) {
            self.listeners.end(id, Err(error.clone()));
        }
    }

    /// Time has passed: asks again for what was lost.
    pub(super) fn wake_listeners(&mut self, now: Time) {
        if self.listeners.awake(now) && self.closed.is_none() {
            match self.is_ready() {
                true => self.establish(),
                false => self.connect(),
            }
        }
    }

    /// How the GET stream of a legacy session stands.
    #[cfg(feature = "http")]
    pub(super) fn set_listening(&mut self, stream: GetStream) {
        let (hearing, is_resumed) = match stream {
            GetStream::Off => (Hearing::Never, false),
            GetStream::Opening => (Hearing::Soon, false),
            GetStream::Open { is_resumed } => (Hearing::Now, is_resumed),
        };
        self.tools.set_listening(hearing == Hearing::Now);
        if self.listeners.set_hearing(hearing, is_resumed) {
            self.grant_in_session();
        }
    }

    /// Nothing more is known of the GET stream than was said: those end who wait for a stream that will not be.
    #[cfg(feature = "http")]
    pub(super) fn end_deaf(&mut self) {
        if self.listeners.is_empty() {
            return;
        }
        let may_end = self.is_ready() && self.negotiation.is_legacy();
        // While the session is in doubt there may be a stream in the next.
        if may_end && !self.calls.is_doubtful() {
            self.listeners.end_deaf(no_stream);
        }
    }
}

/// Why nothing is heard where the server has no stream for it.
fn no_stream() -> CallError {
    let method = Method::ListenSubscriptions.into();
    CallError::Refused(SendError::NotSupported { method })
}

/// What a notification says has changed.
fn change_of(notification: &Notification) -> Option<Change> {
    let peek = || Peek::of(notification.params.as_ref()?).ok();
    Some(match notification.method.known()? {
        Method::ToolListChangedNotification => Change::Tools,
        Method::PromptListChangedNotification => Change::Prompts,
        Method::ResourceListChangedNotification => Change::Resources,
        Method::ResourceUpdatedNotification => {
            let uri = peek()?.uri?.as_ref().into();
            Change::Resource { uri }
        }
        Method::TasksNotification => {
            let id = peek()?.task_id?.as_ref().into();
            Change::Task { id }
        }
        _ => return None,
    })
}
