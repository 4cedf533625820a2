//! That nobody wants an answer any more, and who wants to know.

use core::task::{Context, Poll, Waker};

use crate::handle::sync::{Mutex, lock};
use crate::handle::wakers::keep;

/// Whether a request is cancelled or over, and who wants to know.
#[derive(Default)]
pub(super) struct Cancel(Mutex<(bool, Option<Waker>)>);

impl Cancel {
    pub(super) fn set(&self) {
        let mut state = lock(&self.0);
        state.0 = true;
        let waker = state.1.take();
        // Woken under no lock: who is woken may look.
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    }

    pub(super) fn is_set(&self) -> bool {
        lock(&self.0).0
    }

    pub(super) fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = lock(&self.0);
        if state.0 {
            return Poll::Ready(());
        }
        let before = keep(&mut state.1, cx);
        drop(state);
        drop(before);
        Poll::Pending
    }
}
