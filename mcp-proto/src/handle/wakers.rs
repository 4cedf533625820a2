//! Who waits.

use alloc::vec::Vec;
use core::task::Waker;

/// The tasks that wait for one thing. Kept under a lock, woken outside of it: take them, unlock, then drop.
#[derive(Debug, Default)]
pub(crate) struct Wakers(Vec<Waker>);

impl Wakers {
    /// Adds the task of `waker`, unless it waits already.
    pub(crate) fn add(&mut self, waker: &Waker) {
        if !self.0.iter().any(|other| other.will_wake(waker)) {
            self.0.push(waker.clone());
        }
    }

    /// Takes them all, to be woken where no lock is held.
    #[must_use = "they have to be woken"]
    pub(crate) fn take(&mut self) -> Self {
        Self(core::mem::take(&mut self.0))
    }

    /// Wakes them.
    pub(crate) fn wake(self) {
        self.0.into_iter().for_each(Waker::wake);
    }
}
