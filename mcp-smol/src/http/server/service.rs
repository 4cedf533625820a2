//! The endpoint as a service.

use std::future::Future;

use async_net::TcpListener;
use mcp_driver::Spawner;
use mcp_driver::http::{self, HttpService, Keeper, KeepingRuntime, ServerRuntime};
use mcp_proto::handle::Server;
use mcp_proto::handle::server::http::Upkeep;
use mcp_proto::http::server::HttpConfig;

use crate::clock::{Clock, Timer};

/// An MCP server as an HTTP service, for hyper.
///
/// It answers on every path: whoever mounts it decides which. Cloning is cheap, and all clones are one endpoint with
/// the same sessions. Whoever serves it without this crate's [`serve_until`](super::serve_until) polls its
/// [`upkeep`](HttpService::upkeep) as well.
pub type McpService = HttpService<Runtime>;

/// The response to one request, on its way.
///
/// # Cancel safety
/// Dropping it means that the client has gone; see [`Exchange`](mcp_proto::handle::server::http::Exchange).
pub type Respond<B> = http::Respond<B, Runtime>;

/// The body of a response.
pub type ResponseBody = http::ResponseBody<Timer>;

/// A socket that takes connections, plain or with TLS.
pub type Listener = http::Listener<TcpListener>;

/// The service of `server`, with defaults for everything: reachable under loopback names alone.
pub fn service(server: Server) -> McpService {
    McpService::new(server, HttpConfig::default())
}

/// What is there for a service on smol: the upkeep of the endpoint is polled by whoever serves it, and the streams of
/// HTTP/2 with their connections.
#[derive(Clone, Debug)]
pub struct Runtime {
    keeper: Keeper,
}

impl ServerRuntime for Runtime {
    type Clock = Clock;

    fn start() -> (Self, Clock) {
        let keeper = Keeper::default();
        (Self { keeper }, Clock::start())
    }

    fn keep(&self, upkeep: Upkeep, _: Timer) {
        self.keeper.set(upkeep);
    }

    fn spawn(&self, stream: impl Future<Output = ()> + Send + 'static, beside: &Spawner) {
        beside.spawn(stream);
    }
}

impl KeepingRuntime for Runtime {
    fn keeper(&self) -> &Keeper {
        &self.keeper
    }
}
