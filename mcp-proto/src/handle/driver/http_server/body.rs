//! The body of a response.

use core::convert::Infallible;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::handle::driver::Timer;
use crate::handle::server::http::Exchange;

/// The body of a response: bytes that are there, or what an exchange goes on to say. `T` is the timer of the runtime.
///
/// Where the whole is known, so is its length, and an HTTP library can write it together with the head.
///
/// # On drop
/// The client has gone; see [`Exchange`].
#[derive(Debug)]
pub struct ResponseBody<T>(Content<T>);

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "the large variant is the usual one")]
enum Content<T> {
    Whole(Bytes),
    Exchange { exchange: Exchange, timer: T },
}

impl<T: Timer> ResponseBody<T> {
    pub(super) fn new(exchange: Exchange, timer: T) -> Self {
        Self(Content::Exchange { exchange, timer })
    }

    pub(super) fn whole(bytes: Bytes) -> Self {
        Self(Content::Whole(bytes))
    }
}

impl<T: Timer + Unpin> Body for ResponseBody<T> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut self.0 {
            Content::Whole(bytes) => {
                let bytes = core::mem::take(bytes);
                Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
            }
            Content::Exchange { exchange, timer } => loop {
                if let Poll::Ready(frame) = exchange.poll_frame(cx, timer.now()) {
                    return Poll::Ready(frame.map(|bytes| Ok(Frame::data(bytes))));
                }
                ready!(timer.poll(cx, exchange.poll_timeout()));
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        self.size_hint().exact() == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        let length = match &self.0 {
            Content::Whole(bytes) => Some(bytes.len()),
            Content::Exchange { exchange, .. } => exchange.body_length(),
        };
        length.map_or_else(SizeHint::default, |length| SizeHint::with_exact(length as u64))
    }
}
