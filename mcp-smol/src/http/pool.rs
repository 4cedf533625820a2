//! Connections of an HTTP client that wait for their next request.

use std::collections::VecDeque;
use std::future::Future;
use std::time::{Duration, Instant};

use async_net::{TcpStream, resolve};
use http::header::HOST;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Request, Uri};
use hyper::client::conn::http1;
use mcp_proto::Time;
use mcp_proto::http::client::ExchangeError;

use super::bridge::Bridge;
use super::payload::Payload;
use crate::clock::within;
use crate::socket::Socket;

/// The side of a connection that takes requests.
pub(super) type Sender = http1::SendRequest<Payload>;
/// The side of a connection that has to be polled.
pub(super) type Connection = http1::Connection<Bridge<Socket<std::net::TcpStream>>, Payload>;

/// Connections by origin. There may be any number: each exchange has one to itself.
#[derive(Debug)]
pub(super) struct Pool {
    origins: Vec<Origin>,
    idle_timeout: Duration,
    connect_timeout: Duration,
}

/// A server, and the connections to it that wait.
#[derive(Debug)]
struct Origin {
    authority: Authority,
    host: HeaderValue,
    /// The one used last is at the back, and is used first.
    idle: VecDeque<Idle>,
}

#[derive(Debug)]
struct Idle {
    sender: Sender,
    since: Time,
}

/// An origin of a pool.
#[derive(Clone, Copy, Debug)]
pub(super) struct OriginKey(usize);

impl Pool {
    /// No connection yet.
    pub(super) fn new(connect_timeout: Duration, idle_timeout: Duration) -> Self {
        Self {
            origins: Vec::new(),
            idle_timeout,
            connect_timeout,
        }
    }

    /// Makes a request ready for the wire: its origin, the path alone as its target, and `Host`.
    pub(super) fn address(
        &mut self,
        mut request: Request<Payload>,
    ) -> Result<(OriginKey, Request<Payload>), ExchangeError> {
        let key = self.origin(request.uri())?;
        let target = request.uri().path_and_query().cloned();
        *request.uri_mut() = target.unwrap_or_else(|| PathAndQuery::from_static("/")).into();
        let host = &self.origins[key.0].host;
        request.headers_mut().entry(HOST).or_insert_with(|| host.clone());
        Ok((key, request))
    }

    /// A connection that waits.
    pub(super) fn take(&mut self, key: OriginKey) -> Option<Sender> {
        let idle = &mut self.origins[key.0].idle;
        std::iter::from_fn(|| idle.pop_back())
            .map(|idle| idle.sender)
            .find(Sender::is_ready)
    }

    /// Keeps a connection for the next request, if it can bear one.
    pub(super) fn keep(&mut self, key: OriginKey, sender: Sender, now: Time) {
        if sender.is_ready() {
            self.origins[key.0].idle.push_back(Idle { sender, since: now });
        }
    }

    /// Makes a new connection.
    pub(super) fn connect(
        &self,
        key: OriginKey,
    ) -> impl Future<Output = Result<(Sender, Connection), ExchangeError>> + Send + use<> {
        let authority = self.origins[key.0].authority.clone();
        connect(authority, self.connect_timeout)
    }

    /// Forgets the connections that the server has closed.
    pub(super) fn forget_closed(&mut self) {
        for origin in &mut self.origins {
            origin.idle.retain(|idle| !idle.sender.is_closed());
        }
    }

    /// Closes the connections that have waited too long.
    pub(super) fn expire(&mut self, now: Time) {
        let most = self.idle_timeout;
        for origin in &mut self.origins {
            let expired = origin.idle.iter().take_while(|idle| idle.since + most <= now).count();
            origin.idle.drain(..expired);
        }
    }

    /// When [`expire`](Self::expire) wants to be called.
    pub(super) fn deadline(&self) -> Option<Time> {
        let fronts = self.origins.iter().filter_map(|origin| origin.idle.front());
        fronts.map(|idle| idle.since + self.idle_timeout).min()
    }

    fn origin(&mut self, uri: &Uri) -> Result<OriginKey, ExchangeError> {
        let authority = uri.authority().ok_or_else(|| unreachable("the URL names no host"))?;
        if uri.scheme() != Some(&Scheme::HTTP) {
            return Err(unreachable("only http URLs can be reached"));
        }
        let known = self.origins.iter().position(|origin| origin.authority == *authority);
        Ok(OriginKey(match known {
            Some(index) => index,
            None => self.add(authority)?,
        }))
    }

    fn add(&mut self, authority: &Authority) -> Result<usize, ExchangeError> {
        // User information is for this side alone.
        let host = authority.as_str().rsplit('@').next().unwrap_or_default();
        let host = HeaderValue::from_str(host).map_err(|_| unreachable("the URL names no valid host"))?;
        self.origins.push(Origin {
            authority: authority.clone(),
            host,
            idle: VecDeque::new(),
        });
        Ok(self.origins.len() - 1)
    }
}

fn unreachable(why: impl Into<Box<str>>) -> ExchangeError {
    ExchangeError::Unreachable(why.into())
}

async fn connect(authority: Authority, most: Duration) -> Result<(Sender, Connection), ExchangeError> {
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
