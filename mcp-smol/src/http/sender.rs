//! The two kinds of connections that hyper has for a client.

#[cfg(feature = "http2")]
use std::error::Error;
#[cfg(feature = "http2")]
use std::future::{Future, poll_fn};
#[cfg(feature = "http2")]
use std::pin::Pin;

use http::{Request, Response, Version};
use hyper::body::Incoming;
#[cfg(feature = "http2")]
use hyper::client::conn::http2;
use hyper::client::conn::{TrySendError, http1};
use hyper::rt::{Read, Write};
use mcp_proto::handle::driver::{BoxFuture, Capacity, Connected, HttpSender, Payload, Unanswered, describe};
#[cfg(feature = "http2")]
use mcp_proto::handle::driver::{Http2Terms, Nursery, Spawner};

#[cfg(feature = "http2")]
use super::bridge::Timers;
#[cfg(feature = "http2")]
use crate::clock::Clock;

/// The side of a connection that takes requests.
pub(super) enum Sender {
    Http1(http1::SendRequest<Payload>),
    #[cfg(feature = "http2")]
    Http2(http2::SendRequest<Payload>),
}

/// Makes a connection of HTTP/1 of a stream.
pub(super) async fn http1<S>(stream: S) -> Result<Connected<Sender>, Box<str>>
where
    S: Read + Write + Unpin + Send + 'static,
{
    let handshake = http1::handshake(stream).await;
    let (sender, connection) = handshake.map_err(|error| describe(&error))?;
    Ok(Connected {
        sender: Sender::Http1(sender),
        connection: Box::pin(async { drop(connection.await) }),
        version: Version::HTTP_11,
        capacity: Capacity::one(),
    })
}

/// Makes a connection of HTTP/2 of a stream, and waits until it bears a request.
#[cfg(feature = "http2")]
pub(super) async fn http2<S>(stream: S) -> Result<Connected<Sender>, Box<str>>
where
    S: Read + Write + Unpin + Send + 'static,
{
    let (nursery, capacity, terms) = (Nursery::new(), Capacity::unknown(), Http2Terms::STANDARD);
    let handshake = http2::Builder::new(Spawning(nursery.spawner()))
        .timer(Timers::new(Clock::start()))
        .initial_max_send_streams(0)
        .initial_stream_window_size(terms.stream_window)
        .initial_connection_window_size(terms.connection_window)
        .keep_alive_interval(terms.ping_interval)
        .keep_alive_timeout(terms.ping_timeout)
        .handshake(stream)
        .await;
    let (sender, mut connection) = handshake.map_err(|error| describe(&error))?;
    let told = capacity.clone();
    let mut connection: BoxFuture<()> = Box::pin(nursery.run_out(poll_fn(move |cx| {
        let outcome = Pin::new(&mut connection).poll(cx);
        told.set(connection.current_max_send_streams());
        outcome.map(drop)
    })));
    if !capacity.known(&mut connection).await {
        return Err("the server does not speak HTTP/2".into());
    }
    Ok(Connected {
        sender: Sender::Http2(sender),
        connection,
        version: Version::HTTP_2,
        capacity,
    })
}

impl HttpSender for Sender {
    type Body = Incoming;

    fn is_ready(&self) -> bool {
        match self {
            Self::Http1(sender) => sender.is_ready(),
            #[cfg(feature = "http2")]
            Self::Http2(sender) => sender.is_ready(),
        }
    }

    fn send(&mut self, request: Request<Payload>) -> BoxFuture<Result<Response<Incoming>, Unanswered>> {
        match self {
            Self::Http1(sender) => {
                let response = sender.try_send_request(request);
                Box::pin(async { response.await.map_err(unanswered) })
            }
            #[cfg(feature = "http2")]
            Self::Http2(sender) => {
                let copy = request.clone();
                let response = sender.try_send_request(request);
                Box::pin(async {
                    response.await.map_err(|error| match is_refused(error.error()) {
                        true => Unanswered::Refused(Box::new(copy), describe(error.error())),
                        false => unanswered(error),
                    })
                })
            }
        }
    }
}

fn unanswered(mut error: TrySendError<Request<Payload>>) -> Unanswered {
    let why = describe(error.error());
    match error.take_message() {
        Some(request) => Unanswered::Unsent(Box::new(request), why),
        None => Unanswered::Broken(why),
    }
}

/// Whether a server says that it has not processed a request: by a stream that it refuses, or by a GOAWAY, which h2
/// reports for streams past the last one that it names.
#[cfg(feature = "http2")]
fn is_refused(error: &hyper::Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<h2::Error>());
    cause.is_some_and(|cause| {
        let is_refusal = cause.is_go_away() || cause.reason() == Some(h2::Reason::REFUSED_STREAM);
        cause.is_remote() && is_refusal
    })
}

/// Has what hyper spawns polled with its connection.
#[cfg(feature = "http2")]
#[derive(Clone)]
struct Spawning(Spawner);

#[cfg(feature = "http2")]
impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Spawning {
    fn execute(&self, future: F) {
        self.0.spawn(future);
    }
}
