//! A stream whose first bytes were looked at.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use mcp_proto::handle::driver::Preface;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};

/// A stream that gives what was read of it once more, and then goes on.
#[derive(Debug)]
pub(super) struct Bridge<S> {
    preface: Preface,
    stream: TokioIo<S>,
}

impl<S: AsyncRead + Unpin> Bridge<S> {
    /// The bridge to `stream`, and whether its client speaks HTTP/2.
    pub(super) async fn listening(mut stream: S) -> io::Result<(Self, bool)> {
        let mut preface = Preface::new();
        let is_http2 = loop {
            match preface.is_http2() {
                Some(is_http2) => break is_http2,
                None => match stream.read(preface.room()).await? {
                    0 => break false,
                    length => preface.fill(length),
                },
            }
        };
        let stream = TokioIo::new(stream);
        Ok((Self { preface, stream }, is_http2))
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
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }
}
