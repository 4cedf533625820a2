//! What a listener does: it accepts, and bears it when accepting fails.

use std::future::{Future, poll_fn};
use std::io;
use std::sync::Arc;
use std::task::Poll;

use async_io::{Async, Timer};
#[cfg(unix)]
use async_net::unix::{UnixListener, UnixStream};
use async_net::{TcpListener, TcpStream};
use mcp_driver::rest_after;

/// How many connections are accepted before those that are there get their turn.
const ACCEPTS: usize = 8;

/// How many connections may wait to be accepted. Past that the system drops what comes, and a client tries again after
/// a second. The standard library has 128; tokio's listeners have this number.
#[cfg(unix)]
const BACKLOG: i32 = 1024;

/// What accepts connections.
pub(crate) trait Listener {
    /// One connection.
    type Stream;

    /// The next connection.
    fn accept(&self) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// Lets more connections wait to be accepted.
    fn widen(&self);
}

impl Listener for TcpListener {
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<TcpStream> {
        let (stream, _) = patiently(&self.clone().into(), std::net::TcpListener::accept).await?;
        Ok(Async::new(stream)?.into())
    }

    fn widen(&self) {
        #[cfg(unix)]
        // A listener that cannot be widened serves with what it has.
        let _ = rustix::net::listen(self, BACKLOG);
    }
}

#[cfg(unix)]
impl Listener for UnixListener {
    type Stream = UnixStream;

    async fn accept(&self) -> io::Result<UnixStream> {
        let (stream, _) = patiently(&self.clone().into(), std::os::unix::net::UnixListener::accept).await?;
        Ok(Async::new(stream)?.into())
    }

    fn widen(&self) {
        let _ = rustix::net::listen(self, BACKLOG);
    }
}

/// Accepts where there is something to accept. The listener's own way asks the system whenever it is polled, which is
/// whenever anything happens on one of the connections beside it.
async fn patiently<L, S>(listener: &Arc<Async<L>>, accept: impl Fn(&L) -> io::Result<S>) -> io::Result<S> {
    loop {
        match accept(listener.get_ref()) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => listener.readable().await?,
            accepted => return accepted,
        }
    }
}

/// Starts each connection that comes. Ready where the listener is broken.
pub(crate) async fn accept<L: Listener>(listener: &L, mut start: impl FnMut(L::Stream)) -> io::Error {
    loop {
        for _ in 0..ACCEPTS {
            match listener.accept().await {
                Ok(stream) => start(stream),
                Err(error) => match rest_after(error) {
                    Ok(Some(rest)) => drop(Timer::after(rest).await),
                    Ok(None) => {}
                    Err(broken) => return broken,
                },
            }
        }
        // A listener that is always ready would never be pending, and the connections never polled.
        give_way().await;
    }
}

/// Lets others have their turn.
async fn give_way() {
    let mut has = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut has, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
