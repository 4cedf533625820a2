//! One future that moves the bytes and deadlines of one byte-stream connection.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::BytesMut;
use mcp_driver::{LEAST_READ_BYTES, READ_BYTES, Step, drive_steps};
use mcp_proto::handle::Pump;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};

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
    mut io: Pin<&mut S>,
    step: &mut Step<'_>,
) -> Poll<io::Result<usize>> {
    match step {
        Step::Read(buffer) => poll_read(cx, &mut io, buffer),
        Step::Write(bytes) => io.poll_write(cx, bytes),
        Step::Flush => io.poll_flush(cx).map_ok(|()| 0),
        Step::Close => io.poll_shutdown(cx).map_ok(|()| 0),
    }
}

/// Reads to the front of `buffer`. 0 is the end.
pub(crate) fn poll_read(
    cx: &mut Context<'_>,
    io: &mut (impl AsyncRead + Unpin),
    buffer: &mut BytesMut,
) -> Poll<io::Result<usize>> {
    // Not for every read: what is left of a buffer bears many small messages, each a part of it without a copy.
    if buffer.capacity() < LEAST_READ_BYTES {
        buffer.reserve(READ_BYTES);
    }
    // A future for one poll: `read_buf` is cancel safe, and has read nothing where it is pending.
    pin!(io.read_buf(buffer)).poll(cx)
}
