//! What an endpoint does when no request is polled.

use alloc::sync::{Arc, Weak};
use core::fmt;
use core::task::{Context, Poll};

use super::errand::Errand;
use super::inner::Inner;
use super::orphans::{Arrival, Orphans, Queue};
use crate::handle::server::aging::Aging;
use crate::handle::server::desk::Desk;
use crate::handle::sync::lock;
use crate::http::server::Visit;
use crate::server::http::HttpSession;
use crate::time::Time;

/// What an endpoint does when no request is polled: it runs the handlers whose legacy clients have hung up, and ends
/// the sessions that are idle.
///
/// An adapter polls it in one task until it is ready, which it is when the endpoint and all its exchanges are gone.
///
/// # On drop
/// The handlers wait, and with the next request [`Endpoint::take_upkeep`](super::Endpoint::take_upkeep) gives another
/// upkeep that runs them on.
#[must_use = "it does nothing unless it is polled"]
pub struct Upkeep {
    inner: Weak<Inner>,
    queue: Arc<Queue>,
    /// `None` once it is dropped.
    orphans: Option<Orphans>,
}

impl Upkeep {
    pub(super) fn take(inner: &Arc<Inner>) -> Option<Self> {
        let orphans = inner.upkeep.start()?;
        Some(Self {
            // Weak, or it would keep alive what it waits to see gone.
            inner: Arc::downgrade(inner),
            queue: inner.upkeep.clone(),
            orphans: Some(orphans.unwrap_or_else(|| Aging::new(inner.server.config()))),
        })
    }

    /// Does what is to be done; ready when nothing ever will be again.
    pub fn poll(&mut self, cx: &mut Context<'_>, now: Time) -> Poll<()> {
        // It leaves its waker before it looks at the endpoint, whose end in between would wake nobody.
        let arrivals = self.queue.take(cx);
        let (Some(inner), Some(orphans)) = (self.inner.upgrade(), &mut self.orphans) else {
            return Poll::Ready(());
        };
        let (server, desk) = (&*inner.server, Desk::new(&*inner.server, &inner.origin, now));
        let leave = |visit| lock(&inner.sessions).leave(now, visit);
        let end = |(visit, mut errand): (Visit, Errand)| {
            errand.give_up(server);
            leave(visit);
        };
        for arrival in arrivals {
            match arrival {
                Arrival::Orphan(visit, errand) => orphans.insert(now, (visit, errand)).into_iter().for_each(end),
                Arrival::Leave(visit) => leave(visit),
            }
        }
        let poll = |(_, errand): &mut (Visit, Errand), cx: &mut Context<'_>| {
            // Woken for a cancellation too.
            let _ = errand.line.poll_exchange(0, cx, |_| None::<()>);
            (errand.poll(desk, cx), errand.poll_timeout())
        };
        orphans.poll(cx, now, poll, end);
        lock(&inner.host.replay).handle_timeout(now);
        let ended = lock(&inner.sessions).handle_timeout(now);
        ended.iter().for_each(|member| member.session.act(HttpSession::end));
        Poll::Pending
    }

    /// When to poll it even if nobody wakes its task.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        let inner = self.inner.upgrade()?;
        let sessions = lock(&inner.sessions).poll_timeout();
        let orphans = self.orphans.as_ref().and_then(Aging::poll_timeout);
        let replay = lock(&inner.host.replay).poll_timeout();
        orphans.into_iter().chain(sessions).chain(replay).min()
    }
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        // Once the endpoint is gone nobody asks for another upkeep.
        if self.inner.strong_count() > 0 {
            self.queue.stop(self.orphans.take());
        }
    }
}

impl fmt::Debug for Upkeep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let orphans = self.orphans.as_ref().map(Aging::len);
        f.debug_struct("Upkeep")
            .field("orphans", &orphans)
            .finish_non_exhaustive()
    }
}
