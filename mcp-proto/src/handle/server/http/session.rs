//! A legacy session, and who waits for what in it.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::task::{Context, Poll, Waker};
use std::sync::Mutex;

use super::cancel::{Cancellable, lock};
use crate::handle::server::Application;
use crate::handle::wakers::Wakers;
use crate::jsonrpc::{ErrorObject, Params, RawJson};
use crate::rpc::{CallError, CallId, CallOptions, CloseReason, RequestKey, SendError};
use crate::server::http::{Answer, Exchange, Happening, HttpSession};
use crate::server::{Announcement, Asking, RequestToken, ResultBody};
use crate::time::Time;

/// What a session remembers of a request in progress: who is told that it is cancelled.
pub(super) type Running = Arc<dyn Cancellable>;

/// One session behind its lock. Everything it holds is dropped with it.
pub(super) struct SharedSession {
    server: Arc<dyn Application>,
    state: Mutex<State>,
}

struct State {
    session: HttpSession<Running>,
    /// Our requests that wait for an answer, or whose answer waits for who asked.
    answers: BTreeMap<CallId, Waiting>,
    /// Those who wait until the client may be asked.
    callers: Wakers,
    /// The task that drives the GET stream.
    listener: Option<Waker>,
}

enum Waiting {
    Awaited(Option<Waker>),
    Here(Result<RawJson, CallError>),
}

impl SharedSession {
    pub(super) fn new(server: Arc<dyn Application>, session: HttpSession<Running>) -> Self {
        let state = State {
            session,
            answers: BTreeMap::new(),
            callers: Wakers::default(),
            listener: None,
        };
        Self {
            server,
            state: Mutex::new(state),
        }
    }

    /// Tells the session something. What ends with it is woken and cancelled, under no lock: a handler that is dropped
    /// may come back to its session.
    pub(super) fn act<T>(&self, act: impl FnOnce(&mut HttpSession<Running>) -> T) -> T {
        let mut state = lock(&self.state);
        let value = act(&mut state.session);
        let Some(end) = state.session.poll_end() else {
            return value;
        };
        let callers = state.callers.take();
        let mut wakers: Vec<Waker> = state.listener.take().into_iter().collect();
        for call in end.calls {
            wakers.extend(state.settle(call, Err(CallError::Closed(CloseReason::Local))));
        }
        drop(state);
        callers.wake();
        end.requests.into_iter().for_each(|request| request.cancel());
        wakers.into_iter().for_each(Waker::wake);
        value
    }

    /// What a message of the client has brought about.
    pub(super) fn happened(&self, happening: Happening<Running>) {
        match happening {
            Happening::Notification(notification) => self.server.notified(notification),
            Happening::Cancelled { request, .. } => request.into_iter().for_each(|request| request.cancel()),
            Happening::Answered { call, outcome } => {
                let waker = lock(&self.state).settle(call, outcome);
                waker.into_iter().for_each(Waker::wake);
            }
            Happening::Opened => {
                let callers = lock(&self.state).callers.take();
                callers.wake();
            }
            Happening::Progress { .. } => {}
        }
    }

    /// Takes note of the handler of a request, so that it can be cancelled.
    pub(super) fn started(&self, key: RequestKey, request: Running) {
        if let Err(cancelled) = self.act(|session| session.started(key, request)) {
            cancelled.cancel();
        }
    }

    /// The answer to a request whose handler is done.
    pub(super) fn respond(&self, token: RequestToken, outcome: Result<ResultBody, ErrorObject>) -> Answer {
        self.act(|session| session.respond(self.server.config(), token, outcome))
    }

    /// Ready when the client may be asked.
    pub(super) fn poll_callable(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = lock(&self.state);
        if state.session.has_ended() || state.session.may_call() {
            return Poll::Ready(());
        }
        state.callers.add(cx.waker());
        Poll::Pending
    }

    pub(super) fn reserve_call(&self, options: &CallOptions) -> Result<CallId, SendError> {
        let mut state = lock(&self.state);
        let call = state.session.reserve(self.server.config(), options)?;
        state.answers.insert(call, Waiting::Awaited(None));
        Ok(call)
    }

    pub(super) fn begin_call(
        &self,
        reserved: Option<CallId>,
        asking: &Asking<'_>,
        params: Params,
    ) -> Result<(CallId, Vec<u8>), SendError> {
        let mut state = lock(&self.state);
        let config = self.server.config();
        let (call, message) = state.session.request_as(config, reserved, asking, params)?;
        if reserved.is_none() {
            state.answers.insert(call, Waiting::Awaited(None));
        }
        Ok((call, message))
    }

    pub(super) fn poll_answer(&self, call: CallId, cx: &Context<'_>) -> Poll<Result<RawJson, CallError>> {
        let mut state = lock(&self.state);
        match state.answers.remove(&call) {
            Some(Waiting::Here(outcome)) => Poll::Ready(outcome),
            Some(Waiting::Awaited(_)) => {
                state.answers.insert(call, Waiting::Awaited(Some(cx.waker().clone())));
                Poll::Pending
            }
            None => Poll::Ready(Err(CallError::Closed(CloseReason::Local))),
        }
    }

    /// Does not wait for a call any more: the cancellation to send, where the call was sent.
    pub(super) fn cancel_call(&self, call: CallId) -> Option<Vec<u8>> {
        let mut state = lock(&self.state);
        state.answers.remove(&call);
        state.session.cancel(call, None)
    }

    /// When the next call of ours times out.
    pub(super) fn poll_timeout(&self) -> Option<Time> {
        lock(&self.state).session.poll_timeout()
    }

    /// Gives up the calls whose time is over: the cancellations to send.
    pub(super) fn handle_timeout(&self, now: Time) -> Vec<Vec<u8>> {
        let mut state = lock(&self.state);
        let (mut cancellations, mut wakers) = (Vec::new(), Vec::new());
        while let Some((call, error, cancellation)) = state.session.handle_timeout(now) {
            wakers.extend(state.settle(call, Err(error)));
            cancellations.extend(cancellation);
        }
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        cancellations
    }

    /// Tells the client what concerns everyone.
    pub(super) fn announce(&self, announcement: &Announcement) {
        let mut state = lock(&self.state);
        let is_heard = state.session.notify(self.server.config(), announcement);
        let listener = state.listener.take_if(|_| is_heard);
        drop(state);
        listener.into_iter().for_each(Waker::wake);
    }

    /// Closes the GET stream, from the client's side.
    pub(super) fn unlisten(&self) {
        let mut state = lock(&self.state);
        state.session.unlisten();
        state.listener = None;
    }

    /// Takes something out of the GET stream; where there is nothing, the task of `cx` is woken when there is.
    pub(super) fn poll_stream<T>(&self, cx: &Context<'_>, take: impl FnOnce(&mut Exchange) -> Option<T>) -> Poll<T> {
        let mut state = lock(&self.state);
        if let Some(taken) = state.session.stream().and_then(take) {
            return Poll::Ready(taken);
        }
        state.listener = Some(cx.waker().clone());
        Poll::Pending
    }

    /// When the GET stream wants to be polled again.
    pub(super) fn stream_timeout(&self) -> Option<Time> {
        lock(&self.state).session.stream()?.poll_timeout()
    }
}

impl State {
    /// Keeps an answer for who asked, unless nobody waits: the task to wake.
    fn settle(&mut self, call: CallId, outcome: Result<RawJson, CallError>) -> Option<Waker> {
        let waiting = self.answers.get_mut(&call)?;
        match core::mem::replace(waiting, Waiting::Here(outcome)) {
            Waiting::Awaited(waker) => waker,
            Waiting::Here(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handle::Server;
    use crate::server::Session;

    #[test]
    fn a_call_that_waits_for_the_handshake_has_a_deadline() {
        let server = Server::builder("s", "1").build();
        let session = HttpSession::new(Session::new(server.config()));
        let session = SharedSession::new(Arc::new(server), session);
        let cx = &Context::from_waker(Waker::noop());
        let call = session.reserve_call(&CallOptions::default()).unwrap();
        assert!(session.poll_answer(call, cx).is_pending());
        assert!(session.handle_timeout(Time::ORIGIN).is_empty());
        let due = session.poll_timeout().unwrap();
        assert_eq!(due, Time::ORIGIN + core::time::Duration::from_secs(60));
        assert!(
            session.handle_timeout(due).is_empty(),
            "what was not sent is not cancelled"
        );
        let answer = session.poll_answer(call, cx);
        assert!(
            matches!(answer, Poll::Ready(Err(CallError::Timeout { .. }))),
            "{answer:?}"
        );
        let (method, options) = ("ping".into(), CallOptions::default());
        let ping = Asking {
            method: &method,
            options: &options,
        };
        let late = session.begin_call(Some(call), &ping, Params::NONE);
        assert!(matches!(late, Err(SendError::Blocked(_))), "{late:?}");
    }
}
