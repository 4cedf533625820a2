//! One MCP endpoint.

use alloc::boxed::Box;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::Mutex;

use bytes::Bytes;
use http::Response;
use http::request::Parts;

use super::cancel::lock;
use super::exchange::Exchange;
use super::open;
use super::session::SharedSession;
use super::subscriber::SharedSubscriber;
use super::upkeep::{Arrival, Queue, Upkeep};
use crate::handle::server::{Application, Audience, Server};
use crate::http::server::{Admission, BodyBudget, BodyRoom, Gate, HttpConfig, Sessions, Subscriptions, Visit};
use crate::revision::Era;
use crate::server::Announcement;
use crate::server::http::{HttpSession, Member, Rules};
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
    config: HttpConfig,
    gate: Gate,
    pub(super) sessions: Mutex<Sessions<Member<Arc<SharedSession>>>>,
    pub(super) subscriptions: Mutex<Subscriptions<Arc<SharedSubscriber>>>,
    pub(super) upkeep: Arc<Queue>,
    budget: Arc<BodyBudget>,
    /// Looked at without a lock. What comes too late for it is refused by the tables, which are closed after it is set.
    closed: AtomicBool,
    /// Sessions that end with their last request in progress.
    draining: Mutex<Vec<Arc<SharedSession>>>,
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
        let inner = Inner {
            gate: Gate::new(&config, limits, server.config().serves(Era::Legacy)),
            sessions: Mutex::new(Sessions::new(limits)),
            subscriptions: Mutex::new(Subscriptions::new(limits)),
            upkeep: Arc::new(Queue::default()),
            budget: Arc::new(BodyBudget::new(limits)),
            closed: AtomicBool::new(false),
            draining: Mutex::default(),
            server,
            config,
        };
        Self { inner: Arc::new(inner) }
    }

    /// What [`Server::notify`] calls.
    #[cfg(test)]
    pub(super) fn announce(&self, announcement: &Announcement) {
        self.inner.announce(announcement);
    }

    /// Judges a request by its head, before its body is read.
    ///
    /// # Errors
    /// The whole response, where it is refused.
    pub fn admit(&self, head: &Parts) -> Result<Admission, Box<Response<Bytes>>> {
        let open = self.inner.rules().check_open();
        open.and_then(|()| self.inner.gate.admit(head))
            .map_err(|refusal| Box::new(refusal.into_response()))
    }

    /// Room for the body of an admitted request, to be kept until the body is read.
    pub fn body_room(&self, admission: &Admission) -> BodyRoom {
        BodyRoom::new(&self.inner.budget, admission.body_limit().unwrap_or(0))
    }

    /// Opens the exchange of an admitted request. Where the endpoint was closed meanwhile, it is the refusal.
    ///
    /// `random` is asked where a session begins, and gives bytes of a cryptographically secure source.
    pub fn open(
        &self,
        now: Time,
        admission: &Admission,
        head: &Parts,
        body: Bytes,
        random: impl FnOnce() -> [u8; 32],
    ) -> Exchange {
        open::open(&self.inner, now, admission, head, body, random)
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
        // Before the tables are closed: what looks at it without them comes before that, or is refused by them.
        self.inner.closed.store(true, Ordering::Relaxed);
        let subscribers = lock(&self.inner.subscriptions).close();
        for subscriber in subscribers {
            subscriber.act(|subscriber| subscriber.close(self.inner.server.config()));
        }
        let members = lock(&self.inner.sessions).close();
        let mut sessions: Vec<_> = members.into_iter().map(|member| member.session).collect();
        // No lock but that of the one session: what ends in it may call back.
        sessions.retain(|session| {
            session.act(HttpSession::drain);
            !session.act(|session| session.has_ended())
        });
        lock(&self.inner.draining).append(&mut sessions);
    }

    /// Shuts down: refuses new requests, and ends every subscription and every session, with the requests in progress
    /// there, which get no answer. Requests of the modern era that are in progress are answered.
    pub fn close(&self) {
        self.drain();
        let sessions = core::mem::take(&mut *lock(&self.inner.draining));
        sessions.iter().for_each(|session| session.act(HttpSession::end));
    }
}

impl Inner {
    pub(super) fn rules(&self) -> Rules<'_> {
        Rules::new(self.server.config(), &self.config, self.closed.load(Ordering::Relaxed))
    }

    /// Has a session left when somebody knows what time it is.
    pub(super) fn leave_later(&self, visit: Option<Visit>) {
        if let Some(visit) = visit {
            self.upkeep.push(Arrival::Leave(visit));
        }
    }
}

impl Audience for Inner {
    fn announce(&self, announcement: &Announcement) {
        let sessions: Vec<_> = (lock(&self.sessions).iter())
            .map(|member| member.session.clone())
            .collect();
        sessions.iter().for_each(|session| session.announce(announcement));
        let subscribers: Vec<_> = lock(&self.subscriptions).iter().cloned().collect();
        for subscriber in subscribers {
            subscriber.act(|subscriber| subscriber.notify(announcement));
        }
    }
}

impl Drop for Inner {
    /// The upkeep is over.
    fn drop(&mut self) {
        self.upkeep.call();
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("sessions", &self.sessions())
            .finish_non_exhaustive()
    }
}
