//! From a request to the head of its response.

use core::convert::Infallible;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http::request::Parts;
use http::{Request, Response};
use http_body::Body;

use super::body::ResponseBody;
use super::collector::Collector;
use super::runtime::ServerRuntime;
use super::service::HttpService;
use crate::{Clock, ClockTimer};
use mcp_proto::Time;
use mcp_proto::handle::Timer;
use mcp_proto::handle::server::http::{Admission, Exchange, ReadingRoom};
use mcp_proto::handle::server::sse::SseStream;
use mcp_proto::http::server::{Refusal, SessionId, SseRoute};
use mcp_proto::server::http::Asker;

/// Bodies from this size on are large: what comes of one is not done in the poll that has read it.
const LARGE: usize = 64 << 10;

/// The response to one request, on its way: `B` is the body of the request, `R` the runtime.
///
/// # Cancel safety
/// Dropping it means that the client has gone; see [`Exchange`].
#[must_use = "futures do nothing unless they are polled"]
pub struct Respond<B, R: ServerRuntime> {
    service: HttpService<R>,
    /// Goes on into the body of the response.
    timer: Option<ClockTimer<R::Clock>>,
    stage: Stage<B>,
}

#[expect(
    clippy::large_enum_variant,
    reason = "nearly every request has a body to be read: a box would be one more allocation for each"
)]
enum Stage<B> {
    /// The body is being read.
    Reading(Reading<B>),
    /// The exchange has no head yet.
    Waiting(Exchange),
    /// The stream of a session over HTTP+SSE is there.
    Streaming(Box<SseStream>),
    /// There is nothing to wait for.
    Refused(Box<Response<Bytes>>),
    /// The response is given.
    Done,
}

struct Reading<B> {
    /// Taken out when the body is here: a head is large, and moves as seldom as it can.
    head: Option<Parts>,
    admission: Admission,
    /// The session over HTTP+SSE that it is for.
    session: Option<SessionId>,
    room: ReadingRoom,
    /// When the body has to be here; counted from when it was waited for.
    due: Option<Time>,
    body: B,
    collector: Collector,
    /// All of the body, where it is large: what comes of it has a poll of its own.
    read: Option<Bytes>,
}

impl<B> Stage<B> {
    fn refused(admission: &Admission, refusal: &Refusal) -> Self {
        Self::Refused(Box::new(admission.refuse(refusal)))
    }
}

impl<B, R> Respond<B, R>
where
    B: Body + Unpin,
    B::Data: Buf,
    R: ServerRuntime,
{
    pub(super) fn new(service: HttpService<R>, request: Request<B>) -> Self {
        let (head, body) = request.into_parts();
        let timer = service.clock().timer();
        let admission = match service.endpoint().admit(&head) {
            Ok(admission) => admission.from(service.remote),
            Err(response) => return Self::at(service, timer, Stage::Refused(response)),
        };
        let route = service.sse().map(|sse| sse.route(&admission, &head)).transpose();
        let session = match route.map(Option::flatten) {
            Ok(Some(SseRoute::Message(session))) => Some(session),
            Ok(Some(_)) => {
                let stage = service.stream(&timer, &admission, head);
                return Self::at(service, timer, stage);
            }
            Ok(None) => None,
            Err(response) => return Self::at(service, timer, Stage::Refused(response)),
        };
        let Some(limit) = admission.body_limit() else {
            let exchange = service.open(timer.now(), &admission, head, Bytes::new());
            return Self::at(service, timer, Stage::Waiting(exchange));
        };
        // Said before anything of it is read.
        if body.size_hint().lower() > limit as u64 {
            return Self::at(service, timer, Stage::refused(&admission, &Refusal::TooLarge));
        }
        let reading = Reading {
            head: Some(head),
            room: service.endpoint().reading_room(&admission),
            admission,
            session,
            due: None,
            body,
            collector: Collector::new(limit),
            read: None,
        };
        Self::at(service, timer, Stage::Reading(reading))
    }

    fn at(service: HttpService<R>, timer: ClockTimer<R::Clock>, stage: Stage<B>) -> Self {
        let timer = Some(timer);
        Self { service, timer, stage }
    }

    fn poll_response(&mut self, cx: &mut Context<'_>) -> Poll<Response<ResponseBody<ClockTimer<R::Clock>>>> {
        let Self { service, timer, stage } = self;
        // It went on with the body: the response is given.
        let Some(running) = timer else {
            return Poll::Pending;
        };
        let mut now = running.now();
        loop {
            match stage {
                Stage::Reading(reading) => {
                    *stage = match reading.poll(cx) {
                        Poll::Ready(Ok(body)) => {
                            let Some(head) = reading.head.take() else {
                                return Poll::Pending;
                            };
                            match (reading.session.take(), service.sse()) {
                                (Some(session), Some(sse)) => {
                                    let response = sse.take(now, &reading.admission, &head, &session, body);
                                    Stage::Refused(Box::new(response))
                                }
                                _ => Stage::Waiting(service.open(now, &reading.admission, head, body)),
                            }
                        }
                        Poll::Ready(Err(refusal)) => Stage::refused(&reading.admission, &refusal),
                        Poll::Pending => {
                            // Not before: nearly every body is there with its head, and no timer is set for it.
                            let due = *reading.due.get_or_insert_with(|| now + service.body_timeout());
                            ready!(running.poll(cx, Some(due)));
                            Stage::refused(&reading.admission, &Refusal::TimedOut)
                        }
                    }
                }
                Stage::Waiting(exchange) => {
                    if let Poll::Ready(head) = exchange.poll_head(cx, now) {
                        // All at once where it is there: an HTTP library writes it with the head, in one system call.
                        if let Some(body) = exchange.take_body(now) {
                            *stage = Stage::Done;
                            return Poll::Ready(Response::from_parts(
                                head,
                                ResponseBody::answer(body, || service.reader()),
                            ));
                        }
                        let exchange = core::mem::replace(stage, Stage::Done);
                        let (Stage::Waiting(exchange), Some(timer)) = (exchange, timer.take()) else {
                            return Poll::Pending;
                        };
                        return Poll::Ready(Response::from_parts(
                            head,
                            ResponseBody::new(exchange, timer, service.reader()),
                        ));
                    }
                    ready!(running.poll(cx, exchange.poll_timeout()));
                    now = running.now();
                }
                Stage::Streaming(_) => {
                    let stream = core::mem::replace(stage, Stage::Done);
                    let (Stage::Streaming(stream), Some(timer)) = (stream, timer.take()) else {
                        return Poll::Pending;
                    };
                    return Poll::Ready(Response::from_parts(
                        stream.head(),
                        ResponseBody::streaming(stream, timer),
                    ));
                }
                Stage::Refused(_) => {
                    let Stage::Refused(response) = core::mem::replace(stage, Stage::Done) else {
                        return Poll::Pending;
                    };
                    return Poll::Ready(response.map(ResponseBody::whole));
                }
                Stage::Done => return Poll::Pending,
            }
        }
    }
}

impl<B, R> Future for Respond<B, R>
where
    B: Body + Unpin,
    B::Data: Buf,
    R: ServerRuntime + Unpin,
{
    type Output = Result<Response<ResponseBody<ClockTimer<R::Clock>>>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.get_mut().poll_response(cx).map(Ok)
    }
}

impl<B> Reading<B>
where
    B: Body + Unpin,
    B::Data: Buf,
{
    /// Reads the body to its end, within the limit.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, Refusal>> {
        if let Some(body) = self.read.take() {
            return Poll::Ready(Ok(body));
        }
        while !self.body.is_end_stream() {
            let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) else {
                // Others may need its room while its client says nothing.
                return self.room.poll_lost(cx).map(Err);
            };
            match frame {
                Some(Ok(frame)) => {
                    // Trailers say nothing here.
                    let Ok(data) = frame.into_data() else { continue };
                    let rest = self.body.size_hint().exact();
                    let Some(head) = &self.head else { break };
                    let taken = self.room.take(&self.admission, head, data.remaining());
                    if let Err(refusal) = taken.and_then(|()| self.collector.push(data, rest)) {
                        return Poll::Ready(Err(refusal));
                    }
                }
                Some(Err(_)) => return Poll::Ready(Err(Refusal::Incomplete)),
                None => break,
            }
        }
        let body = self.collector.finish();
        if body.len() >= LARGE {
            // To read it and to parse it in one poll would hold the thread for too long.
            self.read = Some(body);
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Ok(body))
    }
}

impl<R: ServerRuntime> HttpService<R> {
    /// Begins a session over HTTP+SSE.
    fn stream<B>(&self, timer: &ClockTimer<R::Clock>, admission: &Admission, head: Parts) -> Stage<B> {
        let sender = self.sender.clone();
        let asker = Asker { head, sender };
        let random = self.runtime().random();
        let opened = self.sse().map(|sse| sse.open(admission, asker, timer, random));
        match opened {
            Some(Ok(stream)) => Stage::Streaming(Box::new(stream)),
            Some(Err(response)) => Stage::Refused(response),
            None => Stage::Done,
        }
    }

    fn open(&self, now: Time, admission: &Admission, head: Parts, body: Bytes) -> Exchange {
        let random = || self.runtime().random();
        let sender = self.sender.clone();
        let asker = Asker { head, sender };
        let exchange = self.endpoint().open(now, admission, asker, body, random);
        // Not with the service: an endpoint that keeps nothing has no task.
        if let Some(upkeep) = self.endpoint().take_upkeep() {
            self.runtime().keep(upkeep, self.clock().timer());
        }
        exchange
    }
}

impl<B, R: ServerRuntime> fmt::Debug for Respond<B, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Respond").finish_non_exhaustive()
    }
}
