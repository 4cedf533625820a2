//! Where the run of a handler that asks is kept, while its request is served.

use alloc::boxed::Box;
use core::task::{Context, Waker};
use std::sync::{Mutex, OnceLock};

use super::Application;
use super::origin::Origin;
use crate::handle::lock::lock;
use crate::server::{Round, Settled};
use crate::time::Time;

/// The run of a handler, once it asks; its transport looks at it after each poll. Empty for all who do not ask.
#[derive(Default)]
pub(crate) struct Slot {
    round: OnceLock<Box<Mutex<Round>>>,
    /// Whoever polls the handler: an ask that somebody else polls has it look.
    waker: Mutex<Option<Waker>>,
}

/// What a handler is polled in.
#[derive(Clone, Copy)]
pub(super) struct Desk<'a> {
    pub(super) application: &'a dyn Application,
    pub(super) origin: &'a Origin,
    pub(super) now: Time,
}

impl Slot {
    /// Looks at the run, which begins where it has not: `begin` gives it.
    pub(super) fn with<T>(&self, begin: impl FnOnce() -> Round, act: impl FnOnce(&mut Round) -> T) -> T {
        let round = self.round.get_or_init(|| Box::new(Mutex::new(begin())));
        act(&mut lock(round))
    }

    /// Whoever polls the handler is woken: there is something to be looked at.
    pub(super) fn wake(&self) {
        let waker = lock(&self.waker).take();
        waker.into_iter().for_each(Waker::wake);
    }

    /// The handler was polled, and has not returned. What becomes of its run.
    pub(super) fn settle(&self, cx: &Context<'_>, desk: Desk<'_>) -> Settled {
        let mut waker = lock(&self.waker);
        if !waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            *waker = Some(cx.waker().clone());
        }
        // Before the run is looked at: what is asked from now on wakes.
        drop(waker);
        let Some(round) = self.round.get() else {
            return Settled::Wait;
        };
        let unix = desk.origin.unix(desk.now);
        desk.application
            .with_sealer(&mut |sealer| lock(round).settle(unix, sealer))
    }

    /// The handler is gone: nobody is woken.
    pub(super) fn clear(&self) {
        lock(&self.waker).take();
    }
}
