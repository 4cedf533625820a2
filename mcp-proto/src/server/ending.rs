//! How a connection ends.

use core::time::Duration;

use crate::rpc::CloseReason;
use crate::time::Time;

/// How far the end of a connection has come.
///
/// | it is | the client is read | requests in progress | becomes |
/// |---|---|---|---|
/// | open | yes | begin | draining, when either side ends it |
/// | draining | no: what was asked after the end has nobody to hear the answer | are answered, until the deadline | over, when nothing is left, or at the deadline |
/// | over | no | are not answered any more | told, once |
///
/// The deadline is set by the first drain after the end has begun: verbs take no time.
#[derive(Debug)]
pub(super) struct Ending(State);

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Open,
    Draining(CloseReason, Option<Time>),
    /// Over, and whether that has been told.
    Over(CloseReason, bool),
}

impl Ending {
    /// That of a connection which is open.
    pub(super) fn new() -> Self {
        Self(State::Open)
    }

    pub(super) fn is_open(&self) -> bool {
        self.0 == State::Open
    }

    pub(super) fn is_draining(&self) -> bool {
        matches!(self.0, State::Draining(..))
    }

    /// Why it has begun, where it has.
    pub(super) fn reason(&self) -> Option<CloseReason> {
        match &self.0 {
            State::Open => None,
            State::Draining(reason, _) | State::Over(reason, _) => Some(reason.clone()),
        }
    }

    /// The end begins. The first reason is the one that counts.
    pub(super) fn begin(&mut self, reason: CloseReason) {
        if self.is_open() {
            self.0 = State::Draining(reason, None);
        }
    }

    /// Sets the deadline of an end that has none yet.
    pub(super) fn arm(&mut self, now: Time, after: Duration) {
        if let State::Draining(_, deadline @ None) = &mut self.0 {
            *deadline = Some(now + after);
        }
    }

    /// When it is over whatever is left; [`Time::ORIGIN`] (at once) while there is a deadline to set.
    pub(super) fn deadline(&self) -> Option<Time> {
        match self.0 {
            State::Draining(_, deadline) => Some(deadline.unwrap_or(Time::ORIGIN)),
            State::Open | State::Over(..) => None,
        }
    }

    /// Whether the deadline has come.
    pub(super) fn is_overdue(&self, now: Time) -> bool {
        matches!(self.0, State::Draining(_, Some(deadline)) if deadline <= now)
    }

    /// Nothing is left.
    pub(super) fn finish(&mut self) {
        if let State::Draining(reason, _) = &self.0 {
            self.0 = State::Over(reason.clone(), false);
        }
    }

    /// Why it is over, once.
    pub(super) fn tell(&mut self) -> Option<CloseReason> {
        match &mut self.0 {
            State::Over(reason, told @ false) => {
                *told = true;
                Some(reason.clone())
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::since_origin(Duration::from_secs(seconds))
    }

    #[test]
    fn an_end_is_bounded_and_told_once() {
        let mut ending = Ending::new();
        assert_eq!((ending.reason(), ending.deadline(), ending.tell()), (None, None, None));
        ending.finish();
        assert!(ending.is_open(), "it has to begin first");
        ending.begin(CloseReason::Peer);
        ending.begin(CloseReason::Local);
        assert_eq!(
            (ending.reason(), ending.deadline()),
            (Some(CloseReason::Peer), Some(Time::ORIGIN))
        );
        assert!(
            ending.is_draining() && !ending.is_overdue(at(99)),
            "nothing is due before the first drain"
        );
        ending.arm(at(1), Duration::from_secs(2));
        ending.arm(at(2), Duration::from_secs(2));
        assert_eq!(ending.deadline(), Some(at(3)));
        assert!(!ending.is_overdue(at(2)) && ending.is_overdue(at(3)));
        assert_eq!(ending.tell(), None);
        ending.finish();
        assert!(!ending.is_open() && !ending.is_draining());
        assert_eq!((ending.tell(), ending.tell()), (Some(CloseReason::Peer), None));
        assert_eq!((ending.reason(), ending.deadline()), (Some(CloseReason::Peer), None));
    }
}
