//! What an application wrote, and a panic in it that ends nothing else.

use alloc::sync::Arc;
use core::panic::AssertUnwindSafe;
use core::task::{Context, Poll};
use std::panic::catch_unwind;

use super::desk::Desk;
use super::slot::Slot;
use super::{Application, Call, Peer, Work};
use crate::jsonrpc::ErrorObject;
use crate::server::{ResultBody, Settled};

/// The future of a handler, whose panics are answers to its own request (−32603) and nobody else's matter, where the
/// program unwinds at all. What was said in a panic has gone to the panic hook, and does not reach the peer.
pub(super) struct Contained {
    work: Option<Work>,
    /// Whether it has waited: whoever polls it is known to its slot then.
    waited: bool,
}

impl Contained {
    /// Asks the application for the handler of a request, which may run before it is polled.
    pub(super) fn start(server: &dyn Application, call: Call, peer: Arc<dyn Peer>) -> Self {
        Self {
            work: contain(|| server.serve(call, peer)),
            waited: false,
        }
    }

    /// What the handler returns, once, or what its run ends with; an error where it has panicked, now or before.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        desk: Desk<'_>,
        slot: &Slot,
    ) -> Poll<Result<ResultBody, ErrorObject>> {
        loop {
            let polled = self.poll_work(cx);
            if polled.is_ready() {
                // Else the waker would be kept for as long as the seat of the handler.
                if self.waited {
                    slot.clear();
                }
                return polled;
            }
            self.waited = true;
            match desk.settle(cx, slot) {
                Settled::Wait => return Poll::Pending,
                // One time for each request: what came with it is looked at.
                Settled::Again => {}
                Settled::Over(outcome) => {
                    self.end();
                    slot.clear();
                    return Poll::Ready(outcome);
                }
            }
        }
    }

    fn poll_work(&mut self, cx: &mut Context<'_>) -> Poll<Result<ResultBody, ErrorObject>> {
        let work = self.work.as_mut();
        let polled = work.and_then(|work| contain(|| work.as_mut().poll(cx)));
        polled.unwrap_or_else(|| {
            // A future that has panicked may do so again.
            self.end();
            Poll::Ready(Err(ErrorObject::internal("the handler has failed")))
        })
    }

    fn end(&mut self) {
        contain(|| drop(self.work.take()));
    }
}

/// What a handler holds may panic as well when it is dropped, with the thread already unwinding at worst.
impl Drop for Contained {
    fn drop(&mut self) {
        self.end();
    }
}

/// What `code` of an application gives, or nothing where it panics.
///
/// It is called under none of our locks, and what it leaves half done is the application's own: nothing of ours has to
/// be safe to look at after an unwinding.
pub(super) fn contain<T>(code: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(code)) {
        Ok(value) => Some(value),
        Err(panic) => {
            // A payload with a destructor that panics: the last one is left where it is.
            if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
                core::mem::forget(again);
            }
            None
        }
    }
}
