//! How long single polls hold the thread.
//!
//! An executor gets its thread back when a poll returns, and not before: the longest poll is the longest time that a
//! future can keep everybody else waiting. It is measured as time on a processor, which does not count what a busy
//! machine takes away meanwhile.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body::{Body, Frame, SizeHint};
use rustix::time::{ClockId, clock_gettime};

/// The longest poll of all futures that are watched, in nanoseconds. Clones are one.
#[derive(Clone, Default)]
pub(crate) struct Polls {
    longest: Arc<AtomicU64>,
}

impl Polls {
    /// The same future or body, each of its polls measured.
    pub(crate) fn watch<T>(&self, inner: T) -> Watched<T> {
        Watched {
            inner: Box::pin(inner),
            polls: self.clone(),
        }
    }

    /// The longest poll since this was asked last.
    pub(crate) fn take_longest(&self) -> Duration {
        Duration::from_nanos(self.longest.swap(0, Ordering::Relaxed))
    }

    fn measure<T>(&self, poll: impl FnOnce() -> T) -> T {
        let began = time_on_processor();
        let value = poll();
        let took = time_on_processor().saturating_sub(began);
        self.longest.fetch_max(took.as_nanos() as u64, Ordering::Relaxed);
        value
    }
}

/// How long this thread has been on a processor in all.
fn time_on_processor() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

/// A future or the body of a response whose polls are measured.
pub(crate) struct Watched<T> {
    inner: Pin<Box<T>>,
    polls: Polls,
}

impl<F: Future> Future for Watched<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.get_mut();
        this.polls.measure(|| this.inner.as_mut().poll(cx))
    }
}

impl<B: Body> Body for Watched<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.get_mut();
        this.polls.measure(|| this.inner.as_mut().poll_frame(cx))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
