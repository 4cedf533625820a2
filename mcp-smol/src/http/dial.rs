//! New connections of an HTTP client.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use async_net::{TcpStream, resolve};
use http::uri::Authority;
use hyper::client::conn::http1;
use mcp_proto::http::client::ExchangeError;

use super::bridge::Bridge;
use super::payload::Payload;
use crate::clock::within;
use crate::socket::Socket;

/// The side of a connection that takes requests.
pub(super) type Sender = http1::SendRequest<Payload>;
/// The side of a connection that has to be polled.
pub(super) type Connection = http1::Connection<Bridge<Socket<std::net::TcpStream>>, Payload>;

fn unreachable(why: impl Into<Box<str>>) -> ExchangeError {
    ExchangeError::Unreachable(why.into())
}

/// Makes a connection, within the time `most`.
pub(super) async fn connect(
    authority: Option<Authority>,
    most: Duration,
) -> Result<(Sender, Connection), ExchangeError> {
    let authority = authority.ok_or_else(|| unreachable("the URL names no host"))?;
    let stream = within(most, dial(&authority, most)).await;
    let stream = stream.ok_or_else(|| unreachable(format!("no connection to {} within {most:?}", authority.host())))?;
    let stream = stream.map_err(|error| unreachable(format!("{}: {error}", authority.host())))?;
    let handshake = http1::handshake(Bridge::new(Socket::new(stream))).await;
    handshake.map_err(|error| unreachable(super::exchange::describe(&error)))
}

/// Connects to the first address that answers. Each one gets its share of the time, so that a silent address
/// does not stand in the way of the next.
async fn dial(authority: &Authority, most: Duration) -> std::io::Result<TcpStream> {
    let until = Instant::now() + most;
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let mut left: VecDeque<_> = resolve((host, authority.port_u16().unwrap_or(80))).await?.into();
    let mut last = std::io::Error::new(std::io::ErrorKind::NotFound, "the name has no address");
    while let Some(address) = left.pop_front() {
        let share = until.saturating_duration_since(Instant::now()) / (left.len() as u32 + 1);
        match within(share, TcpStream::connect(address)).await {
            Some(Ok(stream)) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Some(Err(error)) => last = error,
            None => last = std::io::ErrorKind::TimedOut.into(),
        }
    }
    Err(last)
}
