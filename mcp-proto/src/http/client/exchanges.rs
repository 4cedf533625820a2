//! The exchanges of one client.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use bytes::Bytes;
use http::{Request, Uri};

use super::action::{Actions, HttpAction};
use super::answers::Answers;
use super::config::HttpClientConfig;
use super::exchange::{Exchange, ExchangeId, Kind, Resend, Response};
use super::http_sse::HttpSse;
use super::listen::{GetStream, Listen};
use super::output::Output;
use super::readable::Readable;
use super::redirect::Detour;
use super::request::{Template, is_repeatable, names_session};
use super::resumes::Resumes;
use super::session::{Session, SessionId};
use super::table::Table;
use crate::limits::{Limits, Timeouts};
use crate::revision::Revision;
use crate::rpc::{CallId, Failure, Kept, Outgoing, Purpose};
use crate::time::Time;

/// The exchanges of one client: what to open, and what the responses hold.
///
/// Its methods are of four kinds: getters; [`head`](Self::head), [`body`](Self::body), [`end`](Self::end),
/// [`failed`](Self::failed) and [`handle_timeout`](Self::handle_timeout) for the world; [`send`](Self::send),
/// [`abort`](Self::abort), [`listen`](Self::listen) and [`close`](Self::close) for the layer above; and
/// [`poll_action`](Self::poll_action), [`poll_output`](Self::poll_output),
/// [`poll_timeout`](Self::poll_timeout).
///
/// What the bodies keep is bounded together by [`Limits::total_bytes`]: a response that would go beyond it
/// ends its call. The exchange of a call lasts as long as the call; any other, and one that has its answer, is
/// ended when its time is over.
#[derive(Debug)]
pub struct Exchanges {
    template: Template,
    pub(super) limits: Limits,
    pub(super) timeouts: Timeouts,
    wants_listen: bool,
    revision: Revision,
    pub(super) session: Session,
    pub(super) listen: Listen,
    pub(super) resumes: Resumes,
    pub(super) http_sse: HttpSse,
    pub(super) table: Table,
    pub(super) readable: Readable,
    pub(super) answers: Answers,
    actions: Actions,
    outputs: VecDeque<Output>,
}

impl Exchanges {
    /// No exchange yet.
    pub fn new(config: &HttpClientConfig, limits: Limits, timeouts: Timeouts) -> Self {
        Self {
            template: Template::new(config),
            limits,
            timeouts,
            wants_listen: config.listen,
            revision: Revision::LATEST_LEGACY,
            session: Session::default(),
            listen: Listen::default(),
            resumes: Resumes::default(),
            http_sse: HttpSse::new(config.dialect),
            table: Table::default(),
            readable: Readable::default(),
            answers: Answers::default(),
            actions: Actions::default(),
            outputs: VecDeque::new(),
        }
    }

    /// How many exchanges are open.
    pub fn open(&self) -> usize {
        self.table.len()
    }

    /// How much is kept at present.
    pub fn kept(&self) -> Kept {
        let queues = self.actions.len() + self.outputs.len() + self.answers.len() + self.resumes.len();
        let queues = queues + self.http_sse.len();
        Kept::new(
            self.table.entries() + queues,
            self.table.body_bytes() + self.answers.bytes(),
        )
    }

    /// Whether the server has given a session.
    pub fn has_session(&self) -> bool {
        self.session.id().is_some()
    }

    /// Whether something of the responses waits to be taken.
    pub(crate) fn has_output(&self) -> bool {
        !self.outputs.is_empty()
    }

    /// Whether anything waits to be done by the driver.
    pub fn has_action(&self) -> bool {
        self.actions.len() > 0
    }

    /// Whether more of the response should be read. Not while the server takes none of the answers to its own requests: it
    /// could ask without end.
    pub fn wants_body(&self, id: ExchangeId) -> bool {
        self.table.get(id).is_some() && self.takes_requests(0)
    }

    /// Whether another request of the server may be read, where so many answers are written and not
    /// [sent](Self::send) yet ([`Limits::streams_per_session`]).
    pub fn takes_requests(&self, unsent: usize) -> bool {
        self.table.untaken() + self.answers.len() + unsent < self.limits.streams_per_session
    }

    /// Sends a message in an exchange of its own.
    pub fn send(&mut self, now: Time, outgoing: Outgoing) {
        self.send_by(now, outgoing, None);
    }

    /// Sends the message of a call once more, on the route that was named for it.
    pub fn send_again(&mut self, now: Time, outgoing: Outgoing, route: Detour) {
        self.send_by(now, outgoing, Some(route));
    }

    fn send_by(&mut self, now: Time, outgoing: Outgoing, route: Option<Detour>) {
        let purpose = outgoing.purpose;
        if let Purpose::Initialize(_) = purpose {
            // One that was given up, and not lost, would be left behind on the server.
            if let Some(session) = self.session.next() {
                self.end_session(now + self.timeouts.close, &session);
            }
            self.stop_listening();
            self.stop_resuming();
            // One that is redirected to another place of the stream's endpoint goes on.
            if route.is_none() {
                self.leave_stream();
            }
            self.abort_announcement();
            // They are for requests of the last session.
            self.answers.clear();
        }
        // For requests that carry no message: the GET stream and DELETE name it as well.
        if let Some(revision) = outgoing.revision {
            self.revision = revision;
        }
        let session = self.session.id().filter(|_| names_session(&outgoing));
        let mut in_session = session.map(|_| self.session.number());
        let is_repeatable = is_repeatable(&outgoing);
        let mut request = self.template.post(outgoing, session);
        if let Some((endpoint, number)) = self.http_sse.endpoint() {
            request.uri_mut().clone_from(endpoint);
            in_session = Some(number);
        } else if let Purpose::Initialize(call) = purpose
            && self.http_sse.begin(call, &request)
        {
            return self.drive_stream(now);
        }
        if matches!(purpose, Purpose::Initialize(_) | Purpose::Call(_)) {
            let resend = route.map(|route| Resend {
                route,
                ..Resend::default()
            });
            self.start(Kind::Post(purpose), in_session, request, resend);
            return;
        }
        // Not at once: answers share a few connections, however many requests a server makes.
        if purpose == Purpose::Response {
            self.answers.push(in_session, request);
            return self.send_answers(now);
        }
        let id = self.start_kept(Kind::Post(purpose), in_session, request, is_repeatable);
        // Nobody waits for these: a server that never answers would keep them open.
        self.table.end_at(id, now + self.timeouts.request);
    }

    /// Sends the answers whose turn has come.
    fn send_answers(&mut self, now: Time) {
        while let Some((in_session, request)) = self.answers.next(self.table.answers()) {
            let id = self.start_kept(Kind::Post(Purpose::Response), in_session, request, true);
            self.table.end_at(id, now + self.timeouts.request);
        }
    }

    /// Ends the exchange of a call. That of `initialize` goes on for the timeout for closing: the server may make a
    /// session for it all the same, which is ended as soon as its id is known.
    pub fn abort(&mut self, now: Time, call: CallId) {
        if self.http_sse.is_handshake(call) {
            return self.leave_stream();
        }
        if self.resumes.forget(call) || self.http_sse.forget(call) {
            return;
        }
        let Some(id) = self.table.leave_call(call) else { return };
        let exchange = self.table.get(id);
        let Some(exchange) = exchange.filter(|exchange| exchange.kind == Kind::Post(Purpose::Initialize(call))) else {
            return self.abort_exchange(id);
        };
        let is_awaited = matches!(exchange.response, Response::Awaited);
        // It has not left the queue: the server cannot make a session for it.
        if is_awaited && !self.actions.is_queued(id) {
            return self.table.end_at(id, now + self.timeouts.close);
        }
        self.abort_exchange(id);
        if !is_awaited && let Some(session) = self.session.take() {
            self.end_session(now + self.timeouts.close, &session);
        }
    }

    /// The call of an exchange has its answer. The server should end the response now; where it does not, the
    /// exchange is ended after the timeout for closing.
    pub fn answered(&mut self, now: Time, call: CallId) {
        // By a late answer on another stream.
        self.resumes.forget(call);
        self.http_sse.answered(call);
        if let Some(id) = self.table.leave_call(call) {
            self.table.end_at(id, now + self.timeouts.close);
        }
    }

    /// The handshake is done: keeps a GET stream open, where that is wanted and the revision has one.
    pub fn listen(&mut self, revision: Revision) {
        self.revision = revision;
        self.http_sse.settled();
        if self.wants_listen && revision.has_sessions() && self.session.id().is_some() {
            self.listen.begin();
        }
    }

    /// Ends everything, and the session with a DELETE (2025-11-25, Session Management, 5).
    pub fn close(&mut self, now: Time) {
        // Before the DELETE, which may need its connection.
        self.stop_listening();
        self.stop_resuming();
        // No more than are on their way: a server that takes none would be waited for as often.
        self.answers.clear();
        self.http_sse.close();
        if let Some(session) = self.session.take() {
            self.end_session(now + self.timeouts.close, &session);
        }
        // What is still on its way gets the same time.
        // Copied: setting an end changes the table.
        let open: Vec<_> = self.table.iter().map(|(id, _)| id).collect();
        for id in open {
            self.table.end_at(id, now + self.timeouts.close);
        }
    }

    /// Has the server end a session, and waits for that until then.
    pub(super) fn end_session(&mut self, until: Time, session: &SessionId) {
        let request = self.template.delete(session, self.revision);
        let id = self.start_kept(Kind::Delete, Some(self.session.number()), request, true);
        self.table.end_at(id, until);
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Time) {
        if self.listen.is_due(now) {
            let last = self.listen.last_event_id();
            let is_resumed = last.is_some();
            let session = self.session.id();
            let in_session = session.map(|_| self.session.number());
            let request = self.template.get(session, self.revision, last);
            let id = self.start_kept(Kind::Listen, in_session, request, true);
            self.listen.opened(id);
            self.listen.set_resumed(is_resumed);
        }
        while let Some(broken) = self.resumes.take_due(now) {
            let session = self.session.id().filter(|_| broken.in_session.is_some());
            let last = broken.cursor.last_event_id();
            let request = self.template.get(session, self.revision, last);
            let id = self.start_kept(Kind::Resume(broken.call), broken.in_session, request, true);
            self.table.update(id, |exchange| exchange.cursor = Some(broken.cursor));
        }
        while let Some(id) = self.table.pop_due(now) {
            self.abort_exchange(id);
        }
        self.drive_stream(now);
        self.send_answers(now);
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        let parts = [
            self.table.poll_timeout(),
            self.listen.poll_timeout(),
            self.resumes.poll_timeout(),
            self.http_sse.poll_timeout(),
        ];
        parts.into_iter().flatten().min()
    }

    /// What the driver has to do.
    #[must_use]
    pub fn poll_action(&mut self) -> Option<HttpAction> {
        self.actions.pop()
    }

    /// What the responses hold.
    #[must_use]
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Starts an exchange that can be sent once more by itself.
    fn start_kept(
        &mut self,
        kind: Kind,
        in_session: Option<u64>,
        request: Request<Bytes>,
        is_repeatable: bool,
    ) -> ExchangeId {
        let resend = Resend {
            route: Detour::default(),
            request: Some(request.clone()),
            is_repeatable,
        };
        self.start(kind, in_session, request, Some(resend))
    }

    pub(super) fn start(
        &mut self,
        kind: Kind,
        in_session: Option<u64>,
        mut request: Request<Bytes>,
        resend: Option<Resend>,
    ) -> ExchangeId {
        let id = self.table.begin(kind, in_session);
        if let Some(resend) = resend {
            if let Some(to) = &resend.route.to {
                request.uri_mut().clone_from(to);
            }
            self.table
                .update(id, |exchange| exchange.resend = Some(Box::new(resend)));
        }
        self.actions.open(id, request);
        id
    }

    /// Sends what is no call once more on this route, in place of the exchange `old`. `false` where it cannot be.
    pub(super) fn restart(&mut self, old: ExchangeId, exchange: Exchange, route: Detour) -> bool {
        let resend = exchange.resend.map(|resend| *resend);
        let Some((request, resend)) = resend.and_then(|resend| Some((resend.request.clone()?, resend))) else {
            return false;
        };
        let resend = Resend { route, ..resend };
        let id = self.start(exchange.kind, exchange.in_session, request, Some(resend));
        if exchange.cursor.is_some() {
            self.table.update(id, |next| next.cursor = exchange.cursor);
        }
        // It has no more time for that.
        if let Some(until) = exchange.until {
            self.table.end_at(id, until);
        }
        // The stream is the same one, under another number.
        if self.listen.open() == Some(old) {
            self.listen.opened(id);
        }
        self.http_sse.renumber(old, id);
        true
    }

    /// Where requests go.
    pub(super) fn endpoint(&self) -> &Uri {
        self.template.endpoint()
    }

    pub(super) fn abort_exchange(&mut self, id: ExchangeId) {
        if self.table.take(id).is_some() {
            self.actions.abort(id);
        }
    }

    /// Opens the stream of HTTP+SSE.
    pub(super) fn open_stream(&mut self) -> ExchangeId {
        let request = self.template.get(None, Revision::V2024_11_05, None);
        self.start_kept(Kind::Stream, None, request, true)
    }

    /// Whether the GET stream is open.
    pub fn is_listening(&self) -> bool {
        let open = self.listen.open().or(self.http_sse.stream());
        let response = open.and_then(|id| self.response_of(id));
        matches!(response, Some(Response::Events { .. }))
    }

    /// How the GET stream stands.
    pub fn stream(&self) -> GetStream {
        match self.is_listening() {
            true => GetStream::Open {
                is_resumed: self.listen.is_resumed(),
            },
            false if self.listen.is_off() => GetStream::Off,
            false => GetStream::Opening,
        }
    }

    /// Gives the GET stream up.
    pub fn stop_listening(&mut self) {
        if let Some(id) = self.listen.stop() {
            self.abort_exchange(id);
        }
    }

    /// Whether the revision has streams that can be resumed.
    pub(super) fn may_resume(&self) -> bool {
        self.revision.has_sessions()
    }

    /// Gives the calls up whose streams have broken off: their session is over.
    fn stop_resuming(&mut self) {
        let calls: Vec<_> = self.resumes.take_all().collect();
        for call in calls {
            let failure = Failure::Disconnected;
            self.emit(Output::Failed { call, failure });
        }
    }

    /// A `notifications/initialized` of an earlier handshake says nothing of the next.
    fn abort_announcement(&mut self) {
        if let Some(id) = self.table.announcement() {
            self.abort_exchange(id);
        }
    }

    pub(super) fn response_of(&self, id: ExchangeId) -> Option<&Response> {
        self.table.get(id).map(|exchange| &exchange.response)
    }

    pub(super) fn emit(&mut self, output: Output) {
        // What comes of a handshake may only be the first step of the ladder.
        if let Some(output) = self.http_sse.divert(output) {
            self.outputs.push_back(output);
        }
    }
}
