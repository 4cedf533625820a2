//! A legacy session over HTTP.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::task::{Context, Poll, Waker};
use std::sync::{Mutex, MutexGuard};

use super::line::Cancellable;
use super::lock;
use crate::handle::server::Application;
use crate::handle::server::announcements::Announcements;
use crate::handle::wakers::Wakers;
use crate::http::server::Reply;
use crate::jsonrpc::{ErrorObject, Message, Params, RawJson};
use crate::method::MethodName;
use crate::revision::Revision;
use crate::rpc::{CallError, CallId, CallOptions, CloseReason, RequestKey, SendError};
use crate::server::{Received, RequestToken, ResultBody, Session};
use crate::time::Time;

/// One session: the machine, and what runs in it. Everything it holds is dropped with it.
pub(super) struct HttpSession {
    server: Arc<dyn Application>,
    state: Mutex<State>,
}

struct State {
    machine: Session,
    /// The requests in progress, to be told when they are cancelled.
    running: BTreeMap<RequestKey, Arc<dyn Cancellable>>,
    /// Our requests that wait for an answer, or whose answer waits for who asked.
    answers: BTreeMap<CallId, Answer>,
    /// Those who wait until the client may be asked.
    callers: Wakers,
    /// The GET stream, while it is open.
    stream: Option<Box<Reply>>,
    listener: Option<Waker>,
    /// What waits for a GET stream.
    backlog: Announcements,
    /// It ends with the last request in progress.
    draining: bool,
    ended: bool,
}

enum Answer {
    Awaited(Option<Waker>),
    Here(Result<RawJson, CallError>),
}

/// What becomes of a message that a session has taken.
#[expect(
    clippy::large_enum_variant,
    reason = "it is taken apart at once, and the large variant is the usual one"
)]
pub(super) enum Taken {
    /// A handler has to answer it.
    Request(crate::server::Request),
    /// It is answered already.
    Reply(Vec<u8>),
    /// There is nothing to answer.
    Nothing,
}

impl HttpSession {
    pub(super) fn new(server: Arc<dyn Application>, machine: Session) -> Self {
        let state = State {
            machine,
            running: BTreeMap::new(),
            answers: BTreeMap::new(),
            callers: Wakers::default(),
            stream: None,
            listener: None,
            backlog: Announcements::default(),
            draining: false,
            ended: false,
        };
        Self {
            server,
            state: Mutex::new(state),
        }
    }

    /// The revision that was agreed on.
    pub(super) fn revision(&self) -> Option<Revision> {
        self.state().machine.revision()
    }

    /// Takes a message of the client.
    pub(super) fn receive(&self, now: Time, message: Message) -> Taken {
        let mut state = self.state();
        let received = state.machine.receive(self.server.config(), now, message);
        match received {
            Received::Request(request) => Taken::Request(request),
            Received::Reply(message) => Taken::Reply(message),
            Received::Notification(notification) => {
                drop(state);
                self.server.notified(notification);
                Taken::Nothing
            }
            Received::Cancelled { key, .. } => {
                let running = state.running.remove(&key);
                let is_drained = state.is_drained();
                drop(state);
                if let Some(running) = running {
                    running.cancel();
                }
                if is_drained {
                    self.end();
                }
                Taken::Nothing
            }
            Received::Answered { call, outcome } => {
                let waker = state.settle(call, outcome);
                drop(state);
                wake(waker);
                Taken::Nothing
            }
            Received::Opened => {
                let callers = state.callers.take();
                drop(state);
                callers.wake();
                Taken::Nothing
            }
            _ => Taken::Nothing,
        }
    }

    /// Takes note of the handler of a request, so that it can be cancelled.
    pub(super) fn started(&self, key: RequestKey, handler: Arc<dyn Cancellable>) {
        let mut state = self.state();
        // It may have been cancelled, on another thread, before it was known here.
        if state.ended || !state.machine.has(key) {
            drop(state);
            handler.cancel();
        } else {
            state.running.insert(key, handler);
        }
    }

    /// The response to a request whose handler is done; `None` where it was cancelled.
    pub(super) fn respond(&self, token: RequestToken, outcome: Result<ResultBody, ErrorObject>) -> Option<Vec<u8>> {
        let mut state = self.state();
        if let Some(key) = token.key() {
            state.running.remove(&key);
        }
        let response = state.machine.respond(self.server.config(), token, outcome);
        let is_drained = state.is_drained();
        drop(state);
        if is_drained {
            self.end();
        }
        response
    }

    /// Ready when the client may be asked: it has said that it is ready (2025-11-25, Lifecycle).
    pub(super) fn poll_callable(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if state.ended || state.machine.handshake().may_send_requests() {
            return Poll::Ready(());
        }
        state.callers.add(cx.waker());
        Poll::Pending
    }

    pub(super) fn reserve_call(&self, options: &CallOptions) -> Result<CallId, SendError> {
        let mut state = self.state();
        if state.ended {
            return Err(SendError::Closed(CloseReason::Local));
        }
        let call = state.machine.reserve(self.server.config(), options)?;
        state.answers.insert(call, Answer::Awaited(None));
        Ok(call)
    }

    pub(super) fn begin_call(
        &self,
        reserved: Option<CallId>,
        method: &MethodName,
        params: Params,
        options: &CallOptions,
    ) -> Result<(CallId, Vec<u8>), SendError> {
        let mut state = self.state();
        if state.ended {
            return Err(SendError::Closed(CloseReason::Local));
        }
        let config = self.server.config();
        let (call, message) = state.machine.request_as(config, reserved, method, params, options)?;
        if reserved.is_none() {
            state.answers.insert(call, Answer::Awaited(None));
        }
        Ok((call, message))
    }

    pub(super) fn poll_answer(&self, call: CallId, cx: &Context<'_>) -> Poll<Result<RawJson, CallError>> {
        let mut state = self.state();
        match state.answers.remove(&call) {
            Some(Answer::Here(outcome)) => Poll::Ready(outcome),
            Some(Answer::Awaited(_)) => {
                state.answers.insert(call, Answer::Awaited(Some(cx.waker().clone())));
                Poll::Pending
            }
            None => Poll::Ready(Err(CallError::Closed(CloseReason::Local))),
        }
    }

    /// Does not wait for a call any more: the cancellation to send.
    pub(super) fn cancel_call(&self, call: CallId) -> Option<Vec<u8>> {
        let mut state = self.state();
        state.answers.remove(&call);
        state.machine.cancel(call, None)
    }

    /// Forgets a call that was not sent.
    pub(super) fn forget_call(&self, call: CallId) {
        let _ = self.cancel_call(call);
    }

    /// When the next call of ours times out.
    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.state().machine.poll_timeout()
    }

    /// Gives up the calls whose time is over: the cancellations to send.
    pub(super) fn handle_timeout(&self, now: Time) -> Vec<Vec<u8>> {
        let mut state = self.state();
        let (mut cancellations, mut wakers) = (Vec::new(), Vec::new());
        if state.machine.poll_timeout().is_none_or(|due| due > now) {
            return cancellations;
        }
        while let Some((call, error, cancellation)) = state.machine.handle_timeout(now) {
            wakers.extend(state.settle(call, Err(error)));
            cancellations.extend(cancellation);
        }
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        cancellations
    }

    /// Sends a notification that belongs to no request, on the GET stream or when there is one.
    ///
    /// What waits is small, and the same thing waits once: there may be many clients that never open one.
    pub(super) fn notify(&self, method: &MethodName, params: Params) {
        let config = self.server.config();
        let mut state = self.state();
        let Ok(Some(message)) = state.machine.notify(config, method, params.clone()) else {
            return;
        };
        let mut listener = None;
        if let Some(stream) = &mut state.stream {
            // A client that does not read its stream loses notifications, which only say that something changed.
            let _ = stream.notify(message);
            listener = state.listener.take();
        } else if !state.ended {
            state.backlog.push(config.limits(), method, params);
        }
        drop(state);
        wake(listener);
    }

    /// Opens the GET stream.
    pub(super) fn listen(&self, mut stream: Reply) {
        let mut state = self.state();
        for (method, params) in state.backlog.take() {
            if let Ok(Some(message)) = state.machine.notify(self.server.config(), &method, params) {
                // The backlog is no larger than the queue of a stream.
                let _ = stream.notify(message);
            }
        }
        if state.ended {
            stream.end();
        }
        state.stream = Some(Box::new(stream));
    }

    /// Closes the GET stream, from the client's side.
    pub(super) fn unlisten(&self) {
        let mut state = self.state();
        state.stream = None;
        state.listener = None;
    }

    /// Takes something out of the GET stream; where there is nothing, the task of `cx` is woken when there is.
    pub(super) fn poll_stream<T>(
        &self,
        cx: &Context<'_>,
        take: impl FnOnce(&mut Reply) -> Option<T>,
    ) -> Poll<Option<T>> {
        let mut state = self.state();
        let Some(stream) = &mut state.stream else {
            return Poll::Ready(None);
        };
        if let Some(taken) = take(stream) {
            return Poll::Ready(Some(taken));
        }
        if stream.is_finished() {
            return Poll::Ready(None);
        }
        state.listener = Some(cx.waker().clone());
        Poll::Pending
    }

    /// When the GET stream wants to be polled again.
    pub(super) fn stream_timeout(&self) -> Option<Time> {
        self.state().stream.as_ref()?.poll_timeout()
    }

    /// Ends the session with its last request in progress; at once where there is none.
    pub(super) fn drain(&self) {
        let mut state = self.state();
        state.draining = true;
        let is_drained = state.is_drained();
        drop(state);
        if is_drained {
            self.end();
        }
    }

    /// Whether the session is over.
    pub(super) fn has_ended(&self) -> bool {
        self.state().ended
    }

    /// Ends the session: its handlers are dropped, its calls fail, its streams end.
    pub(super) fn end(&self) {
        let mut state = self.state();
        state.ended = true;
        if let Some(stream) = &mut state.stream {
            stream.end();
        }
        let callers = state.callers.take();
        let mut wakers: Vec<Waker> = state.listener.take().into_iter().collect();
        let calls: Vec<CallId> = state.machine.close().collect();
        for call in calls {
            wakers.extend(state.settle(call, Err(CallError::Closed(CloseReason::Local))));
        }
        let running = core::mem::take(&mut state.running);
        drop(state);
        callers.wake();
        running.into_values().for_each(|handler| handler.cancel());
        wakers.into_iter().for_each(Waker::wake);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl State {
    /// Whether it is time for the session to end by itself.
    fn is_drained(&self) -> bool {
        self.draining && !self.ended && self.running.is_empty()
    }

    /// Keeps an answer for who asked, unless nobody waits: the task to wake.
    fn settle(&mut self, call: CallId, outcome: Result<RawJson, CallError>) -> Option<Waker> {
        let answer = self.answers.get_mut(&call)?;
        match core::mem::replace(answer, Answer::Here(outcome)) {
            Answer::Awaited(waker) => waker,
            Answer::Here(_) => None,
        }
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use core::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::handle::Server;
    use crate::jsonrpc::{Incoming, parse};
    use crate::limits::Limits;

    #[derive(Default)]
    struct Handler(AtomicBool);

    impl Cancellable for Handler {
        fn cancel(&self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    fn message(text: &'static str) -> Message {
        match parse(text.into(), &Limits::default()) {
            Ok(Incoming::Single(message)) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_cancellation_may_come_before_its_handler_is_known() {
        let server = Server::builder("s", "1").build();
        let machine = Session::operating(server.config(), Revision::V2025_11_25);
        let session = HttpSession::new(Arc::new(server), machine);
        let begin = || match session.receive(
            Time::ORIGIN,
            message(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#),
        ) {
            Taken::Request(request) => request.token.key().unwrap(),
            _ => panic!(),
        };
        let key = begin();
        let cancelled = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
        let _ = session.receive(Time::ORIGIN, message(cancelled));
        let (late, next) = (Arc::new(Handler::default()), Arc::new(Handler::default()));
        session.started(key, late.clone());
        assert!(late.0.load(Ordering::Relaxed));
        assert!(session.state().running.is_empty());
        session.started(begin(), next.clone());
        assert!(!next.0.load(Ordering::Relaxed));
    }

    #[test]
    fn a_call_that_waits_for_the_handshake_has_a_deadline() {
        let server = Server::builder("s", "1").build();
        let machine = Session::new(server.config());
        let session = HttpSession::new(Arc::new(server), machine);
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
        let late = session.begin_call(Some(call), &"ping".into(), Params::NONE, &CallOptions::default());
        assert!(matches!(late, Err(SendError::Blocked(_))), "{late:?}");
    }
}
