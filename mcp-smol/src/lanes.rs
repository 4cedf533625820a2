//! One future that moves the bytes and deadlines of one byte-stream connection.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use futures_io::{AsyncRead, AsyncWrite};
use mcp_proto::Time;
use mcp_proto::handle::Pump;

use crate::clock::{Clock, Timer};

/// How much is read at once, in bytes.
const READ_BYTES: usize = 16 << 10;

/// When less room than this is left in the read buffer, a new one is begun, in bytes.
const LEAST_READ_BYTES: usize = 4 << 10;

/// How often the lanes go round before other tasks get their turn.
const ROUNDS: usize = 16;

/// How often a lane writes in one round.
const WRITES: usize = 16;

/// How often a connection is read after a write has failed, for what had arrived by then.
const SALVAGE: usize = 64;

/// How long a peer may take nothing of the last output of a connection that this side closes.
const LINGER: Duration = Duration::from_secs(2);

/// The same where the peer has ended its side, and may still want every answer.
const PATIENCE: Duration = Duration::from_secs(60);

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
    let mut lanes = Lanes::new(pump);
    let mut io = pin!(io);
    poll_fn(|cx| lanes.poll(cx, io.as_mut())).await
}

struct Lanes<P> {
    pump: P,
    clock: Clock,
    timer: Timer,
    /// Room for input: bytes that are written to once, and handed on without a copy.
    buffer: BytesMut,
    reading: bool,
    /// Whether the pump had no room for input when it was asked last.
    held_up: bool,
    /// What is being written; the rest of it while a write is partial.
    output: Bytes,
    unflushed: bool,
    /// Whether anything was written in this round.
    wrote: bool,
    writing: Writing,
    /// Since when nothing could be written, where reading is over.
    stalled: Option<Time>,
    /// How long that is borne.
    patience: Duration,
    /// Why the connection is broken, where it is.
    broken: Option<io::Error>,
    /// How often it may still be read after that.
    salvage: usize,
}

/// How far the write lane is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Writing {
    Open,
    /// The pump has nothing more to send: flush, and shut down.
    Closing,
    Closed,
}

impl<P: Pump> Lanes<P> {
    fn new(pump: P) -> Self {
        let clock = Clock::start();
        Self {
            pump,
            clock,
            timer: Timer::new(clock),
            buffer: BytesMut::new(),
            reading: true,
            held_up: false,
            output: Bytes::new(),
            unflushed: false,
            wrote: false,
            writing: Writing::Open,
            stalled: None,
            patience: LINGER,
            broken: None,
            salvage: SALVAGE,
        }
    }

    fn poll<S: AsyncRead + AsyncWrite>(&mut self, cx: &mut Context<'_>, mut io: Pin<&mut S>) -> Poll<io::Result<()>> {
        let now = self.clock.now();
        for _ in 0..ROUNDS {
            let mut moved = self.poll_read(cx, now, io.as_mut()).is_ready();
            self.pump.poll_work(cx, now);
            moved |= self.poll_write(cx, now, io.as_mut()).is_ready();
            if self.writing == Writing::Closed {
                return Poll::Ready(Ok(()));
            }
            if self.broken.is_some() {
                self.salvage -= 1;
                if !moved || !self.reading || self.salvage == 0 {
                    return Poll::Ready(self.fail(now));
                }
            }
            moved |= self.poll_deadline(cx, now).is_ready();
            if !moved {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// The read lane: one read. Ready where it got on.
    fn poll_read<S: AsyncRead>(&mut self, cx: &mut Context<'_>, now: Time, mut io: Pin<&mut S>) -> Poll<()> {
        if !self.reading {
            return Poll::Pending;
        }
        let wants_input = self.pump.poll_wants_input(cx);
        self.held_up = wants_input.is_pending();
        if !ready!(wants_input) {
            self.reading = false;
            return Poll::Ready(());
        }
        if self.buffer.len() < LEAST_READ_BYTES {
            self.buffer.resize(READ_BYTES, 0);
        }
        match ready!(io.as_mut().poll_read(cx, &mut self.buffer)) {
            Ok(0) => {
                self.patience = PATIENCE;
                self.end_input(now);
            }
            Ok(length) => self.pump.receive(now, self.buffer.split_to(length).freeze()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                self.end_input(now);
                self.broken.get_or_insert(error);
            }
        }
        Poll::Ready(())
    }

    fn end_input(&mut self, now: Time) {
        self.reading = false;
        self.buffer = BytesMut::new();
        self.pump.receive_eof(now);
    }

    /// The write lane: all that is queued, within bounds. Ready where there may be more to do, also for the
    /// read lane: what was written has made room.
    fn poll_write<S: AsyncWrite>(&mut self, cx: &mut Context<'_>, now: Time, io: Pin<&mut S>) -> Poll<()> {
        if self.broken.is_some() || self.writing == Writing::Closed {
            return Poll::Pending;
        }
        self.wrote = false;
        match self.poll_output(cx, now, io) {
            Poll::Ready(Err(error)) if error.kind() != io::ErrorKind::Interrupted => self.broken = Some(error),
            Poll::Pending if !(self.wrote && self.held_up) => return Poll::Pending,
            _ => {}
        }
        Poll::Ready(())
    }

    fn poll_output<S: AsyncWrite>(
        &mut self,
        cx: &mut Context<'_>,
        now: Time,
        mut io: Pin<&mut S>,
    ) -> Poll<io::Result<()>> {
        for _ in 0..WRITES {
            if !self.output.is_empty() {
                ready!(self.poll_rest(cx, io.as_mut()))?;
                continue;
            }
            if self.writing == Writing::Closing {
                ready!(io.as_mut().poll_flush(cx))?;
                // All output is delivered; that the peer was faster to close is no failure.
                let _ = ready!(io.as_mut().poll_close(cx));
                self.writing = Writing::Closed;
                break;
            }
            match self.pump.poll_transmit(cx, now) {
                Poll::Ready(Some(output)) => self.output = output,
                Poll::Ready(None) => self.writing = Writing::Closing,
                Poll::Pending => {
                    if self.unflushed {
                        ready!(io.as_mut().poll_flush(cx))?;
                        self.unflushed = false;
                    }
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Writes what is left of the output once.
    fn poll_rest<S: AsyncWrite>(&mut self, cx: &mut Context<'_>, io: Pin<&mut S>) -> Poll<io::Result<()>> {
        match ready!(io.poll_write(cx, &self.output))? {
            0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            written => self.output.advance(written),
        }
        self.unflushed = true;
        self.wrote = true;
        self.stalled = None;
        Poll::Ready(Ok(()))
    }

    /// The timer lane. Ready where a deadline was over.
    fn poll_deadline(&mut self, cx: &mut Context<'_>, now: Time) -> Poll<()> {
        let give_up = self.give_up_at(now);
        let deadline = [self.pump.deadline(), give_up].into_iter().flatten().min();
        ready!(self.timer.poll(cx, deadline));
        let now = self.clock.now().max(now);
        if give_up.is_some_and(|at| at <= now) {
            self.broken.get_or_insert(io::ErrorKind::TimedOut.into());
        }
        self.pump.handle_timeout(now);
        Poll::Ready(())
    }

    /// When a peer is given up that does not take the last output.
    fn give_up_at(&mut self, now: Time) -> Option<Time> {
        let is_stalled = !self.reading && (self.unflushed || !self.output.is_empty() || self.writing != Writing::Open);
        self.stalled = is_stalled.then(|| self.stalled.unwrap_or(now));
        self.stalled.map(|since| since + self.patience)
    }

    /// Tells the pump that the connection is over, and gives the reason.
    fn fail(&mut self, now: Time) -> io::Result<()> {
        if self.reading {
            self.end_input(now);
        }
        self.broken.take().map_or(Ok(()), Err)
    }
}
