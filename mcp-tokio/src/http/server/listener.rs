//! What a server listens on.

use std::fmt;
#[cfg(feature = "tls")]
use std::sync::Arc;

#[cfg(feature = "tls")]
use mcp_driver::http::HttpVersions;
#[cfg(feature = "tls")]
use rustls::ServerConfig;
use tokio::net::TcpListener;
#[cfg(feature = "tls")]
use tokio_rustls::TlsAcceptor;

/// A socket that takes connections, plain or with TLS.
pub struct Listener {
    pub(super) socket: TcpListener,
    #[cfg(feature = "tls")]
    pub(super) tls: Option<TlsAcceptor>,
}

impl Listener {
    /// With TLS on every connection. Where `config` names no protocols for ALPN, those that are served are offered.
    #[cfg(feature = "tls")]
    pub fn tls(socket: TcpListener, mut config: Arc<ServerConfig>) -> Self {
        if config.alpn_protocols.is_empty() {
            let protocols = HttpVersions::Negotiated.protocols(cfg!(feature = "http2"));
            Arc::make_mut(&mut config).alpn_protocols = protocols;
        }
        let tls = Some(TlsAcceptor::from(config));
        Self { socket, tls }
    }
}

/// Without TLS.
impl From<TcpListener> for Listener {
    fn from(socket: TcpListener) -> Self {
        Self {
            socket,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener")
            .field("socket", &self.socket)
            .finish_non_exhaustive()
    }
}
