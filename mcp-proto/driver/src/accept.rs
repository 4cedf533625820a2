//! What accepting a connection fails with, and how a listener bears it.

use core::time::Duration;
use std::io;

/// How long a listener rests when the process or the system is out of something.
const REST: Duration = Duration::from_millis(50);

/// How long a listener rests after `error`, a failure to accept that concerns one connection, or that passes.
///
/// A peer that was gone before it was accepted is nothing to a server. Where files or memory are used up, giving up would
/// turn a busy moment into an outage, and going on at once would burn the processor.
///
/// # Errors
/// The error, where the listener is broken.
pub fn rest_after(error: io::Error) -> io::Result<Option<Duration>> {
    match error.kind() {
        io::ErrorKind::ConnectionAborted
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionRefused
        | io::ErrorKind::Interrupted => Ok(None),
        // A listener that is no listener stays so.
        io::ErrorKind::InvalidInput | io::ErrorKind::NotConnected | io::ErrorKind::Unsupported => Err(error),
        _ => Ok(Some(REST)),
    }
}
