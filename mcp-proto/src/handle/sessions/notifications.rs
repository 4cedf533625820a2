//! The notifications of a session, one client after the other.

use alloc::sync::Arc;
use core::fmt;
use core::task::{Context, Poll, ready};

use super::followers::Follow;
use super::shared::{Inner, Shared};
use crate::client::ServerNotification;
use crate::handle::client::{Client, Notifications};

/// What the server of a [`Session`](super::Session) notifies of its own accord, one session of the key after the other.
/// It creates none, and keeps none.
///
/// # On drop
/// Only this reader stops.
pub struct SessionNotifications<K: Ord> {
    shared: Arc<Shared<K>>,
    key: Arc<K>,
    present: Option<Notifications>,
    missed: u64,
    follow: Follow,
}

impl<K: Ord> SessionNotifications<K> {
    pub(super) fn new(inner: &Inner<K>, key: &Arc<K>) -> Self {
        let mut new = Self {
            shared: inner.shared.clone(),
            key: key.clone(),
            present: None,
            missed: 0,
            follow: Follow::default(),
        };
        new.attach(Client::notifications);
        new
    }

    /// The next notification, in the order of the server; `None` when the pool is closed. Where a session was lost, what
    /// its server would have said until the next one counts as [missed](Self::missed).
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<ServerNotification>> {
        if let Some(present) = &mut self.present {
            if let Some(notification) = ready!(present.poll_next(cx)) {
                return Poll::Ready(Some(notification));
            }
            // Whatever would have come until the next one is there.
            self.missed += present.missed() + 1;
            self.present = None;
        }
        let is_closed = self.shared.with(|state| {
            // Before it looks for a session: one that comes meanwhile wakes this task.
            state.follow(&self.key, &mut self.follow, cx);
            state.machine.close_reason().is_some()
        });
        if is_closed {
            return Poll::Ready(None);
        }
        // What it has said already was for this reader as well.
        self.attach(Client::notifications_and_missed);
        match &mut self.present {
            Some(present) => match present.poll_next(cx) {
                // It was closed just now: those who watch hear of it.
                Poll::Ready(None) => Poll::Pending,
                polled => polled,
            },
            None => Poll::Pending,
        }
    }

    /// How many were lost because nobody took them, or with a session.
    pub fn missed(&self) -> u64 {
        self.missed + self.present.as_ref().map_or(0, Notifications::missed)
    }

    /// Reads those of the session that there is.
    fn attach(&mut self, read: impl FnOnce(&Client) -> Notifications) {
        let client = self.shared.with(|state| state.client(&self.key));
        self.present = client.filter(|client| !client.is_closed()).map(|client| read(&client));
    }
}

impl<K: Ord> Drop for SessionNotifications<K> {
    fn drop(&mut self) {
        if self.follow.is_begun() {
            self.shared.with(|state| state.stop_following(&self.key, &self.follow));
        }
    }
}

impl<K: Ord> fmt::Debug for SessionNotifications<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionNotifications")
            .field("missed", &self.missed)
            .finish_non_exhaustive()
    }
}
