//! The handlers of one exchange, polled in place.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::task::{Context, Poll, ready};

use http::StatusCode;

use super::line::Line;
use crate::handle::server::{Application, Peer, Work};
use crate::handle::turn::LARGE;
use crate::http::server::{Reply, stateless_status};
use crate::jsonrpc::ErrorObject;
use crate::server::{RequestToken, ResultBody};
use crate::time::Time;

/// The requests of one exchange and the reply they write to.
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
    work: Work,
    /// Until it is answered.
    token: Option<RequestToken>,
    peer: Arc<dyn Peer>,
    /// A poll has begun and not come back: the handler has panicked if this is seen.
    polling: bool,
    /// The result that the handler has returned, where writing it has a poll of its own.
    result: Option<Box<ResultBody>>,
}

impl Errand {
    pub(super) fn new(line: Arc<Line>, task: Option<Task>) -> Self {
        Self {
            line,
            first: task,
            more: Vec::new(),
        }
    }

    pub(super) fn batch(line: Arc<Line>, tasks: Vec<Task>) -> Self {
        Self {
            line,
            first: None,
            more: tasks,
        }
    }

    /// Whether every request is answered, or given up.
    pub(super) fn is_done(&self) -> bool {
        self.first.is_none() && self.more.is_empty()
    }

    /// Polls the handlers, and puts what they answer into the reply.
    ///
    /// It wakes the task of `cx` for what a handler waits for; for a cancellation and for what handlers say
    /// meanwhile, [`Line::poll_reply`] has to be polled as well.
    pub(super) fn poll(&mut self, server: &dyn Application, cx: &mut Context<'_>, now: Time) -> Poll<()> {
        let line = &self.line;
        if self
            .first
            .as_mut()
            .is_some_and(|task| task.poll(line, server, cx).is_ready())
        {
            self.first = None;
        }
        self.more.retain_mut(|task| task.poll(line, server, cx).is_pending());
        if self.is_done() {
            return Poll::Ready(());
        }
        if let Some(session) = line.session() {
            for cancellation in session.handle_timeout(now) {
                let _ = line.notify(cancellation);
            }
        }
        Poll::Pending
    }

    /// Drops the handlers that are not done, and answers their requests with an error.
    pub(super) fn give_up(&mut self, server: &dyn Application) {
        for mut task in self.first.take().into_iter().chain(self.more.drain(..)) {
            task.answer(
                &self.line,
                server,
                Err(ErrorObject::internal("the request took too long")),
            );
        }
    }

    /// When it wants to be polled even if nobody wakes it.
    pub(super) fn poll_timeout(&self) -> Option<Time> {
        match self.is_done() {
            true => None,
            false => self.line.session()?.poll_timeout(),
        }
    }
}

impl Task {
    pub(super) fn new(work: Work, token: RequestToken, peer: Arc<dyn Peer>) -> Self {
        Self {
            work,
            token: Some(token),
            peer,
            polling: false,
            result: None,
        }
    }

    /// Polls the handler, and answers the request when it is done.
    fn poll(&mut self, line: &Line, server: &dyn Application, cx: &mut Context<'_>) -> Poll<()> {
        if line.session().is_some() && self.peer.is_cancelled() {
            line.with_reply(Reply::skip);
            return Poll::Ready(());
        }
        let outcome = match core::mem::replace(&mut self.polling, true) {
            true => Err(ErrorObject::internal("the handler has failed")),
            false => ready!(self.poll_outcome(cx)),
        };
        self.answer(line, server, outcome);
        Poll::Ready(())
    }

    /// Answers the request, unless it is answered.
    fn answer(&mut self, line: &Line, server: &dyn Application, outcome: Result<ResultBody, ErrorObject>) {
        let Some(token) = self.token.take() else { return };
        let (status, response) = match line.session() {
            Some(session) => (StatusCode::OK, session.respond(token, outcome)),
            None => {
                let status = outcome.as_ref().err().and_then(|error| stateless_status(error.code));
                (
                    status.unwrap_or(StatusCode::OK),
                    Some(token.into_response(server.config(), outcome)),
                )
            }
        };
        line.with_reply(|reply| match response {
            Some(response) => reply.respond(status, response),
            None => reply.skip(),
        });
    }

    /// What the handler returns; a large result not in the poll that has made it.
    fn poll_outcome(&mut self, cx: &mut Context<'_>) -> Poll<Result<ResultBody, ErrorObject>> {
        if let Some(result) = self.result.take() {
            return Poll::Ready(Ok(*result));
        }
        let outcome = self.work.as_mut().poll(cx);
        self.polling = false;
        match ready!(outcome) {
            Ok(result) if result.as_raw().as_bytes().len() >= LARGE => {
                self.result = Some(Box::new(result));
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            outcome => Poll::Ready(outcome),
        }
    }
}

/// Answered or given up.
impl Drop for Task {
    fn drop(&mut self) {
        self.peer.over();
    }
}
