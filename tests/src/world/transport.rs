//! What is between a client and its server.

use std::os::unix::net::UnixStream;
use std::sync::Arc;

use http::Request;
use http_body_util::{BodyExt, Full};
use mcp_proto::client::ClientConfig;
use mcp_proto::handle::{Client, Server};
use mcp_proto::http::server::HttpConfig;

use super::wire::{Tapped, Wire};
use crate::runtime::{Address, AnyPump, Runtime, Site, Task, listen, listen_unix};

/// One way from a client to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transport {
    /// In memory, tapped.
    Memory,
    /// A socket pair, tapped.
    Pipe,
    /// A Unix socket that the adapter listens on.
    Unix,
    /// A TCP port that the adapter listens on, without HTTP.
    Tcp,
    /// The adapter's service, mounted in a site that hyper serves; tapped.
    Mounted,
    /// HTTP as the adapter serves it.
    Http,
    /// The same in HTTP/2: all requests on one connection, as far as its streams go.
    Http2,
}

impl Transport {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Memory,
        Self::Pipe,
        Self::Unix,
        Self::Tcp,
        Self::Mounted,
        Self::Http,
        Self::Http2,
    ];

    /// Those where [`Wire`] sees what the server receives.
    pub const TAPPED: [Self; 3] = [Self::Memory, Self::Pipe, Self::Mounted];

    /// Those of one connection, on which the server ends with its client.
    pub const STREAMS: [Self; 2] = [Self::Memory, Self::Pipe];

    /// Those with an address.
    pub const ACROSS: [Self; 5] = [Self::Unix, Self::Tcp, Self::Mounted, Self::Http, Self::Http2];

    /// Those over HTTP.
    pub const HTTP: [Self; 3] = [Self::Mounted, Self::Http, Self::Http2];

    /// Whether it is HTTP.
    pub fn is_http(self) -> bool {
        Self::HTTP.contains(&self)
    }

    /// Whether a server is found at an address, by any number of clients.
    pub fn has_address(self) -> bool {
        !Self::STREAMS.contains(&self)
    }

    /// Starts `server`, and the one client that it has.
    ///
    /// # Panics
    /// Where the system does not allow it, and for a transport with an address.
    pub fn join(self, runtime: &dyn Runtime, server: &Server, wire: &Wire, config: ClientConfig) -> (Client, Task) {
        match self {
            Self::Memory => {
                let (client, pump) = Client::over_stream(config);
                let server = AnyPump::new(Tapped::new(server.pump(), wire.clone()));
                let joined = runtime.join(AnyPump::new(pump), server);
                (client, runtime.start(joined))
            }
            Self::Pipe => {
                let (near, far) = UnixStream::pair().expect("a pair");
                let server = AnyPump::new(Tapped::new(server.pump(), wire.clone()));
                let serving = runtime.drive(server, far).expect("a server");
                let (client, driver) = runtime.client_over(near, config).expect("a client");
                runtime.spawn(Box::pin(async { drop(driver.await) }));
                (client, runtime.start(async { drop(serving.await) }))
            }
            _ => panic!("{self:?} has an address"),
        }
    }

    /// Starts `server` where others find it.
    ///
    /// # Panics
    /// Where the system does not allow it, and for a transport without an address.
    pub fn serve(self, runtime: &dyn Runtime, server: &Server, wire: &Wire) -> (Address, Task) {
        match self {
            Self::Memory | Self::Pipe => panic!("{self:?} has no address"),
            Self::Unix => {
                let (listener, path) = listen_unix();
                let serving = runtime.serve_unix(listener, server);
                (Address::Unix(path), serving.expect("a server"))
            }
            Self::Mounted => {
                let (listener, url) = listen();
                let (service, beside) = runtime.service(server, HttpConfig::default());
                let serving = runtime.serve_site(listener, tapped(service, wire), beside);
                (Address::Http(url), serving.expect("a server"))
            }
            Self::Tcp => {
                let (listener, _) = listen();
                let address = listener.local_addr().expect("an address");
                let serving = runtime.serve_tcp(listener, server);
                (Address::Tcp(address), serving.expect("a server"))
            }
            Self::Http | Self::Http2 => {
                let (listener, url) = listen();
                let serving = runtime.serve_http(listener, server, Box::pin(std::future::pending()));
                let address = match self {
                    Self::Http2 => Address::Http2(url),
                    _ => Address::Http(url),
                };
                (address, serving.expect("a server"))
            }
        }
    }
}

/// A site that keeps what it is asked.
pub fn tapped(site: Site, wire: &Wire) -> Site {
    let (site, wire) = (Arc::new(site), wire.clone());
    Site::new(move |request| {
        let (site, wire) = (Arc::clone(&site), wire.clone());
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.expect("the body is here").to_bytes();
            wire.saw_request(&head, &body);
            site.answer(Request::from_parts(head, Full::new(body))).await
        })
    })
}
