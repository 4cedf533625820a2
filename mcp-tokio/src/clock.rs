//! The machines' time from tokio's clock.

use std::pin::Pin;

use mcp_proto::Time;
use tokio::time::{Instant, Sleep};

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
        // Beyond what an `Instant` can say is as good as never, and tokio has no timer for that.
        let far = || Instant::now() + mcp_driver::FAR;
        self.origin.checked_add(at.elapsed()).unwrap_or_else(far)
    }
}

impl mcp_driver::Clock for Clock {
    type Sleep = Pin<Box<Sleep>>;

    fn now(&self) -> Time {
        self.now()
    }

    fn sleep_until(&self, at: Time) -> Self::Sleep {
        Box::pin(self.sleep_until(at))
    }

    fn reset(&self, sleep: &mut Self::Sleep, at: Time) {
        sleep.as_mut().reset(self.instant(at));
    }
}

/// A clock, and one timer for a deadline that moves: what drivers ask for.
///
/// # Panics
/// It panics when it is polled outside of a tokio runtime with a timer, as every timer of tokio does.
pub type Timer = mcp_driver::ClockTimer<Clock>;
