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
    }
}

impl HttpClientConfig {
    /// The endpoint, and nothing besides.
    pub fn new(endpoint: Uri) -> Self {
        Self {
            endpoint,
            headers: HeaderMap::new(),
            listen: true,
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
            .finish()
    }
}
