//! What comes of the stream of HTTP+SSE, and of what is sent to its endpoint.

use alloc::vec::Vec;
use core::time::Duration;

use http::Uri;
use http::response::Parts;

use super::exchange::{ExchangeId, Kind, Response, authenticate, failure, refusal};
use super::exchanges::Exchanges;
use super::http_sse::Ended;
use super::listen::retry_after;
use super::output::Output;
use super::redirect::{cut, is_same_origin, resolve};
use crate::rpc::{CallId, Failure, Purpose, is_transient};
use crate::time::Time;
use crate::wire::sse::SseEvent;
use crate::wire::url::Redacted;

/// The event that names where messages go (2024-11-05, Transports, HTTP with SSE).
const ENDPOINT: &str = "endpoint";

impl Exchanges {
    /// Opens the stream whose time has come, and ends one that names no endpoint.
    pub(super) fn drive_stream(&mut self, now: Time) {
        if let Some(id) = self.http_sse.overdue(now) {
            let why = "no `endpoint` event has come";
            self.lose_stream(now, id, Failure::Unreadable(why.into()));
        }
        if self.http_sse.is_due(now) {
            let id = self.open_stream();
            self.http_sse.opened(id, now + self.timeouts.probe);
        }
        // What was sent before the close has arrived: nothing else keeps it open.
        if self.http_sse.is_closing() && self.open() == 1 {
            self.leave_stream();
        }
    }

    /// The stream is there, or refused.
    pub(super) fn streaming(&mut self, now: Time, id: ExchangeId, head: &Parts) {
        if matches!(self.response_of(id), Some(Response::Events { .. })) {
            return;
        }
        let status = head.status.as_u16();
        let refused = self.table.update(id, |exchange| refusal(&mut exchange.response));
        let failure = (refused.flatten()).unwrap_or_else(|| failure(status, authenticate(&head.headers)));
        self.abort_exchange(id);
        self.stream_ended(now, id, failure, is_transient(status), retry_after(&head.headers));
    }

    /// The stream is over: the server, or what is between, has ended it.
    pub(super) fn stream_broke(&mut self, now: Time, id: ExchangeId, failure: Failure) {
        self.stream_ended(now, id, failure, true, None);
    }

    /// The stream is given up: what it brings cannot be used.
    pub(super) fn lose_stream(&mut self, now: Time, id: ExchangeId, failure: Failure) {
        self.abort_exchange(id);
        self.stream_ended(now, id, failure, false, None);
    }

    fn stream_ended(
        &mut self,
        now: Time,
        id: ExchangeId,
        failure: Failure,
        is_transient: bool,
        after: Option<Duration>,
    ) {
        match self.http_sse.ended(now, id, failure.clone(), is_transient, after) {
            Ended::Nothing | Ended::Again => {}
            Ended::Failed(output) => self.emit(output),
            Ended::Session(number, waiting, goes_on) => {
                self.end_stream_session(number, &waiting);
                if goes_on {
                    self.emit(Output::SessionLost);
                } else {
                    self.emit(Output::NotListening(failure));
                    self.emit(Output::SessionEnded);
                }
            }
        }
    }

    /// The session of a stream is over: whoever waits for anything in it learns that.
    fn end_stream_session(&mut self, number: u64, waiting: &[CallId]) {
        self.answers.clear();
        let failure = Failure::Interrupted;
        for &call in waiting {
            let failure = failure.clone();
            self.emit(Output::Failed { call, failure });
        }
        for (id, kind) in self.exchanges_in(number) {
            match (self.table.leave(id, kind), kind) {
                (Some(call), _) => {
                    let failure = failure.clone();
                    self.emit(Output::Failed { call, failure });
                }
                (None, Kind::Post(purpose)) if kind.call().is_none() && self.is_awaited(id) => {
                    let outcome = Err(failure.clone());
                    self.emit(Output::Delivered { purpose, outcome });
                }
                _ => {}
            }
            self.abort_exchange(id);
        }
    }

    /// Leaves the stream from this side, with all that was sent in its session.
    pub(super) fn leave_stream(&mut self) {
        let (id, number) = self.http_sse.leave();
        for (post, _) in number.map(|number| self.exchanges_in(number)).unwrap_or_default() {
            self.abort_exchange(post);
        }
        if let Some(id) = id {
            self.abort_exchange(id);
        }
    }

    /// There is no session any more, and no handshake for one: leaves the stream that was there for it.
    pub(crate) fn leave_open_stream(&mut self) {
        if self.http_sse.stream().is_some() {
            self.leave_stream();
        }
    }

    /// Copied: what is done with them changes the table.
    fn exchanges_in(&self, number: u64) -> Vec<(ExchangeId, Kind)> {
        let all = self.table.iter();
        let here = all.filter(|(_, exchange)| exchange.in_session == Some(number) && exchange.kind != Kind::Stream);
        here.map(|(id, exchange)| (id, exchange.kind)).collect()
    }

    fn is_awaited(&self, id: ExchangeId) -> bool {
        matches!(self.response_of(id), Some(Response::Awaited))
    }

    /// Whether an exchange was sent to the endpoint of the stream.
    pub(super) fn is_streamed(&self, id: ExchangeId) -> bool {
        let Some(number) = self.http_sse.number() else {
            return false;
        };
        let exchange = self.table.get(id);
        exchange.is_some_and(|it| it.in_session == Some(number) && matches!(it.kind, Kind::Post(_)))
    }

    /// Where a message was sent, before it was redirected.
    pub(super) fn target(&self, id: ExchangeId) -> &Uri {
        let endpoint = self.http_sse.endpoint().filter(|_| self.is_streamed(id));
        endpoint.map_or(self.endpoint(), |(endpoint, _)| endpoint)
    }

    /// The server has taken a message at the endpoint, or not: what it answers comes on the stream. `false` where its
    /// response says more.
    pub(super) fn posted(&mut self, now: Time, id: ExchangeId, purpose: Purpose, head: &Parts) -> bool {
        // Its session is over (as in 2025-11-25, Transports, Session Management, 3), and it has done nothing. Of `initialize`,
        // the stream is only just there.
        if head.status == http::StatusCode::NOT_FOUND && !matches!(purpose, Purpose::Initialize(_)) {
            self.disowned(now, id);
            return true;
        }
        let is_taken = head.status.is_success();
        if is_taken && let Some(call) = self.table.leave(id, Kind::Post(purpose)) {
            self.http_sse.wait(call);
        }
        if is_taken {
            // Of what needs no answer it is told; whatever the body says, it is none.
            self.taken(now, id, Ok(()));
            self.ignore(now, id);
        }
        is_taken
    }

    /// The server does not know the session of the stream any more.
    fn disowned(&mut self, now: Time, id: ExchangeId) {
        let Some(kind) = self.table.get(id).map(|exchange| exchange.kind) else {
            return;
        };
        match (self.table.leave(id, kind), kind) {
            (Some(call), _) => {
                let failure = Failure::SessionLost;
                self.emit(Output::Failed { call, failure });
            }
            (None, Kind::Post(purpose)) if kind.call().is_none() => {
                let outcome = Err(Failure::SessionLost);
                self.emit(Output::Delivered { purpose, outcome });
            }
            _ => {}
        }
        self.abort_exchange(id);
        if let Some(stream) = self.http_sse.stream() {
            self.abort_exchange(stream);
            self.stream_ended(now, stream, Failure::SessionLost, true, None);
        }
    }

    /// An event came on the stream.
    pub(super) fn read_stream(&mut self, now: Time, id: ExchangeId, status: u16, event: &SseEvent) {
        if self.http_sse.awaits_endpoint(id) {
            return self.read_endpoint(now, id, event);
        }
        let is_endpoint = event.event.as_deref() == Some(ENDPOINT);
        // Another endpoint is no message: the one that was named first stays, and the client is told.
        let text = event.message().or((is_endpoint).then_some(&event.data)).cloned();
        self.http_sse.received(event.retry, event.message().is_some());
        if let Some(text) = text {
            let call = None;
            self.emit(Output::Text { text, status, call });
        }
    }

    /// 2025-11-25, Transports, Backwards Compatibility: the stream is to "return an `endpoint` event as the first event".
    fn read_endpoint(&mut self, now: Time, id: ExchangeId, event: &SseEvent) {
        // What has neither a type nor data only sets the time after which to come back.
        if event.event.is_none() && event.data.is_empty() {
            return self.http_sse.received(event.retry, false);
        }
        match self.endpoint_of(id, event) {
            Ok(endpoint) => self.begin_streaming(endpoint),
            Err(failure) => self.lose_stream(now, id, failure),
        }
    }

    fn endpoint_of(&self, id: ExchangeId, event: &SseEvent) -> Result<Uri, Failure> {
        if event.event.as_deref() != Some(ENDPOINT) {
            return Err(Failure::Unreadable(
                "the first event of the stream is not `endpoint`".into(),
            ));
        }
        let reference = core::str::from_utf8(&event.data).unwrap_or_default().trim();
        let shown = || cut(&alloc::format!("{}", Redacted(reference)));
        // Of where the stream came from: it may have been redirected.
        let route = self.table.get(id).and_then(|exchange| exchange.route().to);
        let base = route.as_ref().unwrap_or_else(|| self.endpoint());
        let endpoint = Some(reference).filter(|reference| !reference.is_empty());
        match endpoint.and_then(|reference| resolve(base, reference)) {
            Some(endpoint) if is_same_origin(base, &endpoint) => Ok(endpoint),
            Some(_) => Err(Failure::ForeignEndpoint(shown())),
            None => Err(Failure::Unreadable(
                alloc::format!("the `endpoint` event names no valid URL: {:?}", shown()).into(),
            )),
        }
    }

    /// The server speaks HTTP+SSE, and takes messages there.
    fn begin_streaming(&mut self, endpoint: Uri) {
        let number = self.session.number();
        let Some(handshake) = self.http_sse.found(endpoint.clone(), number) else {
            return;
        };
        let mut request = handshake.request;
        *request.uri_mut() = endpoint;
        let purpose = Purpose::Initialize(handshake.call);
        self.start(Kind::Post(purpose), Some(number), request, None);
    }

    /// Whether this is the stream, and its endpoint has come.
    pub(super) fn is_open_stream(&self, id: ExchangeId) -> bool {
        self.http_sse.stream() == Some(id)
    }
}
