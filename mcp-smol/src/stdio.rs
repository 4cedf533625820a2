//! The server of a child process: over the standard input and output of this process.
//!
//! On Unix nothing blocks and no thread is used where they are pipes (Linux) or sockets; anything else, such as a file or a
//! terminal, is relayed by a thread of its own. Neither is switched to non-blocking for others who have it open.
//!
//! While a server has them, standard input is empty for everyone else in the process and for the children it starts,
//! and what they write to standard output, such as with `println!`, goes to standard error: nothing but messages MUST be
//! written to standard output (2025-11-25, Transports, stdio). On other systems nothing is diverted, and threads of the
//! `blocking` pool read and write.

use std::future::{Future, pending};
use std::io;
use std::task::Context;
#[cfg(unix)]
use std::task::{Poll, ready};

use mcp_proto::handle::Server;
#[cfg(unix)]
use {
    async_io::Async,
    mcp_driver::descriptor::Descriptor,
    mcp_driver::{StandardStream, serve_stdio},
};

use crate::clock::{Clock, Timer};

/// Serves the peer at standard input and output: until the input ends and everything is answered and written, or it is
/// given up. The handlers of its requests are polled in place, in this future.
///
/// What is in progress when the input ends has the [`close`](mcp_proto::Timeouts::close) timeout of the server to
/// finish: servers SHOULD exit promptly then (2026-07-28, stdio, Shutdown).
///
/// # Errors
/// What reading and writing fail with, and `ResourceBusy` while another server has the standard streams.
///
/// # Cancel safety
/// Dropping the future drops the handlers in progress, and gives standard input and output back. A thread that relays
/// the input still takes what comes next.
pub async fn serve(server: Server) -> io::Result<()> {
    serve_until(server, pending()).await
}

/// Serves the peer at standard input and output like [`serve`], until `shutdown` is ready at most: nothing more is read
/// then, and what is in progress has the [`close`](mcp_proto::Timeouts::close) timeout to finish.
///
/// # Errors
/// Those of [`serve`].
///
/// # Cancel safety
/// That of [`serve`].
pub async fn serve_until(server: Server, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    #[cfg(unix)]
    return serve_stdio::<Watched>(server, Timer::new(Clock::start()), shutdown).await;
    #[cfg(not(unix))]
    {
        use futures_io::{AsyncRead, AsyncWrite};
        use mcp_driver::{Step, drive_steps, make_room};
        let (mut input, mut output) = (
            blocking::Unblock::new(io::stdin()),
            blocking::Unblock::new(io::stdout()),
        );
        let steps = move |cx: &mut Context<'_>, step: &mut Step<'_>| match step {
            Step::Read(buffer) => std::pin::Pin::new(&mut input).poll_read(cx, make_room(buffer)),
            Step::Write(bytes) => std::pin::Pin::new(&mut output).poll_write(cx, bytes),
            _ => std::pin::Pin::new(&mut output).poll_flush(cx).map_ok(|()| 0),
        };
        let drive = |pump| drive_steps(pump, Timer::new(Clock::start()), steps);
        mcp_driver::serve_until(&server, shutdown, drive).await
    }
}

/// A standard stream, as smol's reactor waits for it.
#[cfg(unix)]
struct Watched {
    stream: Async<Descriptor>,
    /// Whether it gave less than there was room for, and has no more until the reactor says so.
    is_drained: bool,
}

#[cfg(unix)]
impl StandardStream for Watched {
    fn watch(descriptor: Descriptor) -> io::Result<Self> {
        let stream = Async::new_nonblocking(descriptor)?;
        let is_drained = false;
        Ok(Self { stream, is_drained })
    }

    fn descriptor(&self) -> &Descriptor {
        self.stream.get_ref()
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            if self.is_drained {
                ready!(self.stream.poll_readable(cx))?;
            }
            match self.stream.get_ref().read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.is_drained = true,
                read => {
                    // It gave less than there was room for, and has no more: that need not be asked.
                    self.is_drained = read.as_ref().is_ok_and(|length| (1..buffer.len()).contains(length));
                    return Poll::Ready(read);
                }
            }
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            match self.stream.get_ref().write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready!(self.stream.poll_writable(cx))?,
                written => return Poll::Ready(written),
            }
        }
    }
}
