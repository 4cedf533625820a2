//! What the clones of an endpoint and its exchanges share.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::line::Line;
use super::orphans::Queue;
use super::session::{Host, SharedSession};
use crate::handle::server::job::Results;
use crate::handle::server::origin::Origin;
use crate::handle::server::reading::Reading;
use crate::handle::server::unread::UnreadAnswers;
use crate::handle::server::{Application, Audience};
use crate::handle::sync::{Mutex, lock};
use crate::http::server::{HttpConfig, Replay, SessionTable, Subscriptions};
use crate::server::Announcement;
use crate::server::http::{Member, Rules, Site};

/// What the clones of an endpoint and its exchanges share.
pub(super) struct Inner {
    pub(super) server: Arc<dyn Application>,
    pub(super) site: Site,
    pub(super) sessions: Mutex<SessionTable<Member<Arc<SharedSession>>>>,
    pub(super) reading: Arc<Reading>,
    pub(super) unread: Arc<UnreadAnswers>,
    pub(super) results: Arc<Results>,
    pub(super) subscriptions: Mutex<Subscriptions<Arc<Line>>>,
    pub(super) upkeep: Arc<Queue>,
    pub(super) origin: Origin,
    /// What its sessions share.
    pub(super) host: Arc<Host>,
}

impl Inner {
    pub(super) fn new(server: Arc<dyn Application>, config: HttpConfig) -> Self {
        let limits = server.config().limits();
        let keep = config
            .resumption
            .as_ref()
            .map_or_else(Default::default, |resumption| resumption.keep);
        let replay = Replay::new(limits, keep);
        Self {
            site: Site::new(server.config(), config),
            sessions: Mutex::new(SessionTable::new(limits)),
            reading: Arc::new(Reading::new(limits)),
            unread: server.unread(),
            results: Arc::new(Results::new(limits)),
            subscriptions: Mutex::new(Subscriptions::new(limits)),
            upkeep: Arc::new(Queue::new()),
            origin: Origin::default(),
            host: Arc::new(Host {
                server: server.clone(),
                replay: Mutex::new(replay),
            }),
            server,
        }
    }

    pub(super) fn rules(&self) -> Rules<'_> {
        self.site.rules(self.server.config())
    }
}

impl Audience for Inner {
    fn announce(&self, announcement: &Announcement) {
        // Collected first: nobody is told under the lock of a table, which every legacy request needs.
        let sessions: Vec<_> = (lock(&self.sessions).iter())
            .map(|member| member.session.clone())
            .collect();
        sessions.iter().for_each(|session| session.announce(announcement));
        let subscribers: Vec<_> = lock(&self.subscriptions).iter().cloned().collect();
        for subscriber in subscribers {
            // A client that does not read loses notifications, which only say that something changed.
            let _ = subscriber.act(|exchange| exchange.announce(announcement));
        }
    }
}

impl Drop for Inner {
    /// The upkeep is over.
    fn drop(&mut self) {
        self.upkeep.call();
    }
}
