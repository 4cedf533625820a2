//! Who waits, and whom to wake.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::task::{Context, Waker};

/// Those to be woken. Gathered under a lock, woken outside of it: take them, unlock, then wake.
///
/// Two of them, a caller and a driver, need no memory of their own.
#[derive(Debug, Default)]
pub(crate) struct Wakers {
    few: [Option<Waker>; 2],
    #[expect(
        clippy::box_collection,
        reason = "there is hardly ever a crowd, and every idle session has one of these"
    )]
    crowd: Option<Box<Vec<Waker>>>,
}

impl Wakers {
    /// Adds a task.
    pub(crate) fn push(&mut self, waker: Waker) {
        match self.few.iter_mut().find(|slot| slot.is_none()) {
            Some(slot) => *slot = Some(waker),
            None => self.crowd.get_or_insert_default().push(waker),
        }
    }

    /// Adds tasks. One that is added twice is polled once more, and that is all.
    pub(crate) fn append(&mut self, other: Self) {
        other.few.into_iter().for_each(|waker| self.extend(waker));
        if let Some(crowd) = other.crowd {
            crowd.into_iter().for_each(|waker| self.push(waker));
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
            crowd.into_iter().for_each(Waker::wake);
        }
    }
}

/// The tasks that wait for one thing, each for as long as it waits: kept under a lock, and woken outside of it.
///
/// Each step is one of a map, however many wait. The first needs no memory of its own.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    next: u64,
    first: Option<(u64, Waker)>,
    /// By number, and so in the order in which they came: nobody is woken last for ever.
    #[expect(clippy::box_collection, reason = "as above")]
    crowd: Option<Box<BTreeMap<u64, Waker>>>,
}

/// The place of one who waits, for one of the [`Waiters`]. One task may have several, with one waker.
#[derive(Debug, Default)]
#[must_use = "who does not wait any more leaves"]
pub(crate) struct Wait(u64);

impl Wait {
    /// Whether there may be anything to leave.
    pub(crate) fn is_begun(&self) -> bool {
        self.0 != 0
    }
}

impl Waiters {
    /// Has a task woken for `wait`. Gives the waker in whose place it is.
    #[must_use = "it is dropped where no lock is held"]
    pub(crate) fn wait(&mut self, wait: &mut Wait, waker: &Waker) -> Option<Waker> {
        // Those who were woken have left, and begin anew: numbers are never given twice.
        if let Some(before) = self.waker(wait) {
            return replace(before, waker);
        }
        self.next += 1;
        wait.0 = self.next;
        let waker = waker.clone();
        match &mut self.first {
            None => self.first = Some((self.next, waker)),
            Some(_) => {
                self.crowd.get_or_insert_default().insert(self.next, waker);
            }
        }
        None
    }

    /// Stops to wait. Gives the waker.
    #[must_use = "it is dropped where no lock is held"]
    pub(crate) fn leave(&mut self, wait: &mut Wait) -> Option<Waker> {
        let number = core::mem::take(&mut wait.0);
        if let Some((_, waker)) = self.first.take_if(|(first, _)| *first == number) {
            return Some(waker);
        }
        self.crowd.as_mut()?.remove(&number)
    }

    /// Takes them all, to be woken where no lock is held.
    #[must_use = "they have to be woken"]
    pub(crate) fn take(&mut self) -> Wakers {
        let mut woken = Wakers::default();
        if let Some((_, waker)) = self.first.take() {
            woken.few[0] = Some(waker);
        }
        if let Some(crowd) = self.crowd.take() {
            woken.crowd = Some(Box::new(crowd.into_values().collect()));
        }
        woken
    }

    fn waker(&mut self, wait: &Wait) -> Option<&mut Waker> {
        match &mut self.first {
            Some((first, waker)) if *first == wait.0 => Some(waker),
            _ => self.crowd.as_mut()?.get_mut(&wait.0),
        }
    }
}

/// Keeps the waker of the task that polls. Gives the one in whose place it is, where that was another task.
#[must_use = "it is dropped where no lock is held"]
pub(crate) fn keep(slot: &mut Option<Waker>, cx: &Context<'_>) -> Option<Waker> {
    match slot {
        Some(waker) => replace(waker, cx.waker()),
        None => slot.replace(cx.waker().clone()),
    }
}

/// The same, where there is one.
#[must_use = "it is dropped where no lock is held"]
pub(crate) fn replace(waker: &mut Waker, by: &Waker) -> Option<Waker> {
    // With its last waker a task goes, and what it holds may come back to the lock that is held here.
    match waker.will_wake(by) {
        true => None,
        false => Some(core::mem::replace(waker, by.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handle::count::Count;
    use alloc::sync::Arc;

    fn counts(number: usize) -> (Vec<Arc<Count>>, Vec<Waker>) {
        let counts: Vec<Arc<Count>> = (0..number).map(|_| Arc::default()).collect();
        let wakers = counts.iter().map(|count| Waker::from(count.clone())).collect();
        (counts, wakers)
    }

    #[test]
    fn who_waits_is_woken_once_however_often_it_was_polled() {
        let (counts, wakers) = counts(9);
        let (mut waiters, mut waits): (_, [Wait; 9]) = (Waiters::default(), Default::default());
        for _ in 0..3 {
            for (wait, waker) in waits.iter_mut().zip(&wakers) {
                assert!(waiters.wait(wait, waker).is_none());
            }
        }
        let taken = waiters.take();
        assert!(waiters.wait(&mut waits[8], &wakers[8]).is_none());
        taken.wake();
        assert!(counts.iter().all(|count| count.get() == 1));
        waiters.take().wake();
        assert_eq!(counts[8].get(), 2);
    }

    #[test]
    fn who_is_dropped_takes_its_waker_with_it_and_the_others_of_its_task_stay() {
        let (counts, wakers) = counts(1);
        let (mut waiters, mut waits): (_, [Wait; 3]) = (Waiters::default(), Default::default());
        for wait in &mut waits {
            assert!(waiters.wait(wait, &wakers[0]).is_none());
        }
        assert_eq!(Arc::strong_count(&counts[0]), 5);
        let left: Vec<_> = waits[..2].iter_mut().map(|wait| waiters.leave(wait)).collect();
        assert!(left.iter().all(Option::is_some) && waiters.leave(&mut waits[0]).is_none());
        drop(left);
        assert_eq!(Arc::strong_count(&counts[0]), 3);
        waiters.take().wake();
        assert_eq!(counts[0].get(), 1);
        assert!(waiters.leave(&mut waits[2]).is_none(), "who was woken has left");
    }

    #[test]
    fn another_task_takes_the_place_of_the_one_before() {
        let (counts, wakers) = counts(2);
        let (mut waiters, mut wait) = (Waiters::default(), Wait::default());
        assert!(waiters.wait(&mut wait, &wakers[0]).is_none());
        let before = waiters.wait(&mut wait, &wakers[1]);
        assert!(before.is_some_and(|before| before.will_wake(&wakers[0])));
        waiters.take().wake();
        assert_eq!((counts[0].get(), counts[1].get()), (0, 1));
    }

    #[test]
    fn a_hundred_thousand_come_and_go_each_in_a_few_steps_and_are_woken_once() {
        let (counts, wakers) = counts(100_000);
        let (mut waiters, mut waits) = (Waiters::default(), Vec::new());
        waits.resize_with(counts.len(), Wait::default);
        // Looking through those who wait for each of them would take minutes.
        for _ in 0..2 {
            for (wait, waker) in waits.iter_mut().zip(&wakers) {
                drop(waiters.wait(wait, waker));
            }
        }
        for wait in waits.iter_mut().step_by(2) {
            assert!(waiters.leave(wait).is_some());
        }
        waiters.take().wake();
        let woken = counts.iter().enumerate().all(|(at, count)| count.get() == at % 2);
        assert!(woken);
    }
}
