//! The requests of one connection that carries many.

use alloc::sync::Arc;
use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;

use crate::handle::driver::{Timer, Watch, either, unless};

/// Counts the requests in progress on one connection of HTTP/2. Clones are one.
#[derive(Clone, Debug, Default)]
pub struct Streams(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    begun: AtomicUsize,
    over: AtomicUsize,
}

/// Counts when it is dropped.
struct Open(Arc<Counts>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.over.fetch_add(1, Ordering::Relaxed);
    }
}

impl Streams {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts `stream` from now until it is over or dropped.
    pub fn count<F: Future>(&self, stream: F) -> impl Future<Output = F::Output> + use<F> {
        self.0.begun.fetch_add(1, Ordering::Relaxed);
        let open = Open(self.0.clone());
        async move {
            let output = stream.await;
            drop(open);
            output
        }
    }

    /// How many have begun, and how many of them are over.
    fn counts(&self) -> (usize, usize) {
        let Counts { begun, over } = &*self.0;
        (begun.load(Ordering::Relaxed), over.load(Ordering::Relaxed))
    }

    /// Runs `connection`, whose streams these are, until it is over. It is told to `end` when it is time to, and when there
    /// was no request for `timeout`, or up to twice as long; after that time once more it is dropped.
    ///
    /// # Cancel safety
    /// Dropping it drops the connection.
    pub async fn run<F: Future>(
        &self,
        connection: F,
        end: impl FnOnce(Pin<&mut F>),
        closing: Watch,
        mut timer: impl Timer,
        timeout: Duration,
    ) {
        let mut connection = pin!(connection);
        let timely = either(closing, self.idle(&mut timer, timeout));
        if unless(connection.as_mut(), timely).await.is_none() {
            end(connection.as_mut());
            unless(connection, self.idle(&mut timer, timeout)).await;
        }
    }

    /// Ready when there was no request for `timeout`, or up to twice as long.
    async fn idle(&self, timer: &mut impl Timer, timeout: Duration) {
        let mut before = self.counts();
        loop {
            wait(timer, timeout).await;
            let now = self.counts();
            if now == before && now.0 == now.1 {
                return;
            }
            before = now;
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Time;
    use core::cell::Cell;
    use core::task::{Context, Poll, Waker};

    struct Fake<'a>(&'a Cell<u64>);

    impl Timer for Fake<'_> {
        fn now(&self) -> Time {
            Time::ORIGIN + Duration::from_secs(self.0.get())
        }

        fn poll(&mut self, _cx: &mut Context<'_>, deadline: Option<Time>) -> Poll<()> {
            match deadline {
                Some(at) if at <= self.now() => Poll::Ready(()),
                _ => Poll::Pending,
            }
        }
    }

    #[test]
    fn a_connection_is_idle_when_nothing_was_open_for_the_time_said() {
        let (clock, streams) = (Cell::new(0), Streams::new());
        let mut timer = Fake(&clock);
        let mut cx = Context::from_waker(Waker::noop());
        let mut idle = pin!(streams.idle(&mut timer, Duration::from_secs(10)));
        assert!(idle.as_mut().poll(&mut cx).is_pending());
        let long = streams.count(core::future::pending::<()>());
        for time in [10, 20, 30] {
            clock.set(time);
            assert!(idle.as_mut().poll(&mut cx).is_pending(), "one is open");
        }
        drop(long);
        clock.set(40);
        assert!(idle.as_mut().poll(&mut cx).is_pending(), "it was open until now");
        assert!(pin!(streams.count(async {})).poll(&mut cx).is_ready());
        clock.set(50);
        assert!(idle.as_mut().poll(&mut cx).is_pending(), "one was open meanwhile");
        clock.set(59);
        assert!(idle.as_mut().poll(&mut cx).is_pending());
        clock.set(60);
        assert!(idle.poll(&mut cx).is_ready());
    }
}
