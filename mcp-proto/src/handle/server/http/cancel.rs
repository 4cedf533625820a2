//! That nobody wants an answer any more, and who wants to know.

use core::task::{Context, Poll};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::handle::wakers::Wakers;

/// A request whose client can cancel it.
pub(super) trait Cancellable: Send + Sync {
    /// It is cancelled: whoever waits for that is woken, and so is the task that runs its handler.
    fn cancel(&self);
}

/// Whether a request is cancelled or over, and who wants to know.
#[derive(Default)]
pub(super) struct Cancel(Mutex<(bool, Wakers)>);

impl Cancel {
    pub(super) fn set(&self) {
        let mut state = lock(&self.0);
        state.0 = true;
        let wakers = state.1.take();
        drop(state);
        wakers.wake();
    }

    pub(super) fn is_set(&self) -> bool {
        lock(&self.0).0
    }

    pub(super) fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = lock(&self.0);
        if state.0 {
            return Poll::Ready(());
        }
        state.1.add(cx.waker());
        Poll::Pending
    }
}

/// A panic of a handler happens under none of our locks, so what they guard is whole.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
