//! One future that moves the bytes and deadlines of one byte-stream connection.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use futures_io::{AsyncRead, AsyncWrite};
use mcp_driver::{Step, drive_steps, make_room};
use mcp_proto::handle::Pump;

use crate::clock::{Clock, Timer};

/// Drives `pump` over `io` until the connection is closed and everything queued is written.
///
/// Three lanes in one future: reading, writing, and the deadline. None waits for another: while a write is
/// half done, reading goes on; the end of the input does not cut off queued output. A write that fails ends
/// the connection, after what had arrived by then is received. Once reading is over, a peer that takes nothing
/// for two seconds (a minute, where it was the peer who ended it) is given up.
///
/// # Errors
/// What `io` fails with, and `TimedOut` where the last output was not taken.
///
/// # Cancel safety
/// Dropping the future drops the pump, which closes the connection at once; bytes in flight are lost.
pub async fn drive<P: Pump, S: AsyncRead + AsyncWrite>(pump: P, io: S) -> io::Result<()> {
    let mut io = pin!(io);
    drive_steps(pump, Timer::new(Clock::start()), |cx, step| {
        poll_step(cx, io.as_mut(), step)
    })
    .await
}

fn poll_step<S: AsyncRead + AsyncWrite>(
    cx: &mut Context<'_>,
    io: Pin<&mut S>,
    step: &mut Step<'_>,
) -> Poll<io::Result<usize>> {
    match step {
        Step::Read(buffer) => io.poll_read(cx, make_room(buffer)),
        Step::Write(bytes) => io.poll_write(cx, bytes),
        Step::Flush => io.poll_flush(cx).map_ok(|()| 0),
        Step::Close => io.poll_close(cx).map_ok(|()| 0),
    }
}
