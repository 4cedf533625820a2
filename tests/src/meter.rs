//! How long futures hold their thread.
//!
//! The wall time of a poll tells what others on the thread have waited; its thread-CPU time does not count what a busy
//! machine has taken away meanwhile, so that it can be asserted.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// The longest polls of the futures that are watched. Clones are one meter.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<Longest>);

/// Times in nanoseconds.
#[derive(Debug, Default)]
struct Longest {
    wall: AtomicU64,
    busy: AtomicU64,
    polls: AtomicU64,
}

impl Meter {
    /// The same future, each of its polls measured.
    pub fn watch<F: Future>(&self, future: F) -> Watched<F> {
        Watched {
            future: Box::pin(future),
            meter: self.clone(),
        }
    }

    /// The longest poll by the clock of the wall.
    pub fn wall(&self) -> Duration {
        Duration::from_nanos(self.0.wall.load(Ordering::Relaxed))
    }

    /// The longest poll by the time that its thread was on a processor.
    pub fn busy(&self) -> Duration {
        Duration::from_nanos(self.0.busy.load(Ordering::Relaxed))
    }

    /// How many polls there were.
    pub fn polls(&self) -> u64 {
        self.0.polls.load(Ordering::Relaxed)
    }

    /// Forgets everything so far.
    pub fn reset(&self) {
        self.0.wall.store(0, Ordering::Relaxed);
        self.0.busy.store(0, Ordering::Relaxed);
        self.0.polls.store(0, Ordering::Relaxed);
    }

    /// Runs one poll.
    pub fn measure<T>(&self, poll: impl FnOnce() -> T) -> T {
        let (wall, busy) = (Instant::now(), thread_time());
        let value = poll();
        let (wall, busy) = (wall.elapsed(), thread_time().saturating_sub(busy));
        self.0.wall.fetch_max(wall.as_nanos() as u64, Ordering::Relaxed);
        self.0.busy.fetch_max(busy.as_nanos() as u64, Ordering::Relaxed);
        self.0.polls.fetch_add(1, Ordering::Relaxed);
        value
    }
}

/// A future whose polls are measured.
#[derive(Debug)]
pub struct Watched<F> {
    future: Pin<Box<F>>,
    meter: Meter,
}

impl<F: Future> Future for Watched<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.get_mut();
        this.meter.measure(|| this.future.as_mut().poll(cx))
    }
}

/// How long this thread has been on a processor.
fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    #[test]
    fn a_poll_that_works_is_seen_and_one_that_waits_is_not_busy() {
        let meter = Meter::default();
        smol::block_on(meter.watch(async {
            let began = Instant::now();
            while began.elapsed() < Duration::from_millis(20) {}
        }));
        assert!(meter.busy() > Duration::from_millis(2), "{:?}", meter.busy());
        meter.reset();
        smol::block_on(meter.watch(async { std::thread::sleep(Duration::from_millis(20)) }));
        assert!(meter.wall() >= Duration::from_millis(20), "{:?}", meter.wall());
        assert!(meter.busy() < Duration::from_millis(10), "{:?}", meter.busy());
        meter.reset();
        let mut turns = 0;
        smol::block_on(meter.watch(poll_fn(|cx| {
            turns += 1;
            cx.waker().wake_by_ref();
            if turns == 10 { Poll::Ready(()) } else { Poll::Pending }
        })));
        assert_eq!(meter.polls(), 10);
    }
}
