//! The machines' time from the system's monotonic clock, and their deadlines from smol's reactor.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use mcp_proto::Time;
use mcp_proto::handle::Alarm;

/// How far ahead every system can represent a deadline: about 30 years.
#[cfg(feature = "http")]
pub(crate) const FAR: Duration = Duration::from_secs(60 * 60 * 24 * 365 * 30);

/// The monotonic clock that the machines of one connection are driven by.
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

    /// A future that is ready once `at` has come; never, where the system cannot represent it.
    ///
    /// Cancel safety: dropping it has no effect.
    pub fn sleep_until(&self, at: Time) -> async_io::Timer {
        match self.instant(at) {
            Some(at) => async_io::Timer::at(at),
            None => async_io::Timer::never(),
        }
    }

    /// The time at an instant.
    #[cfg(feature = "http")]
    pub(crate) fn time(&self, at: Instant) -> Time {
        Time::since_origin(at.saturating_duration_since(self.origin))
    }

    fn instant(&self, at: Time) -> Option<Instant> {
        self.origin.checked_add(at.elapsed())
    }
}

/// A clock, and one timer for a deadline that moves: what drivers ask for.
#[derive(Debug)]
pub struct Timer {
    clock: Clock,
    sleep: async_io::Timer,
    alarm: Alarm,
}

impl Timer {
    /// A timer that is not set, with the time of `clock`.
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            sleep: async_io::Timer::never(),
            alarm: Alarm::default(),
        }
    }
}

impl mcp_proto::handle::Timer for Timer {
    fn now(&self) -> Time {
        self.clock.now()
    }

    fn poll(&mut self, cx: &mut Context<'_>, deadline: Option<Time>) -> Poll<()> {
        let Self { clock, sleep, alarm } = self;
        alarm.poll(deadline, |at, is_new| {
            match clock.instant(at) {
                Some(at) if is_new => sleep.set_at(at),
                None if is_new => *sleep = async_io::Timer::never(),
                _ => {}
            }
            Pin::new(&mut *sleep).poll(cx).map(drop)
        })
    }
}

/// What `future` gives within `most`, or `None`.
pub(crate) async fn within<T>(most: Duration, future: impl Future<Output = T>) -> Option<T> {
    let mut timer = async_io::Timer::after(most);
    let mut future = pin!(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => Pin::new(&mut timer).poll(cx).map(|_| None),
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use mcp_proto::handle::Timer as _;
    use std::future::poll_fn;
    use std::time::Duration;

    fn at(milliseconds: u64) -> Time {
        Time::ORIGIN + Duration::from_millis(milliseconds)
    }

    #[test]
    fn the_clock_follows_the_system() {
        let clock = Clock::start();
        async_io::block_on(clock.sleep_until(at(30)));
        assert!(clock.now() >= at(30));
    }

    #[test]
    fn an_endless_deadline_is_no_overflow() {
        let clock = Clock::start();
        let mut timer = Timer::new(clock);
        let endless = Some(Time::since_origin(Duration::MAX));
        for deadline in [endless, Some(at(3_600_000)), endless] {
            let ready = async_io::block_on(poll_fn(|cx| Poll::Ready(timer.poll(cx, deadline).is_ready())));
            assert!(!ready, "{deadline:?}");
        }
    }

    #[test]
    fn the_timer_follows_a_deadline_both_ways() {
        let clock = Clock::start();
        let mut timer = Timer::new(clock);
        for deadline in [Some(at(600_000)), None, Some(at(1_200_000)), Some(at(300_000))] {
            let ready = async_io::block_on(poll_fn(|cx| Poll::Ready(timer.poll(cx, deadline).is_ready())));
            assert!(!ready, "{deadline:?}");
        }
        for deadline in [20, 20, 40] {
            async_io::block_on(poll_fn(|cx| timer.poll(cx, Some(at(deadline)))));
            assert!(clock.now() >= at(deadline));
        }
    }
}
