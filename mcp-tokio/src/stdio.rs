//! The server of a child process: over the standard input and output of this process.
//!
//! On Unix nothing blocks and no thread is used where they are pipes (Linux) or sockets; anything else, such as a file or a
//! terminal, is relayed by a thread of its own. Neither is switched to non-blocking for others who have it open.
//!
//! While a server has them, standard input is empty for everyone else in the process and for the children it starts,
//! and what they write to standard output, such as with `println!`, goes to standard error: nothing but messages MUST be
//! written to standard output (2025-11-25, Transports, stdio). On other systems nothing is diverted, and a runtime that
//! shuts down waits for a line of input.

use std::future::{Future, pending};
use std::io;

use mcp_proto::handle::Server;
#[cfg(unix)]
use {
    crate::clock::{Clock, Timer},
    mcp_driver::descriptor::Descriptor,
    mcp_driver::{StandardStream, serve_stdio},
    std::task::{Context, Poll, ready},
    tokio::io::unix::AsyncFd,
};

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
        let streams = tokio::io::join(tokio::io::stdin(), tokio::io::stdout());
        mcp_driver::serve_until(&server, shutdown, |pump| crate::drive(pump, streams)).await
    }
}

/// A standard stream, as tokio waits for it.
#[cfg(unix)]
struct Watched(AsyncFd<Descriptor>);

#[cfg(unix)]
impl StandardStream for Watched {
    #[allow(
        deprecated,
        reason = "what replaces it is unsafe, and a `Descriptor` owns what it is"
    )]
    fn watch(descriptor: Descriptor) -> io::Result<Self> {
        AsyncFd::new(descriptor).map(Self)
    }

    fn descriptor(&self) -> &Descriptor {
        self.0.get_ref()
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.0.poll_read_ready(cx))?;
            // It would block: `try_io` has taken the readiness back, which is waited for again.
            let Ok(read) = ready.try_io(|from| from.get_ref().read(buffer)) else {
                continue;
            };
            // It gave less than there was room for, and has no more: that need not be asked.
            if read.as_ref().is_ok_and(|length| (1..buffer.len()).contains(length)) {
                ready.clear_ready();
            }
            return Poll::Ready(read);
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.0.poll_write_ready(cx))?;
            if let Ok(written) = ready.try_io(|to| to.get_ref().write(bytes)) {
                return Poll::Ready(written);
            }
        }
    }
}
