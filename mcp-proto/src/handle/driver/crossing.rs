//! Two connections face to face in memory.

use core::fmt;
use core::task::{Context, Poll, ready};

use crate::handle::Pump;
use crate::time::Time;

/// How often the bytes go round before other tasks get their turn.
const ROUNDS: usize = 4;

/// Two pumps, each the other's peer, for the one future that drives both.
///
/// Nothing is copied, and nothing is queued in between: a side that wants no input holds up the other. Dropping it
/// drops both pumps, which closes the connection at once.
pub struct Crossing<A, B> {
    left: A,
    right: B,
    to_right: Way,
    to_left: Way,
}

/// One direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Open,
    /// The receiver takes nothing any more; what is sent is dropped.
    Ignored,
    /// The sender is done.
    Ended,
}

impl<A: Pump, B: Pump> Crossing<A, B> {
    /// Sets two pumps face to face.
    #[must_use]
    pub fn new(left: A, right: B) -> Self {
        Self {
            left,
            right,
            to_right: Way::Open,
            to_left: Way::Open,
        }
    }

    /// Goes on as far as it can. Ready when both are done.
    ///
    /// `timer` is ready, with the time, when the deadline it is given has come; without one it never is.
    pub fn poll(
        &mut self,
        cx: &mut Context<'_>,
        now: Time,
        mut timer: impl FnMut(&mut Context<'_>, Option<Time>) -> Poll<Time>,
    ) -> Poll<()> {
        for _ in 0..ROUNDS {
            let mut moved = self.to_right.poll(cx, now, &self.left, &self.right).is_ready();
            self.right.poll_work(cx, now);
            moved |= self.to_left.poll(cx, now, &self.right, &self.left).is_ready();
            self.left.poll_work(cx, now);
            if self.to_right == Way::Ended && self.to_left == Way::Ended {
                return Poll::Ready(());
            }
            if !moved && self.poll_deadline(cx, now, &mut timer).is_pending() {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn poll_deadline(
        &mut self,
        cx: &mut Context<'_>,
        now: Time,
        timer: &mut impl FnMut(&mut Context<'_>, Option<Time>) -> Poll<Time>,
    ) -> Poll<()> {
        let deadlines = [self.left.deadline(), self.right.deadline()];
        let now = ready!(timer(cx, deadlines.into_iter().flatten().min())).max(now);
        self.left.handle_timeout(now);
        self.right.handle_timeout(now);
        Poll::Ready(())
    }
}

impl Way {
    /// Carries one piece. Ready where it got on.
    fn poll(&mut self, cx: &mut Context<'_>, now: Time, from: &impl Pump, to: &impl Pump) -> Poll<()> {
        match *self {
            Self::Ended => return Poll::Pending,
            Self::Ignored => {}
            Self::Open => {
                if !ready!(to.poll_wants_input(cx)) {
                    *self = Self::Ignored;
                }
            }
        }
        match ready!(from.poll_transmit(cx, now)) {
            Some(_) if *self == Self::Ignored => {}
            Some(bytes) => to.receive(now, bytes),
            None => {
                *self = Self::Ended;
                to.receive_eof(now);
            }
        }
        Poll::Ready(())
    }
}

impl<A, B> fmt::Debug for Crossing<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crossing")
            .field("to_right", &self.to_right)
            .field("to_left", &self.to_left)
            .finish_non_exhaustive()
    }
}
