//! How a child ends.

use core::fmt;
use std::process::ExitStatus;

use super::Signal;

/// How a child has exited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Exit {
    /// The status it gave, where it exited by itself.
    pub code: Option<i32>,
    /// The number of the signal that ended it, where one did.
    pub signal: Option<i32>,
    /// The strongest signal that the shutdown had sent by then, where it had to.
    pub sent: Option<Signal>,
}

impl Exit {
    /// An exit with this status, or by this signal.
    #[must_use]
    pub fn new(code: Option<i32>, signal: Option<i32>) -> Self {
        let sent = None;
        Self { code, signal, sent }
    }

    /// Whether the child exited by itself, with status 0.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.code == Some(0)
    }
}

impl From<ExitStatus> for Exit {
    fn from(status: ExitStatus) -> Self {
        #[cfg(unix)]
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        #[cfg(not(unix))]
        let signal = None;
        Self::new(status.code(), signal)
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.signal) {
            (Some(code), _) => write!(f, "exited with status {code}"),
            (None, Some(signal)) => write!(f, "ended by signal {signal}"),
            (None, None) => f.write_str("ended"),
        }
    }
}
