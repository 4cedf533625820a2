//! What a pool of sessions has done.

/// What a pool of sessions has done since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionsCounters {
    /// Creations begun.
    pub attempts: u64,
    /// Creations that came to a session.
    pub created: u64,
    /// Creations that failed, or took too long.
    pub failed: u64,
    /// Creations given up because nobody waited for them any more.
    pub abandoned: u64,
    /// Sessions lost: the server forgot them, or the connection ended.
    pub lost: u64,
    /// Sessions closed to make room for others.
    pub evicted: u64,
    /// Sessions closed because nobody had used them for long.
    pub expired: u64,
    /// Sessions, and what creations that were given up had opened, dropped because closing them took too long.
    pub discarded: u64,
    /// News of creations and sessions that were over already. They change nothing.
    pub late: u64,
}
