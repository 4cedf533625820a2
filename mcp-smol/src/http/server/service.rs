//! The endpoint as a service.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Wake, Waker, ready};
use std::time::Duration;

use bytes::Buf;
use http::{Request, Response};
use http_body::Body;
use mcp_proto::Time;
use mcp_proto::handle::Server;
use mcp_proto::handle::driver::Timer as _;
use mcp_proto::handle::server::http::{Endpoint, Upkeep};
use mcp_proto::http::server::HttpConfig;

use super::body::ResponseBody;
use super::request::Respond;
use crate::clock::{Clock, Timer};

/// An MCP server as an HTTP service, for hyper.
///
/// It answers on every path: whoever mounts it decides which. Cloning is cheap, and all clones are one endpoint with
/// the same sessions. Whoever serves it without this crate's [`serve_until`](super::serve_until) polls its
/// [`upkeep`](Self::upkeep) as well.
#[derive(Clone, Debug)]
pub struct McpService {
    endpoint: Endpoint,
    clock: Clock,
    body_timeout: Duration,
    keeper: Arc<Keeper>,
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
            keeper: Arc::default(),
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

    /// What the endpoint does when no request is polled: it ends idle sessions, and runs the handlers whose clients
    /// have hung up. Never ready; any number of these futures may be polled, and one has to be while requests are
    /// served, as [`serve_until`](super::serve_until) does on its own.
    ///
    /// # Cancel safety
    /// Dropping the future stops the upkeep, until another one is polled.
    pub fn upkeep(&self) -> impl Future<Output = ()> + Send + use<> {
        let keeper = Arc::clone(&self.keeper);
        let mut timer = Timer::new(self.clock);
        let clock = self.clock;
        poll_fn(move |cx| {
            loop {
                let deadline = keeper.poll(cx, clock.now());
                ready!(timer.poll(cx, deadline));
            }
        })
    }

    /// Starts the upkeep of the endpoint, the first time there is something to keep.
    pub(super) fn start_upkeep(&self) {
        if let Some(upkeep) = self.endpoint.take_upkeep() {
            *lock(&self.keeper.upkeep) = Some(upkeep);
            self.keeper.wake_by_ref();
        }
    }
}

/// The upkeep of an endpoint, once there is one, and the tasks that poll it.
#[derive(Debug, Default)]
struct Keeper {
    upkeep: Mutex<Option<Upkeep>>,
    /// Any of them may be dropped without a word, so all are woken. Never locked while something is polled.
    tasks: Mutex<Vec<Waker>>,
}

impl Keeper {
    /// Does what is to be done. When to come back even if nobody wakes the task.
    fn poll(self: &Arc<Self>, cx: &mut Context<'_>, now: Time) -> Option<Time> {
        let mut tasks = lock(&self.tasks);
        if !tasks.iter().any(|task| task.will_wake(cx.waker())) {
            tasks.push(cx.waker().clone());
        }
        drop(tasks);
        let waker = Waker::from(Arc::clone(self));
        let mut upkeep = lock(&self.upkeep);
        let upkeep = upkeep.as_mut()?;
        let is_over = upkeep.poll(&mut Context::from_waker(&waker), now).is_ready();
        upkeep.poll_timeout().filter(|_| !is_over)
    }
}

impl Wake for Keeper {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let tasks = std::mem::take(&mut *lock(&self.tasks));
        tasks.into_iter().for_each(Waker::wake);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
