//! The calls of a client: who waits, until when, and whose exchange is to end.

#[cfg(feature = "handle")]
use alloc::collections::BTreeSet;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use super::call::{Call, CallProgress, CallPurpose};
use super::link::Link;
use crate::jsonrpc::Id;
use crate::limits::{Limits, Timeouts};
use crate::rpc;
use crate::rpc::CallId;
use crate::time::Time;

/// The calls that wait, and what the transport has to know of those that do not any more.
///
/// | a call is | why | what follows |
/// |---|---|---|
/// | waiting | it was made and is not answered, cancelled or timed out | it is here, with its deadline |
/// | overdue | an `initialize` on a byte stream: it must not be cancelled, and cannot be sent twice | it waits without a deadline, until someone needs it again |
/// | settled | its answer came | its exchange should end by itself |
/// | aborted | nobody waits for it, and it was sent | its exchange is ended |
///
/// What is answered is gone: nothing here is kept for a late answer but the highest number.
#[derive(Debug)]
pub(super) struct Calls {
    link: Link,
    timeouts: Timeouts,
    waiting: rpc::Calls<Call>,
    overdue: Option<CallId>,
    /// The last question of the machine itself that a handshake consists of.
    handshake: Option<CallId>,
    /// The last question whether the server knows the session.
    doubt: Option<CallId>,
    aborted: VecDeque<CallId>,
    settled: VecDeque<CallId>,
    /// The calls that were never sent when the connection closed.
    #[cfg(feature = "handle")]
    unsent: BTreeSet<CallId>,
}

impl Calls {
    pub(super) fn new(link: Link, limits: &Limits, timeouts: &Timeouts) -> Self {
        Self {
            link,
            timeouts: timeouts.clone(),
            waiting: rpc::Calls::new(limits.pending_calls),
            overdue: None,
            handshake: None,
            doubt: None,
            aborted: VecDeque::new(),
            settled: VecDeque::new(),
            #[cfg(feature = "handle")]
            unsent: BTreeSet::new(),
        }
    }

    /// How many wait for a reply. An `initialize` that is overdue is not waited for.
    pub(super) fn len(&self) -> usize {
        self.waiting.len() - usize::from(self.overdue.is_some())
    }

    /// How many entries there are in all tables.
    pub(super) fn entries(&self) -> usize {
        self.waiting.entries() + self.aborted.len() + self.settled.len()
    }

    /// Takes on a call; `None` where there are too many.
    pub(super) fn begin(&mut self, call: Call) -> Option<CallId> {
        (!self.waiting.is_full()).then(|| self.begin_own(call))
    }

    /// Takes on a call of the machine itself, which is not counted against the bound.
    pub(super) fn begin_own(&mut self, call: Call) -> CallId {
        let timing = call.options.timing();
        let asks = matches!(call.purpose, CallPurpose::Discover | CallPurpose::Initialize);
        let id = self.waiting.begin_own(&timing, &self.timeouts, call);
        if asks {
            self.handshake = Some(id);
        }
        id
    }

    /// The question of the handshake that waits for its answer, where it is with the server.
    pub(super) fn asked(&self) -> Option<CallId> {
        self.handshake.filter(|call| self.is_sent(*call))
    }

    /// The server is asked whether it knows the session.
    pub(super) fn set_doubt(&mut self, ping: CallId) {
        self.doubt = Some(ping);
    }

    /// Whether it has not answered that yet.
    #[cfg(feature = "http")]
    pub(super) fn is_doubtful(&self) -> bool {
        self.doubt.is_some_and(|ping| self.get(ping).is_some())
    }

    /// The question of the handshake cannot be answered any more, however far it came.
    pub(super) fn forget_handshake(&mut self) {
        if let Some(asked) = self.handshake.take() {
            self.remove(asked);
        }
    }

    /// Those that are with the server, in the order in which they were made.
    pub(super) fn sent(&self) -> Vec<CallId> {
        self.waiting.ids().filter(|call| self.is_sent(*call)).collect()
    }

    pub(super) fn get(&self, call: CallId) -> Option<&Call> {
        self.waiting.get(call)
    }

    pub(super) fn get_mut(&mut self, call: CallId) -> Option<&mut Call> {
        self.waiting.get_mut(call)
    }

    /// Notes how far a call has come.
    pub(super) fn progressed(&mut self, call: CallId, progress: CallProgress) {
        if let Some(call) = self.waiting.get_mut(call) {
            call.progress = progress;
        }
    }

    /// Stops waiting for a call.
    pub(super) fn remove(&mut self, call: CallId) -> Option<Call> {
        if self.overdue == Some(call) {
            self.overdue = None;
        }
        let (mut gone, wait) = self.waiting.take(call)?;
        gone.wait = wait;
        Some(gone)
    }

    /// Whether a call is with the server.
    pub(super) fn is_sent(&self, call: CallId) -> bool {
        self.waiting.get(call).is_some_and(Call::is_sent)
    }

    /// The call with the server that has this id.
    pub(super) fn find_sent(&self, id: &Id) -> Option<CallId> {
        // Ids are easily guessed: a server cannot answer what it was never sent.
        self.waiting.find(id).filter(|call| self.is_sent(*call))
    }

    /// Whether a call with this id is over.
    pub(super) fn was_answered(&self, id: &Id) -> bool {
        self.waiting.has_used(id) && self.waiting.find(id).is_none()
    }

    /// A call makes progress: the one with this token, where it asked and is with the server.
    pub(super) fn report(&mut self, token: &Id, reached: Option<f64>, now: Time) -> Option<CallId> {
        // The token of a call is its id.
        self.find_sent(token)?;
        self.waiting.progress(token, reached, now)
    }

    /// Gives every newborn call its deadline.
    pub(super) fn arm(&mut self, now: Time) {
        self.waiting.arm(now);
    }

    /// Gives a newborn call the deadline of one that was born before.
    #[cfg(feature = "handle")]
    pub(super) fn arm_since(&mut self, call: CallId, born: Time) {
        self.waiting.arm_since(call, born);
    }

    /// Says that so much of the time of a newborn call is spent already.
    #[cfg(feature = "handle")]
    pub(super) fn spend(&mut self, call: CallId, spent: Duration) {
        self.waiting.spend(call, spent);
    }

    /// A call has no deadline any more.
    pub(super) fn unlimit(&mut self, call: CallId) {
        self.waiting.unlimit(call);
    }

    /// A call whose time is up, and how long it has waited.
    pub(super) fn expire(&mut self, now: Time) -> Option<(CallId, Duration, Call)> {
        self.waiting.expire(now)
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.waiting.poll_timeout()
    }

    /// Takes an `initialize` back that was not answered in time: its answer is still good.
    pub(super) fn park(&mut self, initialize: CallId, call: Call) {
        self.waiting.park(initialize, self.timeouts.initialize, call);
        self.overdue = Some(initialize);
    }

    /// Someone needs what is overdue: it is waited for as long again.
    pub(super) fn resume(&mut self) {
        if let Some(initialize) = self.overdue.take() {
            self.waiting.resume(initialize);
        }
    }

    /// The exchange of a call has brought its answer. A byte stream has none.
    pub(super) fn settle(&mut self, call: CallId) {
        // A byte stream has no exchange that were to be closed.
        if self.link == Link::Http {
            self.settled.push_back(call);
        }
    }

    /// The exchange of a call is to be ended.
    pub(super) fn abort(&mut self, call: CallId) {
        if self.link == Link::Http {
            self.aborted.push_back(call);
        }
    }

    pub(super) fn poll_aborted(&mut self) -> Option<CallId> {
        self.aborted.pop_front()
    }

    pub(super) fn poll_settled(&mut self) -> Option<CallId> {
        self.settled.pop_front()
    }

    /// The connection is closed. Gives those who waited, oldest first, and for what.
    pub(super) fn close(&mut self) -> Vec<(CallId, CallPurpose)> {
        self.overdue = None;
        let mut gone = Vec::with_capacity(self.waiting.len());
        for (id, call) in self.waiting.drain() {
            // What was not sent has no exchange, and a byte stream ends with all that is in it.
            if call.is_sent() && self.link == Link::Http {
                self.aborted.push_back(id);
            }
            #[cfg(feature = "handle")]
            // Only these may be made again elsewhere; the rest was the machine's own.
            if !call.is_sent() && call.purpose == CallPurpose::Application {
                self.unsent.insert(id);
            }
            gone.push((id, call.purpose));
        }
        gone
    }

    /// Whether a call that ended with the connection had been sent. Says it once.
    #[cfg(feature = "handle")]
    pub(super) fn take_was_sent(&mut self, call: CallId) -> bool {
        !self.unsent.remove(&call)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jsonrpc::Params;
    use crate::method::Method;
    use crate::rpc::CallOptions;

    const SECOND: Duration = Duration::from_secs(1);

    fn calls(link: Link) -> Calls {
        let limits = Limits {
            pending_calls: 2,
            ..Limits::default()
        };
        Calls::new(link, &limits, &Timeouts::default())
    }

    fn call(purpose: CallPurpose) -> Call {
        let options = CallOptions::new().with_timeout(SECOND);
        Call::new(Method::Ping.into(), Params::NONE, options, purpose)
    }

    #[test]
    fn only_what_was_sent_can_be_answered() {
        let mut calls = calls(Link::Http);
        let id = calls.begin(call(CallPurpose::Application)).unwrap();
        for progress in [CallProgress::Born, CallProgress::Held(1), CallProgress::Queued(1)] {
            calls.progressed(id, progress);
            assert_eq!(calls.find_sent(&id.to_id()), None, "{progress:?}");
        }
        calls.progressed(id, CallProgress::Sent(0));
        assert_eq!(calls.find_sent(&id.to_id()), Some(id));
        assert!(!calls.was_answered(&id.to_id()));
        calls.remove(id);
        assert!(calls.was_answered(&id.to_id()));
    }

    #[test]
    fn calls_of_the_machine_are_not_counted_against_the_bound() {
        let mut calls = calls(Link::Stream);
        for _ in 0..2 {
            calls.begin(call(CallPurpose::Application)).unwrap();
        }
        assert_eq!(calls.begin(call(CallPurpose::Application)), None);
        calls.begin_own(call(CallPurpose::Discover));
        assert_eq!(calls.len(), 3);
    }

    #[test]
    fn an_initialize_that_is_overdue_waits_on_and_counts_as_nobody() {
        let mut calls = calls(Link::Stream);
        calls.begin_own(call(CallPurpose::Initialize));
        calls.arm(Time::ORIGIN);
        let (id, _, parked) = calls.expire(Time::ORIGIN + SECOND).unwrap();
        calls.park(id, parked);
        assert_eq!((calls.len(), calls.poll_timeout()), (0, None));
        calls.resume();
        assert_eq!(calls.poll_timeout(), Some(Time::ORIGIN));
        calls.remove(id);
        assert_eq!(calls.len(), 0);
    }

    #[test]
    fn the_end_of_the_connection_ends_every_exchange_and_tells_what_was_never_sent() {
        let mut calls = calls(Link::Http);
        let sent = calls.begin(call(CallPurpose::Application)).unwrap();
        calls.progressed(sent, CallProgress::Sent(0));
        let held = calls.begin(call(CallPurpose::Application)).unwrap();
        let purpose = CallPurpose::Application;
        assert_eq!(calls.close(), [(sent, purpose), (held, purpose)]);
        assert_eq!((calls.poll_aborted(), calls.poll_aborted()), (Some(sent), None));
        #[cfg(feature = "handle")]
        assert!(calls.take_was_sent(sent) && !calls.take_was_sent(held) && calls.take_was_sent(held));
    }

    #[test]
    fn a_byte_stream_has_no_exchanges_to_end() {
        let mut calls = calls(Link::Stream);
        let id = calls.begin(call(CallPurpose::Application)).unwrap();
        calls.progressed(id, CallProgress::Sent(0));
        calls.settle(id);
        calls.abort(id);
        calls.close();
        assert_eq!((calls.poll_settled(), calls.poll_aborted()), (None, None));
    }
}
