//! The HTTP client: connections for the driver that the core has.

use std::future::Future;
use std::sync::Arc;

#[cfg(feature = "tls")]
use futures_rustls::TlsConnector;
use hyper::rt::{Read, Write};
use mcp_driver::ConnectError;
use mcp_driver::http::{
    BoxFuture, Connected, HttpAbilities, HttpConnector, HttpDriver, HttpOptions, Origin, Stall, describe,
};
use mcp_proto::client::ClientConfig;
use mcp_proto::handle::Client;

use super::bridge::Bridge;
use super::dial::dial;
use super::sender::{Sender, http1};
use crate::clock::{Clock, Timer, within};
#[cfg(feature = "tls")]
use crate::tls;

const ABILITIES: HttpAbilities = HttpAbilities {
    tls: cfg!(feature = "tls"),
    http2: cfg!(feature = "http2"),
};

/// A client of the endpoint `url`, and the future that drives it: every exchange and every connection of the
/// client in one, for those who poll or spawn it themselves.
///
/// # Errors
/// [`ConnectError::InvalidUrl`], [`ConnectError::UnsupportedScheme`] and [`ConnectError::UnsupportedVersion`].
///
/// # Cancel safety
/// Dropping the future closes all its connections at once, and resolves what waits for an answer as closed.
/// It may be polled on any executor.
pub fn client_over_http(
    url: &str,
    config: ClientConfig,
    options: &HttpOptions,
) -> Result<(Client, impl Future<Output = ()> + Send + use<>), ConnectError> {
    let endpoint = options.endpoint(url, ABILITIES)?;
    let connector = Connector {
        #[cfg(feature = "tls")]
        tls: (endpoint.scheme_str() == Some("https")).then(|| tls::of(options).into()),
        options: Arc::new(options.clone()),
    };
    let (client, pump) = Client::over_http(config, &options.to_config(endpoint));
    let timer = Timer::new(Clock::start());
    let driver = HttpDriver::new(pump, connector, timer, options.idle_timeout);
    Ok((client, driver.max_connections(options.max_connections)))
}

/// A stream as hyper wants it. How long a server may take nothing is for the calls to say.
fn bridge<S>(stream: S) -> Bridge<S> {
    Bridge::new(stream, Stall::new(Timer::new(Clock::start()), None))
}

#[derive(Clone)]
struct Connector {
    options: Arc<HttpOptions>,
    #[cfg(feature = "tls")]
    tls: Option<TlsConnector>,
}

impl HttpConnector for Connector {
    type Sender = Sender;

    fn connect(&self, origin: &Origin) -> BoxFuture<Result<Connected<Sender>, Box<str>>> {
        let (origin, connector) = (origin.clone(), self.clone());
        Box::pin(async move {
            let most = connector.options.connect_timeout;
            let connected = within(most, connector.handshake(&origin)).await;
            connected.unwrap_or_else(|| Err(format!("no connection within {most:?}").into()))
        })
    }

    fn expected_capacity(&self, origin: &Origin) -> usize {
        self.options.expected_capacity(origin.is_secure(), ABILITIES)
    }
}

impl Connector {
    async fn handshake(&self, origin: &Origin) -> Result<Connected<Sender>, Box<str>> {
        let stream = dial(origin, self.options.connect_timeout)
            .await
            .map_err(|error| describe(&error))?;
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            let name = origin.host().to_owned().try_into();
            let name = name.map_err(|_| "no name or address that a certificate could have")?;
            let stream = tls.connect(name, stream).await.map_err(|error| describe(&error))?;
            let chosen = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            return self.talk(bridge(stream), chosen).await;
        }
        self.talk(bridge(stream), false).await
    }

    /// Speaks HTTP/2 where that was `chosen`, or asked for.
    async fn talk<S>(&self, stream: S, chosen: bool) -> Result<Connected<Sender>, Box<str>>
    where
        S: Read + Write + Unpin + Send + 'static,
    {
        #[cfg(feature = "http2")]
        if chosen || self.options.versions == mcp_driver::http::HttpVersions::Http2 {
            return super::http2::connect(stream).await;
        }
        let _ = chosen;
        http1(stream).await
    }
}
