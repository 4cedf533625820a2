//! Clients of child processes, over their standard input and output.
//!
//! A child is a process group of its own. When the last handle of its client is dropped, or it exits, its input is
//! closed, and it has 2 seconds to exit; then the group is asked to terminate (`SIGTERM`), and after 2 more seconds
//! killed (`SIGKILL`). What the child leaves behind in its group is ended in the same way. On other systems than Unix
//! the child alone is terminated, at the first of these steps. A child that has exited is reaped by the driver.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::process::{ExitStatus, Stdio};
use std::task::{Context, Poll};

use async_process::{Child, ChildStderr, ChildStdin, ChildStdout};
use bytes::BytesMut;
use futures_io::{AsyncRead, AsyncWrite};
pub use mcp_driver::child::{Command, Environment, Exit, SpawnError, Stderr};
use mcp_driver::child::{Group, Pipes, Process, Signal, client_over_child};
use mcp_driver::{Step, make_room};
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
    client_over_child(command, client.into(), Timer::new(Clock::start()), Running::start)
}

/// A child that was started.
struct Running {
    child: Child,
    /// Waits for the exit.
    status: Pin<Box<dyn Future<Output = io::Result<ExitStatus>> + Send>>,
    group: Group,
    pipes: Pipes<ChildStdin, ChildStdout, ChildStderr>,
}

impl Running {
    fn start(command: &Command) -> io::Result<Self> {
        let mut start = async_process::Command::from(command.to_std());
        start
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(command.stderr_to());
        let mut child = start.spawn()?;
        Ok(Self {
            group: Group::of(Some(child.id())),
            pipes: Pipes::new(child.stdin.take(), child.stdout.take(), child.stderr.take()),
            status: Box::pin(child.status()),
            child,
        })
    }
}

impl Process for Running {
    type Error = io::Error;

    fn poll_stream(&mut self, cx: &mut Context<'_>, step: Step<'_>) -> Poll<io::Result<usize>> {
        let write = |pipe: &mut ChildStdin, cx: &mut Context<'_>, bytes: &[u8]| Pin::new(pipe).poll_write(cx, bytes);
        self.pipes.poll_stream(cx, step, read, write)
    }

    fn poll_stderr(&mut self, cx: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        self.pipes.poll_stderr(|pipe| read(pipe, cx, buffer))
    }

    fn unread(&mut self) -> Option<usize> {
        self.pipes.unread()
    }

    fn poll_exit(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Exit>> {
        self.status.as_mut().poll(cx).map_ok(Exit::from)
    }

    fn has_group(&mut self) -> bool {
        self.group.exists()
    }

    fn send(&mut self, signal: Signal) {
        self.group.send(signal, || self.child.kill());
    }
}

/// Reads from a pipe to the front of `buffer`. 0 is the end.
fn read(pipe: &mut (impl AsyncRead + Unpin), cx: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
    Pin::new(pipe).poll_read(cx, make_room(buffer))
}
