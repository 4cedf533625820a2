//! What an application wrote, and a panic in it that ends nothing else.

use alloc::boxed::Box;
use core::future::Future;
use core::panic::AssertUnwindSafe;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::panic::catch_unwind;

use crate::jsonrpc::ErrorObject;

/// The future of a handler.
pub(crate) type Work<T> = Pin<Box<dyn Future<Output = Result<T, ErrorObject>> + Send>>;

/// The future of a handler, whose panics are answers to its own request (−32603) and nobody else's matter, where the
/// program unwinds at all. What was said in a panic has gone to the panic hook, and does not reach the peer.
pub(crate) struct Contained<T>(Option<Work<T>>);

impl<T> Contained<T> {
    /// Asks the application for the handler of a request, which may run before it is polled.
    pub(crate) fn start(code: impl FnOnce() -> Work<T>) -> Self {
        Self(contain(code))
    }

    /// What the handler returns, once; an error where it has panicked, now or before.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, ErrorObject>> {
        let work = self.0.as_mut();
        let polled = work.and_then(|work| contain(|| work.as_mut().poll(cx)));
        polled.unwrap_or_else(|| {
            // A future that has panicked may do so again.
            self.end();
            Poll::Ready(Err(ErrorObject::internal("the handler has failed")))
        })
    }

    fn end(&mut self) {
        contain(|| drop(self.0.take()));
    }
}

/// What a handler holds may panic as well when it is dropped, with the thread already unwinding at worst.
impl<T> Drop for Contained<T> {
    fn drop(&mut self) {
        self.end();
    }
}

/// What `code` of an application gives, or nothing where it panics.
///
/// It is called under none of our locks, and what it leaves half done is the application's own: nothing of ours has to
/// be safe to look at after an unwinding.
pub(crate) fn contain<T>(code: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(code)) {
        Ok(value) => Some(value),
        Err(panic) => {
            // A payload with a destructor that panics: the last one is left where it is.
            if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
                core::mem::forget(again);
            }
            None
        }
    }
}
