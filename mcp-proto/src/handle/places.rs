//! Who waits, each in a place that it leaves when it is dropped.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::task::Wake;
use core::task::{Context, Waker};

use crate::handle::sync::{Guard, Mutex, lock};

/// The tasks that wait for one thing, for as long as they wait. As a waker it wakes all of them: what is polled on
/// behalf of them keeps one waker, however many of them come and go.
#[derive(Debug, Default)]
pub struct Places(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    next: u64,
    wakers: BTreeMap<u64, Waker>,
}

/// The place of one of those who wait.
///
/// # On drop
/// Its task is not woken any more.
#[derive(Debug)]
pub struct Place {
    places: Arc<Places>,
    number: u64,
}

impl Places {
    /// A place among those who wait.
    pub fn place(self: &Arc<Self>) -> Place {
        let places = Arc::clone(self);
        let mut state = self.lock();
        state.next += 1;
        let number = state.next;
        Place { places, number }
    }

    fn lock(&self) -> Guard<'_, State> {
        lock(&self.0)
    }
}

impl Place {
    /// The task of `cx` is woken when the others are.
    pub fn wait(&self, cx: &Context<'_>) {
        let waker = cx.waker().clone();
        // The one before is dropped where nothing is locked.
        let _before = self.places.lock().wakers.insert(self.number, waker);
    }

    /// Wakes all others, who may have to do what was left undone here.
    pub fn leave(&self) {
        self.vacate();
        self.places.wake_by_ref();
    }

    fn vacate(&self) {
        // Dropped where nothing is locked: with its last waker a task goes, and what it drops may come back here.
        let _waker = self.places.lock().wakers.remove(&self.number);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.vacate();
    }
}

impl Wake for Places {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Taken under the lock and woken outside: a task may run at once, and take its place again.
        let wakers = core::mem::take(&mut self.lock().wakers);
        wakers.into_values().for_each(Waker::wake);
    }
}
