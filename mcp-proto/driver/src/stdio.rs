//! A server over the standard input and output of its process.

use core::future::Future;
use core::task::{Context, Poll};
use std::io;

use mcp_proto::handle::{Server, Timer};

use crate::descriptor::{Descriptor, Taken};
use crate::{Step, drive_steps, make_room, serve_until};

/// A standard stream, as a runtime waits for it.
pub trait StandardStream: Sized {
    /// Has the runtime wait for `descriptor`, which never blocks.
    ///
    /// # Errors
    /// What the runtime fails with.
    fn watch(descriptor: Descriptor) -> io::Result<Self>;

    /// The descriptor that is waited for.
    fn descriptor(&self) -> &Descriptor;

    /// Reads to the front of `buffer`, once there is something. 0 is the end.
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Writes some of `bytes`, once there is room.
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>>;
}

/// Serves the peer at standard input and output, in the time of `timer`, until `shutdown` is ready at most: nothing more
/// is read then, and what is in progress has the [`close`](mcp_proto::Timeouts::close) timeout to finish.
///
/// # Errors
/// What reading and writing fail with, and `ResourceBusy` while another server has the standard streams.
///
/// # Cancel safety
/// Dropping the future drops the handlers in progress, and gives standard input and output back. A thread that relays
/// the input still takes what comes next.
pub async fn serve_stdio<S: StandardStream>(
    server: Server,
    timer: impl Timer,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let mut streams = Streams::<S>::take()?;
    // Kept apart: the streams go with the driver.
    let fault = streams.output.descriptor().fault();
    let drive = |pump| drive_steps(pump, timer, move |cx, step| streams.poll(cx, step));
    serve_until(&server, shutdown, drive).await?;
    // What was relayed has arrived by now, or never will.
    fault.outcome()
}

/// What standard input and output were.
struct Streams<S> {
    input: S,
    output: S,
    /// Given back when nothing uses them any more: fields are dropped in this order.
    _taken: Taken,
}

impl<S: StandardStream> Streams<S> {
    fn take() -> io::Result<Self> {
        let taken = Taken::take()?;
        Ok(Self {
            input: S::watch(taken.input()?)?,
            output: S::watch(taken.output()?)?,
            _taken: taken,
        })
    }

    fn poll(&mut self, cx: &mut Context<'_>, step: &mut Step<'_>) -> Poll<io::Result<usize>> {
        match step {
            Step::Read(buffer) => self.input.poll_read(cx, make_room(buffer)),
            Step::Write(bytes) => self.output.poll_write(cx, bytes),
            // At its end when everything has arrived where it is relayed to.
            Step::Close if self.output.descriptor().end() => self.output.poll_read(cx, &mut [0]),
            _ => Poll::Ready(Ok(0)),
        }
    }
}
