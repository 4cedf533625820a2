//! What a pool of sessions tells: the world what to do, the callers what has come of their waiting.

use core::time::Duration;

use super::id::{AttemptId, Lease, PooledSession, WaiterId};
use crate::rpc::CallError;

/// What the world has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PoolAction<K> {
    /// Connect and make the handshake; to be answered with [`dialed`](super::SessionPool::dialed) in between, and
    /// [`connected`](super::SessionPool::connected) or [`failed`](super::SessionPool::failed) in the end.
    Connect {
        /// What the answers name.
        attempt: AttemptId,
        /// What to connect to.
        key: K,
    },
    /// Stop connecting, and close what was opened gracefully: a server may have begun a session for it, or be about
    /// to. To be answered with [`abandoned`](super::SessionPool::abandoned).
    Abandon {
        /// The attempt that is given up.
        attempt: AttemptId,
    },
    /// Close the session gracefully, or clear up what is left of one that was lost; to be answered with
    /// [`closed`](super::SessionPool::closed).
    Close {
        /// The session.
        session: PooledSession,
    },
    /// Drop what is left of the attempt that was given up: closing it has taken too long, or there is too much to be
    /// closed. It may come without [`Abandon`](Self::Abandon) before it. No answer is expected.
    DiscardAttempt {
        /// The attempt.
        attempt: AttemptId,
    },
    /// Drop what is left of the session: closing it has taken too long. No answer is expected.
    Discard {
        /// The session.
        session: PooledSession,
    },
}

/// What has come of the waiting of a caller.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PoolEvent {
    /// There is a session.
    Ready {
        /// Who waited.
        waiter: WaiterId,
        /// The use of the session, to be given back.
        lease: Lease,
        /// How much of the time of the caller is spent.
        waited: Duration,
    },
    /// There is none.
    Failed {
        /// Who waited.
        waiter: WaiterId,
        /// Why; the same for all that waited for the same attempt, unless the time of one was up before.
        error: CallError,
    },
}
