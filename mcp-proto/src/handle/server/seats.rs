//! The handlers of one byte stream that are in progress, polled in place.
//!
//! No set of a crate, nor [`Tasks`](crate::handle::Tasks): a seat is the waker of a handler and its way to the client in
//! one allocation that outlives the request, and what it wakes is the driver of the stream, unless that is at work.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::task::Wake;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, Waker};

use super::stream::Stream;
use super::{Peer, Work};
use crate::jsonrpc::{ErrorObject, Params, RawJson};
use crate::rpc::{CallError, CallId, CallOptions, RequestKey, SendError};
use crate::server::{Question, RequestToken, ResultBody};

/// A slab of handlers. Each has a seat, which is its waker and its way to the client at once, and which the next
/// handler takes over when nobody else holds it any more: a request allocates none.
pub(super) struct Seats {
    rows: Vec<Row>,
    free: Vec<usize>,
    by_key: BTreeMap<RequestKey, usize>,
}

struct Row {
    seat: Arc<Seat>,
    task: Option<Task>,
}

struct Task {
    work: Work,
    token: RequestToken,
}

/// What stays in place while handlers come and go.
struct Seat {
    stream: Arc<Stream>,
    index: usize,
    queued: AtomicBool,
    key: RequestKey,
}

impl Seats {
    pub(super) fn new() -> Self {
        Self {
            rows: Vec::new(),
            free: Vec::new(),
            by_key: BTreeMap::new(),
        }
    }

    /// Seats a handler. It still has to be polled.
    pub(super) fn insert(
        &mut self,
        stream: &Arc<Stream>,
        key: RequestKey,
        token: RequestToken,
        work: impl FnOnce(Arc<dyn Peer>) -> Work,
    ) -> usize {
        let index = self.free.pop().unwrap_or(self.rows.len());
        let fresh = || {
            Arc::new(Seat {
                stream: Arc::clone(stream),
                index,
                queued: AtomicBool::new(false),
                key,
            })
        };
        let seat = match self.rows.get_mut(index).map(|row| &mut row.seat) {
            Some(seat) => {
                // A handler that is gone may have left its context or its waker with others: to them the seat goes on
                // to mean the former request.
                match Arc::get_mut(seat) {
                    Some(seat) => {
                        seat.key = key;
                        *seat.queued.get_mut() = false;
                    }
                    None => *seat = fresh(),
                }
                Arc::clone(seat)
            }
            None => fresh(),
        };
        let task = Some(Task {
            work: work(seat.clone()),
            token,
        });
        match self.rows.get_mut(index) {
            Some(row) => row.task = task,
            None => self.rows.push(Row { seat, task }),
        }
        self.by_key.insert(key, index);
        index
    }

    /// Polls the handler in a seat, if there is one: the token and the outcome when it is done.
    pub(super) fn poll(&mut self, index: usize) -> Option<(RequestToken, Result<ResultBody, ErrorObject>)> {
        let row = self.rows.get_mut(index)?;
        let task = row.task.as_mut()?;
        // Before the poll: a wake that comes while it runs counts for the next one.
        row.seat.queued.store(false, Ordering::Release);
        let waker = Waker::from(Arc::clone(&row.seat));
        let Poll::Ready(outcome) = task.work.as_mut().poll(&mut Context::from_waker(&waker)) else {
            return None;
        };
        // Or the seat would be held by one more, and could not serve again.
        drop(waker);
        let task = self.vacate(index)?;
        Some((task.token, outcome))
    }

    /// Drops the handler of a request, with its token, which nobody wants any more.
    pub(super) fn remove(&mut self, key: RequestKey) -> Option<RequestToken> {
        // By key: seats are used again, and an index may be another's by now.
        let index = *self.by_key.get(&key)?;
        let Task { work, token } = self.vacate(index)?;
        drop(work);
        Some(token)
    }

    /// Drops all handlers.
    pub(super) fn clear(&mut self) {
        self.rows.clear();
        self.free.clear();
        self.by_key.clear();
    }

    fn vacate(&mut self, index: usize) -> Option<Task> {
        let row = self.rows.get_mut(index)?;
        let task = row.task.take()?;
        self.by_key.remove(&row.seat.key);
        self.free.push(index);
        Some(task)
    }
}

impl Wake for Seat {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Once at a time, however often it is woken.
        if !self.queued.swap(true, Ordering::AcqRel) {
            self.stream.is_ready(self.index);
        }
    }
}

impl Peer for Seat {
    fn notify(&self, message: Vec<u8>) -> Result<(), Vec<u8>> {
        self.stream.send(self.key, message)
    }

    fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.stream.poll_room(self.key, cx)
    }

    fn poll_callable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.stream.poll_callable(cx)
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
