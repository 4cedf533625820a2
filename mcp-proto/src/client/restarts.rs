//! How often a server that has ended is started again.

use alloc::collections::VecDeque;
use core::time::Duration;

use crate::time::Time;

/// Over how long starts are counted.
const WINDOW: Duration = Duration::from_secs(60);

/// How often the server that this side has started was started again.
///
/// "If the server process exits unexpectedly, the client SHOULD restart it" (2026-07-28, stdio, Unexpected Termination).
///
/// | the server ends | it is started again | why |
/// |---|---|---|
/// | before it has shown what it speaks | as the negotiation says | it may have died of the question |
/// | with success, or nobody knows how, while nobody waits for anything | no | it "MAY initiate shutdown by closing its output stream to the client and exiting" |
/// | otherwise | yes | |
/// | more often than so many times within a minute | no | it would go on like that |
#[derive(Debug, Default)]
pub(super) struct Restarts {
    /// Whether whoever drives the connection can start it.
    pub(super) may: bool,
    at: VecDeque<Time>,
}

impl Restarts {
    /// Takes one of so many, where there is one left.
    pub(super) fn take(&mut self, now: Time, most: usize) -> bool {
        while self.at.front().is_some_and(|first| *first + WINDOW <= now) {
            self.at.pop_front();
        }
        let has_room = self.at.len() < most;
        if has_room {
            self.at.push_back(now);
        }
        has_room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_are_bounded_within_a_minute() {
        let at = |seconds| Time::since_origin(Duration::from_secs(seconds));
        let mut restarts = Restarts::default();
        assert!(restarts.take(at(0), 2) && restarts.take(at(30), 2) && !restarts.take(at(59), 2));
        assert!(restarts.take(at(60), 2) && !restarts.take(at(89), 2) && restarts.take(at(90), 2));
        assert!(!restarts.take(at(99), 0));
    }
}
