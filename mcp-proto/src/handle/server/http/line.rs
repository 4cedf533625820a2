//! What an exchange and the handlers it runs share: the reply, and who waits for it.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::task::{Context, Poll, Waker, ready};
use std::sync::{Mutex, MutexGuard};

use super::lock;
use super::session::HttpSession;
use crate::handle::server::Peer;
use crate::handle::wakers::Wakers;
use crate::http::server::{Blocked, Reply};
use crate::jsonrpc::{Params, RawJson};
use crate::method::MethodName;
use crate::rpc::{CallError, CallId, CallOptions, CloseReason, SendError};

/// The reply of one exchange. It is also the [`Peer`] of the one request of the exchange; those of a batch are
/// [`Member`]s.
pub(super) struct Line {
    state: Mutex<State>,
    cancel: Cancel,
    /// The session the exchange belongs to. `None` in the modern era.
    session: Option<Arc<HttpSession>>,
}

struct State {
    reply: Reply,
    /// The task that drives the exchange.
    driver: Option<Waker>,
    /// Those who wait until the client reads.
    room: Wakers,
}

impl Line {
    pub(super) fn new(reply: Reply, session: Option<Arc<HttpSession>>) -> Self {
        let state = State {
            reply,
            driver: None,
            room: Wakers::default(),
        };
        Self {
            state: Mutex::new(state),
            cancel: Cancel::default(),
            session,
        }
    }

    pub(super) fn session(&self) -> Option<&Arc<HttpSession>> {
        self.session.as_ref()
    }

    /// Whatever is done to the reply, by the task that drives the exchange.
    pub(super) fn with_reply<T>(&self, act: impl FnOnce(&mut Reply) -> T) -> T {
        act(&mut self.state().reply)
    }

    /// Takes something out of the reply; where there is nothing, the task of `cx` is woken when there is.
    pub(super) fn poll_reply<T>(&self, cx: &Context<'_>, take: impl FnOnce(&mut Reply) -> Option<T>) -> Poll<T> {
        let mut state = self.state();
        match take(&mut state.reply) {
            Some(taken) => {
                let room = state.room.take();
                drop(state);
                room.wake();
                Poll::Ready(taken)
            }
            None => {
                if !state.driver.as_ref().is_some_and(|driver| driver.will_wake(cx.waker())) {
                    state.driver = Some(cx.waker().clone());
                }
                Poll::Pending
            }
        }
    }

    /// The client has gone: what is said from now on is dropped. In the modern era that cancels its request
    /// (2026-07-28, Streamable HTTP, Cancellation: MUST); in the legacy era it does not (2025-11-25, Transports,
    /// Sending Messages, 6: SHOULD NOT).
    pub(super) fn hang_up(&self) {
        let mut state = self.state();
        state.reply.abandon();
        let room = state.room.take();
        drop(state);
        room.wake();
        if self.session.is_none() {
            self.cancel.set();
        }
    }

    /// Has the task of `cx` woken when a request is cancelled.
    pub(super) fn watch(&self, cx: &Context<'_>) {
        self.state().driver = Some(cx.waker().clone());
    }

    /// Wakes the task that drives the exchange.
    pub(super) fn wake(&self) {
        let driver = self.state().driver.take();
        if let Some(driver) = driver {
            driver.wake();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn push(&self, push: impl FnOnce(&mut Reply) -> Result<(), Blocked>) -> Result<(), Vec<u8>> {
        let mut state = self.state();
        push(&mut state.reply).map_err(|Blocked(message)| message)?;
        let driver = state.driver.take();
        drop(state);
        if let Some(driver) = driver {
            driver.wake();
        }
        Ok(())
    }
}

impl Peer for Line {
    fn notify(&self, message: Vec<u8>) -> Result<(), Vec<u8>> {
        self.push(|reply| reply.notify(message))
    }

    fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if state.reply.has_room() {
            return Poll::Ready(());
        }
        state.room.add(cx.waker());
        Poll::Pending
    }

    fn poll_callable(&self, cx: &mut Context<'_>) -> Poll<()> {
        ready!(self.poll_room(cx));
        match &self.session {
            Some(session) => session.poll_callable(cx),
            None => Poll::Ready(()),
        }
    }

    fn request(
        &self,
        reserved: Option<CallId>,
        method: &MethodName,
        params: Params,
        options: &CallOptions,
    ) -> Result<CallId, SendError> {
        let Some(session) = &self.session else {
            return Err(SendError::Closed(CloseReason::Peer));
        };
        let mut state = self.state();
        if !state.reply.can_request() {
            return Err(SendError::Closed(CloseReason::Peer));
        }
        if !state.reply.has_room() {
            return Err(SendError::Blocked(params));
        }
        drop(state);
        let (call, message) = session.begin_call(reserved, method, params, options)?;
        state = self.state();
        let sent = state.reply.request(message);
        let driver = state.driver.take();
        drop(state);
        if let Some(driver) = driver {
            driver.wake();
        }
        match sent {
            Ok(()) => Ok(call),
            Err(Blocked(_)) => {
                // Someone else has filled the queue, or the client has gone, in between.
                session.forget_call(call);
                Err(SendError::Closed(CloseReason::Peer))
            }
        }
    }

    fn reserve(&self, options: &CallOptions) -> Result<CallId, SendError> {
        match &self.session {
            Some(session) => session.reserve_call(options),
            None => Err(SendError::Closed(CloseReason::Peer)),
        }
    }

    fn poll_answer(&self, call: CallId, cx: &mut Context<'_>) -> Poll<Result<RawJson, CallError>> {
        match &self.session {
            Some(session) => session.poll_answer(call, cx),
            None => Poll::Ready(Err(CallError::Closed(CloseReason::Peer))),
        }
    }

    fn abandon(&self, call: CallId) {
        if let Some(message) = self.session.as_ref().and_then(|session| session.cancel_call(call)) {
            // Where there is no room the client learns it from its late answer being ignored.
            let _ = self.notify(message);
        }
    }

    fn over(&self) {
        self.cancel.set();
    }

    fn is_cancelled(&self) -> bool {
        self.cancel.is_set()
    }

    fn poll_cancelled(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.cancel.poll(cx)
    }
}

/// A request whose client can cancel it.
pub(super) trait Cancellable: Send + Sync {
    /// It is cancelled: whoever waits for that is woken, and so is the task that runs its handler.
    fn cancel(&self);
}

impl Cancellable for Line {
    fn cancel(&self) {
        self.cancel.set();
        self.wake();
    }
}

/// One request of a batch.
pub(super) struct Member {
    line: Arc<Line>,
    cancel: Cancel,
}

impl Member {
    pub(super) fn new(line: Arc<Line>) -> Self {
        Self {
            line,
            cancel: Cancel::default(),
        }
    }
}

impl Peer for Member {
    fn notify(&self, message: Vec<u8>) -> Result<(), Vec<u8>> {
        self.line.notify(message)
    }

    fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.line.poll_room(cx)
    }

    fn poll_callable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.line.poll_callable(cx)
    }

    fn request(
        &self,
        reserved: Option<CallId>,
        method: &MethodName,
        params: Params,
        options: &CallOptions,
    ) -> Result<CallId, SendError> {
        self.line.request(reserved, method, params, options)
    }

    fn reserve(&self, options: &CallOptions) -> Result<CallId, SendError> {
        self.line.reserve(options)
    }

    fn poll_answer(&self, call: CallId, cx: &mut Context<'_>) -> Poll<Result<RawJson, CallError>> {
        self.line.poll_answer(call, cx)
    }

    fn abandon(&self, call: CallId) {
        self.line.abandon(call);
    }

    fn over(&self) {
        self.cancel.set();
    }

    fn is_cancelled(&self) -> bool {
        self.cancel.is_set()
    }

    fn poll_cancelled(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.cancel.poll(cx)
    }
}

impl Cancellable for Member {
    fn cancel(&self) {
        self.cancel.set();
        self.line.wake();
    }
}

/// Whether a request is cancelled or over, and who wants to know.
#[derive(Default)]
struct Cancel(Mutex<(bool, Wakers)>);

impl Cancel {
    fn set(&self) {
        let mut state = lock(&self.0);
        state.0 = true;
        let wakers = state.1.take();
        drop(state);
        wakers.wake();
    }

    fn is_set(&self) -> bool {
        lock(&self.0).0
    }

    fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = lock(&self.0);
        if state.0 {
            return Poll::Ready(());
        }
        state.1.add(cx.waker());
        Poll::Pending
    }
}
