//! The two kinds of connections that hyper has for a client.

use std::future::{Future, poll_fn};
use std::pin::Pin;

use http::{Request, Response, Version};
use hyper::body::Incoming;
#[cfg(feature = "http2")]
use hyper::client::conn::http2;
use hyper::client::conn::{TrySendError, http1};
use hyper::rt::{Read, Write};

use super::capacity::Capacity;
use super::connector::{BoxFuture, Connected, HttpSender, Unanswered, describe};
use super::payload::Payload;
use super::tap::{Look, Watch, tap};

/// The side of a connection that takes requests, and what is seen of its bytes.
pub(super) enum Sender {
    Http1(http1::SendRequest<Payload>, Watch),
    #[cfg(feature = "http2")]
    Http2(http2::SendRequest<Payload>, Watch),
}

/// Makes a connection of HTTP/1 of a stream.
pub(super) async fn http1<S>(stream: S, look: Look<S>) -> Result<Connected<Sender>, Box<str>>
where
    S: Read + Write + Unpin + Send + 'static,
{
    let (stream, watch) = tap(stream, look);
    let handshake = http1::handshake(stream).await;
    let (sender, mut connection) = handshake.map_err(|error| describe(&error))?;
    let turns = watch.gauge.clone();
    let connection = poll_fn(move |cx| {
        turns.begin_turn();
        Pin::new(&mut connection).poll(cx).map(drop)
    });
    Ok(Connected {
        sender: Sender::Http1(sender, watch),
        connection: Box::pin(connection),
        version: Version::HTTP_11,
        capacity: Capacity::one(),
    })
}

impl HttpSender for Sender {
    type Body = Incoming;

    fn is_ready(&self) -> bool {
        match self {
            Self::Http1(sender, _) => sender.is_ready(),
            #[cfg(feature = "http2")]
            Self::Http2(sender, _) => sender.is_ready(),
        }
    }

    fn is_alive(&self) -> bool {
        match self {
            // Nothing may come before it is asked for: what does says that the connection is closed, or is about to be.
            Self::Http1(_, watch) => watch.look().is_none(),
            // Other frames may come at any time.
            #[cfg(feature = "http2")]
            Self::Http2(_, watch) => watch.look() != Some(0),
        }
    }

    fn send(&mut self, request: Request<Payload>) -> BoxFuture<Result<Response<Incoming>, Unanswered>> {
        match self {
            Self::Http1(sender, watch) => {
                let response = sender.try_send_request(request);
                let (gauge, before) = (watch.gauge.clone(), watch.gauge.came());
                // Before anything is polled: whatever comes from now on belongs to the head.
                gauge.await_head();
                Box::pin(async move {
                    let response = response.await;
                    gauge.has_head();
                    response.map_err(|error| unanswered(error, gauge.came() == before))
                })
            }
            #[cfg(feature = "http2")]
            Self::Http2(sender, watch) => {
                let (gauge, before) = (watch.gauge.clone(), watch.gauge.came());
                // Hyper does not give back what it has sent; head and body are shared.
                let copy = request.clone();
                let response = sender.try_send_request(request);
                Box::pin(async move {
                    response.await.map_err(|error| match is_refused(error.error()) {
                        true => Unanswered::Refused(Box::new(copy), describe(error.error())),
                        // That the end was read counts as something that came.
                        false => {
                            let is_silent = gauge.came().wrapping_sub(before) <= 1;
                            let is_cut = is_cut(error.error());
                            unanswered(error, is_silent && is_cut)
                        }
                    })
                })
            }
        }
    }
}

/// Why there is no response, of which nothing has come where `is_silent`.
fn unanswered(mut error: TrySendError<Request<Payload>>, is_silent: bool) -> Unanswered {
    let why = describe(error.error());
    match error.take_message() {
        Some(request) => Unanswered::Unsent(Box::new(request), why),
        None if is_silent => Unanswered::Silent(why),
        None => Unanswered::Broken(why),
    }
}

/// Whether the whole connection is gone, and not the stream of one request.
#[cfg(feature = "http2")]
fn is_cut(error: &hyper::Error) -> bool {
    let cause = core::error::Error::source(error).and_then(|cause| cause.downcast_ref::<h2::Error>());
    cause.is_none_or(h2::Error::is_io)
}

/// Whether a server says that it has not processed a request: by a stream that it refuses, or by a GOAWAY, which h2
/// reports for streams past the last one that it names.
#[cfg(feature = "http2")]
fn is_refused(error: &hyper::Error) -> bool {
    let cause = core::error::Error::source(error).and_then(|cause| cause.downcast_ref::<h2::Error>());
    cause.is_some_and(|cause| {
        let is_refusal = cause.is_go_away() || cause.reason() == Some(h2::Reason::REFUSED_STREAM);
        cause.is_remote() && is_refusal
    })
}
