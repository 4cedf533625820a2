//! The body of a response.

use alloc::boxed::Box;
use core::convert::Infallible;
use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use mcp_proto::handle::Timer;
use mcp_proto::handle::server::http::Exchange;

/// The body of a response: bytes that are there, or what an exchange goes on to say. `T` is the timer of the runtime.
///
/// Where the whole is known, so is its length, and an HTTP library can write it together with the head.
///
/// # On drop
/// The client has gone; see [`Exchange`].
#[derive(Debug)]
pub struct ResponseBody<T>(Content<T>);

enum Content<T> {
    Whole(Bytes),
    Exchange(Box<Running<T>>),
}

/// Says how long a body is, and not what it says.
impl<T: fmt::Debug> fmt::Debug for Content<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(bytes) => write!(f, "Whole({} bytes)", bytes.len()),
            Self::Exchange(running) => running.fmt(f),
        }
    }
}

/// An exchange that goes on.
#[derive(Debug)]
struct Running<T> {
    exchange: Exchange,
    timer: T,
}

impl<T: Timer> ResponseBody<T> {
    pub(super) fn new(exchange: Exchange, timer: T) -> Self {
        Self(Content::Exchange(Box::new(Running { exchange, timer })))
    }

    pub(super) fn whole(bytes: Bytes) -> Self {
        Self(Content::Whole(bytes))
    }
}

impl<T: Timer> Running<T> {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            if let Poll::Ready(frame) = self.exchange.poll_frame(cx, self.timer.now()) {
                return Poll::Ready(frame);
            }
            // What is over then may have something to say: a comment, that nobody between takes the stream for dead.
            ready!(self.timer.poll(cx, self.exchange.poll_timeout()));
        }
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
            Content::Exchange(running) => running
                .poll_frame(cx)
                .map(|frame| frame.map(|bytes| Ok(Frame::data(bytes)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.size_hint().exact() == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        let length = match &self.0 {
            Content::Whole(bytes) => Some(bytes.len()),
            Content::Exchange(running) => running.exchange.body_length(),
        };
        length.map_or_else(SizeHint::default, |length| SizeHint::with_exact(length as u64))
    }
}
