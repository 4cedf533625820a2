//! Room for bodies that are being read.

use alloc::sync::Arc;
use core::fmt;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::refusal::Refusal;
use crate::limits::Limits;

/// The bytes of all bodies that are being read, and how many there may be
/// ([`Limits::reading_bytes`]).
///
/// Counted without a lock, so that a threaded driver shares nothing else while bodies are read.
#[derive(Debug)]
pub struct BodyBudget {
    most: usize,
    reading: AtomicUsize,
}

impl BodyBudget {
    /// A budget with nothing taken.
    pub fn new(limits: &Limits) -> Self {
        Self {
            most: limits.reading_bytes,
            reading: AtomicUsize::new(0),
        }
    }

    /// How many bytes are taken.
    pub fn reading(&self) -> usize {
        // It counts and guards nothing: no other memory has to be in order with it.
        self.reading.load(Ordering::Relaxed)
    }
}

/// Room for the body of one request while it is read, counted against [`Limits::body_bytes`] and, with all others of
/// the endpoint, against [`Limits::reading_bytes`].
///
/// # On drop
/// The room is given back.
#[must_use = "the room is given back when it is dropped"]
pub struct BodyRoom {
    budget: Arc<BodyBudget>,
    left: usize,
    taken: usize,
}

impl BodyRoom {
    /// Room for a body of at most `limit` bytes.
    pub fn new(budget: &Arc<BodyBudget>, limit: usize) -> Self {
        Self {
            budget: budget.clone(),
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
        // Its own bound first: what is too large for ever is not told to come back later.
        self.left = self.left.checked_sub(bytes).ok_or(Refusal::TooLarge)?;
        // Never added and taken back: for that moment it would refuse others who have room.
        let add = |reading: usize| reading.checked_add(bytes).filter(|all| *all <= self.budget.most);
        match self
            .budget
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
        self.budget.reading.fetch_sub(self.taken, Ordering::Relaxed);
    }
}

impl fmt::Debug for BodyRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyRoom")
            .field("taken", &self.taken)
            .finish_non_exhaustive()
    }
}
