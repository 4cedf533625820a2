//! What a connection has seen that was wrong, but not worth ending it.

/// How often a peer did something that a connection survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Replies to calls that were cancelled, timed out, or answered already.
    pub late_replies: u64,
    /// Replies to ids that were never used.
    pub unknown_replies: u64,
    /// Requests with the id of a request that is still in progress.
    pub duplicate_requests: u64,
    /// Lines, bodies or events that were no JSON-RPC message.
    pub junk: u64,
    /// Progress for tokens that no call waits for.
    pub stray_progress: u64,
    /// Cancellations of requests that are not in progress.
    pub stray_cancellations: u64,
    /// Notifications dropped because the application did not read them.
    pub dropped_notifications: u64,
}
