//! A call of the server, as a future.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use super::{Peer, Sending};
use crate::jsonrpc::{DecodeError, Params, RawJson};
use crate::method::MethodName;
use crate::revision::Revision;
use crate::rpc::{CallError, CallId, CallOptions, SendError};
use crate::server::Question;

/// A call that a server makes of its client while it serves a request (legacy era), a future of its result: the partner
/// of the client's [`Call`](crate::handle::client::Call).
///
/// Nothing is sent before the first poll, so that the call can be shaped first. From then on its time runs, also while
/// the handshake is not complete and while there is no room for it.
///
/// # Cancel safety
/// Polling it again after another future won a race loses nothing.
///
/// # On drop
/// Dropped before the answer, the call is cancelled and the client is told.
#[must_use = "nothing is sent before the first poll"]
pub struct ServerCall<'a, T> {
    sending: Sending<'a>,
    revision: Revision,
    method: MethodName,
    options: CallOptions,
    /// `None` once it is sent.
    params: Option<Result<Params, DecodeError>>,
    /// `None` at first, and once it is answered.
    call: Option<CallId>,
    decode: fn(&RawJson) -> Result<T, DecodeError>,
}

impl<'a, T> ServerCall<'a, T> {
    pub(in crate::handle) fn new(
        peer: &'a dyn Peer,
        revision: Revision,
        method: MethodName,
        params: Result<Params, DecodeError>,
        decode: fn(&RawJson) -> Result<T, DecodeError>,
    ) -> Self {
        Self {
            sending: Sending::new(peer),
            revision,
            method,
            options: CallOptions::default(),
            params: Some(params),
            call: None,
            decode,
        }
    }

    /// How long to wait for the reply, from the first poll or from the last progress, in place of
    /// [`Timeouts::request`](crate::Timeouts::request).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// How long to wait in all, whatever progress there is, in place of
    /// [`Timeouts::request_max`](crate::Timeouts::request_max).
    pub fn max_timeout(mut self, timeout: Duration) -> Self {
        self.options.max_timeout = Some(timeout);
        self
    }

    /// All options at once, in place of those that were set before.
    pub fn options(mut self, options: CallOptions) -> Self {
        self.options = options;
        self
    }

    fn poll_reply(&mut self, cx: &mut Context<'_>) -> Poll<Result<RawJson, CallError>> {
        let mut may_retry = true;
        loop {
            if let Some(call) = self.call
                && let Poll::Ready(reply) = self.sending.peer().poll_answer(call, cx)
            {
                // Also where its time was over before it could be sent.
                (self.call, self.params) = (None, None);
                return Poll::Ready(reply);
            }
            let Some(params) = self.params.take() else {
                return match self.call {
                    Some(_) => Poll::Pending,
                    None => Poll::Ready(Err(CallError::Cancelled)),
                };
            };
            let params = params.map_err(SendError::InvalidParams)?;
            let question = Question::new(self.revision, &self.method, &self.options)?;
            match self.sending.peer().call(self.call, &question, params) {
                Ok(call) => self.call = Some(call),
                // Only again after a wait: where it is not room that lacks, trying again would never end.
                Err(SendError::Blocked(params)) if may_retry => {
                    self.params = Some(Ok(params));
                    if self.call.is_none() {
                        self.call = Some(self.sending.peer().reserve(&self.options)?);
                        continue;
                    }
                    if self.sending.poll_callable(cx).is_pending() {
                        return Poll::Pending;
                    }
                    may_retry = false;
                }
                Err(error) => return Poll::Ready(Err(CallError::Refused(error))),
            }
        }
    }
}

impl<T> Future for ServerCall<'_, T> {
    type Output = Result<T, CallError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let reply = ready!(this.poll_reply(cx))?;
        Poll::Ready((this.decode)(&reply).map_err(CallError::InvalidReply))
    }
}

impl<T> Drop for ServerCall<'_, T> {
    fn drop(&mut self) {
        if let Some(call) = self.call {
            self.sending.peer().abandon(call);
        }
    }
}

impl<T> fmt::Debug for ServerCall<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerCall")
            .field("method", &self.method)
            .field("call", &self.call)
            .finish_non_exhaustive()
    }
}
