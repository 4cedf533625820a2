//! The endpoint as a service.

use std::convert::Infallible;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Buf;
use http::{Request, Response};
use http_body::Body;
use mcp_driver::http::{HttpService, ServeOptions, ServerRuntime};
use mcp_proto::handle::Server;
use mcp_proto::handle::server::http::{Endpoint, Upkeep};
use mcp_proto::http::server::HttpConfig;
#[cfg(feature = "tls")]
use mcp_proto::http::server::Principal;

use crate::clock::{Clock, Timer};

/// The response to one request, on its way.
///
/// # Cancel safety
/// Dropping it means that the client has gone; see [`Exchange`](mcp_proto::handle::server::http::Exchange).
pub type Respond<B> = mcp_driver::http::Respond<B, Runtime>;

/// The body of a response.
pub type ResponseBody = mcp_driver::http::ResponseBody<Timer>;

/// An MCP server as an HTTP service, for hyper and for everything that takes a tower service.
///
/// It answers on every path: whoever mounts it decides which. Cloning is cheap, and all clones are one endpoint with
/// the same sessions. It must be called inside a tokio runtime.
#[derive(Clone, Debug)]
pub struct McpService(HttpService<Runtime>);

/// The service of `server`, with defaults for everything: reachable under loopback names alone.
pub fn service(server: Server) -> McpService {
    McpService::new(server, HttpConfig::default())
}

impl McpService {
    /// The service of `server`.
    pub fn new(server: Server, config: HttpConfig) -> Self {
        Self(HttpService::new(&server, config, Runtime { clock: Clock::start() }))
    }

    /// The same with another time that a client may take to send the body of a request. Default 30 seconds; after it
    /// the request is answered with 408.
    #[must_use]
    pub fn with_body_timeout(self, timeout: Duration) -> Self {
        Self(self.0.with_body_timeout(timeout))
    }

    /// The endpoint behind it.
    pub fn endpoint(&self) -> &Endpoint {
        self.0.endpoint()
    }

    /// The clock of the service.
    pub(super) fn clock(&self) -> Clock {
        self.0.runtime().clock
    }

    /// A timer of the service's clock.
    pub(super) fn timer(&self) -> Timer {
        self.0.runtime().timer()
    }

    /// The same for one client.
    #[cfg(feature = "tls")]
    pub(super) fn of(self, principal: Principal) -> Self {
        Self(self.0.with_principal(principal))
    }

    /// The same where a listener's options count as well.
    pub(super) fn within(self, options: &ServeOptions) -> Self {
        let timeout = self.0.body_timeout().min(options.body_timeout);
        self.with_body_timeout(timeout)
    }
}

/// What tokio does for a service: it runs the upkeep of the endpoint in a task.
#[derive(Clone, Debug)]
pub struct Runtime {
    clock: Clock,
}

impl ServerRuntime for Runtime {
    type Timer = Timer;

    fn timer(&self) -> Timer {
        Timer::new(self.clock)
    }

    /// # Panics
    /// Where the system has no source of randomness: a server must not hand out ids that can be guessed.
    fn random(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).expect("the system has a source of randomness");
        bytes
    }

    fn keep(&self, upkeep: Upkeep) {
        tokio::spawn(mcp_driver::http::keep(upkeep, self.timer()));
    }
}

impl<B> tower_service::Service<Request<B>> for McpService
where
    B: Body + Unpin,
    B::Data: Buf,
{
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = Respond<B>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Respond<B> {
        self.0.respond(request)
    }
}

impl<B> hyper::service::Service<Request<B>> for McpService
where
    B: Body + Unpin,
    B::Data: Buf,
{
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = Respond<B>;

    fn call(&self, request: Request<B>) -> Respond<B> {
        self.0.respond(request)
    }
}
