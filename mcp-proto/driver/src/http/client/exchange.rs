//! One exchange of an HTTP client on its way: send, receive.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::error::Error;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;

use super::connector::{BoxFuture, HttpSender, Unanswered, describe};
use super::keep_alive::keep_alive;
use super::payload::Payload;
use super::pool::{ConnectionId, Loan, OriginKey};
use mcp_proto::Time;
use mcp_proto::handle::client::HttpPump;
use mcp_proto::http::client::ExchangeId;

/// How many parts of a body are handed on before others get their turn.
const FRAMES: usize = 16;

/// How many bytes of bodies are handed on in one poll of the driver, as long as no part is larger.
const PORTION: usize = 1 << 20;

/// An exchange that waits for a connection.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) id: ExchangeId,
    pub(super) request: Request<Payload>,
    /// Whether a server has refused it before.
    pub(super) was_refused: bool,
}

/// Whom an exchange tells what comes of it.
pub(super) struct Ports {
    pub(super) pump: HttpPump,
    /// Exchanges whose response the pump does not want more of for now.
    pub(super) paused: Vec<ExchangeId>,
    /// How many bytes of bodies were handed on in this poll of the driver.
    pub(super) portion: usize,
}

impl Ports {
    /// Whether the driver has read enough for one poll.
    pub(super) fn are_sated(&self) -> bool {
        self.portion >= PORTION
    }
}

/// One exchange on a connection.
pub(super) struct Exchange<S: HttpSender> {
    pub(super) id: ExchangeId,
    pub(super) origin: OriginKey,
    pub(super) connection: ConnectionId,
    /// Whether the connection was made for it; if not, it may have been closed since.
    pub(super) is_fresh: bool,
    /// Whether a server has refused it before.
    pub(super) was_refused: bool,
    /// How long the server says that the connection may wait for the next one.
    pub(super) keep: Option<Duration>,
    stage: Stage<S::Body>,
}

enum Stage<B> {
    Sending(BoxFuture<Result<Response<B>, Unanswered>>),
    Receiving(B),
}

/// How an exchange is over.
pub(super) enum Outcome {
    /// With the last part of the body, if it is still to be handed on.
    Complete(Option<Bytes>),
    Unanswered(Unanswered),
    /// The response broke off.
    Cut(Box<str>),
}

impl<S: HttpSender> Exchange<S> {
    /// Sends what waited for a connection.
    pub(super) fn open(loan: Loan<'_, S, Waiting>, origin: OriginKey) -> Self {
        let Waiting {
            id,
            mut request,
            was_refused,
        } = loan.waited;
        loan.origin.address(&mut request, loan.version);
        Self {
            id,
            origin,
            connection: loan.connection,
            is_fresh: loan.is_fresh,
            was_refused,
            keep: None,
            stage: Stage::Sending(loan.sender.send(request)),
        }
    }

    /// Goes on as far as it can. Ready when the exchange is over.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, now: Time, ports: &mut Ports) -> Poll<Outcome> {
        // As far as the pump has said so in this poll.
        let mut is_wanted = false;
        loop {
            match &mut self.stage {
                Stage::Sending(response) => match ready!(response.as_mut().poll(cx)) {
                    Ok(response) => {
                        let (head, body) = response.into_parts();
                        self.keep = keep_alive(&head.headers);
                        is_wanted = ports.pump.head(now, self.id, &head);
                        self.stage = Stage::Receiving(body);
                    }
                    Err(unanswered) => return Poll::Ready(Outcome::Unanswered(unanswered)),
                },
                Stage::Receiving(body) => return poll_body(body, is_wanted, cx, now, self.id, ports),
            }
        }
    }
}

/// Hands on what of the body has come, as long as it is wanted. Ready when the body is complete.
fn poll_body<B: Body<Data = Bytes, Error: Error> + Unpin>(
    body: &mut B,
    mut is_wanted: bool,
    cx: &mut Context<'_>,
    now: Time,
    id: ExchangeId,
    ports: &mut Ports,
) -> Poll<Outcome> {
    for _ in 0..FRAMES {
        if body.is_end_stream() {
            return Poll::Ready(Outcome::Complete(None));
        }
        if !is_wanted && !ports.pump.wants_body(id) {
            // Not read, and so not taken from the server: nothing is queued between the two.
            ports.paused.push(id);
            return Poll::Pending;
        }
        match ready!(Pin::new(&mut *body).poll_frame(cx)) {
            Some(Ok(frame)) => {
                if let Ok(chunk) = frame.into_data() {
                    ports.portion = ports.portion.saturating_add(chunk.len());
                    // With the last part: the connection is free before that is handed on, for what follows from it.
                    if body.is_end_stream() {
                        return Poll::Ready(Outcome::Complete(Some(chunk)));
                    }
                    is_wanted = ports.pump.body(now, id, &chunk);
                }
                // A part may be large, and its messages are read on this thread.
                if ports.are_sated() {
                    break;
                }
            }
            Some(Err(error)) => return Poll::Ready(Outcome::Cut(describe(&error))),
            None => return Poll::Ready(Outcome::Complete(None)),
        }
    }
    // There may be more, and others have their turn first.
    cx.waker().wake_by_ref();
    Poll::Pending
}
