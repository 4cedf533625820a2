//! What an application says about an HTTP client, beside the protocol.

use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use http::{Extensions, HeaderMap, Uri};

use crate::http::client::HttpClientConfig;

/// How many requests a connection of HTTP/2 bears, if nothing is known: the least that RFC 9113, 6.5.2, recommends.
const EXPECTED_STREAMS: usize = 100;

/// Which HTTP a client speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpVersions {
    /// HTTP/2 where the server chooses it in the handshake of TLS; HTTP/1 everywhere else.
    #[default]
    Negotiated,
    /// HTTP/1 alone.
    Http1,
    /// HTTP/2 alone, without TLS from the first byte on: the server is known to speak it.
    Http2,
}

impl HttpVersions {
    /// How many requests a connection is expected to bear before the server has said; HTTP/2 may be `negotiable`.
    #[must_use]
    pub fn expected_capacity(self, negotiable: bool) -> usize {
        match self {
            Self::Http2 => EXPECTED_STREAMS,
            Self::Negotiated if negotiable => EXPECTED_STREAMS,
            Self::Negotiated | Self::Http1 => 1,
        }
    }
}

/// What an HTTP client does on its own account.
#[derive(Clone)]
pub struct HttpOptions {
    /// Headers for every request, such as `Authorization`. Those of the protocol win over them.
    pub headers: HeaderMap,
    /// Whether to keep a stream open for what a legacy server sends on its own. Default `true`.
    pub listen: bool,
    /// How long making a connection may take, from the look-up of the name to the end of all
    /// handshakes. Default 10 seconds.
    pub connect_timeout: Duration,
    /// How long a connection without a request is kept. Default 90 seconds.
    pub idle_timeout: Duration,
    /// Which HTTP to speak. Default `Negotiated`.
    pub versions: HttpVersions,
    /// What an adapter knows beside: a TLS configuration is put here by its `tls::with_config`.
    pub extensions: Extensions,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            headers: HeaderMap::new(),
            listen: true,
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(90),
            versions: HttpVersions::default(),
            extensions: Extensions::new(),
        }
    }
}

impl HttpOptions {
    /// What of this concerns the protocol, for the endpoint at `endpoint`.
    #[must_use]
    pub fn to_config(&self, endpoint: Uri) -> HttpClientConfig {
        let mut config = HttpClientConfig::new(endpoint);
        config.headers.clone_from(&self.headers);
        config.listen = self.listen;
        config
    }
}

/// Shows the names of the headers only: their values may be secrets.
impl fmt::Debug for HttpOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.keys().collect();
        f.debug_struct("HttpOptions")
            .field("headers", &names)
            .field("listen", &self.listen)
            .field("connect_timeout", &self.connect_timeout)
            .field("idle_timeout", &self.idle_timeout)
            .field("versions", &self.versions)
            .finish_non_exhaustive()
    }
}
