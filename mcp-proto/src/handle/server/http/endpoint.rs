//! One MCP endpoint.

use alloc::boxed::Box;
use alloc::sync::{Arc, Weak};
use core::fmt;

use bytes::Bytes;
use http::Response;
use http::request::Parts;

use super::exchange::Exchange;
use super::inner::Inner;
use super::open;
use super::session::Party;
use super::upkeep::Upkeep;
use crate::handle::server::reading::ReadingRoom;
use crate::handle::server::unread::Unread;
use crate::handle::server::{Application, Server};
use crate::handle::sync::lock;
use crate::http::server::{Admission, Holder, HttpConfig};
use crate::server::http::HttpSession;
use crate::time::Time;

/// One MCP endpoint: a server with its HTTP configuration and its sessions, in both eras at once.
///
/// Cloning is cheap, and all clones are the same endpoint. A request of the modern era touches nothing that is
/// shared but the configuration; one of the legacy era looks its session up in one table.
#[derive(Clone)]
pub struct Endpoint {
    pub(super) inner: Arc<Inner>,
}

impl Endpoint {
    /// An endpoint for `server`. It is told what the server [tells everyone](Server::notify): in the legacy era on the
    /// GET stream of every session, in the modern era on every subscription that asked for it.
    pub fn new(server: &Server, config: HttpConfig) -> Self {
        let endpoint = Self::of(Arc::new(server.clone()), config);
        // Weak: a server that tells its clients does not keep their endpoints.
        let audience: Weak<Inner> = Arc::downgrade(&endpoint.inner);
        server.attend(audience);
        endpoint
    }

    /// An endpoint for an application.
    pub(super) fn of(server: Arc<dyn Application>, config: HttpConfig) -> Self {
        let inner = Arc::new(Inner::new(server, config));
        Self { inner }
    }

    /// Judges a request by its head, before its body is read.
    ///
    /// # Errors
    /// The whole response, where it is refused.
    pub fn admit(&self, head: &Parts) -> Result<Admission, Box<Response<Bytes>>> {
        self.inner.site.admit(head)
    }

    /// Room for the body of an admitted request, to be kept until the body is read.
    pub fn reading_room(&self, admission: &Admission) -> ReadingRoom {
        ReadingRoom::new(&self.inner.reading, admission)
    }

    /// Takes a large piece of the body of a response for `holder`, to be given out as its client takes it.
    pub fn unread(&self, holder: Holder, body: Bytes) -> Unread {
        Unread::new(&self.inner.unread, holder, body)
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
        self.inner.site.close();
        let subscribers = lock(&self.inner.subscriptions).close();
        let config = self.inner.server.config();
        subscribers.iter().for_each(|subscriber| subscriber.end(config));
        // Taken out first and told afterwards: no session is locked under the lock of the table.
        let sessions = lock(&self.inner.sessions).drain();
        sessions
            .iter()
            .for_each(|member| member.session.act(HttpSession::drain));
    }

    /// Shuts down: refuses new requests, and ends every subscription and every session, with the requests in progress
    /// there, which get no answer. Requests of the modern era that are in progress are answered.
    pub fn close(&self) {
        self.drain();
        let sessions = lock(&self.inner.sessions).close();
        sessions.iter().for_each(|member| member.session.act(HttpSession::end));
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sessions = self.sessions();
        f.debug_struct("Endpoint")
            .field("sessions", &sessions)
            .finish_non_exhaustive()
    }
}
