//! Notifications of the server, as a stream.

use alloc::sync::Arc;
use core::future::poll_fn;
use core::task::{Context, Poll};

use super::shared::Shared;
use crate::client::ServerNotification;

/// What a server notifies of its own accord, in its order: changes of lists, log messages, and whatever it
/// invents. Progress of a call goes to the call. Each says which call it came with, where that is known
/// ([`ServerNotification::related`]); [`Call::id`](super::Call::id) tells which that is.
///
/// # On drop
/// Stops reading; nothing is told to the server.
#[derive(Debug)]
pub struct Notifications {
    shared: Arc<Shared>,
    listener: u64,
}

impl Notifications {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let listener = shared.with(|state| state.listen(false));
        Self { shared, listener }
    }

    /// Of a reader that comes late: what was notified before counts as missed.
    pub(super) fn late(shared: Arc<Shared>) -> Self {
        let listener = shared.with(|state| state.listen(true));
        Self { shared, listener }
    }

    /// The next notification; `None` when the connection is closed.
    ///
    /// # Cancel safety
    /// A notification is taken only when it is returned: dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<ServerNotification> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// [`next`](Self::next) for those who poll.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<ServerNotification>> {
        self.shared.with(|state| state.poll_notification(self.listener, cx))
    }

    /// How many notifications were dropped because more than
    /// [`Limits::notifications`](crate::Limits::notifications) waited here, or more than
    /// [`Limits::total_bytes`](crate::Limits::total_bytes) in all handles of the client.
    pub fn missed(&self) -> u64 {
        self.shared.with(|state| state.missed(self.listener))
    }
}

impl Drop for Notifications {
    fn drop(&mut self) {
        self.shared.with(|state| state.unlisten(self.listener));
    }
}
