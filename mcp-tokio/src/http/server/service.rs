//! The endpoint as a service.

use std::convert::Infallible;
use std::future::poll_fn;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Buf;
use http::{Request, Response};
use http_body::Body;
use mcp_proto::handle::Server;
use mcp_proto::handle::driver::Timer as _;
use mcp_proto::handle::server::http::{Endpoint, Upkeep};
use mcp_proto::http::server::HttpConfig;

use super::body::ResponseBody;
use super::request::Respond;
use crate::clock::{Clock, Timer};

/// An MCP server as an HTTP service, for hyper and for everything that takes a tower service.
///
/// It answers on every path: whoever mounts it decides which. Cloning is cheap, and all clones are one endpoint with
/// the same sessions. It must be called inside a tokio runtime.
#[derive(Clone, Debug)]
pub struct McpService {
    endpoint: Endpoint,
    clock: Clock,
    body_timeout: Duration,
}

/// How long a client may take to send the body of a request.
pub(super) const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// The service of `server`, with defaults for everything: reachable under loopback names alone.
pub fn service(server: Server) -> McpService {
    McpService::new(server, HttpConfig::default())
}

impl McpService {
    /// The service of `server`.
    pub fn new(server: Server, config: HttpConfig) -> Self {
        Self {
            endpoint: Endpoint::new(&server, config),
            clock: Clock::start(),
            body_timeout: BODY_TIMEOUT,
        }
    }

    /// The same with another time that a client may take to send the body of a request. Default 30 seconds; after it
    /// the request is answered with 408.
    #[must_use]
    pub fn with_body_timeout(mut self, timeout: Duration) -> Self {
        self.body_timeout = timeout;
        self
    }

    /// The endpoint behind it.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub(super) fn body_timeout(&self) -> Duration {
        self.body_timeout
    }

    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    /// Starts the upkeep of the endpoint, the first time there is something to keep.
    pub(super) fn start_upkeep(&self) {
        if let Some(upkeep) = self.endpoint.take_upkeep() {
            tokio::spawn(run(upkeep, self.clock));
        }
    }
}

/// Runs until the endpoint and its exchanges are gone.
async fn run(mut upkeep: Upkeep, clock: Clock) {
    let mut timer = Timer::new(clock);
    poll_fn(|cx| {
        loop {
            if upkeep.poll(cx, clock.now()).is_ready() {
                return Poll::Ready(());
            }
            ready!(timer.poll(cx, upkeep.poll_timeout()));
        }
    })
    .await;
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
        Respond::new(self.clone(), request)
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
        Respond::new(self.clone(), request)
    }
}
