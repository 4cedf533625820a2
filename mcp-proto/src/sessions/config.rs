//! What a pool of sessions may do and take.

use core::time::Duration;

use crate::settings::settings;

settings! {
    /// The bounds and deadlines of a pool of sessions.
    #[derive(Clone, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub struct SessionsConfig {
        /// Most sessions at a time, those that are being created included. Where there is need of another, the one
        /// that was used least recently and is not in use is closed; where all are in use, asking for another is an
        /// error at once. Those that are being closed are not counted, creations that were
        /// given up included; there are at most as many again, and beyond that the oldest is dropped. Of so many keys
        /// is kept what their servers speak, beyond that of those whose sessions ended most recently. Default 1,000.
        pub sessions (with_sessions): usize,
        /// Most callers that wait for a session at a time; further ones get an error at once. Default 65,536.
        pub waiters (with_waiters): usize,
        /// How long a session is kept that nobody uses: this long at least, and at most twice as long, or 100
        /// milliseconds longer where that is more. `None` keeps it for ever. Default 10 minutes.
        pub idle (with_idle): Option<Duration>,
        /// What becomes of the creation of a session when everyone who waited for it is gone.
        pub unwanted (with_unwanted): Unwanted,
        /// How long a caller waits that does not say. Default 60 seconds.
        pub acquire (with_acquire): Duration,
        /// How long the creation of a session may take.
        pub attempt (with_attempt): AttemptTimeouts,
        /// How long closing a session may take: what is queued is sent, and a legacy HTTP session is deleted; also one
        /// whose creation was given up, as soon as the server names it. After that it is dropped. Default 5 seconds.
        pub close (with_close): Duration,
    }
}

impl Default for SessionsConfig {
    fn default() -> Self {
        Self {
            sessions: 1_000,
            waiters: 1 << 16,
            idle: Some(Duration::from_secs(10 * 60)),
            unwanted: Unwanted::Abandon,
            acquire: Duration::from_secs(60),
            attempt: AttemptTimeouts::default(),
            close: Duration::from_secs(5),
        }
    }
}

settings! {
    /// How long the parts of the creation of a session may take. They run inside the time of each caller, and never add
    /// to it.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub struct AttemptTimeouts {
        /// Until there is a connection: a socket, or a process that runs. Default 10 seconds.
        pub connect (with_connect): Duration,
        /// From then on, for the question which era the server speaks and for the handshake. What asks has deadlines
        /// of its own for each of the two ([`Timeouts::probe`](crate::Timeouts::probe),
        /// [`Timeouts::initialize`](crate::Timeouts::initialize)); this bounds them together. Default 45 seconds.
        pub handshake (with_handshake): Duration,
    }
}

impl Default for AttemptTimeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            handshake: Duration::from_secs(45),
        }
    }
}

settings! {
    /// How a caller waits for a session. The default is right for nearly all.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    #[non_exhaustive]
    pub struct AcquireOptions {
        /// All the time that the caller has; [`SessionsConfig::acquire`] where `None`.
        pub timeout (with_timeout): Option<Duration>,
        /// How much of that is spent already.
        pub waited (with_waited): Duration,
    }
}

/// What becomes of the creation of a session when everyone who waited for it is gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unwanted {
    /// It is given up: what was opened is closed, in the background.
    #[default]
    Abandon,
    /// It goes on, within its own deadlines, for whoever comes next.
    Keep,
}
