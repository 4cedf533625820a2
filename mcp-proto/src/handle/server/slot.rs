//! Where the run of a handler that asks is kept, while its request is served.

use alloc::boxed::Box;
use core::task::{Context, Waker};
use std::sync::OnceLock;

use crate::handle::sync::{Mutex, lock};
use crate::server::Redemption;
use crate::server::rounds::{HandlerRun, Settled};

/// The run of a handler, once it asks; its transport looks at it after each poll. Empty for all who do not ask.
#[derive(Default)]
pub(crate) struct Slot {
    round: OnceLock<Box<Mutex<HandlerRun>>>,
    /// Whoever polls the handler: an ask that somebody else polls has it look.
    waker: Mutex<Option<Waker>>,
}

impl Slot {
    /// Looks at the run, which begins where it has not: `begin` gives it.
    pub(super) fn with<T>(&self, begin: impl FnOnce() -> HandlerRun, act: impl FnOnce(&mut HandlerRun) -> T) -> T {
        let round = self.round.get_or_init(|| Box::new(Mutex::new(begin())));
        act(&mut lock(round))
    }

    /// Whoever polls the handler is woken: there is something to be looked at.
    pub(super) fn wake(&self) {
        let waker = lock(&self.waker).take();
        waker.into_iter().for_each(Waker::wake);
    }

    /// The handler was polled, and has not returned. What becomes of its run, as `settle` says where there is one.
    pub(super) fn settle(&self, cx: &Context<'_>, settle: impl FnOnce(&Mutex<HandlerRun>) -> Settled) -> Settled {
        let mut waker = lock(&self.waker);
        let is_kept = waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
        let before = (!is_kept).then(|| waker.replace(cx.waker().clone()));
        // Before the run is looked at: what is asked from now on wakes. The old one goes under no lock.
        drop(waker);
        drop(before);
        self.round.get().map_or(Settled::Wait, |round| settle(round))
    }

    /// A store has said whether what the client has sent back may be used. What becomes of the run.
    pub(super) fn redeemed(&self, redemption: Redemption) -> Settled {
        let round = self.round.get();
        round.map_or(Settled::Wait, |round| lock(round).redeemed(redemption))
    }

    /// The handler is gone: nobody is woken.
    pub(super) fn clear(&self) {
        let waker = lock(&self.waker).take();
        drop(waker);
    }
}
