//! A call as a future.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::blocked::Ticket;
use super::observer::CallObserver;
use super::shared::{Inner, State, refused};
use super::slots::{Fate, Report};
use crate::client::Incident;
use crate::jsonrpc::{DecodeError, Params, RawJson, SkippedEntry, result_type};
use crate::method::MethodName;
use crate::model::{InputRequiredResult, Json, LoggingLevel, LoggingMessageParams, Map, ProgressParams};
use crate::revision::Revision;
use crate::rpc::{CallError, CallId, CallOptions, OnBehalfOf, SendError};

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
    fate: Fate,
    decode: Decode<T>,
    /// What reads a result that is none yet, where each round is wanted.
    decode_round: Option<Decode<T>>,
    on_progress: Option<Hear<ProgressParams>>,
    on_log: Option<Hear<LoggingMessageParams>>,
    /// What hears of everything that comes with it, as it came.
    on_report: Option<Hear<Report>>,
}

/// Reads a result, and says what of it was left out.
pub(in crate::handle) type Decode<T> = fn(&RawJson) -> Result<(T, Vec<SkippedEntry>), DecodeError>;

/// What hears of something that comes for a call before its result.
type Hear<T> = Box<dyn FnMut(T) + Send>;

/// What hears of progress, and of log messages.
pub(in crate::handle) type Hearers = (Option<Hear<ProgressParams>>, Option<Hear<LoggingMessageParams>>);

#[derive(Debug)]
enum Phase {
    /// Not sent, with the parameters or why there are none.
    New(Result<Params, DecodeError>),
    /// Waits for room in the outbox.
    Blocked(Ticket),
    Waiting(CallId),
    Done,
}

impl<T> Call<T> {
    pub(super) fn new(
        inner: Arc<Inner>,
        method: MethodName,
        params: Result<Params, DecodeError>,
        decode: Decode<T>,
    ) -> Self {
        let options = CallOptions::default();
        Self {
            inner,
            phase: Phase::New(params),
            method,
            options,
            fate: Fate::default(),
            decode,
            decode_round: None,
            on_progress: None,
            on_log: None,
            on_report: None,
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

    /// Asks the server, whatever is kept of what it answered before.
    pub fn uncached(mut self) -> Self {
        self.options.cached = false;
        self
    }

    /// Asks for progress. The function is called in the task that polls the call, in the order of the reports
    /// and before the result. A slow task loses the oldest reports past
    /// [`Limits::notifications`](crate::Limits::notifications), and past
    /// [`Limits::total_bytes`](crate::Limits::total_bytes) in all handles of the client.
    pub fn on_progress(mut self, report: impl FnMut(ProgressParams) + Send + 'static) -> Self {
        self.options.progress = true;
        self.on_progress = Some(Box::new(report));
        self
    }

    /// Asks a server of 2026-07-28 for log messages of this request, at or above `level`. They come as
    /// [notifications](super::Client::notifications).
    pub fn log_level(mut self, level: LoggingLevel) -> Self {
        self.options.log_level = Some(level);
        self
    }

    /// The same, with a function for those messages of which it is certain that they belong to this call. It is
    /// called as that of [`on_progress`](Self::on_progress), in the same order.
    ///
    /// A log message names no call. Over HTTP one that comes in the response to a call belongs to it, in either era
    /// (a legacy server is asked for a level with `logging/setLevel`, for the whole session). On a byte stream nothing
    /// tells, and the function is never called: there all messages come as
    /// [notifications](super::Client::notifications) alone.
    pub fn on_log(mut self, level: LoggingLevel, log: impl FnMut(LoggingMessageParams) + Send + 'static) -> Self {
        self.on_log = Some(Box::new(log));
        self.log_level(level)
    }

    /// Says that the call does no more harm when it is made twice; see [`CallOptions::idempotent`].
    pub fn idempotent(mut self) -> Self {
        self.options.idempotent = true;
        self
    }

    /// Makes the call on behalf of somebody; see [`CallOptions::with_on_behalf_of`].
    pub fn on_behalf_of(mut self, client: OnBehalfOf) -> Self {
        self.options.on_behalf_of = Some(client);
        self
    }

    /// With answers to what the server has asked for in an earlier round ([`by_round`](Self::by_round)): `inputs`, each under the
    /// key of its request, and what the server wants back.
    pub fn answering(mut self, inputs: &Map<Json>, required: &InputRequiredResult) -> Self {
        let state = required.request_state.as_ref();
        let state = state.and_then(|state| RawJson::from_serialize(state).ok());
        if let Phase::New(Ok(params)) = &mut self.phase {
            *params = params.answering(Some(inputs), state.as_ref());
        }
        self
    }

    /// All options at once, in place of those that were set before. Progress is asked for where they say so, or
    /// where there is a function for it.
    pub fn options(mut self, options: CallOptions) -> Self {
        let progress = self.on_progress.is_some() || options.progress;
        let by_round = self.options.by_round || options.by_round;
        self.options = CallOptions {
            progress,
            by_round,
            ..options
        };
        self
    }

    /// Tells `observer` what the [`options`](Self::options) ask for.
    pub(crate) fn observe(mut self, observer: Arc<dyn CallObserver>) -> Self {
        let logged = observer.clone();
        self.on_progress = Some(Box::new(move |report| observer.progress(report)));
        self.on_log = Some(Box::new(move |message| logged.log(message)));
        self
    }

    /// Has all that comes with it heard as it came, and in its order.
    pub(in crate::handle) fn on_report(mut self, hear: impl FnMut(Report) + Send + 'static) -> Self {
        self.on_report = Some(Box::new(hear));
        self
    }

    /// So much of its time is spent already.
    pub(crate) fn spent(mut self, spent: Duration) -> Self {
        self.fate.spent = spent;
        self
    }

    /// Has it heard by what has heard another call.
    pub(in crate::handle) fn heard_by(mut self, (on_progress, on_log): Hearers) -> Self {
        (self.on_progress, self.on_log) = (on_progress, on_log);
        self
    }

    /// What hears of its progress and its log messages, to be given to another call.
    pub(in crate::handle) fn take_hearers(&mut self) -> Hearers {
        (self.on_progress.take(), self.on_log.take())
    }

    /// What notifications that come with the call name it by
    /// ([`ServerNotification::related`](crate::client::ServerNotification::related)). `None` before it is sent or queued for
    /// that, thus before its first poll, and after its end.
    #[must_use]
    pub fn id(&self) -> Option<CallId> {
        match self.phase {
            Phase::Waiting(call) => Some(call),
            Phase::New(_) | Phase::Blocked(_) | Phase::Done => None,
        }
    }

    /// How far the call came, once it is over.
    pub(crate) fn fate(&self) -> Fate {
        self.fate
    }

    /// Makes the call: sends it, or queues for room. Whether it was made now.
    fn start(&mut self, cx: &Context<'_>) -> Result<bool, CallError> {
        // Where it cannot be begun, dropping it has nothing to undo.
        let params = match core::mem::replace(&mut self.phase, Phase::Done) {
            Phase::New(params) => params,
            started => {
                self.phase = started;
                return Ok(false);
            }
        };
        let params = params.map_err(|error| CallError::Refused(SendError::InvalidParams(error)))?;
        let (method, options, spent) = (&self.method, &self.options, self.fate.spent);
        let hears_asides = self.on_report.is_some();
        self.phase = self
            .inner
            .shared
            .apply(|state| {
                let phase = start(state, cx, method, params, options, spent)?;
                if let Phase::Waiting(call) = phase
                    && hears_asides
                {
                    state.hear_asides(call);
                }
                Ok(phase)
            })
            .map_err(refused)?;
        Ok(true)
    }

    /// The call as the machine knows it, once there was room for it.
    fn poll_made(&mut self, cx: &Context<'_>) -> Poll<Result<CallId, CallError>> {
        let ticket = match self.phase {
            Phase::Waiting(call) => return Poll::Ready(Ok(call)),
            Phase::Blocked(ticket) => ticket,
            Phase::New(_) | Phase::Done => return Poll::Ready(Err(CallError::Cancelled)),
        };
        let (made, spent) = ready!(self.inner.shared.with(|state| state.poll_room(ticket, cx)));
        self.fate.spent = spent;
        self.phase = match &made {
            Ok(call) => {
                if self.on_report.is_some() {
                    self.inner.shared.with(|state| state.hear_asides(*call));
                }
                Phase::Waiting(*call)
            }
            Err(_) => Phase::Done,
        };
        Poll::Ready(made)
    }

    fn report(&mut self, reports: VecDeque<Report>) {
        if let Some(on_report) = &mut self.on_report {
            return reports.into_iter().for_each(on_report);
        }
        for report in &reports {
            match report {
                Report::Aside(_) => {}
                Report::Progress(params) => {
                    if let (Some(on_progress), Ok(params)) = (&mut self.on_progress, params.decode()) {
                        on_progress(params);
                    }
                }
                Report::Log(params) => {
                    if let (Some(on_log), Ok(message)) = (&mut self.on_log, params.decode::<LoggingMessageParams>())
                        // A legacy server sends what the whole session asked for, which may be more.
                        && self
                            .options
                            .log_level
                            .as_ref()
                            .is_some_and(|level| message.level >= *level)
                    {
                        on_log(message);
                    }
                }
            }
        }
    }
}

impl<T: DeserializeOwned> Call<T> {
    /// Gives each round, in place of answering what the server asks for: a call whose server needs input (2026-07-28, Multi
    /// Round-Trip Requests) ends with that. The next round is another call, with [`answering`](Self::answering).
    ///
    /// ```
    /// # use mcp_proto::{handle::{Client, client::Round}, model::{ElicitResult, Json, Map}, rpc::CallError};
    /// # async fn book(client: &Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut call = client.call_tool("book", ()).by_round();
    /// let result = loop {
    ///     match call.await? {
    ///         Round::Complete(result) => break result,
    ///         Round::InputRequired(required) => {
    ///             let asked = required.input_requests.iter().flat_map(|requests| requests.iter());
    ///             let declined = Json::from_serialize(&ElicitResult::decline())?;
    ///             let inputs: Map<Json> = asked.map(|(key, _)| (key, declined.clone())).collect();
    ///             call = client.call_tool("book", ()).answering(&inputs, &required).by_round();
    ///         }
    ///     }
    /// };
    /// # drop(result);
    /// # Ok(())
    /// # }
    /// ```
    pub fn by_round(mut self) -> Call<Round<T>> {
        self.options.by_round = true;
        Call {
            inner: self.inner.clone(),
            phase: core::mem::replace(&mut self.phase, Phase::Done),
            method: self.method.clone(),
            options: self.options.clone(),
            fate: self.fate,
            decode: |raw| {
                let (result, skipped) = raw.decode_leniently()?;
                Ok((Round::Complete(result), skipped))
            },
            decode_round: Some(|raw| {
                let (required, skipped) = raw.decode_leniently()?;
                Ok((Round::InputRequired(required), skipped))
            }),
            on_progress: self.on_progress.take(),
            on_log: self.on_log.take(),
            on_report: self.on_report.take(),
        }
    }
}

/// What one round of a call has come to.
#[derive(Clone, Debug, PartialEq)]
pub enum Round<T> {
    /// The result.
    Complete(T),
    /// The server needs input first.
    InputRequired(InputRequiredResult),
}

/// The parameters of a call of the tool `name`. They are an object or nothing, and never `null`.
pub(in crate::handle) fn tool_params<A: Serialize>(name: &str, arguments: A) -> Result<Params, DecodeError> {
    #[derive(Serialize)]
    struct CallTool<'a, A> {
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        arguments: Option<A>,
    }
    let arguments = Some(arguments);
    let mut params = RawJson::from_serialize(&CallTool { name, arguments })?;
    // They come last: nothing else can end so.
    if params.as_bytes().ends_with(br#""arguments":null}"#) {
        params = RawJson::from_serialize(&CallTool::<()> { name, arguments: None })?;
    }
    Ok(Params::of_named(params))
}

fn start(
    state: &mut State,
    cx: &Context<'_>,
    method: &MethodName,
    params: Params,
    options: &CallOptions,
    spent: Duration,
) -> Result<Phase, SendError> {
    match state.machine.client().call(method.clone(), params, options.clone()) {
        Ok(call) => {
            state.begin(call, spent, cx.waker().clone());
            Ok(Phase::Waiting(call))
        }
        Err(SendError::Blocked(params)) => {
            let ticket = state.wait_for_room(cx, method.clone(), params, options.clone(), spent);
            Ok(Phase::Blocked(ticket))
        }
        Err(error) => Err(error),
    }
}

impl<T> Future for Call<T> {
    type Output = Result<T, CallError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        match this.start(cx) {
            // Whatever comes for it, its room included, wakes the task of `cx`.
            Ok(true) => return Poll::Pending,
            Ok(false) => {}
            Err(error) => return Poll::Ready(Err(error)),
        }
        let call = match ready!(this.poll_made(cx)) {
            Ok(call) => call,
            Err(error) => return Poll::Ready(Err(error)),
        };
        // Both at once: a driver on another thread may bring progress and the result at any moment.
        let (reports, outcome) = this.inner.shared.take(|state| state.poll_call(call, cx));
        // Outside of the lock: the functions are the caller's, and may make calls.
        this.report(reports);
        match outcome {
            Poll::Pending => Poll::Pending,
            Poll::Ready((outcome, fate)) => {
                this.phase = Phase::Done;
                this.fate = fate;
                // Outside of the lock as well: a result may be large.
                let read = outcome.and_then(|raw| this.decoder(&raw)(&raw).map_err(CallError::InvalidReply));
                Poll::Ready(read.map(|(value, skipped)| {
                    this.tell_skipped(skipped);
                    value
                }))
            }
        }
    }
}

impl<T> Call<T> {
    /// What reads a result.
    fn decoder(&self, raw: &RawJson) -> Decode<T> {
        let Some(decode_round) = self.decode_round else {
            return self.decode;
        };
        // In a legacy result, `resultType` is a member like any other.
        let is_modern = self
            .inner
            .shared
            .look(State::revision)
            .is_some_and(Revision::is_stateless);
        let is_round = is_modern && result_type(raw).is_ok_and(|kind| kind.as_deref() == Some("input_required"));
        if is_round { decode_round } else { self.decode }
    }

    /// A part of the result could not be read.
    fn tell_skipped(&self, skipped: Vec<SkippedEntry>) {
        if skipped.is_empty() {
            return;
        }
        let method = &self.method;
        self.inner.shared.with(|state| {
            for entry in skipped {
                let method = method.clone();
                state.happened(Incident::EntrySkipped { method, entry });
            }
        });
    }
}

impl<T> Unpin for Call<T> {}

impl<T> Drop for Call<T> {
    fn drop(&mut self) {
        match self.phase {
            // The driver is woken: it may have to tell the server, and there may be room for others.
            Phase::Waiting(call) => self.inner.shared.apply(|state| state.cancel(call)),
            Phase::Blocked(ticket) => self.inner.shared.apply(|state| state.leave(ticket)),
            Phase::New(_) | Phase::Done => {}
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
