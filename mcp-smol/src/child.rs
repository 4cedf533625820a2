//! Clients of child processes, over their standard input and output.
//!
//! A child is a process group of its own. When the last handle of its client is dropped, or it exits, its input is
//! closed, and it has 2 seconds to exit; then the group is asked to terminate (`SIGTERM`), and after 2 more seconds
//! killed (`SIGKILL`). What the child leaves behind in its group is ended in the same way. On other systems than Unix
//! the child alone is terminated, at the first of these steps. A child that has exited is reaped by the driver.
//!
//! A child that ends while it is needed, or with failure, is started again, up to
//! [`Limits::restarts`](mcp_proto::Limits::restarts) times within a minute; see
//! [`StreamClient::allow_reopening`](mcp_proto::client::StreamClient::allow_reopening).

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::process::{ExitStatus, Stdio};
use std::task::{Context, Poll};

use async_process::{ChildStderr, ChildStdin, ChildStdout};
use bytes::BytesMut;
use futures_io::{AsyncRead, AsyncWrite};
use mcp_driver::child::{Child, Pipes, PipesOf, Running, client_over_child};
pub use mcp_driver::child::{Command, Environment, Exit, SpawnError, Stderr};
use mcp_driver::make_room;
use mcp_proto::handle::{Client, ClientBuilder};

use crate::clock::{Clock, Timer};
use mcp_proto::handle::sessions::Driver;

/// A client of the server that `command` starts, driven by the task that `spawn` makes. The handshake is part of the
/// first await.
///
/// When the driver is dropped the child is killed, with its group; to wait for a graceful end, await the driver of
/// [`child_over`].
///
/// # Errors
/// Those of [`child_over`].
pub fn connect_child(
    command: &Command,
    client: impl Into<ClientBuilder>,
    spawn: impl FnOnce(Driver),
) -> io::Result<Client> {
    let (client, driver) = child_over(command, client.into())?;
    // How it ended is told by the calls, and to the callback of the command.
    spawn(Box::pin(async { drop(driver.await) }));
    Ok(client)
}

/// A client of the server that `command` starts, and the future that drives it, for those who poll or spawn it
/// themselves.
///
/// The future ends when the connection is over, the child has exited, and nothing of its group is left; with how the
/// child exited. It fails where that cannot be found out.
///
/// # Errors
/// Why the child was not started: a [`SpawnError`] that names the program, in an error of the system's kind, such as
/// `NotFound`.
///
/// # Cancel safety
/// Dropping the future kills the child and its group at once, with one signal, and waits for nothing; the thread
/// of `async-process` reaps the child later. Every call that waits ends with `Closed`.
pub fn child_over<C: Into<ClientBuilder>>(
    command: &Command,
    client: C,
) -> io::Result<(Client, impl Future<Output = io::Result<Exit>> + Send + use<C>)> {
    client_over_child(
        command,
        client.into(),
        Timer::new(Clock::start()),
        Running::<Awaited>::start,
    )
}

/// A child, and what waits for its exit.
struct Awaited(
    async_process::Child,
    Pin<Box<dyn Future<Output = io::Result<ExitStatus>> + Send>>,
);

impl Child for Awaited {
    type Stdin = ChildStdin;
    type Stdout = ChildStdout;
    type Stderr = ChildStderr;

    fn start(command: &Command) -> io::Result<(Self, Option<u32>, PipesOf<Self>)> {
        let mut start = async_process::Command::from(command.to_std());
        start.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = start.stderr(command.stderr_to()).spawn()?;
        let pipes = Pipes::new(child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (number, exit) = (child.id(), Box::pin(child.status()));
        Ok((Self(child, exit), Some(number), pipes))
    }

    fn poll_write(pipe: &mut ChildStdin, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(pipe).poll_write(cx, bytes)
    }

    fn poll_read(pipe: &mut ChildStdout, cx: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        read(pipe, cx, buffer)
    }

    fn poll_stderr(pipe: &mut ChildStderr, cx: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        read(pipe, cx, buffer)
    }

    fn poll_exit(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Exit>> {
        self.1.as_mut().poll(cx).map_ok(Exit::from)
    }

    fn kill(&mut self) -> io::Result<()> {
        self.0.kill()
    }
}

/// Reads from a pipe to the front of `buffer`. 0 is the end.
fn read(pipe: &mut (impl AsyncRead + Unpin), cx: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
    Pin::new(pipe).poll_read(cx, make_room(buffer))
}
