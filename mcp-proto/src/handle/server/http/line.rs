//! What an exchange and the handlers it runs share: the exchange, and who waits for it.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::task::{Context, Poll, Waker, ready};

use super::session::{Party, SharedSession};
use crate::handle::server::cancel::Cancel;
use crate::handle::server::counted::Counted;
use crate::handle::server::slot::Slot;
use crate::handle::server::told::Told;
use crate::handle::server::unread::{Queued, Stream};
use crate::handle::server::{Peer, RoomWait};
use crate::handle::sync::{Guard, Mutex, lock};
use crate::handle::wakers::{Waiters, keep};
use crate::http::server::{Blocked, EventId, StreamKey};
use crate::jsonrpc::{Params, RawJson};
use crate::rpc::{CallError, CallId, CallOptions, CloseReason, SendError};
use crate::server::http::{Asker, Exchange, HangUp};
use crate::server::{Question, ServerConfig};

/// An exchange behind its lock, and the [`Peer`] of its one request. Each request of a batch has a line of its own, to
/// the same exchange.
pub(super) struct Line {
    place: Place,
    /// Whether the request is cancelled or over.
    cancel: Cancel,
    slot: Slot,
    /// The session the exchange belongs to. `None` in the modern era.
    pub(super) session: Option<Arc<SharedSession>>,
}

#[expect(
    clippy::large_enum_variant,
    reason = "the large variant is the usual one: a box would be one more allocation for each request"
)]
enum Place {
    Own(Mutex<State>, Option<Asker>),
    /// That of another line.
    Of(Arc<Line>),
}

struct State {
    exchange: Counted,
    /// The task that drives the exchange.
    driver: Option<Waker>,
    /// The task of a connection that goes on with its stream, while another runs the handlers.
    reader: Option<Waker>,
    /// The stream that it is, where its client may resume it.
    stream: Option<StreamKey>,
    /// Those who wait until the client reads.
    room: Waiters,
}

impl Line {
    /// A line whose requests are made by `asker`: `None` for a stream, where no handler runs.
    pub(super) fn new(exchange: Exchange, session: Option<Arc<SharedSession>>, asker: Option<Asker>) -> Self {
        let state = State {
            exchange: Counted::new(exchange),
            driver: None,
            reader: None,
            stream: None,
            room: Waiters::default(),
        };
        Self {
            // Beside the lock: who asks does not change.
            place: Place::Own(Mutex::new(state), asker),
            cancel: Cancel::default(),
            slot: Slot::default(),
            session,
        }
    }

    /// The line of another request of the same exchange.
    pub(super) fn member(line: &Arc<Self>) -> Self {
        Self {
            place: Place::Of(line.clone()),
            cancel: Cancel::default(),
            slot: Slot::default(),
            session: line.session.clone(),
        }
    }

    /// Whatever is done to the exchange, by the task that drives it.
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Exchange) -> T) -> T {
        self.change(&mut self.state(), act)
    }

    /// The same, of which a connection that goes on with the stream is to hear.
    pub(super) fn say(&self, act: impl FnOnce(&mut Exchange)) {
        let mut state = self.state();
        self.change(&mut state, act);
        let told = Told::new([None, state.reader.take()], state.exchange.take_lost());
        drop(state);
        told.tell();
    }

    /// Whatever is done to the exchange: what is to be kept of a stream that can be resumed is.
    fn change<T>(&self, state: &mut State, act: impl FnOnce(&mut Exchange) -> T) -> T {
        state.exchange.act(|exchange| {
            let value = act(exchange);
            let Some(session) = &self.session else { return value };
            while let Some(recorded) = exchange.poll_record() {
                lock(session.replay()).append(recorded);
            }
            value
        })
    }

    /// The client learns of the stream with its head, and from now on may resume it.
    pub(super) fn stream_opened(self: &Arc<Self>, key: StreamKey) {
        let Some(session) = &self.session else { return };
        self.state().stream = Some(key);
        session.act(|session| session.stream_opened(key, self.clone()));
    }

    /// It is over: what more a client may want of its stream is kept.
    pub(super) fn stream_closed(&self) {
        let Some(session) = &self.session else { return };
        let Some(key) = self.state().stream.take() else { return };
        let is_it = |other: &Arc<dyn Party>| core::ptr::addr_eq(Arc::as_ptr(other), self);
        if session.act(|session| session.stream_closed(key, is_it)) {
            lock(session.replay()).leave(key);
        }
    }

    /// Another connection goes on with the stream after this event: as which reader.
    pub(super) fn resume(&self, last: EventId) -> Option<u32> {
        let session = self.session.as_ref()?;
        let mut state = self.state();
        // Under the lock of the exchange: nothing may be said in between.
        let replayed = lock(session.replay()).replay(last)?;
        let reader = self.change(&mut state, |exchange| exchange.resume(&replayed))?;
        // Whoever has read it so far is told of its end.
        let told = state.told();
        drop(state);
        told.tell();
        Some(reader)
    }

    /// From now on what is queued is counted.
    pub(super) fn count(&self, queued: Queued) {
        let mut state = self.state();
        state.exchange.count(queued);
        let lost = state.exchange.take_lost();
        drop(state);
        lost.cut_off();
    }

    /// Whether it was lost, as its client does not read it.
    pub(super) fn is_cut_off(&self) -> bool {
        self.state().exchange.is_cut_off()
    }

    /// Takes something out of the exchange for this reader; where there is nothing, the task of `cx` is woken when there is.
    pub(super) fn poll_exchange<T>(
        &self,
        reader: u32,
        cx: &Context<'_>,
        take: impl FnOnce(&mut Exchange) -> Option<T>,
    ) -> Poll<T> {
        let mut state = self.state();
        let Some(taken) = self.change(&mut state, take) else {
            let waker = if reader == 0 {
                &mut state.driver
            } else {
                &mut state.reader
            };
            let before = keep(waker, cx);
            drop(state);
            drop(before);
            return Poll::Pending;
        };
        // Whatever was taken has made room.
        let room = state.room.take();
        drop(state);
        room.wake();
        Poll::Ready(taken)
    }

    /// The connection of this reader has gone. What becomes of the requests.
    pub(super) fn leave(&self, reader: u32) -> HangUp {
        let mut state = self.state();
        let end = self.change(&mut state, |exchange| exchange.leave(reader));
        if let (Some(session), Some(key)) = (&self.session, state.stream)
            // That of a GET may go on elsewhere: its session knows.
            && !key.is_listener()
            && state.exchange.exchange().reader() == reader
        {
            lock(session.replay()).leave(key);
        }
        let room = state.room.take();
        drop(state);
        room.wake();
        // Requests that run on are still to be answered, if only to nobody.
        if end == HangUp::Cancelled {
            self.over();
        }
        end
    }

    /// Somebody else than the task that drives the exchange does something to it: the task is woken, where that is taken.
    /// Otherwise it is not, or a handler and the task would wake each other until the client reads.
    pub(super) fn act(&self, act: impl FnOnce(&mut Exchange) -> Result<(), Blocked>) -> Result<(), Vec<u8>> {
        self.do_to(act)?.tell();
        Ok(())
    }

    /// The same, and whom to tell.
    fn do_to(&self, act: impl FnOnce(&mut Exchange) -> Result<(), Blocked>) -> Result<Told, Vec<u8>> {
        let mut state = self.state();
        // Left at once where it is blocked, before the driver's waker is taken.
        self.change(&mut state, act).map_err(|blocked| blocked.0)?;
        Ok(state.told())
    }

    fn state(&self) -> Guard<'_, State> {
        match &self.place {
            Place::Own(state, _) => lock(state),
            Place::Of(line) => line.state(),
        }
    }
}

impl State {
    /// Whom to tell of what was done.
    fn told(&mut self) -> Told {
        Told::new([self.driver.take(), self.reader.take()], self.exchange.take_lost())
    }
}

impl Stream for Line {
    fn cut_off(&self) {
        let reader = self.state().exchange.cut_off();
        let _ = self.leave(reader);
        // Its task is woken, and breaks it off.
        let _ = self.act(|_| Ok(()));
    }
}

impl Peer for Line {
    fn slot(&self) -> &Slot {
        &self.slot
    }

    fn asker(&self) -> Option<&Asker> {
        match &self.place {
            Place::Own(_, asker) => asker.as_ref(),
            Place::Of(line) => line.asker(),
        }
    }

    fn notify(&self, message: Vec<u8>) -> Result<(), Vec<u8>> {
        self.act(|exchange| exchange.notify(message))
    }

    fn poll_room(&self, wait: &mut RoomWait, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if state.exchange.exchange().has_room() {
            return Poll::Ready(());
        }
        let before = state.room.wait(&mut wait.room, cx.waker());
        drop(state);
        drop(before);
        Poll::Pending
    }

    fn poll_callable(&self, wait: &mut RoomWait, cx: &mut Context<'_>) -> Poll<()> {
        ready!(self.poll_room(wait, cx));
        let session = self.session.as_ref();
        session.map_or(Poll::Ready(()), |session| session.poll_callable(&mut wait.opening, cx))
    }

    fn leave_room(&self, wait: &mut RoomWait) {
        let left = self.state().room.leave(&mut wait.room);
        drop(left);
        if let Some(session) = &self.session {
            session.leave_callers(&mut wait.opening);
        }
    }

    fn call(&self, reserved: Option<CallId>, question: &Question<'_>, params: Params) -> Result<CallId, SendError> {
        let gone = SendError::Closed(CloseReason::Peer);
        let Some(session) = &self.session else { return Err(gone) };
        match self.with(|exchange| (exchange.can_call(), exchange.has_room())) {
            (false, _) => return Err(gone),
            (true, false) => return Err(SendError::Blocked(params)),
            (true, true) => {}
        }
        // The session and the exchange are locked one after the other, never both. Someone else may fill the queue, or
        // the client go, in between.
        let (call, message) = session.begin_call(reserved, question, params)?;
        self.act(|exchange| exchange.call(message)).map_err(|_| {
            session.cancel_call(call);
            gone
        })?;
        Ok(call)
    }

    fn reserve(&self, options: &CallOptions) -> Result<CallId, SendError> {
        let session = self.session.as_ref().ok_or(SendError::Closed(CloseReason::Peer))?;
        session.reserve_call(options)
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

    fn close_stream(&self) -> bool {
        let mut is_closed = false;
        let _ = self.act(|exchange| {
            is_closed = exchange.close_stream();
            Ok(())
        });
        is_closed
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

impl Party for Line {
    fn cancel(&self) {
        self.over();
        // Nothing is done to the exchange: its task is woken, and looks whether it is cancelled.
        let _ = self.act(|_| Ok(()));
    }

    fn tell(&self, message: Vec<u8>) -> Result<Told, Vec<u8>> {
        self.do_to(|exchange| exchange.carry(message))
    }

    fn end(&self, config: &ServerConfig) {
        let _ = self.act(|exchange| {
            exchange.end(config);
            Ok(())
        });
    }

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}
