//! The body of a response.

use alloc::boxed::Box;
use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use mcp_proto::handle::Timer;
use mcp_proto::handle::server::http::{CutOff, Endpoint, Exchange, Unread};
use mcp_proto::handle::server::sse::SseStream;
use mcp_proto::http::server::Holder;

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
    Large(Unread),
    Exchange(Box<Running<T>>),
    Streaming(Box<SseStream>, T),
}

/// Says how long a body is, and not what it says.
impl<T: fmt::Debug> fmt::Debug for Content<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(bytes) => write!(f, "Whole({} bytes)", bytes.len()),
            Self::Large(unread) => unread.fmt(f),
            Self::Exchange(running) => running.fmt(f),
            Self::Streaming(stream, _) => stream.fmt(f),
        }
    }
}

/// An exchange that goes on.
#[derive(Debug)]
struct Running<T> {
    exchange: Exchange,
    timer: T,
    reader: Reader,
    /// A large piece that is being taken.
    large: Option<Unread>,
}

/// Who reads a response, and where what is large waits for it.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    pub(super) endpoint: Endpoint,
    pub(super) holder: Holder,
}

/// What is larger than this is kept where it can be taken back.
const LARGE: usize = 16 << 10;

impl<T: Timer> ResponseBody<T> {
    pub(super) fn new(exchange: Exchange, timer: T, reader: Reader) -> Self {
        exchange.read_by(&reader.holder);
        Self(Content::Exchange(Box::new(Running {
            exchange,
            timer,
            reader,
            large: None,
        })))
    }

    /// The stream of a session over HTTP+SSE.
    pub(super) fn streaming(stream: Box<SseStream>, timer: T) -> Self {
        Self(Content::Streaming(stream, timer))
    }

    pub(super) fn whole(bytes: Bytes) -> Self {
        Self(Content::Whole(bytes))
    }

    /// Bytes that are there, whose reader is asked for if they are many.
    pub(super) fn answer(bytes: Bytes, reader: impl FnOnce() -> Reader) -> Self {
        if bytes.len() <= LARGE {
            return Self::whole(bytes);
        }
        let Reader { endpoint, holder } = reader();
        Self(Content::Large(endpoint.unread(holder, bytes)))
    }
}

impl<T: Timer> Running<T> {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, CutOff>>> {
        loop {
            match self.large.as_mut().and_then(Unread::take) {
                Some(piece) => return Poll::Ready(Some(piece)),
                None => self.large = None,
            }
            let frame = self.exchange.poll_frame(cx, self.timer.now());
            // Its end would say that all of it was there.
            if self.exchange.is_cut_off() {
                return Poll::Ready(Some(Err(CutOff)));
            }
            match frame {
                Poll::Ready(Some(frame)) if frame.len() > LARGE => {
                    let Reader { endpoint, holder } = &self.reader;
                    self.large = Some(endpoint.unread(holder.clone(), frame));
                    continue;
                }
                Poll::Ready(frame) => return Poll::Ready(frame.map(Ok)),
                Poll::Pending => {}
            }
            // What is over then may have something to say: a comment, that nobody between takes the stream for dead.
            ready!(self.timer.poll(cx, self.exchange.poll_timeout()));
        }
    }
}

impl<T: Timer + Unpin> Body for ResponseBody<T> {
    type Data = Bytes;
    type Error = CutOff;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        match &mut self.0 {
            Content::Whole(bytes) => {
                let bytes = core::mem::take(bytes);
                Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
            }
            Content::Large(unread) => Poll::Ready(unread.take().map(|piece| piece.map(Frame::data))),
            Content::Exchange(running) => running
                .poll_frame(cx)
                .map(|frame| frame.map(|piece| piece.map(Frame::data))),
            Content::Streaming(stream, timer) => loop {
                if let Poll::Ready(frame) = stream.poll_frame(cx, timer.now()) {
                    return Poll::Ready(frame.map(|bytes| Ok(Frame::data(bytes))));
                }
                ready!(timer.poll(cx, stream.poll_timeout()));
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        self.size_hint().exact() == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        let length = match &self.0 {
            Content::Streaming(..) => None,
            Content::Whole(bytes) => Some(bytes.len()),
            Content::Large(unread) => Some(unread.left()),
            Content::Exchange(running) => {
                let large = running.large.as_ref().map_or(0, Unread::left);
                running.exchange.body_length().map(|length| length + large)
            }
        };
        length.map_or_else(SizeHint::default, |length| SizeHint::with_exact(length as u64))
    }
}
