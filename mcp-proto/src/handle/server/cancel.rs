//! That nobody wants an answer any more, and who wants to know.

use core::task::{Context, Poll};
use std::sync::Mutex;

use crate::handle::lock::lock;
use crate::handle::wakers::Wakers;

/// Whether a request is cancelled or over, and who wants to know.
#[derive(Default)]
pub(super) struct Cancel(Mutex<(bool, Wakers)>);

impl Cancel {
    pub(super) fn set(&self) {
        let mut state = lock(&self.0);
        state.0 = true;
        let wakers = state.1.take();
        // Woken under no lock: who is woken may look.
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
