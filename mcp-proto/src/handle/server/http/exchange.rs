//! One request and its response.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;
use core::task::{Context, Poll};

use bytes::Bytes;
use http::response::Parts;

use super::cancel::lock;
use super::endpoint::Inner;
use super::errand::Errand;
use super::session::SharedSession;
use super::subscriber::SharedSubscriber;
use super::upkeep::Arrival;
use crate::http::server::{SubscriptionKey, Visit};
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
    /// What keeps its session alive.
    visit: Option<Visit>,
}

pub(super) enum Kind {
    /// Answered already.
    Answered(Box<Machine>),
    /// Handlers run.
    Errand(Errand),
    /// The GET stream of a session.
    Stream(Arc<SharedSession>),
    /// The stream of a subscription.
    Subscription(SubscriptionKey, Arc<SharedSubscriber>),
    /// Dropped.
    Over,
}

impl Exchange {
    pub(super) fn new(inner: &Arc<Inner>, kind: Kind, visit: Option<Visit>) -> Self {
        Self {
            inner: inner.clone(),
            kind,
            visit,
        }
    }

    /// The head of the response, once.
    ///
    /// # Cancel safety
    /// Nothing is lost when the caller stops polling; it may go on later.
    pub fn poll_head(&mut self, cx: &mut Context<'_>, now: Time) -> Poll<Parts> {
        self.poll(cx, now, |exchange| exchange.poll_head(now))
    }

    /// The next part of the body, after the head; `None` at its end.
    ///
    /// # Cancel safety
    /// Nothing is lost when the caller stops polling; it may go on later.
    pub fn poll_frame(&mut self, cx: &mut Context<'_>, now: Time) -> Poll<Option<Bytes>> {
        self.poll(cx, now, |exchange| exchange.poll_frame(now))
            .map(Frame::into_data)
    }

    fn poll<T>(&mut self, cx: &mut Context<'_>, now: Time, take: impl FnOnce(&mut Machine) -> Option<T>) -> Poll<T> {
        self.run(cx, now);
        match &mut self.kind {
            Kind::Answered(exchange) => take(exchange).map_or(Poll::Pending, Poll::Ready),
            Kind::Errand(errand) => errand.line.poll_exchange(cx, take),
            Kind::Stream(session) => session.poll_stream(cx, take),
            Kind::Subscription(_, subscriber) => subscriber.poll_stream(cx, take),
            Kind::Over => Poll::Pending,
        }
    }

    /// All of the body, after the head, where it is there: the exchange is over then.
    ///
    /// `None` where something is still to come.
    pub fn take_body(&mut self, now: Time) -> Option<Bytes> {
        match &mut self.kind {
            Kind::Answered(exchange) => exchange.take_body(now),
            Kind::Errand(errand) if errand.is_done() => errand.line.with(|exchange| exchange.take_body(now)),
            _ => None,
        }
    }

    /// How many bytes of the body are left, where that is settled: for `Content-Length`, after the head.
    pub fn body_length(&self) -> Option<usize> {
        match &self.kind {
            Kind::Answered(exchange) => exchange.body_length(),
            Kind::Errand(errand) => errand.line.with(|exchange| exchange.body_length()),
            Kind::Stream(_) | Kind::Subscription(..) | Kind::Over => None,
        }
    }

    /// When to poll it even if nobody wakes its task.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        match &self.kind {
            Kind::Answered(_) | Kind::Over => None,
            Kind::Errand(errand) => {
                let silence = errand.line.with(|exchange| exchange.poll_timeout());
                silence.into_iter().chain(errand.poll_timeout()).min()
            }
            Kind::Stream(session) => session.stream_timeout(),
            Kind::Subscription(_, subscriber) => subscriber.poll_timeout(),
        }
    }

    /// Polls the handlers; the session is left when all are done.
    fn run(&mut self, cx: &mut Context<'_>, now: Time) {
        let Kind::Errand(errand) = &mut self.kind else { return };
        if !errand.is_done() && errand.poll(&*self.inner.server, cx, now).is_pending() {
            return;
        }
        if let Some(visit) = self.visit.take() {
            lock(&self.inner.sessions).leave(now, visit);
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let visit = self.visit.take();
        match core::mem::replace(&mut self.kind, Kind::Over) {
            Kind::Errand(errand) => match (errand.line.hang_up(), visit) {
                (HangUp::RunOn, Some(visit)) => return self.inner.upkeep.push(Arrival::Orphan(visit, errand)),
                // A session for this exchange alone goes with it.
                (HangUp::Cancelled, _) => errand
                    .line
                    .session()
                    .into_iter()
                    .for_each(|session| session.act(HttpSession::end)),
                (_, visit) => self.inner.leave_later(visit),
            },
            Kind::Stream(session) => {
                session.unlisten();
                self.inner.leave_later(visit);
            }
            Kind::Subscription(key, _) => drop(lock(&self.inner.subscriptions).remove(key)),
            Kind::Answered(_) | Kind::Over => {}
        }
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.kind {
            Kind::Answered(_) => "answered",
            Kind::Errand(_) => "request",
            Kind::Stream(_) => "stream",
            Kind::Subscription(..) => "subscription",
            Kind::Over => "over",
        };
        f.debug_struct("Exchange").field("kind", &kind).finish_non_exhaustive()
    }
}
