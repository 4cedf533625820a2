//! Who polls the upkeep of an endpoint.

use alloc::sync::Arc;
use alloc::task::Wake;
use core::fmt;
use core::future::{Future, poll_fn};
use core::task::{Context, Poll, Waker, ready};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::handle::driver::Timer;
use crate::handle::server::http::Upkeep;
use crate::handle::wakers::Wakers;
use crate::time::Time;

/// Runs `upkeep` until the endpoint and its exchanges are gone: for a runtime that spawns it.
///
/// # Cancel safety
/// Dropping the future drops the upkeep; see [`Upkeep`].
pub async fn keep<T: Timer>(mut upkeep: Upkeep, mut timer: T) {
    poll_fn(|cx| {
        loop {
            if upkeep.poll(cx, timer.now()).is_ready() {
                return Poll::Ready(());
            }
            ready!(timer.poll(cx, upkeep.poll_timeout()));
        }
    })
    .await;
}

/// Holds the upkeep of an endpoint for those who poll it: for a runtime that spawns nothing. Clones are one keeper.
#[derive(Clone, Default)]
pub struct Keeper(Arc<Shared>);

#[derive(Default)]
struct Shared {
    upkeep: Mutex<Option<Upkeep>>,
    tasks: Arc<Tasks>,
}

/// Who polls. Any of them may be dropped without a word, so all are woken. Never locked while something is polled.
///
/// The upkeep and what it polls keep wakers of this, and not of what holds the upkeep: nothing would ever be freed.
#[derive(Default)]
struct Tasks(Mutex<Wakers>);

impl Keeper {
    /// Takes the upkeep, and has it polled.
    pub fn set(&self, upkeep: Upkeep) {
        *lock(&self.0.upkeep) = Some(upkeep);
        self.0.tasks.wake_by_ref();
    }

    /// Polls the upkeep, once there is one. Never ready; any number of these futures may be polled, and one has to be.
    ///
    /// # Cancel safety
    /// Dropping the future stops the upkeep, until another one is polled.
    pub fn run<T: Timer>(&self, mut timer: T) -> impl Future<Output = ()> + use<T> {
        let shared = Arc::clone(&self.0);
        poll_fn(move |cx| {
            loop {
                let deadline = shared.poll(cx, timer.now());
                ready!(timer.poll(cx, deadline));
            }
        })
    }
}

impl Shared {
    /// Does what is to be done. When to come back even if nobody wakes the task.
    fn poll(&self, cx: &mut Context<'_>, now: Time) -> Option<Time> {
        lock(&self.tasks.0).add(cx.waker());
        let waker = Waker::from(Arc::clone(&self.tasks));
        let mut upkeep = lock(&self.upkeep);
        let upkeep = upkeep.as_mut()?;
        let is_over = upkeep.poll(&mut Context::from_waker(&waker), now).is_ready();
        upkeep.poll_timeout().filter(|_| !is_over)
    }
}

impl Wake for Tasks {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let tasks = lock(&self.0).take();
        tasks.wake();
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper").finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
