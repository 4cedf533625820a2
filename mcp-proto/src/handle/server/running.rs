//! The future of a handler that may ask its client.

use core::task::{Context, Poll};

use super::desk::Desk;
use super::slot::Slot;
use crate::handle::contained::Contained;
use crate::jsonrpc::ErrorObject;
use crate::server::{ResultBody, Settled};

/// The future of a handler, whose run may end before it does: with what it asks its client.
pub(super) struct Running {
    /// `None` once its run has ended.
    work: Option<Contained<ResultBody>>,
    /// Whether it has waited: whoever polls it is known to its slot then.
    waited: bool,
}

impl Running {
    pub(super) fn new(work: Contained<ResultBody>) -> Self {
        let work = Some(work);
        Self { work, waited: false }
    }

    /// What the handler returns, once, or what its run ends with.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        desk: Desk<'_>,
        slot: &Slot,
    ) -> Poll<Result<ResultBody, ErrorObject>> {
        while let Some(work) = &mut self.work {
            let polled = work.poll(cx);
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
                    self.work = None;
                    slot.clear();
                    return Poll::Ready(outcome);
                }
            }
        }
        Poll::Pending
    }
}
