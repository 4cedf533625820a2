//! The stream of one session.

use alloc::sync::Arc;
use core::fmt;
use core::task::{Context, Poll};

use bytes::Bytes;
use http::response::Parts;

use super::shared::Shared;
use crate::handle::Pump;
use crate::handle::server::ServerPump;
use crate::http::server::{Admission, Principal, SessionId, Visit, sse_comment, sse_head};
use crate::time::Time;

/// The stream of one session over HTTP+SSE: polling it polls the handlers of the session.
///
/// # On drop
/// The client has gone, and its session ends: its handlers are dropped.
#[must_use = "a session does nothing unless its stream is polled"]
pub struct SseStream {
    hub: Arc<Shared>,
    pump: Arc<ServerPump>,
    id: SessionId,
    owner: Option<Principal>,
    visit: Option<Visit>,
    head: Parts,
    /// What is said before all else.
    first: Option<Bytes>,
    /// When the last was said.
    last: Option<Time>,
    now: Time,
}

impl SseStream {
    pub(super) fn new(
        hub: &Arc<Shared>,
        pump: Arc<ServerPump>,
        id: SessionId,
        owner: Option<Principal>,
        visit: Visit,
        admission: &Admission,
    ) -> Self {
        Self {
            hub: Arc::clone(hub),
            pump,
            id,
            owner,
            visit: Some(visit),
            head: sse_head(admission),
            first: Some(hub.paths.endpoint_event(&id)),
            last: None,
            now: Time::ORIGIN,
        }
    }

    /// The head of the response.
    pub fn head(&self) -> Parts {
        self.head.clone()
    }

    /// The next part of the body; `None` at its end.
    ///
    /// # Cancel safety
    /// Nothing is lost when the caller stops polling; it may go on later.
    pub fn poll_frame(&mut self, cx: &mut Context<'_>, now: Time) -> Poll<Option<Bytes>> {
        self.now = now;
        if let Some(first) = self.first.take() {
            self.last = Some(now);
            return Poll::Ready(Some(first));
        }
        if self.pump.deadline().is_some_and(|at| at <= now) {
            self.pump.handle_timeout(now);
        }
        self.pump.poll_work(cx, now);
        match self.pump.poll_transmit(cx, now) {
            Poll::Ready(Some(events)) => {
                self.last = Some(now);
                Poll::Ready(Some(events))
            }
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending if self.silent_until().is_some_and(|at| at <= now) => {
                self.last = Some(now);
                Poll::Ready(Some(sse_comment()))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    /// When to poll it even if nobody wakes its task.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        [self.pump.deadline(), self.silent_until()].into_iter().flatten().min()
    }

    fn silent_until(&self) -> Option<Time> {
        self.last.zip(self.hub.keep_alive).map(|(last, silence)| last + silence)
    }
}

impl Drop for SseStream {
    fn drop(&mut self) {
        if let Some(visit) = self.visit.take() {
            self.hub.remove(&self.id, self.owner.as_ref(), visit, self.now);
        }
    }
}

impl fmt::Debug for SseStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SseStream").finish_non_exhaustive()
    }
}
