//! A call in a session, as a future.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use super::loan::{Asking, Loan, Waiting, acquire_options};
use super::shared::Inner;
use crate::handle::client::{Call, CallObserver, Fate, Hearers};
use crate::jsonrpc::{DecodeError, Params, RawJson};
use crate::method::MethodName;
use crate::model::{LoggingLevel, LoggingMessageParams, ProgressParams};
use crate::rpc::{CallError, CallOptions, SendError};

/// A call of a method in the session of a key, a future of its result.
///
/// Nothing happens before the first poll. It then waits for whatever it needs: the session, which it creates where it
/// is not there; room in the outbox; its reply; all of it within its own time. It is made a second time, once, where
/// the session is lost and the server has certainly not acted on it, or it is [`idempotent`](Self::idempotent).
///
/// # Cancel safety
/// Polling it again after another future won a race loses nothing.
///
/// # On drop
/// It is cancelled, and returns at once, as a [`Call`] does. No other call is touched; the creation of the session
/// goes on for all others that wait for it.
#[must_use = "nothing is sent before the first poll"]
pub struct SessionCall<K: Ord, T> {
    inner: Arc<Inner<K>>,
    key: Arc<K>,
    phase: Phase<K>,
    method: MethodName,
    params: Params,
    options: CallOptions,
    /// How much of its time was spent when this was last known.
    spent: Duration,
    /// Whether it was made before, in a session that was lost.
    is_second: bool,
    /// Why it failed then, where the server may have acted on it.
    first: Option<CallError>,
    decode: fn(&RawJson) -> Result<T, DecodeError>,
    hearers: Hearers,
}

#[expect(
    clippy::large_enum_variant,
    reason = "the large variant is what every call is in while it waits for its reply"
)]
enum Phase<K: Ord> {
    /// Nothing has happened, or why nothing can.
    New(Option<DecodeError>),
    /// Waits for the session.
    Waiting(Waiting<K>),
    /// Is made.
    Calling(Call<RawJson>, Loan<K>),
    Done,
}

impl<K: Ord, T> SessionCall<K, T> {
    pub(super) fn new(
        inner: &Arc<Inner<K>>,
        key: &Arc<K>,
        method: MethodName,
        params: Result<Params, DecodeError>,
        decode: fn(&RawJson) -> Result<T, DecodeError>,
    ) -> Self {
        let (params, error) = match params {
            Ok(params) => (params, None),
            Err(error) => (Params::NONE, Some(error)),
        };
        Self {
            inner: inner.clone(),
            key: key.clone(),
            phase: Phase::New(error),
            method,
            params,
            options: CallOptions::default(),
            spent: Duration::ZERO,
            is_second: false,
            first: None,
            decode,
            hearers: (None, None),
        }
    }

    /// How long to wait for the session and the reply together, from the first poll or from the last progress; see
    /// [`Call::timeout`].
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// How long to wait in all, whatever progress there is; see [`Call::max_timeout`].
    pub fn max_timeout(mut self, timeout: Duration) -> Self {
        self.options.max_timeout = Some(timeout);
        self
    }

    /// Asks for progress; see [`Call::on_progress`].
    pub fn on_progress(mut self, report: impl FnMut(ProgressParams) + Send + 'static) -> Self {
        self.options.progress = true;
        self.hearers.0 = Some(Box::new(report));
        self
    }

    /// Asks for log messages; see [`Call::log_level`].
    pub fn log_level(mut self, level: LoggingLevel) -> Self {
        self.options.log_level = Some(level);
        self
    }

    /// Asks for log messages, and hears them; see [`Call::on_log`].
    pub fn on_log(mut self, level: LoggingLevel, log: impl FnMut(LoggingMessageParams) + Send + 'static) -> Self {
        self.hearers.1 = Some(Box::new(log));
        self.log_level(level)
    }

    /// Says that the call does no more harm when it is made twice: it is made again where the connection breaks off
    /// before the answer.
    pub fn idempotent(mut self) -> Self {
        self.options.idempotent = true;
        self
    }

    /// All options at once, in place of those that were set before; see [`Call::options`].
    pub fn options(mut self, options: CallOptions) -> Self {
        // Whoever hears of it has asked for it, in whichever order the two were said.
        let progress = self.hearers.0.is_some() || options.progress;
        self.options = CallOptions { progress, ..options };
        self
    }

    /// So much of its time is spent already.
    pub(crate) fn spend(mut self, spent: Duration) -> Self {
        self.spent = spent;
        self
    }

    /// How much of its time is spent, once it is over.
    pub(crate) fn spent(&self) -> Duration {
        self.spent
    }

    /// Reports to `observer` what the [`options`](Self::options) ask for.
    pub(crate) fn observe(mut self, observer: Arc<dyn CallObserver>) -> Self {
        let logged = observer.clone();
        let progress = move |report| observer.progress(report);
        self.hearers = (
            Some(Box::new(progress)),
            Some(Box::new(move |message| logged.log(message))),
        );
        self
    }

    /// Goes on by one step. `Ready` where the call is over.
    fn step(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<RawJson, CallError>>> {
        match &mut self.phase {
            Phase::New(error) => {
                let error = error.take();
                self.phase = Phase::Done;
                if let Some(error) = error {
                    return Poll::Ready(Some(Err(CallError::Refused(SendError::InvalidParams(error)))));
                }
                let options = acquire_options(&self.options, self.spent);
                match Asking::new(&self.inner, &self.key, &options) {
                    Ok(Asking::Ready(loan)) => self.call(loan, self.spent),
                    Ok(Asking::Waiting(waiting)) => self.phase = Phase::Waiting(waiting),
                    Err(error) => return Poll::Ready(Some(Err(error))),
                }
            }
            Phase::Waiting(waiting) => {
                let outcome = ready!(waiting.poll(cx));
                self.phase = Phase::Done;
                match outcome {
                    Ok((loan, spent)) => self.call(loan, spent),
                    Err(error) => return Poll::Ready(Some(Err(error))),
                }
            }
            Phase::Calling(call, _) => {
                let outcome = ready!(Pin::new(&mut *call).poll(cx));
                let fate = call.fate();
                self.spent = fate.spent;
                // The functions go on to a second attempt, where there is one.
                self.hearers = call.take_hearers();
                let Phase::Calling(_, loan) = core::mem::replace(&mut self.phase, Phase::Done) else {
                    return Poll::Ready(None);
                };
                let Err(error) = outcome else {
                    return Poll::Ready(Some(outcome));
                };
                return self.recover(loan, error, fate);
            }
            Phase::Done => return Poll::Ready(Some(Err(CallError::Cancelled))),
        }
        Poll::Ready(None)
    }

    /// Makes the call, in the session that there is.
    fn call(&mut self, loan: Loan<K>, spent: Duration) {
        let call = loan
            // Copies: a second attempt needs them again.
            .request_raw(self.method.clone(), self.params.clone())
            .options(self.options.clone())
            .heard_by(core::mem::take(&mut self.hearers))
            .spent(spent);
        self.phase = Phase::Calling(call, loan);
    }

    /// Sees what can be done about a call that failed.
    fn recover(&mut self, loan: Loan<K>, error: CallError, fate: Fate) -> Poll<Option<Result<RawJson, CallError>>> {
        let Fate { was_sent, spent } = fate;
        // Else the server may have acted on it, and doing it twice is worse than failing.
        let may_repeat = !was_sent || self.options.idempotent;
        let is_first = !core::mem::replace(&mut self.is_second, true);
        if is_first && was_sent {
            self.first = Some(error.clone());
        }
        match error {
            CallError::Closed(_) if may_repeat && is_first => {
                match loan.replace(&acquire_options(&self.options, spent)) {
                    Ok(waiting) => self.phase = Phase::Waiting(waiting),
                    Err(error) => return Poll::Ready(Some(Err(error))),
                }
            }
            CallError::Closed(_) => {
                // Said here: else the next caller may be given it before the driver has noticed.
                loan.lose();
                // `SessionLost` says that the server has not acted on it, which `Closed` leaves open.
                let error = if was_sent { error } else { CallError::SessionLost };
                return Poll::Ready(Some(Err(error)));
            }
            // Only this exchange broke off: the session is as it was.
            CallError::Disconnected | CallError::Stale if may_repeat && is_first => self.call(loan, spent),
            error => return Poll::Ready(Some(Err(error))),
        }
        Poll::Ready(None)
    }

    /// What becomes of the error: where the second attempt never reached the server, what happened to the first counts,
    /// as the server may have acted on that.
    fn settle(&mut self, error: CallError) -> CallError {
        let first = self.first.take().filter(|_| error.is_unprocessed());
        first.unwrap_or(error)
    }
}

impl<K: Ord, T> Future for SessionCall<K, T> {
    type Output = Result<T, CallError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        loop {
            if let Some(outcome) = ready!(this.step(cx)) {
                let outcome = outcome.map_err(|error| this.settle(error));
                let decoded = outcome.and_then(|raw| (this.decode)(&raw).map_err(CallError::InvalidReply));
                return Poll::Ready(decoded);
            }
        }
    }
}

impl<K: Ord, T> Unpin for SessionCall<K, T> {}

impl<K: Ord, T> fmt::Debug for SessionCall<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionCall")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}
