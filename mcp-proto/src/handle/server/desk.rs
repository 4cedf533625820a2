//! What a handler is polled with.

use core::task::Context;

use super::Application;
use super::origin::Origin;
use super::slot::Slot;
use super::state_store::Redeeming;
use crate::handle::sync::lock;
use crate::server::Redeem;
use crate::server::rounds::Settled;
use crate::time::Time;

/// What a handler is polled with: whose it is, and when.
#[derive(Clone, Copy)]
pub(super) struct Desk<'a> {
    pub(super) application: &'a dyn Application,
    origin: &'a Origin,
    pub(super) now: Time,
}

impl<'a> Desk<'a> {
    pub(super) fn new(application: &'a dyn Application, origin: &'a Origin, now: Time) -> Self {
        Self {
            application,
            origin,
            now,
        }
    }

    /// The handler of `slot` was polled, and has not returned. What becomes of its run.
    pub(super) fn settle(self, cx: &Context<'_>, slot: &Slot) -> Settled {
        slot.settle(cx, |round| {
            let unix = self.origin.unix(self.now);
            (self.application).with_sealer(&mut |sealer| lock(round).settle(unix, sealer))
        })
    }

    /// Redeems a state that is good for one use.
    pub(super) fn redeem(self, redeem: Redeem) -> Redeeming {
        self.application.redeem(redeem, self.origin.unix(self.now))
    }
}
