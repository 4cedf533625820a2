//! When a deadline that is over counts: what has arrived is read before.

use core::time::Duration;

use mcp_proto::Time;

/// How often input is preferred to a deadline that is over, before the deadline counts whatever comes.
///
/// As much as a system keeps for a connection: more has come since.
const TURNS: usize = 256;

/// For how long, whatever a turn takes: a peer may send what is long to read and means nothing.
const PATIENCE: Duration = Duration::from_millis(250);

/// How late a timer is at most where the thread was not held up. Later, the runtime may not have looked at its sockets
/// since: what is there is not known yet.
const PUNCTUAL: Duration = Duration::from_millis(20);

/// How long a runtime is given to look at its sockets: one turn of its reactor, which serves timers and sockets alike.
const TURN: Duration = Duration::from_millis(1);

/// Whether a deadline counts that is over.
///
/// After a suspend, or where the thread was held up, answers and deadlines come at once. An answer that has arrived is an
/// answer in time: it is read before its call expires.
///
/// | the deadline is over, and | so it |
/// |---|---|
/// | input got on just now | waits for what is behind it, up to `TURNS` times, and for `PATIENCE` |
/// | nothing could be read, and it is noticed in time | counts |
/// | nothing could be read, and it is noticed late | waits once for a turn of the reactor |
#[derive(Debug, Default)]
pub(crate) struct Grace {
    /// How often input was preferred to the present deadline.
    turns: usize,
    /// Since when.
    since: Option<Time>,
    /// What the reactor is waited for.
    until: Option<Time>,
}

impl Grace {
    /// When to look, for a deadline.
    pub(crate) fn deadline(&self, deadline: Option<Time>) -> Option<Time> {
        let deadline = deadline?;
        Some(self.until.map_or(deadline, |until| until.max(deadline)))
    }

    /// A deadline is over: whether it counts. `moved`: whether input got on just now.
    pub(crate) fn is_over(&mut self, deadline: Time, now: Time, moved: bool) -> bool {
        // What was due before has nothing to do with this one.
        let is_awaited = self.until.is_some_and(|until| until > deadline);
        if !is_awaited {
            (self.turns, self.since) = (0, None);
        }
        let is_late = now.since(deadline) > PUNCTUAL;
        // Such a deadline only says that there is something to do.
        if deadline == Time::ORIGIN {
            return true;
        }
        let since = self.since.unwrap_or(now);
        if moved && self.turns < TURNS && now.since(since) < PATIENCE {
            (self.turns, self.since) = (self.turns + 1, Some(since));
            // It has looked.
            self.until = Some(now);
            return false;
        }
        if is_late && !is_awaited {
            self.until = Some(now + TURN);
            return false;
        }
        *self = Self::default();
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time::ORIGIN + Duration::from_millis(millis)
    }

    #[test]
    fn a_deadline_that_is_noticed_in_time_counts_at_once() {
        let mut grace = Grace::default();
        assert_eq!(grace.deadline(Some(at(10))), Some(at(10)));
        assert!(grace.is_over(at(10), at(12), false));
    }

    #[test]
    fn what_is_read_comes_first_and_not_for_ever() {
        let mut grace = Grace::default();
        assert!(grace.is_over(Time::ORIGIN, at(500), true), "it waits for nothing");
        for _ in 0..TURNS {
            assert!(!grace.is_over(at(10), at(500), true));
            assert_eq!(grace.deadline(Some(at(10))), Some(at(500)));
        }
        assert!(grace.is_over(at(10), at(500), true));
        assert!(!grace.is_over(at(20), at(500), true), "the next has turns of its own");
        assert!(grace.is_over(at(20), at(500), false), "nothing is left to be read");
    }

    #[test]
    fn input_that_takes_long_to_read_delays_no_deadline_for_long() {
        let mut grace = Grace::default();
        for now in [500, 600, 700] {
            assert!(!grace.is_over(at(10), at(now), true), "{now}");
        }
        assert!(grace.is_over(at(10), at(750), true));
        assert!(!grace.is_over(at(800), at(810), true), "the next has a time of its own");
    }

    #[test]
    fn a_deadline_that_is_noticed_late_waits_for_a_turn_of_the_reactor() {
        let mut grace = Grace::default();
        assert!(!grace.is_over(at(10), at(500), false));
        assert_eq!(grace.deadline(Some(at(10))), Some(at(501)));
        assert_eq!(grace.deadline(None), None);
        assert!(grace.is_over(at(10), at(501), false));
    }
}
