//! Who waits.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::ptr;
use core::task::{Context, Waker};

/// The tasks that wait for one thing. Kept under a lock, woken outside of it: take them, unlock, then wake.
///
/// Two of them, a caller and a driver, need no memory of their own.
///
/// Who does not wait any more stays until the next wake: one task may wait in several places with one waker, and taking it
/// out for one of them would leave the others asleep. Nothing is kept of it but the waker.
#[derive(Debug, Default)]
pub(crate) struct Wakers {
    few: [Option<Waker>; 2],
    // Behind a box: there is hardly ever a crowd, and every idle session has one of these.
    crowd: Option<Box<Crowd>>,
}

/// Those who are more than a few.
#[derive(Debug, Default)]
struct Crowd {
    /// In the order in which they came, so that nobody is woken last for ever.
    wakers: Vec<Waker>,
    /// Whose tasks they are, where they were added as such: thousands may wait for one handshake, and each polls more
    /// than once.
    known: BTreeSet<Task>,
}

/// What tells the task of one waker from that of another, as [`Waker::will_wake`] does, while both are kept.
type Task = (usize, usize);

impl Wakers {
    /// Adds the task of `waker`, unless it waits already.
    pub(crate) fn add(&mut self, waker: &Waker) {
        if self.few.iter().flatten().any(|other| other.will_wake(waker)) {
            return;
        }
        match self.few.iter_mut().find(|slot| slot.is_none()) {
            Some(slot) => *slot = Some(waker.clone()),
            None => {
                let crowd = self.crowd.get_or_insert_default();
                if crowd.known.insert(task_of(waker)) {
                    crowd.wakers.push(waker.clone());
                }
            }
        }
    }

    /// Adds a task.
    pub(crate) fn push(&mut self, waker: Waker) {
        match self.few.iter_mut().find(|slot| slot.is_none()) {
            Some(slot) => *slot = Some(waker),
            None => self.crowd.get_or_insert_default().wakers.push(waker),
        }
    }

    /// Adds the tasks that wait for something else.
    pub(crate) fn append(&mut self, other: Self) {
        // Not compared with those that are here: a task that is woken twice is polled once more, and that is all.
        other.few.into_iter().for_each(|waker| self.extend(waker));
        if let Some(crowd) = other.crowd {
            crowd.wakers.into_iter().for_each(|waker| self.push(waker));
        }
    }

    /// Adds a task, where there is one.
    pub(crate) fn extend(&mut self, waker: Option<Waker>) {
        if let Some(waker) = waker {
            self.push(waker);
        }
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
        if let Some(crowd) = self.crowd {
            crowd.wakers.into_iter().for_each(Waker::wake);
        }
    }
}

/// Keeps the waker of the task that polls, in place of the one before.
pub(crate) fn keep(slot: &mut Option<Waker>, cx: &Context<'_>) {
    match slot {
        // Which does nothing where it is the same task.
        Some(waker) => waker.clone_from(cx.waker()),
        None => *slot = Some(cx.waker().clone()),
    }
}

fn task_of(waker: &Waker) -> Task {
    (waker.data().addr(), ptr::from_ref(waker.vtable()).addr())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handle::count::Count;
    use alloc::sync::Arc;

    #[test]
    fn a_task_that_waits_twice_is_woken_once() {
        let counts: Vec<Arc<Count>> = (0..9).map(|_| Arc::default()).collect();
        let mut wakers = Wakers::default();
        for _ in 0..3 {
            counts.iter().for_each(|count| wakers.add(&Waker::from(count.clone())));
        }
        let taken = wakers.take();
        wakers.add(&Waker::from(counts[8].clone()));
        taken.wake();
        assert!(counts.iter().all(|count| count.get() == 1));
        wakers.take().wake();
        assert_eq!(counts[8].get(), 2);
    }

    #[test]
    fn a_hundred_thousand_wait_each_in_a_few_steps_and_are_woken_once() {
        let counts: Vec<Arc<Count>> = (0..100_000).map(|_| Arc::default()).collect();
        let wakers: Vec<Waker> = counts.iter().map(|count| Waker::from(count.clone())).collect();
        let mut waiting = Wakers::default();
        // Looking through those who wait for each of them would take minutes.
        for _ in 0..2 {
            wakers.iter().for_each(|waker| waiting.add(waker));
        }
        waiting.take().wake();
        assert!(counts.iter().all(|count| count.get() == 1));
    }
}
