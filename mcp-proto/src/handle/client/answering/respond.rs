//! Closures that answer.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::future::Future;

use super::context::AnswerContext;
use crate::handle::contained::Work;
use crate::jsonrpc::ErrorObject;

/// A closure that answers requests with the parameters `P` with the result `R`, whatever its type.
pub(in crate::handle::client) struct Respond<P, R>(Arc<dyn Fn(P, AnswerContext) -> Work<R> + Send + Sync>);

impl<P: 'static, R: 'static> Respond<P, R> {
    pub(in crate::handle::client) fn new<F, Fut>(function: F) -> Self
    where
        F: Fn(P, AnswerContext) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R, ErrorObject>> + Send + 'static,
    {
        Self(Arc::new(move |params, context| Box::pin(function(params, context))))
    }

    pub(super) fn respond(&self, params: P, context: AnswerContext) -> Work<R> {
        (self.0)(params, context)
    }
}

impl<P, R> Clone for Respond<P, R> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}
