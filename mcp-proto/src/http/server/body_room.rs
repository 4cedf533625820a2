//! Room for bodies that are being read.

use core::sync::atomic::{AtomicUsize, Ordering};

use super::refusal::Refusal;
use crate::limits::Limits;

/// The small bodies that are being read. Those that are not are [`Bodies`](super::Bodies).
///
/// A body is small as long as it is no more than 1/4096 of [`Limits::reading_bytes`]: 64 KiB by default. Small ones need
/// nothing of that budget, and so are never in the way of each other or of large ones; but when all together take a quarter
/// of it, further ones count as large. They are counted without a lock, so that a threaded driver shares nothing else
/// while they are read.
#[derive(Debug)]
pub struct BodyBudget {
    small: usize,
    most: usize,
    reading: AtomicUsize,
}

impl BodyBudget {
    /// A budget with nothing taken.
    pub fn new(limits: &Limits) -> Self {
        Self {
            small: limits.reading_bytes >> 12,
            most: limits.reading_bytes >> 2,
            reading: AtomicUsize::new(0),
        }
    }

    /// How many bytes of small bodies are taken.
    pub fn reading(&self) -> usize {
        // It counts and guards nothing: no other memory has to be in order with it.
        self.reading.load(Ordering::Relaxed)
    }
}

/// Room for the body of one request while it is read, within [`Limits::body_bytes`]: to be
/// [given back](Self::give_back).
#[derive(Debug)]
#[must_use = "what it takes is to be given back"]
pub struct BodyRoom {
    left: usize,
    small: usize,
    is_large: bool,
}

impl BodyRoom {
    /// Room for a body of at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            left: limit,
            small: 0,
            is_large: false,
        }
    }

    /// Takes room for a piece of the body that has arrived. How many bytes are to be taken of the
    /// [large ones](super::Bodies::take): none while the body is small, then all of it, and each piece from then on.
    ///
    /// # Errors
    /// [`Refusal::TooLarge`]. The refusal is the response, and the rest need not be read.
    pub fn take(&mut self, budget: &BodyBudget, bytes: usize) -> Result<usize, Refusal> {
        // Its own bound first: what is too large for ever is not told to come back later.
        self.left = self.left.checked_sub(bytes).ok_or(Refusal::TooLarge)?;
        if self.is_large {
            return Ok(bytes);
        }
        let whole = self.small + bytes;
        // Never added and taken back: for that moment it would be in the way of others.
        let add = |reading: usize| reading.checked_add(bytes).filter(|all| *all <= budget.most);
        let is_small = whole <= budget.small
            && (budget.reading)
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add)
                .is_ok();
        if is_small {
            self.small = whole;
            return Ok(0);
        }
        self.give_back(budget);
        self.is_large = true;
        Ok(whole)
    }

    /// Gives back what a small body has taken.
    pub fn give_back(&mut self, budget: &BodyBudget) {
        budget
            .reading
            .fetch_sub(core::mem::take(&mut self.small), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_small_until_it_is_large_and_then_counts_in_whole() {
        let budget = BodyBudget::new(&Limits::default().with_reading_bytes(8 << 12));
        let mut room = BodyRoom::new(100);
        assert_eq!((room.take(&budget, 3), room.take(&budget, 5)), (Ok(0), Ok(0)));
        assert_eq!(budget.reading(), 8);
        assert_eq!((room.take(&budget, 1), room.take(&budget, 1)), (Ok(9), Ok(1)));
        assert_eq!(room.take(&budget, 91), Err(Refusal::TooLarge));
        assert_eq!(budget.reading(), 0);
    }

    #[test]
    fn too_many_small_ones_count_as_large() {
        let budget = BodyBudget::new(&Limits::default().with_reading_bytes(1 << 12));
        let mut rooms: alloc::vec::Vec<BodyRoom> = (0..1 << 10).map(|_| BodyRoom::new(9)).collect();
        assert!(rooms.iter_mut().all(|room| room.take(&budget, 1) == Ok(0)));
        let mut next = BodyRoom::new(9);
        assert_eq!(next.take(&budget, 1), Ok(1));
        rooms.iter_mut().for_each(|room| room.give_back(&budget));
        assert_eq!(budget.reading(), 0);
    }
}
