//! Sockets that are asked for input when there may be some.

use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use async_io::Async;
use futures_io::{AsyncRead, AsyncWrite};

/// A socket that remembers that it gave less than there was room for: it has no more then, and the reactor is
/// waited for at once, which saves asking the system once a message.
#[derive(Debug)]
pub(crate) struct Socket<T> {
    stream: Arc<Async<T>>,
    is_drained: bool,
}

impl<T> Socket<T> {
    pub(crate) fn new(stream: impl Into<Arc<Async<T>>>) -> Self {
        let stream = stream.into();
        let is_drained = false;
        Self { stream, is_drained }
    }
}

impl<T> AsRef<T> for Socket<T> {
    fn as_ref(&self) -> &T {
        self.stream.get_ref()
    }
}

/// How a kind of socket ends its output.
pub(crate) trait HalfClose {
    fn half_close(&self) -> io::Result<()>;
}

impl HalfClose for TcpStream {
    fn half_close(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

#[cfg(unix)]
impl HalfClose for UnixStream {
    fn half_close(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

impl<T> AsyncRead for Socket<T>
where
    for<'a> &'a T: Read,
{
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            if self.is_drained {
                ready!(self.stream.poll_readable(cx))?;
                self.is_drained = false;
            }
            match self.stream.get_ref().read(buffer) {
                Ok(length) => {
                    // At the end there is nothing to wait for: it is told again whenever it is asked.
                    self.is_drained = 0 < length && length < buffer.len();
                    return Poll::Ready(Ok(length));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.is_drained = true,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl<T: HalfClose> AsyncWrite for Socket<T>
where
    for<'a> &'a T: Write,
{
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self.stream).poll_write_vectored(cx, parts)
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The output alone: what the peer still sends is read to its end.
        Poll::Ready(self.stream.get_ref().half_close())
    }
}
