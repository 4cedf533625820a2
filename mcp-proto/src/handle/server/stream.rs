//! What the handlers of one byte stream and its driver share: the connection, and who waits for what.

#[cfg(feature = "http")]
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::task::{Context, Poll, Waker};
#[cfg(feature = "http")]
use std::sync::OnceLock;

use bytes::Bytes;

use super::answers::Answers;
use super::outflow::{Lost, Outflow};
#[cfg(feature = "http")]
use super::unread;
use super::{Application, Audience, RoomWait};
use crate::handle::sync::{Guard, Mutex, lock};
use crate::handle::tasks::Queue;
use crate::handle::wakers::{Wait, Waiters, Wakers};
use crate::jsonrpc::{ErrorObject, Params, RawJson};
use crate::rpc::{CallError, CallId, CallOptions, CloseReason, RequestKey, SendError};
#[cfg(feature = "http")]
use crate::server::http::Asker;
use crate::server::{Announcement, Announcements, Question, RequestToken, ResultBody, ServerEvent, StreamServer};
use crate::time::Time;

/// A connection and who waits for it. Its locks are held for a few steps of the machine and never across a poll of
/// a handler; wakers are woken outside of them.
pub(super) struct Stream {
    state: Mutex<State>,
    /// Its driver, and the handlers that want to be polled.
    queue: Arc<Queue>,
    /// Who is at the other end, where that is known.
    #[cfg(feature = "http")]
    asker: OnceLock<Box<Asker>>,
}

struct State {
    connection: StreamServer,
    /// Handlers that wait for room in the outbox.
    room: Waiters,
    /// Handlers that wait for the handshake.
    opening: Waiters,
    /// Who waits for the end of a request.
    ends: BTreeMap<RequestKey, Waker>,
    /// Our calls, and what has come of them.
    answers: Answers,
    /// What the outbox had no room for, each thing once.
    announcements: Announcements,
    outflow: Outflow,
    /// Nothing will be sent or received any more.
    gone: Option<CloseReason>,
}

impl Stream {
    /// A connection of `application` whose driver polls `queue`.
    pub(super) fn new(connection: StreamServer, queue: &Arc<Queue>, application: &dyn Application) -> Arc<Self> {
        Arc::new_cyclic(|stream| Self::over(connection, queue, Outflow::new(application, stream)))
    }

    fn over(connection: StreamServer, queue: &Arc<Queue>, outflow: Outflow) -> Self {
        Self {
            state: Mutex::new(State {
                connection,
                room: Waiters::default(),
                opening: Waiters::default(),
                ends: BTreeMap::new(),
                answers: Answers::default(),
                announcements: Announcements::default(),
                outflow,
                gone: None,
            }),
            queue: Arc::clone(queue),
            #[cfg(feature = "http")]
            asker: OnceLock::new(),
        }
    }

    /// Says who is at the other end, once.
    #[cfg(feature = "http")]
    pub(super) fn set_asker(&self, asker: Asker) {
        self.lock().outflow.is_for(&asker);
        let _ = self.asker.set(Box::new(asker));
    }

    /// Who is at the other end, where that is known.
    #[cfg(feature = "http")]
    pub(super) fn asker(&self) -> Option<&Asker> {
        self.asker.get().map(|asker| &**asker)
    }

    /// Whole lines become this on their way out.
    #[cfg(feature = "http")]
    pub(super) fn set_framing(&self, framing: fn(Bytes) -> Bytes) {
        self.lock().outflow.set_framing(framing);
    }

    /// Looks at the connection, or tells it something on behalf of the driver.
    pub(super) fn connection<T>(&self, act: impl FnOnce(&mut StreamServer) -> T) -> T {
        self.change(|state| act(&mut state.connection))
    }

    /// Does what may have something queued. Whose output is lost for it is cut off, under no lock.
    fn change<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let value = act(&mut state);
        let lost = state.count();
        drop(state);
        cut_off(lost);
        value
    }

    /// Tells the connection something on behalf of anyone else: the driver is woken.
    pub(super) fn tell<T>(&self, act: impl FnOnce(&mut StreamServer) -> T) -> T {
        let value = self.connection(act);
        self.wake_driver();
        value
    }

    /// Why the end has begun, where it has.
    pub(super) fn close_reason(&self) -> Option<CloseReason> {
        let state = self.lock();
        state.connection.close_reason().or_else(|| state.gone.clone())
    }

    pub(super) fn next_event(&self) -> Option<ServerEvent> {
        self.lock().connection.poll_event()
    }

    pub(super) fn poll_wants_input(&self, cx: &Context<'_>) -> Poll<bool> {
        let state = self.lock();
        let (wanted, closing) = (state.connection.wants_input(), state.connection.is_closing());
        if wanted || closing {
            return Poll::Ready(wanted);
        }
        self.rest_driver(state, cx)
    }

    pub(super) fn poll_transmit(&self, cx: &Context<'_>, now: Time) -> Poll<Option<Bytes>> {
        let mut state = self.lock();
        if let Some(piece) = state.outflow.next_piece() {
            return Poll::Ready(Some(piece));
        }
        let Some(lines) = state.connection.poll_transmit(now) else {
            let is_finished = state.connection.is_finished();
            let reason = state.connection.close_reason();
            state.outflow.forget();
            if is_finished {
                drop(state);
                // Before the driver goes: whoever still waits would wait for ever.
                self.end(reason.unwrap_or(CloseReason::Local));
                return Poll::Ready(None);
            }
            return self.rest_driver(state, cx);
        };
        let piece = state.outflow.begin(lines);
        let mut woken = Wakers::default();
        // Only then: who is woken without room would try in vain, once for each write.
        if state.connection.has_room() {
            state.repeat_announcements();
            woken = state.room.take();
        }
        let lost = state.count();
        drop(state);
        woken.wake();
        cut_off(lost);
        Poll::Ready(Some(piece))
    }

    /// Answers a request.
    pub(super) fn respond(&self, token: RequestToken, outcome: Result<ResultBody, ErrorObject>) {
        let mut state = self.lock();
        // Woken once it is over: they look whether it is.
        let ended = token.key().and_then(|key| state.ends.remove(&key));
        state.connection.respond(token, outcome);
        let lost = state.count();
        drop(state);
        cut_off(lost);
        if let Some(ended) = ended {
            ended.wake();
        }
    }

    /// A request was cancelled: whoever waits for that is told.
    pub(super) fn cancelled(&self, key: RequestKey) {
        let ended = self.lock().ends.remove(&key);
        if let Some(ended) = ended {
            ended.wake();
        }
    }

    /// A call of ours is settled.
    pub(super) fn answered(&self, call: CallId, outcome: Result<RawJson, CallError>) {
        let mut state = self.lock();
        let waker = state.answers.settle(call, outcome);
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The handshake is complete.
    pub(super) fn opened(&self) {
        let waiting = self.lock().opening.take();
        waiting.wake();
    }

    /// Nothing will be sent or received any more: everyone who waits is told.
    pub(super) fn end(&self, reason: CloseReason) {
        let mut state = self.lock();
        // The first reason counts: a driver that is dropped after the end has not caused it.
        let reason = state.gone.get_or_insert(reason).clone();
        let mut woken = state.room.take();
        woken.append(state.opening.take());
        for (_, ended) in core::mem::take(&mut state.ends) {
            woken.push(ended);
        }
        for call in state.answers.calls() {
            let waker = state.answers.settle(call, Err(CallError::Closed(reason.clone())));
            waker.into_iter().for_each(|waker| woken.push(waker));
        }
        drop(state);
        woken.wake();
    }

    /// Sends a notification of a request, or hands it back where there is no room.
    pub(super) fn send(&self, key: RequestKey, message: Vec<u8>) -> Result<(), Vec<u8>> {
        // Counted when the driver has its turn: it is little, and often.
        let sent = self.lock().connection.send_for_request(key, message);
        self.wake_driver();
        sent
    }

    pub(super) fn poll_room(&self, key: RequestKey, wait: &mut Wait, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.is_over(key) || state.connection.has_room() {
            return Poll::Ready(());
        }
        let before = state.room.wait(wait, cx.waker());
        drop(state);
        drop(before);
        Poll::Pending
    }

    pub(super) fn poll_callable(&self, wait: &mut RoomWait, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        let connection = &state.connection;
        let may_call = connection.has_room() && connection.may_call();
        if may_call || connection.is_closing() || state.gone.is_some() {
            return Poll::Ready(());
        }
        // Either may lack. Whichever comes, the caller tries again, and waits again for the other.
        let before = [
            state.room.wait(&mut wait.room, cx.waker()),
            state.opening.wait(&mut wait.opening, cx.waker()),
        ];
        drop(state);
        drop(before);
        Poll::Pending
    }

    pub(super) fn leave_room(&self, wait: &mut RoomWait) {
        let mut state = self.lock();
        let left = [state.room.leave(&mut wait.room), state.opening.leave(&mut wait.opening)];
        drop(state);
        drop(left);
    }

    pub(super) fn reserve(&self, options: &CallOptions) -> Result<CallId, SendError> {
        let mut state = self.lock();
        // The machine does not know that its driver was dropped.
        if let Some(reason) = &state.gone {
            return Err(SendError::Closed(reason.clone()));
        }
        let call = state.connection.reserve(options)?;
        state.answers.expect(call);
        drop(state);
        // It looks at the deadlines.
        self.wake_driver();
        Ok(call)
    }

    pub(super) fn call(
        &self,
        reserved: Option<CallId>,
        question: &Question<'_>,
        params: Params,
    ) -> Result<CallId, SendError> {
        let mut state = self.lock();
        if let Some(reason) = &state.gone {
            return Err(SendError::Closed(reason.clone()));
        }
        let call = state
            .connection
            .call_as(reserved, question.method, params, question.options)?;
        // One that was reserved is expected since then, and forgotten where its time is over.
        if reserved.is_none() {
            state.answers.expect(call);
        }
        let lost = state.count();
        drop(state);
        cut_off(lost);
        self.wake_driver();
        Ok(call)
    }

    pub(super) fn poll_answer(&self, call: CallId, cx: &Context<'_>) -> Poll<Result<RawJson, CallError>> {
        let mut before = None;
        let answer = self.lock().answers.poll(call, cx, &mut before);
        answer.map(|outcome| outcome.unwrap_or(Err(CallError::Cancelled)))
    }

    pub(super) fn abandon(&self, call: CallId) {
        let mut state = self.lock();
        // The answer may come all the same, and nobody would take it.
        let waker = state.answers.forget(call);
        state.connection.cancel(call, None);
        drop(state);
        drop(waker);
        self.wake_driver();
    }

    /// Whether nothing that belongs to this request is sent any more.
    pub(super) fn is_over(&self, key: RequestKey) -> bool {
        self.lock().is_over(key)
    }

    pub(super) fn poll_over(&self, key: RequestKey, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.is_over(key) {
            return Poll::Ready(());
        }
        let before = state.ends.insert(key, cx.waker().clone());
        drop(state);
        drop(before);
        Poll::Pending
    }

    /// Whether its client does not read, and was given up.
    pub(super) fn is_cut_off(&self) -> bool {
        self.lock().outflow.is_cut_off()
    }

    /// There is nothing to do for the driver, as seen in `state`.
    fn rest_driver<T>(&self, state: Guard<'_, State>, cx: &Context<'_>) -> Poll<T> {
        // Before the state is unlocked: whoever changes it afterwards finds the waker. These are the only two locks that
        // are held together, that of the state first.
        let before = self.queue.keep(cx);
        drop(state);
        drop(before);
        Poll::Pending
    }

    fn wake_driver(&self) {
        self.queue.wake();
    }

    /// A panic elsewhere cannot leave the state half changed in a way that matters more than a lost connection.
    fn lock(&self) -> Guard<'_, State> {
        lock(&self.state)
    }
}

/// Cuts off what was lost. To be called under no lock.
fn cut_off(lost: Option<Lost>) {
    if let Some(lost) = lost {
        lost.cut_off();
    }
}

impl State {
    /// Counts what is queued. What was lost for it is to be cut off under no lock.
    fn count(&mut self) -> Option<Lost> {
        self.outflow.count(self.connection.queued_bytes())
    }

    fn is_over(&self, key: RequestKey) -> bool {
        self.gone.is_some() || !self.connection.wants_answer(key)
    }

    fn announce(&mut self, announcement: &Announcement) {
        let Announcement { method, params } = announcement.clone();
        // Every other failure: it is not for this client, whose revision does not have it, or who is leaving.
        if let Err(SendError::Blocked(_)) = self.connection.notify(method, params) {
            let limits = self.connection.config().limits();
            self.announcements.push(limits, announcement.clone());
        }
    }

    fn repeat_announcements(&mut self) {
        for announcement in self.announcements.take() {
            self.announce(&announcement);
        }
    }
}

#[cfg(feature = "http")]
impl unread::Stream for Stream {
    fn cut_off(&self) {
        let mut state = self.lock();
        state.connection.cut_off();
        state.outflow.cut_off();
        drop(state);
        self.end(CloseReason::Unread);
        self.wake_driver();
    }
}

impl Audience for Stream {
    fn announce(&self, announcement: &Announcement) {
        self.change(|state| state.announce(announcement));
        self.wake_driver();
    }
}
