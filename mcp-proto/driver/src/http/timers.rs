//! The timers of hyper, on the clock of a runtime.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::time::Instant;

use hyper::rt::{self, Sleep};
use mcp_proto::Time;
use mcp_proto::handle::Timer;

use crate::{Clock, ClockTimer, Deadline, SpareTimer};

/// The timers of hyper for one connection.
///
/// Hyper counts in instants of the system. Only what lies between two of them means anything here: the clock of the
/// runtime may be another one, which is stopped or set.
pub(super) struct Timers<C: Clock> {
    clock: C,
    spare: SpareTimer<ClockTimer<C>>,
    /// One moment in both.
    origin: (Instant, Time),
}

struct Sleeping<T: Timer>(Deadline<T>);

impl<C: Clock> Timers<C> {
    pub(super) fn new(clock: C) -> Self {
        let origin = (Instant::now(), clock.now());
        let spare = SpareTimer::new(clock.timer());
        Self { clock, spare, origin }
    }

    fn time(&self, at: Instant) -> Time {
        let (instant, time) = self.origin;
        // What lies before the origin is due at once.
        time + at.saturating_duration_since(instant)
    }
}

impl<C: Clock> rt::Timer for Timers<C> {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, at: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(Sleeping(self.spare.deadline(self.time(at), || self.clock.timer())))
    }

    fn now(&self) -> Instant {
        let (instant, time) = self.origin;
        instant + self.clock.now().since(time)
    }

    fn reset(&self, sleep: &mut Pin<Box<dyn Sleep>>, at: Instant) {
        match sleep.as_mut().downcast_mut_pin::<Sleeping<ClockTimer<C>>>() {
            Some(mut sleeping) => sleeping.0.reset(self.time(at)),
            // One of another timer: made anew it is right as well.
            None => *sleep = self.sleep_until(at),
        }
    }
}

impl<T: Timer + Send + Sync + Unpin + 'static> Sleep for Sleeping<T> {}

impl<T: Timer + Unpin> Future for Sleeping<T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx)
    }
}
