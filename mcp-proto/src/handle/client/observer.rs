//! What hears of a call, and what has come of it.

use core::time::Duration;

use crate::model::{LoggingMessageParams, ProgressParams};
use crate::rpc::CallError;

/// Who hears what a server says about one call before it answers.
///
/// Called in the task that polls the call, in the order of the server, and before the call is ready.
pub trait CallObserver: Send + Sync {
    /// A report of progress.
    fn progress(&self, report: ProgressParams) {
        let _ = report;
    }

    /// A log message that certainly belongs to the call.
    fn log(&self, message: LoggingMessageParams) {
        let _ = message;
    }
}

/// What has come of a request, and when.
///
/// A caller has one time-out for all that it takes to call a tool: to find out who has it, to call it, and to look why
/// it was refused. What one request has spent of that is taken off what the next one gets.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Answered<T> {
    /// What has come of it.
    pub outcome: Result<T, CallError>,
    /// How much of the time of the caller is spent, with what was spent before. A source that cannot tell says what it
    /// was told.
    pub spent: Duration,
}

impl<T> Answered<T> {
    /// What has come of a request that has spent so much of the time of its caller: one that timed out has spent at
    /// least what it was given.
    pub fn new(outcome: Result<T, CallError>, spent: Duration) -> Self {
        let spent = match &outcome {
            Err(CallError::Timeout { after, .. }) => spent.max(*after),
            _ => spent,
        };
        Self { outcome, spent }
    }
}
