//! The machines' time from the system's monotonic clock, and their deadlines from smol's reactor.

use std::time::Instant;

use mcp_proto::Time;

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

    fn instant(&self, at: Time) -> Option<Instant> {
        self.origin.checked_add(at.elapsed())
    }
}

impl mcp_driver::Clock for Clock {
    type Sleep = async_io::Timer;

    fn now(&self) -> Time {
        self.now()
    }

    fn sleep_until(&self, at: Time) -> Self::Sleep {
        self.sleep_until(at)
    }

    fn reset(&self, sleep: &mut Self::Sleep, at: Time) {
        match self.instant(at) {
            Some(at) => sleep.set_at(at),
            None => *sleep = async_io::Timer::never(),
        }
    }
}

/// A clock, and one timer for a deadline that moves: what drivers ask for.
pub type Timer = mcp_driver::ClockTimer<Clock>;
