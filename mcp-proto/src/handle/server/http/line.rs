//! What an exchange and the handlers it runs share: the exchange, and who waits for it.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::task::{Context, Poll, Waker, ready};
use std::sync::{Mutex, MutexGuard};

use super::cancel::{Cancel, Cancellable, lock};
use super::session::SharedSession;
use crate::handle::server::Peer;
use crate::handle::wakers::Wakers;
use crate::http::server::Blocked;
use crate::jsonrpc::{Params, RawJson};
use crate::rpc::{CallError, CallId, CallOptions, CloseReason, SendError};
use crate::server::Asking;
use crate::server::http::{Exchange, HangUp};

/// The [`Peer`] of one request: its exchange, which those of a batch share, and whether it is cancelled.
pub(super) struct Line {
    place: Place,
    cancel: Cancel,
    /// The session the exchange belongs to. `None` in the modern era.
    session: Option<Arc<SharedSession>>,
}

enum Place {
    Own(Mutex<State>),
    /// That of another request.
    Of(Arc<Line>),
}

struct State {
    exchange: Exchange,
    /// The task that drives the exchange.
    driver: Option<Waker>,
    /// Those who wait until the client reads.
    room: Wakers,
}

impl Line {
    pub(super) fn new(exchange: Exchange, session: Option<Arc<SharedSession>>) -> Self {
        let state = State {
            exchange,
            driver: None,
            room: Wakers::default(),
        };
        Self {
            place: Place::Own(Mutex::new(state)),
            cancel: Cancel::default(),
            session,
        }
    }

    /// Another request of the same exchange.
    pub(super) fn member(line: &Arc<Self>) -> Self {
        Self {
            place: Place::Of(line.clone()),
            cancel: Cancel::default(),
            session: line.session.clone(),
        }
    }

    pub(super) fn session(&self) -> Option<&Arc<SharedSession>> {
        self.session.as_ref()
    }

    /// Whatever is done to the exchange, by the task that drives it.
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Exchange) -> T) -> T {
        act(&mut self.state().exchange)
    }

    /// Takes something out of the exchange; where there is nothing, the task of `cx` is woken when there is.
    pub(super) fn poll_exchange<T>(&self, cx: &Context<'_>, take: impl FnOnce(&mut Exchange) -> Option<T>) -> Poll<T> {
        let mut state = self.state();
        match take(&mut state.exchange) {
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

    /// The client has gone. What becomes of the requests.
    pub(super) fn hang_up(&self) -> HangUp {
        let mut state = self.state();
        let end = state.exchange.hang_up();
        let room = state.room.take();
        drop(state);
        room.wake();
        if end != HangUp::RunOn {
            self.cancel.set();
        }
        end
    }

    /// Has the task of `cx` woken when a request is cancelled.
    pub(super) fn watch(&self, cx: &Context<'_>) {
        self.state().driver = Some(cx.waker().clone());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        match &self.place {
            Place::Own(state) => lock(state),
            Place::Of(line) => line.state(),
        }
    }

    /// A handler says something: the task that drives the exchange is woken, if it is taken. Otherwise it is not, or the
    /// two would wake each other until the client reads.
    fn say(&self, say: impl FnOnce(&mut Exchange) -> Result<(), Blocked>) -> Result<(), Blocked> {
        let mut state = self.state();
        say(&mut state.exchange)?;
        let driver = state.driver.take();
        drop(state);
        driver.into_iter().for_each(Waker::wake);
        Ok(())
    }
}

impl Peer for Line {
    fn notify(&self, message: Vec<u8>) -> Result<(), Vec<u8>> {
        self.say(|exchange| exchange.notify(message))
            .map_err(|blocked| blocked.0)
    }

    fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if state.exchange.has_room() {
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

    fn request(&self, reserved: Option<CallId>, asking: &Asking<'_>, params: Params) -> Result<CallId, SendError> {
        let gone = SendError::Closed(CloseReason::Peer);
        let Some(session) = &self.session else { return Err(gone) };
        match self.with(|exchange| (exchange.can_request(), exchange.has_room())) {
            (false, _) => return Err(gone),
            (true, false) => return Err(SendError::Blocked(params)),
            (true, true) => {}
        }
        // The session and the exchange are locked one after the other, never both.
        let (call, message) = session.begin_call(reserved, asking, params)?;
        match self.say(|exchange| exchange.request(message)) {
            Ok(()) => Ok(call),
            Err(_) => {
                // Someone else has filled the queue, or the client has gone, in between.
                session.cancel_call(call);
                Err(gone)
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

impl Cancellable for Line {
    fn cancel(&self) {
        self.cancel.set();
        let _ = self.say(|_| Ok(()));
    }
}
