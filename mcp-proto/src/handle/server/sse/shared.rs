//! What the clones of a hub and its streams share.

use alloc::sync::Arc;
use core::time::Duration;

use crate::handle::server::{Server, ServerPump};
use crate::handle::sync::{Mutex, lock};
use crate::http::server::{HttpConfig, Principal, SessionId, SessionTable, SsePaths, Visit};
use crate::time::Time;

/// What the clones of a hub and its streams share.
pub(super) struct Shared {
    pub(super) server: Server,
    pub(super) paths: SsePaths,
    pub(super) keep_alive: Option<Duration>,
    pub(super) sessions: Mutex<SessionTable<Arc<ServerPump>>>,
}

impl Shared {
    pub(super) fn new(server: &Server, config: &HttpConfig, paths: SsePaths) -> Self {
        Self {
            server: server.clone(),
            paths,
            keep_alive: config.keep_alive,
            sessions: Mutex::new(SessionTable::new(server.config().limits())),
        }
    }

    /// The stream of a session is over.
    pub(super) fn remove(&self, session: &SessionId, owner: Option<&Principal>, visit: Visit, now: Time) {
        let mut sessions = lock(&self.sessions);
        sessions.leave(now, visit);
        let gone = sessions.remove(session, owner);
        drop(sessions);
        // Outside the lock: handlers are dropped with it.
        drop(gone);
    }
}
