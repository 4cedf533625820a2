//! What a listener does: it accepts, bears it when accepting fails, and polls what it has accepted.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_io::Timer;
#[cfg(unix)]
use async_net::unix::{UnixListener, UnixStream};
use async_net::{TcpListener, TcpStream};
use mcp_proto::handle::driver::Tasks;

/// How long a listener rests when the process or the system is out of something.
const REST: Duration = Duration::from_millis(50);

/// How often a listener goes round before other tasks get their turn.
const ROUNDS: usize = 4;

/// How many connections are accepted in one round.
const ACCEPTS: usize = 8;

/// How many connections are polled in one round. Each is a system call or two, and handlers that run: all rounds
/// together shall not hold the thread for long.
const POLLS: usize = 8;

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
        Ok(Self::accept(self).await?.0)
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
        Ok(Self::accept(self).await?.0)
    }

    fn widen(&self) {
        let _ = rustix::net::listen(self, BACKLOG);
    }
}

/// The next connection.
pub(crate) async fn next<L: Listener>(listener: &L) -> io::Result<L::Stream> {
    loop {
        match listener.accept().await {
            Ok(stream) => return Ok(stream),
            Err(error) => bear(error).await?,
        }
    }
}

/// A listener and its connections, all polled in place.
///
/// `A` makes the future `F` that accepts the next one; `T` is a connection on its way.
pub(crate) struct Listening<A, F, T> {
    accept: A,
    next: Pin<Box<F>>,
    connections: Tasks<T>,
    most: usize,
}

impl<A, F, S, T> Listening<A, F, T>
where
    A: FnMut() -> F,
    F: Future<Output = io::Result<S>>,
    T: Future + Unpin,
{
    /// Accepts what `accept` gives, and polls that beside the `connections` there are. While there are `most`, a
    /// further one is closed at once.
    pub(crate) fn new(mut accept: A, connections: Tasks<T>, most: usize) -> Self {
        let next = Box::pin(accept());
        Self {
            accept,
            next,
            connections,
            most,
        }
    }

    /// Accepts, and has what was accepted go on. Ready where the listener is broken.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, mut start: impl FnMut(S) -> T) -> Poll<io::Error> {
        for _ in 0..ROUNDS {
            let mut moved = false;
            for _ in 0..ACCEPTS {
                match self.poll_accept(cx) {
                    Poll::Ready(Ok(stream)) if self.connections.len() < self.most => {
                        self.connections.insert(start(stream));
                    }
                    Poll::Ready(Ok(_)) => {}
                    Poll::Ready(Err(error)) => return Poll::Ready(error),
                    Poll::Pending => break,
                }
                moved = true;
            }
            moved |= poll_tasks(&mut self.connections);
            if !moved && self.connections.rest(cx) {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Accepts no more.
    pub(crate) fn stop(self) -> Tasks<T> {
        self.connections
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<S>> {
        let accepted = ready!(self.next.as_mut().poll(cx));
        self.next.set((self.accept)());
        Poll::Ready(accepted)
    }
}

/// Polls what was woken, within bounds, and clears away what is over. Whether anything was woken.
pub(crate) fn poll_tasks<T: Future + Unpin>(tasks: &mut Tasks<T>) -> bool {
    for polls in 0..POLLS {
        let Some((index, outcome)) = tasks.poll_next(|task, cx| Pin::new(task).poll(cx)) else {
            return polls > 0;
        };
        if outcome.is_ready() {
            tasks.remove(index);
        }
    }
    true
}

/// Lets the connections end, until so many are left.
pub(crate) async fn finish<T: Future + Unpin>(mut connections: Tasks<T>, left: usize) {
    poll_fn(|cx| {
        poll_tasks(&mut connections);
        if connections.len() <= left {
            return Poll::Ready(());
        }
        if !connections.rest(cx) {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    })
    .await;
}

/// Bears a failure to accept that concerns one connection, or that passes: `Ok` when to go on.
///
/// A peer that was gone before it was accepted is nothing to a server. Where files or memory are used up, giving
/// up would turn a busy moment into an outage, and going on at once would burn the processor: it rests a while.
pub(crate) async fn bear(error: io::Error) -> io::Result<()> {
    match error.kind() {
        io::ErrorKind::ConnectionAborted
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionRefused
        | io::ErrorKind::Interrupted => Ok(()),
        // A listener that is no listener stays so.
        io::ErrorKind::InvalidInput | io::ErrorKind::NotConnected | io::ErrorKind::Unsupported => Err(error),
        _ => {
            Timer::after(REST).await;
            Ok(())
        }
    }
}
