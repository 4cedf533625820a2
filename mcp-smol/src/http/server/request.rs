//! From a request to the head of its response.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http::request::Parts;
use http::{Request, Response};
use http_body::Body;
use mcp_proto::Time;
use mcp_proto::handle::driver::{Collector, Timer as _};
use mcp_proto::handle::server::http::{Admission, BodyRoom, Exchange};
use mcp_proto::http::server::Refusal;

use super::body::ResponseBody;
use super::service::McpService;
use crate::clock::Timer;

/// The response to one request, on its way.
///
/// # Cancel safety
/// Dropping it means that the client has gone; see [`Exchange`].
#[must_use = "futures do nothing unless they are polled"]
pub struct Respond<B> {
    service: McpService,
    timer: Timer,
    stage: Stage<B>,
}

enum Stage<B> {
    /// The body is being read.
    Reading(Reading<B>),
    /// The exchange has no head yet.
    Waiting(Exchange),
    /// There is nothing to wait for.
    Refused(Refusal),
    /// The response is given.
    Done,
}

struct Reading<B> {
    head: Parts,
    admission: Admission,
    room: BodyRoom,
    /// When the body has to be here.
    due: Time,
    body: B,
    collector: Collector,
}

impl<B: Body> Respond<B>
where
    B::Data: Buf,
{
    pub(super) fn new(service: McpService, request: Request<B>) -> Self {
        let (head, body) = request.into_parts();
        let stage = match service.endpoint().admit(&head) {
            Ok(admission) => match admission.body_limit() {
                Some(limit) if body.size_hint().lower() > limit as u64 => Stage::Refused(Refusal::TooLarge),
                Some(limit) => Stage::Reading(Reading {
                    head,
                    admission,
                    room: service.endpoint().body_room(admission),
                    due: service.clock().now() + service.body_timeout(),
                    body,
                    collector: Collector::new(limit),
                }),
                None => Stage::Waiting(open(&service, admission, &head, Bytes::new())),
            },
            Err(refusal) => Stage::Refused(refusal),
        };
        let timer = Timer::new(service.clock());
        Self { service, timer, stage }
    }
}

impl<B> Future for Respond<B>
where
    B: Body + Unpin,
    B::Data: Buf,
{
    type Output = Result<Response<ResponseBody>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        loop {
            this.stage = match &mut this.stage {
                Stage::Reading(reading) => match reading.poll(cx) {
                    Poll::Ready(Ok(body)) => {
                        Stage::Waiting(open(&this.service, reading.admission, &reading.head, body))
                    }
                    Poll::Ready(Err(refusal)) => Stage::Refused(refusal),
                    Poll::Pending => {
                        ready!(this.timer.poll(cx, Some(reading.due)));
                        Stage::Refused(Refusal::TimedOut)
                    }
                },
                Stage::Waiting(exchange) => {
                    let Poll::Ready(head) = exchange.poll_head(cx, this.service.clock().now()) else {
                        ready!(this.timer.poll(cx, exchange.poll_timeout()));
                        continue;
                    };
                    let Stage::Waiting(exchange) = std::mem::replace(&mut this.stage, Stage::Done) else {
                        return Poll::Pending;
                    };
                    let body = ResponseBody::new(exchange, this.service.clock());
                    return Poll::Ready(Ok(Response::from_parts(head, body)));
                }
                Stage::Refused(refusal) => {
                    let response = refusal.answer(refusal.id()).map(ResponseBody::whole);
                    this.stage = Stage::Done;
                    return Poll::Ready(Ok(response));
                }
                Stage::Done => return Poll::Pending,
            };
        }
    }
}

fn open(service: &McpService, admission: Admission, head: &Parts, body: Bytes) -> Exchange {
    let exchange = service
        .endpoint()
        .open(service.clock().now(), admission, head, body, random);
    service.start_upkeep();
    exchange
}

/// Bytes of the system's secure source.
///
/// # Panics
/// Where the system has none: a server must not hand out ids that can be guessed.
fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the system has a source of randomness");
    bytes
}

impl<B> Reading<B>
where
    B: Body + Unpin,
    B::Data: Buf,
{
    /// Reads the body to its end, within the limit.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, Refusal>> {
        while !self.body.is_end_stream() {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else { continue };
                    let rest = self.body.size_hint().exact();
                    let taken = self.room.take(data.remaining());
                    if let Err(refusal) = taken.and_then(|()| self.collector.push(data, rest)) {
                        return Poll::Ready(Err(refusal));
                    }
                }
                Some(Err(_)) => return Poll::Ready(Err(Refusal::Incomplete)),
                None => break,
            }
        }
        Poll::Ready(Ok(self.collector.finish()))
    }
}

impl<B> std::fmt::Debug for Respond<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Respond").finish_non_exhaustive()
    }
}
