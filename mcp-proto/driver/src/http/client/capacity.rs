//! What is special about connections of HTTP/2: they bear many requests, as many as the server says.

use alloc::sync::Arc;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::Poll;
use core::time::Duration;

/// The terms on which a client speaks HTTP/2.
///
/// Responses that are not read must not keep others from being read: the window of the connection is as large as can
/// be, and bears the windows of as many streams as are ever opened.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Http2Terms {
    /// How much of a response may be on its way before it is read, in bytes: 1 MiB.
    pub stream_window: u32,
    /// How much of all responses may be, in bytes: 2 GiB less one, the most that there is.
    pub connection_window: u32,
    /// How often a server is asked whether it is there, while a request waits for its response: every 20 seconds.
    pub ping_interval: Duration,
    /// How long it may take to answer that: 20 seconds.
    pub ping_timeout: Duration,
}

impl Http2Terms {
    /// The terms.
    pub const STANDARD: Self = Self {
        stream_window: 1 << 20,
        connection_window: (1 << 31) - 1,
        ping_interval: Duration::from_secs(20),
        ping_timeout: Duration::from_secs(20),
    };

    /// How many requests are in progress at once on one connection, if the server allows them: one more might have to
    /// wait for others to be read.
    const MOST: usize = (Self::STANDARD.connection_window / Self::STANDARD.stream_window) as usize;
}

/// How many requests at once a connection bears: of HTTP/2, none until the server has said. Clones are one.
#[derive(Clone, Debug, Default)]
pub struct Capacity(Arc<AtomicUsize>);

impl Capacity {
    /// The word of the server is not known.
    #[must_use]
    pub fn unknown() -> Self {
        Self::default()
    }

    /// One at a time, as with HTTP/1.
    #[must_use]
    pub fn one() -> Self {
        Self(Arc::new(AtomicUsize::new(1)))
    }

    /// The server allows so many.
    pub fn set(&self, allowed: usize) {
        self.0.store(allowed.min(Http2Terms::MOST), Ordering::Relaxed);
    }

    /// How many there may be.
    #[must_use]
    pub fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Drives a new connection until it bears a request. `false` where it ends before.
    pub async fn known(&self, connection: &mut (impl Future<Output = ()> + Unpin)) -> bool {
        poll_fn(|cx| {
            // Nobody else polls it yet, and what the server says comes through it.
            if Pin::new(&mut *connection).poll(cx).is_ready() {
                return Poll::Ready(false);
            }
            if self.get() > 0 {
                Poll::Ready(true)
            } else {
                Poll::Pending
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::BoxFuture;
    use alloc::boxed::Box;
    use core::future::{pending, ready};
    use core::pin::pin;
    use core::task::{Context, Waker};

    fn poll_known(capacity: &Capacity, connection: &mut BoxFuture<()>) -> Poll<bool> {
        pin!(capacity.known(connection)).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn the_word_of_the_server_counts_as_far_as_windows_reach() {
        let capacity = Capacity::unknown();
        for (allowed, known) in [(0, 0), (1, 1), (100, 100), (usize::MAX, 2047)] {
            capacity.clone().set(allowed);
            assert_eq!(capacity.get(), known);
        }
    }

    #[test]
    fn a_connection_is_known_to_bear_a_request_or_ends() {
        let (capacity, mut connection): (_, BoxFuture<()>) = (Capacity::unknown(), Box::pin(pending()));
        assert_eq!(poll_known(&capacity, &mut connection), Poll::Pending);
        capacity.set(1);
        assert_eq!(poll_known(&capacity, &mut connection), Poll::Ready(true));
        assert_eq!(
            poll_known(&Capacity::unknown(), &mut { Box::pin(ready(())) as BoxFuture<()> }),
            Poll::Ready(false)
        );
    }
}
