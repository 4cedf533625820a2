//! The future of a handler that is polled in place.

use alloc::boxed::Box;
use core::task::{Context, Poll, ready};

use super::contained::Contained;
use crate::handle::turn::LARGE;
use crate::jsonrpc::ErrorObject;
use crate::server::ResultBody;

/// The future of a handler, until it has an outcome.
pub(super) struct Job {
    work: Contained,
    /// The result that the handler has returned, where writing it has a poll of its own.
    result: Option<Box<ResultBody>>,
}

impl Job {
    pub(super) fn new(work: Contained) -> Self {
        Self { work, result: None }
    }

    /// What the handler returns, once; a large result not in the poll that has made it.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<ResultBody, ErrorObject>> {
        if let Some(result) = self.result.take() {
            return Poll::Ready(Ok(*result));
        }
        match ready!(self.work.poll(cx)) {
            Ok(result) if result.as_raw().as_bytes().len() >= LARGE => {
                self.result = Some(Box::new(result));
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            outcome => Poll::Ready(outcome),
        }
    }
}
