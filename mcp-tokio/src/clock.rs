//! The machines' time from tokio's clock.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use mcp_proto::Time;
use mcp_proto::handle::Alarm;
use tokio::time::{Instant, Sleep};

/// How far ahead a deadline lies that tokio cannot represent: about 30 years.
pub(crate) const FAR: Duration = Duration::from_secs(60 * 60 * 24 * 365 * 30);

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

    /// The time at an instant.
    #[cfg(feature = "http")]
    pub(crate) fn time(&self, at: std::time::Instant) -> Time {
        Time::since_origin(Instant::from_std(at).saturating_duration_since(self.origin))
    }

    fn instant(&self, at: Time) -> Instant {
        let far = || Instant::now() + FAR;
        self.origin.checked_add(at.elapsed()).unwrap_or_else(far)
    }
}

/// A clock, and one timer for a deadline that moves: what drivers ask for.
#[derive(Debug)]
pub struct Timer {
    clock: Clock,
    sleep: Option<Pin<Box<Sleep>>>,
    alarm: Alarm,
}

impl Timer {
    /// A timer that is not set, with the time of `clock`.
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            sleep: None,
            alarm: Alarm::default(),
        }
    }
}

impl mcp_proto::handle::Timer for Timer {
    fn now(&self) -> Time {
        self.clock.now()
    }

    /// # Panics
    /// Outside of a tokio runtime with a timer, as every timer of tokio does.
    fn poll(&mut self, cx: &mut Context<'_>, deadline: Option<Time>) -> Poll<()> {
        let Self { clock, sleep, alarm } = self;
        alarm.poll(deadline, |at, is_new| {
            let is_made = sleep.is_some();
            let sleep = sleep.get_or_insert_with(|| Box::pin(clock.sleep_until(at)));
            if is_new && is_made {
                sleep.as_mut().reset(clock.instant(at));
            }
            sleep.as_mut().poll(cx)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mcp_proto::handle::Timer as _;
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
