//! The HTTP client: connections for the driver that the core has.

use std::future::Future;
use std::time::Duration;

use http::{Request, Response, Uri, Version};
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1};
use hyper_util::rt::TokioIo;
use mcp_proto::client::ClientConfig;
use mcp_proto::handle::Client;
use mcp_proto::handle::driver::{
    BoxFuture, Connected, HttpConnector, HttpDriver, HttpOptions, HttpSender, Origin, Payload, Unanswered, describe,
};
use mcp_proto::http::client::ExchangeError;
use tokio::task::coop;
use tokio::time::timeout;

use super::dial::dial;
use crate::clock::{Clock, Timer};
use crate::error::ConnectError;

/// A client of the endpoint `url`, and the future that drives it: every exchange and every connection of the
/// client in one, for those who poll or spawn it themselves.
///
/// # Errors
/// [`ConnectError::InvalidUrl`] and [`ConnectError::UnsupportedScheme`].
///
/// # Cancel safety
/// Dropping the future closes all its connections at once, and resolves what waits for an answer as closed.
/// It has to be polled on a tokio runtime with IO and time.
pub fn client_over_http(
    url: &str,
    config: ClientConfig,
    options: &HttpOptions,
) -> Result<(Client, impl Future<Output = ()> + Send + use<>), ConnectError> {
    let (client, pump) = Client::over_http(config, &options.to_config(endpoint(url)?));
    let connector = Connector {
        connect_timeout: options.connect_timeout,
    };
    let timer = Timer::new(Clock::start());
    Ok((client, HttpDriver::new(pump, connector, timer, options.idle_timeout)))
}

fn endpoint(url: &str) -> Result<Uri, ConnectError> {
    let uri: Uri = url.parse().map_err(|_| ConnectError::InvalidUrl)?;
    match uri.scheme_str() {
        Some("http") => Ok(uri),
        Some(scheme) => Err(ConnectError::UnsupportedScheme(scheme.into())),
        None => Err(ConnectError::InvalidUrl),
    }
}

struct Connector {
    connect_timeout: Duration,
}

impl HttpConnector for Connector {
    type Sender = Sender;

    fn connect(&self, origin: &Origin) -> BoxFuture<Result<Connected<Sender>, ExchangeError>> {
        let (origin, most) = (origin.clone(), self.connect_timeout);
        Box::pin(async move {
            let connected = timeout(most, connect(&origin, most)).await;
            let connected = connected.unwrap_or_else(|_| Err(format!("no connection within {most:?}").into()));
            connected.map_err(|why| ExchangeError::Unreachable(format!("{}: {why}", origin.host()).into()))
        })
    }

    fn has_budget(&self) -> bool {
        coop::has_budget_remaining()
    }
}

async fn connect(origin: &Origin, most: Duration) -> Result<Connected<Sender>, Box<str>> {
    let stream = dial(origin, most).await.map_err(|error| describe(&error))?;
    let handshake = http1::handshake(TokioIo::new(stream)).await;
    let (sender, connection) = handshake.map_err(|error| describe(&error))?;
    let connection = async { drop(connection.await) };
    Ok((Sender(sender), Box::pin(connection)))
}

struct Sender(http1::SendRequest<Payload>);

impl HttpSender for Sender {
    type Body = Incoming;

    fn version(&self) -> Version {
        Version::HTTP_11
    }

    fn capacity(&self) -> usize {
        1
    }

    fn is_ready(&self) -> bool {
        self.0.is_ready()
    }

    fn send(&mut self, request: Request<Payload>) -> BoxFuture<Result<Response<Incoming>, Unanswered>> {
        let response = self.0.try_send_request(request);
        Box::pin(async { response.await.map_err(unanswered) })
    }
}

fn unanswered(mut error: TrySendError<Request<Payload>>) -> Unanswered {
    Unanswered {
        request: error.take_message().map(Box::new),
        why: describe(error.error()),
    }
}
