//! Hyper's IO over smol's.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_io::{AsyncRead, AsyncWrite};
use hyper::rt::{self, ReadBufCursor};

/// How much is read at once, in bytes.
const READ_BYTES: usize = 64 << 10;

thread_local! {
    /// What streams are read into, one at a time, before hyper takes it over. Hyper's own buffer has no bytes to
    /// lend that are written to already, and writing to it all for every read costs more than one copy of what came.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into());
}

/// A byte stream as hyper wants it.
#[derive(Debug)]
pub(super) struct Bridge<S>(pub(super) S);

impl<S: AsyncRead + Unpin> rt::Read for Bridge<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let stream = Pin::new(&mut self.0);
        SCRATCH.with_borrow_mut(|scratch| {
            let room = buffer.remaining().min(scratch.len());
            let length = ready!(stream.poll_read(cx, scratch.get_mut(..room).unwrap_or_default()))?;
            // A stream that claims more than it was given room for must not panic here.
            buffer.put_slice(scratch.get(..length.min(room)).unwrap_or_default());
            Poll::Ready(Ok(()))
        })
    }
}

impl<S: AsyncWrite + Unpin> rt::Write for Bridge<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_close(cx)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, parts)
    }
}
