//! What an HTTP client asks of its adapter.

use alloc::boxed::Box;
use alloc::string::ToString;
use core::error::Error;
use core::fmt::Write;
use core::future::Future;
use core::pin::Pin;

use bytes::Bytes;
use http::{Request, Response, Version};
use http_body::Body;

use super::capacity::Capacity;
use super::origin::Origin;
use super::payload::Payload;

/// A future that may be polled on any thread.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A new connection.
pub struct Connected<S> {
    /// The side that takes requests.
    pub sender: S,
    /// The side that has to be polled, until it is over.
    pub connection: BoxFuture<()>,
    /// Which form of a request it takes: for HTTP/1, the path as target, and `Host`; for HTTP/2, the whole URI.
    pub version: Version,
    /// How many requests it bears at once.
    pub capacity: Capacity,
}

/// Makes connections: what [`HttpDriver`](super::HttpDriver) asks of whoever has sockets. An adapter whose sockets
/// hyper takes implements [`Network`](crate::http::Network) instead.
///
/// # Cancel safety
/// The future of a connection is dropped when it is not wanted any more, at any point; it leaves nothing behind.
pub trait HttpConnector {
    /// The side of a connection that takes requests.
    type Sender: HttpSender;

    /// Makes a connection that bears at least one request, within a time of its own. What it gives is polled by the
    /// driver, and dropped with it.
    ///
    /// # Errors
    /// Why there is none, as a text.
    fn connect(&self, origin: &Origin) -> BoxFuture<Result<Connected<Self::Sender>, Box<str>>>;

    /// How many requests at once a connection to `origin` is expected to bear, as long as none has been made.
    fn expected_capacity(&self, origin: &Origin) -> usize {
        let _ = origin;
        1
    }

    /// Whether the runtime lets the present poll go on.
    fn has_budget(&self) -> bool {
        true
    }
}

/// The side of a connection that takes requests.
///
/// # Cancel safety
/// Dropping the future of a [`send`](Self::send) abandons its request: over HTTP/1 with the connection, over HTTP/2 with
/// its stream alone.
///
/// # On drop
/// The connection ends once its responses are complete.
pub trait HttpSender {
    /// The body of a response. Dropping it before its end gives up the rest: with the whole connection, where that
    /// bears one request at a time.
    type Body: Body<Data = Bytes, Error: Error> + Unpin;

    /// Whether it takes a request, if it bears fewer than it can.
    fn is_ready(&self) -> bool;

    /// Whether the connection, which bears nothing, is still there, as far as the system knows: the runtime may not have
    /// noticed its end, where the thread was busy with something else. Asked of one that has waited, before it is used.
    fn is_alive(&self) -> bool {
        true
    }

    /// Sends a request. Dropping the future abandons it.
    fn send(&mut self, request: Request<Payload>) -> BoxFuture<Result<Response<Self::Body>, Unanswered>>;
}

/// Why a request has no response, as a text; with the request, where the server has certainly not processed it.
#[derive(Debug)]
pub enum Unanswered {
    /// The connection was closed before anything of it was sent.
    Unsent(Box<Request<Payload>>, Box<str>),
    /// The server says that it has not processed it, nor will: over HTTP/2 by a stream that is refused, or by a last
    /// stream before it (RFC 9113, 8.7 and 6.8).
    Refused(Box<Request<Payload>>, Box<str>),
    /// Nobody knows what the server has done with it; nothing of a response has come.
    Silent(Box<str>),
    /// Nobody knows what the server has done with it.
    Broken(Box<str>),
}

/// An error with its causes, as a text.
pub fn describe(error: &dyn Error) -> Box<str> {
    let mut text = error.to_string();
    let mut cause = error.source();
    // Hyper says little, and its causes all the rest.
    while let Some(error) = cause {
        // Writing to a string does not fail.
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text.into()
}
