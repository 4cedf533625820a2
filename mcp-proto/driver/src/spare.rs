//! Timers that are made and dropped with every request.

use alloc::sync::Arc;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::sync::{Mutex, MutexGuard, PoisonError};

use mcp_proto::Time;
use mcp_proto::handle::Timer;

/// Keeps the timer of the [`Deadline`] that was dropped last, for the next one. Clones are one.
///
/// An HTTP library has a deadline for the head of each request, and drops it when the head is here. The timer of the
/// runtime that is used again for the next one is set already, and most of the time needs not be set anew: see
/// [`Alarm`](mcp_proto::handle::Alarm).
pub struct SpareTimer<T>(Arc<Mutex<Option<T>>>);

impl<T: Timer> SpareTimer<T> {
    /// Keeps `timer`, for the first deadline.
    #[must_use]
    pub fn new(timer: T) -> Self {
        Self(Arc::new(Mutex::new(Some(timer))))
    }

    /// A future that is ready when `at` has come. Where the spare timer is in use, it has one that `make` makes.
    pub fn deadline(&self, at: Time, make: impl FnOnce() -> T) -> Deadline<T> {
        // The lock is gone before `make` runs, which is the code of a runtime.
        let spare = self.lock().take();
        Deadline {
            at,
            timer: Some(spare.unwrap_or_else(make)),
            spare: self.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ready when its time has come.
///
/// # Cancel safety
/// Dropping it has no effect.
pub struct Deadline<T: Timer> {
    at: Time,
    /// Until it is dropped.
    timer: Option<T>,
    spare: SpareTimer<T>,
}

impl<T: Timer> Deadline<T> {
    /// Is ready at another time. It has to be polled after that.
    pub fn reset(&mut self, at: Time) {
        self.at = at;
    }
}

impl<T: Timer + Unpin> Future for Deadline<T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let at = self.at;
        match &mut self.timer {
            Some(timer) => timer.poll(cx, Some(at)),
            None => Poll::Pending,
        }
    }
}

impl<T: Timer> Drop for Deadline<T> {
    fn drop(&mut self) {
        let timer = self.timer.take();
        // Another one may be there: it goes, outside of the lock.
        let other = core::mem::replace(&mut *self.spare.lock(), timer);
        drop(other);
    }
}

impl<T> Clone for SpareTimer<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for SpareTimer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpareTimer").finish_non_exhaustive()
    }
}

impl<T: Timer> fmt::Debug for Deadline<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deadline").field("at", &self.at).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::cell::Cell;
    use core::task::Waker;
    use core::time::Duration;

    /// A timer with a name, whose clock is set by hand.
    struct Named<'a>(&'a Cell<u64>, u32);

    impl Timer for Named<'_> {
        fn now(&self) -> Time {
            at(self.0.get())
        }

        fn poll(&mut self, _: &mut Context<'_>, deadline: Option<Time>) -> Poll<()> {
            match deadline {
                Some(deadline) if deadline <= self.now() => Poll::Ready(()),
                _ => Poll::Pending,
            }
        }
    }

    fn at(seconds: u64) -> Time {
        Time::ORIGIN + Duration::from_secs(seconds)
    }

    fn name(deadline: &Deadline<Named<'_>>) -> Option<u32> {
        deadline.timer.as_ref().map(|timer| timer.1)
    }

    #[test]
    fn the_timer_of_one_deadline_serves_the_next() {
        let clock = Cell::new(0);
        let (spare, made) = (SpareTimer::new(Named(&clock, 0)), Cell::new(0));
        let make = || {
            made.set(made.get() + 1);
            Named(&clock, made.get())
        };
        for second in 1..4 {
            assert_eq!(name(&spare.deadline(at(second), make)), Some(0));
        }
        let (first, second) = (spare.deadline(at(1), make), spare.deadline(at(1), make));
        assert_eq!((name(&first), name(&second)), (Some(0), Some(1)));
        drop((first, second));
        assert_eq!(name(&spare.deadline(at(1), make)), Some(1));
        assert_eq!(made.get(), 1);
    }

    #[test]
    fn a_deadline_is_ready_at_its_time_and_not_at_that_of_the_one_before() {
        let clock = Cell::new(0);
        let spare = SpareTimer::new(Named(&clock, 0));
        let make = || Named(&clock, 1);
        let cx = &mut Context::from_waker(Waker::noop());
        let mut first = spare.deadline(at(10), make);
        assert!(Pin::new(&mut first).poll(cx).is_pending());
        drop(first);
        let mut second = spare.deadline(at(20), make);
        clock.set(15);
        assert!(Pin::new(&mut second).poll(cx).is_pending());
        second.reset(at(12));
        assert!(Pin::new(&mut second).poll(cx).is_ready());
        second.reset(at(30));
        assert!(Pin::new(&mut second).poll(cx).is_pending());
    }
}
