//! The handlers of one byte stream that are in progress, polled in place.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::task::{Context, Poll};

use super::desk::Desk;
use super::running::Running;
use super::slot::Slot;
use super::stream::Stream;
use super::{Peer, RoomWait};
use crate::handle::contained::Contained;
use crate::handle::tasks::Queue;
use crate::handle::{AtWork, Tasks};
use crate::jsonrpc::{ErrorObject, Params, RawJson};
use crate::rpc::{CallError, CallId, CallOptions, RequestKey, SendError};
#[cfg(feature = "http")]
use crate::server::http::Asker;
use crate::server::{Question, RequestToken, ResultBody};

/// The handlers. Each has a seat, its way to the client, which the next one takes over when nobody else holds it any
/// more: a request allocates none.
pub(super) struct Seats {
    handlers: Tasks<Handling>,
    by_key: BTreeMap<RequestKey, usize>,
    /// The seats of those who have gone: no more than there were handlers at one time.
    vacant: Vec<Arc<Seat>>,
}

struct Handling {
    work: Running,
    token: RequestToken,
    seat: Arc<Seat>,
}

struct Seat {
    stream: Arc<Stream>,
    key: RequestKey,
    slot: Slot,
}

/// What has come of a request.
pub(super) type Answer = (RequestToken, Result<ResultBody, ErrorObject>);

impl Seats {
    pub(super) fn new() -> Self {
        Self {
            handlers: Tasks::new(),
            by_key: BTreeMap::new(),
            vacant: Vec::new(),
        }
    }

    /// What wakes the driver.
    pub(super) fn queue(&self) -> &Arc<Queue> {
        self.handlers.queue()
    }

    /// The driver starts to work: until it rests, nobody has to wake it.
    pub(super) fn start_work<'a>(&self, cx: &Context<'a>) -> AtWork<'a> {
        self.handlers.start_work(cx)
    }

    /// The driver rests, where no handler wants to be polled.
    pub(super) fn rest(&self, work: &mut AtWork<'_>) -> bool {
        self.handlers.rest(work)
    }

    /// Seats a handler, and polls it: what it answers at once.
    pub(super) fn insert(
        &mut self,
        stream: &Arc<Stream>,
        key: RequestKey,
        token: RequestToken,
        desk: Desk<'_>,
        work: impl FnOnce(Arc<dyn Peer>) -> Contained<ResultBody>,
    ) -> Option<Answer> {
        let seat = self.seat(stream, key);
        let work = Running::new(work(Arc::clone(&seat) as Arc<dyn Peer>));
        // It is polled right here: in the queue it would be polled once more for nothing.
        let index = self.handlers.insert_unqueued(Handling { work, token, seat });
        self.by_key.insert(key, index);
        let outcome = self.handlers.poll(index, |handling, cx| handling.poll(cx, desk))?;
        self.answer(index, outcome)
    }

    /// Polls the handler that has waited longest, if one wants to be polled: what it answers, where it is done.
    pub(super) fn poll_next(&mut self, desk: Desk<'_>) -> Option<Option<Answer>> {
        let (index, outcome) = self.handlers.poll_next(|handling, cx| handling.poll(cx, desk))?;
        Some(self.answer(index, outcome))
    }

    /// Drops the handler of a request, with its token, which nobody wants any more.
    pub(super) fn remove(&mut self, key: RequestKey) -> Option<RequestToken> {
        // By key: seats are used again, and an index may be another's by now.
        let index = *self.by_key.get(&key)?;
        self.vacate(index)
    }

    /// Drops all handlers.
    pub(super) fn clear(&mut self) {
        for index in core::mem::take(&mut self.by_key).into_values() {
            self.handlers.remove(index);
        }
        // Each of them keeps the stream.
        self.vacant.clear();
    }

    fn seat(&mut self, stream: &Arc<Stream>, key: RequestKey) -> Arc<Seat> {
        // Not where a handler has left it to somebody: it stays whose it was.
        if let Some(mut seat) = self.vacant.pop()
            && let Some(free) = Arc::get_mut(&mut seat)
        {
            free.key = key;
            free.slot = Slot::default();
            return seat;
        }
        let stream = Arc::clone(stream);
        Arc::new(Seat {
            stream,
            key,
            slot: Slot::default(),
        })
    }

    fn answer(&mut self, index: usize, outcome: Poll<Result<ResultBody, ErrorObject>>) -> Option<Answer> {
        let Poll::Ready(outcome) = outcome else { return None };
        Some((self.vacate(index)?, outcome))
    }

    fn vacate(&mut self, index: usize) -> Option<RequestToken> {
        let Handling { work, token, seat } = self.handlers.remove(index)?;
        // Whose seat it is, unless it has handed it on.
        drop(work);
        self.by_key.remove(&seat.key);
        self.vacant.push(seat);
        Some(token)
    }
}

impl Handling {
    fn poll(&mut self, cx: &mut Context<'_>, desk: Desk<'_>) -> Poll<Result<ResultBody, ErrorObject>> {
        self.work.poll(cx, desk, &self.seat.slot)
    }
}

impl Peer for Seat {
    fn connection(&self) -> Option<usize> {
        Some(Arc::as_ptr(&self.stream).addr())
    }

    fn slot(&self) -> &Slot {
        &self.slot
    }

    #[cfg(feature = "http")]
    fn asker(&self) -> Option<&Asker> {
        self.stream.asker()
    }

    fn notify(&self, message: Vec<u8>) -> Result<(), Vec<u8>> {
        self.stream.send(self.key, message)
    }

    fn poll_room(&self, wait: &mut RoomWait, cx: &mut Context<'_>) -> Poll<()> {
        self.stream.poll_room(self.key, &mut wait.room, cx)
    }

    fn poll_callable(&self, wait: &mut RoomWait, cx: &mut Context<'_>) -> Poll<()> {
        self.stream.poll_callable(wait, cx)
    }

    fn leave_room(&self, wait: &mut RoomWait) {
        self.stream.leave_room(wait);
    }

    fn call(&self, reserved: Option<CallId>, question: &Question<'_>, params: Params) -> Result<CallId, SendError> {
        self.stream.call(reserved, question, params)
    }

    fn reserve(&self, options: &CallOptions) -> Result<CallId, SendError> {
        self.stream.reserve(options)
    }

    fn poll_answer(&self, call: CallId, cx: &mut Context<'_>) -> Poll<Result<RawJson, CallError>> {
        self.stream.poll_answer(call, cx)
    }

    fn abandon(&self, call: CallId) {
        self.stream.abandon(call);
    }

    fn is_cancelled(&self) -> bool {
        self.stream.is_over(self.key)
    }

    fn poll_cancelled(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.stream.poll_over(self.key, cx)
    }
}
