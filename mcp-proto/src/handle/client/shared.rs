//! What the handles of one client and its driver share: the machine, and who waits for what.

use alloc::collections::{BTreeMap, VecDeque};
use core::fmt;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::blocked::{Blocked, Ticket};
use super::machine::Machine;
use crate::client::{Event, IncomingRequest, ServerFacts, ToolList};
use crate::handle::wakers::Wakers;
use crate::jsonrpc::{ErrorObject, Notification, Params, RawJson};
use crate::method::MethodName;
use crate::rpc::{CallError, CallId, CallOptions, CloseReason, SendError};
use crate::time::Time;

/// What the handles of one client and its driver share. One lock, held for a few machine steps and never
/// across an await; wakers are woken outside of it.
pub(super) struct Shared(Mutex<State>);

pub(super) struct State {
    pub(super) machine: Machine,
    calls: BTreeMap<CallId, Slot>,
    /// Those who wait for the list of tools.
    listings: BTreeMap<CallId, Listing>,
    listeners: BTreeMap<u64, Listener>,
    /// The calls and listings that no drain has seen yet.
    newborn: alloc::vec::Vec<CallId>,
    /// The time that the driver told last.
    now: Time,
    /// How many bytes wait in calls and listeners for someone to take them.
    kept: usize,
    next_listener: u64,
    /// How many notifications have come, those included that were dropped.
    pub(super) notified: u64,
    /// How many of them the machine has dropped, as more came at once than it keeps.
    dropped: u64,
    driver: Option<Waker>,
    /// Calls that wait for room in the outbox.
    blocked: Blocked,
    /// Those who wait for the handshake, or for the end.
    watchers: Wakers,
    /// Whom to wake once the lock is free.
    to_wake: Wakers,
    /// The end of the driver: nothing will be sent or received any more.
    finished: bool,
    /// How many handshakes have failed, and why the last one did.
    failures: (u64, Option<CallError>),
}

/// A call that someone waits for.
#[derive(Debug, Default)]
struct Slot {
    waker: Option<Waker>,
    outcome: Option<Result<RawJson, CallError>>,
    reports: VecDeque<Report>,
    /// When it was made.
    born: Option<Time>,
    fate: Fate,
}

/// How far a call came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fate {
    /// Whether it was sent, so that the server may have acted on it.
    pub(crate) was_sent: bool,
    /// How much of its time it took, with what was spent before.
    pub(crate) spent: Duration,
}

/// What a server says of a call before it answers: the parameters of the notification.
#[derive(Debug)]
pub(super) enum Report {
    Progress(RawJson),
    Log(RawJson),
}

/// Someone who waits for the list of tools.
#[derive(Debug, Default)]
struct Listing {
    waker: Option<Waker>,
    outcome: Option<Result<ToolList, CallError>>,
    /// When it was asked for.
    born: Option<Time>,
    /// How much of the time of who asked it took, with what was spent before.
    spent: Duration,
}

/// A stream of notifications that someone reads.
#[derive(Debug, Default)]
struct Listener {
    waker: Option<Waker>,
    queue: VecDeque<Notification>,
    missed: u64,
}

impl Shared {
    pub(super) fn new(machine: Machine) -> Self {
        Self(Mutex::new(State {
            machine,
            calls: BTreeMap::new(),
            listings: BTreeMap::new(),
            newborn: alloc::vec::Vec::new(),
            now: Time::ORIGIN,
            listeners: BTreeMap::new(),
            kept: 0,
            next_listener: 0,
            notified: 0,
            dropped: 0,
            driver: None,
            blocked: Blocked::default(),
            watchers: Wakers::default(),
            to_wake: Wakers::default(),
            finished: false,
            failures: (0, None),
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

    /// Changes the state on behalf of the driver.
    pub(super) fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let value = change(&mut state);
        state.read_events();
        state.admit();
        let to_wake = state.to_wake.take();
        drop(state);
        to_wake.wake();
        value
    }

    /// A panic elsewhere cannot leave the state half changed in a way that matters more than a lost connection.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows how the connection stands, and nothing of what it carries: there are credentials in it.
impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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

impl State {
    /// Starts to wait for a call.
    pub(super) fn begin(&mut self, call: CallId, spent: Duration) {
        if !spent.is_zero() {
            self.machine.client().spend(call, spent);
        }
        self.insert(call, spent, None, None);
    }

    fn insert(&mut self, call: CallId, spent: Duration, born: Option<Time>, waker: Option<Waker>) {
        let fate = Fate { was_sent: false, spent };
        let slot = Slot {
            waker,
            born,
            fate,
            ..Slot::default()
        };
        self.calls.insert(call, slot);
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
        self.blocked.poll(ticket, cx)
    }

    /// Stops waiting for room, or for the call that was made meanwhile.
    pub(super) fn leave(&mut self, ticket: Ticket) {
        if let Some(call) = self.blocked.leave(ticket) {
            self.cancel(call);
        }
    }

    /// Makes the calls that wait for room, as many as there is room for.
    fn admit(&mut self) {
        let mut admitted = false;
        while !self.blocked.is_empty() {
            let client = self.machine.as_client();
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
                if let Some(born) = next.born {
                    client.born_at(call, born);
                }
                // The caller need not know yet: whatever comes for the call wakes it.
                self.insert(call, next.spent, next.born, Some(next.waker));
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
            if let Some(slot) = self.calls.get_mut(&call) {
                slot.born = Some(now);
            }
            if let Some(listing) = self.listings.get_mut(&call) {
                listing.born = Some(now);
            }
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

    /// The outcome of a call, once, and how far it came.
    pub(super) fn poll_call(&mut self, call: CallId, cx: &Context<'_>) -> Poll<(Result<RawJson, CallError>, Fate)> {
        let Some(slot) = self.calls.get_mut(&call) else {
            return Poll::Ready((Err(CallError::Cancelled), Fate::default()));
        };
        match slot.outcome.take() {
            Some(outcome) => {
                let fate = slot.fate;
                self.kept -= weight_of(&outcome);
                self.forget(call);
                Poll::Ready((outcome, fate))
            }
            None => {
                keep(&mut slot.waker, cx);
                Poll::Pending
            }
        }
    }

    /// Progress and log messages that have come for a call.
    pub(super) fn take_reports(&mut self, call: CallId) -> VecDeque<Report> {
        let Some(slot) = self.calls.get_mut(&call) else {
            return VecDeque::new();
        };
        let reports = core::mem::take(&mut slot.reports);
        self.kept -= reports.iter().map(Report::weight).sum::<usize>();
        reports
    }

    /// Stops keeping what has come for a call; whether it was known.
    fn forget(&mut self, call: CallId) -> bool {
        let Some(slot) = self.calls.remove(&call) else {
            return false;
        };
        self.kept -= slot.reports.iter().map(Report::weight).sum::<usize>();
        self.kept -= slot.outcome.as_ref().map_or(0, weight_of);
        true
    }

    /// Stops waiting for a call, and tells the server.
    pub(super) fn cancel(&mut self, call: CallId) {
        if self.forget(call) {
            self.machine.client().cancel(call);
        }
    }

    /// Asks for the list of tools.
    pub(super) fn list_tools(&mut self, options: &CallOptions, spent: Duration) -> Result<CallId, SendError> {
        let client = self.machine.client();
        let call = client.list_tools(options)?;
        client.spend(call, spent);
        let listing = Listing {
            spent,
            ..Listing::default()
        };
        self.listings.insert(call, listing);
        self.newborn.push(call);
        Ok(call)
    }

    /// The list of tools, once, and how much of the time of who asked is spent.
    pub(super) fn poll_tools(
        &mut self,
        call: CallId,
        cx: &Context<'_>,
    ) -> Poll<(Result<ToolList, CallError>, Duration)> {
        let Some(listing) = self.listings.get_mut(&call) else {
            return Poll::Ready((Err(CallError::Cancelled), Duration::ZERO));
        };
        match listing.outcome.take() {
            Some(outcome) => {
                let spent = listing.spent;
                self.listings.remove(&call);
                Poll::Ready((outcome, spent))
            }
            None => {
                keep(&mut listing.waker, cx);
                Poll::Pending
            }
        }
    }

    /// Stops waiting for the list of tools.
    pub(super) fn cancel_listing(&mut self, call: CallId) {
        if self.listings.remove(&call).is_some() {
            self.machine.client().cancel(call);
        }
    }

    /// A new reader of notifications, which has missed so many.
    pub(super) fn listen(&mut self, missed: u64) -> u64 {
        let id = self.next_listener;
        self.next_listener += 1;
        let listener = Listener {
            missed,
            ..Listener::default()
        };
        self.listeners.insert(id, listener);
        id
    }

    pub(super) fn unlisten(&mut self, listener: u64) {
        if let Some(listener) = self.listeners.remove(&listener) {
            self.kept -= listener.queue.iter().map(weight_of_notification).sum::<usize>();
        }
    }

    /// The next notification; `None` where there will be no more.
    pub(super) fn poll_notification(&mut self, listener: u64, cx: &Context<'_>) -> Poll<Option<Notification>> {
        let is_closed = self.machine.as_client().closed().is_some();
        let Some(listener) = self.listeners.get_mut(&listener) else {
            return Poll::Ready(None);
        };
        match listener.queue.pop_front() {
            Some(notification) => {
                self.kept -= weight_of_notification(&notification);
                Poll::Ready(Some(notification))
            }
            None if is_closed => Poll::Ready(None),
            None => {
                keep(&mut listener.waker, cx);
                Poll::Pending
            }
        }
    }

    /// How many notifications a reader has missed because it was slow.
    pub(super) fn missed(&self, listener: u64) -> u64 {
        self.listeners.get(&listener).map_or(0, |listener| listener.missed)
    }

    /// Starts the handshake where there is one to make, and says how many have failed before.
    pub(super) fn connect(&mut self) -> u64 {
        self.machine.client().connect();
        self.failures.0
    }

    /// Ready when it is known what the server speaks; an error where a handshake failed after the first
    /// `failures`, or the connection is closed.
    pub(super) fn poll_ready(&mut self, failures: u64, cx: &Context<'_>) -> Poll<Result<ServerFacts, CallError>> {
        let client = self.machine.as_client();
        if let Some(facts) = client.facts() {
            return Poll::Ready(Ok(facts.clone()));
        }
        if let (number, Some(error)) = &self.failures
            && *number > failures
        {
            return Poll::Ready(Err(error.clone()));
        }
        if let Some(reason) = client.closed() {
            return Poll::Ready(Err(CallError::Closed(reason)));
        }
        self.watchers.add(cx.waker());
        Poll::Pending
    }

    /// Ready when the connection is closed, whether or not the driver is done.
    pub(super) fn poll_closed(&mut self, cx: &Context<'_>) -> Poll<()> {
        if self.finished || self.machine.as_client().closed().is_some() {
            return Poll::Ready(());
        }
        self.watchers.add(cx.waker());
        Poll::Pending
    }

    /// Ready when the driver has said and sent everything.
    pub(super) fn poll_finished(&mut self, cx: &Context<'_>) -> Poll<()> {
        if self.finished {
            return Poll::Ready(());
        }
        self.watchers.add(cx.waker());
        Poll::Pending
    }

    /// Keeps the waker of the driver.
    pub(super) fn keep_driver(&mut self, cx: &Context<'_>) {
        keep(&mut self.driver, cx);
    }

    fn wake_driver(&mut self) {
        if let Some(driver) = self.driver.take() {
            self.to_wake.push(driver);
        }
    }

    /// The driver is done, or gone: whoever still waits learns so.
    pub(super) fn finish(&mut self) {
        self.machine.client().close(CloseReason::DriverDropped);
        self.finished = true;
        self.wake_watchers();
    }

    fn wake_watchers(&mut self) {
        let watchers = self.watchers.take();
        self.to_wake.append(watchers);
    }

    /// Brings what the machine says to those who wait for it.
    fn read_events(&mut self) {
        while let Some(event) = self.machine.poll_event() {
            match event {
                Event::Reply { call, outcome } => self.reply(call, outcome),
                Event::ToolsListed { call, outcome } => self.listed(call, outcome),
                Event::Progress { call, params } => self.report(call, Report::Progress(params)),
                Event::Log { call, params } => self.report(call, Report::Log(params)),
                Event::Notification(notification) => self.notify(&notification),
                Event::Request(request) => self.refuse(&request),
                Event::Ready => self.wake_watchers(),
                Event::NotReady(error) => {
                    self.failures = (self.failures.0 + 1, Some(error));
                    self.wake_watchers();
                }
                Event::Closed(_) => {
                    self.wake_watchers();
                    let wakers: alloc::vec::Vec<_> = self
                        .listeners
                        .values_mut()
                        .filter_map(|listener| listener.waker.take())
                        .collect();
                    wakers.into_iter().for_each(|waker| self.to_wake.push(waker));
                }
                Event::Cancelled(_) | Event::SessionLost | Event::ToolRejected { .. } => {}
            }
        }
        self.count_dropped();
    }

    /// What the machine has dropped is missed by everyone who reads.
    fn count_dropped(&mut self) {
        let dropped = self.machine.as_client().counters().dropped_notifications;
        let new = dropped.saturating_sub(core::mem::replace(&mut self.dropped, dropped));
        if new == 0 {
            return;
        }
        self.notified += new;
        for listener in self.listeners.values_mut() {
            listener.missed += new;
            if let Some(waker) = listener.waker.take() {
                self.to_wake.push(waker);
            }
        }
    }

    fn reply(&mut self, call: CallId, outcome: Result<RawJson, CallError>) {
        let was_sent = !matches!(outcome, Err(CallError::Closed(_))) || self.machine.client().take_was_sent(call);
        if let Some(slot) = self.calls.get_mut(&call) {
            self.kept += weight_of(&outcome);
            let took = slot.born.map_or(Duration::ZERO, |born| self.now.since(born));
            slot.fate.spent += took;
            slot.fate.was_sent = was_sent;
            slot.outcome = Some(outcome);
            if let Some(waker) = slot.waker.take() {
                self.to_wake.push(waker);
            }
        }
    }

    fn listed(&mut self, call: CallId, outcome: Result<ToolList, CallError>) {
        if let Some(listing) = self.listings.get_mut(&call) {
            listing.spent += listing.born.map_or(Duration::ZERO, |born| self.now.since(born));
            listing.outcome = Some(outcome);
            if let Some(waker) = listing.waker.take() {
                self.to_wake.push(waker);
            }
        }
    }

    fn report(&mut self, call: CallId, report: Report) {
        let limits = &self.machine.as_client().config().limits;
        let (most, total) = (limits.notifications, limits.total_bytes);
        let Some(slot) = self.calls.get_mut(&call) else { return };
        let bytes = report.weight();
        // The newest report says the most: a caller that does not look loses the oldest.
        while slot.reports.len() >= most || self.kept.saturating_add(bytes) > total {
            let Some(oldest) = slot.reports.pop_front() else {
                return;
            };
            self.kept -= oldest.weight();
        }
        self.kept += bytes;
        slot.reports.push_back(report);
        if let Some(waker) = slot.waker.take() {
            self.to_wake.push(waker);
        }
    }

    /// What nobody takes is dropped and counted, and never a reason not to read: a caller may wait for its reply
    /// while it reads no notifications.
    fn notify(&mut self, notification: &Notification) {
        let limits = &self.machine.as_client().config().limits;
        let bytes = weight_of_notification(notification);
        self.notified += 1;
        for listener in self.listeners.values_mut() {
            let fits = self.kept.saturating_add(bytes) <= limits.total_bytes;
            if fits && listener.queue.len() < limits.notifications {
                listener.queue.push_back(notification.clone());
                self.kept += bytes;
            } else {
                listener.missed += 1;
            }
            if let Some(waker) = listener.waker.take() {
                self.to_wake.push(waker);
            }
        }
    }

    fn refuse(&mut self, request: &IncomingRequest) {
        let error = ErrorObject::method_not_found(request.request.method.as_str());
        self.machine.client().respond(request.key, Err(error));
    }
}

impl Report {
    fn weight(&self) -> usize {
        match self {
            Self::Progress(params) | Self::Log(params) => weight(params),
        }
    }
}

/// How many bytes a text keeps.
fn weight(text: &RawJson) -> usize {
    text.as_bytes().len() + size_of::<RawJson>()
}

fn weight_of(outcome: &Result<RawJson, CallError>) -> usize {
    outcome.as_ref().map_or(0, weight)
}

fn weight_of_notification(notification: &Notification) -> usize {
    notification.text.as_bytes().len() + size_of::<Notification>()
}

/// Keeps the waker of the task that polls.
fn keep(slot: &mut Option<Waker>, cx: &Context<'_>) {
    match slot {
        Some(waker) => waker.clone_from(cx.waker()),
        None => *slot = Some(cx.waker().clone()),
    }
}

/// The error of a verb as that of a call.
pub(super) fn refused(error: SendError) -> CallError {
    match error {
        SendError::Closed(reason) => CallError::Closed(reason),
        error => CallError::Refused(error),
    }
}
