//! The lanes of the connection to a child, and what surrounds them.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use core::fmt;
use core::future::{Future, poll_fn};
use core::mem;
use core::task::{Context, Poll};
use core::time::Duration;
use std::io;

use bytes::BytesMut;

use super::stderr::{Callback, Lines};
use super::{Action, Command, Exit, Ladder, Signal, SpawnError, Stderr};
use crate::{Failure, Lanes, Step};
use mcp_proto::Time;
use mcp_proto::handle::client::ClientBuilder;
use mcp_proto::handle::{Client, Pump, Tasks, Teller, Timer};

/// How often everything goes round before other tasks get their turn.
// More than for a connection alone: a child that talks on its standard error must not starve what it answers.
const ROUNDS: usize = 16;

/// How long the output of a child is waited for that has exited: it has all been written by then, and what comes later
/// is of others that hold on to the pipe. And how long the exit of a child is waited for whose output has ended, so that
/// its calls can say how it ended.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// A child that runs, for the one future that drives its connection.
///
/// Where a method is `Pending` it wakes the task.
///
/// # Cancel safety
/// A method that was `Pending` may not be called again for a while, or ever: what it has not given is not lost by then,
/// and comes with the next call.
///
/// # On drop
/// Its pipes are closed, and the child is left to whatever reaps it; a signal was sent before ([`ChildLanes`]).
pub trait Process {
    /// What a pipe or the system fails with.
    type Error: fmt::Display;

    /// One step on its standard input and output. [`Step::Close`] closes its input; 0 bytes read are the end.
    fn poll_stream(&mut self, cx: &mut Context<'_>, step: Step<'_>) -> Poll<Result<usize, Self::Error>>;

    /// Reads its captured standard error to the front of `buffer`, and gives how much that is. 0 is the end.
    fn poll_stderr(&mut self, cx: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<Result<usize, Self::Error>>;

    /// How many bytes of its input it has not read, where the system tells.
    fn unread(&mut self) -> Option<usize> {
        None
    }

    /// Ready when it has exited, and is reaped.
    fn poll_exit(&mut self, cx: &mut Context<'_>) -> Poll<Result<Exit, Self::Error>>;

    /// Whether anything of its process group is left, once the child itself is reaped.
    fn has_group(&mut self) -> bool;

    /// Sends a signal to its process group. That nobody is left to receive it is no failure.
    fn send(&mut self, signal: Signal);
}

/// The connection to a child and the child itself, for the one future that drives both.
///
/// When the connection is over, whoever ended it, the shutdown begins ([`Ladder`]); meanwhile what the child writes is
/// read and thrown away, so that it is not held up. A child that exits ends the connection after what it had written is
/// received, also where others hold on to its pipes.
///
/// # On drop
/// The process group is killed, with one signal; nothing is waited for.
pub struct ChildLanes<P: Pump, C: Process> {
    process: C,
    /// The connection, until it is over.
    lanes: Option<Lanes<P, C::Error>>,
    ladder: Ladder,
    /// What is polled when it was woken, and not with every message.
    sources: Tasks<Source>,
    stderr: Option<Lines>,
    on_exit: Option<Callback<Exit>>,
    /// Tells the client how the child ended, once for each child.
    teller: Option<Teller>,
    was_told: bool,
    /// The last line of its standard error, where that is captured and has ended.
    last_line: Option<String>,
    /// Whether it was given any input.
    has_input: bool,
    /// Whether it has ever written anything.
    has_spoken: bool,
    /// Whether its output has ended.
    output_ended: bool,
    /// Since when a pipe of it has ended or failed.
    ending: Option<Time>,
    /// How the child is started again, where it may be.
    restart: Option<Restart<C>>,
    exit: Option<Exit>,
    /// Until when the output of a child that has exited is waited for.
    last_words: Option<Time>,
    failure: Option<Failure<C::Error>>,
}

/// How a child is started again.
struct Restart<C> {
    command: Command,
    start: fn(&Command) -> io::Result<C>,
}

/// What is watched beside the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Exit,
    Stderr,
    /// The standard output of a child whose connection is over.
    Rest,
}

/// What came from a source.
enum Came<E> {
    Exit(Result<Exit, E>),
    /// So many bytes; 0 is the end.
    Stderr(Result<usize, E>),
    Rest(Result<usize, E>),
}

impl<P: Pump, C: Process> ChildLanes<P, C> {
    /// The connection of `pump` to `process`, which was started by `command`.
    #[must_use]
    pub fn new(pump: P, process: C, command: &Command) -> Self {
        let (exit_after, kill_after) = command.patience();
        let (sources, stderr) = watched(command);
        Self {
            process,
            teller: pump.teller(),
            was_told: false,
            last_line: None,
            lanes: Some(Lanes::new(pump)),
            ladder: Ladder::new(exit_after, kill_after),
            sources,
            stderr,
            on_exit: command.exit_callback().cloned(),
            has_input: false,
            has_spoken: false,
            output_ended: false,
            ending: None,
            restart: None,
            exit: None,
            last_words: None,
            failure: None,
        }
    }

    /// The same, for a child that `start` can start once more where it dies before its client knows what it speaks:
    /// some servers exit at a question that they do not know. One that dies without having read the question would die
    /// again, and is not started again, where the system tells.
    #[must_use]
    pub fn with_restart(mut self, command: Command, start: fn(&Command) -> io::Result<C>) -> Self {
        if let Some(lanes) = &self.lanes {
            lanes.pump().allow_reopening();
        }
        self.restart = Some(Restart { command, start });
        self
    }

    /// Drives both to their end, in the time of `timer`; with how the child exited.
    ///
    /// # Errors
    /// Those of [`poll`](Self::poll).
    ///
    /// # Cancel safety
    /// Dropping the future kills the process group at once, and waits for nothing.
    pub async fn run(mut self, mut timer: impl Timer) -> Result<Exit, Failure<C::Error>> {
        poll_fn(|cx| self.poll(cx, &mut timer)).await
    }

    /// Goes on as far as it can. Ready when the connection is over, the child is reaped, and nothing of its group is
    /// left; with how it exited.
    ///
    /// # Errors
    /// [`Failure::Stream`]: what waiting for the exit failed with. [`Failure::TimedOut`]: it was killed, and the
    /// system does not let go of it.
    pub fn poll(&mut self, cx: &mut Context<'_>, timer: &mut impl Timer) -> Poll<Result<Exit, Failure<C::Error>>> {
        let mut work = self.sources.start_work(cx);
        for _ in 0..ROUNDS {
            let now = timer.now();
            let mut moved = self.poll_sources(now);
            // Before the connection learns of its end: what waits for an answer then knows why none comes.
            self.tell_exit(now);
            moved |= self.poll_lanes(cx, now, timer);
            moved |= self.climb(now);
            self.tell_exit(now);
            if let Some(outcome) = self.outcome(now) {
                work.end();
                return Poll::Ready(outcome);
            }
            // As long as there is a connection its lanes have the timer.
            moved |= self.lanes.is_none() && timer.poll(cx, self.deadline(now)).is_ready();
            if !moved && self.sources.rest(&mut work) {
                return Poll::Pending;
            }
        }
        // At work still: it is woken.
        Poll::Pending
    }

    /// Polls what was woken, within bounds. Whether anything was.
    fn poll_sources(&mut self, now: Time) -> bool {
        for polls in 0..ROUNDS {
            let process = &mut self.process;
            let mut buffer = BytesMut::new();
            let polled = self.sources.poll_next(|source, cx| match source {
                Source::Exit => process.poll_exit(cx).map(Came::Exit),
                Source::Stderr => process.poll_stderr(cx, &mut buffer).map(Came::Stderr),
                Source::Rest => process.poll_stream(cx, Step::Read(&mut buffer)).map(Came::Rest),
            });
            let Some((index, came)) = polled else {
                return polls > 0;
            };
            let Poll::Ready(came) = came else { continue };
            if self.came(now, came, &buffer) {
                self.sources.wake(index);
            } else {
                self.sources.remove(index);
            }
        }
        true
    }

    /// Takes what came from a source. Whether there may be more. A pipe that fails has ended.
    fn came(&mut self, now: Time, came: Came<C::Error>, buffer: &[u8]) -> bool {
        match came {
            Came::Exit(Ok(exit)) => self.exited(now, exit),
            Came::Exit(Err(error)) => self.failure = Some(Failure::Stream(error)),
            Came::Stderr(Ok(length @ 1..)) => {
                if let (Some(lines), Some(bytes)) = (&mut self.stderr, buffer.get(..length)) {
                    lines.push(bytes);
                }
                return true;
            }
            Came::Stderr(_) => self.end_stderr(),
            Came::Rest(read) => return read.is_ok_and(|length| length > 0),
        }
        false
    }

    fn exited(&mut self, now: Time, mut exit: Exit) {
        exit.sent = self.ladder.sent();
        // Before anything ends that waits for the child: whoever learns of that knows why.
        if let Some(on_exit) = &self.on_exit {
            on_exit.call(&exit);
        }
        self.exit = Some(exit);
        self.last_words = Some(now + LAST_WORDS);
        // What it has written is received before the shutdown begins.
        if self.lanes.is_none() {
            self.ladder.exited(now);
        }
    }

    fn end_stderr(&mut self) {
        if let Some(mut lines) = self.stderr.take() {
            lines.finish();
            self.last_line = lines.last().map(ToOwned::to_owned);
        }
    }

    /// Tells how the child has exited, when what it said before is read.
    fn tell_exit(&mut self, now: Time) {
        let has_ended = self.stderr.is_none() && (self.lanes.is_none() || self.output_ended);
        let has_spoken = has_ended || self.last_words.is_some_and(|at| at <= now);
        if let (Some(teller), Some(exit), false, true) = (&self.teller, &self.exit, self.was_told, has_spoken) {
            let last_line = self.stderr.as_ref().map_or(self.last_line.as_deref(), Lines::last);
            teller.ended(&exit.to_string(), exit.is_success(), last_line);
            self.was_told = true;
        }
    }

    /// The connection. Whether it has come to its end.
    fn poll_lanes(&mut self, cx: &mut Context<'_>, now: Time, timer: &mut impl Timer) -> bool {
        let is_told = self.was_told || self.teller.is_none();
        let Some(lanes) = &mut self.lanes else { return false };
        let (process, last_words) = (&mut self.process, self.last_words);
        let is_silent = last_words.is_some_and(|at| at <= now);
        let (was_ending, ending, output_ended) = (self.ending, &mut self.ending, &mut self.output_ended);
        let has_input = &mut self.has_input;
        let exit_until = was_ending.map(|since| since + LAST_WORDS);
        let words_until = [last_words, exit_until].into_iter().flatten().min();
        // Nothing can be answered any more after the end of the output, so that nothing needs to be written. That of a
        // child that has exited ends where nothing comes for a while.
        let (mut is_heard, mut has_ended) = (false, false);
        let has_spoken = &mut self.has_spoken;
        let stream = |cx: &mut Context<'_>, step: Step<'_>| {
            let (is_read, is_write) = (matches!(step, Step::Read(_)), matches!(step, Step::Write(_)));
            let mut done = match is_read && *output_ended {
                true => Poll::Ready(Ok(0)),
                false => process.poll_stream(cx, step),
            };
            *has_input |= is_write && matches!(done, Poll::Ready(Ok(1..)));
            *output_ended |= is_read && matches!(done, Poll::Ready(Ok(0)));
            if (is_read && *output_ended) || (!is_read && matches!(done, Poll::Ready(Err(_)))) {
                let since = *ending.get_or_insert(now);
                // It exits at once, mostly: how is what its callers want to know.
                if !is_told && now < since + LAST_WORDS {
                    return Poll::Pending;
                }
            }
            if is_read && is_silent && done.is_pending() {
                done = Poll::Ready(Ok(0));
            }
            *has_spoken |= is_read && matches!(done, Poll::Ready(Ok(1..)));
            is_heard |= is_read && done.is_ready();
            has_ended |= is_read && matches!(done, Poll::Ready(Ok(0) | Err(_)));
            done
        };
        let timed = |cx: &mut Context<'_>, deadline: Option<Time>| {
            // Nothing wakes at the end of the last words: others may hold the pipe open.
            let deadline = [deadline, words_until].into_iter().flatten().min();
            timer.poll(cx, deadline).map(|()| timer.now())
        };
        let outcome = lanes.poll(cx, now, stream, timed);
        let is_over = outcome.is_ready() || has_ended || (is_silent && !is_heard);
        if is_over && !self.start_again(timer.now()) {
            self.begin_shutdown(cx, timer.now());
        }
        // It is looked at once more: its exit may be known already.
        is_over || self.ending != was_ending
    }

    /// Starts the child once more, where its client wants that. Whether it did.
    fn start_again(&mut self, now: Time) -> bool {
        let wants = self.lanes.as_ref().is_some_and(|lanes| lanes.pump().wants_reopening());
        let Some(restart) = self.restart.take_if(|_| wants) else {
            return false;
        };
        // One that has not read the question did not die of it.
        let has_heard = self.has_input && self.process.unread().is_none_or(|bytes| bytes == 0);
        let started = (has_heard || self.has_spoken)
            .then(|| (restart.start)(&restart.command).ok())
            .flatten();
        let Some(process) = started else {
            // What is not started again has ended, as it would have without.
            if let Some(lanes) = &self.lanes {
                lanes.pump().receive_eof(now);
            }
            return false;
        };
        self.end_stderr();
        self.tell_exit(now);
        (self.was_told, self.last_line) = (false, None);
        (self.has_input, self.has_spoken, self.output_ended, self.ending) = (false, false, false, None);
        let mut last = mem::replace(&mut self.process, process);
        // It has no use any more, and may hold what the next one needs. Once it is reaped its number may be another's.
        if self.exit.take().is_none() || last.has_group() {
            last.send(Signal::Kill);
        }
        (self.sources, self.stderr) = watched(&restart.command);
        self.restart = Some(restart);
        self.last_words = None;
        if let Some(lanes) = self.lanes.take() {
            let pump = lanes.into_pump();
            pump.reopened();
            self.lanes = Some(Lanes::new(pump));
        }
        true
    }

    /// The connection is over: the input of the child is closed, and its output read to the end for nothing.
    fn begin_shutdown(&mut self, cx: &mut Context<'_>, now: Time) {
        // First the pump, so that whoever waits for an answer does not wait for the shutdown.
        self.lanes = None;
        // It is closed whatever comes of it.
        let _ = self.process.poll_stream(cx, Step::Close);
        self.sources.insert(Source::Rest);
        match self.exit {
            Some(_) => self.ladder.exited(now),
            None => self.ladder.input_closed(now),
        }
    }

    /// Does what the ladder wants. Whether it wanted anything.
    fn climb(&mut self, now: Time) -> bool {
        let mut moved = false;
        while let Some(action) = self.ladder.poll_action(now) {
            match action {
                Action::Send(signal) => self.process.send(signal),
                Action::Probe if self.process.has_group() => {}
                Action::Probe => self.ladder.group_gone(),
            }
            moved = true;
        }
        moved
    }

    fn outcome(&mut self, now: Time) -> Option<Result<Exit, Failure<C::Error>>> {
        if self.lanes.is_some() {
            return None;
        }
        if let Some(failure) = self.failure.take() {
            return Some(Err(failure));
        }
        // What it said last may be on its way still; others may hold the pipe open for ever.
        let is_silent = self.stderr.is_none() || self.last_words.is_none_or(|at| at <= now);
        if !self.ladder.is_over() || !is_silent {
            return None;
        }
        self.end_stderr();
        // Killed, and waited for in vain: the system holds on to it.
        Some(self.exit.ok_or(Failure::TimedOut))
    }

    fn deadline(&self, now: Time) -> Option<Time> {
        let last_words = self.last_words.filter(|at| self.stderr.is_some() && *at > now);
        [self.ladder.poll_timeout(), last_words].into_iter().flatten().min()
    }
}

/// What is watched beside the connection to a new child.
fn watched(command: &Command) -> (Tasks<Source>, Option<Lines>) {
    let mut sources = Tasks::new();
    sources.insert(Source::Exit);
    let stderr = match command.standard_error() {
        Stderr::Lines(callback) => Some(Lines::new(callback.clone())),
        _ => None,
    };
    if stderr.is_some() {
        sources.insert(Source::Stderr);
    }
    (sources, stderr)
}

impl<P: Pump, C: Process> Drop for ChildLanes<P, C> {
    fn drop(&mut self) {
        // Once the group is gone its number may be that of somebody else.
        if !self.ladder.is_over() {
            self.process.send(Signal::Kill);
        }
    }
}

impl<P: Pump, C: Process> fmt::Debug for ChildLanes<P, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChildLanes")
            .field("is_connected", &self.lanes.is_some())
            .field("ladder", &self.ladder)
            .field("exit", &self.exit)
            .finish_non_exhaustive()
    }
}

/// A client of the child that `start` has started by `command`, and the future that drives both, in the time of `timer`.
///
/// # Errors
/// Why the child was not started: a [`SpawnError`], in an error of the system's kind.
///
/// # Cancel safety
/// Dropping the future kills the child and its group at once, with one signal, and waits for nothing.
pub fn client_over_child<C, T>(
    command: &Command,
    client: ClientBuilder,
    timer: T,
    start: fn(&Command) -> io::Result<C>,
) -> io::Result<(Client, impl Future<Output = io::Result<Exit>> + use<C, T>)>
where
    C: Process<Error = io::Error>,
    T: Timer,
{
    let process = start(command).map_err(|error| SpawnError::wrap(command, &error))?;
    let (client, pump) = Client::over_stream(client);
    let lanes = ChildLanes::new(pump, process, command).with_restart(command.clone(), start);
    Ok((client, async { Ok(lanes.run(timer).await?) }))
}
