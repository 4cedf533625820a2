//! What is left behind for a task that is started when there is something to do.

use alloc::vec::Vec;
use core::task::{Context, Waker};

use crate::handle::sync::{Mutex, lock};

/// What is left behind (`A`) for a task that is started when there is something for it, and what one that is over has
/// left undone (`T`) for the next.
pub(super) struct Depot<A, T>(Mutex<State<A, T>>);

struct State<A, T> {
    arrivals: Vec<A>,
    task: Option<Waker>,
    stage: Stage,
    undone: Option<T>,
}

/// Whether there is a task.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing calls for one yet.
    NotNeeded,
    /// It is to be started.
    Needed,
    /// It runs.
    Started,
}

impl<A, T> Depot<A, T> {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State {
            arrivals: Vec::new(),
            task: None,
            stage: Stage::NotNeeded,
            undone: None,
        }))
    }

    pub(super) fn push(&self, arrival: A) {
        lock(&self.0).arrivals.push(arrival);
        self.call();
    }

    /// There is something to do, or to look after sooner than before.
    pub(super) fn call(&self) {
        let mut state = lock(&self.0);
        // Not a second time: there is one who looks after it, and it is woken below.
        if state.stage == Stage::NotNeeded {
            state.stage = Stage::Needed;
        }
        // Taken, as one wake is enough until it looks again; woken under no lock, since it looks at once.
        let task = state.task.take();
        drop(state);
        task.into_iter().for_each(Waker::wake);
    }

    /// Starts the task, if it is time for that, with what was left undone.
    pub(super) fn start(&self) -> Option<Option<T>> {
        let mut state = lock(&self.0);
        if state.stage != Stage::Needed {
            return None;
        }
        state.stage = Stage::Started;
        Some(state.undone.take())
    }

    /// What has arrived; the task of `cx` is woken when there is more.
    pub(super) fn take(&self, cx: &Context<'_>) -> Vec<A> {
        let mut state = lock(&self.0);
        // Under one lock with the look at what is there, or what comes in between would wake nobody.
        let before = state.task.replace(cx.waker().clone());
        let arrivals = core::mem::take(&mut state.arrivals);
        drop(state);
        drop(before);
        arrivals
    }

    /// The task is over, and another has to go on.
    pub(super) fn stop(&self, undone: Option<T>) {
        let mut state = lock(&self.0);
        // For the next who takes it: what was begun is not lost with a driver.
        (state.stage, state.undone) = (Stage::Needed, undone);
    }
}
