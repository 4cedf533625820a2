//! The body of a response over HTTP/2.

use alloc::sync::Arc;
use core::fmt;
use core::pin::Pin;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// How much of a body is given at once, in bytes: a client that takes a long one slowly is seen to take it.
const PIECE: usize = 64 << 10;

/// The streams of one connection, and what their client does not take.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) begun: AtomicUsize,
    pub(super) over: AtomicUsize,
    /// Bodies that are not asked for more, as their client has room for nothing.
    pub(super) held: AtomicUsize,
    /// How often any body was asked for more.
    pub(super) asked: AtomicUsize,
}

/// The body of a response over HTTP/2, and whether its client has room for it.
pub struct Watched<B> {
    body: B,
    /// What it gave and is not given yet.
    rest: Bytes,
    counts: Arc<Counts>,
    /// Nothing was asked for since something was given.
    is_held: bool,
}

/// Says how much is there, and not what it says.
impl<B: fmt::Debug> fmt::Debug for Watched<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched")
            .field("body", &self.body)
            .field("rest", &self.rest.len())
            .field("is_held", &self.is_held)
            .finish_non_exhaustive()
    }
}

impl<B> Watched<B> {
    /// Nothing of `body` was asked for yet.
    pub(super) fn new(body: B, counts: Arc<Counts>) -> Self {
        // Held until it is asked for: a client that never makes room for the first byte stalls as well.
        counts.held.fetch_add(1, Ordering::Relaxed);
        let (rest, is_held) = (Bytes::new(), true);
        Self {
            body,
            rest,
            counts,
            is_held,
        }
    }

    fn hold(&mut self, is_held: bool) {
        match (self.is_held, is_held) {
            (false, true) => self.counts.held.fetch_add(1, Ordering::Relaxed),
            (true, false) => self.counts.held.fetch_sub(1, Ordering::Relaxed),
            _ => return,
        };
        self.is_held = is_held;
    }
}

impl<B> Drop for Watched<B> {
    fn drop(&mut self) {
        // A stream that is reset holds nothing up any more.
        self.hold(false);
    }
}

impl<B: Body<Data = Bytes> + Unpin> Watched<B> {
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(other) => return Poll::Ready(Some(Ok(other))),
                },
                end => return Poll::Ready(end),
            }
        }
        let length = self.rest.len().min(PIECE);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(length)))))
    }
}

/// An HTTP library asks for more as soon as there is room for it.
impl<B: Body<Data = Bytes> + Unpin> Body for Watched<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        // Whatever the body has to say: that there was room for it is what counts.
        self.counts.asked.fetch_add(1, Ordering::Relaxed);
        let outcome = self.poll_piece(cx);
        self.hold(outcome.is_ready());
        outcome
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let exact = self.body.size_hint().exact();
        exact.map_or_else(SizeHint::default, |length| {
            SizeHint::with_exact(length + self.rest.len() as u64)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Payload, Streams};
    use core::task::Waker;

    #[test]
    fn a_body_is_given_in_pieces_and_its_length_is_that_of_the_whole() {
        let streams = Streams::new();
        let whole: Bytes = (0..150_000_u32).map(|n| n as u8).collect();
        let mut body = streams.watch(Payload::new(whole.clone()));
        let (mut given, mut sizes) = (alloc::vec::Vec::new(), alloc::vec::Vec::new());
        let mut cx = Context::from_waker(Waker::noop());
        assert_eq!(body.size_hint().exact(), Some(150_000));
        while !body.is_end_stream() {
            let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut body).poll_frame(&mut cx) else {
                panic!("a frame");
            };
            let piece = frame.into_data().unwrap();
            given.extend_from_slice(&piece);
            sizes.push(piece.len());
            assert_eq!(body.size_hint().exact(), Some(150_000 - given.len() as u64));
        }
        assert!(given == whole && sizes == [PIECE, PIECE, 150_000 - 2 * PIECE]);
        assert!(matches!(Pin::new(&mut body).poll_frame(&mut cx), Poll::Ready(None)));
    }
}
