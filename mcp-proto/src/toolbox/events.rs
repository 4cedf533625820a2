//! A call of a tool as a stream of what comes of it.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll};
use std::sync::{Mutex, PoisonError};

use super::call::ToolCall;
use super::error::ToolCallError;
use crate::model::{CallToolResult, LoggingLevel, LoggingMessageParams, ProgressParams};

/// What comes of a call of a tool.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ToolCallEvent {
    /// It makes progress.
    Progress(ProgressParams),
    /// A log message that certainly belongs to it.
    Log(LoggingMessageParams),
    /// It is over. Comes last.
    Done(Result<CallToolResult, ToolCallError>),
}

/// A call of a tool as a stream of what comes of it, in the order of the server.
///
/// # On drop
/// As that of the [call](ToolCall).
#[must_use = "nothing is sent before the first poll"]
pub struct ToolCallEvents {
    call: ToolCall,
    queue: Arc<Queue>,
    outcome: Option<Result<CallToolResult, ToolCallError>>,
    is_over: bool,
}

/// What came while the call was polled. It is taken before the call is polled again.
#[derive(Default)]
struct Queue(Mutex<VecDeque<ToolCallEvent>>);

impl Queue {
    fn push(&self, event: ToolCallEvent) {
        // Not bounded here: one poll brings no more than the client keeps.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(event);
    }

    fn pop(&self) -> Option<ToolCallEvent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

impl ToolCall {
    /// Asks for progress, and for log messages at or above `level` if there is one, and gives all that comes as a
    /// stream: progress and log messages of this call in the order of the server, and its outcome at the end. In place
    /// of functions that were set before.
    pub fn events(self, level: impl Into<Option<LoggingLevel>>) -> ToolCallEvents {
        ToolCallEvents::new(self, level.into())
    }
}

impl ToolCallEvents {
    fn new(mut call: ToolCall, level: Option<LoggingLevel>) -> Self {
        let queue = Arc::new(Queue::default());
        let (reports, messages) = (queue.clone(), queue.clone());
        let functions = call.hear(level);
        functions.set_progress(alloc::boxed::Box::new(move |report| {
            reports.push(ToolCallEvent::Progress(report));
        }));
        functions.set_log(alloc::boxed::Box::new(move |message| {
            messages.push(ToolCallEvent::Log(message));
        }));
        Self {
            call,
            queue,
            outcome: None,
            is_over: false,
        }
    }

    /// What comes next; `None` after the outcome.
    ///
    /// # Cancel safety
    /// An event is taken only when it is returned: dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<ToolCallEvent> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// [`next`](Self::next) for those who poll.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<ToolCallEvent>> {
        if let Some(event) = self.queue.pop() {
            return Poll::Ready(Some(event));
        }
        if !self.is_over
            && let Poll::Ready(outcome) = Pin::new(&mut self.call).poll(cx)
        {
            self.is_over = true;
            self.outcome = Some(outcome);
        }
        // Before the outcome, which may have come with them and is the last.
        match self.queue.pop() {
            Some(event) => Poll::Ready(Some(event)),
            None if self.is_over => Poll::Ready(self.outcome.take().map(ToolCallEvent::Done)),
            None => Poll::Pending,
        }
    }
}

impl fmt::Debug for ToolCallEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolCallEvents")
            .field("call", &self.call)
            .field("is_over", &self.is_over)
            .finish_non_exhaustive()
    }
}
