//! The client machine: its parts, and what the application tells it.

use alloc::vec::Vec;

use super::call::{Call, CallProgress, CallPurpose};
use super::calls::Calls;
use super::config::{ClientConfig, Prior};
use super::event::{Answer, ClientEvent, ServerFacts};
use super::events::Events;
use super::held::{Held, HeldQueue};
use super::inbox::Inbox;
use super::kept_results::KeptResults;
use super::link::Link;
use super::listeners::Listeners;
use super::listing::{Joined, Tools};
use super::meta::Members;
use super::negotiation::Negotiation;
use super::obituary::Obituary;
use super::outbox::{Entry, Outbox};
use super::restarts::Restarts;
use super::rounds::{Gone, Rounds};
use super::standing::Standing;
use super::tool_headers::ToolHeaders;
use super::tool_list::ToolList;
use crate::jsonrpc::{Params, RawJson, encode_notification_with};
use crate::method::{Kind, Method, MethodName};
use crate::model::{Json, Map};
use crate::revision::Revision;
use crate::rpc::{
    CallError, CallId, CallOptions, CloseReason, Counters, Excerpt, Kept, Outgoing, Phase, Purpose, RequestKey,
    SendError,
};
use crate::time::Time;

/// A client without a transport: messages in, messages out.
///
/// Its methods are of four kinds.
/// - Getters: [`facts`](Self::facts), [`prior`](Self::prior), [`counters`](Self::counters), …
/// - The world tells it: [`receive`](Self::receive), [`fail`](Self::fail), [`delivered`](Self::delivered),
///   [`peer_closed`](Self::peer_closed), [`handle_timeout`](Self::handle_timeout).
/// - The application tells it: [`call`](Self::call), [`notify`](Self::notify), [`cancel`](Self::cancel),
///   [`resume`](Self::resume), [`give_up`](Self::give_up), [`listen`](Self::listen), [`unlisten`](Self::unlisten),
///   [`respond`](Self::respond), [`connect`](Self::connect), [`close`](Self::close). These take no time and only enqueue.
/// - It tells the world: [`poll_outgoing`](Self::poll_outgoing), [`poll_event`](Self::poll_event),
///   [`poll_change`](Self::poll_change), [`poll_timeout`](Self::poll_timeout). These never block, and run dry.
///
/// Any method may be called in any state, in any order. A call may be made before anything is known about
/// the server: it is held, with its deadline, and goes out when the handshake is done.
// Each part is a machine of its own that knows none of the others: what follows from what one of them says is carried to
// the others here, and in the files that are named for what comes (`receive`), what has to be done for the handshake
// (`follow`) and what waits for the list of tools (`tools`).
#[derive(Debug)]
pub struct Client {
    pub(super) config: ClientConfig,
    pub(super) link: Link,
    /// What the server speaks.
    pub(super) negotiation: Negotiation,
    /// Who waits for a reply, and until when.
    pub(super) calls: Calls,
    /// Which calls are made in several rounds.
    pub(super) rounds: Rounds,
    /// What waits for the handshake.
    pub(super) held: HeldQueue,
    /// What waits to be sent.
    pub(super) outbox: Outbox,
    /// What the server asks.
    pub(super) inbox: Inbox,
    /// What waits for the application.
    pub(super) events: Events,
    /// The list of tools, and who waits for it.
    pub(super) tools: Tools,
    /// What the server lets it keep of other results.
    pub(super) kept_results: KeptResults,
    /// Who listens to what changes at the server.
    pub(super) listeners: Listeners,
    /// What of the arguments of tools headers mirror.
    pub(super) tool_headers: ToolHeaders,
    pub(super) members: Members,
    pub(super) counters: Counters,
    /// What the application has set in a session, and wants in the next.
    pub(super) standing: Standing,
    /// What was no message last, and how often that was told.
    pub(super) junk: (Option<Excerpt>, usize),
    /// How the server ended that this side had started.
    pub(super) obituary: Obituary,
    pub(super) restarts: Restarts,
    /// When the world last spoke.
    pub(super) now: Time,
    pub(super) closed: Option<CloseReason>,
}

impl Client {
    /// A client that has sent nothing yet.
    pub fn new(config: ClientConfig, link: Link) -> Self {
        let limits = &config.limits;
        Self {
            link,
            negotiation: Negotiation::new(link, config.mode, config.prior, config.strict_capabilities),
            calls: Calls::new(link, limits, &config.timeouts),
            rounds: Rounds::new(limits, &config.timeouts),
            held: HeldQueue::default(),
            outbox: Outbox::new(),
            inbox: Inbox::new(limits.requests_in_progress),
            events: Events::new(limits.notifications),
            tools: Tools::new(link),
            kept_results: KeptResults::default(),
            listeners: Listeners::new(link, limits),
            tool_headers: ToolHeaders::new(limits.tool_headers),
            members: Members::new(&config),
            counters: Counters::default(),
            standing: Standing::default(),
            junk: (None, 0),
            obituary: Obituary::default(),
            restarts: Restarts::default(),
            now: Time::ORIGIN,
            closed: None,
            config,
        }
    }

    /// What is known about the server; `None` before the handshake.
    pub fn facts(&self) -> Option<&ServerFacts> {
        self.negotiation.facts()
    }

    /// The verdict about the server, for [`ClientConfig::prior`] of a later connection.
    pub fn prior(&self) -> Option<Prior> {
        self.facts().map(|facts| Prior::new(facts.revision))
    }

    /// What the server has proved to speak, also after the end of the connection; `None` where that is not certain.
    #[cfg(feature = "handle")]
    pub(crate) fn proved(&self) -> Option<Prior> {
        self.negotiation.proved()
    }

    /// What the peer did that was wrong and survived.
    pub fn counters(&self) -> Counters {
        Counters {
            duplicate_requests: self.inbox.duplicates(),
            dropped_notifications: self.events.dropped(),
            ..self.counters
        }
    }

    /// The configuration.
    pub fn config(&self) -> &ClientConfig {
        &self.config
    }

    /// How many calls wait for a reply.
    pub fn pending_calls(&self) -> usize {
        self.calls.len() + self.rounds.asked()
    }

    /// How much is kept at present for what is in progress. An `initialize` that is overdue is in progress; results that are
    /// kept for later are not.
    pub fn kept(&self) -> Kept {
        let tables = self.calls.entries() + self.inbox.entries() + self.tools.entries() + self.rounds.entries();
        let queues = self.held.len() + self.outbox.len() + self.events.len() + self.listeners.entries();
        let bytes = self.events.bytes() + self.outbox.bytes() + self.held.bytes() + self.rounds.bytes();
        let bytes = bytes + self.listeners.bytes();
        Kept::new(tables + queues, bytes)
    }

    /// Whether a call still waits for its reply.
    pub fn is_waiting(&self, call: CallId) -> bool {
        self.calls.get(call).is_some() || self.rounds.contains(call)
    }

    /// Why the connection is closed, where it is.
    pub fn closed(&self) -> Option<&CloseReason> {
        self.closed.as_ref()
    }

    /// Whether there is room for what a peer may send next: in the outbox, for the answers to its requests, and
    /// within [`Limits::total_bytes`](crate::Limits::total_bytes) for what the application has not taken yet.
    /// While there is none, a driver does not read. What one read brings is always taken whole.
    ///
    /// Calls that wait to be sent do not count: a server that is busy answering may read them only when its answers
    /// are read.
    pub fn wants_input(&self) -> bool {
        let limits = &self.config.limits;
        self.outbox.owed() < limits.outbox_bytes && self.events.bytes() < limits.total_bytes
    }

    /// Whether requests can be sent at once.
    pub fn is_ready(&self) -> bool {
        self.negotiation.is_ready()
    }

    /// Whether another call or notification is taken.
    pub(crate) fn has_room(&self) -> bool {
        // Together: what is held goes into the outbox all at once.
        self.outbox.weight() + self.held.bytes() < self.config.limits.outbox_bytes
    }

    /// Calls `method`. The reply comes as [`ClientEvent::Reply`].
    ///
    /// # Errors
    /// [`SendError::Blocked`] with the parameters where the outbox is full, [`SendError::TooManyCalls`],
    /// [`SendError::Closed`]; and, where the server is known already, [`SendError::OutOfEra`] and
    /// [`SendError::NotSupported`]. Before the handshake those two come as [`CallError::Refused`] in the reply.
    pub fn call(
        &mut self,
        method: impl Into<MethodName>,
        params: Params,
        options: CallOptions,
    ) -> Result<CallId, SendError> {
        let method = method.into();
        // Before the room is looked at: nobody should wait for room for what can never be sent.
        self.check(&method, Kind::Request)?;
        if options.cached
            && let Some(result) = self.find_kept(&method, &params)
        {
            return self.answer_from_kept(method, options, result);
        }
        if !self.has_room() {
            return Err(SendError::Blocked(params));
        }
        // Those that wait for their input are in no table of requests, and would else be without a bound.
        if self.rounds.asked() > 0 && self.pending_calls() >= self.config.limits.pending_calls {
            return Err(SendError::TooManyCalls);
        }
        let call = Call::new(method, params, options, CallPurpose::Application);
        let id = self.calls.begin(call).ok_or(SendError::TooManyCalls)?;
        self.send_or_hold(id);
        Ok(id)
    }

    fn find_kept(&self, method: &MethodName, params: &Params) -> Option<RawJson> {
        self.kept_results.find(method.known()?, params).cloned()
    }

    /// A call that needs no request.
    fn answer_from_kept(
        &mut self,
        method: MethodName,
        options: CallOptions,
        result: RawJson,
    ) -> Result<CallId, SendError> {
        let call = Call::new(method, Params::NONE, options, CallPurpose::Application);
        let id = self.calls.begin(call).ok_or(SendError::TooManyCalls)?;
        self.calls.remove(id);
        self.reply(id, Ok(result));
        Ok(id)
    }

    /// Takes the results that are kept for out of date, the list of tools included.
    pub fn forget_results(&mut self) {
        self.tools.forget();
        self.kept_results.clear();
    }

    /// Notifies the server. Held until the handshake is done, like a call.
    ///
    /// # Errors
    /// As for [`call`](Self::call).
    pub fn notify(&mut self, method: impl Into<MethodName>, params: Params) -> Result<(), SendError> {
        let method = method.into();
        // As for a call: before the room.
        self.check(&method, Kind::Notification)?;
        if !self.has_room() {
            return Err(SendError::Blocked(params));
        }
        let text = encode_notification_with(method.as_str(), &params, b"");
        if self.is_ready() {
            self.outbox.push_notification(method, text);
        } else {
            let bytes = text.len();
            self.held.push(Held::Notification(method, text), bytes);
            self.connect();
        }
        Ok(())
    }

    /// Asks for all tools of the server. They come as [`ClientEvent::ToolsListed`]: at once where they are kept and fresh;
    /// else `tools/list` is read to its end, once for all who ask meanwhile. The timeouts of the options are those
    /// of this asker alone, for the whole list; its other options do not count.
    ///
    /// A list is kept as long as the server says (`ttlMs`, 2026-07-28, Caching; 24 hours at most), and not beyond the
    /// first `notifications/tools/list_changed`. Where the server says nothing it is kept until that notification,
    /// if the server has promised it (`listChanged`, legacy era) and it can arrive (on a byte stream, or a GET stream
    /// that is open); else for [`ClientConfig::tools_ttl`](super::ClientConfig::tools_ttl), which is not at all
    /// unless set. It belongs to this client and is shown to no other, whatever its `cacheScope`.
    ///
    /// # Errors
    /// Those of [`call`](Self::call), but never [`SendError::Blocked`].
    pub fn list_tools(&mut self, options: &CallOptions) -> Result<CallId, SendError> {
        let method = Method::ListTools.into();
        self.check(&method, Kind::Request)?;
        let options = CallOptions {
            // The list is several requests, and the progress of one page is not its own.
            progress: false,
            ..options.timing()
        };
        let asker = Call::new(method, Params::NONE, options, CallPurpose::ToolList);
        let call = self.calls.begin(asker).ok_or(SendError::TooManyCalls)?;
        if let Some(list) = self.tools().cloned() {
            self.calls.remove(call);
            let outcome = Ok(list);
            self.events.push(ClientEvent::ToolsListed { call, outcome });
        } else if self.tools.join(call) == Joined::First {
            self.ask_page(Params::NONE);
        }
        Ok(call)
    }

    /// The tools of the server, where they are kept and fresh.
    pub fn tools(&self) -> Option<&ToolList> {
        self.tools.list()
    }

    /// Takes the tools that are kept for out of date: whoever asks from now on gets what is read from now on.
    pub fn forget_tools(&mut self) {
        self.tools.forget();
    }

    /// Stops waiting for a call. No [`ClientEvent::Reply`] comes for it any more, and the server is told in the way
    /// of the era and the transport; a call that was not sent yet is not sent. A call that is over already is not
    /// touched: a reply that waits to be polled still comes.
    pub fn cancel(&mut self, call: CallId) {
        if let Some(gone) = self.calls.remove(call) {
            self.abandon(call, &gone);
        } else if let Some(Gone::Again(request)) = self.rounds.remove(call) {
            self.cancel(request);
        }
    }

    /// Makes a call again that needs input ([`ClientEvent::InputRequired`]), with what was asked for, each under the key of its
    /// request, and with what the server wants back. It keeps its name; the request has another id. A call that waits for
    /// no input is not touched.
    pub fn resume(&mut self, call: CallId, inputs: Map<Json>) {
        self.resume_with(call, Some(&inputs));
    }

    /// Ends a call that needs input with this error, which comes as its reply. A call that waits for no input is not touched.
    pub fn give_up(&mut self, call: CallId, error: CallError) {
        if self.rounds.is_asked(call) {
            self.rounds.remove(call);
            self.reply(call, Err(error));
        }
    }

    /// Answers a request of the server. An answer to a request that was cancelled is dropped.
    pub fn respond(&mut self, request: RequestKey, answer: Answer) {
        if let Some(id) = self.inbox.answer(request) {
            self.outbox.push_response(&id, &answer);
        }
    }

    /// Starts the handshake without a call, where there is one to make.
    pub fn connect(&mut self) {
        if self.closed.is_some() {
            return;
        }
        self.calls.resume();
        let step = self.negotiation.begin();
        self.follow(step);
    }

    /// The stream can be opened again.
    pub(super) fn allow_reopening(&mut self) {
        self.negotiation.allow_reopening();
        self.restarts.may = true;
    }

    /// The stream has ended. Whether it is to be opened again, for what is queued now.
    pub(super) fn reopen(&mut self, now: Time) -> bool {
        let step = self.negotiation.reopen().filter(|_| self.closed.is_none());
        let Some(step) = step else {
            return self.restart(now);
        };
        self.tell_end();
        self.calls.forget_handshake();
        self.follow(step);
        true
    }

    /// There is another server in place of the one that has ended: what became of that says nothing of this one.
    pub(super) fn begin_again(&mut self) {
        self.obituary = Obituary::default();
        self.junk.0 = None;
    }

    /// Takes for granted what an earlier connection found, where nothing was asked, and nothing was told before.
    #[cfg(feature = "handle")]
    pub(crate) fn presume(&mut self, prior: Prior) {
        if self.closed.is_none() {
            self.negotiation.presume(prior);
        }
    }

    /// A call has waited since `born` already: its time began then.
    #[cfg(feature = "handle")]
    pub(crate) fn born_at(&mut self, call: CallId, born: Time) {
        self.calls.arm_since(call, born);
    }

    /// So much of the time of a newborn call is spent already.
    #[cfg(feature = "handle")]
    pub(crate) fn spend(&mut self, call: CallId, spent: core::time::Duration) {
        self.calls.spend(call, spent);
    }

    /// Whether a call that ended with the connection had been sent. Says it once.
    #[cfg(feature = "handle")]
    pub(crate) fn take_was_sent(&mut self, call: CallId) -> bool {
        self.calls.take_was_sent(call)
    }

    /// Closes the connection from this side. Every call that waits fails with [`CallError::Closed`]; what is
    /// queued may still be sent.
    pub fn close(&mut self, reason: CloseReason) {
        if self.closed.is_some() {
            return;
        }
        self.closed = Some(reason.clone());
        self.negotiation.close();
        // Its calls are among those that `calls` gives back below.
        self.held = HeldQueue::default();
        self.tools.clear();
        self.kept_results.clear();
        // Without a word for each: that the connection is closed is told, and says it of all.
        self.inbox.clear();
        for (call, purpose) in self.calls.close() {
            let closed = CallError::Closed(reason.clone());
            match purpose {
                CallPurpose::Application => self.reply(call, Err(closed)),
                CallPurpose::Round(name) => self.reply(name, Err(closed)),
                CallPurpose::ToolList => {
                    let outcome = Err(closed);
                    self.events.push(ClientEvent::ToolsListed { call, outcome });
                }
                // Nobody waits for what the machine asked for itself.
                _ => {}
            }
        }
        for call in self.rounds.close() {
            self.reply(call, Err(CallError::Closed(reason.clone())));
        }
        self.close_listeners(&CallError::Closed(reason.clone()));
        // After the calls: what is queued of them is not wanted any more.
        self.outbox.close();
        self.events.push(ClientEvent::Closed(reason));
    }

    /// Time has passed. Calls whose deadline is over fail, and some more of a long list of tools is read; anything else
    /// changes nothing.
    ///
    /// Only here do they fail, whatever time the other methods are told. Where deadlines and messages come at once, as after
    /// a suspend, a driver hands over first what has arrived: an answer that is there is in time.
    pub fn handle_timeout(&mut self, now: Time) {
        // No order is asked of a driver: this may be the first that sees a call.
        self.calls.arm(now);
        self.tools.expire(now);
        self.kept_results.expire(now);
        if self.tools.has_unread() {
            self.read_tools(now);
        }
        self.wake_listeners(now);
        if self.negotiation.is_unannounced(now) {
            let (phase, after) = (Phase::Initialize, self.config.timeouts.initialize);
            self.handshake_failed(CallError::Timeout { phase, after });
        }
        while let Some((id, after, call)) = self.calls.expire(now) {
            self.expired(id, after, call);
        }
        while let Some((call, after)) = self.rounds.expire(now) {
            let phase = Phase::Input;
            self.reply(call, Err(CallError::Timeout { phase, after }));
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        let parts = [
            self.calls.poll_timeout(),
            self.negotiation.poll_timeout(),
            self.tools.poll_timeout(),
            self.rounds.poll_timeout(),
            self.kept_results.poll_timeout(),
            self.listeners.poll_timeout(),
        ];
        parts.into_iter().flatten().min()
    }

    /// What the application should know.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<ClientEvent> {
        // First: nothing comes after the end of the connection.
        let changed = self.listeners.pop_news().map(ClientEvent::Changed);
        changed.or_else(|| self.events.pop())
    }

    /// The next message to send. Every call gets its deadline here, also one that is still held.
    #[must_use]
    pub fn poll_outgoing(&mut self, now: Time) -> Option<Outgoing> {
        self.wake_listeners(now);
        self.calls.arm(now);
        let (text, entry) = self.pop_outbox()?;
        // The revision that it was written in: sending it may change what comes after it.
        let revision = self.revision();
        if entry.purpose == Purpose::Initialized {
            let step = self.negotiation.announcing(now + self.config.timeouts.initialize);
            self.follow(step);
        }
        Some(entry.into_outgoing(text, revision))
    }

    /// The next message that is still wanted.
    fn pop_outbox(&mut self) -> Option<(Vec<u8>, Entry)> {
        loop {
            let (text, entry) = self.outbox.pop()?;
            if let Purpose::Call(id) | Purpose::Initialize(id) = entry.purpose {
                match self.calls.get_mut(id) {
                    // The epoch tells later whether what comes of it is still news.
                    Some(call) => call.progress = CallProgress::Sent(self.negotiation.epoch()),
                    None => continue,
                }
            }
            return Some((text, entry));
        }
    }

    /// A call whose exchange is to be ended without waiting for its answer.
    #[must_use]
    pub fn poll_abort(&mut self) -> Option<CallId> {
        self.calls.poll_aborted()
    }

    /// A call whose exchange has brought its answer.
    #[must_use]
    pub fn poll_settled(&mut self) -> Option<CallId> {
        self.calls.poll_settled()
    }

    /// Whether anything waits to be sent.
    pub fn has_outgoing(&self) -> bool {
        !self.outbox.is_empty()
    }

    /// The revision spoken with the server; before the handshake is done, the one it is made in.
    pub(super) fn revision(&self) -> Option<Revision> {
        self.negotiation.revision()
    }

    /// Whether this may be sent, as far as that is known.
    fn check(&self, method: &MethodName, kind: Kind) -> Result<(), SendError> {
        match &self.closed {
            Some(reason) => Err(SendError::Closed(reason.clone())),
            None => self.negotiation.check(method, kind),
        }
    }
}
