//! File descriptors: each call in flight over HTTP/1.1 has a connection, and both of its ends are here.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::host::Failure;
use super::part::{CROWD, DEPTH, FAN};

/// Lets the process open as many as the deepest nest and the widest fan need.
///
/// # Errors
/// Where the system does not allow so many.
pub(crate) fn allow() -> Result<(), Failure> {
    // A tool of the fan is called, and calls. Connections that are not used any more live on for a while.
    let connections = CROWD as u64 + u64::from(DEPTH) + 2 * FAN as u64;
    let needed = 2 * connections + 100;
    let limit = getrlimit(Resource::Nofile);
    // No limit is a limit that suffices.
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    let raised = Rlimit {
        current: Some(needed),
        ..limit
    };
    setrlimit(Resource::Nofile, raised).map_err(|error| {
        let most = limit
            .maximum
            .map_or_else(|| "any number".into(), |most| most.to_string());
        format!("a process needs {needed} file descriptors for this, and may have {most} (ulimit -Hn): {error}").into()
    })
}
