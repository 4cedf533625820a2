//! The endpoint as a service.

use core::convert::Infallible;
use core::future::Future;
#[cfg(feature = "tower")]
use core::task::{Context, Poll};
use core::time::Duration;

use bytes::Buf;
use http::{Request, Response};
use http_body::Body;

use super::body::ResponseBody;
use super::options::{BODY_TIMEOUT, ServeOptions};
use super::respond::Respond;
use super::runtime::{KeepingRuntime, ServerRuntime};
use crate::{Clock, ClockTimer};
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
    pub fn new(server: Server, config: HttpConfig) -> Self {
        Self {
            endpoint: Endpoint::new(&server, config),
            runtime: R::start(),
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

    /// The same where a listener's options count as well.
    pub(super) fn within(self, options: &ServeOptions) -> Self {
        let timeout = self.body_timeout.min(options.body_timeout);
        self.with_body_timeout(timeout)
    }

    /// What the endpoint does when no request is polled: it ends idle sessions, and runs the handlers whose clients
    /// have hung up. Never ready; any number of these futures may be polled, and one has to be while requests are
    /// served, as the listeners of an adapter do on their own.
    ///
    /// # Cancel safety
    /// Dropping the future stops the upkeep, until another one is polled.
    pub fn upkeep(&self) -> impl Future<Output = ()> + Send + use<R>
    where
        R: KeepingRuntime,
    {
        self.runtime.keeper().run(self.runtime.clock().timer())
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

impl<B, R> hyper::service::Service<Request<B>> for HttpService<R>
where
    B: Body + Unpin,
    B::Data: Buf,
    R: ServerRuntime + Unpin,
{
    type Response = Response<ResponseBody<ClockTimer<R::Clock>>>;
    type Error = Infallible;
    type Future = Respond<B, R>;

    fn call(&self, request: Request<B>) -> Respond<B, R> {
        self.respond(request)
    }
}

#[cfg(feature = "tower")]
impl<B, R> tower_service::Service<Request<B>> for HttpService<R>
where
    B: Body + Unpin,
    B::Data: Buf,
    R: ServerRuntime + Unpin,
{
    type Response = Response<ResponseBody<ClockTimer<R::Clock>>>;
    type Error = Infallible;
    type Future = Respond<B, R>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Respond<B, R> {
        self.respond(request)
    }
}
