//! A stream whose first bytes were looked at, and whose peer is given up when it takes nothing.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use mcp_proto::handle::driver::{Preface, Stall};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::clock::Timer;

/// A stream that gives what was read of it once more, and then goes on.
#[derive(Debug)]
pub(super) struct Bridge<S> {
    preface: Preface,
    stall: Stall<Timer>,
    stream: TokioIo<S>,
}

impl<S> Bridge<S> {
    /// The bridge to `stream`.
    pub(super) fn new(stream: S, stall: Stall<Timer>) -> Self {
        Self {
            preface: Preface::new(),
            stall,
            stream: TokioIo::new(stream),
        }
    }

    /// What came of writing: an error where the peer took nothing for too long.
    fn check<T>(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        let checked = self.stall.check(cx, outcome);
        checked.map(|outcome| outcome.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into())))
    }
}

#[cfg(feature = "http2")]
impl<S: AsyncRead + Unpin> Bridge<S> {
    /// The same, and whether its client speaks HTTP/2.
    pub(super) async fn listening(mut self) -> io::Result<(Self, bool)> {
        use tokio::io::AsyncReadExt;
        loop {
            if let Some(is_http2) = self.preface.is_http2() {
                return Ok((self, is_http2));
            }
            match self.stream.inner_mut().read(self.preface.room()).await? {
                0 => return Ok((self, false)),
                length => self.preface.fill(length),
            }
        }
    }
}

impl<S: AsyncRead + Unpin> Read for Bridge<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let again = self.preface.take(buffer.remaining());
        if !again.is_empty() {
            buffer.put_slice(again);
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> Write for Bridge<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.check(cx, outcome)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_flush(cx);
        self.check(cx, outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.check(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.check(cx, outcome)
    }
}
