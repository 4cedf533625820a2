//! The three lanes of one byte-stream connection: reading, writing, and the deadline.

use alloc::string::ToString;
use core::fmt;
use core::future::poll_fn;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use std::io;

use bytes::{Buf, Bytes, BytesMut};

use crate::grace::Grace;
use mcp_proto::Time;
use mcp_proto::handle::Pump;
use mcp_proto::handle::Timer;

/// How much is read at once, in bytes.
pub const READ_BYTES: usize = 16 << 10;

/// When less room than this is left in the read buffer, a new one is begun, in bytes.
pub const LEAST_READ_BYTES: usize = 4 << 10;

/// How often the lanes go round before other tasks get their turn.
const ROUNDS: usize = 4;

/// How often a lane writes in one round.
const WRITES: usize = 16;

/// How often a connection is read after a write has failed, for what had arrived by then.
const SALVAGE: usize = 64;

/// How long a peer may take nothing of the last output of a connection that this side closes.
const LINGER: Duration = Duration::from_secs(2);

/// The same where the peer has ended its side, and may still want every answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The lanes of one byte-stream connection, for the one future that drives it.
///
/// None waits for another, but that what has arrived is read before a deadline counts: while a write is half done, reading
/// goes on; the end of the input does not cut off queued output. A write that fails ends the connection, after what had arrived by then is received. Once reading
/// is over, a peer that takes nothing for two seconds (a minute, where it was the peer who ended it) is given up.
///
/// The stream is a closure that takes one [`Step`] at a time, the timer another. Dropping the lanes drops the
/// pump, which closes the connection at once.
pub struct Lanes<P, E> {
    pump: P,
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
    broken: Option<Failure<E>>,
    /// How often it may still be read after that.
    salvage: usize,
    grace: Grace,
}

/// What is asked of the stream. `Ready` with how many bytes were read or written, or 0 where there is nothing to
/// count; where it is `Pending`, the stream wakes the task.
pub enum Step<'a> {
    /// Read: make room in the buffer, which may be empty, and put what comes at its front. 0 is the end.
    Read(&'a mut BytesMut),
    /// Write some of these bytes, one at least.
    Write(&'a [u8]),
    /// Flush what was written.
    Flush,
    /// Flush, and end the output.
    Close,
}

/// Says how much is read or written, and not what.
impl fmt::Debug for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(buffer) => write!(f, "Read({} bytes before)", buffer.len()),
            Self::Write(bytes) => write!(f, "Write({} bytes)", bytes.len()),
            Self::Flush => f.write_str("Flush"),
            Self::Close => f.write_str("Close"),
        }
    }
}

impl Step<'_> {
    /// Does the step on two pipes, which have no buffers of their own and are closed by being dropped: `read` reads from
    /// `output`, `write` writes to `input`. Of a pipe that is not there, the end is read, and nothing can be written.
    pub fn on_pipes<I, O, E>(
        self,
        cx: &mut Context<'_>,
        (input, output): (&mut Option<I>, &mut Option<O>),
        read: impl FnOnce(&mut O, &mut Context<'_>, &mut BytesMut) -> Poll<Result<usize, E>>,
        write: impl FnOnce(&mut I, &mut Context<'_>, &[u8]) -> Poll<Result<usize, E>>,
    ) -> Poll<Result<usize, E>> {
        match (self, input, output) {
            (Self::Read(buffer), _, Some(output)) => return read(output, cx, buffer),
            (Self::Write(bytes), Some(input), _) => return write(input, cx, bytes),
            (Self::Close, input, _) => *input = None,
            (Self::Read(_) | Self::Write(_) | Self::Flush, ..) => {}
        }
        Poll::Ready(Ok(0))
    }
}

/// Why a connection is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure<E> {
    /// The stream failed.
    Stream(E),
    /// The stream takes no more bytes.
    WriteZero,
    /// The last output was not taken in time.
    TimedOut,
    /// The peer did not read, and others needed the room.
    Unread,
}

impl<E: fmt::Display> fmt::Display for Failure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(error) => error.fmt(f),
            Self::WriteZero => f.write_str("the stream takes no more bytes"),
            Self::TimedOut => f.write_str("the last output was not taken in time"),
            Self::Unread => f.write_str("the peer did not read, and others needed the room"),
        }
    }
}

impl From<Failure<io::Error>> for io::Error {
    fn from(failure: Failure<io::Error>) -> Self {
        match failure {
            Failure::Stream(error) => error,
            Failure::WriteZero => io::ErrorKind::WriteZero.into(),
            Failure::TimedOut => io::ErrorKind::TimedOut.into(),
            unread @ Failure::Unread => Self::other(unread.to_string()),
        }
    }
}

/// Drives `pump` to the end of its connection, in the time of `timer`, over what `stream` does step by step. What is
/// interrupted is done again.
///
/// # Errors
/// What `stream` fails with, and `TimedOut` where the last output was not taken.
///
/// # Cancel safety
/// Dropping the future drops the pump, which closes the connection at once.
pub async fn drive_steps<P, S>(pump: P, timer: impl Timer, mut stream: S) -> io::Result<()>
where
    P: Pump,
    S: FnMut(&mut Context<'_>, &mut Step<'_>) -> Poll<io::Result<usize>>,
{
    let stream = |cx: &mut Context<'_>, mut step: Step<'_>| loop {
        // A signal in between says nothing about the stream.
        let done = ready!(stream(cx, &mut step));
        if !done
            .as_ref()
            .is_err_and(|error| error.kind() == io::ErrorKind::Interrupted)
        {
            return Poll::Ready(done);
        }
    };
    Ok(Lanes::new(pump).run(timer, stream).await?)
}

/// Room for what is read. Its bytes are written to once, and handed on without a copy.
pub fn make_room(buffer: &mut BytesMut) -> &mut [u8] {
    if buffer.len() < LEAST_READ_BYTES {
        // Zeroed once for several reads: to read into what is not initialised takes `unsafe`.
        buffer.resize(READ_BYTES, 0);
    }
    buffer
}

/// How far the write lane is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writing {
    Open,
    /// The pump has nothing more to send: flush, and shut down.
    Closing,
    Closed,
}

impl<P: Pump, E: fmt::Display> Lanes<P, E> {
    /// The lanes of a connection that begins.
    #[must_use]
    pub fn new(pump: P) -> Self {
        Self {
            pump,
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
            grace: Grace::default(),
        }
    }

    /// What is driven.
    pub fn pump(&self) -> &P {
        &self.pump
    }

    /// What is driven, for the lanes of another stream.
    pub fn into_pump(self) -> P {
        self.pump
    }

    /// Drives the connection to its end, in the time of `timer`. `stream` does one step; it repeats what was
    /// interrupted.
    ///
    /// # Errors
    /// Why it is broken.
    ///
    /// # Cancel safety
    /// Dropping the future drops the pump, which closes the connection at once.
    pub async fn run(
        mut self,
        mut timer: impl Timer,
        mut stream: impl FnMut(&mut Context<'_>, Step<'_>) -> Poll<Result<usize, E>>,
    ) -> Result<(), Failure<E>> {
        self.pump.begin(&timer);
        poll_fn(|cx| {
            let now = timer.now();
            self.poll(cx, now, &mut stream, |cx, deadline| {
                timer.poll(cx, deadline).map(|()| timer.now())
            })
        })
        .await
    }

    /// Goes on as far as it can. Ready when the connection is over: closed and everything written, or broken.
    ///
    /// `stream` does one step; it repeats what was interrupted. `timer` is ready, with the time, when the deadline
    /// it is given has come; without one it never is.
    pub fn poll(
        &mut self,
        cx: &mut Context<'_>,
        now: Time,
        mut stream: impl FnMut(&mut Context<'_>, Step<'_>) -> Poll<Result<usize, E>>,
        mut timer: impl FnMut(&mut Context<'_>, Option<Time>) -> Poll<Time>,
    ) -> Poll<Result<(), Failure<E>>> {
        // Bounded: two fast peers have something for each other for ever, and the thread belongs to others as well.
        for _ in 0..ROUNDS {
            let has_read = self.poll_read(cx, now, &mut stream).is_ready();
            // What it takes to write is what others need.
            if !self.reading && self.pump.is_cut_off() {
                return Poll::Ready(Err(Failure::Unread));
            }
            let mut moved = has_read;
            // Between the two: what came is answered before it is written, in one turn.
            self.pump.poll_work(cx, now);
            moved |= self.poll_write(cx, now, &mut stream).is_ready();
            if self.writing == Writing::Closed {
                return Poll::Ready(Ok(()));
            }
            // What had arrived before the failure is received, a peer that sends without end is not.
            if self.broken.is_some() {
                self.salvage -= 1;
                if !moved || !self.reading || self.salvage == 0 {
                    return Poll::Ready(self.fail(now));
                }
            }
            moved |= self.poll_deadline(cx, now, has_read, &mut timer).is_ready();
            if !moved {
                return Poll::Pending;
            }
        }
        // Other tasks of the thread have waited for long enough.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// The read lane: one read. Ready where it got on.
    fn poll_read(&mut self, cx: &mut Context<'_>, now: Time, stream: &mut impl Stream<E>) -> Poll<()> {
        if !self.reading {
            return Poll::Pending;
        }
        let wants_input = self.pump.poll_wants_input(cx);
        self.held_up = wants_input.is_pending();
        // For good: what still comes is for nobody.
        if !ready!(wants_input) {
            self.reading = false;
            return Poll::Ready(());
        }
        match ready!(stream(cx, Step::Read(&mut self.buffer))) {
            Ok(0) => {
                // Half closed: the peer may still want every answer.
                self.patience = PATIENCE;
                // Also where a write has failed before: it did because the peer has closed.
                self.end_input();
                self.pump.receive_eof(now);
            }
            Ok(length) => {
                // A stream that claims more than it has put there would have the buffer panic.
                let length = length.min(self.buffer.len());
                self.pump.receive(now, self.buffer.split_to(length).freeze());
            }
            Err(error) => {
                // The first failure says why: a write may have failed before.
                self.broken.get_or_insert(Failure::Stream(error));
                self.end_input();
                if let Some(failure) = &self.broken {
                    self.pump.receive_failure(now, &failure.to_string());
                }
            }
        }
        Poll::Ready(())
    }

    fn end_input(&mut self) {
        self.reading = false;
        // A connection that lingers to be written keeps no room for what it will not read.
        self.buffer = BytesMut::new();
    }

    /// The write lane: all that is queued, within bounds. Ready where there may be more to do, also for the
    /// read lane: what was written has made room.
    fn poll_write(&mut self, cx: &mut Context<'_>, now: Time, stream: &mut impl Stream<E>) -> Poll<()> {
        if self.broken.is_some() || self.writing == Writing::Closed {
            return Poll::Pending;
        }
        self.wrote = false;
        match self.poll_output(cx, now, stream) {
            Poll::Ready(Err(failure)) => self.broken = Some(failure),
            Poll::Pending if !(self.wrote && self.held_up) => return Poll::Pending,
            _ => {}
        }
        Poll::Ready(())
    }

    fn poll_output(
        &mut self,
        cx: &mut Context<'_>,
        now: Time,
        stream: &mut impl Stream<E>,
    ) -> Poll<Result<(), Failure<E>>> {
        // A reader that is fast must not keep this side from reading.
        for _ in 0..WRITES {
            if !self.output.is_empty() {
                ready!(self.poll_rest(cx, stream))?;
                continue;
            }
            if self.writing == Writing::Closing {
                ready!(stream(cx, Step::Flush)).map_err(Failure::Stream)?;
                // All output is delivered; that the peer was faster to close is no failure.
                let _ = ready!(stream(cx, Step::Close));
                self.writing = Writing::Closed;
                break;
            }
            match self.pump.poll_transmit(cx, now) {
                Poll::Ready(Some(output)) => self.output = output,
                // Not closed at once: the stream may have buffers, and what is in them is to arrive.
                Poll::Ready(None) => self.writing = Writing::Closing,
                Poll::Pending => {
                    // Only with nothing more to say: what is ready together goes out together.
                    if self.unflushed {
                        ready!(stream(cx, Step::Flush)).map_err(Failure::Stream)?;
                        self.unflushed = false;
                    }
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Writes what is left of the output once.
    fn poll_rest(&mut self, cx: &mut Context<'_>, stream: &mut impl Stream<E>) -> Poll<Result<(), Failure<E>>> {
        match ready!(stream(cx, Step::Write(&self.output))).map_err(Failure::Stream)? {
            0 => return Poll::Ready(Err(Failure::WriteZero)),
            written => self.output.advance(written.min(self.output.len())),
        }
        self.unflushed = true;
        self.wrote = true;
        // It takes something: its time begins anew.
        self.stalled = None;
        Poll::Ready(Ok(()))
    }

    /// The timer lane. Ready where a deadline was over, which counts when what has arrived is read.
    fn poll_deadline(
        &mut self,
        cx: &mut Context<'_>,
        now: Time,
        has_read: bool,
        timer: &mut impl FnMut(&mut Context<'_>, Option<Time>) -> Poll<Time>,
    ) -> Poll<()> {
        let give_up = self.give_up_at(now);
        let deadline = [self.pump.deadline(), give_up].into_iter().flatten().min();
        // The pump is never told of a time before one that it knows.
        let mut later = ready!(timer(cx, self.grace.deadline(deadline))).max(now);
        // Where there is a reader who does not read, what has come does not count.
        if let Some(deadline) = deadline.filter(|_| self.reading) {
            while !self.grace.is_over(deadline, later, has_read) {
                if has_read {
                    return Poll::Ready(());
                }
                later = ready!(timer(cx, self.grace.deadline(Some(deadline)))).max(later);
            }
        }
        if give_up.is_some_and(|at| at <= later) {
            self.broken.get_or_insert(Failure::TimedOut);
        }
        self.pump.handle_timeout(later);
        Poll::Ready(())
    }

    /// When a peer is given up that does not take the last output.
    fn give_up_at(&mut self, now: Time) -> Option<Time> {
        let is_stalled = !self.reading && (self.unflushed || !self.output.is_empty() || self.writing != Writing::Open);
        self.stalled = is_stalled.then(|| self.stalled.unwrap_or(now));
        self.stalled.map(|since| since + self.patience)
    }

    /// Tells the pump that the connection is over, and gives the reason.
    fn fail(&mut self, now: Time) -> Result<(), Failure<E>> {
        // Before the reason is given: who waits for an answer learns that none will come.
        if self.reading {
            // A write has failed, which is how a peer that has closed is noticed first.
            self.end_input();
            self.pump.receive_eof(now);
        }
        self.broken.take().map_or(Ok(()), Err)
    }
}

/// What does one step of the stream.
trait Stream<E>: FnMut(&mut Context<'_>, Step<'_>) -> Poll<Result<usize, E>> {}

impl<E, F: FnMut(&mut Context<'_>, Step<'_>) -> Poll<Result<usize, E>>> Stream<E> for F {}

impl<P, E: fmt::Debug> fmt::Debug for Lanes<P, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lanes")
            .field("reading", &self.reading)
            .field("writing", &self.writing)
            .field("broken", &self.broken)
            .finish_non_exhaustive()
    }
}
