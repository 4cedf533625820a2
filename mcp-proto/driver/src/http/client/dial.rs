//! New connections of an HTTP client.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::sync::Arc;
use core::future::Future;
use core::marker::PhantomData;
use core::time::Duration;
use std::io;

use hyper::rt::{Read, Write};
use mcp_proto::handle::client::ClientBuilder;
use mcp_proto::handle::{Client, Timer};

use super::connector::{BoxFuture, Connected, HttpConnector, describe};
use super::driver::HttpDriver;
#[cfg(feature = "http2")]
use super::http2;
use super::origin::Origin;
use super::sender::{Sender, http1};
use super::tap::Look;
use crate::http::network::Network;
#[cfg(feature = "http2")]
use crate::http::options::HttpVersions;
use crate::http::options::{HttpAbilities, HttpOptions};
#[cfg(feature = "tls")]
use crate::http::tls;
use crate::{Clock, ConnectError, within};

/// A client of the endpoint `url` over the sockets of `N`, in the time of `clock`, and the future that drives it: every
/// exchange and every connection of the client in one. `has_tls` says whether the adapter has TLS.
///
/// # Errors
/// [`ConnectError::InvalidUrl`], [`ConnectError::UnsupportedScheme`], [`ConnectError::UnsupportedVersion`],
/// [`ConnectError::TlsOverUnixSocket`] and [`ConnectError::NoUnixSockets`].
///
/// # Cancel safety
/// Dropping the future closes all its connections at once, and resolves what waits for an answer as closed.
pub fn client_over_http<N: Network, C: Clock>(
    url: &str,
    client: ClientBuilder,
    options: &HttpOptions,
    clock: C,
    has_tls: bool,
) -> Result<(Client, impl Future<Output = ()> + Send + use<N, C>), ConnectError> {
    let abilities = HttpAbilities {
        tls: has_tls,
        http2: cfg!(feature = "http2"),
    };
    let endpoint = options.endpoint(url, abilities)?;
    let connector = Connector::<N, C> {
        #[cfg(feature = "tls")]
        tls: (endpoint.scheme_str() == Some("https")).then(|| tls::of(options)),
        options: Arc::new(options.clone()),
        abilities,
        clock: clock.clone(),
        network: PhantomData,
    };
    let (client, pump) = Client::over_http(client, &options.to_config(endpoint));
    let driver = HttpDriver::new(pump, connector, clock.timer(), options.idle_timeout);
    Ok((client, driver.max_connections(options.max_connections)))
}

struct Connector<N, C> {
    options: Arc<HttpOptions>,
    abilities: HttpAbilities,
    #[cfg(feature = "tls")]
    tls: Option<Arc<rustls::ClientConfig>>,
    clock: C,
    network: PhantomData<fn() -> N>,
}

impl<N, C: Clone> Clone for Connector<N, C> {
    fn clone(&self) -> Self {
        Self {
            options: self.options.clone(),
            abilities: self.abilities,
            #[cfg(feature = "tls")]
            tls: self.tls.clone(),
            clock: self.clock.clone(),
            network: PhantomData,
        }
    }
}

impl<N: Network, C: Clock> HttpConnector for Connector<N, C> {
    type Sender = Sender;

    fn connect(&self, origin: &Origin) -> BoxFuture<Result<Connected<Sender>, Box<str>>> {
        let (origin, connector) = (origin.clone(), self.clone());
        Box::pin(async move {
            // For all of it: what comes after the socket has no time of its own.
            let most = connector.options.connect_timeout;
            let connected = within(&connector.clock, most, connector.handshake(&origin)).await;
            connected.unwrap_or_else(|| Err(format!("no connection within {most:?}").into()))
        })
    }

    fn expected_capacity(&self, origin: &Origin) -> usize {
        self.options.expected_capacity(origin.is_secure(), self.abilities)
    }

    fn has_budget(&self) -> bool {
        N::has_budget()
    }
}

impl<N: Network, C: Clock> Connector<N, C> {
    async fn handshake(&self, origin: &Origin) -> Result<Connected<Sender>, Box<str>> {
        #[cfg(unix)]
        if let Some(path) = &self.options.unix_socket {
            let stream = N::connect_local(path).await;
            let stream = stream.map_err(|error| format!("{}: {}", path.display(), describe(&error)))?;
            return self.talk(stream, N::look_local, false).await;
        }
        let stream = dial::<N, C>(origin, self.options.connect_timeout, &self.clock).await;
        let stream = stream.map_err(|error| describe(&error))?;
        #[cfg(feature = "tls")]
        if let Some(config) = &self.tls {
            let name = origin.host().to_owned().try_into();
            let name = name.map_err(|_| "no name or address that a certificate could have")?;
            let secured = N::secure_client(stream, (config.clone(), name)).await;
            let (stream, agreed) = secured.map_err(|error| describe(&error))?;
            return self.talk(stream, N::look_secure, agreed.is_http2).await;
        }
        self.talk(stream, N::look, false).await
    }

    /// Speaks HTTP/2 where that was `chosen`, or asked for.
    async fn talk<S>(&self, stream: S, look: Look<S>, chosen: bool) -> Result<Connected<Sender>, Box<str>>
    where
        S: Read + Write + Unpin + Send + 'static,
    {
        #[cfg(feature = "http2")]
        if chosen || self.options.versions == HttpVersions::Http2 {
            return http2::connect(stream, look, self.clock.clone()).await;
        }
        let _ = chosen;
        http1(stream, look).await
    }
}

/// Connects to the first address that answers. Each one gets its share of the time, so that a silent address
/// does not stand in the way of the next.
async fn dial<N: Network, C: Clock>(origin: &Origin, most: Duration, clock: &C) -> io::Result<N::Stream> {
    let timer = clock.timer();
    let until = timer.now() + most;
    let mut left: VecDeque<_> = N::resolve(origin.host(), origin.port()).await?.into();
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    while let Some(address) = left.pop_front() {
        // Of what is left: who is fast to fail leaves its share to the others.
        let share = until.since(timer.now()) / (left.len() as u32 + 1);
        match within(clock, share, N::connect(address)).await {
            Some(Ok(stream)) => return Ok(stream),
            Some(Err(error)) => last = error,
            None => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(last)
}
