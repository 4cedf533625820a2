//! The use of a session, and waiting for it.

use alloc::sync::Arc;
use core::fmt;
use core::future::poll_fn;
use core::ops::Deref;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use super::shared::{Asked, Inner};
use crate::handle::client::Client;
use crate::rpc::{CallError, CallOptions, SendError};
use crate::sessions::{AcquireOptions, Lease, WaiterId};

/// The client of a session, that is kept from being closed for others or for being idle while this is held.
///
/// It is the client of this one session, and of no other: where the session is lost, its calls fail. The calls of
/// [`Session`](super::Session) go on in the next.
///
/// # On drop
/// The session is given back, at once.
pub struct Loan<K: Ord> {
    inner: Arc<Inner<K>>,
    key: Arc<K>,
    client: Client,
    lease: Option<Lease>,
}

/// What comes of asking for a session.
pub(super) enum Asking<K: Ord> {
    Ready(Loan<K>),
    Waiting(Waiting<K>),
}

/// A place among those who wait for a session. Dropping it gives it up.
pub(super) struct Waiting<K: Ord> {
    inner: Arc<Inner<K>>,
    key: Arc<K>,
    /// `None` once it is over.
    waiter: Option<WaiterId>,
}

impl<K: Ord> Asking<K> {
    /// Asks for the session of a key.
    pub(super) fn new(inner: &Arc<Inner<K>>, key: &Arc<K>, options: &AcquireOptions) -> Result<Self, CallError> {
        let asked = inner.shared.with(|state| state.ask(key, options));
        Ok(match asked.map_err(refused)? {
            Asked::Ready(lease, client) => Self::Ready(Loan {
                inner: inner.clone(),
                key: key.clone(),
                client,
                lease: Some(lease),
            }),
            Asked::Waiting(waiter) => Self::Waiting(Waiting::new(inner, key, waiter)),
        })
    }

    /// Waits for it, and says how much of the caller's time is spent, of which this much was when it asked.
    pub(super) async fn wait(self, spent: Duration) -> Result<(Loan<K>, Duration), CallError> {
        match self {
            Self::Ready(loan) => Ok((loan, spent)),
            Self::Waiting(mut waiting) => poll_fn(|cx| waiting.poll(cx)).await,
        }
    }
}

impl<K: Ord> Waiting<K> {
    fn new(inner: &Arc<Inner<K>>, key: &Arc<K>, waiter: WaiterId) -> Self {
        Self {
            inner: inner.clone(),
            key: key.clone(),
            waiter: Some(waiter),
        }
    }

    /// The session, and how much of the caller's time is spent.
    pub(super) fn poll(&mut self, cx: &Context<'_>) -> Poll<Result<(Loan<K>, Duration), CallError>> {
        let Some(waiter) = self.waiter else {
            return Poll::Ready(Err(CallError::Cancelled));
        };
        let outcome = ready!(self.inner.shared.with(|state| state.poll_waiter(waiter, cx)));
        // What came of it is taken: dropping this has nothing to give up.
        self.waiter = None;
        Poll::Ready(outcome.map(|(lease, client, spent)| {
            let loan = Loan {
                inner: self.inner.clone(),
                key: self.key.clone(),
                client,
                lease: Some(lease),
            };
            (loan, spent)
        }))
    }
}

impl<K: Ord> Drop for Waiting<K> {
    fn drop(&mut self) {
        if let Some(waiter) = self.waiter {
            self.inner.shared.with(|state| state.leave(waiter));
        }
    }
}

impl<K: Ord> Loan<K> {
    /// The client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The session is lost: waits for another, once.
    pub(super) fn replace(mut self, options: &AcquireOptions) -> Result<Waiting<K>, CallError> {
        let Some(lease) = self.lease.take() else {
            return Err(CallError::SessionLost);
        };
        let waiter = self
            .inner
            .shared
            .with(|state| state.ask_again(&self.key, lease, options))?;
        Ok(Waiting::new(&self.inner, &self.key, waiter))
    }

    /// The session is lost, and that is the end of it.
    pub(super) fn lose(self) {
        if let Some(lease) = &self.lease {
            let session = lease.session();
            self.inner.shared.apply(|state| state.machine.lost(session));
        }
    }
}

impl<K: Ord> Deref for Loan<K> {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl<K: Ord> Drop for Loan<K> {
    fn drop(&mut self) {
        if let Some(lease) = self.lease.take() {
            self.inner.shared.with(|state| state.machine.release(lease));
        }
    }
}

impl<K: Ord> fmt::Debug for Loan<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loan")
            .field("lease", &self.lease)
            .finish_non_exhaustive()
    }
}

/// The time for a session that a call has, with so much of it spent.
pub(super) fn acquire_options(options: &CallOptions, waited: Duration) -> AcquireOptions {
    let timeouts = [options.timeout, options.max_timeout];
    AcquireOptions {
        // Whichever ends first also ends the wait for the session.
        timeout: timeouts.into_iter().flatten().min(),
        waited,
    }
}

/// Why nothing was waited for, as the error of a call.
fn refused(error: SendError) -> CallError {
    match error {
        SendError::Closed(reason) => CallError::Closed(reason),
        error => CallError::Refused(error),
    }
}
