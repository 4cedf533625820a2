//! Room for bodies that are being read.

use alloc::sync::Arc;
use core::fmt;
use core::sync::atomic::Ordering;

use super::endpoint::Inner;
use crate::http::server::Refusal;

/// Room for the body of one request while it is read, counted against [`Limits::body_bytes`](crate::Limits) and, with
/// all others of the endpoint, against [`Limits::reading_bytes`](crate::Limits).
///
/// # On drop
/// The room is given back.
#[must_use = "the room is given back when it is dropped"]
pub struct BodyRoom {
    inner: Arc<Inner>,
    left: usize,
    taken: usize,
}

impl BodyRoom {
    pub(super) fn new(inner: &Arc<Inner>, limit: usize) -> Self {
        Self {
            inner: inner.clone(),
            left: limit,
            taken: 0,
        }
    }

    /// Takes room for a piece of the body that has arrived.
    ///
    /// # Errors
    /// [`Refusal::TooLarge`] where the body is too large, [`Refusal::Overloaded`] where all bodies together are. The
    /// refusal is the response, and the rest need not be read.
    pub fn take(&mut self, bytes: usize) -> Result<(), Refusal> {
        self.left = self.left.checked_sub(bytes).ok_or(Refusal::TooLarge)?;
        let most = self.inner.server.config().limits().reading_bytes;
        let add = |reading: usize| reading.checked_add(bytes).filter(|reading| *reading <= most);
        match self
            .inner
            .reading
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add)
        {
            Ok(_) => {
                self.taken += bytes;
                Ok(())
            }
            Err(_) => Err(Refusal::Overloaded),
        }
    }
}

impl Drop for BodyRoom {
    fn drop(&mut self) {
        self.inner.reading.fetch_sub(self.taken, Ordering::Relaxed);
    }
}

impl fmt::Debug for BodyRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyRoom")
            .field("taken", &self.taken)
            .finish_non_exhaustive()
    }
}
