//! New connections of an HTTP client.

use std::collections::VecDeque;
use std::time::Duration;

use mcp_driver::http::Origin;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};

use crate::clock::FAR;

/// Connects to the first address that answers. Each one gets its share of the time, so that a silent address
/// does not stand in the way of the next.
pub(super) async fn dial(origin: &Origin, most: Duration) -> std::io::Result<TcpStream> {
    let until = Instant::now() + most.min(FAR);
    let mut left: VecDeque<_> = lookup_host((origin.host(), origin.port())).await?.collect();
    let mut last = std::io::Error::new(std::io::ErrorKind::NotFound, "the name has no address");
    while let Some(address) = left.pop_front() {
        let share = until.saturating_duration_since(Instant::now()) / (left.len() as u32 + 1);
        match timeout_at(Instant::now() + share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Ok(Err(error)) => last = error,
            Err(_) => last = std::io::ErrorKind::TimedOut.into(),
        }
    }
    Err(last)
}
