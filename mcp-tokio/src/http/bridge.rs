//! Hyper's IO and timers over tokio's.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::rt::{self, Read, ReadBufCursor, Sleep, Write};
use hyper_util::rt::TokioIo;
use mcp_driver::http::{Preface, Stall};
use mcp_driver::{Deadline, SpareTimer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};

use crate::clock::{Clock, Timer};

/// A byte stream as hyper wants it, whose first bytes may have been looked at, and whose peer is given up when it takes
/// nothing.
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

impl<S: AsyncRead + Unpin> Bridge<S> {
    /// The same, and whether its client speaks HTTP/2.
    pub(super) async fn listening(mut self) -> io::Result<(Self, bool)> {
        while cfg!(feature = "http2") && self.preface.is_http2().is_none() {
            match self.stream.inner_mut().read(self.preface.room()).await? {
                0 => break,
                length => self.preface.fill(length),
            }
        }
        let is_http2 = self.preface.is_http2() == Some(true);
        Ok((self, is_http2))
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

/// The timers of hyper for one connection, on tokio's clock.
pub(super) struct Timers {
    clock: Clock,
    spare: SpareTimer<Timer>,
}

struct Sleeping(Deadline<Timer>);

impl Timers {
    pub(super) fn new(clock: Clock) -> Self {
        let spare = SpareTimer::new(Timer::new(clock));
        Self { clock, spare }
    }
}

impl rt::Timer for Timers {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, at: Instant) -> Pin<Box<dyn Sleep>> {
        let deadline = self.spare.deadline(self.clock.time(at), || Timer::new(self.clock));
        Box::pin(Sleeping(deadline))
    }

    fn now(&self) -> Instant {
        tokio::time::Instant::now().into()
    }

    fn reset(&self, sleep: &mut Pin<Box<dyn Sleep>>, at: Instant) {
        match sleep.as_mut().downcast_mut_pin::<Sleeping>() {
            Some(mut sleeping) => sleeping.0.reset(self.clock.time(at)),
            None => *sleep = self.sleep_until(at),
        }
    }
}

impl Sleep for Sleeping {}

impl Future for Sleeping {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx)
    }
}
