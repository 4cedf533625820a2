//! Peers that take nothing.

use core::task::{Context, Poll};
use core::time::Duration;

use mcp_proto::Time;
use mcp_proto::handle::Timer;

/// Gives up a peer that takes nothing for too long while there is something for it. `T` is the timer of the runtime.
///
/// Whoever writes to the peer has every outcome [checked](Self::check). As long as nothing is written no time runs.
#[derive(Debug)]
pub struct Stall<T> {
    timer: T,
    most: Option<Duration>,
    /// When the peer is given up, unless it takes something before.
    due: Option<Time>,
}

impl<T: Timer> Stall<T> {
    /// A peer may take nothing for `most`, or for ever.
    pub fn new(timer: T, most: Option<Duration>) -> Self {
        let due = None;
        Self { timer, most, due }
    }

    /// What came of an attempt to write, to flush or to close; `None` where all attempts came to nothing for too long.
    /// While it is pending, the task of `cx` is woken for that as well.
    pub fn check<V>(&mut self, cx: &mut Context<'_>, outcome: Poll<V>) -> Poll<Option<V>> {
        match (outcome, self.most) {
            (Poll::Pending, Some(most)) => {
                // From the first attempt that came to nothing: further ones give no more time.
                let due = *self.due.get_or_insert_with(|| self.timer.now() + most);
                self.timer.poll(cx, Some(due)).map(|()| None)
            }
            (outcome, _) => {
                self.due = None;
                outcome.map(Some)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::streams::tests::Fake;
    use super::*;
    use core::cell::Cell;
    use core::task::Waker;

    /// What is said of an attempt at this second.
    fn check(stall: &mut Stall<Fake<'_>>, clock: &Cell<u64>, second: u64, outcome: Poll<()>) -> Poll<Option<()>> {
        clock.set(second);
        stall.check(&mut Context::from_waker(Waker::noop()), outcome)
    }

    #[test]
    fn a_peer_is_given_up_when_it_took_nothing_for_the_time_said() {
        let clock = Cell::new(0);
        let mut stall = Stall::new(Fake(&clock), Some(Duration::from_secs(10)));
        let taken = Poll::Ready(Some(()));
        assert_eq!(check(&mut stall, &clock, 100, Poll::Pending), Poll::Pending);
        assert_eq!(check(&mut stall, &clock, 109, Poll::Pending), Poll::Pending);
        assert_eq!(check(&mut stall, &clock, 109, Poll::Ready(())), taken);
        assert_eq!(check(&mut stall, &clock, 118, Poll::Pending), Poll::Pending);
        assert_eq!(check(&mut stall, &clock, 127, Poll::Pending), Poll::Pending);
        let given_up = Poll::Ready(None);
        assert_eq!(check(&mut stall, &clock, 128, Poll::Pending), given_up);
        assert_eq!(check(&mut stall, &clock, 129, Poll::Pending), given_up);
    }

    #[test]
    fn no_time_runs_while_there_is_nothing_to_write() {
        let clock = Cell::new(0);
        let mut stall = Stall::new(Fake(&clock), Some(Duration::from_secs(10)));
        assert_eq!(check(&mut stall, &clock, 0, Poll::Ready(())), Poll::Ready(Some(())));
        assert_eq!(check(&mut stall, &clock, 1_000, Poll::Pending), Poll::Pending);
        assert_eq!(check(&mut stall, &clock, 1_001, Poll::Ready(())), Poll::Ready(Some(())));
    }

    #[test]
    fn without_a_bound_no_peer_is_given_up() {
        let clock = Cell::new(0);
        let mut stall = Stall::new(Fake(&clock), None);
        for second in [0, 10, 1_000_000] {
            assert_eq!(check(&mut stall, &clock, second, Poll::Pending), Poll::Pending);
        }
    }
}
