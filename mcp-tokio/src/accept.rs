//! What a listener does when accepting fails.

use std::io;
use std::time::Duration;

/// How long a listener rests when the process or the system is out of something.
const REST: Duration = Duration::from_millis(50);

/// Bears a failure to accept that concerns one connection, or that passes: `Ok` when to go on.
///
/// A peer that was gone before it was accepted is nothing to a server. Where files or memory are used up, giving
/// up would turn a busy moment into an outage, and going on at once would burn the processor: it rests a while.
pub(crate) async fn bear(error: io::Error) -> io::Result<()> {
    match error.kind() {
        io::ErrorKind::ConnectionAborted
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionRefused
        | io::ErrorKind::Interrupted => Ok(()),
        // A listener that is no listener stays so.
        io::ErrorKind::InvalidInput | io::ErrorKind::NotConnected | io::ErrorKind::Unsupported => Err(error),
        _ => {
            tokio::time::sleep(REST).await;
            Ok(())
        }
    }
}
