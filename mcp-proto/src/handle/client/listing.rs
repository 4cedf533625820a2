//! The list of tools, as a future.

use alloc::sync::Arc;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use super::shared::{Inner, refused};
use crate::client::ToolList;
use crate::rpc::{CallError, CallId, CallOptions};

/// The tools of a server, a future of them.
///
/// Ready at once, and without IO, where they are kept and fresh; else they are read from the server when it is first
/// polled, once for all who ask meanwhile; see [`Client::list_tools`](super::Client::list_tools).
///
/// # Cancel safety
/// Polling it again after another future won a race loses nothing.
///
/// # On drop
/// Only this one stops waiting. Where it was the last, the request for the page that is on its way is cancelled.
#[must_use = "nothing is asked before the first poll"]
pub struct ToolListing {
    inner: Arc<Inner>,
    phase: Phase,
    options: CallOptions,
    spent: Duration,
}

#[derive(Debug)]
enum Phase {
    New,
    Waiting(CallId),
    Done,
}

impl ToolListing {
    pub(super) fn new(inner: Arc<Inner>) -> Self {
        Self {
            inner,
            phase: Phase::New,
            options: CallOptions::default(),
            spent: Duration::ZERO,
        }
    }

    /// How long to wait for all of the list, the handshake included, in place of
    /// [`Timeouts::request`](crate::Timeouts::request).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// The timeouts of these options.
    pub fn options(mut self, options: CallOptions) -> Self {
        self.options = options;
        self
    }

    /// So much of its time is spent already.
    pub(crate) fn spend(mut self, spent: Duration) -> Self {
        self.spent = spent;
        self
    }

    /// How much of its time it took, with what was spent before, once it is over.
    pub(crate) fn spent(&self) -> Duration {
        self.spent
    }

    fn start(&mut self) -> Result<Option<ToolList>, CallError> {
        let Phase::New = self.phase else { return Ok(None) };
        self.phase = Phase::Done;
        // Without a word to the driver, where there is nothing for it to do.
        let kept = self
            .inner
            .shared
            .with(|state| state.machine.as_client().tools().cloned());
        if kept.is_none() {
            let (options, spent) = (&self.options, self.spent);
            let call = self.inner.shared.apply(|state| state.list_tools(options, spent));
            self.phase = Phase::Waiting(call.map_err(refused)?);
        }
        Ok(kept)
    }
}

impl Future for ToolListing {
    type Output = Result<ToolList, CallError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if let Some(list) = this.start()? {
            return Poll::Ready(Ok(list));
        }
        let Phase::Waiting(call) = this.phase else {
            return Poll::Ready(Err(CallError::Cancelled));
        };
        // Kept as it is while it waits: dropped then, it is cancelled.
        let (outcome, spent) = ready!(this.inner.shared.with(|state| state.poll_tools(call, cx)));
        this.spent = spent;
        this.phase = Phase::Done;
        Poll::Ready(outcome)
    }
}

impl Drop for ToolListing {
    fn drop(&mut self) {
        if let Phase::Waiting(call) = self.phase {
            self.inner.shared.apply(|state| state.cancel_listing(call));
        }
    }
}

impl fmt::Debug for ToolListing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolListing")
            .field("phase", &self.phase)
            .finish_non_exhaustive()
    }
}
