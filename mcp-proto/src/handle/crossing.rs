//! Two connections face to face in memory.

use core::fmt;
use core::future::poll_fn;
use core::task::{Context, Poll, ready};

use bytes::Bytes;

use super::pump::Pump;
use super::timer::Timer;
use crate::handle::turn::LARGE;
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
struct Way {
    state: State,
    /// A large piece that was sent and is not received yet.
    held: Option<Bytes>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
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
            to_right: Way::new(),
            to_left: Way::new(),
        }
    }

    /// Drives both until both are done, in the time of `timer`.
    ///
    /// # Cancel safety
    /// Dropping the future drops both pumps, which closes the connection at once.
    pub async fn run(mut self, mut timer: impl Timer) {
        self.left.begin(&timer);
        self.right.begin(&timer);
        poll_fn(|cx| {
            let now = timer.now();
            self.poll(cx, now, |cx, deadline| timer.poll(cx, deadline).map(|()| timer.now()))
        })
        .await;
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
            // Sending a large piece and receiving it are two polls, so that none holds the thread for long.
            if self.to_right.held.is_some() {
                break;
            }
            // Before what it sends is looked at: a reply that is ready at once goes in the same round.
            self.right.poll_work(cx, now);
            moved |= self.to_left.poll(cx, now, &self.right, &self.left).is_ready();
            if self.to_left.held.is_some() {
                break;
            }
            self.left.poll_work(cx, now);
            if self.to_right.state == State::Ended && self.to_left.state == State::Ended {
                return Poll::Ready(());
            }
            // Setting a timer is dearer than going round, and while bytes move most deadlines move away.
            if !moved && self.poll_deadline(cx, now, &mut timer).is_pending() {
                return Poll::Pending;
            }
        }
        // More is to be done, and nobody else would wake it for that.
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
        // The timer may be behind the time that the bytes were moved in, and time never goes back.
        let now = ready!(timer(cx, deadlines.into_iter().flatten().min())).max(now);
        self.left.handle_timeout(now);
        self.right.handle_timeout(now);
        Poll::Ready(())
    }
}

impl Way {
    const fn new() -> Self {
        let (state, held) = (State::Open, None);
        Self { state, held }
    }

    /// Carries one piece, or holds it where it is large. Ready where it got on.
    fn poll(&mut self, cx: &mut Context<'_>, now: Time, from: &impl Pump, to: &impl Pump) -> Poll<()> {
        if let Some(bytes) = self.held.take() {
            to.receive(now, bytes);
            return Poll::Ready(());
        }
        match self.state {
            State::Ended => return Poll::Pending,
            // Still taken, or the sender would wait for room for ever, and its end would never come.
            State::Ignored => {}
            State::Open => {
                // Asked before anything is taken: in between there is no place to keep it.
                if !ready!(to.poll_wants_input(cx)) {
                    self.state = State::Ignored;
                }
            }
        }
        match ready!(from.poll_transmit(cx, now)) {
            Some(_) if self.state == State::Ignored => {}
            Some(bytes) if bytes.len() >= LARGE => self.held = Some(bytes),
            Some(bytes) => to.receive(now, bytes),
            None => {
                self.state = State::Ended;
                to.receive_eof(now);
            }
        }
        Poll::Ready(())
    }
}

impl<A, B> fmt::Debug for Crossing<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crossing")
            .field("to_right", &self.to_right.state)
            .field("to_left", &self.to_left.state)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::ClientConfig;
    use crate::handle::{Client, Server};
    use crate::model::{Json, Tool};
    use alloc::string::String;
    use alloc::sync::Arc;
    use alloc::task::Wake;
    use core::future::Future;
    use core::pin::pin;
    use core::sync::atomic::{AtomicBool, Ordering};
    use core::task::Waker;
    use serde_json::json;

    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    fn server() -> Server {
        let tool = Tool::new("echo", Json::parse(r#"{"type":"object"}"#).unwrap());
        let echo = |args: crate::jsonrpc::RawJson, _| async move { Ok(String::from(args.as_str())) };
        Server::builder("s", "1").raw_tool(tool, echo).build()
    }

    #[test]
    fn a_large_piece_is_received_in_another_poll_than_it_is_sent() {
        let (client, pump) = Client::over_stream(ClientConfig::named("c", "1"));
        let mut crossing = Crossing::new(pump, server().pump());
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&woken));
        let mut cx = Context::from_waker(&waker);
        for (length, expected) in [(10, [0, 0]), (LARGE, [1, 1])] {
            let text = "x".repeat(length);
            let mut call = pin!(client.call_tool("echo", json!({"text": text})));
            let mut held = [0, 0];
            let result = loop {
                if let Poll::Ready(result) = call.as_mut().poll(&mut cx) {
                    break result.unwrap();
                }
                assert!(woken.0.swap(false, Ordering::Relaxed), "nobody goes on");
                assert!(crossing.poll(&mut cx, Time::ORIGIN, |_, _| Poll::Pending).is_pending());
                held[0] += usize::from(crossing.to_right.held.is_some());
                held[1] += usize::from(crossing.to_left.held.is_some());
            };
            assert_eq!(
                result.content[0].as_text().map(str::len),
                Some(length + r#"{"text":""}"#.len())
            );
            assert_eq!(held, expected);
        }
    }
}
