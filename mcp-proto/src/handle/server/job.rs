//! The future of a handler that is polled in place.

use alloc::boxed::Box;
use core::task::{Context, Poll, ready};

use super::Work;
use crate::handle::turn::LARGE;
use crate::jsonrpc::ErrorObject;
use crate::server::ResultBody;

/// The future of a handler, until it has an outcome.
pub(super) struct Job {
    work: Work,
    /// A poll has begun and not come back: the handler has panicked if this is seen.
    polling: bool,
    /// The result that the handler has returned, where writing it has a poll of its own.
    result: Option<Box<ResultBody>>,
}

impl Job {
    pub(super) fn new(work: Work) -> Self {
        Self {
            work,
            polling: false,
            result: None,
        }
    }

    /// What the handler returns, once; a large result not in the poll that has made it, and an error where the handler has
    /// panicked in an earlier one.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<ResultBody, ErrorObject>> {
        if core::mem::replace(&mut self.polling, true) {
            return Poll::Ready(Err(ErrorObject::internal("the handler has failed")));
        }
        let outcome = match self.result.take() {
            Some(result) => Poll::Ready(Ok(*result)),
            None => self.poll_work(cx),
        };
        self.polling = false;
        outcome
    }

    fn poll_work(&mut self, cx: &mut Context<'_>) -> Poll<Result<ResultBody, ErrorObject>> {
        match ready!(self.work.as_mut().poll(cx)) {
            Ok(result) if result.as_raw().as_bytes().len() >= LARGE => {
                self.result = Some(Box::new(result));
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            outcome => Poll::Ready(outcome),
        }
    }
}
