//! A listener with the service behind it.

use std::future::{Future, pending, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use async_net::{TcpListener, TcpStream};
use hyper::server::conn::http1;
use mcp_proto::handle::Server;
use mcp_proto::handle::driver::{ServeOptions, Tasks};

use super::super::bridge::{Bridge, Timers};
use super::service::{McpService, service};
use crate::Driver;
use crate::accept::{Listening, bear, poll_tasks};
use crate::clock::within;
use crate::socket::Socket;

/// Serves `server` on `listener`, on every path, with defaults for everything.
///
/// # Cancel safety
/// Dropping it closes the listener, unless there are clones of it, and every connection.
///
/// # Errors
/// Those of a listener that cannot accept any more.
pub async fn serve(listener: TcpListener, server: Server) -> io::Result<()> {
    serve_until(listener, service(server), &ServeOptions::default(), pending()).await
}

/// Serves `service` on `listener` until `shutdown` is ready: then it accepts no more, ends the sessions and the
/// streams that are open, and lets the other requests in progress end, within [`ServeOptions::grace`]. A request of
/// a session (legacy era) ends with it, without an answer.
///
/// All connections and their handlers are polled in this one future.
///
/// # Cancel safety
/// Dropping it closes the listener, unless there are clones of it, and every connection.
///
/// # Errors
/// Those of a listener that cannot accept any more.
pub async fn serve_until(
    listener: TcpListener,
    service: McpService,
    options: &ServeOptions,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    widen(&listener);
    let body_timeout = service.body_timeout().min(options.body_timeout);
    let service = service.with_body_timeout(body_timeout);
    let mut tasks = Tasks::new();
    tasks.insert(Task::Upkeep(Box::pin(service.upkeep())));
    // The upkeep is one of them.
    let most = options
        .max_connections
        .map_or(usize::MAX, |most| most.saturating_add(1));
    let mut listening = Listening::new(|| next(&listener), tasks, most);
    let mut shutdown = pin!(shutdown);
    poll_fn(|cx| {
        if shutdown.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        let start = |stream| Task::connection(stream, service.clone(), options);
        listening.poll(cx, start).map(Err)
    })
    .await?;
    let mut tasks = listening.stop();
    drop(listener);
    service.endpoint().close();
    within(options.grace, finish(&mut tasks)).await;
    Ok(())
}

/// Lets more connections wait to be accepted than the 128 of the standard library: past that the system drops what
/// comes, and a client tries again after a second. Tokio's listeners have this number.
fn widen(listener: &TcpListener) {
    #[cfg(unix)]
    let _ = rustix::net::listen(listener, 1024);
    #[cfg(not(unix))]
    let _ = listener;
}

async fn next(listener: &TcpListener) -> io::Result<TcpStream> {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return Ok(stream),
            Err(error) => bear(error).await?,
        }
    }
}

/// What is polled beside the listener.
enum Task {
    Connection(Box<http1::Connection<Bridge<Socket<std::net::TcpStream>>, McpService>>),
    /// The upkeep of the endpoint, which never ends.
    Upkeep(Driver),
}

impl Task {
    fn connection(stream: TcpStream, service: McpService, options: &ServeOptions) -> Self {
        // A reply in two writes would wait for the client's delayed acknowledgement, 40 ms on Linux.
        let _ = stream.set_nodelay(true);
        let connection = http1::Builder::new()
            .timer(Timers)
            .header_read_timeout(options.header_timeout)
            .serve_connection(Bridge::new(Socket::new(stream)), service);
        Self::Connection(Box::new(connection))
    }
}

impl Future for Task {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.get_mut() {
            // What goes wrong on a connection concerns its client alone.
            Self::Connection(connection) => Pin::new(connection).poll(cx).map(drop),
            Self::Upkeep(upkeep) => upkeep.as_mut().poll(cx),
        }
    }
}

/// Lets the connections end, once their requests in progress have.
async fn finish(tasks: &mut Tasks<Task>) {
    let mut open = Vec::new();
    for (index, task) in tasks.iter_mut() {
        if let Task::Connection(connection) = task {
            Pin::new(&mut **connection).graceful_shutdown();
            open.push(index);
        }
    }
    open.into_iter().for_each(|index| tasks.wake(index));
    poll_fn(|cx| {
        poll_tasks(tasks);
        if tasks.iter_mut().all(|(_, task)| matches!(task, Task::Upkeep(_))) {
            return Poll::Ready(());
        }
        if !tasks.rest(cx) {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    })
    .await;
}
