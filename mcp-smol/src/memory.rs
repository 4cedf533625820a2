//! A connection in memory: what one side sends is handed to the other as it is.

use std::future::{Future, poll_fn};
use std::task::{Context, Poll, ready};

use mcp_proto::Time;
use mcp_proto::client::ClientConfig;
use mcp_proto::handle::{Client, Pump, Server};

use crate::Driver;
use crate::clock::{Clock, Timer};

/// How often the bytes go round before other tasks get their turn.
const ROUNDS: usize = 64;

/// A client of `server` in this process, both driven by the task that `spawn` makes.
pub fn connect_memory(server: &Server, config: ClientConfig, spawn: impl FnOnce(Driver)) -> Client {
    let (client, driver) = duplex(server, config);
    spawn(Box::pin(driver));
    client
}

/// A client of `server` in this process, and the future that drives both, for those who poll or spawn it
/// themselves.
///
/// The future ends when the last handle of the client is dropped and everything is done.
///
/// # Cancel safety
/// Dropping the future closes the connection at once; every call that waits ends with `Closed`.
pub fn duplex(server: &Server, config: ClientConfig) -> (Client, impl Future<Output = ()> + Send + use<>) {
    let (client, pump) = Client::over_stream(config);
    (client, join(pump, server.pump()))
}

/// Connects two pumps in memory, and drives both until both are done.
///
/// Nothing is copied, and nothing is queued in between: a side that wants no input holds up the other.
///
/// # Cancel safety
/// Dropping the future drops both pumps, which closes the connection at once.
pub async fn join<A: Pump, B: Pump>(left: A, right: B) {
    let mut crossing = Crossing::new(left, right);
    poll_fn(|cx| crossing.poll(cx)).await;
}

struct Crossing<A, B> {
    left: A,
    right: B,
    clock: Clock,
    timer: Timer,
    to_right: Way,
    to_left: Way,
}

/// One direction.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Open,
    /// The receiver takes nothing any more; what is sent is dropped.
    Ignored,
    /// The sender is done.
    Ended,
}

impl<A: Pump, B: Pump> Crossing<A, B> {
    fn new(left: A, right: B) -> Self {
        let clock = Clock::start();
        Self {
            left,
            right,
            clock,
            timer: Timer::new(clock),
            to_right: Way::Open,
            to_left: Way::Open,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let now = self.clock.now();
        for _ in 0..ROUNDS {
            let mut moved = self.to_right.poll(cx, now, &self.left, &self.right).is_ready();
            self.right.poll_work(cx, now);
            moved |= self.to_left.poll(cx, now, &self.right, &self.left).is_ready();
            self.left.poll_work(cx, now);
            if self.to_right == Way::Ended && self.to_left == Way::Ended {
                return Poll::Ready(());
            }
            if !moved && self.poll_deadline(cx, now).is_pending() {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>, now: Time) -> Poll<()> {
        let deadlines = [self.left.deadline(), self.right.deadline()];
        ready!(self.timer.poll(cx, deadlines.into_iter().flatten().min()));
        let now = self.clock.now().max(now);
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
