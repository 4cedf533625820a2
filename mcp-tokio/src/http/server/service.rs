//! The endpoint as a service.

use std::future::Future;

use mcp_driver::Spawner;
use mcp_driver::http::{self, HttpService, ServerRuntime};
use mcp_proto::handle::Server;
use mcp_proto::handle::server::http::Upkeep;
use mcp_proto::http::server::HttpConfig;
use tokio::net::TcpListener;

use crate::clock::{Clock, Timer};

/// An MCP server as an HTTP service, for hyper and for everything that takes a tower service.
///
/// It answers on every path: whoever mounts it decides which. Cloning is cheap, and all clones are one endpoint with
/// the same sessions. It must be called inside a tokio runtime.
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

/// What tokio does for a service: it runs the upkeep of the endpoint in a task, and each stream of HTTP/2.
#[derive(Clone, Debug)]
pub struct Runtime(());

impl ServerRuntime for Runtime {
    type Clock = Clock;

    fn start() -> (Self, Clock) {
        (Self(()), Clock::start())
    }

    fn keep(&self, upkeep: Upkeep, timer: Timer) {
        tokio::spawn(http::keep(upkeep, timer));
    }

    fn spawn(&self, stream: impl Future<Output = ()> + Send + 'static, _: &Spawner) {
        tokio::spawn(stream);
    }
}
