//! The pipes of a child.

use std::task::{Context, Poll};

use bytes::BytesMut;

use crate::Step;

/// The pipes of a child, as far as they are there and open.
#[derive(Debug)]
pub struct Pipes<I, O, E> {
    stdin: Option<I>,
    stdout: Option<O>,
    stderr: Option<E>,
}

impl<I, O, E> Pipes<I, O, E> {
    /// Its standard input and output, and its standard error where that is captured.
    pub fn new(stdin: Option<I>, stdout: Option<O>, stderr: Option<E>) -> Self {
        Self { stdin, stdout, stderr }
    }

    /// Does a step on its input and output; see [`Step::on_pipes`].
    pub fn poll_stream<F>(
        &mut self,
        cx: &mut Context<'_>,
        step: Step<'_>,
        read: impl FnOnce(&mut O, &mut Context<'_>, &mut BytesMut) -> Poll<Result<usize, F>>,
        write: impl FnOnce(&mut I, &mut Context<'_>, &[u8]) -> Poll<Result<usize, F>>,
    ) -> Poll<Result<usize, F>> {
        step.on_pipes(cx, (&mut self.stdin, &mut self.stdout), read, write)
    }

    /// Reads its standard error, which is at its end where it is not captured.
    pub fn poll_stderr<F>(&mut self, read: impl FnOnce(&mut E) -> Poll<Result<usize, F>>) -> Poll<Result<usize, F>> {
        self.stderr.as_mut().map_or(Poll::Ready(Ok(0)), read)
    }
}

#[cfg(unix)]
impl<I: std::os::fd::AsFd, O, E> Pipes<I, O, E> {
    /// How many bytes of its input it has not read, where the system tells; see [`unread`](super::unread).
    pub fn unread(&self) -> Option<usize> {
        self.stdin.as_ref().and_then(super::unread)
    }
}

#[cfg(not(unix))]
impl<I, O, E> Pipes<I, O, E> {
    /// How many bytes of its input it has not read, which this system does not tell.
    pub fn unread(&self) -> Option<usize> {
        None
    }
}
