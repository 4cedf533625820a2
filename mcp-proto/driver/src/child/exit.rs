//! How a child ends, and why one cannot be started.

use alloc::string::{String, ToString};
use core::fmt;
use std::ffi::{OsStr, OsString};
use std::io;
use std::process::ExitStatus;

use super::{Command, Signal};

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

/// Why a child was not started. It is inside the [`std::io::Error`](https://doc.rust-lang.org/std/io/struct.Error.html)
/// that an adapter gives, whose kind is that of the system's error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpawnError {
    program: OsString,
    directory: Option<OsString>,
    reason: String,
}

impl SpawnError {
    /// What starting `command` failed with.
    #[must_use]
    pub fn new(command: &Command, reason: &impl ToString) -> Self {
        Self {
            program: command.program().to_owned(),
            directory: command.directory().map(OsStr::to_owned),
            reason: reason.to_string(),
        }
    }

    /// The same in an error of the system's kind.
    #[must_use]
    pub fn wrap(command: &Command, reason: &io::Error) -> io::Error {
        io::Error::new(reason.kind(), Self::new(command, reason))
    }

    /// The program that was to be started.
    #[must_use]
    pub fn program(&self) -> &OsStr {
        &self.program
    }
}

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot start {:?}", self.program)?;
        if let Some(directory) = &self.directory {
            write!(f, " in {directory:?}")?;
        }
        write!(f, ": {}", self.reason)
    }
}

impl core::error::Error for SpawnError {}
