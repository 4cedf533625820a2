//! Handles of what a pool of sessions keeps track of: opaque, and never used twice.

use core::fmt;

/// A caller that waits for a session.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WaiterId(pub(super) u64);

/// The creation of one session.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId(pub(super) u64);

/// A session, from its creation to its end. One that is created again in its place is another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PooledSession(pub(super) u64);

impl fmt::Debug for WaiterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "waiter {}", self.0)
    }
}

impl fmt::Debug for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "attempt {}", self.0)
    }
}

impl fmt::Debug for PooledSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "session {}", self.0)
    }
}

/// The use of a session. While there is one, the session is not closed to make room, nor for being idle.
///
/// It is given back with [`SessionPool::release`](super::SessionPool::release), or exchanged for another with
/// [`SessionPool::replace`](super::SessionPool::replace) where the session is lost.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a lease that is not given back keeps its session for ever"]
pub struct Lease {
    pub(super) session: PooledSession,
    /// Whether it came in place of one whose session was lost.
    pub(super) is_replacement: bool,
}

impl Lease {
    /// The session.
    pub fn session(&self) -> PooledSession {
        self.session
    }

    /// Whether it was given in place of one whose session was lost. Such a lease cannot be replaced again.
    pub fn is_replacement(&self) -> bool {
        self.is_replacement
    }
}
