//! What changes at the server of a session, one session after the other.

use alloc::sync::Arc;
use core::fmt;
use core::future::poll_fn;
use core::task::{Context, Poll, ready};

use super::loan::{Asking, Loan, Waiting};
use super::shared::Inner;
use crate::client::Change;
use crate::handle::client::Changes;
use crate::model::SubscriptionFilter;
use crate::rpc::CallError;
use crate::sessions::AcquireOptions;

/// How many sessions in a row may be lost that have brought nothing: a process that dies again and again is not started
/// without end.
const BARREN: u32 = 5;

/// What changes at the server of a [`Session`](super::Session), of what was asked for; see [`Changes`].
///
/// It uses the session there is, or creates it when it is polled first. Where the session proves lost it is created again,
/// and [`Change::Restored`] tells so: up to five times in a row that bring nothing. While this is held the session is not
/// closed for being idle, or for others.
///
/// # On drop
/// The subscription ends, as with [`Changes`], and the session is given back.
pub struct SessionChanges<K: Ord> {
    inner: Arc<Inner<K>>,
    key: Arc<K>,
    filter: SubscriptionFilter,
    phase: Phase<K>,
    /// How many sessions in a row were lost that have brought nothing.
    barren: u32,
    /// Whether there was a session before, and nothing was told of that yet.
    is_again: bool,
}

enum Phase<K: Ord> {
    New,
    Waiting(Waiting<K>),
    // In this order: what listens is dropped before its session is given back.
    Listening(Changes, Loan<K>),
    Over,
}

impl<K: Ord> SessionChanges<K> {
    pub(super) fn new(inner: &Arc<Inner<K>>, key: &Arc<K>, filter: SubscriptionFilter) -> Self {
        Self {
            inner: inner.clone(),
            key: key.clone(),
            filter,
            phase: Phase::New,
            barren: 0,
            is_again: false,
        }
    }

    /// Waits until the server has said what it grants; see [`Changes::granted`].
    ///
    /// # Errors
    /// Why the subscription, or the session, came to nothing; [`CallError::Cancelled`] where that was told before, or the
    /// server has ended it in good order.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn granted(&mut self) -> Result<SubscriptionFilter, CallError> {
        poll_fn(|cx| self.poll_granted(cx)).await
    }

    /// The next change; `None` after the end; see [`Changes::next`].
    ///
    /// # Cancel safety
    /// A change is taken only when it is returned: dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<Change, CallError>> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// [`next`](Self::next) for those who poll.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Change, CallError>>> {
        if let Phase::Over = self.phase {
            return Poll::Ready(None);
        }
        if self.is_again {
            // Whatever changes before that is behind it as well.
            let granted = ready!(self.poll_granted(cx));
            self.is_again = false;
            return Poll::Ready(Some(granted.map(|_| Change::Restored)));
        }
        let changes = match ready!(self.poll_listening(cx)) {
            Ok(changes) => changes,
            Err(error) => return Poll::Ready(Some(Err(error))),
        };
        match ready!(changes.poll_next(cx)) {
            Some(Ok(change)) => {
                self.barren = 0;
                Poll::Ready(Some(Ok(change)))
            }
            Some(Err(error)) => match self.lose(error) {
                // It is waited for, and told of, first.
                Ok(()) => self.poll_next(cx),
                Err(error) => Poll::Ready(Some(Err(error))),
            },
            None => {
                self.phase = Phase::Over;
                Poll::Ready(None)
            }
        }
    }

    fn poll_granted(&mut self, cx: &mut Context<'_>) -> Poll<Result<SubscriptionFilter, CallError>> {
        loop {
            let changes = match ready!(self.poll_listening(cx)) {
                Ok(changes) => changes,
                Err(error) => return Poll::Ready(Err(error)),
            };
            match ready!(changes.poll_granted(cx)) {
                Ok(granted) => return Poll::Ready(Ok(granted)),
                Err(error) => self.lose(error)?,
            }
        }
    }

    /// What listens in the session there is.
    fn poll_listening(&mut self, cx: &Context<'_>) -> Poll<Result<&mut Changes, CallError>> {
        let acquired = match &mut self.phase {
            Phase::New => match Asking::new(&self.inner, &self.key, &AcquireOptions::default()) {
                Ok(Asking::Ready(loan)) => Ok(loan),
                Ok(Asking::Waiting(mut waiting)) => match waiting.poll(cx) {
                    Poll::Pending => {
                        self.phase = Phase::Waiting(waiting);
                        return Poll::Pending;
                    }
                    Poll::Ready(acquired) => acquired.map(|(loan, _)| loan),
                },
                Err(error) => Err(error),
            },
            Phase::Waiting(waiting) => ready!(waiting.poll(cx)).map(|(loan, _)| loan),
            Phase::Listening(..) | Phase::Over => return Poll::Ready(self.listening()),
        };
        self.phase = match acquired {
            Ok(loan) => Phase::Listening(loan.listen(self.filter.clone()), loan),
            Err(error) => {
                self.phase = Phase::Over;
                return Poll::Ready(Err(error));
            }
        };
        Poll::Ready(self.listening())
    }

    fn listening(&mut self) -> Result<&mut Changes, CallError> {
        match &mut self.phase {
            Phase::Listening(changes, _) => Ok(changes),
            _ => Err(CallError::Cancelled),
        }
    }

    /// The subscription came to nothing: where that was for the session, waits for the next.
    fn lose(&mut self, error: CallError) -> Result<(), CallError> {
        let Phase::Listening(changes, loan) = core::mem::replace(&mut self.phase, Phase::Over) else {
            return Err(error);
        };
        drop(changes);
        let is_lost = matches!(error, CallError::Closed(_));
        if !is_lost || self.barren >= BARREN {
            return Err(error);
        }
        self.barren += 1;
        self.is_again = true;
        // Said here: else the same session may be given again before the driver has noticed.
        loan.lose();
        self.phase = Phase::New;
        Ok(())
    }
}

/// Does not show the key: there may be credentials in it.
impl<K: Ord> fmt::Debug for SessionChanges<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionChanges")
            .field("barren", &self.barren)
            .finish_non_exhaustive()
    }
}
