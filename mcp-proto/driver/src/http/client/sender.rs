//! The two kinds of connections that hyper has for a client.

use http::{Request, Response, Version};
use hyper::body::Incoming;
#[cfg(feature = "http2")]
use hyper::client::conn::http2;
use hyper::client::conn::{TrySendError, http1};
use hyper::rt::{Read, Write};

use super::capacity::Capacity;
use super::connector::{BoxFuture, Connected, HttpSender, Unanswered, describe};
use super::payload::Payload;

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
                // Hyper does not give back what it has sent; head and body are shared.
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
    let cause = core::error::Error::source(error).and_then(|cause| cause.downcast_ref::<h2::Error>());
    cause.is_some_and(|cause| {
        let is_refusal = cause.is_go_away() || cause.reason() == Some(h2::Reason::REFUSED_STREAM);
        cause.is_remote() && is_refusal
    })
}
