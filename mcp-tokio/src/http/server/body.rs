//! The body of a response.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use mcp_proto::handle::driver::Timer as _;
use mcp_proto::handle::server::http::Exchange;

use crate::clock::{Clock, Timer};

/// The body of a response: bytes that are there, or what an exchange goes on to say.
///
/// Where the whole is known, so is its length, and hyper writes it together with the head.
#[derive(Debug)]
pub struct ResponseBody(Content);

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "the large variant is the usual one")]
enum Content {
    Whole(Bytes),
    Exchange {
        exchange: Exchange,
        clock: Clock,
        timer: Timer,
    },
}

impl ResponseBody {
    pub(super) fn new(exchange: Exchange, clock: Clock) -> Self {
        Self(Content::Exchange {
            exchange,
            clock,
            timer: Timer::new(clock),
        })
    }

    pub(super) fn whole(bytes: Bytes) -> Self {
        Self(Content::Whole(bytes))
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut self.0 {
            Content::Whole(bytes) => {
                let bytes = std::mem::take(bytes);
                Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
            }
            Content::Exchange { exchange, clock, timer } => loop {
                if let Poll::Ready(frame) = exchange.poll_frame(cx, clock.now()) {
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
