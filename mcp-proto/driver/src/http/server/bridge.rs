//! Connections as hyper wants them.

use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io::{self, IoSlice};

use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};
use mcp_proto::handle::Timer;

use super::preface::Preface;
use super::stall::Stall;

/// A byte stream as hyper wants it, whose first bytes may have been looked at, and whose peer is given up when it takes
/// nothing.
#[derive(Debug)]
pub(super) struct Bridge<S, T> {
    preface: Preface,
    stall: Stall<T>,
    stream: S,
}

impl<S, T: Timer> Bridge<S, T> {
    /// The bridge to `stream`.
    pub(super) fn new(stream: S, stall: Stall<T>) -> Self {
        Self {
            preface: Preface::new(),
            stall,
            stream,
        }
    }

    /// What came of writing: an error where the peer took nothing for too long.
    fn check<V>(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<V>>) -> Poll<io::Result<V>> {
        let checked = self.stall.check(cx, outcome);
        checked.map(|outcome| outcome.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into())))
    }
}

impl<S: Read + Unpin, T> Bridge<S, T> {
    /// The same, and whether its client speaks HTTP/2.
    pub(super) async fn listening(mut self) -> io::Result<(Self, bool)> {
        while cfg!(feature = "http2") && self.preface.is_http2().is_none() {
            let Self { preface, stream, .. } = &mut self;
            match poll_fn(|cx| poll_read(Pin::new(&mut *stream), cx, preface.room())).await? {
                // Ended before it was clear: hyper reads what there is, and finds the end.
                0 => break,
                length => preface.fill(length),
            }
        }
        let is_http2 = self.preface.is_http2() == Some(true);
        Ok((self, is_http2))
    }
}

impl<S: Read + Unpin, T: Unpin> Read for Bridge<S, T> {
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

impl<S: Write + Unpin, T: Timer + Unpin> Write for Bridge<S, T> {
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

/// Reads to the front of `buffer`. 0 is the end.
fn poll_read(stream: Pin<&mut impl Read>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
    let mut buffer = ReadBuf::new(buffer);
    ready!(stream.poll_read(cx, buffer.unfilled()))?;
    Poll::Ready(Ok(buffer.filled().len()))
}
