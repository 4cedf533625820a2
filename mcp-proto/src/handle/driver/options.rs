//! What an application says about an HTTP client, beside the protocol.

use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use http::{HeaderMap, Uri};

use crate::http::client::HttpClientConfig;

/// What an HTTP client does on its own account.
#[derive(Clone)]
pub struct HttpOptions {
    /// Headers for every request, such as `Authorization`. Those of the protocol win over them.
    pub headers: HeaderMap,
    /// Whether to keep a stream open for what a legacy server sends on its own. Default `true`.
    pub listen: bool,
    /// How long making a connection may take, the look-up of the name included. Default 10 seconds.
    pub connect_timeout: Duration,
    /// How long a connection without a request is kept. Default 90 seconds.
    pub idle_timeout: Duration,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            headers: HeaderMap::new(),
            listen: true,
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(90),
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
            .finish()
    }
}
