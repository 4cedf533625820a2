//! The endpoint as a service.

use core::future::Future;
use core::time::Duration;

use mcp_proto::handle::Server;
use mcp_proto::handle::server::http::Endpoint;
use mcp_proto::handle::server::sse::SseHub;
use mcp_proto::http::server::{Holder, HttpConfig, Principal, Remote};
use mcp_proto::server::http::Sender;

use super::body::Reader;
use super::options::{BODY_TIMEOUT, ServeOptions};
use super::runtime::{KeepingRuntime, ServerRuntime};
use crate::Clock;

/// An MCP endpoint on a runtime `R`: from requests to responses.
///
/// Cloning is cheap, and all clones are one endpoint with the same sessions.
#[derive(Clone, Debug)]
pub struct HttpService<R: ServerRuntime> {
    endpoint: Endpoint,
    /// What serves HTTP+SSE beside it.
    sse: Option<SseHub>,
    runtime: R,
    clock: R::Clock,
    body_timeout: Duration,
    pub(super) remote: Remote,
    pub(super) sender: Sender,
}

impl<R: ServerRuntime> HttpService<R> {
    /// The service of `server`.
    pub fn new(server: Server, config: HttpConfig) -> Self {
        let sse = SseHub::new(&server, &config);
        let endpoint = Endpoint::new(&server, config);
        let (runtime, clock) = R::start();
        endpoint.begin(&clock.timer());
        Self {
            endpoint,
            sse,
            runtime,
            clock,
            body_timeout: BODY_TIMEOUT,
            remote: Remote::UNKNOWN,
            sender: Sender::new(),
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
        self.sender.principal = Some(principal);
        self
    }

    /// The same for requests that all come from there, such as those on one connection. It counts over what the
    /// extensions of a request say.
    #[must_use]
    pub fn with_remote(mut self, remote: Remote) -> Self {
        self.remote = remote;
        self
    }

    /// The same for requests that are all sent by this one, such as those on one connection: what handlers see of it.
    #[must_use]
    pub fn with_sender(mut self, sender: Sender) -> Self {
        self.remote = Remote::new(sender.address, sender.connection);
        self.sender = sender;
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

    /// What serves HTTP+SSE, where it is served.
    pub fn sse(&self) -> Option<&SseHub> {
        self.sse.as_ref()
    }

    /// Takes nothing new, and has what is in progress come to its end; see [`Endpoint::drain`].
    pub fn drain(&self) {
        self.endpoint.drain();
        self.sse.iter().for_each(SseHub::close);
    }

    /// Takes nothing new, and ends what is in progress; see [`Endpoint::close`].
    pub fn close(&self) {
        self.endpoint.close();
        self.sse.iter().for_each(SseHub::close);
    }

    /// Who reads the responses.
    pub(super) fn reader(&self) -> Reader {
        Reader {
            endpoint: self.endpoint.clone(),
            holder: Holder::new(self.sender.principal.as_ref(), self.remote),
        }
    }

    /// The runtime it was made with.
    pub fn runtime(&self) -> &R {
        &self.runtime
    }

    /// The clock of all its timers.
    pub fn clock(&self) -> &R::Clock {
        &self.clock
    }

    /// The same where a listener's options count as well.
    pub(super) fn within(self, options: &ServeOptions) -> Self {
        // Whoever of the two is less patient: neither may lengthen what the other bounds.
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
        self.runtime.keeper().run(self.clock.timer())
    }
}
