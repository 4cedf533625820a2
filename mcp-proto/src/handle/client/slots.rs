//! The calls that someone waits for.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use crate::client::ServerNotification;
use crate::handle::wakers::keep;
use crate::jsonrpc::RawJson;
use crate::rpc::{CallError, CallId, Series};
use crate::time::Time;

/// The calls that someone waits for, and what has come for them.
///
/// | a slot | has | until |
/// |---|---|---|
/// | waits | the waker of who polls it | a report or the outcome wakes it |
/// | is settled | the outcome | it is taken, once |
///
/// A call without a slot is nobody's: what comes for it is dropped.
#[derive(Debug, Default)]
pub(super) struct Slots {
    slots: Series<Slot>,
    /// How many bytes wait here for someone to take them.
    bytes: usize,
}

#[derive(Debug, Default)]
struct Slot {
    waker: Option<Waker>,
    outcome: Option<Result<RawJson, CallError>>,
    reports: VecDeque<Report>,
    /// Whether whatever comes with it is wanted.
    hears_asides: bool,
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
pub(in crate::handle) enum Report {
    Progress(RawJson),
    Log(RawJson),
    /// Whatever else came with it, for who passes it on.
    Aside(ServerNotification),
}

/// What a slot may keep of reports.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// How many.
    pub(super) reports: usize,
    /// How many bytes, in all slots together.
    pub(super) bytes: usize,
}

impl Slots {
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Someone waits for a call, of whose time so much is spent already.
    pub(super) fn insert(&mut self, call: CallId, spent: Duration, born: Option<Time>, waker: Waker) {
        let fate = Fate { was_sent: false, spent };
        let slot = Slot {
            waker: Some(waker),
            born,
            fate,
            ..Slot::default()
        };
        self.slots.insert(call.number(), slot);
    }

    /// Whatever comes with a call is wanted.
    pub(super) fn hear_asides(&mut self, call: CallId) {
        if let Some(slot) = self.slots.get_mut(call.number()) {
            slot.hears_asides = true;
        }
    }

    /// Whether whatever comes with a call is wanted.
    pub(super) fn hears_asides(&self, call: CallId) -> bool {
        self.slots.get(call.number()).is_some_and(|slot| slot.hears_asides)
    }

    /// A drain has seen the call: its time began at `now`.
    pub(super) fn arm(&mut self, call: CallId, now: Time) {
        if let Some(slot) = self.slots.get_mut(call.number()) {
            slot.born = Some(now);
        }
    }

    /// The outcome of a call, once, and how far it came.
    /// Where it is another task that polls, the waker of the one before goes to `spent`.
    pub(super) fn poll(
        &mut self,
        call: CallId,
        cx: &Context<'_>,
        spent: &mut Vec<Waker>,
    ) -> Poll<(Result<RawJson, CallError>, Fate)> {
        let Some(slot) = self.slots.get_mut(call.number()) else {
            // Polled after its outcome was taken: an error, and no panic.
            return Poll::Ready((Err(CallError::Cancelled), Fate::default()));
        };
        match slot.outcome.take() {
            Some(outcome) => {
                let fate = slot.fate;
                self.bytes -= weight_of(&outcome);
                self.slots.remove(call.number());
                Poll::Ready((outcome, fate))
            }
            None => {
                spent.extend(keep(&mut slot.waker, cx));
                Poll::Pending
            }
        }
    }

    /// Progress and log messages that have come for a call.
    pub(super) fn take_reports(&mut self, call: CallId) -> VecDeque<Report> {
        let Some(slot) = self.slots.get_mut(call.number()) else {
            return VecDeque::new();
        };
        let reports = core::mem::take(&mut slot.reports);
        self.bytes -= reports.iter().map(Report::weight).sum::<usize>();
        reports
    }

    /// Nobody waits for a call any more, whose waker goes to `spent`; whether anyone did.
    pub(super) fn remove(&mut self, call: CallId, spent: &mut Vec<Waker>) -> bool {
        let Some(slot) = self.slots.remove(call.number()) else {
            return false;
        };
        self.bytes -= slot.reports.iter().map(Report::weight).sum::<usize>();
        // Also what came and was never taken: the call was dropped.
        self.bytes -= slot.outcome.as_ref().map_or(0, weight_of);
        spent.extend(slot.waker);
        true
    }

    /// A call is over. Gives whom to wake.
    pub(super) fn settle(
        &mut self,
        call: CallId,
        now: Time,
        was_sent: bool,
        outcome: Result<RawJson, CallError>,
    ) -> Option<Waker> {
        let slot = self.slots.get_mut(call.number())?;
        self.bytes += weight_of(&outcome);
        // One that no drain has seen has taken no time.
        let took = slot.born.map_or(Duration::ZERO, |born| now.since(born));
        slot.fate.spent = slot.fate.spent.saturating_add(took);
        slot.fate.was_sent = was_sent;
        slot.outcome = Some(outcome);
        slot.waker.take()
    }

    /// Something came for a call before its outcome. Gives whom to wake.
    ///
    /// The newest report says the most: a caller that does not look loses the oldest.
    pub(super) fn report(&mut self, call: CallId, report: Report, room: Room) -> Option<Waker> {
        let slot = self.slots.get_mut(call.number())?;
        let bytes = report.weight();
        while slot.reports.len() >= room.reports || self.bytes.saturating_add(bytes) > room.bytes {
            // Where others hold the room, theirs is not taken: the new report goes.
            let oldest = slot.reports.pop_front()?;
            self.bytes -= oldest.weight();
        }
        self.bytes += bytes;
        slot.reports.push_back(report);
        slot.waker.take()
    }
}

impl Report {
    fn weight(&self) -> usize {
        match self {
            Self::Progress(params) | Self::Log(params) => weight(params),
            Self::Aside(notification) => weight(&notification.notification.text),
        }
    }
}

/// How many bytes a text keeps.
fn weight(text: &RawJson) -> usize {
    // Many that are empty must count as well.
    text.as_bytes().len() + size_of::<RawJson>()
}

fn weight_of(outcome: &Result<RawJson, CallError>) -> usize {
    outcome.as_ref().map_or(0, weight)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Timeouts;
    use crate::rpc::{CallOptions, Calls};

    fn call() -> CallId {
        Calls::new(1).begin_own(&CallOptions::default(), &Timeouts::default(), ())
    }

    fn text(text: &str) -> RawJson {
        RawJson::parse(text.as_bytes().to_vec()).unwrap()
    }

    const ROOM: Room = Room {
        reports: 2,
        bytes: 1 << 10,
    };

    #[test]
    fn an_outcome_is_taken_once_and_counted_until_then() {
        let (mut slots, cx) = (Slots::default(), Context::from_waker(Waker::noop()));
        slots.insert(call(), Duration::from_secs(1), None, Waker::noop().clone());
        assert!(slots.poll(call(), &cx, &mut Vec::new()).is_pending());
        slots.arm(call(), Time::ORIGIN);
        let now = Time::ORIGIN + Duration::from_secs(2);
        assert!(slots.settle(call(), now, true, Ok(text("{}"))).is_some());
        assert!(slots.bytes() > 0);
        let fate = Fate {
            was_sent: true,
            spent: Duration::from_secs(3),
        };
        assert_eq!(
            slots.poll(call(), &cx, &mut Vec::new()),
            Poll::Ready((Ok(text("{}")), fate))
        );
        assert_eq!(slots.bytes(), 0);
        let gone = Poll::Ready((Err(CallError::Cancelled), Fate::default()));
        assert_eq!(slots.poll(call(), &cx, &mut Vec::new()), gone);
    }

    #[test]
    fn a_caller_that_has_spent_all_time_spends_no_more() {
        let (mut slots, cx) = (Slots::default(), Context::from_waker(Waker::noop()));
        slots.insert(call(), Duration::MAX, Some(Time::ORIGIN), Waker::noop().clone());
        slots.settle(call(), Time::ORIGIN + Duration::from_secs(1), true, Ok(text("{}")));
        let Poll::Ready((_, fate)) = slots.poll(call(), &cx, &mut Vec::new()) else {
            panic!("it is settled");
        };
        assert_eq!(fate.spent, Duration::MAX);
    }

    #[test]
    fn who_does_not_look_loses_the_oldest_reports() {
        let mut slots = Slots::default();
        slots.insert(call(), Duration::ZERO, None, Waker::noop().clone());
        for number in ["1", "2", "3"] {
            slots.report(call(), Report::Progress(text(number)), ROOM);
        }
        let reports = slots.take_reports(call());
        assert!(matches!(reports.front(), Some(Report::Progress(params)) if *params == text("2")));
        assert_eq!((reports.len(), slots.bytes()), (2, 0));
        let none = Room { bytes: 1, ..ROOM };
        slots.report(call(), Report::Log(text("4")), none);
        assert_eq!(slots.bytes(), 0);
    }

    #[test]
    fn what_comes_for_a_call_that_nobody_waits_for_is_dropped() {
        let mut slots = Slots::default();
        slots.insert(call(), Duration::ZERO, None, Waker::noop().clone());
        slots.report(call(), Report::Log(text("1")), ROOM);
        assert!(slots.remove(call(), &mut Vec::new()) && !slots.remove(call(), &mut Vec::new()));
        slots.report(call(), Report::Log(text("1")), ROOM);
        slots.settle(call(), Time::ORIGIN, true, Ok(text("1")));
        assert_eq!(slots.bytes(), 0);
    }
}
