//! Where a client's exchanges go, and what they carry besides the protocol's own headers.

use alloc::string::ToString;
use core::fmt;

use http::{HeaderMap, Uri};

use crate::settings::settings;
use crate::wire::url::Redacted;

settings! {
    /// Where a client's exchanges go.
    #[derive(Clone)]
    #[non_exhaustive]
    pub struct HttpClientConfig {
        /// The MCP endpoint.
        pub endpoint (with_endpoint): Uri,
        /// Headers for every request, such as `Authorization`. Those of the protocol itself win over them.
        pub headers (with_headers): HeaderMap,
        /// Whether to keep a GET stream open for what a legacy server sends on its own. Default `true`.
        pub listen (with_listen): bool,
        /// Which of the transports over HTTP to speak. Default [`HttpDialect::Any`].
        pub dialect (with_dialect): HttpDialect,
    }
}

/// Which of the transports over HTTP a client speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum HttpDialect {
    /// What the server speaks: Streamable HTTP, and HTTP+SSE where the server refuses the `initialize` of Streamable HTTP
    /// with 400, 404 or 405 and a GET opens such a stream (2025-11-25, Transports, Backwards Compatibility).
    #[default]
    Any,
    /// Streamable HTTP alone.
    Streamable,
    /// HTTP+SSE of 2024-11-05 alone: a GET opens its stream at once, and nothing is asked before. It belongs to the legacy
    /// era, and so does a client that is to find out the era by itself. The transport is deprecated since 2025-03-26;
    /// Streamable HTTP takes its place.
    HttpSse,
}

impl HttpClientConfig {
    /// The endpoint, and nothing besides.
    pub fn new(endpoint: Uri) -> Self {
        Self {
            endpoint,
            headers: HeaderMap::new(),
            listen: true,
            dialect: HttpDialect::Any,
        }
    }
}

/// Shows the names of the headers only, and the endpoint without user information and query: the rest may be secret.
impl fmt::Debug for HttpClientConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: alloc::vec::Vec<_> = self.headers.keys().collect();
        f.debug_struct("HttpClientConfig")
            .field("endpoint", &Redacted(&self.endpoint.to_string()))
            .field("headers", &names)
            .field("listen", &self.listen)
            .field("dialect", &self.dialect)
            .finish()
    }
}
