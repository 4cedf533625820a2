//! The handlers of one exchange, polled in place.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::task::{Context, Poll, ready};

use super::line::Line;
use crate::handle::contained::Contained;
use crate::handle::server::job::{Job, Results};
use crate::handle::server::{Application, Peer};
use crate::jsonrpc::ErrorObject;
use crate::server::http::{Exchange, HttpAnswer};
use crate::server::{RequestToken, ResultBody};
use crate::time::Time;

/// The requests of one exchange and the line they speak on.
///
/// Whoever holds it polls it: the exchange, and after a legacy client has hung up the upkeep of the endpoint.
pub(super) struct Errand {
    pub(super) line: Arc<Line>,
    first: Option<Task>,
    /// The others, in a batch.
    more: Vec<Task>,
}

/// One request.
pub(super) struct Task {
    job: Job,
    /// Until it is answered.
    token: Option<RequestToken>,
    line: Arc<Line>,
}

impl Errand {
    pub(super) fn new(line: Arc<Line>, first: Option<Task>, more: Vec<Task>) -> Self {
        Self { line, first, more }
    }

    /// Whether every request is answered, or given up.
    pub(super) fn is_done(&self) -> bool {
        self.first.is_none() && self.more.is_empty()
    }

    /// Polls the handlers, and puts what they answer into the exchange.
    ///
    /// It wakes the task of `cx` for what a handler waits for; for a cancellation and for what handlers say
    /// meanwhile, [`Line::poll_exchange`] has to be polled as well.
    pub(super) fn poll(&mut self, server: &dyn Application, cx: &mut Context<'_>, now: Time) -> Poll<()> {
        if self.first.as_mut().is_some_and(|task| task.poll(server, cx).is_ready()) {
            self.first = None;
        }
        self.more.retain_mut(|task| task.poll(server, cx).is_pending());
        if self.is_done() {
            return Poll::Ready(());
        }
        if let Some(session) = &self.line.session {
            for cancellation in session.handle_timeout(now) {
                // Where there is no room the client learns it from its late answer being ignored.
                let _ = self.line.notify(cancellation);
            }
        }
        Poll::Pending
    }

    /// Drops the handlers that are not done, and answers their requests with an error.
    pub(super) fn give_up(&mut self, server: &dyn Application) {
        for mut task in self.first.take().into_iter().chain(self.more.drain(..)) {
            task.answer(server, Err(ErrorObject::internal("the request took too long")));
        }
    }

    /// When it wants to be polled even if nobody wakes it.
    pub(super) fn poll_timeout(&self) -> Option<Time> {
        let session = self.line.session.as_ref();
        session.filter(|_| !self.is_done())?.poll_timeout()
    }
}

impl Task {
    pub(super) fn new(
        work: Contained<ResultBody>,
        token: RequestToken,
        line: Arc<Line>,
        results: &Arc<Results>,
    ) -> Self {
        let (job, token) = (Job::new(work, results.clone()), Some(token));
        Self { job, token, line }
    }

    /// Polls the handler, and answers the request when it is done.
    fn poll(&mut self, server: &dyn Application, cx: &mut Context<'_>) -> Poll<()> {
        // Looked at first: a handler that nobody waits for is not polled once more.
        if self.line.is_cancelled() {
            self.line.say(Exchange::skip);
            return Poll::Ready(());
        }
        let outcome = ready!(self.job.poll(cx));
        self.answer(server, outcome);
        Poll::Ready(())
    }

    /// Answers the request, unless it is answered.
    fn answer(&mut self, server: &dyn Application, outcome: Result<ResultBody, ErrorObject>) {
        let Some(token) = self.token.take() else { return };
        // The session and the exchange are locked one after the other, never both.
        let answer = match &self.line.session {
            Some(session) => session.respond(token, outcome),
            None => HttpAnswer::alone(server.config(), token, outcome),
        };
        self.line.say(|exchange| exchange.answer(answer));
    }
}

/// Done, and read as far as anybody does.
impl Drop for Errand {
    fn drop(&mut self) {
        self.line.stream_closed();
    }
}

/// Answered or given up.
impl Drop for Task {
    fn drop(&mut self) {
        self.line.over();
    }
}
