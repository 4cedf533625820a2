//! What a scenario hands to a driver instead of a socket or a machine: streams and pumps of its own, on any runtime.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ::smol::io as futures;
use ::tokio::io::{self as tokio_io, ReadBuf};
use bytes::Bytes;
use mcp_proto::Time;
use mcp_proto::handle::{Pump, Timer};

/// A byte stream that no runtime knows: `tokio::io::duplex`, or one that misbehaves as a test says. To tokio it is one
/// of its own, and to smol as well.
pub struct Stream(Box<dyn Duplex>);

trait Duplex: tokio_io::AsyncRead + tokio_io::AsyncWrite + Send + Unpin {}

impl<S: tokio_io::AsyncRead + tokio_io::AsyncWrite + Send + Unpin> Duplex for S {}

impl Stream {
    /// This stream, whatever it is.
    pub fn new(stream: impl tokio_io::AsyncRead + tokio_io::AsyncWrite + Send + Unpin + 'static) -> Self {
        Self(Box::new(stream))
    }

    /// The two ends of a pipe that holds `room` bytes each way.
    pub fn pipe(room: usize) -> (Self, tokio_io::DuplexStream) {
        let (near, far) = tokio_io::duplex(room);
        (Self::new(near), far)
    }
}

impl tokio_io::AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl tokio_io::AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// A stream for smol. The traits are not on [`Stream`] itself, where the methods of both would be ambiguous.
pub(super) struct ForSmol(pub(super) Stream);

impl futures::AsyncRead for ForSmol {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        ready!(tokio_io::AsyncRead::poll_read(Pin::new(&mut self.0.0), cx, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }
}

impl futures::AsyncWrite for ForSmol {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        tokio_io::AsyncWrite::poll_write(Pin::new(&mut self.0.0), cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        tokio_io::AsyncWrite::poll_flush(Pin::new(&mut self.0.0), cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        tokio_io::AsyncWrite::poll_shutdown(Pin::new(&mut self.0.0), cx)
    }
}

/// A pump, of a machine or of a test.
pub struct AnyPump(Box<dyn Pump + Send>);

impl AnyPump {
    /// This pump, whatever it is.
    pub fn new(pump: impl Pump + Send + 'static) -> Self {
        Self(Box::new(pump))
    }
}

impl Pump for AnyPump {
    fn begin(&self, timer: &dyn Timer) {
        self.0.begin(timer);
    }

    fn poll_wants_input(&self, cx: &mut Context<'_>) -> Poll<bool> {
        self.0.poll_wants_input(cx)
    }

    fn receive(&self, now: Time, bytes: Bytes) {
        self.0.receive(now, bytes);
    }

    fn receive_eof(&self, now: Time) {
        self.0.receive_eof(now);
    }

    fn poll_work(&self, cx: &mut Context<'_>, now: Time) {
        self.0.poll_work(cx, now);
    }

    fn poll_transmit(&self, cx: &mut Context<'_>, now: Time) -> Poll<Option<Bytes>> {
        self.0.poll_transmit(cx, now)
    }

    fn is_cut_off(&self) -> bool {
        self.0.is_cut_off()
    }

    fn deadline(&self) -> Option<Time> {
        self.0.deadline()
    }

    fn handle_timeout(&self, now: Time) {
        self.0.handle_timeout(now);
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Stream").finish_non_exhaustive()
    }
}

impl fmt::Debug for AnyPump {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("AnyPump").finish_non_exhaustive()
    }
}
