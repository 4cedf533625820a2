//! Those who wait for the connection as a whole.

use alloc::vec::Vec;
use core::task::{Poll, Waker};

use crate::client::ServerFacts;
use crate::handle::wakers::{Wait, Waiters, Wakers};
use crate::rpc::{CallError, CloseReason};

/// Those who wait for the handshake, or for the end, and what of both has to be remembered for them.
///
/// A handshake that failed is told to those who waited for it, and not to those who come afterwards: they make the next
/// one. That is why failures are counted.
#[derive(Debug, Default)]
pub(super) struct Lobby {
    watchers: Waiters,
    /// How many handshakes have failed, and why the last one did.
    failures: (u64, Option<CallError>),
    /// The end of the driver: nothing will be sent or received any more.
    is_finished: bool,
}

/// Who looks, and waits where there is nothing to see yet.
pub(super) struct Watching<'a> {
    pub(super) wait: &'a mut Wait,
    pub(super) waker: &'a Waker,
    /// Wakers that nobody needs any more, to be dropped where no lock is held.
    pub(super) spent: &'a mut Vec<Waker>,
}

impl Lobby {
    /// How many handshakes have failed.
    pub(super) fn failures(&self) -> u64 {
        self.failures.0
    }

    /// Ready when it is known what the server speaks; an error where a handshake failed after the first `failures`, or
    /// the connection is closed.
    pub(super) fn poll_ready(
        &mut self,
        failures: u64,
        facts: Option<&ServerFacts>,
        closed: Option<&CloseReason>,
        watching: &mut Watching<'_>,
    ) -> Poll<Result<ServerFacts, CallError>> {
        // Before the failures: what failed earlier is history.
        if let Some(facts) = facts {
            return Poll::Ready(Ok(facts.clone()));
        }
        if let (number, Some(error)) = &self.failures
            && *number > failures
        {
            return Poll::Ready(Err(error.clone()));
        }
        // Last: why the handshake failed says more than that the connection is closed.
        if let Some(reason) = closed {
            return Poll::Ready(Err(CallError::Closed(reason.clone())));
        }
        self.watch(watching)
    }

    /// Ready when the connection is closed, whether or not the driver is done.
    pub(super) fn poll_closed(&mut self, is_closed: bool, watching: &mut Watching<'_>) -> Poll<()> {
        match is_closed {
            true => Poll::Ready(()),
            false => self.poll_finished(watching),
        }
    }

    /// Whether the driver has said and sent everything, or is gone.
    pub(super) fn is_finished(&self) -> bool {
        self.is_finished
    }

    /// Ready when the driver has said and sent everything.
    pub(super) fn poll_finished(&mut self, watching: &mut Watching<'_>) -> Poll<()> {
        // Under the lock that whoever ends it takes: no wake is lost in between.
        if self.is_finished {
            return Poll::Ready(());
        }
        self.watch(watching)
    }

    /// Stops to wait. Gives the waker.
    #[must_use = "it is dropped where no lock is held"]
    pub(super) fn leave(&mut self, wait: &mut Wait) -> Option<Waker> {
        self.watchers.leave(wait)
    }

    fn watch<T>(&mut self, watching: &mut Watching<'_>) -> Poll<T> {
        let Watching { wait, waker, spent } = watching;
        spent.extend(self.watchers.wait(wait, waker));
        Poll::Pending
    }

    /// A handshake failed.
    pub(super) fn failed(&mut self, error: CallError) {
        // Numbered: a caller wants to hear of one that came after it began to wait.
        self.failures = (self.failures.0 + 1, Some(error));
    }

    /// The driver is done, or gone.
    pub(super) fn finish(&mut self) {
        self.is_finished = true;
    }

    /// Something has changed: those who wait, to be woken.
    #[must_use = "they have to be woken"]
    pub(super) fn take(&mut self) -> Wakers {
        self.watchers.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_to_those_who_waited_for_it() {
        let mut lobby = Lobby::default();
        let watching = &mut Watching {
            wait: &mut Wait::default(),
            waker: Waker::noop(),
            spent: &mut Vec::new(),
        };
        let before = lobby.failures();
        assert!(lobby.poll_ready(before, None, None, watching).is_pending());
        lobby.failed(CallError::Disconnected);
        let failed = Poll::Ready(Err(CallError::Disconnected));
        assert_eq!(lobby.poll_ready(before, None, None, watching), failed);
        assert!(lobby.poll_ready(lobby.failures(), None, None, watching).is_pending());
    }

    #[test]
    fn the_end_of_the_driver_ends_every_wait_for_it() {
        let mut lobby = Lobby::default();
        let watching = &mut Watching {
            wait: &mut Wait::default(),
            waker: Waker::noop(),
            spent: &mut Vec::new(),
        };
        assert!(lobby.poll_closed(true, watching).is_ready());
        assert!(lobby.poll_closed(false, watching).is_pending());
        lobby.finish();
        assert!(lobby.poll_closed(false, watching).is_ready() && lobby.poll_finished(watching).is_ready());
    }
}
