//! One MCP endpoint.

use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::Mutex;

use bytes::Bytes;
use http::request::Parts;

use super::body_room::BodyRoom;
use super::exchange::Exchange;
use super::session::HttpSession;
use super::subscriber::Subscribers;
use super::upkeep::{Queue, Upkeep};
use super::{lock, open};
use crate::handle::server::{Application, Audience, Server};
use crate::http::server::{Gate, HttpConfig, Refusal, Route, Sessions};
use crate::jsonrpc::Params;
use crate::method::MethodName;
use crate::revision::Revision;
use crate::time::Time;

/// One MCP endpoint: a server with its HTTP configuration and its sessions, in both eras at once.
///
/// Cloning is cheap, and all clones are the same endpoint. A request of the modern era touches nothing that is
/// shared but the configuration; one of the legacy era looks its session up in one table.
#[derive(Clone)]
pub struct Endpoint {
    inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) server: Arc<dyn Application>,
    pub(super) config: HttpConfig,
    pub(super) gate: Gate,
    pub(super) sessions: Mutex<Sessions<Arc<HttpSession>>>,
    pub(super) subscribers: Subscribers,
    pub(super) upkeep: Arc<Queue>,
    /// Bytes of bodies that are being read.
    pub(super) reading: AtomicUsize,
    closed: AtomicBool,
    /// Sessions that end with their last request in progress.
    draining: Mutex<Vec<Arc<HttpSession>>>,
}

/// A request whose head is in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the request has to be opened"]
pub struct Admission {
    pub(super) route: Route,
    body_limit: usize,
}

impl Admission {
    /// The most bytes of the body that are to be read; `None` where the body does not matter.
    pub fn body_limit(&self) -> Option<usize> {
        matches!(self.route, Route::Post(_)).then_some(self.body_limit)
    }
}

impl Endpoint {
    /// An endpoint for `server`. It is told what the server [tells everyone](Server::notify): in the legacy era on the
    /// GET stream of every session, in the modern era on every subscription that asked for it.
    pub fn new(server: &Server, config: HttpConfig) -> Self {
        let endpoint = Self::of(Arc::new(server.clone()), config);
        let audience: Weak<Inner> = Arc::downgrade(&endpoint.inner);
        server.attend(audience);
        endpoint
    }

    /// An endpoint for an application.
    pub(super) fn of(server: Arc<dyn Application>, config: HttpConfig) -> Self {
        let limits = server.config().limits();
        let legacy = server
            .config()
            .revisions()
            .iter()
            .any(|revision| revision.has_initialize());
        let inner = Inner {
            gate: Gate::new(&config, limits, legacy),
            sessions: Mutex::new(Sessions::new(limits)),
            subscribers: Subscribers::new(limits),
            upkeep: Arc::new(Queue::default()),
            reading: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            draining: Mutex::default(),
            server,
            config,
        };
        Self { inner: Arc::new(inner) }
    }

    /// What [`Server::notify`] calls.
    #[cfg(test)]
    pub(super) fn announce(&self, method: &MethodName, params: &Params) {
        self.inner.announce(method, params);
    }

    /// Judges a request by its head, before its body is read.
    ///
    /// # Errors
    /// Why it is refused: [`Refusal::into_response`] is the whole response.
    pub fn admit(&self, head: &Parts) -> Result<Admission, Refusal> {
        self.inner.check_open()?;
        let route = self.inner.gate.check(head)?;
        Ok(Admission {
            route,
            body_limit: self.inner.gate.body_bytes(),
        })
    }

    /// Room for the body of an admitted request, to be kept until the body is read.
    pub fn body_room(&self, admission: Admission) -> BodyRoom {
        BodyRoom::new(&self.inner, admission.body_limit)
    }

    /// Opens the exchange of an admitted request. Where the endpoint was closed meanwhile, it is the refusal.
    ///
    /// `random` is asked where a session begins, and gives bytes of a cryptographically secure source.
    pub fn open(
        &self,
        now: Time,
        admission: Admission,
        head: &Parts,
        body: Bytes,
        random: impl FnOnce() -> [u8; 32],
    ) -> Exchange {
        open::open(&self.inner, now, admission.route, head, body, random)
    }

    /// How many legacy sessions there are.
    pub fn sessions(&self) -> usize {
        lock(&self.inner.sessions).len()
    }

    /// What keeps the endpoint's sessions, once it has some: `Some` one time. To be run until it is ready.
    pub fn take_upkeep(&self) -> Option<Upkeep> {
        Upkeep::take(&self.inner)
    }

    /// Begins to shut down: refuses new requests, and ends every subscription, and every session that has no request in
    /// progress. Requests in progress are answered; a session ends with its last one.
    pub fn drain(&self) {
        // Before the tables are cleared: what looks at it under their locks comes before that, or is refused.
        self.inner.closed.store(true, Ordering::Relaxed);
        self.inner.subscribers.close(self.inner.server.config());
        let mut sessions = lock(&self.inner.sessions).clear();
        sessions.iter().for_each(|session| session.drain());
        sessions.retain(|session| !session.has_ended());
        lock(&self.inner.draining).append(&mut sessions);
    }

    /// Shuts down: refuses new requests, and ends every subscription and every session, with the requests in progress
    /// there, which get no answer. Requests of the modern era that are in progress are answered.
    pub fn close(&self) {
        self.drain();
        let sessions = core::mem::take(&mut *lock(&self.inner.draining));
        sessions.iter().for_each(|session| session.end());
    }
}

impl Inner {
    /// # Errors
    /// [`Refusal::Closed`].
    pub(super) fn check_open(&self) -> Result<(), Refusal> {
        match self.closed.load(Ordering::Relaxed) {
            true => Err(Refusal::Closed),
            false => Ok(()),
        }
    }

    /// The revisions of the server.
    pub(super) fn revisions(&self) -> &[Revision] {
        self.server.config().revisions()
    }
}

impl Audience for Inner {
    fn announce(&self, method: &MethodName, params: &Params) {
        let sessions: Vec<_> = lock(&self.sessions).iter().cloned().collect();
        for session in sessions {
            session.notify(method, params.clone());
        }
        if let Some(method) = method.known() {
            self.subscribers.notify(method, params);
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("sessions", &self.sessions())
            .finish_non_exhaustive()
    }
}
