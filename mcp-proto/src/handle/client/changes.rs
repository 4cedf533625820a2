//! What changes at a server, as a stream.

use alloc::sync::Arc;
use core::fmt;
use core::future::poll_fn;
use core::task::{Context, Poll, ready};

use super::shared::{Inner, refused};
use crate::client::{Change, ListenerId};
use crate::model::SubscriptionFilter;
use crate::rpc::CallError;

/// What changes at a server, of what was asked for ([`Client::listen`](super::Client::listen)).
///
/// Nobody waits for a slow reader, and nothing is lost without a word: equal changes that wait are one, and where more than
/// [`Limits::listener_bytes`](crate::Limits::listener_bytes) wait, [`Change::Lagged`] takes their place. After a
/// subscription that was lost, and is there again, comes [`Change::Restored`]. After either whatever is listened to may have
/// changed.
///
/// The connection stays open for as long as this is held, as it does for a call.
///
/// # On drop
/// The subscription ends, and the server is told in the way of the era and the transport: by the end of the response stream
/// or by `notifications/cancelled` (2026-07-28, Subscriptions, Cancellation), or by `resources/unsubscribe` for the
/// resources that nobody else listens to (legacy era).
pub struct Changes {
    inner: Arc<Inner>,
    /// Or why there is none.
    listener: Result<ListenerId, CallError>,
    /// Whether the end was told.
    is_over: bool,
}

impl Changes {
    pub(super) fn new(inner: Arc<Inner>, filter: SubscriptionFilter) -> Self {
        let listener = inner.shared.apply(|state| state.machine.client().listen(filter));
        Self {
            inner,
            listener: listener.map_err(refused),
            is_over: false,
        }
    }

    /// Waits until the server has said what it grants, and says that: perhaps less than was asked for. It may be something
    /// else after [`Change::Restored`].
    ///
    /// # Errors
    /// Why the subscription came to nothing; [`CallError::Cancelled`] where the server has ended it in good order.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn granted(&mut self) -> Result<SubscriptionFilter, CallError> {
        poll_fn(|cx| self.poll_granted(cx)).await
    }

    pub(in crate::handle) fn poll_granted(&mut self, cx: &Context<'_>) -> Poll<Result<SubscriptionFilter, CallError>> {
        match &self.listener {
            Ok(listener) => self.inner.shared.take(|state| state.poll_granted(*listener, cx)),
            Err(error) => Poll::Ready(Err(error.clone())),
        }
    }

    /// The next change; `None` after the end. Where the server has ended the subscription in good order that is all; else an
    /// error comes before, once, that says why.
    ///
    /// # Cancel safety
    /// A change is taken only when it is returned: dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<Change, CallError>> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// [`next`](Self::next) for those who poll.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Change, CallError>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let polled = match &self.listener {
            Ok(listener) => ready!(self.inner.shared.take(|state| state.poll_change(*listener, cx))),
            Err(error) => Err(Err(error.clone())),
        };
        Poll::Ready(match polled {
            Ok(change) => Some(Ok(change)),
            Err(end) => {
                self.is_over = true;
                end.err().map(Err)
            }
        })
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        if let Ok(listener) = self.listener {
            self.inner.shared.apply(|state| state.unsubscribe(listener));
        }
    }
}

/// Says whether it is over, and nothing of what it carries.
impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes")
            .field("is_over", &self.is_over)
            .finish_non_exhaustive()
    }
}
