//! Why a child cannot be started.

use alloc::string::{String, ToString};
use core::fmt;
use std::ffi::{OsStr, OsString};
use std::io;

use super::Command;

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
