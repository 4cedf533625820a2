//! What an endpoint does when no request is polled.

use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::fmt;
use core::task::{Context, Poll, Waker};
use std::sync::Mutex;

use super::endpoint::Inner;
use super::errand::Errand;
use super::lock;
use super::orphans::{Orphan, Orphans};
use crate::http::server::SessionId;
use crate::time::Time;

/// What an endpoint does when no request is polled: it runs the handlers whose legacy clients have hung up, and ends
/// the sessions that are idle.
///
/// An adapter polls it in one task until it is ready, which it is when the endpoint and all its exchanges are gone.
///
/// # On drop
/// The handlers wait, and with the next request [`Endpoint::take_upkeep`](super::Endpoint::take_upkeep) gives another
/// upkeep that runs them on. So a handler that panics, and takes the task of the upkeep with it, is answered with an
/// error by the next one.
#[must_use = "it does nothing unless it is polled"]
pub struct Upkeep {
    inner: Weak<Inner>,
    queue: Arc<Queue>,
    orphans: Orphans,
}

/// What exchanges leave behind.
#[derive(Default)]
pub(super) struct Queue(Mutex<State>);

#[derive(Default)]
struct State {
    arrivals: Vec<Arrival>,
    driver: Option<Waker>,
    stage: Stage,
}

/// Whether there is an upkeep.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Stage {
    /// Nothing calls for one yet.
    #[default]
    NotNeeded,
    /// It is to be taken.
    Needed,
    /// It runs.
    Taken,
}

/// Something an exchange leaves behind.
pub(super) enum Arrival {
    /// Handlers whose client has hung up, and the session they keep alive.
    Orphan(SessionId, Errand),
    /// The same, from an upkeep that is over.
    Again(Orphan),
    /// The GET stream of a session is closed.
    Unlisten(SessionId),
}

impl Queue {
    pub(super) fn push(&self, arrival: Arrival) {
        lock(&self.0).arrivals.push(arrival);
        self.call();
    }

    /// There is something to keep, or to look after sooner than before.
    pub(super) fn call(&self) {
        let mut state = lock(&self.0);
        if state.stage == Stage::NotNeeded {
            state.stage = Stage::Needed;
        }
        let driver = state.driver.take();
        drop(state);
        if let Some(driver) = driver {
            driver.wake();
        }
    }
}

impl Upkeep {
    pub(super) fn take(inner: &Arc<Inner>) -> Option<Self> {
        let mut state = lock(&inner.upkeep.0);
        if state.stage != Stage::Needed {
            return None;
        }
        state.stage = Stage::Taken;
        Some(Self {
            inner: Arc::downgrade(inner),
            queue: inner.upkeep.clone(),
            orphans: Orphans::default(),
        })
    }

    /// Does what is to be done; ready when nothing ever will be again.
    pub fn poll(&mut self, cx: &mut Context<'_>, now: Time) -> Poll<()> {
        let arrivals = {
            let mut state = lock(&self.queue.0);
            state.driver = Some(cx.waker().clone());
            core::mem::take(&mut state.arrivals)
        };
        let Some(inner) = self.inner.upgrade() else {
            return Poll::Ready(());
        };
        let (limits, timeouts) = (inner.server.config().limits(), inner.server.config().timeouts());
        let mut adopt = |orphan| self.orphans.insert(&inner, now, orphan, limits.abandoned_requests);
        for arrival in arrivals {
            match arrival {
                Arrival::Orphan(session, errand) => adopt(Orphan::new(session, errand, now + timeouts.request_max)),
                Arrival::Again(orphan) => adopt(orphan),
                Arrival::Unlisten(id) => lock(&inner.sessions).unlisten(now, &id),
            }
        }
        self.orphans.poll(&inner, cx, now);
        let ended = lock(&inner.sessions).handle_timeout(now);
        ended.iter().for_each(|session| session.end());
        Poll::Pending
    }

    /// When to poll it even if nobody wakes its task.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        let inner = self.inner.upgrade()?;
        let sessions = lock(&inner.sessions).poll_timeout();
        self.orphans.poll_timeout().into_iter().chain(sessions).min()
    }
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        if self.inner.strong_count() == 0 {
            return;
        }
        let mut state = lock(&self.queue.0);
        state.stage = Stage::Needed;
        let newer = core::mem::take(&mut state.arrivals);
        state.arrivals = self.orphans.drain().map(Arrival::Again).chain(newer).collect();
    }
}

impl Drop for Inner {
    /// The upkeep is over.
    fn drop(&mut self) {
        self.upkeep.call();
    }
}

impl fmt::Debug for Upkeep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upkeep")
            .field("orphans", &self.orphans.len())
            .finish_non_exhaustive()
    }
}
