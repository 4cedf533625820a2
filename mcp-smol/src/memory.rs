//! A connection in memory: what one side sends is handed to the other as it is.

use std::future::Future;

use mcp_proto::handle::{Client, ClientBuilder, Crossing, Pump, Server};

use crate::clock::{Clock, Timer};
use mcp_proto::handle::sessions::Driver;

/// A client of `server` in this process, both driven by the task that `spawn` makes.
pub fn connect_memory(server: &Server, client: impl Into<ClientBuilder>, spawn: impl FnOnce(Driver)) -> Client {
    let (client, driver) = duplex(server, client.into());
    spawn(Box::pin(driver));
    client
}

/// A client of `server` in this process, and the future that drives both, for those who poll or spawn it
/// themselves.
///
/// The future ends when the last handle of the client is dropped and everything is done.
///
/// # Cancel safety
/// Dropping the future closes the connection at once; every call that waits ends with `Closed`.
pub fn duplex<C: Into<ClientBuilder>>(
    server: &Server,
    client: C,
) -> (Client, impl Future<Output = ()> + Send + use<C>) {
    let (client, pump) = Client::over_stream(client);
    (client, join(pump, server.pump()))
}

/// Connects two pumps in memory, and drives both until both are done.
///
/// Nothing is copied, and nothing is queued in between: a side that wants no input holds up the other.
///
/// # Cancel safety
/// Dropping the future drops both pumps, which closes the connection at once.
pub async fn join<A: Pump, B: Pump>(left: A, right: B) {
    Crossing::new(left, right).run(Timer::new(Clock::start())).await;
}
