//! The clock of a runtime, and timers on it.

use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::time::SystemTime;

use mcp_proto::handle::{Alarm, Timer};
use mcp_proto::{Time, UnixTime};

use crate::unless;

/// How far ahead every runtime can represent a deadline: about 30 years.
pub const FAR: Duration = Duration::from_secs(60 * 60 * 24 * 365 * 30);

/// The clock of a runtime. Its clones tell the same time.
///
/// It never runs backwards. Where the runtime can stop or set its clock, as tests do, the protocol follows: nothing here
/// asks the system for the time.
pub trait Clock: Clone + Send + Sync + Unpin + 'static {
    /// What is ready when a time has come; once ready it is polled again only after a [`reset`](Self::reset).
    ///
    /// # Cancel safety
    /// Dropping it has no effect but that nobody is woken.
    type Sleep: Future + Send + Sync + Unpin + 'static;

    /// The present.
    fn now(&self) -> Time;

    /// Ready when `at` has come; where the runtime cannot represent that, late.
    fn sleep_until(&self, at: Time) -> Self::Sleep;

    /// Has `sleep` be ready when `at` has come, whether it was ready before or not.
    fn reset(&self, sleep: &mut Self::Sleep, at: Time);

    /// A timer that is not set.
    fn timer(&self) -> ClockTimer<Self> {
        ClockTimer::new(self.clone())
    }
}

/// A clock, and one timer for a deadline that moves: what drivers ask for.
pub struct ClockTimer<C: Clock> {
    clock: C,
    /// Made when it is needed for the first time.
    sleep: Option<C::Sleep>,
    alarm: Alarm,
}

impl<C: Clock> ClockTimer<C> {
    /// A timer that is not set, with the time of `clock`.
    pub fn new(clock: C) -> Self {
        Self {
            clock,
            sleep: None,
            alarm: Alarm::default(),
        }
    }
}

impl<C: Clock> Timer for ClockTimer<C> {
    fn now(&self) -> Time {
        self.clock.now()
    }

    fn poll(&mut self, cx: &mut Context<'_>, deadline: Option<Time>) -> Poll<()> {
        let Self { clock, sleep, alarm } = self;
        alarm.poll(deadline, |at, is_new| {
            let is_made = sleep.is_some();
            let sleep = sleep.get_or_insert_with(|| clock.sleep_until(at));
            // One that was made just now is set already.
            if is_new && is_made {
                clock.reset(sleep, at);
            }
            Pin::new(sleep).poll(cx).map(drop)
        })
    }

    fn unix(&self) -> Option<UnixTime> {
        // One that is set before the epoch knows nothing of the calendar.
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        since.ok().map(UnixTime::since_epoch)
    }

    fn random(&self) -> Option<[u8; 32]> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).ok().map(|()| bytes)
    }
}

impl<C: Clock> fmt::Debug for ClockTimer<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClockTimer")
            .field("alarm", &self.alarm)
            .finish_non_exhaustive()
    }
}

/// Ready after `duration`.
///
/// # Cancel safety
/// Dropping it leaves the timer set, which does no harm.
pub async fn wait(timer: &mut impl Timer, duration: Duration) {
    let at = timer.now() + duration;
    poll_fn(|cx| timer.poll(cx, Some(at))).await;
}

/// What `future` gives within `most`, or `None`.
///
/// # Cancel safety
/// Dropping it drops the future.
pub async fn within<T>(clock: &impl Clock, most: Duration, future: impl Future<Output = T>) -> Option<T> {
    unless(future, wait(&mut clock.timer(), most)).await
}
