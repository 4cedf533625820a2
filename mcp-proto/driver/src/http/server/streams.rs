//! The requests of one connection that carries many.

use alloc::sync::Arc;
use core::future::{Future, pending};
use core::pin::{Pin, pin};
use core::sync::atomic::Ordering;
use core::time::Duration;

use super::options::ServeOptions;
use super::watched::{Counts, Watched};
use crate::{Watch, either, unless, wait};
use mcp_proto::handle::Timer;

/// Counts the requests in progress on one connection of HTTP/2, and what their client does not take. Clones are one.
#[derive(Clone, Debug, Default)]
pub struct Streams(Arc<Counts>);

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
        // Now, and not with the first poll: what is spawned and not polled yet is in progress.
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
        // Looked at seconds apart: what order they are written in is of no account.
        let Counts { begun, over, .. } = &*self.0;
        (begun.load(Ordering::Relaxed), over.load(Ordering::Relaxed))
    }

    /// The body of a response, to be looked after from now on.
    pub fn watch<B>(&self, body: B) -> Watched<B> {
        Watched::new(body, self.0.clone())
    }

    /// Runs `connection`, whose streams these are, until it is over. It is told to `end` when it is time to, and when there
    /// was no request for the [header timeout](ServeOptions::header_timeout), or up to twice as long; after that time
    /// once more it is dropped. It is dropped at once where its client had room for nothing of any response for the
    /// [write timeout](ServeOptions::write_timeout), or up to twice as long.
    ///
    /// # Cancel safety
    /// Dropping it drops the connection.
    pub async fn run<F: Future, T: Timer>(
        &self,
        connection: F,
        end: impl FnOnce(Pin<&mut F>),
        closing: Watch,
        timer: impl Fn() -> T,
        options: &ServeOptions,
    ) {
        let timeout = options.header_timeout;
        let running = async {
            let (mut connection, mut timer) = (pin!(connection), timer());
            let timely = either(closing, self.idle(&mut timer, timeout));
            if unless(connection.as_mut(), timely).await.is_none() {
                // A request that crosses with it is still answered; who stays on without one is not waited for.
                end(connection.as_mut());
                unless(connection, self.idle(&mut timer, timeout)).await;
            }
        };
        unless(running, self.stalled(&mut timer(), options.write_timeout)).await;
    }

    /// Ready when there was no request for `timeout`, or up to twice as long.
    async fn idle(&self, timer: &mut impl Timer, timeout: Duration) {
        let mut before = self.counts();
        loop {
            wait(timer, timeout).await;
            let now = self.counts();
            // Equal counts alone might be one that ended and another that began.
            if now == before && now.0 == now.1 {
                return;
            }
            before = now;
        }
    }

    /// Ready when there was room for nothing of any body for `most`, or up to twice as long, though there was one.
    async fn stalled(&self, timer: &mut impl Timer, most: Option<Duration>) {
        let Some(most) = most else {
            return pending().await;
        };
        let mut before = None;
        loop {
            wait(timer, most).await;
            let is_held = self.0.held.load(Ordering::Relaxed) > 0;
            let asked = is_held.then(|| self.0.asked.load(Ordering::Relaxed));
            // Asked for once there was room: one stream that is not read is not a client that is gone.
            if asked.is_some() && asked == before {
                return;
            }
            before = asked;
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::http::Payload;
    use bytes::Bytes;
    use core::cell::Cell;
    use core::task::{Context, Poll, Waker};
    use http_body::{Body, Frame};
    use mcp_proto::Time;

    #[derive(Debug)]
    pub(crate) struct Fake<'a>(pub(crate) &'a Cell<u64>);

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

    #[test]
    fn a_connection_is_stalled_when_nothing_was_asked_for_though_something_was_given() {
        let (clock, streams) = (Cell::new(0), Streams::new());
        let mut timer = Fake(&clock);
        let mut cx = Context::from_waker(Waker::noop());
        let mut stalled = pin!(streams.stalled(&mut timer, Some(Duration::from_secs(10))));
        let mut is_stalled = |second| {
            clock.set(second);
            stalled
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_ready()
        };
        assert!(!is_stalled(0) && !is_stalled(10) && !is_stalled(20), "there is no body");
        let silent = streams.watch(Silent);
        let mut silent = pin!(silent);
        assert!(silent.as_mut().poll_frame(&mut cx).is_pending());
        assert!(!is_stalled(30) && !is_stalled(40), "it has nothing to say");
        let mut body = streams.watch(Payload::new(Bytes::from_static(b"x")));
        assert!(!is_stalled(50));
        assert!(Pin::new(&mut body).poll_frame(&mut cx).is_ready());
        assert!(!is_stalled(60), "it was asked for more");
        drop(body);
        assert!(!is_stalled(70) && !is_stalled(80), "it was taken");
        let _untaken = streams.watch(Payload::new(Bytes::from_static(b"x")));
        assert!(!is_stalled(90) && is_stalled(100));
    }

    struct Silent;

    impl Body for Silent {
        type Data = Bytes;
        type Error = core::convert::Infallible;

        fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            Poll::Pending
        }
    }
}
