//! Who waits.

use alloc::vec::Vec;
use core::task::Waker;

/// The tasks that wait for one thing. Kept under a lock, woken outside of it: take them, unlock, then wake.
///
/// Two of them, a caller and a driver, need no memory of their own.
#[derive(Debug, Default)]
pub(crate) struct Wakers {
    few: [Option<Waker>; 2],
    more: Vec<Waker>,
}

impl Wakers {
    /// Adds the task of `waker`, unless it waits already.
    pub(crate) fn add(&mut self, waker: &Waker) {
        if !self
            .few
            .iter()
            .flatten()
            .chain(&self.more)
            .any(|other| other.will_wake(waker))
        {
            self.push(waker.clone());
        }
    }

    /// Adds a task.
    pub(crate) fn push(&mut self, waker: Waker) {
        match self.few.iter_mut().find(|slot| slot.is_none()) {
            Some(slot) => *slot = Some(waker),
            None => self.more.push(waker),
        }
    }

    /// Adds the tasks that wait for something else.
    pub(crate) fn append(&mut self, other: Self) {
        other
            .few
            .into_iter()
            .flatten()
            .chain(other.more)
            .for_each(|waker| self.push(waker));
    }

    /// Takes them all, to be woken where no lock is held.
    #[must_use = "they have to be woken"]
    pub(crate) fn take(&mut self) -> Self {
        core::mem::take(self)
    }

    /// Wakes them.
    pub(crate) fn wake(self) {
        // Mostly there is none, and nothing is to be paid for that.
        let [first, second] = self.few;
        if let Some(waker) = first {
            waker.wake();
        }
        if let Some(waker) = second {
            waker.wake();
        }
        self.more.into_iter().for_each(Waker::wake);
    }
}
