//! The machines' time from tokio's clock.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use mcp_proto::Time;
use tokio::time::{Instant, Sleep};

/// How far ahead a deadline lies that tokio cannot represent: about 30 years.
const FAR: Duration = Duration::from_secs(60 * 60 * 24 * 365 * 30);

/// The monotonic clock that the machines of one connection are driven by.
///
/// It is tokio's, so a paused clock (`tokio::time::pause`) drives the protocol in virtual time.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
}

impl Clock {
    /// A clock that starts now.
    pub fn start() -> Self {
        Self { origin: Instant::now() }
    }

    /// The time since the clock was started.
    pub fn now(&self) -> Time {
        Time::since_origin(self.origin.elapsed())
    }

    /// A future that is ready once `at` has come, with the resolution of tokio's timer: a millisecond.
    ///
    /// Cancel safety: dropping it has no effect.
    ///
    /// # Panics
    /// Outside of a tokio runtime with a timer, as every timer of tokio does.
    pub fn sleep_until(&self, at: Time) -> Sleep {
        tokio::time::sleep_until(self.instant(at))
    }

    fn instant(&self, at: Time) -> Instant {
        let far = || Instant::now() + FAR;
        self.origin.checked_add(at.elapsed()).unwrap_or_else(far)
    }
}

/// The timer lane of a driver: one timer for a deadline that moves.
///
/// A deadline that moves away leaves the timer as it is, to fire once too early and be set again; most
/// deadlines move away with every message, and setting a timer is dearer than that.
#[derive(Debug)]
pub(crate) struct Timer {
    clock: Clock,
    sleep: Option<Pin<Box<Sleep>>>,
    /// What the timer is set to; `None` once it has fired.
    armed: Option<Time>,
}

impl Timer {
    /// A timer that is not set.
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            sleep: None,
            armed: None,
        }
    }

    /// Ready when `deadline` has come. Never without one.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, deadline: Option<Time>) -> Poll<()> {
        let Some(deadline) = deadline else {
            return Poll::Pending;
        };
        loop {
            let armed = self.armed.filter(|armed| *armed <= deadline).unwrap_or(deadline);
            let sleep = self.set(armed);
            if sleep.poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.armed = None;
            if armed >= deadline {
                return Poll::Ready(());
            }
        }
    }

    fn set(&mut self, at: Time) -> Pin<&mut Sleep> {
        let clock = self.clock;
        let is_set = self.armed == Some(at);
        self.armed = Some(at);
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(clock.sleep_until(at)));
        if !is_set {
            sleep.as_mut().reset(clock.instant(at));
        }
        sleep.as_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    #[tokio::test(start_paused = true)]
    async fn the_clock_follows_tokio() {
        let clock = Clock::start();
        assert_eq!(clock.now(), Time::ORIGIN);
        clock.sleep_until(Time::ORIGIN + Duration::from_secs(3600)).await;
        assert_eq!(clock.now().elapsed().as_secs(), 3600);
    }

    #[tokio::test(start_paused = true)]
    async fn an_endless_deadline_is_no_overflow() {
        let clock = Clock::start();
        let mut sleep = std::pin::pin!(clock.sleep_until(Time::since_origin(Duration::MAX)));
        let fired = poll_fn(|cx| Poll::Ready(sleep.as_mut().poll(cx).is_ready())).await;
        assert!(!fired);
    }

    #[tokio::test(start_paused = true)]
    async fn the_timer_follows_a_deadline_both_ways() {
        let clock = Clock::start();
        let mut timer = Timer::new(clock);
        let at = |seconds| Some(Time::ORIGIN + Duration::from_secs(seconds));
        for deadline in [at(10), None, at(20), at(5)] {
            let ready = poll_fn(|cx| Poll::Ready(timer.poll(cx, deadline).is_ready())).await;
            assert!(!ready, "{deadline:?}");
        }
        poll_fn(|cx| timer.poll(cx, at(7))).await;
        assert_eq!(clock.now().elapsed().as_secs(), 7);
        poll_fn(|cx| timer.poll(cx, at(7))).await;
        poll_fn(|cx| timer.poll(cx, at(9))).await;
        assert_eq!(clock.now().elapsed().as_secs(), 9);
    }
}
