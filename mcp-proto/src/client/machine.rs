//! The client machine: its state, and what the application tells it.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::config::{ClientConfig, Prior};
use super::era::Channel;
use super::event::{Answer, Event, ServerFacts};
use super::held::{Held, HeldQueue};
use super::lifecycle::{first_stage, known_facts};
use super::listing::Tools;
use super::outbound::Members;
use super::tool_headers::ToolHeaders;
use crate::jsonrpc::{ErrorObject, Params, RawJson, encode_notification_with};
use crate::legacy::client::{self as legacy, Handshake};
use crate::method::{Kind, Method, MethodName, Role};
use crate::modern::client::{self as modern, Discovery};
use crate::revision::Revision;
use crate::rpc::{
    CallError, CallId, CallOptions, Calls, CloseReason, Counters, Kept, Mirrored, Outbox, Outgoing, Phase, Purpose,
    RequestKey, Requests, SendError,
};
use crate::time::Time;

/// A client without a transport: messages in, messages out.
///
/// Its methods are of four kinds.
/// - Getters: [`facts`](Self::facts), [`prior`](Self::prior), [`counters`](Self::counters), …
/// - The world tells it: [`receive`](Self::receive), [`fail`](Self::fail), [`delivered`](Self::delivered),
///   [`peer_closed`](Self::peer_closed), [`handle_timeout`](Self::handle_timeout).
/// - The application tells it: [`call`](Self::call), [`notify`](Self::notify), [`cancel`](Self::cancel),
///   [`respond`](Self::respond), [`connect`](Self::connect), [`close`](Self::close). These take no time and
///   only enqueue.
/// - It tells the world: [`poll_outgoing`](Self::poll_outgoing), [`poll_event`](Self::poll_event),
///   [`poll_timeout`](Self::poll_timeout). These never block, and run dry.
///
/// Any method may be called in any state, in any order. A call may be made before anything is known about
/// the server: it is held, with its deadline, and goes out when the handshake is done.
#[derive(Debug)]
pub struct Client {
    pub(super) config: ClientConfig,
    pub(super) link: Link,
    pub(super) stage: Stage,
    pub(super) facts: Option<ServerFacts>,
    /// How often a session, or what was believed of the server, was given up for another: tells news of the
    /// present one from belated news.
    pub(super) epoch: u64,
    pub(super) calls: Calls<Call>,
    /// What an earlier connection found, until it proves wrong.
    pub(super) prior: Option<Prior>,
    /// Whether the server has shown that what is believed of it is true.
    pub(super) confirmed: bool,
    /// When the server must have taken `notifications/initialized`, where it has to say so.
    pub(super) announce_by: Option<Time>,
    /// The `initialize` on a byte stream that was not answered in time, and still may be.
    pub(super) overdue: Option<CallId>,
    pub(super) held: HeldQueue,
    pub(super) requests: Requests,
    pub(super) outbox: Outbox<OutboxEntry>,
    /// Bytes of the answers in the outbox, to requests of the server.
    pub(super) owed: usize,
    pub(super) tool_headers: ToolHeaders,
    pub(super) tools: Tools,
    /// When the world last spoke.
    pub(super) now: Time,
    aborts: VecDeque<CallId>,
    /// The calls that were never sent when the connection closed.
    #[cfg(feature = "handle")]
    unsent: alloc::collections::BTreeSet<CallId>,
    settled: VecDeque<CallId>,
    events: VecDeque<Event>,
    event_bytes: usize,
    pub(super) notifications: usize,
    pub(super) members: Members,
    pub(super) counters: Counters,
    pub(super) closed: Option<CloseReason>,
}

/// What carries the messages. The rules of cancellation and of the era question depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// One byte stream for everything.
    Stream,
    /// One HTTP exchange for each message.
    Http,
}

/// Where a message came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The byte stream.
    Stream,
    /// The response of an HTTP exchange.
    Http {
        /// Its status.
        status: u16,
        /// The call that it should answer, and has not yet: an error without an id can mean no other.
        call: Option<CallId>,
    },
}

impl Origin {
    pub(super) fn channel(self) -> Channel {
        match self {
            Self::Stream => Channel::Stream,
            Self::Http { status, .. } => Channel::Http(status),
        }
    }
}

/// The era, and where its lifecycle stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing is known.
    Undecided,
    /// The server is being asked, or is known to be modern.
    Modern(Discovery),
    /// The server is taken for legacy, in this revision.
    Legacy(Handshake, Revision),
}

/// A call that waits.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) method: MethodName,
    pub(super) params: Params,
    pub(super) options: CallOptions,
    pub(super) purpose: CallPurpose,
    pub(super) progress: CallProgress,
    /// Whether it has been sent to a session that was lost, or in an era that was wrong.
    pub(super) repeated: bool,
    /// Why it was refused, where that was for its headers.
    pub(super) mismatch: Option<ErrorObject>,
}

/// What a queued message is, its method, and what of it headers mirror.
pub(super) type OutboxEntry = (Purpose, Option<MethodName>, Mirrored);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallPurpose {
    Application,
    Discover,
    Initialize,
    /// Whether the session is still known.
    Ping,
    /// The list of tools, for the application: waits until it is read.
    ToolList,
    /// A page of it.
    Tools,
}

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallProgress {
    /// Is being made, or waits for the list of tools.
    Born,
    /// Waits for the handshake, under this key.
    Held(u64),
    /// Waits in the outbox, under this key.
    Queued(u64),
    /// Handed to the transport, in this epoch.
    Sent(u64),
}

impl Client {
    /// A client that has sent nothing yet.
    pub fn new(config: ClientConfig, link: Link) -> Self {
        let limits = &config.limits;
        let stage = first_stage(config.mode, config.prior);
        Self {
            link,
            stage,
            facts: known_facts(stage),
            epoch: 0,
            calls: Calls::new(limits.pending_calls),
            prior: config.prior,
            confirmed: false,
            announce_by: None,
            overdue: None,
            held: HeldQueue::default(),
            requests: Requests::new(limits.requests_in_progress),
            outbox: Outbox::new(),
            owed: 0,
            tool_headers: ToolHeaders::new(limits.tool_headers),
            tools: Tools::default(),
            now: Time::ORIGIN,
            aborts: VecDeque::new(),
            #[cfg(feature = "handle")]
            unsent: alloc::collections::BTreeSet::new(),
            settled: VecDeque::new(),
            events: VecDeque::new(),
            event_bytes: 0,
            notifications: 0,
            members: Members::new(&config),
            counters: Counters::default(),
            closed: None,
            config,
        }
    }

    /// What is known about the server; `None` before the handshake.
    pub fn facts(&self) -> Option<&ServerFacts> {
        self.facts.as_ref().filter(|_| self.is_ready())
    }

    /// The verdict about the server, for [`ClientConfig::prior`] of a later connection.
    pub fn prior(&self) -> Option<Prior> {
        self.facts().map(|facts| Prior::new(facts.revision))
    }

    /// What the peer did that was wrong and survived.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// The configuration.
    pub fn config(&self) -> &ClientConfig {
        &self.config
    }

    /// How many calls wait for a reply.
    pub fn pending_calls(&self) -> usize {
        self.calls.len() - usize::from(self.overdue.is_some())
    }

    /// How much is kept at present. An `initialize` that is overdue is in progress.
    pub fn kept(&self) -> Kept {
        let tables = self.calls.entries() + self.requests.entries() + self.tools.entries();
        let queues = self.held.len() + self.outbox.len() + self.aborts.len() + self.settled.len() + self.events.len();
        let bytes = self.event_bytes + self.outbox.bytes() + self.held.bytes();
        Kept::new(tables + queues, bytes)
    }

    /// Whether a call still waits for its reply.
    pub fn is_waiting(&self, call: CallId) -> bool {
        self.calls.get(call).is_some()
    }

    /// Why the connection is closed, where it is.
    pub fn closed(&self) -> Option<CloseReason> {
        self.closed
    }

    /// Whether there is room for what a peer may send next: in the outbox, for the answers to its requests, and
    /// within [`Limits::total_bytes`](crate::Limits::total_bytes) for what the application has not taken yet.
    /// While there is none, a driver does not read. What one read brings is always taken whole.
    ///
    /// Calls that wait to be sent do not count: a server that is busy answering may read them only when its answers
    /// are read.
    pub fn wants_input(&self) -> bool {
        let limits = &self.config.limits;
        self.owed < limits.outbox_bytes && self.event_bytes < limits.total_bytes
    }

    /// Whether requests can be sent at once.
    pub fn is_ready(&self) -> bool {
        matches!(
            self.stage,
            Stage::Modern(Discovery::Settled) | Stage::Legacy(Handshake::Operating, _)
        )
    }

    /// The revision spoken with the server; before the handshake is done, the one it is made in.
    pub(super) fn revision(&self) -> Option<Revision> {
        match self.stage {
            Stage::Undecided => None,
            Stage::Modern(_) => Some(Revision::LATEST),
            Stage::Legacy(_, revision) => Some(revision),
        }
    }

    /// Calls `method`. The reply comes as [`Event::Reply`].
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
        self.check_open()?;
        self.check_allowed(&method, Kind::Request)?;
        if !self.has_room() {
            return Err(SendError::Blocked(params));
        }
        let bytes = params.size();
        let call = Call {
            method,
            params,
            options: options.clone(),
            purpose: CallPurpose::Application,
            progress: CallProgress::Born,
            repeated: false,
            mismatch: None,
        };
        let id = self
            .calls
            .begin(&options, &self.config.timeouts, call)
            .ok_or(SendError::TooManyCalls)?;
        if self.is_ready() {
            self.enqueue_call(id);
        } else {
            let key = self.held.push(Held::Call(id), bytes);
            if let Some(call) = self.calls.get_mut(id) {
                call.progress = CallProgress::Held(key);
            }
            self.connect();
        }
        Ok(id)
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
        !self.unsent.remove(&call)
    }

    /// Notifies the server. Held until the handshake is done, like a call.
    ///
    /// # Errors
    /// As for [`call`](Self::call).
    pub fn notify(&mut self, method: impl Into<MethodName>, params: Params) -> Result<(), SendError> {
        let method = method.into();
        self.check_open()?;
        self.check_allowed(&method, Kind::Notification)?;
        if !self.has_room() {
            return Err(SendError::Blocked(params));
        }
        let text = encode_notification_with(method.as_str(), &params, b"");
        if self.is_ready() {
            self.outbox
                .push(text, (Purpose::Notification, Some(method), Mirrored::default()));
        } else {
            let bytes = text.len();
            self.held.push(Held::Notification(method, text), bytes);
            self.connect();
        }
        Ok(())
    }

    /// Stops waiting for a call. No [`Event::Reply`] comes for it any more, and the server is told in the way
    /// of the era and the transport; a call that was not sent yet is not sent. A call that is over already is not
    /// touched: a reply that waits to be polled still comes.
    pub fn cancel(&mut self, call: CallId) {
        if let Some(gone) = self.calls.remove(call) {
            self.abandon(call, &gone);
        }
    }

    /// Answers a request of the server. An answer to a request that was cancelled is dropped.
    pub fn respond(&mut self, request: RequestKey, answer: Answer) {
        if let Some(id) = self.requests.finish(request) {
            self.enqueue_response(&id, &answer);
        }
    }

    /// Starts the handshake without a call, where there is one to make.
    pub fn connect(&mut self) {
        if self.closed.is_some() {
            return;
        }
        if let Some(initialize) = self.overdue.take() {
            self.calls.resume(initialize);
        }
        match self.stage {
            Stage::Undecided => {
                self.stage = Stage::Modern(Discovery::Start);
                self.step_modern(modern::Input::Begin);
            }
            Stage::Modern(_) => self.step_modern(modern::Input::Begin),
            Stage::Legacy(..) => self.step_legacy(legacy::Input::Begin),
        }
    }

    /// Closes the connection from this side. Every call that waits fails with [`CallError::Closed`]; what is
    /// queued may still be sent.
    pub fn close(&mut self, reason: CloseReason) {
        if self.closed.is_some() {
            return;
        }
        self.closed = Some(reason);
        match self.stage {
            Stage::Undecided => {}
            Stage::Modern(discovery) => self.stage = Stage::Modern(discovery.step(modern::Input::Close).0),
            Stage::Legacy(handshake, revision) => {
                self.stage = Stage::Legacy(handshake.step(legacy::Input::Close).0, revision);
            }
        }
        self.announce_by = None;
        self.overdue = None;
        self.held = HeldQueue::default();
        self.tools.clear();
        self.requests.clear();
        for (call, data) in self.calls.drain() {
            if matches!(data.progress, CallProgress::Sent(_)) && self.link == Link::Http {
                self.aborts.push_back(call);
            }
            #[cfg(feature = "handle")]
            if !matches!(data.progress, CallProgress::Sent(_)) && data.purpose == CallPurpose::Application {
                self.unsent.insert(call);
            }
            match data.purpose {
                CallPurpose::Application => self.emit_reply(call, Err(CallError::Closed(reason))),
                CallPurpose::ToolList => {
                    let outcome = Err(CallError::Closed(reason));
                    self.emit(Event::ToolsListed { call, outcome });
                }
                _ => {}
            }
        }
        self.outbox
            .retain(|(purpose, ..)| matches!(purpose, Purpose::Notification | Purpose::Response));
        self.emit(Event::Closed(reason));
    }

    /// Time has passed. Calls whose deadline is over fail; anything else changes nothing.
    pub fn handle_timeout(&mut self, now: Time) {
        self.calls.arm(now);
        self.expire_tools(now);
        if self.announce_by.is_some_and(|until| until <= now) {
            let (phase, after) = (Phase::Initialize, self.config.timeouts.initialize);
            self.handshake_failed(&CallError::Timeout { phase, after });
        }
        while let Some((id, after, call)) = self.calls.expire(now) {
            let phase = self.phase_of(&call);
            self.abandon(id, &call);
            match call.purpose {
                CallPurpose::Application => {
                    self.emit_reply(id, Err(CallError::Timeout { phase, after }));
                }
                CallPurpose::Discover => self.judge_silence(after),
                CallPurpose::Initialize
                    if self.link == Link::Stream && matches!(call.progress, CallProgress::Sent(_)) =>
                {
                    self.handshake_late(id, after, call);
                }
                CallPurpose::Initialize => self.handshake_failed(&CallError::Timeout { phase, after }),
                CallPurpose::Ping => {}
                CallPurpose::ToolList => self.listing_timed_out(id, phase, after),
                CallPurpose::Tools => self.settle_page(Err(CallError::Timeout { phase, after })),
            }
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        [self.calls.poll_timeout(), self.announce_by, self.tools.poll_timeout()]
            .into_iter()
            .flatten()
            .min()
    }

    /// What the application should know.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front()?;
        self.event_bytes -= weight(&event);
        if let Event::Notification(_) = event {
            self.notifications -= 1;
        }
        Some(event)
    }

    /// The next message to send. Every call gets its deadline here, also one that is still held.
    #[must_use]
    pub fn poll_outgoing(&mut self, now: Time) -> Option<Outgoing> {
        self.calls.arm(now);
        let (text, (purpose, method, mirrored)) = self.pop_outbox()?;
        let outgoing = Outgoing {
            text,
            purpose,
            method,
            mirrored,
            revision: self.revision(),
        };
        match (purpose, self.link) {
            (Purpose::Initialized, Link::Stream) => self.step_legacy(legacy::Input::Announced),
            (Purpose::Initialized, Link::Http) => self.announce_by = Some(now + self.config.timeouts.initialize),
            _ => {}
        }
        Some(outgoing)
    }

    /// The next message that is still wanted.
    fn pop_outbox(&mut self) -> Option<(Vec<u8>, OutboxEntry)> {
        loop {
            let (text, entry) = self.outbox.pop()?;
            if entry.0 == Purpose::Response {
                self.owed -= text.len();
            }
            if let Purpose::Call(id) | Purpose::Initialize(id) = entry.0 {
                match self.calls.get_mut(id) {
                    Some(call) => call.progress = CallProgress::Sent(self.epoch),
                    None => continue,
                }
            }
            return Some((text, entry));
        }
    }

    /// A call whose exchange is to be ended without waiting for its answer.
    #[must_use]
    pub fn poll_abort(&mut self) -> Option<CallId> {
        self.aborts.pop_front()
    }

    /// A call whose exchange has brought its answer.
    #[must_use]
    pub fn poll_settled(&mut self) -> Option<CallId> {
        self.settled.pop_front()
    }

    /// Whether anything waits to be sent.
    pub fn has_outgoing(&self) -> bool {
        !self.outbox.is_empty()
    }

    fn check_open(&self) -> Result<(), SendError> {
        match self.closed {
            Some(reason) => Err(SendError::Closed(reason)),
            None => Ok(()),
        }
    }

    /// Whether `method` may be sent, as far as it is known what the server speaks and offers.
    pub(super) fn check_allowed(&self, method: &MethodName, kind: Kind) -> Result<(), SendError> {
        let Some(facts) = self.facts() else { return Ok(()) };
        let Some(known) = method.known() else { return Ok(()) };
        if known.kind() != kind || !known.is_sent_by(Role::Client, facts.revision) {
            return Err(SendError::OutOfEra {
                method: method.clone(),
                revision: facts.revision,
            });
        }
        let offered = match (&facts.capabilities, known.required_server_capability()) {
            (Some(capabilities), Some(needed)) => capabilities.has(needed),
            _ => true,
        };
        if self.config.strict_capabilities && !offered {
            return Err(SendError::NotSupported { method: method.clone() });
        }
        Ok(())
    }

    /// Whether another call or notification is taken.
    pub(crate) fn has_room(&self) -> bool {
        self.outbox.bytes() + self.held.bytes() < self.config.limits.outbox_bytes
    }

    /// What a call waits for.
    pub(super) fn phase_of(&self, call: &Call) -> Phase {
        match (call.purpose, call.progress, self.stage) {
            (CallPurpose::ToolList, ..) => self.phase_of_listing(),
            (CallPurpose::Discover, ..) | (_, CallProgress::Held(_), Stage::Modern(_) | Stage::Undecided) => {
                Phase::Probe
            }
            (CallPurpose::Initialize, ..) | (_, CallProgress::Held(_), Stage::Legacy(..)) => Phase::Initialize,
            (_, CallProgress::Born | CallProgress::Queued(_), _) => Phase::Outbox,
            (_, CallProgress::Sent(_), _) => Phase::Request,
        }
    }

    /// Undoes a call that is not waited for any more, as far as it has come.
    fn abandon(&mut self, id: CallId, call: &Call) {
        match call.progress {
            CallProgress::Held(key) => self.held.remove(key),
            CallProgress::Queued(key) => self.outbox.remove(key),
            CallProgress::Born => self.leave_listing(id),
            CallProgress::Sent(epoch) => self.tell_cancelled(id, call, epoch),
        }
    }

    /// Tells the server that a call it has is not waited for any more.
    ///
    /// 2026-07-28, Cancellation: over HTTP the end of the response stream says so, on a byte stream
    /// `notifications/cancelled` does; up to 2025-11-25 the notification does on both. `initialize` "MUST NOT
    /// be cancelled by clients" (2025-11-25, Cancellation).
    fn tell_cancelled(&mut self, id: CallId, call: &Call, epoch: u64) {
        let by_disconnect = self.link == Link::Http && self.revision().is_some_and(Revision::cancels_by_disconnect);
        let is_work = matches!(call.purpose, CallPurpose::Application | CallPurpose::Tools);
        let may_tell = is_work && epoch == self.epoch && self.is_ready();
        if may_tell && !by_disconnect {
            self.enqueue_cancelled(id);
        }
        if self.link == Link::Http {
            self.aborts.push_back(id);
        }
    }

    /// The exchange of this call has served its purpose.
    pub(super) fn settled(&mut self, call: CallId) {
        if self.link == Link::Http {
            self.settled.push_back(call);
        }
    }

    /// Whether this call is with the server: only then can anything come for it.
    pub(super) fn is_sent(&self, call: CallId) -> bool {
        let call = self.calls.get(call);
        call.is_some_and(|call| matches!(call.progress, CallProgress::Sent(_)))
    }

    /// Brings the outcome of a call of the application, or of a page of the list of tools, to where it belongs.
    pub(super) fn conclude(&mut self, call: CallId, purpose: CallPurpose, outcome: Result<RawJson, CallError>) {
        match purpose {
            CallPurpose::Tools => self.settle_page(outcome),
            _ => self.emit_reply(call, outcome),
        }
    }

    pub(super) fn emit_reply(&mut self, call: CallId, outcome: Result<RawJson, CallError>) {
        self.emit(Event::Reply { call, outcome });
    }

    pub(super) fn emit(&mut self, event: Event) {
        self.event_bytes += weight(&event);
        self.events.push_back(event);
    }

    /// An error for a request of the server that this side does not serve.
    pub(super) fn refuse(&mut self, key: RequestKey, error: ErrorObject) {
        self.respond(key, Err(error));
    }

    /// Whether a request of this method is the machine's own to answer.
    pub(super) fn is_own(method: &MethodName) -> bool {
        method.known() == Some(Method::Ping)
    }
}

/// How many bytes an event keeps.
fn weight(event: &Event) -> usize {
    let text = match event {
        Event::Reply {
            outcome: Ok(result), ..
        } => result.as_bytes().len(),
        Event::Progress { params, .. } => params.as_bytes().len(),
        Event::Notification(notification) => notification.text.as_bytes().len(),
        Event::Request(request) => request.request.text.as_bytes().len(),
        _ => 0,
    };
    text + size_of::<Event>()
}
