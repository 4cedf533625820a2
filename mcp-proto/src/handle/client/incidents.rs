//! What was lost without a call failing for it, as a stream.

use alloc::sync::Arc;
use core::future::poll_fn;
use core::task::{Context, Poll};

use super::shared::Shared;
use crate::client::Incident;

/// What an operator should know of a connection: lines that were no messages, tools and entries that were left out,
/// sessions that were lost, how a child exited.
///
/// A new reader is told of the last 64 that there were.
///
/// # On drop
/// Stops reading.
#[derive(Debug)]
pub struct Incidents {
    shared: Arc<Shared>,
    reader: u64,
    /// The next one to be read, counted from the first that there was.
    next: u64,
    missed: u64,
}

impl Incidents {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let reader = shared.with(|state| state.incidents.reader());
        Self {
            shared,
            reader,
            next: 0,
            missed: 0,
        }
    }

    /// The next incident; `None` when the connection is closed and its driver gone.
    ///
    /// # Cancel safety
    /// An incident is taken only when it is returned: dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Incident> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// [`next`](Self::next) for those who poll.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Incident>> {
        let (reader, next) = (self.reader, self.next);
        let polled = self.shared.with(|state| state.poll_incident(reader, next, cx));
        polled.map(|found| {
            let (at, incident) = found?;
            self.missed += at - self.next;
            self.next = at + 1;
            Some(incident)
        })
    }

    /// How many were forgotten before they were read here.
    pub fn missed(&self) -> u64 {
        self.missed
    }
}

impl Drop for Incidents {
    fn drop(&mut self) {
        self.shared.with(|state| state.unread(self.reader));
    }
}
