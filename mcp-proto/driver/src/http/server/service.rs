//! The endpoint as a service.

use core::time::Duration;

use bytes::Buf;
use http::Request;
use http_body::Body;

use super::options::BODY_TIMEOUT;
use super::respond::Respond;
use super::runtime::ServerRuntime;
use mcp_proto::handle::Server;
use mcp_proto::handle::server::http::Endpoint;
use mcp_proto::http::server::{HttpConfig, Principal};

/// An MCP endpoint on a runtime `R`: from requests to responses.
///
/// Cloning is cheap, and all clones are one endpoint with the same sessions.
#[derive(Clone, Debug)]
pub struct HttpService<R> {
    endpoint: Endpoint,
    runtime: R,
    body_timeout: Duration,
    principal: Option<Principal>,
}

impl<R: ServerRuntime> HttpService<R> {
    /// The service of `server`.
    pub fn new(server: &Server, config: HttpConfig, runtime: R) -> Self {
        Self {
            endpoint: Endpoint::new(server, config),
            runtime,
            body_timeout: BODY_TIMEOUT,
            principal: None,
        }
    }

    /// The same with another time that a client may take to send the body of a request. Default [`BODY_TIMEOUT`];
    /// after it the request is answered with 408.
    #[must_use]
    pub fn with_body_timeout(mut self, timeout: Duration) -> Self {
        self.body_timeout = timeout;
        self
    }

    /// The same for requests that are all of one principal, such as those on a connection whose client has shown a
    /// certificate. It counts over what the extensions of a request say.
    #[must_use]
    pub fn with_principal(mut self, principal: Principal) -> Self {
        self.principal = Some(principal);
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
    pub fn respond<B>(&self, mut request: Request<B>) -> Respond<B, R>
    where
        B: Body + Unpin,
        B::Data: Buf,
    {
        if let Some(principal) = &self.principal {
            request.extensions_mut().insert(principal.clone());
        }
        Respond::new(self.clone(), request)
    }
}
