//! What was lost in the sessions of a pool, as a stream.

use alloc::sync::Arc;
use core::fmt;
use core::future::poll_fn;
use core::task::{Context, Poll, ready};

use super::bulletin::{Bulletin, SessionIncident};

/// What an operator should know of the sessions of a pool, and of which: what [`Client::incidents`] tells of one
/// connection, the sessions that were lost and made again among it.
///
/// A new reader is told of the last 64 that there were in the whole pool.
///
/// # On drop
/// Stops reading.
///
/// [`Client::incidents`]: crate::handle::Client::incidents
pub struct SessionIncidents<K> {
    bulletin: Arc<Bulletin<K>>,
    /// Whose are told, where not all are.
    only: Option<Arc<K>>,
    reader: u64,
    /// The next one to be read, counted from the first that there was.
    next: u64,
    missed: u64,
}

impl<K: Ord> SessionIncidents<K> {
    pub(super) fn new(bulletin: &Arc<Bulletin<K>>, only: Option<Arc<K>>) -> Self {
        Self {
            bulletin: bulletin.clone(),
            only,
            reader: bulletin.reader(),
            next: 0,
            missed: 0,
        }
    }

    /// The next incident; `None` when the pool is closed and its driver done or gone.
    ///
    /// # Cancel safety
    /// An incident is taken only when it is returned: dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<SessionIncident<K>> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// [`next`](Self::next) for those who poll.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<SessionIncident<K>>> {
        // Bounded by what is kept: each round goes on by one of them.
        loop {
            let Some((at, told)) = ready!(self.bulletin.poll(self.reader, self.next, cx)) else {
                return Poll::Ready(None);
            };
            self.missed += at - self.next;
            self.next = at + 1;
            if self.only.as_ref().is_none_or(|only| *only == told.key) {
                return Poll::Ready(Some(told));
            }
        }
    }

    /// How many were forgotten before they were looked at here, whichever session they were of.
    pub fn missed(&self) -> u64 {
        self.missed
    }
}

impl<K> Drop for SessionIncidents<K> {
    fn drop(&mut self) {
        self.bulletin.remove(self.reader);
    }
}

impl<K> fmt::Debug for SessionIncidents<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionIncidents")
            .field("missed", &self.missed)
            .finish_non_exhaustive()
    }
}
