//! What accepting a connection fails with, and how a listener bears it.

use core::time::Duration;
use std::io;

/// How long a listener rests when the process or the system is out of something.
const REST: Duration = Duration::from_millis(50);

/// A failure to accept that concerns one connection, or that passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bearable {
    /// A peer that was gone before it was accepted is nothing to a server.
    AtOnce,
    /// Where files or memory are used up, giving up would turn a busy moment into an outage, and going on at once would
    /// burn the processor: the listener rests for this time.
    After(Duration),
}

impl Bearable {
    /// How to bear `error`.
    ///
    /// # Errors
    /// The error, where the listener is broken.
    pub fn of(error: io::Error) -> io::Result<Self> {
        match error.kind() {
            io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted => Ok(Self::AtOnce),
            // A listener that is no listener stays so.
            io::ErrorKind::InvalidInput | io::ErrorKind::NotConnected | io::ErrorKind::Unsupported => Err(error),
            _ => Ok(Self::After(REST)),
        }
    }
}
