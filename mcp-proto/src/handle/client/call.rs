//! A call as a future.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use super::facade::Inner;
use super::shared::{State, refused};
use crate::jsonrpc::{DecodeError, Params, RawJson};
use crate::method::MethodName;
use crate::model::{LoggingLevel, ProgressParams};
use crate::rpc::{CallError, CallId, CallOptions, SendError};

/// A call of a method, a future of its result.
///
/// Nothing is sent before the first poll, so that the call can be shaped first. It then waits for whatever it
/// needs: room in the outbox, the handshake, its reply; all of it within its own deadline.
///
/// # Cancel safety
/// Polling it again after another future won a race loses nothing.
///
/// # On drop
/// A call that is dropped before its result is cancelled, and returns at once: a call that was not sent yet is
/// never sent; for one that was, the server is told (legacy and every byte stream: `notifications/cancelled`;
/// 2026-07-28 over HTTP: its response stream ends). No other call is touched, not even one that waits for the
/// handshake that this one started.
#[must_use = "nothing is sent before the first poll"]
pub struct Call<T> {
    inner: Arc<Inner>,
    phase: Phase,
    method: MethodName,
    options: CallOptions,
    decode: fn(&RawJson) -> Result<T, DecodeError>,
    on_progress: Option<Box<dyn FnMut(ProgressParams) + Send>>,
}

#[derive(Debug)]
enum Phase {
    /// Not sent, with the parameters or why there are none.
    New(Result<Params, DecodeError>),
    Waiting(CallId),
    Done,
}

impl<T> Call<T> {
    pub(super) fn new(
        inner: Arc<Inner>,
        method: MethodName,
        params: Result<Params, DecodeError>,
        decode: fn(&RawJson) -> Result<T, DecodeError>,
    ) -> Self {
        let options = CallOptions::default();
        Self {
            inner,
            phase: Phase::New(params),
            method,
            options,
            decode,
            on_progress: None,
        }
    }

    /// How long to wait for the reply, from now or from the last progress, in place of
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

    /// Asks for progress. The function is called in the task that polls the call, in the order of the reports
    /// and before the result. A slow task loses the oldest reports past
    /// [`Limits::notifications`](crate::Limits::notifications).
    pub fn on_progress(mut self, report: impl FnMut(ProgressParams) + Send + 'static) -> Self {
        self.options.progress = true;
        self.on_progress = Some(Box::new(report));
        self
    }

    /// Asks a server of 2026-07-28 for log messages of this request, at or above `level`. They come as
    /// notifications.
    pub fn log_level(mut self, level: LoggingLevel) -> Self {
        self.options.log_level = Some(level);
        self
    }

    /// Sends the call, where there is room.
    fn start(&mut self, cx: &Context<'_>) -> Poll<Result<(), CallError>> {
        let params = match core::mem::replace(&mut self.phase, Phase::Done) {
            Phase::New(params) => params,
            started => {
                self.phase = started;
                return Poll::Ready(Ok(()));
            }
        };
        let params = match params {
            Ok(params) => params,
            Err(error) => return Poll::Ready(Err(CallError::Refused(SendError::InvalidParams(error)))),
        };
        let (method, options) = (self.method.clone(), self.options.clone());
        let started = self
            .inner
            .shared
            .apply(|state| start(state, cx, method, params, options));
        match started {
            Ok(call) => {
                self.phase = Phase::Waiting(call);
                Poll::Ready(Ok(()))
            }
            Err(SendError::Blocked(params)) => {
                self.phase = Phase::New(Ok(params));
                Poll::Pending
            }
            Err(error) => Poll::Ready(Err(refused(error))),
        }
    }

    fn report(&mut self, reports: &VecDeque<RawJson>) {
        let Some(report) = &mut self.on_progress else { return };
        for params in reports.iter().filter_map(|raw| raw.decode().ok()) {
            report(params);
        }
    }
}

fn start(
    state: &mut State,
    cx: &Context<'_>,
    method: MethodName,
    params: Params,
    options: CallOptions,
) -> Result<CallId, SendError> {
    let started = state.machine.client().call(method, params, options);
    match &started {
        Ok(call) => state.begin(*call),
        Err(SendError::Blocked(_)) => state.wait_for_room(cx),
        Err(_) => {}
    }
    started
}

impl<T> Future for Call<T> {
    type Output = Result<T, CallError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        match this.start(cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) => {}
        }
        let Phase::Waiting(call) = this.phase else {
            return Poll::Ready(Err(CallError::Cancelled));
        };
        // Both at once: a driver on another thread may bring progress and the result at any moment.
        let (reports, outcome) = this
            .inner
            .shared
            .with(|state| (state.take_progress(call), state.poll_call(call, cx)));
        this.report(&reports);
        match outcome {
            Poll::Pending => Poll::Pending,
            Poll::Ready(outcome) => {
                this.phase = Phase::Done;
                Poll::Ready(outcome.and_then(|raw| (this.decode)(&raw).map_err(CallError::InvalidReply)))
            }
        }
    }
}

impl<T> Unpin for Call<T> {}

impl<T> Drop for Call<T> {
    fn drop(&mut self) {
        if let Phase::Waiting(call) = self.phase {
            self.inner.shared.apply(|state| state.cancel(call));
        }
    }
}

impl<T> fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("method", &self.method)
            .field("phase", &self.phase)
            .finish_non_exhaustive()
    }
}
