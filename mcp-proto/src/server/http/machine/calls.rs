//! Calls of the server to its clients (legacy era).

use alloc::vec::Vec;

use super::super::event::{ExchangeId, HttpCallId, HttpEvent, HttpRequestToken, HttpSessionKey};
use super::super::served::Served;
use super::HttpServer;
use crate::jsonrpc::Params;
use crate::method::MethodName;
use crate::rpc::{CallOptions, CloseReason, SendError};
use crate::time::Time;

impl HttpServer {
    /// Calls the client that has made this request (legacy era), on its stream. Its deadline starts with the
    /// next [`handle_timeout`](Self::handle_timeout), which [`poll_timeout`](Self::poll_timeout) asks for at once.
    ///
    /// # Errors
    /// [`SendError::OutOfEra`] in the modern era; [`SendError::Closed`] where the request is over, or its client has
    /// gone or takes no stream; [`SendError::Blocked`] with the parameters while the client does not read; and those of
    /// [`LegacySession::call`](crate::server::LegacySession::call).
    pub fn call(
        &mut self,
        token: &HttpRequestToken,
        method: impl Into<MethodName>,
        params: Params,
        options: CallOptions,
    ) -> Result<HttpCallId, SendError> {
        let (method, revision) = (method.into(), token.revision());
        let Some(session) = token.session else {
            return Err(SendError::OutOfEra { method, revision });
        };
        let gone = || SendError::Closed(CloseReason::Peer);
        if !self.is_in_progress(token) {
            return Err(gone());
        }
        let Some(Served::Answering(answering)) = self.exchanges.get_mut(&token.key.exchange) else {
            return Err(gone());
        };
        // Asked before the session is: it would count a call that cannot be sent.
        if !answering.exchange.can_call() {
            return Err(gone());
        }
        if !answering.exchange.has_room() {
            return Err(SendError::Blocked(params));
        }
        let room = self.rooms.get_mut(session).ok_or_else(gone)?;
        let (call, message) = room.session.call(&self.config, method, params, options)?;
        // There is room, and the client can be reached: both were asked for.
        let _ = answering.exchange.call(message);
        let id = HttpCallId { session, call };
        self.calls.insert(id, token.key.exchange);
        self.mark(token.key.exchange);
        self.rooms.watch(session);
        Ok(id)
    }

    /// Stops waiting for a call of ours, and tells the client. One that is settled is ignored.
    pub fn cancel(&mut self, call: HttpCallId, reason: Option<&str>) {
        // Settled for us from here on: a late answer is nobody's.
        let Some(exchange) = self.calls.remove(&call) else {
            return;
        };
        let room = self.rooms.get_mut(call.session);
        let message = room.and_then(|room| room.session.cancel(call.call, reason));
        self.tell(exchange, message);
        self.rooms.watch(call.session);
    }

    /// Our calls in a session whose time is over.
    pub(super) fn expire_calls(&mut self, now: Time, session: HttpSessionKey) {
        while let Some(room) = self.rooms.get_mut(session)
            && let Some((call, error, cancellation)) = room.session.handle_timeout(now)
        {
            let call = HttpCallId { session, call };
            if let Some(exchange) = self.calls.remove(&call) {
                self.tell(exchange, cancellation);
            }
            let outcome = Err(error);
            self.events.push_back(HttpEvent::Reply { call, outcome });
        }
        self.rooms.watch(session);
    }

    /// Sends a cancellation on an exchange. Where there is no room, the client learns it from its late answer being
    /// ignored.
    pub(super) fn tell(&mut self, exchange: ExchangeId, message: Option<Vec<u8>>) {
        if let (Some(message), Some(answering)) = (message, self.answering(exchange)) {
            let _ = answering.exchange.notify(message);
            self.mark(exchange);
        }
    }
}
