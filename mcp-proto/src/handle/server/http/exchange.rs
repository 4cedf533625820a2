//! One request and its response.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;
use core::task::{Context, Poll};

use bytes::Bytes;
use http::response::Parts;

use super::errand::Errand;
use super::inner::Inner;
use super::line::Line;
use super::orphans::Arrival;
use crate::handle::server::desk::Desk;
use crate::handle::server::unread::Queued;
use crate::handle::sync::lock;
use crate::http::server::{Holder, SubscriptionKey, Visit};
use crate::server::http::{Exchange as Machine, Frame, HangUp, HttpSession};
use crate::time::Time;

/// One request and its response, with the handler in between: polling the exchange polls the handler.
///
/// # On drop
/// The client has gone. In the modern era that cancels the request: its handler is dropped (2026-07-28, Streamable
/// HTTP, Cancellation). In the legacy era it does not (2025-11-25, Transports, Sending Messages, 6): the handler
/// runs on in the [`Upkeep`](super::Upkeep) of its endpoint. Where the endpoint keeps no sessions it is dropped, since
/// nobody could ever learn what it does.
#[must_use = "an exchange does nothing unless it is polled"]
pub struct Exchange {
    inner: Arc<Inner>,
    kind: Kind,
}

pub(super) enum Kind {
    /// Answered already.
    Answered(Box<Machine>),
    /// Handlers run, and keep a session alive.
    Errand(Errand, Option<Visit>),
    /// A GET stream of a session, which it keeps alive.
    Stream(Errand, Visit),
    /// Goes on with the stream of a request, as this reader, and keeps its session alive.
    Resumed(Arc<Line>, u32, Visit),
    /// The stream of a subscription.
    Subscription(Errand, SubscriptionKey),
    /// Dropped.
    Over,
}

impl Exchange {
    pub(super) fn new(inner: &Arc<Inner>, kind: Kind) -> Self {
        let inner = inner.clone();
        Self { inner, kind }
    }

    /// The head of the response, once.
    ///
    /// # Cancel safety
    /// Nothing is lost when the caller stops polling; it may go on later.
    pub fn poll_head(&mut self, cx: &mut Context<'_>, now: Time) -> Poll<Parts> {
        let (reader, mut key) = (self.reader(), None);
        let head = self.poll(cx, now, |exchange| match exchange.reader() == reader {
            true => exchange.poll_head(now).inspect(|_| key = exchange.stream_key()),
            false => None,
        });
        // Whoever resumes it has learnt of it before.
        if let (0, Some(key), Some(line)) = (reader, key, self.line()) {
            line.stream_opened(key);
        }
        head
    }

    /// The next part of the body, after the head; `None` at its end.
    ///
    /// # Cancel safety
    /// Nothing is lost when the caller stops polling; it may go on later.
    pub fn poll_frame(&mut self, cx: &mut Context<'_>, now: Time) -> Poll<Option<Bytes>> {
        let reader = self.reader();
        // Where another connection goes on with the stream, this one is over.
        self.poll(cx, now, |exchange| match exchange.reader() == reader {
            true => exchange.poll_frame(now),
            false => Some(Frame::End),
        })
        .map(Frame::into_data)
    }

    /// Who reads it: from now on what is queued on its stream counts as what this holder has not taken, within
    /// [`Limits::unread_bytes`](crate::Limits::unread_bytes) with all others of the endpoint.
    pub fn read_by(&self, holder: &Holder) {
        if let Some(line) = self.line() {
            let stream = Arc::downgrade(line);
            line.count(Queued::new(&self.inner.unread, holder.clone(), stream));
        }
    }

    /// Whether its stream was lost, as its client does not read it: it is to be [broken off](super::CutOff). To be asked
    /// after each [`poll_frame`](Self::poll_frame), whose task is woken then. What becomes of its request is the same as when
    /// the client [goes](Self#on-drop).
    pub fn is_cut_off(&self) -> bool {
        self.line().is_some_and(|line| line.is_cut_off())
    }

    pub(super) fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        now: Time,
        take: impl FnOnce(&mut Machine) -> Option<T>,
    ) -> Poll<T> {
        let reader = self.reader();
        match &mut self.kind {
            Kind::Answered(exchange) => return take(exchange).map_or(Poll::Pending, Poll::Ready),
            Kind::Errand(errand, visit) => {
                // Handlers before the take: an answer that is ready at once goes out with the head.
                let is_done = errand.is_done()
                    || errand
                        .poll(Desk::new(&*self.inner.server, &self.inner.origin, now), cx)
                        .is_ready();
                // With the last answer, and not when it is read: a slow reader keeps no session alive.
                if let Some(visit) = visit.take_if(|_| is_done) {
                    lock(&self.inner.sessions).leave(now, visit);
                }
            }
            Kind::Stream(..) | Kind::Resumed(..) | Kind::Subscription(..) | Kind::Over => {}
        }
        self.line()
            .map_or(Poll::Pending, |line| line.poll_exchange(reader, cx, take))
    }

    /// All of the body, after the head, where it is there: the exchange is over then.
    ///
    /// `None` where something is still to come.
    pub fn take_body(&mut self, now: Time) -> Option<Bytes> {
        match &mut self.kind {
            Kind::Answered(exchange) => exchange.take_body(now),
            Kind::Errand(errand, _) if errand.is_done() => errand.line.with(|exchange| exchange.take_body(now)),
            _ => None,
        }
    }

    /// How many bytes of the body are left, where that is settled: for `Content-Length`, after the head.
    pub fn body_length(&self) -> Option<usize> {
        match &self.kind {
            Kind::Answered(exchange) => exchange.body_length(),
            Kind::Errand(errand, _) => errand.line.with(|exchange| exchange.body_length()),
            Kind::Stream(..) | Kind::Resumed(..) | Kind::Subscription(..) | Kind::Over => None,
        }
    }

    /// When to poll it even if nobody wakes its task.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        let silence = self.line()?.with(|exchange| exchange.poll_timeout());
        let calls = match &self.kind {
            Kind::Errand(errand, _) => errand.poll_timeout(),
            _ => None,
        };
        silence.into_iter().chain(calls).min()
    }

    pub(super) fn line(&self) -> Option<&Arc<Line>> {
        match &self.kind {
            Kind::Errand(errand, _) | Kind::Stream(errand, _) | Kind::Subscription(errand, _) => Some(&errand.line),
            Kind::Resumed(line, ..) => Some(line),
            Kind::Answered(_) | Kind::Over => None,
        }
    }

    /// As which reader it takes from the exchange.
    fn reader(&self) -> u32 {
        match &self.kind {
            Kind::Resumed(_, reader, _) => *reader,
            _ => 0,
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let end = self.line().map(|line| line.leave(self.reader()));
        match core::mem::replace(&mut self.kind, Kind::Over) {
            Kind::Errand(errand, Some(visit)) => self.inner.upkeep.push(match end {
                Some(HangUp::RunOn) => Arrival::Orphan(visit, errand),
                _ => Arrival::Leave(visit),
            }),
            // A session for this exchange alone goes with it.
            Kind::Errand(errand, None) if end == Some(HangUp::Cancelled) => {
                (errand.line.session.iter()).for_each(|session| session.act(HttpSession::end));
            }
            Kind::Stream(errand, visit) => {
                // Before the visit is left: the session may end then, and would end a stream that nobody reads.
                (errand.line.session.iter()).for_each(|session| session.unlisten(&errand.line));
                self.inner.upkeep.push(Arrival::Leave(visit));
            }
            Kind::Resumed(_, _, visit) => self.inner.upkeep.push(Arrival::Leave(visit)),
            Kind::Subscription(_, key) => drop(lock(&self.inner.subscriptions).remove(key)),
            Kind::Errand(..) | Kind::Answered(_) | Kind::Over => {}
        }
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").finish_non_exhaustive()
    }
}
