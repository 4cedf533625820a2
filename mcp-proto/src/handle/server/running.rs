//! The future of a handler that may ask its client.

use alloc::boxed::Box;
use core::mem;
use core::task::{Context, Poll, ready};

use super::desk::Desk;
use super::slot::Slot;
use super::state_store::{Redeeming, Redemptions};
use crate::handle::contained::{Contained, contain};
use crate::jsonrpc::ErrorObject;
use crate::server::rounds::Settled;
use crate::server::{Redemption, ResultBody};

/// The future of a handler, whose run may end before it does: with what it asks its client.
pub(super) struct Running(Stage);

enum Stage {
    Runs {
        work: Contained<ResultBody>,
        /// Whether it has waited: whoever polls it is known to its slot then.
        waited: bool,
    },
    /// It waits for a store to say whether what came with the request may be used.
    Redeems(Box<Redeems>),
    /// Its run has ended.
    Over,
}

struct Redeems {
    work: Contained<ResultBody>,
    store: Redemptions,
}

impl Running {
    pub(super) fn new(work: Contained<ResultBody>) -> Self {
        Self(Stage::Runs { work, waited: false })
    }

    /// What the handler returns, once, or what its run ends with.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        desk: Desk<'_>,
        slot: &Slot,
    ) -> Poll<Result<ResultBody, ErrorObject>> {
        loop {
            let settled = match &mut self.0 {
                Stage::Over => return Poll::Pending,
                Stage::Redeems(redeems) => {
                    // A store that panics has said nothing.
                    let polled = contain(|| redeems.store.as_mut().poll(cx));
                    let redemption = ready!(polled.unwrap_or(Poll::Ready(Redemption::Unavailable)));
                    self.go_on();
                    slot.redeemed(redemption)
                }
                Stage::Runs { work, waited } => {
                    let polled = work.poll(cx);
                    if polled.is_ready() {
                        // Else the waker would be kept for as long as the seat of the handler.
                        if *waited {
                            slot.clear();
                        }
                        return polled;
                    }
                    *waited = true;
                    desk.settle(cx, slot)
                }
            };
            match settled {
                Settled::Wait => return Poll::Pending,
                // One time for each request: what came with it is looked at.
                Settled::Again => {}
                Settled::Redeem(redeem) => match desk.redeem(redeem) {
                    Redeeming::Now(redemption) => {
                        if let Settled::Over(outcome) = slot.redeemed(redemption) {
                            return self.end(slot, outcome);
                        }
                    }
                    Redeeming::Later(store) => self.wait_for(store),
                },
                Settled::Over(outcome) => return self.end(slot, outcome),
            }
        }
    }

    fn end(&mut self, slot: &Slot, outcome: Result<ResultBody, ErrorObject>) -> Poll<Result<ResultBody, ErrorObject>> {
        self.0 = Stage::Over;
        slot.clear();
        Poll::Ready(outcome)
    }

    fn wait_for(&mut self, store: Redemptions) {
        if let Stage::Runs { work, .. } = mem::replace(&mut self.0, Stage::Over) {
            self.0 = Stage::Redeems(Box::new(Redeems { work, store }));
        }
    }

    /// The handler goes on where a store was waited for.
    fn go_on(&mut self) {
        if let Stage::Redeems(redeems) = mem::replace(&mut self.0, Stage::Over) {
            let Redeems { work, store } = *redeems;
            contain(|| drop(store));
            self.0 = Stage::Runs { work, waited: true };
        }
    }
}
