//! Turns: what moves a large message goes on in another poll, so that none is long.

use core::future::poll_fn;
use core::task::Poll;

/// Messages and texts from this size on are large. Whatever reads, copies or writes one does so in a poll of its own.
pub(super) const LARGE: usize = 64 << 10;

/// Lets the other tasks of the thread have their turn: ready in the next poll.
pub(super) async fn turn() {
    let mut is_over = false;
    poll_fn(|cx| {
        if core::mem::replace(&mut is_over, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handle::count::Count;
    use alloc::sync::Arc;
    use core::future::Future;
    use core::pin::pin;
    use core::task::{Context, Waker};

    #[test]
    fn a_turn_is_one_poll_and_wakes_its_task() {
        let count = Arc::new(Count::default());
        let waker = Waker::from(Arc::clone(&count));
        let mut cx = Context::from_waker(&waker);
        let mut future = pin!(turn());
        assert!(future.as_mut().poll(&mut cx).is_pending());
        assert_eq!(count.get(), 1);
        assert!(future.poll(&mut cx).is_ready());
    }
}
