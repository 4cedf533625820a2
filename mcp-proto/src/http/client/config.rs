//! Where a client's exchanges go, and what they carry besides the protocol's own headers.

use core::fmt;

use http::{HeaderMap, Uri};

/// Where a client's exchanges go.
#[derive(Clone)]
pub struct HttpClientConfig {
    /// The MCP endpoint.
    pub endpoint: Uri,
    /// Headers for every request, such as `Authorization`. Those of the protocol itself win over them.
    pub headers: HeaderMap,
    /// Whether to keep a GET stream open for what a legacy server sends on its own. Default `true`.
    pub listen: bool,
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

/// Shows the names of the headers only: their values may be secrets.
impl fmt::Debug for HttpClientConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: alloc::vec::Vec<_> = self.headers.keys().collect();
        f.debug_struct("HttpClientConfig")
            .field("endpoint", &self.endpoint)
            .field("headers", &names)
            .field("listen", &self.listen)
            .finish()
    }
}
