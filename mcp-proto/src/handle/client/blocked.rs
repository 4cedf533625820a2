//! Calls that wait for room in the outbox.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use crate::handle::wakers::replace;
use crate::jsonrpc::Params;
use crate::limits::Timeouts;
use crate::method::MethodName;
use crate::rpc::{CallError, CallId, CallOptions, Calls, Phase};
use crate::time::Time;

/// A place in the queue for room.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket(CallId);

/// The calls that wait for room in the outbox, in their order, each with its deadline. They are made on behalf of
/// their callers, so that one that is not polled holds nobody up.
#[derive(Debug)]
pub(super) struct Blocked {
    queue: Calls<Waiting>,
    /// What became of those that left the queue, and how much of their time was spent, until their callers look.
    resolved: BTreeMap<CallId, (Result<CallId, CallError>, Duration)>,
}

#[derive(Debug)]
struct Waiting {
    waker: Waker,
    method: MethodName,
    params: Params,
    options: CallOptions,
}

/// A call whose turn it is.
pub(super) struct Next {
    pub(super) ticket: Ticket,
    pub(super) waker: Waker,
    /// Since when it has waited, where a drain has seen it.
    pub(super) born: Option<Time>,
    /// How much of its time was spent before it began to wait.
    pub(super) spent: Duration,
    pub(super) method: MethodName,
    pub(super) params: Params,
    pub(super) options: CallOptions,
}

impl Default for Blocked {
    fn default() -> Self {
        Self {
            // Each belongs to a future that a caller holds: nobody else can make them many.
            queue: Calls::new(usize::MAX),
            resolved: BTreeMap::new(),
        }
    }
}

impl Blocked {
    pub(super) fn is_empty(&self) -> bool {
        self.queue.len() == 0
    }

    /// Queues a call.
    pub(super) fn push(
        &mut self,
        waker: &Waker,
        timeouts: &Timeouts,
        method: MethodName,
        params: Params,
        options: CallOptions,
        spent: Duration,
    ) -> Ticket {
        let timing = options.clone();
        let waiting = Waiting {
            waker: waker.clone(),
            method,
            params,
            options,
        };
        // With a deadline from here on: the time in front of the outbox is the time of the call.
        let ticket = self.queue.begin_own(&timing, timeouts, waiting);
        self.queue.spend(ticket, spent);
        Ticket(ticket)
    }

    /// The call whose turn it is; its ticket is to be resolved.
    pub(super) fn pop(&mut self) -> Option<Next> {
        let (ticket, born, spent, waiting) = self.queue.pop_first()?;
        Some(Next {
            ticket: Ticket(ticket),
            waker: waiting.waker,
            born,
            spent,
            method: waiting.method,
            params: waiting.params,
            options: waiting.options,
        })
    }

    /// Says what became of a call that left the queue, and how much of its time was spent.
    pub(super) fn resolve(&mut self, ticket: Ticket, outcome: Result<CallId, CallError>, spent: Duration) {
        self.resolved.insert(ticket.0, (outcome, spent));
    }

    /// What became of a call, and how much of its time was spent, once. Where it is another task that polls, the waker of
    /// the one before goes to `replaced`.
    pub(super) fn poll(
        &mut self,
        ticket: Ticket,
        cx: &Context<'_>,
        replaced: &mut Vec<Waker>,
    ) -> Poll<(Result<CallId, CallError>, Duration)> {
        match self.queue.get_mut(ticket.0) {
            Some(waiting) => {
                // It may be polled by another task than before.
                replaced.extend(replace(&mut waiting.waker, cx.waker()));
                Poll::Pending
            }
            None => {
                let resolved = self.resolved.remove(&ticket.0);
                Poll::Ready(resolved.unwrap_or((Err(CallError::Cancelled), Duration::ZERO)))
            }
        }
    }

    /// The caller is gone, and its waker goes to `spent`. Gives the call that was made for it.
    pub(super) fn leave(&mut self, ticket: Ticket, spent: &mut Vec<Waker>) -> Option<CallId> {
        let waiting = self.queue.remove(ticket.0);
        spent.extend(waiting.map(|waiting| waiting.waker));
        // Its turn may have come before it looked: then that call has to be cancelled.
        self.resolved.remove(&ticket.0)?.0.ok()
    }

    /// Gives every call that has none its deadline.
    pub(super) fn arm(&mut self, now: Time) {
        self.queue.arm(now);
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.queue.poll_timeout()
    }

    /// Ends a call whose time is up, and gives its waker.
    pub(super) fn expire(&mut self, now: Time) -> Option<Waker> {
        let (ticket, after, waiting) = self.queue.expire(now)?;
        let phase = Phase::Outbox;
        let outcome = Err(CallError::Timeout { phase, after });
        self.resolved.insert(ticket, (outcome, after));
        Some(waiting.waker)
    }
}
