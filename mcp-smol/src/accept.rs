//! What a listener does: it accepts, and bears it when accepting fails.

use std::future::{Future, poll_fn};
use std::io;
use std::sync::Arc;
use std::task::Poll;

use async_io::{Async, Timer};
#[cfg(unix)]
use async_net::unix::{UnixListener, UnixStream};
use async_net::{TcpListener, TcpStream};
use mcp_driver::Bearable;

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
                Err(error) => {
                    if let Err(broken) = bear(error).await {
                        return broken;
                    }
                }
            }
        }
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

/// Bears a failure to accept; see [`Bearable`].
async fn bear(error: io::Error) -> io::Result<()> {
    match Bearable::of(error)? {
        Bearable::AtOnce => {}
        Bearable::After(rest) => drop(Timer::after(rest).await),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::pin::pin;
    use std::task::{Context, Waker};

    #[test]
    fn the_system_is_asked_once_however_often_the_future_is_polled() {
        let listener = Async::<std::net::TcpListener>::bind(([127, 0, 0, 1], 0)).unwrap();
        let (listener, asked) = (Arc::new(listener), Cell::new(0));
        let mut accepted = pin!(patiently(&listener, |listener| {
            asked.set(asked.get() + 1);
            listener.accept()
        }));
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..5 {
            assert!(accepted.as_mut().poll(&mut cx).is_pending());
        }
        assert_eq!(asked.get(), 1);
        let client = std::net::TcpStream::connect(listener.get_ref().local_addr().unwrap()).unwrap();
        let (_, address) = async_io::block_on(accepted).unwrap();
        assert_eq!(address, client.local_addr().unwrap());
    }
}
