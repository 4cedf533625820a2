//! What an endpoint does when no request is polled.

use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::fmt;
use core::task::{Context, Poll, Waker};
use std::sync::Mutex;

use super::cancel::lock;
use super::endpoint::Inner;
use super::errand::Errand;
use super::orphans::Orphans;
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
/// upkeep that runs them on. So a handler that panics, and takes the task of the upkeep with it, is answered with an
/// error by the next one.
#[must_use = "it does nothing unless it is polled"]
pub struct Upkeep {
    inner: Weak<Inner>,
    queue: Arc<Queue>,
    /// `None` once it is dropped.
    orphans: Option<Orphans>,
}

/// What exchanges leave behind.
#[derive(Default)]
pub(super) struct Queue(Mutex<State>);

#[derive(Default)]
struct State {
    arrivals: Vec<Arrival>,
    driver: Option<Waker>,
    stage: Stage,
    /// Those of an upkeep that is over.
    orphans: Option<Orphans>,
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
    /// Handlers whose client has hung up, and what keeps their session alive.
    Orphan(Visit, Errand),
    /// A session is to be left, by an exchange that was dropped and does not know what time it is.
    Leave(Visit),
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
        driver.into_iter().for_each(Waker::wake);
    }
}

impl Upkeep {
    pub(super) fn take(inner: &Arc<Inner>) -> Option<Self> {
        let mut state = lock(&inner.upkeep.0);
        if state.stage != Stage::Needed {
            return None;
        }
        state.stage = Stage::Taken;
        let orphans = state.orphans.take();
        Some(Self {
            inner: Arc::downgrade(inner),
            queue: inner.upkeep.clone(),
            orphans: Some(orphans.unwrap_or_else(|| Orphans::new(inner.server.config()))),
        })
    }

    /// Does what is to be done; ready when nothing ever will be again.
    pub fn poll(&mut self, cx: &mut Context<'_>, now: Time) -> Poll<()> {
        let arrivals = {
            let mut state = lock(&self.queue.0);
            state.driver = Some(cx.waker().clone());
            core::mem::take(&mut state.arrivals)
        };
        let (Some(inner), Some(orphans)) = (self.inner.upgrade(), &mut self.orphans) else {
            return Poll::Ready(());
        };
        for arrival in arrivals {
            match arrival {
                Arrival::Orphan(visit, errand) => orphans.insert(&inner, now, visit, errand),
                Arrival::Leave(visit) => lock(&inner.sessions).leave(now, visit),
            }
        }
        orphans.poll(&inner, cx, now);
        let ended = lock(&inner.sessions).handle_timeout(now);
        ended.iter().for_each(|member| member.session.act(HttpSession::end));
        Poll::Pending
    }

    /// When to poll it even if nobody wakes its task.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        let inner = self.inner.upgrade()?;
        let sessions = lock(&inner.sessions).poll_timeout();
        let orphans = self.orphans.as_ref().and_then(Orphans::poll_timeout);
        orphans.into_iter().chain(sessions).min()
    }
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        if self.inner.strong_count() > 0 {
            let mut state = lock(&self.queue.0);
            (state.stage, state.orphans) = (Stage::Needed, self.orphans.take());
        }
    }
}

impl fmt::Debug for Upkeep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upkeep")
            .field("orphans", &self.orphans.as_ref().map(Orphans::len))
            .finish_non_exhaustive()
    }
}
