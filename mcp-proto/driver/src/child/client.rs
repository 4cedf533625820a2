//! A client of a child.

use core::future::Future;
use std::io;

use mcp_proto::client::ClientConfig;
use mcp_proto::handle::{Client, Timer};

use super::{ChildLanes, Command, Exit, Process, SpawnError};

/// A client of the child that `start` has started by `command`, and the future that drives both, in the time of `timer`.
///
/// # Errors
/// Why the child was not started: a [`SpawnError`], in an error of the system's kind.
///
/// # Cancel safety
/// Dropping the future kills the child and its group at once, with one signal, and waits for nothing.
pub fn client_over_child<C, T>(
    command: &Command,
    config: ClientConfig,
    timer: T,
    start: fn(&Command) -> io::Result<C>,
) -> io::Result<(Client, impl Future<Output = io::Result<Exit>> + use<C, T>)>
where
    C: Process<Error = io::Error>,
    T: Timer,
{
    let process = start(command).map_err(|error| SpawnError::wrap(command, &error))?;
    let (client, pump) = Client::over_stream(config);
    let lanes = ChildLanes::new(pump, process, command);
    Ok((client, async { Ok(lanes.run(timer).await?) }))
}
