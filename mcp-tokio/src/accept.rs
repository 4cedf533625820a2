//! What a listener does: it accepts, and bears it when accepting fails.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use mcp_driver::rest_after;
use tokio::task::JoinSet;

/// The next connection that `poll_accept` gives; `None` where `shutdown` came first. Meanwhile the connections that are
/// over are cleared away.
pub(crate) async fn accept<S, T: 'static>(
    poll_accept: impl Fn(&mut Context<'_>) -> Poll<io::Result<S>>,
    connections: &mut JoinSet<T>,
    mut shutdown: Pin<&mut impl Future<Output = ()>>,
) -> Option<io::Result<S>> {
    poll_fn(|cx| {
        if shutdown.as_mut().poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        // A set keeps what is over until it is taken: nobody else does.
        while let Poll::Ready(Some(_)) = connections.poll_join_next(cx) {}
        poll_accept(cx).map(Some)
    })
    .await
}

/// Lets the connections end, for so long at most. Whether they have.
pub(crate) async fn finish<T: 'static>(connections: &mut JoinSet<T>, grace: Duration) -> bool {
    let finish = async { while connections.join_next().await.is_some() {} };
    tokio::time::timeout(grace, finish).await.is_ok()
}

/// Bears a failure to accept that concerns one connection, or that passes: `Ok` when to go on.
pub(crate) async fn bear(error: io::Error) -> io::Result<()> {
    if let Some(rest) = rest_after(error)? {
        tokio::time::sleep(rest).await;
    }
    Ok(())
}
