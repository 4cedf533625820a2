//! One request and its response.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;
use core::task::{Context, Poll};

use bytes::Bytes;
use http::response::Parts;

use super::endpoint::Inner;
use super::errand::Errand;
use super::lock;
use super::session::HttpSession;
use super::subscriber::Subscriber;
use super::upkeep::Arrival;
use crate::http::server::{Reply, SessionId};
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
    /// The session that it keeps alive.
    entered: Option<SessionId>,
}

pub(super) enum Kind {
    /// Answered already.
    Answered(Box<Reply>),
    /// Handlers run.
    Errand(Errand),
    /// The GET stream of a session.
    Stream(Arc<HttpSession>),
    /// The stream of a subscription.
    Subscription(Arc<Subscriber>),
    /// Dropped.
    Over,
}

impl Exchange {
    pub(super) fn new(inner: &Arc<Inner>, kind: Kind, entered: Option<SessionId>) -> Self {
        Self {
            inner: inner.clone(),
            kind,
            entered,
        }
    }

    /// The head of the response, once.
    ///
    /// # Cancel safety
    /// Nothing is lost when the caller stops polling; it may go on later.
    pub fn poll_head(&mut self, cx: &mut Context<'_>, now: Time) -> Poll<Parts> {
        match &mut self.kind {
            Kind::Answered(reply) => reply.poll_head(now).map_or(Poll::Pending, Poll::Ready),
            Kind::Errand(_) => {
                self.run(cx, now);
                self.poll_line(cx, |reply| reply.poll_head(now))
            }
            Kind::Stream(session) => match session.poll_stream(cx, |reply| reply.poll_head(now)) {
                Poll::Ready(Some(parts)) => Poll::Ready(parts),
                Poll::Ready(None) | Poll::Pending => Poll::Pending,
            },
            Kind::Subscription(subscriber) => subscriber.poll_reply(cx, |reply| reply.poll_head(now)),
            Kind::Over => Poll::Pending,
        }
    }

    /// The next part of the body, after the head; `None` at its end.
    ///
    /// # Cancel safety
    /// Nothing is lost when the caller stops polling; it may go on later.
    pub fn poll_frame(&mut self, cx: &mut Context<'_>, now: Time) -> Poll<Option<Bytes>> {
        match &mut self.kind {
            Kind::Answered(reply) => Poll::Ready(reply.poll_body(now)),
            Kind::Errand(_) => {
                self.run(cx, now);
                self.poll_line(cx, |reply| frame(reply, now))
            }
            Kind::Stream(session) => session.poll_stream(cx, |reply| frame(reply, now)).map(Option::flatten),
            Kind::Subscription(subscriber) => subscriber.poll_reply(cx, |reply| frame(reply, now)),
            Kind::Over => Poll::Ready(None),
        }
    }

    /// All of the body, after the head, where it is there: the exchange is over then.
    ///
    /// `None` where something is still to come.
    pub fn take_body(&mut self, now: Time) -> Option<Bytes> {
        let take = |reply: &mut Reply| {
            if !reply.is_ended() {
                return None;
            }
            let body = reply.poll_body(now).unwrap_or_default();
            reply.is_finished().then_some(body)
        };
        match &mut self.kind {
            Kind::Answered(reply) => take(reply),
            Kind::Errand(errand) if errand.is_done() => errand.line.with_reply(take),
            _ => None,
        }
    }

    /// How many bytes of the body are left, where that is settled: for `Content-Length`, after the head.
    pub fn body_length(&self) -> Option<usize> {
        match &self.kind {
            Kind::Answered(reply) => reply.body_length(),
            Kind::Errand(errand) => errand.line.with_reply(|reply| reply.body_length()),
            Kind::Stream(_) | Kind::Subscription(_) | Kind::Over => None,
        }
    }

    /// When to poll it even if nobody wakes its task.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        match &self.kind {
            Kind::Answered(_) | Kind::Over => None,
            Kind::Errand(errand) => {
                let reply = errand.line.with_reply(|reply| reply.poll_timeout());
                reply.into_iter().chain(errand.poll_timeout()).min()
            }
            Kind::Stream(session) => session.stream_timeout(),
            Kind::Subscription(subscriber) => subscriber.poll_timeout(),
        }
    }

    /// Polls the handlers; the session is left when all are done.
    fn run(&mut self, cx: &mut Context<'_>, now: Time) {
        let Kind::Errand(errand) = &mut self.kind else { return };
        if !errand.is_done() && errand.poll(&*self.inner.server, cx, now).is_pending() {
            return;
        }
        if let Some(id) = self.entered.take() {
            lock(&self.inner.sessions).leave(now, &id);
        }
    }

    fn poll_line<T>(&self, cx: &Context<'_>, take: impl FnOnce(&mut Reply) -> Option<T>) -> Poll<T> {
        match &self.kind {
            Kind::Errand(errand) => errand.line.poll_reply(cx, take),
            _ => Poll::Pending,
        }
    }
}

/// What is ready of a body; `Some(None)` at its end.
fn frame(reply: &mut Reply, now: Time) -> Option<Option<Bytes>> {
    reply.handle_timeout(now);
    match reply.poll_body(now) {
        Some(bytes) => Some(Some(bytes)),
        None => reply.is_finished().then_some(None),
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        match (core::mem::replace(&mut self.kind, Kind::Over), self.entered.take()) {
            (Kind::Errand(errand), entered) => {
                errand.line.hang_up();
                match (entered, errand.line.session()) {
                    (Some(id), _) => self.inner.upkeep.push(Arrival::Orphan(id, errand)),
                    // A session for this exchange alone.
                    (None, Some(session)) if !errand.is_done() => session.end(),
                    (None, _) => {}
                }
            }
            (Kind::Stream(session), entered) => {
                session.unlisten();
                if let Some(id) = entered {
                    self.inner.upkeep.push(Arrival::Unlisten(id));
                }
            }
            (Kind::Subscription(subscriber), _) => self.inner.subscribers.remove(&subscriber),
            (Kind::Answered(_) | Kind::Over, _) => {}
        }
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.kind {
            Kind::Answered(_) => "answered",
            Kind::Errand(_) => "request",
            Kind::Stream(_) => "stream",
            Kind::Subscription(_) => "subscription",
            Kind::Over => "over",
        };
        f.debug_struct("Exchange").field("kind", &kind).finish_non_exhaustive()
    }
}
