//! What a handler of a client knows of the request that it answers.

use alloc::sync::{Arc, Weak};
use core::fmt;
use core::future::poll_fn;
use core::task::{Poll, Waker};

use crate::handle::client::facade::Client;
use crate::handle::client::shared::{Inner, Shared};
use crate::handle::places::Places;
use crate::handle::sync::{Mutex, lock};
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
    life: Arc<Life>,
}

impl AnswerContext {
    pub(super) fn new(
        shared: &Arc<Shared>,
        handles: &Weak<Inner>,
        related: Option<CallId>,
        revision: Revision,
        life: &Arc<Life>,
    ) -> Self {
        Self {
            shared: shared.clone(),
            handles: handles.clone(),
            related,
            revision,
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
        let place = self.life.watchers.place();
        poll_fn(|cx| {
            // Before the look: the end in between is not missed.
            place.wait(cx);
            match self.life.is_over() {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
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
pub(super) struct Life {
    is_over: Mutex<bool>,
    watchers: Arc<Places>,
}

impl Life {
    pub(super) fn begin() -> Self {
        Self {
            is_over: Mutex::new(false),
            watchers: Arc::default(),
        }
    }

    /// The request is over.
    pub(super) fn end(&self) {
        *lock(&self.is_over) = true;
        Waker::from(self.watchers.clone()).wake();
    }

    fn is_over(&self) -> bool {
        *lock(&self.is_over)
    }
}
