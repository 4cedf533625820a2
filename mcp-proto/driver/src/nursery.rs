//! Futures that are handed in by what runs beside them.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::future::{Future, poll_fn};
use core::panic::AssertUnwindSafe;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use std::panic::catch_unwind;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mcp_proto::handle::{AtWork, Tasks};

/// How often it goes round before other tasks get their turn.
const ROUNDS: usize = 4;

/// How many futures are polled in one round. Each may be a connection with a handler to run: all rounds together shall
/// not hold the thread for long.
const POLLS: usize = 8;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Polls in place what a library wants to have spawned: for runtimes without a spawner of their own. What is handed in
/// and panics ends alone, as it would in a task.
#[derive(Default)]
pub struct Nursery {
    tasks: Tasks<Task>,
    arrivals: Arc<Mutex<Arrivals>>,
}

/// Hands futures to a [`Nursery`].
///
/// # On drop
/// What was handed in runs on. What is handed in once the nursery is gone is dropped.
#[derive(Clone)]
pub struct Spawner(Arc<Mutex<Arrivals>>);

#[derive(Default)]
struct Arrivals {
    tasks: Vec<Task>,
    is_over: bool,
    /// The task of the nursery, while it rests.
    waker: Option<Waker>,
    /// It looks at what was handed in before it rests, and need not be woken for that.
    is_at_work: bool,
}

impl Nursery {
    /// One without futures.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What hands futures to it.
    #[must_use]
    pub fn spawner(&self) -> Spawner {
        Spawner(self.arrivals.clone())
    }

    /// Runs `main`, and beside it whatever is handed in; `main` is polled again whenever one of them was. What has not
    /// ended when `main` has is kept, to run on with the next, or to be dropped with the nursery.
    ///
    /// # Cancel safety
    /// Dropping it drops `main` alone.
    pub async fn run<T>(&mut self, main: impl Future<Output = T>) -> T {
        let mut main = pin!(main);
        poll_fn(|cx| {
            let mut work = self.start_work(cx);
            for _ in 0..ROUNDS {
                // First, and again after the others: what they did may be what it waits for.
                if let Poll::Ready(value) = main.as_mut().poll(cx) {
                    work.end();
                    return Poll::Ready(value);
                }
                if !self.poll(&mut work) {
                    return Poll::Pending;
                }
            }
            // At work still: it is woken.
            Poll::Pending
        })
        .await
    }

    /// Runs `main`, and beside it whatever is handed in, to the end of all.
    ///
    /// # Cancel safety
    /// Dropping it drops all of them.
    pub async fn run_out(mut self, main: impl Future<Output = ()>) {
        let mut main = pin!(Some(main));
        poll_fn(|cx| {
            let mut work = self.start_work(cx);
            for _ in 0..ROUNDS {
                if main.as_mut().as_pin_mut().is_some_and(|main| main.poll(cx).is_ready()) {
                    // The others may wait for what it holds.
                    main.set(None);
                }
                if !self.poll(&mut work) {
                    // Only what runs in it could hand in more.
                    let is_done = main.is_none() && self.tasks.is_empty();
                    return if is_done { Poll::Ready(()) } else { Poll::Pending };
                }
            }
            // At work still: it is woken.
            Poll::Pending
        })
        .await;
    }

    /// Whatever is handed in or woken from now on is seen before it rests.
    fn start_work<'a>(&self, cx: &Context<'a>) -> AtWork<'a> {
        lock(&self.arrivals).is_at_work = true;
        self.tasks.start_work(cx)
    }

    /// Polls what was handed in, each future that was woken. Whether there was one.
    fn poll(&mut self, work: &mut AtWork<'_>) -> bool {
        // Polled outside of the lock: any of them may hand in more.
        let arrived = core::mem::take(&mut lock(&self.arrivals).tasks);
        for task in arrived {
            self.tasks.insert(task);
        }
        for polls in 0..POLLS {
            let Some((index, outcome)) = self.tasks.poll_next(poll_alone) else {
                return polls > 0 || !self.rest(work);
            };
            if outcome.is_ready() {
                self.tasks.remove(index);
            }
        }
        true
    }

    /// `false` where there is something to be polled at once.
    fn rest(&self, work: &mut AtWork<'_>) -> bool {
        // Locked throughout: what is handed in meanwhile finds the waker, or is found here.
        let mut arrivals = lock(&self.arrivals);
        let Some(outer) = work.waker() else { return true };
        let is_idle = arrivals.tasks.is_empty() && self.tasks.rest(work);
        if is_idle {
            arrivals.is_at_work = false;
            match &mut arrivals.waker {
                Some(waker) => waker.clone_from(outer),
                None => arrivals.waker = Some(outer.clone()),
            }
        }
        is_idle
    }
}

impl Drop for Nursery {
    fn drop(&mut self) {
        let mut arrivals = lock(&self.arrivals);
        // Before anything is dropped: what a future hands in as it goes is dropped too, and not kept for ever.
        arrivals.is_over = true;
        let tasks = core::mem::take(&mut arrivals.tasks);
        // Outside of the lock: a future that is dropped may hand in another.
        drop(arrivals);
        drop(tasks);
    }
}

impl Spawner {
    /// Hands in `future`. Nothing of it is polled here.
    pub fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        let mut arrivals = lock(&self.0);
        if arrivals.is_over {
            return;
        }
        arrivals.tasks.push(Box::pin(future));
        // Whoever is at work looks once more before it rests.
        let waker = match arrivals.is_at_work {
            true => None,
            false => arrivals.waker.take(),
        };
        drop(arrivals);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Polls a future. One that panics has ended.
fn poll_alone(task: &mut Task, cx: &mut Context<'_>) -> Poll<()> {
    catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(cx))).unwrap_or(Poll::Ready(()))
}

fn lock(arrivals: &Mutex<Arrivals>) -> MutexGuard<'_, Arrivals> {
    arrivals.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Nursery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nursery")
            .field("tasks", &self.tasks.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Spawner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spawner").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::count::Count;
    use core::future::pending;

    fn poll<F: Future>(future: Pin<&mut F>, wakes: &Arc<Count>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(&Waker::from(wakes.clone())))
    }

    #[test]
    fn what_is_handed_in_runs_beside_the_main_future() {
        let (mut nursery, done, wakes) = (Nursery::new(), Arc::new(Count::default()), Arc::new(Count::default()));
        let spawner = nursery.spawner();
        let (inner, counted) = (spawner.clone(), done.clone());
        let mut running = pin!(nursery.run(pending::<()>()));
        spawner.spawn(async move {
            let nested = counted.clone();
            inner.spawn(async move { nested.add() });
            counted.add();
        });
        assert!(poll(running.as_mut(), &wakes).is_pending());
        assert_eq!((done.get(), wakes.get()), (2, 0));
        let counted = done.clone();
        spawner.spawn(async move { counted.add() });
        assert_eq!(wakes.get(), 1);
        assert!(poll(running, &wakes).is_pending());
        assert_eq!(done.get(), 3);
    }

    struct Held(Arc<Count>);

    impl Drop for Held {
        fn drop(&mut self) {
            self.0.add();
        }
    }

    #[test]
    fn what_has_not_ended_with_the_main_future_runs_on_with_the_next_or_ends_with_the_nursery() {
        let (mut nursery, dropped, wakes) = (Nursery::new(), Arc::new(Count::default()), Arc::new(Count::default()));
        let (spawner, polls) = (nursery.spawner(), Arc::new(Count::default()));
        for held in [0, 1].map(|_| Held(dropped.clone())) {
            let polls = polls.clone();
            spawner.spawn(poll_fn(move |cx| {
                let _ = &held;
                polls.add();
                cx.waker().wake_by_ref();
                Poll::Pending
            }));
        }
        let mut ends = false;
        let main = poll_fn(|_| match core::mem::replace(&mut ends, true) {
            true => Poll::Ready(7),
            false => Poll::Pending,
        });
        assert_eq!(poll(pin!(nursery.run(main)), &wakes), Poll::Ready(7));
        let before = polls.get();
        assert!(before >= 2 && dropped.get() == 0);
        assert!(poll(pin!(nursery.run(pending::<()>())), &wakes).is_pending());
        assert!(polls.get() >= before + 2 && dropped.get() == 0);
        drop(nursery);
        assert_eq!(dropped.get(), 2);
        let held = Held(dropped.clone());
        spawner.spawn(async move { drop(held) });
        assert_eq!(dropped.get(), 3);
    }

    #[test]
    fn all_run_out_where_that_is_asked_for() {
        let (nursery, done, wakes) = (Nursery::new(), Arc::new(Count::default()), Arc::new(Count::default()));
        let (spawner, counted) = (nursery.spawner(), done.clone());
        let child = Arc::new(Mutex::new(None::<Waker>));
        let (seen, held) = (child.clone(), Arc::new(()));
        let holds = held.clone();
        let main = poll_fn(move |_| {
            let _ = &holds;
            Poll::Ready(())
        });
        let nested = spawner.clone();
        spawner.spawn(async move {
            poll_fn(|cx| match seen.lock().unwrap().replace(cx.waker().clone()) {
                None => Poll::Pending,
                Some(_) => Poll::Ready(()),
            })
            .await;
            nested.spawn(async move { counted.add() });
        });
        let mut running = pin!(nursery.run_out(main));
        assert!(poll(running.as_mut(), &wakes).is_pending());
        assert_eq!(Arc::strong_count(&held), 1, "the main future is gone");
        assert!(poll(running.as_mut(), &wakes).is_pending());
        assert_eq!((done.get(), wakes.get()), (0, 0));
        child.lock().unwrap().as_ref().unwrap().wake_by_ref();
        assert_eq!(wakes.get(), 1);
        assert_eq!(poll(running, &wakes), Poll::Ready(()));
        assert_eq!(done.get(), 1);
    }

    #[test]
    fn a_future_that_panics_ends_alone() {
        let (mut nursery, dropped, wakes) = (Nursery::new(), Arc::new(Count::default()), Arc::new(Count::default()));
        let (spawner, held) = (nursery.spawner(), Held(dropped.clone()));
        let mut running = pin!(nursery.run(pending::<()>()));
        spawner.spawn(async move {
            let _held = held;
            panic!("a connection panics, as it should here");
        });
        let done = Arc::new(Count::default());
        let counted = done.clone();
        spawner.spawn(async move { counted.add() });
        assert!(poll(running.as_mut(), &wakes).is_pending());
        assert_eq!((dropped.get(), done.get()), (1, 1));
    }

    #[test]
    fn a_future_that_wakes_itself_leaves_others_their_turn() {
        let (mut nursery, wakes) = (Nursery::new(), Arc::new(Count::default()));
        nursery.spawner().spawn(poll_fn(|cx| {
            cx.waker().wake_by_ref();
            Poll::Pending
        }));
        assert!(poll(pin!(nursery.run(pending::<()>())), &wakes).is_pending());
        assert!(wakes.get() > 0);
    }
}
