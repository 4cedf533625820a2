//! What is left of sessions that are over, and of attempts that were given up.

use alloc::collections::BTreeSet;
use core::time::Duration;

use super::deadlines::Deadlines;
use crate::time::Time;

/// What the world is closing, each by its number: for a bounded time, and of a bounded number.
///
/// | what is left of | the world | when there is too much of it, or its time is up | why |
/// |---|---|---|---|
/// | an attempt that was given up | closes what it has opened | drops it as an attempt | it has no session to be named by |
/// | a session | closes it, or clears it up where it is lost | drops it as a session | a server that does not answer must not keep it |
#[derive(Debug)]
pub(super) struct Remains {
    most: usize,
    time: Duration,
    deadlines: Deadlines<u64>,
    /// Which of them are attempts.
    attempts: BTreeSet<u64>,
}

impl Remains {
    /// At most so many at a time, each for this long.
    pub(super) fn new(most: usize, time: Duration) -> Self {
        Self {
            most,
            time,
            deadlines: Deadlines::default(),
            attempts: BTreeSet::new(),
        }
    }

    /// An attempt is given up. Gives what is to be dropped for it.
    pub(super) fn attempt(&mut self, serial: u64) -> Option<u64> {
        self.attempts.insert(serial);
        self.session(serial)
    }

    /// A session is over. Gives what is to be dropped for it.
    pub(super) fn session(&mut self, serial: u64) -> Option<u64> {
        self.deadlines.set(serial, self.time);
        // However slow the servers are to close: there are never more than twice as many as may be in use.
        match self.deadlines.len() > self.most {
            true => self.deadlines.first(),
            false => None,
        }
    }

    /// Whether this is an attempt that was given up.
    pub(super) fn is_attempt(&self, serial: u64) -> bool {
        self.attempts.contains(&serial)
    }

    /// Nothing is left of it.
    pub(super) fn forget(&mut self, serial: u64) {
        self.deadlines.clear(serial);
        self.attempts.remove(&serial);
    }

    /// One whose time is up. It is there until it is forgotten: it matters still which kind it is of.
    pub(super) fn expire(&mut self, now: Time) -> Option<u64> {
        self.deadlines.expire(now)
    }

    pub(super) fn arm(&mut self, now: Time) {
        self.deadlines.arm(now);
    }

    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.deadlines.next()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.deadlines.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::since_origin(Duration::from_secs(seconds))
    }

    #[test]
    fn there_is_never_too_much_and_the_oldest_goes_first() {
        let mut remains = Remains::new(2, Duration::from_secs(5));
        assert_eq!(remains.session(1), None);
        remains.arm(at(0));
        assert_eq!((remains.attempt(2), remains.session(3)), (None, Some(1)));
        remains.forget(1);
        remains.forget(2);
        assert!(!remains.is_attempt(2));
        assert_eq!(remains.session(4), None);
    }

    #[test]
    fn nothing_is_left_for_ever() {
        let mut remains = Remains::new(9, Duration::from_secs(5));
        remains.attempt(1);
        assert_eq!(remains.next_deadline(), Some(Time::ORIGIN), "armed by the first drain");
        remains.arm(at(1));
        assert_eq!((remains.expire(at(5)), remains.expire(at(6))), (None, Some(1)));
        assert!(remains.is_attempt(1), "it is to be dropped as what it is");
        remains.forget(1);
        assert!(!remains.is_attempt(1) && remains.is_empty());
    }
}
