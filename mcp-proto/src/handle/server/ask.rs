//! Something that a handler asks its client, as a future.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{self, Poll, ready};
use core::time::Duration;

use super::{Context, ServerCall};
use crate::jsonrpc::{DecodeError, Params, RawJson};
use crate::rpc::CallOptions;
use crate::server::AskError;
use crate::server::rounds::{AskReply, InputAsk};

/// Something that a handler asks its client, a future of the answer: from [`Context::elicit`] and its siblings. In both
/// eras it reads the same.
///
/// - A legacy client is sent a request, on the stream of the request that is served.
/// - In the modern era servers send none (2026-07-28, Multi Round-Trip Requests: MUST): the handler **is dropped** where it
///   waits, the request is answered with what is asked, and when its client makes it again with the answers, the handler
///   **is run again from the start**. Then this is ready at once. All that one poll of the handler leaves unanswered is
///   asked together: join what does not depend on each other. What must not happen again goes through [`Context::once`].
///
/// An ask is known again by its [key](Self::key), or else by its place in the order of asks; then it has to be the same
/// each time, and a handler whose asks depend on more than its arguments and the answers so far gives them keys.
///
/// An answer that does not fit is asked for again: one of another shape, a form without a field that it must have.
///
/// # Cancel safety
/// Polling it again after another future won a race loses nothing.
///
/// # On drop
/// Before the answer: a legacy client is told that it is not wanted any more; in the modern era it stays asked in this round
/// once it was polled.
#[must_use = "nothing is asked before the first poll"]
pub struct Ask<'a, T> {
    context: &'a Context,
    ask: Result<InputAsk, DecodeError>,
    key: Option<Box<str>>,
    /// What it is known by, once it was polled.
    place: Option<Box<str>>,
    options: CallOptions,
    call: Option<ServerCall<'a, T>>,
    decode: fn(&RawJson) -> Result<T, DecodeError>,
}

impl<'a, T> Ask<'a, T> {
    pub(super) fn new(
        context: &'a Context,
        ask: Result<InputAsk, DecodeError>,
        decode: fn(&RawJson) -> Result<T, DecodeError>,
    ) -> Self {
        Self {
            context,
            ask,
            key: None,
            place: None,
            options: CallOptions::default(),
            call: None,
            decode,
        }
    }

    /// What it is known by from one run of the handler to the next; on the wire the key of `inputRequests`.
    pub fn key(mut self, key: impl Into<Box<str>>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// How long to wait for a legacy client, from the first poll or from the last progress, in place of
    /// [`Timeouts::request`](crate::Timeouts::request). A modern one has [`Timeouts::state`](crate::Timeouts::state).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// All options of the request to a legacy client, in place of those that were set before.
    pub fn options(mut self, options: CallOptions) -> Self {
        self.options = options;
        self
    }
}

impl<T> Future for Ask<'_, T> {
    type Output = Result<T, AskError>;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        loop {
            if let Some(call) = &mut this.call {
                let reply = ready!(Pin::new(call).poll(cx));
                return Poll::Ready(reply.map_err(AskError::Call));
            }
            let ask = match &this.ask {
                Ok(ask) => ask,
                Err(error) => return Poll::Ready(Err(AskError::Invalid(error.clone()))),
            };
            let (place, decode) = (&mut this.place, this.decode);
            let reads = |json: &RawJson| decode(json).is_ok();
            let reply = (this.context).with_round(|round| round.ask(place, this.key.as_deref(), ask, reads));
            match reply {
                AskReply::Answered(json) => return Poll::Ready(decode(&json).map_err(AskError::Invalid)),
                AskReply::Refused(error) => return Poll::Ready(Err(error)),
                AskReply::Wait => {
                    // Whoever polls the handler looks at what it has asked; this may be polled by somebody else.
                    this.context.wake_round();
                    return Poll::Pending;
                }
                AskReply::Call => {
                    let params = Params::from_raw(ask.params.clone());
                    let call = this.context.call(ask.method.into(), params, decode);
                    this.call = Some(call.options(this.options.clone()));
                }
            }
        }
    }
}

impl<T> fmt::Debug for Ask<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = self.ask.as_ref().map(|ask| ask.method);
        let key: Option<String> = self.key.as_deref().map(String::from);
        f.debug_struct("Ask")
            .field("method", &method.ok())
            .field("key", &key)
            .finish_non_exhaustive()
    }
}
