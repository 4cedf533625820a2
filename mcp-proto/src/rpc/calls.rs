//! Our calls that wait for a reply.

use alloc::vec::Vec;
use core::time::Duration;

use super::call_id::CallId;
use super::deadlines::Deadlines;
use super::options::CallOptions;
use super::series::Series;
use crate::jsonrpc::Id;
use crate::limits::Timeouts;
use crate::time::Time;

/// Our calls that wait for a reply, each with a deadline.
///
/// | a call is | it has | until |
/// |---|---|---|
/// | newborn | no deadline: verbs take no time | the next drain ([`arm`](Self::arm)) |
/// | armed | a deadline, which progress moves | it is removed, or [`expire`](Self::expire)d |
/// | parked | no deadline: its time was up, but its answer is still good | it is [`resume`](Self::resume)d, and newborn |
#[derive(Debug)]
pub(crate) struct Calls<T> {
    next: u64,
    most: usize,
    pending: Series<Pending<T>>,
    /// In their order. Those that are gone or armed meanwhile are passed over.
    newborn: Vec<CallId>,
    deadlines: Deadlines<CallId>,
}

#[derive(Debug)]
struct Pending<T> {
    timeout: Duration,
    most: Duration,
    /// How much of both was spent before the call was born.
    spent: Duration,
    progress: bool,
    /// How far it was said to be, at most.
    reached: Option<f64>,
    born: Time,
    deadline: Option<Time>,
    data: T,
}

impl<T> Calls<T> {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            next: 1,
            most,
            pending: Series::default(),
            newborn: Vec::new(),
            deadlines: Deadlines::default(),
        }
    }

    /// Whether one more call would be too many.
    pub(crate) fn is_full(&self) -> bool {
        self.pending.len() >= self.most
    }

    /// A new call; `None` where there are too many.
    pub(crate) fn begin(&mut self, options: &CallOptions, timeouts: &Timeouts, data: T) -> Option<CallId> {
        (!self.is_full()).then(|| self.begin_own(options, timeouts, data))
    }

    /// A new call of the protocol itself, which is not counted against the bound.
    pub(crate) fn begin_own(&mut self, options: &CallOptions, timeouts: &Timeouts, data: T) -> CallId {
        // Calls that fill the table may all wait for the handshake: refusing that would leave them there.
        let call = CallId(self.next);
        // A number is never used again: a late answer must find nobody.
        self.next += 1;
        let timeout = options.timeout.unwrap_or(timeouts.request);
        // What the caller said wins over a default, and the bound over the wait.
        let most = options.max_timeout.unwrap_or(timeouts.request_max.max(timeout));
        let pending = Pending {
            timeout: timeout.min(most),
            most,
            spent: Duration::ZERO,
            progress: options.progress,
            reached: None,
            born: Time::ORIGIN,
            deadline: None,
            data,
        };
        self.pending.insert(call.0, pending);
        self.newborn.push(call);
        call
    }

    /// Gives every newborn call its deadline.
    pub(crate) fn arm(&mut self, now: Time) {
        // By their places, and cleared afterwards: the table keeps its memory from drain to drain.
        for at in 0..self.newborn.len() {
            if let Some(call) = self.newborn.get(at) {
                self.give_deadline(*call, now);
            }
        }
        self.newborn.clear();
    }

    /// Says that so much of the time of a newborn call is spent already.
    #[cfg(feature = "handle")]
    pub(crate) fn spend(&mut self, call: CallId, spent: Duration) {
        if let Some(pending) = self.pending.get_mut(call.0) {
            pending.spent = spent;
        }
    }

    /// Gives a newborn call the deadline of one that was born before.
    #[cfg(feature = "handle")]
    pub(crate) fn arm_since(&mut self, call: CallId, born: Time) {
        self.give_deadline(call, born);
    }

    fn give_deadline(&mut self, call: CallId, born: Time) {
        let pending = self.pending.get_mut(call.0);
        // What `arm_since` armed is still among the newborn, and keeps that deadline.
        if let Some(pending) = pending.filter(|pending| pending.deadline.is_none()) {
            let deadline = born + pending.timeout.saturating_sub(pending.spent);
            pending.born = born;
            pending.deadline = Some(deadline);
            self.deadlines.add(deadline, call);
        }
    }

    /// The call that waits for a reply with this id.
    pub(crate) fn find(&self, id: &Id) -> Option<CallId> {
        CallId::of(id).filter(|call| self.pending.contains(call.0))
    }

    /// Whether a call has ever had this id.
    pub(crate) fn has_used(&self, id: &Id) -> bool {
        // Numbers are given in their order: the highest tells of all, and nothing has to be kept for a late answer.
        CallId::of(id).is_some_and(|call| (1..self.next).contains(&call.0))
    }

    /// Takes the oldest call out, when it was born, where that is known, and what was spent before.
    #[cfg(feature = "handle")]
    pub(crate) fn pop_first(&mut self) -> Option<(CallId, Option<Time>, Duration, T)> {
        let (number, pending) = self.pending.pop_first()?;
        self.clean();
        // One without a deadline was never armed, and its birth not noted.
        let born = pending.deadline.map(|_| pending.born);
        Some((CallId(number), born, pending.spent, pending.data))
    }

    /// Stops waiting for a call; `None` where it has been settled.
    pub(crate) fn remove(&mut self, call: CallId) -> Option<T> {
        self.take(call).map(|(data, _)| data)
    }

    /// The same, and when it was born, where that is known, and what was spent before.
    pub(crate) fn take(&mut self, call: CallId) -> Option<(T, (Option<Time>, Duration))> {
        let pending = self.pending.remove(call.0)?;
        match pending.deadline {
            Some(_) => self.clean(),
            // What is made and taken back between two drains leaves nothing to arm.
            None => {
                self.newborn.pop_if(|newborn| *newborn == call);
            }
        }
        let born = pending.deadline.map(|_| pending.born);
        Some((pending.data, (born, pending.spent)))
    }

    pub(crate) fn get(&self, call: CallId) -> Option<&T> {
        self.pending.get(call.0).map(|pending| &pending.data)
    }

    pub(crate) fn get_mut(&mut self, call: CallId) -> Option<&mut T> {
        self.pending.get_mut(call.0).map(|pending| &mut pending.data)
    }

    /// Takes note of progress: the call that asked for it may wait longer, up to its most, where it is further than before.
    pub(crate) fn progress(&mut self, token: &Id, reached: Option<f64>, now: Time) -> Option<CallId> {
        let call = CallId::of(token)?;
        // Who did not ask gave no token (2025-11-25, Progress: MUST only reference tokens that were provided): a server
        // that reports all the same does not prolong the wait.
        let pending = self.pending.get_mut(call.0).filter(|pending| pending.progress)?;
        // The value "MUST increase with each notification" (2025-11-25 and 2026-07-28, Progress): saying the same again is
        // none.
        let is_further = reached.is_some_and(|new| pending.reached.is_none_or(|old| new > old));
        if let Some(old) = pending.deadline.filter(|_| is_further) {
            pending.reached = reached;
            // Else a server that reports for ever would be waited for as long.
            let most = pending.most.saturating_sub(pending.spent);
            let new = (now + pending.timeout).min(pending.born + most);
            if new != old {
                pending.deadline = Some(new);
                self.deadlines.add(new, call);
                self.clean();
            }
        }
        Some(call)
    }

    /// When the next deadline is; [`Time::ORIGIN`] (at once) while there are calls to arm.
    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        if !self.newborn.is_empty() {
            return Some(Time::ORIGIN);
        }
        self.deadlines.next()
    }

    /// A call whose time is up, and how long it has waited.
    pub(crate) fn expire(&mut self, now: Time) -> Option<(CallId, Duration, T)> {
        let call = self.deadlines.pop_due(now)?;
        let pending = self.pending.remove(call.0)?;
        self.clean();
        let waited = now.since(pending.born).saturating_add(pending.spent);
        Some((call, waited, pending.data))
    }

    /// Takes a call back whose time was up: it waits on, without a deadline.
    pub(crate) fn park(&mut self, call: CallId, timeout: Duration, data: T) {
        let pending = Pending {
            timeout,
            most: timeout,
            progress: false,
            reached: None,
            born: Time::ORIGIN,
            spent: Duration::ZERO,
            deadline: None,
            data,
        };
        self.pending.insert(call.0, pending);
    }

    /// A call that is armed waits without a deadline from now on.
    pub(crate) fn unlimit(&mut self, call: CallId) {
        if let Some(pending) = self.pending.get_mut(call.0) {
            pending.deadline = None;
            self.clean();
        }
    }

    /// A call that waits without a deadline gets another one, at the next drain.
    pub(crate) fn resume(&mut self, call: CallId) {
        let pending = self.pending.get(call.0);
        // One that has a deadline is waited for already.
        if pending.is_some_and(|pending| pending.deadline.is_none()) {
            self.newborn.push(call);
        }
    }

    /// Every call that waits, oldest first.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = (CallId, T)> + use<T> {
        self.newborn.clear();
        self.deadlines.clear();
        let calls = self.pending.drain();
        calls.map(|(number, pending)| (CallId(number), pending.data))
    }

    /// Those that wait, oldest first.
    pub(crate) fn ids(&self) -> impl Iterator<Item = CallId> {
        self.pending.iter().map(|(number, _)| CallId(number))
    }

    pub(crate) fn len(&self) -> usize {
        self.pending.len()
    }

    /// How many entries there are in all tables, without void deadlines, of which there are never many.
    pub(crate) fn entries(&self) -> usize {
        let armed = self.pending.iter().filter(|(_, pending)| pending.deadline.is_some());
        self.pending.len() + self.newborn.len() + armed.count()
    }

    /// The deadline of a call was moved or taken back.
    fn clean(&mut self) {
        let pending = &self.pending;
        let counts = |deadline, call: CallId| pending.get(call.0).is_some_and(|it| it.deadline == Some(deadline));
        self.deadlines.clean(pending.len(), counts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(seconds: u64) -> Time {
        Time::since_origin(Duration::from_secs(seconds))
    }

    fn calls() -> Calls<&'static str> {
        Calls::new(3)
    }

    fn options(timeout: u64, most: u64) -> CallOptions {
        CallOptions {
            timeout: Some(SECOND * u32::try_from(timeout).unwrap()),
            max_timeout: Some(SECOND * u32::try_from(most).unwrap()),
            progress: true,
            ..CallOptions::default()
        }
    }

    #[test]
    fn a_call_has_a_deadline_from_the_first_drain_on() {
        let mut calls = calls();
        let call = calls.begin(&options(2, 9), &Timeouts::default(), "a").unwrap();
        assert_eq!(calls.poll_timeout(), Some(Time::ORIGIN));
        assert_eq!(calls.entries(), 2, "it waits, and for its deadline");
        calls.arm(at(10));
        assert_eq!(calls.poll_timeout(), Some(at(12)));
        assert_eq!(calls.entries(), 2, "it waits, and has a deadline");
        assert_eq!(calls.expire(at(11)), None);
        assert_eq!(calls.expire(at(13)), Some((call, 3 * SECOND, "a")));
        assert_eq!(calls.poll_timeout(), None);
        assert!(calls.has_used(&call.to_id()) && calls.find(&call.to_id()).is_none());
    }

    #[test]
    fn progress_extends_the_wait_up_to_its_most() {
        let mut calls = calls();
        let call = calls.begin(&options(2, 5), &Timeouts::default(), "a").unwrap();
        calls.arm(at(0));
        for (now, deadline) in [(1, 3), (2, 4), (3, 5), (4, 5)] {
            assert_eq!(calls.progress(&call.to_id(), Some(now as f64), at(now)), Some(call));
            assert_eq!(calls.poll_timeout(), Some(at(deadline)), "at {now}");
        }
        let other = calls.begin(&CallOptions::default(), &Timeouts::default(), "b").unwrap();
        assert_eq!(calls.progress(&other.to_id(), Some(1.0), at(4)), None, "it did not ask");
        assert_eq!(calls.progress(&Id::from("x"), Some(1.0), at(4)), None);
    }

    #[test]
    #[cfg(feature = "handle")]
    fn what_was_spent_before_is_a_part_of_the_wait() {
        let mut calls = calls();
        let call = calls.begin(&options(4, 6), &Timeouts::default(), "a").unwrap();
        calls.spend(call, 3 * SECOND);
        calls.arm(at(10));
        assert_eq!(calls.poll_timeout(), Some(at(11)));
        // Progress gives all of the wait again, within the bound for all of it.
        calls.progress(&call.to_id(), Some(1.0), at(10));
        assert_eq!(calls.poll_timeout(), Some(at(13)));
        assert_eq!(calls.expire(at(13)), Some((call, 6 * SECOND, "a")));
    }

    #[test]
    fn progress_that_does_not_increase_extends_nothing() {
        let mut calls = calls();
        let call = calls.begin(&options(5, 100), &Timeouts::default(), "a").unwrap();
        calls.arm(at(0));
        // It is a report all the same.
        for (now, reached, deadline) in [
            (1, Some(0.0), 6),
            (2, Some(0.0), 6),
            (3, None, 6),
            (3, Some(-1.0), 6),
            (4, Some(0.5), 9),
            (5, Some(0.25), 9),
            (6, Some(f64::NAN), 9),
            (7, Some(0.5), 9),
        ] {
            assert_eq!(calls.progress(&call.to_id(), reached, at(now)), Some(call));
            assert_eq!(calls.poll_timeout(), Some(at(deadline)), "{reached:?} at {now}");
        }
    }

    #[test]
    fn the_callers_bound_wins_over_every_default() {
        let deadline = |timeout: Option<u64>, most: Option<u64>| {
            let mut calls = calls();
            let options = CallOptions {
                timeout: timeout.map(Duration::from_secs),
                max_timeout: most.map(Duration::from_secs),
                ..CallOptions::default()
            };
            calls.begin(&options, &Timeouts::default(), "a").unwrap();
            calls.arm(at(0));
            calls.poll_timeout()
        };
        assert_eq!(deadline(None, None), Some(at(60)));
        assert_eq!(deadline(None, Some(5)), Some(at(5)));
        assert_eq!(deadline(Some(9), Some(5)), Some(at(5)));
        assert_eq!(deadline(Some(7_200), None), Some(at(7_200)));
    }

    #[test]
    fn ids_are_found_while_they_wait_and_known_afterwards() {
        let mut calls = calls();
        let call = calls.begin(&CallOptions::default(), &Timeouts::default(), "a").unwrap();
        assert_eq!(calls.find(&Id::from("1")), None, "ids are not strings");
        assert_eq!(calls.find(&call.to_id()), Some(call));
        assert_eq!(calls.remove(call), Some("a"));
        assert_eq!(calls.find(&call.to_id()), None);
        assert!(calls.has_used(&call.to_id()));
        for id in [99, -1, 0] {
            assert!(!calls.has_used(&Id::from(id)), "{id}");
        }
    }

    #[test]
    fn a_call_that_is_parked_waits_until_it_is_resumed() {
        let mut calls = calls();
        let call = calls.begin(&options(2, 9), &Timeouts::default(), "a").unwrap();
        calls.arm(at(0));
        let (id, waited, data) = calls.expire(at(2)).unwrap();
        calls.park(id, waited, data);
        assert_eq!((calls.poll_timeout(), calls.expire(at(99))), (None, None));
        assert_eq!(calls.find(&call.to_id()), Some(call));
        calls.resume(call);
        calls.arm(at(100));
        calls.resume(call);
        assert_eq!(calls.poll_timeout(), Some(at(102)));
        assert_eq!(calls.expire(at(102)), Some((call, 2 * SECOND, "a")));
        calls.park(call, SECOND, "a");
        assert_eq!(calls.remove(call), Some("a"));
        calls.resume(call);
        assert_eq!(calls.poll_timeout(), None);
    }

    #[test]
    fn there_are_never_too_many() {
        let mut calls = calls();
        for _ in 0..3 {
            calls.begin(&CallOptions::default(), &Timeouts::default(), "a").unwrap();
        }
        assert!(
            calls
                .begin(&CallOptions::default(), &Timeouts::default(), "a")
                .is_none()
        );
        assert_eq!(calls.drain().count(), 3);
        assert_eq!((calls.len(), calls.poll_timeout()), (0, None));
    }
}
