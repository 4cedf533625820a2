//! What a handler of a client knows of the request that it answers.

use alloc::sync::{Arc, Weak};
use core::fmt;
use core::future::poll_fn;
use core::task::{Context, Poll};

use super::reports::Reports;
use crate::handle::client::facade::Client;
use crate::handle::client::shared::{Inner, Shared};
use crate::handle::sync::{Mutex, lock};
use crate::handle::wakers::{Wait, Waiters};
use crate::method::Method;
use crate::revision::Revision;
use crate::rpc::CallId;

/// What a handler of a client knows of the request that it answers, and the client that the request came to.
///
/// Cheap to clone, and may outlive its request. It does not keep the connection from being closed: with the last handle
/// of the client that an application holds the handlers are dropped where they wait.
#[derive(Clone)]
pub struct AnswerContext {
    shared: Arc<Shared>,
    handles: Weak<Inner>,
    related: Option<CallId>,
    revision: Revision,
    reports: Option<Arc<Reports>>,
    life: Arc<Life>,
}

impl AnswerContext {
    pub(super) fn new(
        shared: &Arc<Shared>,
        handles: &Weak<Inner>,
        related: Option<CallId>,
        revision: Revision,
        reports: Option<Reports>,
        life: &Arc<Life>,
    ) -> Self {
        Self {
            shared: shared.clone(),
            handles: handles.clone(),
            related,
            revision,
            reports: reports.map(Arc::new),
            life: life.clone(),
        }
    }

    /// The client that was asked, to call tools of the server from within the answer.
    ///
    /// Such a call may make the server ask again: nothing is held while it is in flight, however deep that goes.
    pub fn client(&self) -> Client {
        // Where there is no handle left the connection is closed, and another one that goes has nothing to close.
        let handles = self.handles.upgrade();
        Client::of_inner(handles.unwrap_or_else(|| Arc::new(Inner::new(self.shared.clone()))))
    }

    /// The call that the server needs the answer for, where that is known: always in 2026-07-28, before that over HTTP
    /// where the request came in the response to a call.
    pub fn related(&self) -> Option<CallId> {
        self.related
    }

    /// The revision that is spoken with the server.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// Tells the server how far the answer is (`notifications/progress`), and never waits. Nothing is sent where the server
    /// has not asked for it, as in 2026-07-28, whose servers make no requests; where `progress` is not more than the last
    /// time (Progress: it MUST increase); and where there is no room for it: the next report says more.
    pub fn progress<'a>(&self, progress: f64, total: impl Into<Option<f64>>, message: impl Into<Option<&'a str>>) {
        let Some(reports) = self.reports.as_ref().filter(|_| !self.is_cancelled()) else {
            return;
        };
        if let Some(params) = reports.next(progress, total.into(), message.into()) {
            let method = Method::ProgressNotification;
            let _ = self.shared.apply(|state| state.machine.client().notify(method, params));
        }
    }

    /// Whether the request is over: answered, taken back, or the connection is closed.
    pub fn is_cancelled(&self) -> bool {
        self.life.is_over()
    }

    /// Waits until the request is over: answered, taken back, or the connection is closed. For what a handler has handed
    /// to somebody else: its own future is dropped then.
    ///
    /// # Cancel safety
    /// It has no effect, and may be dropped and called again.
    pub async fn cancelled(&self) {
        let mut watching = Watching {
            life: &self.life,
            wait: Wait::default(),
        };
        poll_fn(|cx| watching.poll(cx)).await;
    }
}

impl fmt::Debug for AnswerContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerContext")
            .field("related", &self.related)
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}

/// Whether a request is over, and who waits for that.
#[derive(Debug, Default)]
pub(super) struct Life(Mutex<(bool, Waiters)>);

impl Life {
    /// The request is over.
    pub(super) fn end(&self) {
        let waiting = {
            let mut life = lock(&self.0);
            life.0 = true;
            life.1.take()
        };
        // Under no lock: whoever is woken may look here at once.
        waiting.wake();
    }

    fn is_over(&self) -> bool {
        lock(&self.0).0
    }
}

/// One who waits for the end of a request.
struct Watching<'a> {
    life: &'a Life,
    wait: Wait,
}

impl Watching<'_> {
    fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        let mut life = lock(&self.life.0);
        if life.0 {
            return Poll::Ready(());
        }
        let spent = life.1.wait(&mut self.wait, cx.waker());
        drop(life);
        drop(spent);
        Poll::Pending
    }
}

impl Drop for Watching<'_> {
    fn drop(&mut self) {
        if self.wait.is_begun() {
            let spent = lock(&self.life.0).1.leave(&mut self.wait);
            drop(spent);
        }
    }
}
