//! The endpoint as a service.

use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use bytes::Buf;
use http::{Request, Response};
use http_body::Body;
use mcp_driver::http::{HttpService, Keeper, ServeOptions, ServerRuntime};
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

/// An MCP server as an HTTP service, for hyper.
///
/// It answers on every path: whoever mounts it decides which. Cloning is cheap, and all clones are one endpoint with
/// the same sessions. Whoever serves it without this crate's [`serve_until`](super::serve_until) polls its
/// [`upkeep`](Self::upkeep) as well.
#[derive(Clone, Debug)]
pub struct McpService(HttpService<Runtime>);

/// The service of `server`, with defaults for everything: reachable under loopback names alone.
pub fn service(server: Server) -> McpService {
    McpService::new(server, HttpConfig::default())
}

impl McpService {
    /// The service of `server`.
    pub fn new(server: Server, config: HttpConfig) -> Self {
        Self(HttpService::new(
            &server,
            config,
            Runtime {
                clock: Clock::start(),
                keeper: Keeper::default(),
            },
        ))
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

    /// What the endpoint does when no request is polled: it ends idle sessions, and runs the handlers whose clients
    /// have hung up. Never ready; any number of these futures may be polled, and one has to be while requests are
    /// served, as [`serve_until`](super::serve_until) does on its own.
    ///
    /// # Cancel safety
    /// Dropping the future stops the upkeep, until another one is polled.
    pub fn upkeep(&self) -> impl Future<Output = ()> + Send + use<> {
        let runtime = self.0.runtime();
        runtime.keeper.run(runtime.timer())
    }
}

/// What is there for a service on smol: the upkeep of the endpoint is polled by whoever serves it.
#[derive(Clone, Debug)]
pub struct Runtime {
    clock: Clock,
    keeper: Keeper,
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
        self.keeper.set(upkeep);
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
