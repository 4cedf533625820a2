//! A legacy session behind its lock, and who waits for what in it.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::task::{Context, Poll, Waker};

use crate::handle::server::Application;
use crate::handle::server::answers::Answers;
use crate::handle::server::told::Told;
use crate::handle::sync::{Mutex, lock};
use crate::handle::wakers::{Wait, Waiters};
use crate::http::server::{Replay, Replayed, StreamKey};
use crate::jsonrpc::{ErrorObject, Params, RawJson};
use crate::rpc::{CallError, CallId, CallOptions, CloseReason, RequestKey, SendError};
use crate::server::http::{Exchange, HttpAnswer, HttpSession, Rules};
use crate::server::{Announcement, Happening, Question, RequestToken, ResultBody, ServerConfig};
use crate::time::Time;

/// What the sessions of an endpoint share.
pub(super) struct Host {
    pub(super) server: Arc<dyn Application>,
    /// The events of streams that can be resumed. Locked under the lock of an exchange, and nothing under it.
    pub(super) replay: Mutex<Replay>,
}

/// One session behind its lock. Everything it holds is dropped with it.
pub(super) struct SharedSession {
    host: Arc<Host>,
    state: Mutex<State>,
}

struct State {
    session: HttpSession<Arc<dyn Party>>,
    answers: Answers,
    /// Those who wait until the client may be asked.
    callers: Waiters,
}

/// What becomes of the exchange of a GET stream.
type Keep<'a, P> = Box<dyn FnOnce(Exchange) -> (Arc<P>, Arc<dyn Party>) + 'a>;

/// A request in progress, or a GET stream, as its session sees it.
pub(super) trait Party: Send + Sync {
    /// The request is cancelled: whoever waits for that is woken, and so is the task that runs its handler.
    fn cancel(&self);

    /// Sends a notification on the stream, and gives whom to tell, under no lock; the message again, where the stream does
    /// not take it.
    fn tell(&self, message: Vec<u8>) -> Result<Told, Vec<u8>>;

    /// Ends the stream.
    fn end(&self, config: &ServerConfig);

    /// What it is beside.
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

impl SharedSession {
    /// The events of streams that can be resumed.
    pub(super) fn replay(&self) -> &Mutex<Replay> {
        &self.host.replay
    }

    pub(super) fn new(host: Arc<Host>, session: HttpSession<Arc<dyn Party>>) -> Self {
        let (answers, callers) = (Answers::default(), Waiters::default());
        let state = Mutex::new(State {
            session,
            answers,
            callers,
        });
        Self { host, state }
    }

    /// Tells the session something. What ends with it is woken and cancelled under no lock: a handler that is dropped
    /// may come back to its session.
    pub(super) fn act<T>(&self, act: impl FnOnce(&mut HttpSession<Arc<dyn Party>>) -> T) -> T {
        let mut state = lock(&self.state);
        let value = act(&mut state.session);
        let Some(end) = state.session.poll_end() else {
            return value;
        };
        // All is taken out under the lock, so that whoever comes in between finds nothing to wait for.
        let callers = state.callers.take();
        let closed = |call| state.answers.settle(call, Err(CallError::Closed(CloseReason::Local)));
        let wakers: Vec<Waker> = end.calls.into_iter().filter_map(closed).collect();
        drop(state);
        end.replay
            .iter()
            .for_each(|scope| lock(&self.host.replay).forget(*scope));
        callers.wake();
        end.requests.into_iter().for_each(|request| request.cancel());
        wakers.into_iter().for_each(Waker::wake);
        end.streams
            .into_iter()
            .for_each(|stream| stream.end(self.host.server.config()));
        value
    }

    /// What a message of the client has brought about, with the request that it cancels.
    pub(super) fn happened(&self, happening: Happening, request: Option<Arc<dyn Party>>) {
        match happening {
            Happening::Notification(notification) => self.host.server.notified(notification),
            Happening::Cancelled { .. } => request.into_iter().for_each(|request| request.cancel()),
            Happening::Reply { call, outcome } => {
                let waker = lock(&self.state).answers.settle(call, outcome);
                waker.into_iter().for_each(Waker::wake);
            }
            Happening::Opened => {
                let callers = lock(&self.state).callers.take();
                callers.wake();
            }
            Happening::Progress { .. } => {}
        }
    }

    /// Takes note of the handler of a request, so that it can be cancelled.
    pub(super) fn started(&self, key: RequestKey, request: Arc<dyn Party>) {
        // Cancelled while its handler was being made: it is told now.
        if let Err(cancelled) = self.act(|session| session.started(key, request)) {
            cancelled.cancel();
        }
    }

    /// The answer to a request whose handler is done.
    pub(super) fn respond(&self, token: RequestToken, outcome: Result<ResultBody, ErrorObject>) -> HttpAnswer {
        self.act(|session| session.respond(self.host.server.config(), token, outcome))
    }

    /// Ready when the client may be asked.
    pub(super) fn poll_callable(&self, wait: &mut Wait, cx: &Context<'_>) -> Poll<()> {
        let mut state = lock(&self.state);
        // At its end too: the next try tells the caller so.
        if state.session.has_ended() || state.session.may_call() {
            return Poll::Ready(());
        }
        let before = state.callers.wait(wait, cx.waker());
        drop(state);
        drop(before);
        Poll::Pending
    }

    /// Stops to wait for that.
    pub(super) fn leave_callers(&self, wait: &mut Wait) {
        let left = lock(&self.state).callers.leave(wait);
        drop(left);
    }

    pub(super) fn reserve_call(&self, options: &CallOptions) -> Result<CallId, SendError> {
        let mut state = lock(&self.state);
        let call = state.session.reserve(self.host.server.config(), options)?;
        state.answers.expect(call);
        Ok(call)
    }

    pub(super) fn begin_call(
        &self,
        reserved: Option<CallId>,
        question: &Question<'_>,
        params: Params,
    ) -> Result<(CallId, Vec<u8>), SendError> {
        let (config, mut state) = (self.host.server.config(), lock(&self.state));
        let (call, message) = state.session.call_as(config, reserved, question, params)?;
        if reserved.is_none() {
            state.answers.expect(call);
        }
        Ok((call, message))
    }

    pub(super) fn poll_answer(&self, call: CallId, cx: &Context<'_>) -> Poll<Result<RawJson, CallError>> {
        let mut before = None;
        let answer = lock(&self.state).answers.poll(call, cx, &mut before);
        answer.map(|outcome| outcome.unwrap_or(Err(CallError::Closed(CloseReason::Local))))
    }

    /// Does not wait for a call any more: the cancellation to send, where the call was sent.
    pub(super) fn cancel_call(&self, call: CallId) -> Option<Vec<u8>> {
        let mut state = lock(&self.state);
        let waker = state.answers.forget(call);
        let cancellation = state.session.cancel(call, None);
        drop(state);
        drop(waker);
        cancellation
    }

    /// When the next call of ours times out.
    pub(super) fn poll_timeout(&self) -> Option<Time> {
        lock(&self.state).session.poll_timeout()
    }

    /// Gives up the calls whose time is over: the cancellations to send.
    pub(super) fn handle_timeout(&self, now: Time) -> Vec<Vec<u8>> {
        let mut state = lock(&self.state);
        // Collected and woken afterwards: a task may come back to its session at once.
        let (mut cancellations, mut wakers) = (Vec::new(), Vec::new());
        while let Some((call, error, cancellation)) = state.session.handle_timeout(now) {
            wakers.extend(state.answers.settle(call, Err(error)));
            cancellations.extend(cancellation);
        }
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        cancellations
    }

    /// Tells the client what concerns everyone.
    pub(super) fn announce(&self, announcement: &Announcement) {
        let mut state = lock(&self.state);
        let message = state.session.notify(self.host.server.config(), announcement);
        let Some(mut message) = message else { return };
        let mut told = None;
        // Under the lock of the session, then that of a stream, and never the other way round: of two that come at once
        // the client hears first what the session took first.
        for stream in state.session.streams() {
            match stream.tell(message) {
                Ok(whom) => {
                    told = Some(whom);
                    break;
                }
                Err(back) => message = back,
            }
        }
        drop(state);
        told.into_iter().for_each(Told::tell);
    }

    /// Opens a GET stream, which is what `party` makes of its exchange.
    pub(super) fn listen<P: Party + 'static>(
        &self,
        rules: Rules<'_>,
        party: impl FnOnce(Exchange) -> Arc<P>,
    ) -> Arc<P> {
        self.open_stream(party, |session, keep| session.listen(rules, keep))
    }

    /// The same for one that goes on where it was.
    pub(super) fn listen_on<P: Party + 'static>(
        &self,
        rules: Rules<'_>,
        key: StreamKey,
        replayed: Replayed,
        party: impl FnOnce(Exchange) -> Arc<P>,
    ) -> Arc<P> {
        self.open_stream(party, |session, keep| session.listen_on(rules, key, replayed, keep))
    }

    fn open_stream<P: Party + 'static>(
        &self,
        party: impl FnOnce(Exchange) -> Arc<P>,
        open: impl FnOnce(&mut HttpSession<Arc<dyn Party>>, Keep<'_, P>) -> (Arc<P>, Option<Arc<dyn Party>>),
    ) -> Arc<P> {
        let mut state = lock(&self.state);
        // Under one lock: an announcement finds the session without a stream and waits, or with one to be sent on.
        let keep: Keep<'_, P> = Box::new(|exchange| {
            let stream = party(exchange);
            let remembered: Arc<dyn Party> = stream.clone();
            (stream, remembered)
        });
        let (stream, oldest) = open(&mut state.session, keep);
        drop(state);
        oldest
            .into_iter()
            .for_each(|oldest| oldest.end(self.host.server.config()));
        stream
    }

    /// A GET stream goes on elsewhere: what is announced from now on is not for this connection.
    pub(super) fn end_stream(&self, stream: &Arc<dyn Party>) {
        lock(&self.state).session.unlisten(|other| Arc::ptr_eq(other, stream));
        stream.end(self.host.server.config());
    }

    /// Closes a GET stream, from the client's side.
    pub(super) fn unlisten(&self, stream: &Arc<impl Party>) {
        let is_it = |other: &Arc<dyn Party>| core::ptr::addr_eq(Arc::as_ptr(other), Arc::as_ptr(stream));
        lock(&self.state).session.unlisten(is_it);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handle::Server;
    use crate::handle::server::unread::Lost;
    use crate::jsonrpc::{Incoming, parse};
    use crate::server::LegacySession;

    /// A stream that is told something.
    struct Hearer(Mutex<alloc::sync::Weak<SharedSession>>, Mutex<Vec<bool>>);

    impl Party for Hearer {
        fn cancel(&self) {}

        fn tell(&self, _: Vec<u8>) -> Result<Told, Vec<u8>> {
            let session = lock(&self.0).upgrade().unwrap();
            let is_locked = session.state.try_lock().is_err();
            lock(&self.1).push(is_locked);
            Ok(Told::new([None, None], Lost::default()))
        }

        fn end(&self, _: &ServerConfig) {}

        fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
            self
        }
    }

    fn host(server: Server) -> Arc<Host> {
        let replay = Mutex::new(Replay::new(server.config().limits(), core::time::Duration::ZERO));
        let server = Arc::new(server);
        Arc::new(Host { server, replay })
    }

    #[test]
    fn what_is_announced_at_once_is_heard_in_the_order_in_which_the_session_takes_it() {
        let capabilities = serde_json::from_str(r#"{"tools":{"listChanged":true}}"#).unwrap();
        let server = Server::builder("s", "1").capabilities(capabilities).build();
        let config = server.config().clone();
        let session = HttpSession::new(LegacySession::new(&config));
        let session = Arc::new(SharedSession::new(host(server), session));
        let told = Hearer(Mutex::new(Arc::downgrade(&session)), Mutex::default());
        let http = crate::http::server::HttpConfig::default();
        let stream = session.listen(Rules::new(&config, &http, false), |_| Arc::new(told));
        for text in [
            r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        ] {
            let Ok(Incoming::Single(message)) = parse(text.into(), config.limits()) else {
                panic!("a message");
            };
            session.act(|session| session.receive(&config, Time::ORIGIN, message));
        }
        let announcement = Announcement::new(&config, "notifications/tools/list_changed", Params::NONE).unwrap();
        session.announce(&announcement);
        assert_eq!(*lock(&stream.1), [true]);
    }

    #[test]
    fn a_call_that_waits_for_the_handshake_has_a_deadline() {
        let server = Server::builder("s", "1").build();
        let session = HttpSession::new(LegacySession::new(server.config()));
        let session = SharedSession::new(host(server), session);
        let cx = &Context::from_waker(Waker::noop());
        let call = session.reserve_call(&CallOptions::default()).unwrap();
        assert!(session.poll_answer(call, cx).is_pending());
        assert!(session.handle_timeout(Time::ORIGIN).is_empty());
        let due = session.poll_timeout().unwrap();
        assert_eq!(due, Time::ORIGIN + core::time::Duration::from_secs(60));
        assert!(
            session.handle_timeout(due).is_empty(),
            "what was not sent is not cancelled"
        );
        let answer = session.poll_answer(call, cx);
        assert!(
            matches!(answer, Poll::Ready(Err(CallError::Timeout { .. }))),
            "{answer:?}"
        );
        let (method, options) = ("ping".into(), CallOptions::default());
        let ping = Question {
            method: &method,
            options: &options,
        };
        let late = session.begin_call(Some(call), &ping, Params::NONE);
        assert!(matches!(late, Err(SendError::Blocked(_))), "{late:?}");
    }
}
