//! Time, as a driver sees it.

use core::task::{Context, Poll};

use crate::time::{Time, UnixTime};

/// The clock and the one timer of a driver.
///
/// The adapters implement it by their runtimes' timers. Dropping one has no effect on anything else.
pub trait Timer {
    /// The present.
    fn now(&self) -> Time;

    /// Ready when `deadline` has come; never without one. While it is pending, the task of `cx` is woken when the
    /// deadline has come, or before. It may be polled with another deadline each time, and after it was ready.
    fn poll(&mut self, cx: &mut Context<'_>, deadline: Option<Time>) -> Poll<()>;

    /// The present in the calendar, which a server dates by what clients carry for it. Without it the calendar begins with
    /// the clock, and what was sealed before a restart, or by another process, may be refused or live longer.
    fn unix(&self) -> Option<UnixTime> {
        None
    }

    /// Bytes of a cryptographically secure source, which a server needs to seal what clients carry for it. Without them
    /// nothing can be asked of modern clients.
    fn random(&self) -> Option<[u8; 32]> {
        None
    }
}

/// What the timer of a runtime is set to, for a deadline that moves.
///
/// A deadline that moves away leaves the timer as it is, to fire once too early and be set again; most deadlines move
/// away with every message, and setting a timer is dearer than that.
#[derive(Debug, Default)]
pub struct Alarm {
    /// `None` once the timer has fired.
    set: Option<Time>,
}

impl Alarm {
    /// Ready when `deadline` has come; never without one.
    ///
    /// `poll` polls the timer, which fires at the time given; before, it sets the timer to that where it is told a
    /// `true`.
    pub fn poll(&mut self, deadline: Option<Time>, mut poll: impl FnMut(Time, bool) -> Poll<()>) -> Poll<()> {
        let Some(deadline) = deadline else {
            return Poll::Pending;
        };
        loop {
            // Set later than the deadline it has to be set anew, or the deadline would be missed.
            let at = self.set.filter(|set| *set <= deadline).unwrap_or(deadline);
            let is_new = self.set.replace(at) != Some(at);
            if poll(at, is_new).is_pending() {
                return Poll::Pending;
            }
            // A timer that has fired does so no more: whatever comes next has to be set.
            self.set = None;
            if at >= deadline {
                return Poll::Ready(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use core::time::Duration;

    fn at(seconds: u64) -> Time {
        Time::ORIGIN + Duration::from_secs(seconds)
    }

    /// Polls at `now`. Whether the alarm is ready, and what the timer was set to meanwhile.
    fn poll(alarm: &mut Alarm, now: u64, deadline: Option<u64>) -> (bool, Vec<Time>) {
        let mut set = Vec::new();
        let ready = alarm.poll(deadline.map(at), |at_, is_new| {
            set.extend(is_new.then_some(at_));
            if at_ <= at(now) { Poll::Ready(()) } else { Poll::Pending }
        });
        (ready.is_ready(), set)
    }

    #[test]
    fn a_deadline_that_moves_away_leaves_the_timer_until_it_fires() {
        let mut alarm = Alarm::default();
        assert_eq!(poll(&mut alarm, 0, Some(10)), (false, [at(10)].into()));
        assert_eq!(poll(&mut alarm, 1, Some(20)), (false, [].into()));
        assert_eq!(poll(&mut alarm, 2, None), (false, [].into()));
        assert_eq!(poll(&mut alarm, 10, Some(20)), (false, [at(20)].into()));
        assert_eq!(poll(&mut alarm, 20, Some(20)), (true, [].into()));
    }

    #[test]
    fn a_deadline_that_comes_nearer_sets_the_timer() {
        let mut alarm = Alarm::default();
        assert_eq!(poll(&mut alarm, 0, Some(10)), (false, [at(10)].into()));
        assert_eq!(poll(&mut alarm, 0, Some(5)), (false, [at(5)].into()));
        assert_eq!(poll(&mut alarm, 7, Some(5)), (true, [].into()));
        assert_eq!(poll(&mut alarm, 7, Some(5)), (true, [at(5)].into()));
        assert_eq!(poll(&mut alarm, 7, Some(9)), (false, [at(9)].into()));
    }
}
