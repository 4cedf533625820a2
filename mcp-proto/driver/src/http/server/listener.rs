//! What a server listens on.

use core::fmt;
#[cfg(feature = "tls")]
use std::sync::Arc;

use crate::http::network::ServerTls;
#[cfg(feature = "tls")]
use crate::http::options::HttpVersions;

/// A socket that takes connections, plain or with TLS. `S` is the socket of the runtime.
#[derive(Clone)]
pub struct Listener<S> {
    pub(super) socket: S,
    pub(super) tls: Option<ServerTls>,
}

impl<S> Listener<S> {
    /// With TLS on every connection. Where `config` names no protocols for ALPN, those that are served are offered.
    #[cfg(feature = "tls")]
    pub fn tls(socket: S, mut config: Arc<rustls::ServerConfig>) -> Self {
        // Whoever names some has chosen.
        if config.alpn_protocols.is_empty() {
            let protocols = HttpVersions::Negotiated.protocols(cfg!(feature = "http2"));
            Arc::make_mut(&mut config).alpn_protocols = protocols;
        }
        let tls = Some(config);
        Self { socket, tls }
    }

    /// The socket.
    pub fn socket(&self) -> &S {
        &self.socket
    }
}

/// Without TLS.
impl<S> From<S> for Listener<S> {
    fn from(socket: S) -> Self {
        let tls = None;
        Self { socket, tls }
    }
}

impl<S: fmt::Debug> fmt::Debug for Listener<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener")
            .field("socket", &self.socket)
            .finish_non_exhaustive()
    }
}
