//! New connections of an HTTP client.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use async_net::{TcpStream, resolve};
use mcp_driver::http::Origin;

use crate::clock::{FAR, within};
use crate::socket::Socket;

/// Connects to the first address that answers. Each one gets its share of the time, so that a silent address
/// does not stand in the way of the next.
pub(super) async fn dial(origin: &Origin, most: Duration) -> std::io::Result<Socket<std::net::TcpStream>> {
    let until = Instant::now() + most.min(FAR);
    let mut left: VecDeque<_> = resolve((origin.host(), origin.port())).await?.into();
    let mut last = std::io::Error::new(std::io::ErrorKind::NotFound, "the name has no address");
    while let Some(address) = left.pop_front() {
        let share = until.saturating_duration_since(Instant::now()) / (left.len() as u32 + 1);
        match within(share, TcpStream::connect(address)).await {
            Some(Ok(stream)) => {
                stream.set_nodelay(true)?;
                return Ok(Socket::new(stream));
            }
            Some(Err(error)) => last = error,
            None => last = std::io::ErrorKind::TimedOut.into(),
        }
    }
    Err(last)
}
