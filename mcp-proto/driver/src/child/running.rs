//! A child that was started.

use core::fmt;
use std::io;
use std::task::{Context, Poll};

use bytes::BytesMut;

use super::{Command, Exit, Group, Pipes, Process, Signal};
use crate::Step;

/// The pipes of a child of a runtime.
pub type PipesOf<C> = Pipes<<C as Child>::Stdin, <C as Child>::Stdout, <C as Child>::Stderr>;

/// A child as a runtime has it.
///
/// # Cancel safety
/// Nothing is lost when what is `Pending` is not asked again.
pub trait Child: Sized {
    /// The pipe to its standard input.
    #[cfg(unix)]
    type Stdin: std::os::fd::AsFd;
    /// The pipe to its standard input.
    #[cfg(not(unix))]
    type Stdin;
    /// The pipe from its standard output.
    type Stdout;
    /// The pipe from its standard error.
    type Stderr;

    /// Starts what `command` says, with pipes to its input and output and what it says of its standard error: the child,
    /// its number, and the pipes, which it has no more.
    ///
    /// # Errors
    /// Why it was not started.
    fn start(command: &Command) -> io::Result<(Self, Option<u32>, PipesOf<Self>)>;

    /// Writes to its input.
    fn poll_write(pipe: &mut Self::Stdin, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>>;

    /// Reads its output to the front of `buffer`. 0 is the end.
    fn poll_read(pipe: &mut Self::Stdout, cx: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>>;

    /// Reads its standard error in the same way.
    fn poll_stderr(pipe: &mut Self::Stderr, cx: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>>;

    /// Ready when it has exited, and is reaped.
    fn poll_exit(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Exit>>;

    /// Kills it, without waiting for that.
    ///
    /// # Errors
    /// What the system says.
    fn kill(&mut self) -> io::Result<()>;
}

/// A child that was started, with its group and its pipes.
pub struct Running<C: Child> {
    child: C,
    group: Group,
    pipes: PipesOf<C>,
}

impl<C: Child> Running<C> {
    /// Starts what `command` says.
    ///
    /// # Errors
    /// Why it was not started.
    pub fn start(command: &Command) -> io::Result<Self> {
        let (child, number, pipes) = C::start(command)?;
        let group = Group::of(number);
        Ok(Self { child, group, pipes })
    }
}

impl<C: Child> fmt::Debug for Running<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running")
            .field("group", &self.group)
            .finish_non_exhaustive()
    }
}

impl<C: Child> Process for Running<C> {
    type Error = io::Error;

    fn poll_stream(&mut self, cx: &mut Context<'_>, step: Step<'_>) -> Poll<io::Result<usize>> {
        self.pipes.poll_stream(cx, step, C::poll_read, C::poll_write)
    }

    fn poll_stderr(&mut self, cx: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        self.pipes.poll_stderr(|pipe| C::poll_stderr(pipe, cx, buffer))
    }

    fn unread(&mut self) -> Option<usize> {
        self.pipes.unread()
    }

    fn poll_exit(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Exit>> {
        self.child.poll_exit(cx)
    }

    fn has_group(&mut self) -> bool {
        self.group.exists()
    }

    fn send(&mut self, signal: Signal) {
        self.group.send(signal, || self.child.kill());
    }
}
