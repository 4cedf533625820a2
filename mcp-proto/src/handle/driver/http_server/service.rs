//! The endpoint as a service.

use core::time::Duration;

use bytes::Buf;
use http::Request;
use http_body::Body;

use super::options::BODY_TIMEOUT;
use super::respond::Respond;
use super::runtime::ServerRuntime;
use crate::handle::Server;
use crate::handle::server::http::Endpoint;
use crate::http::server::HttpConfig;

/// An MCP endpoint on a runtime `R`: from requests to responses.
///
/// Cloning is cheap, and all clones are one endpoint with the same sessions.
#[derive(Clone, Debug)]
pub struct HttpService<R> {
    endpoint: Endpoint,
    runtime: R,
    body_timeout: Duration,
}

impl<R: ServerRuntime> HttpService<R> {
    /// The service of `server`.
    pub fn new(server: &Server, config: HttpConfig, runtime: R) -> Self {
        Self {
            endpoint: Endpoint::new(server, config),
            runtime,
            body_timeout: BODY_TIMEOUT,
        }
    }

    /// The same with another time that a client may take to send the body of a request. Default [`BODY_TIMEOUT`];
    /// after it the request is answered with 408.
    #[must_use]
    pub fn with_body_timeout(mut self, timeout: Duration) -> Self {
        self.body_timeout = timeout;
        self
    }

    /// How long a client may take to send the body of a request.
    pub fn body_timeout(&self) -> Duration {
        self.body_timeout
    }

    /// The endpoint behind it.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The runtime it was made with.
    pub fn runtime(&self) -> &R {
        &self.runtime
    }

    /// Begins to answer a request.
    pub fn respond<B>(&self, request: Request<B>) -> Respond<B, R>
    where
        B: Body + Unpin,
        B::Data: Buf,
    {
        Respond::new(self.clone(), request)
    }
}
