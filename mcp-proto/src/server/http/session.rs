//! A legacy session over HTTP.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::exchange::{Exchange, HttpAnswer};
use super::listeners::Listeners;
use super::replays::{Replays, Resuming};
use super::rules::Rules;
use crate::http::server::{EventId, ReplayScope, Replayed, Resumable, Resumption, StreamKey};
use crate::jsonrpc::{ErrorObject, InvalidMessage, Message, Params, ParseError};
use crate::method::MethodName;
use crate::revision::Revision;
use crate::rpc::{CallError, CallId, CallOptions, CloseReason, Kept, RequestKey, SendError};
use crate::server::{
    Announcement, Announcements, Happening, LegacySession, Question, Received, RequestToken, ResultBody, ServerConfig,
};
use crate::time::Time;

/// A legacy session over HTTP: the machine of the session, the requests in progress, its GET streams, what waits for one,
/// and its end. What a driver remembers of a request in progress (`R`) and of a GET stream (`L`) is the driver's.
///
/// A threaded driver keeps each behind a lock of its own, and tells no two at once.
///
/// ```text
///            drain, with requests           the last request
///   Open ───────────────────────▶ Draining ─────────────────▶ Ended
///    │                                                         ▲
///    └─────────────────────────────────────────────────────────┘
///            end; drain without requests
/// ```
///
/// | state | `receive` | `started` | `respond` | `notify` | `listen` | `call` | why |
/// |---|---|---|---|---|---|---|---|
/// | open | taken | kept, or handed back where it is cancelled already | the answer | on one stream, or when there is one | the stream begins with what waits; of too many the oldest ends | sent | a client may open its stream late, or never |
/// | draining | taken | as above | the answer; with the last one it ends | as above | as above | sent | what was taken in is served to its end |
/// | ended | nothing | handed back | no answer | dropped | a stream that ends at once | `Closed` | other threads may hold it still |
///
/// What ends with it comes out of [`poll_end`](Self::poll_end), once: a driver asks after everything it tells the
/// session.
///
/// Methods are of four kinds. Getters: [`revision`](Self::revision), [`has_ended`](Self::has_ended),
/// [`may_call`](Self::may_call), [`is_in_progress`](Self::is_in_progress), [`streams`](Self::streams),
/// [`kept`](Self::kept). From the world:
/// [`receive`](Self::receive), [`listen`](Self::listen), [`unlisten`](Self::unlisten),
/// [`listen_on`](Self::listen_on), [`stream_opened`](Self::stream_opened), [`stream_closed`](Self::stream_closed),
/// [`handle_timeout`](Self::handle_timeout). From the application: [`started`](Self::started),
/// [`respond`](Self::respond), [`forget`](Self::forget), [`notify`](Self::notify), [`call`](Self::call), [`cancel`](Self::cancel),
/// [`drain`](Self::drain), [`end`](Self::end). To the world:
/// [`poll_end`](Self::poll_end), [`poll_timeout`](Self::poll_timeout).
#[derive(Debug)]
pub struct HttpSession<R, L = R> {
    machine: LegacySession,
    running: BTreeMap<RequestKey, R>,
    streams: Listeners<L>,
    /// What waits for a GET stream: small, and the same thing once. There may be many clients that never open one.
    backlog: Announcements,
    /// Its streams that can be resumed; boxed as few servers have some.
    replays: Option<Box<Replays<L>>>,
    life: Life,
    /// What ended with it, until that is told.
    end: Option<Box<End<R, L>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Open,
    /// It ends with the last request in progress.
    Draining,
    Ended,
}

/// What ends with a session.
#[derive(Debug)]
pub struct End<R, L = R> {
    /// The requests in progress: they are cancelled.
    pub requests: Vec<R>,
    /// Our calls, which will have no answer.
    pub calls: Vec<CallId>,
    /// The GET streams: each is to be [ended](Exchange::end).
    pub streams: Vec<L>,
    /// What is kept of its streams is to be [forgotten](crate::http::server::Replay::forget).
    pub replay: Option<ReplayScope>,
}

impl<R, L> HttpSession<R, L> {
    /// A session around its machine.
    pub fn new(machine: LegacySession) -> Self {
        Self {
            machine,
            running: BTreeMap::new(),
            streams: Listeners::new(),
            backlog: Announcements::default(),
            replays: None,
            life: Life::Open,
            end: None,
        }
    }

    /// The revision that was agreed on.
    pub fn revision(&self) -> Option<Revision> {
        self.machine.revision()
    }

    /// Its streams can be resumed, where the revision that was agreed on has that.
    pub(super) fn set_resumable(&mut self, resumption: &Resumption, random: [u8; 32]) {
        let revision = self.machine.revision();
        let replays = revision.and_then(|revision| Replays::new(resumption, revision, random));
        self.replays = replays.map(Box::new);
    }

    /// The next stream of a request, where it can be resumed.
    pub(super) fn next_stream(&mut self) -> Option<Resumable> {
        Some(self.replays.as_mut()?.begin(false))
    }

    /// A stream that there was.
    pub(super) fn known_stream(&self, key: StreamKey) -> Option<Resumable> {
        Some(self.replays.as_ref()?.go_on(key))
    }

    /// Where the stream of an event goes on. `None` for an event that is not of this session.
    pub(super) fn find_stream(&self, id: EventId) -> Option<Resuming<L>>
    where
        L: Clone,
    {
        self.replays.as_ref()?.find(id)
    }

    /// A [stream](Exchange::stream_key) that can be resumed is served there. To be told with its head, before which its
    /// client knows no event.
    pub fn stream_opened(&mut self, key: StreamKey, stream: L) {
        // One that has ended keeps nothing alive.
        if let Some(replays) = self.replays.as_mut().filter(|_| self.life != Life::Ended) {
            replays.open(key, stream);
        }
    }

    /// It is not served there any more, where it is the one that `is_it`. Whether it is served nowhere now, and is
    /// [left](crate::http::server::Replay::leave).
    pub fn stream_closed(&mut self, key: StreamKey, is_it: impl Fn(&L) -> bool) -> bool {
        let replays = self.replays.as_mut();
        replays.is_none_or(|replays| replays.close(key, is_it))
    }

    /// Whether it is over.
    pub fn has_ended(&self) -> bool {
        self.life == Life::Ended
    }

    /// Whether the client may be asked: it has said that it is ready (2025-11-25, Lifecycle).
    pub fn may_call(&self) -> bool {
        self.machine.handshake().may_send_requests()
    }

    /// Whether the request of this token still wants an answer.
    pub fn is_in_progress(&self, token: &RequestToken) -> bool {
        self.machine.is_in_progress(token)
    }

    /// How much is kept at present.
    pub fn kept(&self) -> Kept {
        let backlog = Kept::new(self.backlog.len(), self.backlog.bytes());
        let resumable = self.replays.as_ref().map_or(0, |replays| replays.len());
        self.machine.kept() + backlog + Kept::new(self.running.len() + self.streams.len() + resumable, 0)
    }

    /// Takes a message of the client. Where that cancels a request, with what is remembered of it, unless the driver has
    /// not [told](Self::started) yet.
    pub fn receive(&mut self, config: &ServerConfig, now: Time, message: Message) -> (Received, Option<R>) {
        let received = self.machine.receive(config, now, message);
        let cancelled = self.cancelled(&received);
        (received, cancelled)
    }

    /// The same for a message of a batch, which may be none.
    pub(super) fn receive_batched(
        &mut self,
        config: &ServerConfig,
        now: Time,
        message: Result<Message, InvalidMessage>,
    ) -> (Received, Option<R>) {
        let received = self.machine.receive_batched(config, now, message);
        let cancelled = self.cancelled(&received);
        (received, cancelled)
    }

    /// Takes a reply that cannot be read: the call that it names is over.
    pub(super) fn receive_unreadable(&mut self, error: &ParseError) -> Received {
        self.machine.receive_unreadable(error)
    }

    fn cancelled(&mut self, received: &Received) -> Option<R> {
        let Received::Happened(Happening::Cancelled { key, .. }) = received else {
            return None;
        };
        let request = self.running.remove(key);
        // A session that drains may have waited for this one alone.
        self.end_if_drained();
        request
    }

    /// Takes note of a request that was handed to its handler, so that it can be cancelled.
    ///
    /// # Errors
    /// What was to be noted, where the request is cancelled already: on another thread, or by the same batch.
    pub fn started(&mut self, key: RequestKey, request: R) -> Result<(), R> {
        if self.has_ended() || !self.machine.has(key) {
            return Err(request);
        }
        self.running.insert(key, request);
        Ok(())
    }

    /// The answer to a request whose handler is done.
    pub fn respond(
        &mut self,
        config: &ServerConfig,
        token: RequestToken,
        outcome: Result<ResultBody, ErrorObject>,
    ) -> HttpAnswer {
        // Before the end is looked at, or a session that drains would wait for what is answered.
        if let Some(key) = token.key() {
            self.running.remove(&key);
        }
        let answer = HttpAnswer::in_session(self.machine.respond(config, token, outcome));
        self.end_if_drained();
        answer
    }

    /// A request is given up: nobody waits for its answer any more.
    pub fn forget(&mut self, key: RequestKey) {
        self.running.remove(&key);
        self.machine.finish(key);
        self.end_if_drained();
    }

    /// Makes place for a request to the client that cannot be sent yet. From now on its time runs.
    #[cfg(feature = "handle")]
    pub(crate) fn reserve(&mut self, config: &ServerConfig, options: &CallOptions) -> Result<CallId, SendError> {
        self.check_alive()?;
        self.machine.reserve(config, options)
    }

    /// A request to the client: the message to send on the exchange it belongs to.
    ///
    /// # Errors
    /// Those of [`LegacySession::call`].
    pub fn call(
        &mut self,
        config: &ServerConfig,
        method: impl Into<MethodName>,
        params: Params,
        options: CallOptions,
    ) -> Result<(CallId, Vec<u8>), SendError> {
        let (method, options) = (&method.into(), &options);
        self.call_as(config, None, &Question { method, options }, params)
    }

    /// [`call`](Self::call), as the call that was reserved for it.
    pub(crate) fn call_as(
        &mut self,
        config: &ServerConfig,
        reserved: Option<CallId>,
        question: &Question<'_>,
        params: Params,
    ) -> Result<(CallId, Vec<u8>), SendError> {
        self.check_alive()?;
        self.machine
            .call_as(config, reserved, question.method, params, question.options)
    }

    /// Stops waiting for a call: the cancellation to send, or `None` where there is nothing to cancel.
    pub fn cancel(&mut self, call: CallId, reason: Option<&str>) -> Option<Vec<u8>> {
        self.machine.cancel(call, reason)
    }

    /// The GET streams that are open, in the order in which a message is to be offered to them: the first that has room
    /// takes it, and no other has it (2025-11-25, Transports, Multiple Connections, 2: MUST).
    pub fn streams(&self) -> impl Iterator<Item = &L> {
        self.streams.iter()
    }

    /// Tells the client, where this is for it: the message to send on one of its [`streams`](Self::streams). Where none is
    /// open, it waits.
    #[must_use]
    pub fn notify(&mut self, config: &ServerConfig, announcement: &Announcement) -> Option<Vec<u8>> {
        let (method, params) = (announcement.method(), announcement.params());
        // Asked first, listening or not: what this client has not asked for must not wait for it either.
        let message = self.machine.notify(config, method.clone(), params.clone()).ok()??;
        if !self.streams.is_empty() {
            return Some(message);
        }
        // One that has ended may be held for long, and nobody will ever read what waits.
        if !self.has_ended() {
            self.backlog.push(config.limits(), announcement.clone());
        }
        None
    }

    /// Opens a GET stream, which begins with what has waited for it. Whoever calls this has entered the session. `keep`
    /// says what the driver has of the stream's exchange, and what is remembered of it here. With it comes the oldest
    /// stream, to be [ended](Exchange::end), where there are more than
    /// [`Limits::get_streams_per_session`](crate::Limits::get_streams_per_session).
    pub fn listen<T>(&mut self, rules: Rules<'_>, keep: impl FnOnce(Exchange) -> (T, L)) -> (T, Option<L>) {
        let mut stream = Exchange::stream(rules);
        stream.set_resumable(self.replays.as_mut().map(|replays| replays.begin(true)));
        self.open_stream(rules, stream, keep)
    }

    /// The same for a GET stream that goes on where it was.
    pub fn listen_on<T>(
        &mut self,
        rules: Rules<'_>,
        key: StreamKey,
        replayed: Replayed,
        keep: impl FnOnce(Exchange) -> (T, L),
    ) -> (T, Option<L>) {
        // It may have been ended for another, and is wanted again.
        let replayed = Replayed {
            is_over: false,
            ..replayed
        };
        let stream = match self.known_stream(key) {
            Some(resumable) => Exchange::continued(rules, resumable, &replayed),
            None => Exchange::stream(rules),
        };
        self.open_stream(rules, stream, keep)
    }

    fn open_stream<T>(
        &mut self,
        rules: Rules<'_>,
        mut stream: Exchange,
        keep: impl FnOnce(Exchange) -> (T, L),
    ) -> (T, Option<L>) {
        for announcement in self.backlog.take() {
            let Announcement { method, params } = announcement;
            if let Ok(Some(message)) = self.machine.notify(rules.config, method, params) {
                // The backlog is no larger than the queue of a stream.
                let _ = stream.notify(message);
            }
        }
        // It may have ended after the table was asked: a threaded driver holds one lock at a time.
        if self.has_ended() {
            stream.end(rules.config);
            return (keep(stream).0, None);
        }
        let (kept, remembered) = keep(stream);
        let most = rules.config.limits().get_streams_per_session;
        (kept, self.streams.open(most, remembered))
    }

    /// The client has closed a GET stream: the one that `is_it`.
    pub fn unlisten(&mut self, is_it: impl Fn(&L) -> bool) {
        self.streams.close(is_it);
    }

    /// Ends with the last request in progress; at once where there is none.
    pub fn drain(&mut self) {
        // One that has ended does not begin to drain.
        if self.life == Life::Open {
            self.life = Life::Draining;
        }
        self.end_if_drained();
    }

    /// Ends: its requests get no answer, its calls fail.
    pub fn end(&mut self) {
        if self.has_ended() {
            return;
        }
        self.life = Life::Ended;
        // Boxed: every session has room for it, and needs it once.
        self.end = Some(Box::new(End {
            requests: core::mem::take(&mut self.running).into_values().collect(),
            calls: self.machine.close().collect(),
            streams: self.streams.take(),
            replay: self.replays.take().map(|replays| replays.scope()),
        }));
    }

    /// What has ended with it, once, when it is over.
    #[must_use]
    pub fn poll_end(&mut self) -> Option<Box<End<R, L>>> {
        self.end.take()
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        self.machine.poll_timeout()
    }

    /// A call whose time is over, and the cancellation to send on the exchange of the call. Call it until it gives `None`.
    pub fn handle_timeout(&mut self, now: Time) -> Option<(CallId, CallError, Option<Vec<u8>>)> {
        // Most sessions have no call, and nothing is to be paid for that.
        self.machine.poll_timeout().filter(|due| *due <= now)?;
        self.machine.handle_timeout(now)
    }

    fn end_if_drained(&mut self) {
        if self.life == Life::Draining && self.running.is_empty() {
            self.end();
        }
    }

    fn check_alive(&self) -> Result<(), SendError> {
        match self.has_ended() {
            true => Err(SendError::Closed(CloseReason::Local)),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jsonrpc::{Incoming, parse};
    use crate::limits::Limits;
    use crate::model::Implementation;

    fn message(text: &'static str) -> Message {
        match parse(text.into(), &Limits::default()) {
            Ok(Incoming::Single(message)) => message,
            other => panic!("{other:?}"),
        }
    }

    fn session() -> (ServerConfig, HttpSession<char>) {
        let config = ServerConfig::new(Implementation::new("s", "1"));
        let machine = LegacySession::operating(&config, Revision::V2025_11_25);
        (config, HttpSession::new(machine))
    }

    fn begin(config: &ServerConfig, session: &mut HttpSession<char>) -> RequestToken {
        let list = message(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#);
        match session.receive(config, Time::ORIGIN, list) {
            (Received::Request(request), _) => request.token,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_cancellation_may_come_before_its_handler_is_known() {
        let (config, mut session) = session();
        let key = begin(&config, &mut session).key().unwrap();
        let cancelled = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
        let happened = session.receive(&config, Time::ORIGIN, message(cancelled));
        assert!(matches!(
            happened,
            (Received::Happened(Happening::Cancelled { .. }), None)
        ));
        assert_eq!(session.started(key, 'a'), Err('a'));
        assert!(session.running.is_empty());
        let next = begin(&config, &mut session).key().unwrap();
        assert_eq!(session.started(next, 'b'), Ok(()));
    }

    #[test]
    fn every_state_and_what_is_done_in_it() {
        let respond = |config: &ServerConfig, session: &mut HttpSession<char>, token| {
            session.respond(config, token, Ok(ResultBody::EMPTY)).message.is_some()
        };
        for (drains, ends) in [(false, false), (true, false), (false, true), (true, true)] {
            let (config, mut session) = session();
            let token = begin(&config, &mut session);
            let key = token.key().unwrap();
            session.started(key, 'a').unwrap();
            if drains {
                session.drain();
            }
            assert!(!session.has_ended(), "a request is in progress");
            if ends {
                session.end();
            }
            assert_eq!(session.has_ended(), ends);
            assert_eq!(
                session.poll_end().map(|end| end.requests),
                ends.then(|| alloc::vec!['a'])
            );
            assert_eq!(session.started(key, 'b').is_err(), ends);
            assert_eq!(respond(&config, &mut session, token), !ends);
            assert_eq!(session.has_ended(), drains || ends);
            assert_eq!(session.poll_end().is_some(), drains && !ends);
            session.end();
            session.drain();
            assert_eq!(session.poll_end().is_some(), !drains && !ends);
        }
    }

    #[test]
    fn a_request_that_is_given_up_does_not_keep_a_session_that_drains() {
        let (config, mut session) = session();
        let token = begin(&config, &mut session);
        let key = token.key().unwrap();
        session.started(key, 'a').unwrap();
        assert!(session.is_in_progress(&token));
        session.forget(key);
        assert!(!session.is_in_progress(&token));
        session.drain();
        assert!(session.has_ended());
        assert!(session.poll_end().is_some_and(|end| end.requests.is_empty()));
    }

    #[test]
    fn nothing_is_asked_of_the_client_of_a_session_that_has_ended() {
        let config = ServerConfig::new(Implementation::new("s", "1"));
        let mut session: HttpSession<char> = HttpSession::new(LegacySession::new(&config));
        let initialize = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{"roots":{}},"clientInfo":{"name":"c","version":"1"}}}"#;
        let initialized = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
        for text in [initialize, initialized] {
            session.receive(&config, Time::ORIGIN, message(text));
        }
        let ask = |session: &mut HttpSession<char>| {
            session.call(
                &config,
                crate::method::Method::ListRoots,
                Params::NONE,
                CallOptions::default(),
            )
        };
        let (call, _) = ask(&mut session).unwrap();
        let cancellation = session.cancel(call, Some("enough")).unwrap();
        assert!(cancellation.windows(6).any(|part| part == b"enough"));
        assert_eq!(session.cancel(call, None), None, "there is nothing to cancel");
        session.end();
        assert!(matches!(ask(&mut session), Err(SendError::Closed(CloseReason::Local))));
        #[cfg(feature = "handle")]
        assert!(session.reserve(&config, &CallOptions::default()).is_err());
    }
}
