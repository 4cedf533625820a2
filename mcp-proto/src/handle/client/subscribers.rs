//! Those who wait for a change.

use alloc::collections::BTreeMap;
use core::task::{Context, Waker};

use crate::client::ListenerId;
use crate::handle::wakers::keep;

/// Those who wait for a change, each for as long as it waits. What there is to take the machine has.
#[derive(Debug, Default)]
pub(super) struct Subscribers(BTreeMap<ListenerId, Waker>);

impl Subscribers {
    /// Has a task woken for a listener. Gives the waker in whose place it is.
    #[must_use = "it is dropped where no lock is held"]
    pub(super) fn wait(&mut self, listener: ListenerId, cx: &Context<'_>) -> Option<Waker> {
        let mut waker = self.0.remove(&listener);
        let before = keep(&mut waker, cx);
        self.0.extend(waker.map(|waker| (listener, waker)));
        before
    }

    /// Takes the task that waits for a listener.
    pub(super) fn take(&mut self, listener: ListenerId) -> Option<Waker> {
        self.0.remove(&listener)
    }
}
