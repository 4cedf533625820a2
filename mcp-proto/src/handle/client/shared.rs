//! What the handles of one client and its driver share: the machine, and who waits for what.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use super::askers::Askers;
use super::blocked::{Blocked, Ticket};
use super::demands::{Demand, Demands};
use super::listeners::Listeners;
use super::lobby::{Lobby, Watching};
use super::machine::Machine;
use super::slots::{Fate, Report, Room, Slots};
use super::subscribers::Subscribers;
use crate::client::{
    Answer, Change, ClientEvent, Incident, ListenerId, ServerFacts, ServerNotification, ServerRequest, ToolList,
};
use crate::handle::board::Board;
use crate::handle::sync::{Guard, Mutex, lock};
use crate::handle::wakers::{Wait, Wakers, keep};
use crate::jsonrpc::{ErrorObject, Params, RawJson};
use crate::limits::Limits;
use crate::method::{ClientCapability, Method, MethodName};
use crate::model::{InputRequest, Json, Map, Root, SubscriptionFilter};
use crate::revision::Revision;
use crate::rpc::{CallError, CallId, CallOptions, CloseReason, InputFailure, RequestKey, SendError};
use crate::time::Time;

/// What the handles of one client and its driver share. One lock, held for a few machine steps and never
/// across an await; wakers are woken outside of it.
pub(super) struct Shared(Mutex<State>);

/// The machine, and those who wait: parts that know nothing of each other. What the machine says is carried to them here.
pub(super) struct State {
    pub(super) machine: Machine,
    /// Those who wait for a call.
    slots: Slots,
    /// Those who wait for room in the outbox.
    blocked: Blocked,
    /// Those who wait for the list of tools.
    askers: Askers,
    /// Those who read notifications.
    listeners: Listeners,
    /// Those who wait for a change.
    subscribers: Subscribers,
    /// What was lost, and those who read of it.
    pub(super) incidents: Board<Incident>,
    /// Who is told of them as well: the pool that the client belongs to.
    relay: Option<Relay>,
    /// What else can tell of the end when the driver is gone.
    pub(super) tellers: usize,
    /// Those who wait for the handshake, or for the end.
    lobby: Lobby,
    /// What the server wants answered; `None` where nobody answers.
    demands: Option<Demands>,
    /// Where the server may work.
    roots: Vec<Root>,
    /// The calls and askings that no drain has seen yet.
    newborn: Vec<CallId>,
    /// The time that the driver told last.
    now: Time,
    driver: Option<Waker>,
    /// Whom to wake once the lock is free.
    to_wake: Wakers,
    /// Wakers that nobody needs any more: with the last one a task goes, and what it holds may come back to the lock.
    spent: Vec<Waker>,
}

impl Shared {
    /// What is shared of a client; with its roots, where there are some who answer.
    pub(super) fn new(machine: Machine, roots: Option<Vec<Root>>) -> Self {
        Self(Mutex::new(State {
            machine,
            demands: roots.as_ref().map(|_| Demands::default()),
            roots: roots.unwrap_or_default(),
            slots: Slots::default(),
            blocked: Blocked::default(),
            askers: Askers::default(),
            listeners: Listeners::default(),
            subscribers: Subscribers::default(),
            incidents: Board::default(),
            relay: None,
            tellers: 0,
            lobby: Lobby::default(),
            newborn: Vec::new(),
            now: Time::ORIGIN,
            driver: None,
            to_wake: Wakers::default(),
            spent: Vec::new(),
        }))
    }

    /// Changes the state on behalf of a handle, and wakes the driver to see what has come of it.
    pub(super) fn apply<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        self.with(|state| {
            let value = change(state);
            state.wake_driver();
            value
        })
    }

    /// Looks at the state, which changes nothing.
    pub(super) fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.lock())
    }

    /// Takes what has come for a handle. The machine is not touched, and has nothing new to say.
    pub(super) fn take<T>(&self, take: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let taken = take(&mut state);
        let spent = core::mem::take(&mut state.spent);
        drop(state);
        drop(spent);
        taken
    }

    /// Changes the state on behalf of the driver.
    pub(super) fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let value = change(&mut state);
        state.read_events();
        state.admit();
        let (to_wake, spent) = (state.to_wake.take(), core::mem::take(&mut state.spent));
        // A waker may poll its task at once, and that takes the lock; so may what is dropped with a task.
        drop(state);
        to_wake.wake();
        drop(spent);
        value
    }

    /// A panic elsewhere cannot leave the state half changed in a way that matters more than a lost connection.
    fn lock(&self) -> Guard<'_, State> {
        lock(&self.0)
    }
}

/// Shows how the connection stands, and nothing of what it carries: there are credentials in it.
impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It may be printed by who holds the lock.
        let Ok(state) = self.0.try_lock() else {
            return f.write_str("Client { .. }");
        };
        let client = state.machine.as_client();
        f.debug_struct("Client")
            .field("revision", &client.facts().map(|facts| facts.revision))
            .field("pending_calls", &client.pending_calls())
            .field("closed", &client.closed())
            .finish_non_exhaustive()
    }
}

/// What is closed with the last handle.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) shared: Arc<Shared>,
}

impl Inner {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shared
            .apply(|state| state.machine.client().close(CloseReason::Local));
    }
}

impl State {
    /// The bounds of the client.
    pub(super) fn limits(&self) -> &Limits {
        &self.machine.as_client().config().limits
    }

    /// Starts to wait for a call.
    pub(super) fn begin(&mut self, call: CallId, spent: Duration, waker: Waker) {
        if !spent.is_zero() {
            self.machine.client().spend(call, spent);
        }
        self.insert(call, spent, None, waker);
    }

    fn insert(&mut self, call: CallId, spent: Duration, born: Option<Time>, waker: Waker) {
        self.slots.insert(call, spent, born, waker);
        // One that has waited for room was born then.
        if born.is_none() {
            self.newborn.push(call);
        }
    }

    /// Waits for room with a call that the machine did not take, in the order of the callers.
    pub(super) fn wait_for_room(
        &mut self,
        cx: &Context<'_>,
        method: MethodName,
        params: Params,
        options: CallOptions,
        spent: Duration,
    ) -> Ticket {
        let timeouts = &self.machine.as_client().config().timeouts;
        self.blocked.push(cx.waker(), timeouts, method, params, options, spent)
    }

    /// What has become of a call that waits for room.
    pub(super) fn poll_room(
        &mut self,
        ticket: Ticket,
        cx: &Context<'_>,
    ) -> Poll<(Result<CallId, CallError>, Duration)> {
        self.blocked.poll(ticket, cx, &mut self.spent)
    }

    /// Stops waiting for room, or for the call that was made meanwhile.
    pub(super) fn leave(&mut self, ticket: Ticket) {
        if let Some(call) = self.blocked.leave(ticket, &mut self.spent) {
            self.cancel(call);
        }
    }

    /// Makes the calls that wait for room, as many as there is room for.
    fn admit(&mut self) {
        let mut admitted = false;
        while !self.blocked.is_empty() {
            let client = self.machine.as_client();
            // One that is closed refuses them all: nobody waits for room that will never be.
            if !client.has_room() && client.closed().is_none() {
                break;
            }
            self.admit_next();
            admitted = true;
        }
        if admitted {
            self.read_events();
            self.wake_driver();
        }
    }

    fn admit_next(&mut self) {
        let Some(next) = self.blocked.pop() else { return };
        let client = self.machine.client();
        match client.call(next.method, next.params, next.options) {
            Ok(call) => {
                client.spend(call, next.spent);
                // After `spend`: the deadline follows from both.
                if let Some(born) = next.born {
                    client.born_at(call, born);
                }
                // The caller need not know yet: whatever comes for the call wakes it.
                self.insert(call, next.spent, next.born, next.waker);
                self.blocked.resolve(next.ticket, Ok(call), next.spent);
            }
            Err(error) => {
                let took = next.born.map_or(Duration::ZERO, |born| self.now.since(born));
                let spent = next.spent.saturating_add(took);
                self.blocked.resolve(next.ticket, Err(refused(error)), spent);
                self.to_wake.push(next.waker);
            }
        }
    }

    /// Gives the calls that wait for room their deadlines.
    pub(super) fn arm(&mut self, now: Time) {
        self.now = now;
        self.blocked.arm(now);
        for call in self.newborn.drain(..) {
            self.slots.arm(call, now);
            self.askers.arm(call, now);
        }
    }

    /// The driver says what time it is.
    pub(super) fn tick(&mut self, now: Time) {
        self.now = self.now.max(now);
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called.
    pub(super) fn deadline(&self) -> Option<Time> {
        [self.machine.poll_timeout(), self.blocked.poll_timeout()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Time has passed.
    pub(super) fn handle_timeout(&mut self, now: Time) {
        self.arm(now);
        self.machine.handle_timeout(now);
        while let Some(waker) = self.blocked.expire(now) {
            self.to_wake.push(waker);
        }
    }

    /// Progress and log messages that have come for a call, and its outcome, once, and how far it came.
    pub(super) fn poll_call(&mut self, call: CallId, cx: &Context<'_>) -> (VecDeque<Report>, Poll<Settled>) {
        // The reports first: with its outcome, the slot goes, and they with it.
        (
            self.slots.take_reports(call),
            self.slots.poll(call, cx, &mut self.spent),
        )
    }

    /// Stops waiting for a call, and tells the server.
    pub(super) fn cancel(&mut self, call: CallId) {
        if self.slots.remove(call, &mut self.spent) {
            self.machine.client().cancel(call);
            self.needs_no_input(call);
        }
    }

    /// A call is over: whoever gathers input for it stops.
    fn needs_no_input(&mut self, call: CallId) {
        if let Some(demands) = &mut self.demands
            && demands.over(call)
        {
            self.wake_driver();
        }
    }

    /// The next thing that the server wants answered.
    pub(super) fn next_demand(&mut self) -> Option<Demand> {
        self.demands.as_mut()?.next()
    }

    /// Answers a request of the server.
    pub(super) fn respond(&mut self, request: RequestKey, answer: Answer) {
        // One that was taken back meanwhile wants none.
        if self.demands.as_mut().is_some_and(|demands| demands.answered(request)) {
            self.machine.client().respond(request, answer);
        }
    }

    /// Goes on with a call that has its input.
    pub(super) fn resume(&mut self, call: CallId, inputs: Map<Json>) {
        if self.demands.as_mut().is_some_and(|demands| demands.gathered(call)) {
            self.machine.client().resume(call, inputs);
        }
    }

    /// Ends a call whose input cannot be given.
    pub(super) fn give_up(&mut self, call: CallId, failure: InputFailure) {
        if self.demands.as_mut().is_some_and(|demands| demands.gathered(call)) {
            self.machine.client().give_up(call, CallError::Input(failure.into()));
        }
    }

    /// The revision that is spoken with the server.
    pub(super) fn revision(&self) -> Option<Revision> {
        self.machine.as_client().facts().map(|facts| facts.revision)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.machine.as_client().closed().is_some()
    }

    pub(super) fn roots(&self) -> &[Root] {
        &self.roots
    }

    /// Has other roots, and tells the server where it could have asked for those of before.
    pub(super) fn set_roots(&mut self, roots: Vec<Root>) {
        self.roots = roots;
        let client = self.machine.client();
        let is_promised = client.config().capabilities.has(ClientCapability::RootsListChanged);
        let may_know = client.is_ready() && client.facts().is_some_and(|facts| facts.revision.has_initialize());
        if is_promised && may_know {
            // Where there is no room for it, the server has not read for long, and asks before it uses them.
            drop(client.notify(Method::RootsListChangedNotification, Params::NONE));
        }
    }

    /// Asks for the list of tools.
    pub(super) fn list_tools(&mut self, options: &CallOptions, spent: Duration) -> Result<CallId, SendError> {
        let client = self.machine.client();
        let call = client.list_tools(options)?;
        client.spend(call, spent);
        self.askers.insert(call, spent);
        self.newborn.push(call);
        Ok(call)
    }

    /// The list of tools, once, and how much of the time of who asked is spent.
    pub(super) fn poll_tools(
        &mut self,
        call: CallId,
        cx: &Context<'_>,
    ) -> Poll<(Result<ToolList, CallError>, Duration)> {
        self.askers.poll(call, cx, &mut self.spent)
    }

    /// Stops waiting for the list of tools.
    pub(super) fn cancel_listing(&mut self, call: CallId) {
        if self.askers.remove(call, &mut self.spent) {
            self.machine.client().cancel(call);
        }
    }

    /// A new reader of notifications. For one that comes `late`, those before count as missed.
    pub(super) fn listen(&mut self, late: bool) -> u64 {
        let missed = if late { self.listeners.notified() } else { 0 };
        self.listeners.insert(missed)
    }

    pub(super) fn unlisten(&mut self, listener: u64) {
        self.spent.extend(self.listeners.remove(listener));
    }

    /// The next notification; `None` where there will be no more.
    pub(super) fn poll_notification(&mut self, listener: u64, cx: &Context<'_>) -> Poll<Option<ServerNotification>> {
        let is_closed = self.machine.as_client().closed().is_some();
        self.listeners.poll(listener, is_closed, cx, &mut self.spent)
    }

    /// How many notifications a reader has missed because it was slow.
    pub(super) fn missed(&self, listener: u64) -> u64 {
        self.listeners.missed(listener)
    }

    /// The next change for a listener, or how its subscription has ended.
    pub(super) fn poll_change(
        &mut self,
        listener: ListenerId,
        cx: &Context<'_>,
    ) -> Poll<Result<Change, Result<(), CallError>>> {
        let client = self.machine.client();
        // Before the end is looked at: what has come is still read.
        if let Some(change) = client.poll_change(listener) {
            return Poll::Ready(Ok(change));
        }
        match client.listener_end(listener) {
            Some(end) => Poll::Ready(Err(end.clone())),
            None => self.wait_for_change(listener, cx),
        }
    }

    /// What the server has granted a listener.
    pub(super) fn poll_granted(
        &mut self,
        listener: ListenerId,
        cx: &Context<'_>,
    ) -> Poll<Result<SubscriptionFilter, CallError>> {
        let client = self.machine.as_client();
        match (client.granted(listener), client.listener_end(listener)) {
            (Some(granted), _) => Poll::Ready(Ok(granted.clone())),
            (None, Some(Err(error))) => Poll::Ready(Err(error.clone())),
            (None, Some(Ok(()))) => Poll::Ready(Err(CallError::Cancelled)),
            (None, None) => self.wait_for_change(listener, cx),
        }
    }

    fn wait_for_change<T>(&mut self, listener: ListenerId, cx: &Context<'_>) -> Poll<T> {
        self.spent.extend(self.subscribers.wait(listener, cx));
        Poll::Pending
    }

    /// A listener wants no more.
    pub(super) fn unsubscribe(&mut self, listener: ListenerId) {
        self.spent.extend(self.subscribers.take(listener));
        self.machine.client().unlisten(listener);
    }

    /// Starts the handshake where there is one to make, and says how many have failed before.
    pub(super) fn connect(&mut self) -> u64 {
        self.machine.client().connect();
        self.lobby.failures()
    }

    /// Ready when it is known what the server speaks; an error where a handshake failed after the first
    /// `failures`, or the connection is closed.
    pub(super) fn poll_ready(
        &mut self,
        failures: u64,
        wait: &mut Wait,
        cx: &Context<'_>,
    ) -> Poll<Result<ServerFacts, CallError>> {
        let client = self.machine.as_client();
        let (waker, spent) = (cx.waker(), &mut self.spent);
        let watching = &mut Watching { wait, waker, spent };
        self.lobby
            .poll_ready(failures, client.facts(), client.closed(), watching)
    }

    /// Ready when the connection is closed, whether or not the driver is done.
    pub(super) fn poll_closed(&mut self, wait: &mut Wait, cx: &Context<'_>) -> Poll<()> {
        let is_closed = self.machine.as_client().closed().is_some();
        let (waker, spent) = (cx.waker(), &mut self.spent);
        self.lobby.poll_closed(is_closed, &mut Watching { wait, waker, spent })
    }

    /// Ready when the driver has said and sent everything.
    pub(super) fn poll_finished(&mut self, wait: &mut Wait, cx: &Context<'_>) -> Poll<()> {
        let (waker, spent) = (cx.waker(), &mut self.spent);
        self.lobby.poll_finished(&mut Watching { wait, waker, spent })
    }

    /// Stops to wait for the handshake, or for the end.
    pub(super) fn stop_watching(&mut self, wait: &mut Wait) {
        self.spent.extend(self.lobby.leave(wait));
    }

    /// Keeps the waker of the driver.
    pub(super) fn keep_driver(&mut self, cx: &Context<'_>) {
        self.spent.extend(keep(&mut self.driver, cx));
    }

    fn wake_driver(&mut self) {
        self.to_wake.extend(self.driver.take());
    }

    /// Something was lost, or went wrong, and no call fails for it.
    pub(super) fn happened(&mut self, incident: Incident) {
        if let Some(relay) = &self.relay {
            self.to_wake.append(relay(incident.clone()));
        }
        self.incidents.push(incident, &mut self.to_wake);
    }

    /// Tells `relay` of what has happened so far, and of what happens from now on.
    pub(super) fn relay(&mut self, relay: Relay) {
        for incident in self.incidents.kept() {
            self.to_wake.append(relay(incident.clone()));
        }
        self.relay = Some(relay);
    }

    /// The connection is closed: whoever reads of incidents is told, but where this side wanted it, or was told already.
    fn ended(&mut self, reason: CloseReason) {
        if !matches!(reason, CloseReason::Local | CloseReason::Exited(_)) {
            self.happened(Incident::Disconnected(reason));
        }
    }

    /// The next of that, from the one with this number on.
    pub(super) fn poll_incident(&mut self, reader: u64, next: u64, cx: &Context<'_>) -> Poll<Option<(u64, Incident)>> {
        let is_over = self.lobby.is_finished() && self.tellers == 0;
        self.incidents.poll(reader, next, is_over, cx, &mut self.spent)
    }

    /// Stops to read of incidents.
    pub(super) fn unread(&mut self, reader: u64) {
        self.spent.extend(self.incidents.remove(reader));
    }

    /// There may be nothing more to tell.
    pub(super) fn wake_readers(&mut self) {
        self.incidents.wake(&mut self.to_wake);
    }

    /// The driver is done, or gone: whoever still waits learns so.
    pub(super) fn finish(&mut self) {
        self.wake_readers();
        // Where it is closed already, the first reason stays.
        self.machine.client().close(CloseReason::DriverDropped);
        self.lobby.finish();
        self.wake_watchers();
    }

    fn wake_watchers(&mut self) {
        self.to_wake.append(self.lobby.take());
    }

    /// Brings what the machine says to those who wait for it.
    fn read_events(&mut self) {
        while let Some(event) = self.machine.poll_event() {
            match event {
                ClientEvent::Reply { call, outcome } => self.reply(call, outcome),
                ClientEvent::ToolsListed { call, outcome } => {
                    self.to_wake.extend(self.askers.settle(call, self.now, outcome));
                }
                ClientEvent::Progress { call, params } => self.report(call, Report::Progress(params)),
                ClientEvent::Log { call, params } => self.report(call, Report::Log(params)),
                ClientEvent::Notification(incoming) => self.notify(&incoming),
                ClientEvent::Changed(listener) => self.to_wake.extend(self.subscribers.take(listener)),
                ClientEvent::Request(request) => self.asked(request),
                ClientEvent::InputRequired { call, requests, .. } => self.input_required(call, requests),
                ClientEvent::Ready => self.wake_watchers(),
                ClientEvent::NotReady(error) => {
                    self.lobby.failed(error);
                    self.wake_watchers();
                }
                // Those who wait for a call have its reply; these two would hear of nothing else.
                ClientEvent::Closed(reason) => {
                    self.ended(reason);
                    if let Some(demands) = &mut self.demands {
                        demands.clear();
                    }
                    self.wake_watchers();
                    self.listeners.close(&mut self.to_wake);
                }
                ClientEvent::SessionLost => self.happened(Incident::SessionLost),
                ClientEvent::ToolRejected { tool, reason } => self.happened(Incident::ToolRejected { tool, reason }),
                ClientEvent::NotListening(why) => self.happened(Incident::NotListening(why)),
                ClientEvent::Exited(farewell) => self.happened(Incident::Exited(farewell)),
                ClientEvent::Junk(excerpt) => self.happened(Incident::Junk(excerpt)),
                ClientEvent::Cancelled(request) => {
                    if let Some(demands) = &mut self.demands {
                        demands.take_back(request);
                    }
                }
            }
        }
        // The machine drops before anybody here sees it: only its count tells.
        let dropped = self.machine.as_client().counters().dropped_notifications;
        self.listeners.miss(dropped, &mut self.to_wake);
    }

    fn reply(&mut self, call: CallId, outcome: Result<RawJson, CallError>) {
        // Only the end of the connection reaches calls that were never sent and may be made elsewhere.
        let was_sent = !matches!(outcome, Err(CallError::Closed(_))) || self.machine.client().take_was_sent(call);
        // While its input was gathered its time may have run out.
        self.needs_no_input(call);
        let waker = self.slots.settle(call, self.now, was_sent, outcome);
        self.to_wake.extend(waker);
    }

    fn report(&mut self, call: CallId, report: Report) {
        let limits = &self.machine.as_client().config().limits;
        let room = Room {
            reports: limits.notifications,
            // One budget for calls and readers of notifications together.
            bytes: limits.total_bytes.saturating_sub(self.listeners.bytes()),
        };
        self.to_wake.extend(self.slots.report(call, report, room));
    }

    /// Whatever comes with a call is wanted by who waits for it.
    pub(super) fn hear_asides(&mut self, call: CallId) {
        self.slots.hear_asides(call);
    }

    fn notify(&mut self, notification: &ServerNotification) {
        if let Some(call) = notification.related.filter(|call| self.slots.hears_asides(*call)) {
            self.report(call, Report::Aside(notification.clone()));
        }
        let limits = &self.machine.as_client().config().limits;
        if let Some(demands) = &mut self.demands
            && notification.notification.method.known() == Some(Method::ElicitationCompleteNotification)
            && let Some(params) = &notification.notification.params
        {
            demands.completed(params.clone(), limits.notifications);
        }
        let most_bytes = limits.total_bytes.saturating_sub(self.slots.bytes());
        self.listeners
            .notify(notification, limits.notifications, most_bytes, &mut self.to_wake);
    }

    /// The server asks: those who answer see to it, and where there are none it learns that.
    fn asked(&mut self, request: ServerRequest) {
        let most_bytes = self.machine.as_client().config().limits.total_bytes;
        let (key, error) = match &mut self.demands {
            Some(demands) => match demands.ask(request, most_bytes) {
                Ok(()) => return,
                Err(key) => (key, ErrorObject::internal("too much of what was asked is in progress")),
            },
            None => (
                request.key,
                ErrorObject::method_not_found(request.request.method.as_str()),
            ),
        };
        self.machine.client().respond(key, Err(error));
    }

    /// A call needs input before it has a result.
    fn input_required(&mut self, call: CallId, requests: Map<InputRequest>) {
        if let Some(demands) = &mut self.demands {
            return demands.gather(call, requests);
        }
        let (key, request) = requests.iter().next().unzip();
        let method = request.map(|request| &*request.method).unwrap_or_default();
        let failure = InputFailure::new(key.unwrap_or_default(), method, ErrorObject::method_not_found(method));
        self.machine.client().give_up(call, CallError::Input(failure.into()));
    }
}

/// The outcome of a call, and how far it came.
type Settled = (Result<RawJson, CallError>, Fate);

/// Who is told of incidents beside those who read of them, and gives whom that wakes. It is called under the lock, and
/// takes none but its own.
pub(super) type Relay = Box<dyn Fn(Incident) -> Wakers + Send>;

/// The error of a verb as that of a call.
pub(super) fn refused(error: SendError) -> CallError {
    match error {
        SendError::Closed(reason) => CallError::Closed(reason),
        error => CallError::Refused(error),
    }
}
