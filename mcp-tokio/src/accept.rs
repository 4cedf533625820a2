//! What a listener does: it accepts, and bears it when accepting fails.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use mcp_driver::Bearable;
use tokio::net::{TcpListener, TcpStream};
#[cfg(unix)]
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;

/// What accepts connections.
pub(crate) trait Listener {
    /// One connection.
    type Stream;

    /// Ready when there is one.
    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Self::Stream>>;
}

impl Listener for TcpListener {
    type Stream = TcpStream;

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<TcpStream>> {
        Self::poll_accept(self, cx).map_ok(|(stream, _)| stream)
    }
}

#[cfg(unix)]
impl Listener for UnixListener {
    type Stream = UnixStream;

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<UnixStream>> {
        Self::poll_accept(self, cx).map_ok(|(stream, _)| stream)
    }
}

/// The next connection; `None` where `shutdown` came first. Meanwhile the connections that are over are cleared away.
pub(crate) async fn accept<L: Listener, T: 'static>(
    listener: &L,
    connections: &mut JoinSet<T>,
    mut shutdown: Pin<&mut impl Future<Output = ()>>,
) -> Option<io::Result<L::Stream>> {
    poll_fn(|cx| {
        if shutdown.as_mut().poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        while let Poll::Ready(Some(_)) = connections.poll_join_next(cx) {}
        listener.poll_accept(cx).map(Some)
    })
    .await
}

/// Lets the connections end, for so long at most. Whether they have.
pub(crate) async fn finish<T: 'static>(connections: &mut JoinSet<T>, grace: Duration) -> bool {
    let finish = async { while connections.join_next().await.is_some() {} };
    tokio::time::timeout(grace, finish).await.is_ok()
}

/// Bears a failure to accept; see [`Bearable`].
pub(crate) async fn bear(error: io::Error) -> io::Result<()> {
    match Bearable::of(error)? {
        Bearable::AtOnce => {}
        Bearable::After(rest) => tokio::time::sleep(rest).await,
    }
    Ok(())
}
