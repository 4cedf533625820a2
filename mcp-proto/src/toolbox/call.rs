//! A call of a tool.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use serde::Serialize;

use super::error::{FindToolError, ToolCallError};
use super::observer::Functions;
use super::origin::ToolOrigin;
use super::servers::{Found, Lookup, find};
use super::source::{CallRequest, SourceFuture, ToolSource};
use super::target::{Target, pick};
use crate::client::ToolList;
use crate::handle::client::Answered;
use crate::jsonrpc::{DecodeError, ErrorCode, Params, RawJson};
use crate::method::Method;
use crate::model::{
    CallToolParams, CallToolResult, Json, JsonError, LoggingLevel, LoggingMessageParams, Meta, ProgressParams,
};
use crate::rpc::{CallError, CallOptions, SendError};

type Finding = Pin<Box<dyn Future<Output = Result<(Found, Duration), FindToolError>> + Send>>;

/// A call of a tool, a future of its result.
///
/// Nothing is sent before the first poll, so that the call can be shaped first. Its time runs from then on, and holds
/// whatever it needs: a session, a handshake, its answer; and a list of tools, where one is needed: before the call,
/// where a box has to ask several servers whose tool it is, and after it, where the server refuses it (−32602, −32601),
/// to tell a tool that is not there from arguments that are wrong.
///
/// # Cancel safety
/// Polling it again after another future won a race loses nothing.
///
/// # On drop
/// A call that is dropped before its result is cancelled, and returns at once; the server is told.
#[must_use = "nothing is sent before the first poll"]
pub struct ToolCall {
    target: Target,
    arguments: Result<Option<Json>, JsonError>,
    meta: Option<Meta>,
    options: CallOptions,
    functions: Functions,
    phase: Phase,
}

enum Phase {
    New,
    Finding(Finding),
    Calling(Arc<dyn ToolSource>, ToolOrigin, SourceFuture<RawJson>),
    /// The server does not like the call: whether there is such a tool shows in the list.
    Doubting(ToolOrigin, CallError, SourceFuture<ToolList>),
    Done,
}

impl ToolCall {
    pub(super) fn new<A: Serialize>(target: Target, arguments: A) -> Self {
        Self {
            target,
            arguments: Json::from_serialize(&arguments).and_then(to_arguments),
            meta: None,
            options: CallOptions::default(),
            functions: Functions::default(),
            phase: Phase::New,
        }
    }

    /// How long to wait for the result, from the first poll or from the last progress, in place of
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

    /// Asks for progress. The function hears of the progress of this call alone, in the order of the server and before
    /// the result, in the task that polls the call.
    pub fn on_progress(mut self, hear: impl FnMut(ProgressParams) + Send + 'static) -> Self {
        self.options.progress = true;
        self.functions.set_progress(Box::new(hear));
        self
    }

    /// Asks for log messages at or above `level`. The function hears of those that certainly belong to this call; which
    /// are those over HTTP, see [`Call::on_log`](crate::handle::client::Call::on_log).
    pub fn on_log(mut self, level: LoggingLevel, hear: impl FnMut(LoggingMessageParams) + Send + 'static) -> Self {
        self.options.log_level = Some(level);
        self.functions.set_log(Box::new(hear));
        self
    }

    /// What the call carries in its `_meta`, in place of what was set before. The keys that the protocol sets itself
    /// stay its own.
    pub fn meta(mut self, meta: Meta) -> Self {
        self.meta = Some(meta);
        self
    }

    /// Says that the call does no more harm when it is made twice, so that a pool may make it again where its session
    /// broke off before the answer; see [`CallOptions::idempotent`].
    pub fn idempotent(mut self) -> Self {
        self.options.idempotent = true;
        self
    }

    /// Asks for progress and log messages, and says by which functions they are heard.
    pub(super) fn hear(&mut self, level: Option<LoggingLevel>) -> &mut Functions {
        self.options.progress = true;
        self.options.log_level = level;
        &mut self.functions
    }

    /// Finds the tool, or begins to.
    fn start(&mut self) -> Result<Phase, ToolCallError> {
        let (servers, name) = match &self.target {
            Target::Known(found) => return self.begin(found.clone(), Duration::ZERO),
            Target::InBox { servers, name } => (servers.clone(), name.clone()),
        };
        match servers.look_up(&name)? {
            Lookup::Found(found) => self.begin(found, Duration::ZERO),
            Lookup::Candidates(candidates) => {
                let options = self.options.clone();
                Ok(Phase::Finding(Box::pin(find(servers, name, candidates, options))))
            }
        }
    }

    /// Makes the call, in what is left of the time.
    fn begin(&mut self, found: Found, spent: Duration) -> Result<Phase, ToolCallError> {
        let Found { source, origin, .. } = found;
        let params = match self.params(&origin) {
            Ok(params) => params,
            Err(error) => {
                let error = CallError::Refused(SendError::InvalidParams(error));
                return Err(ToolCallError::Call { tool: origin, error });
            }
        };
        let mut request = CallRequest::new(Method::CallTool, params);
        request.options = self.options.clone();
        request.spent = spent;
        // Handed on once: they are of one call, which is made once.
        let functions = core::mem::take(&mut self.functions);
        if !functions.is_empty() {
            request.observer = Some(Arc::new(functions));
        }
        let call = source.call(request);
        Ok(Phase::Calling(source, origin, call))
    }

    fn params(&mut self, origin: &ToolOrigin) -> Result<Params, DecodeError> {
        let arguments = core::mem::replace(&mut self.arguments, Ok(None));
        let mut params = CallToolParams::new(&*origin.tool);
        params.arguments = arguments.map_err(|error| DecodeError::new(&error))?;
        params.meta = self.meta.take();
        Params::from_serialize(&params)
    }

    fn poll_outcome(&mut self, cx: &mut Context<'_>) -> Poll<Result<CallToolResult, ToolCallError>> {
        loop {
            self.phase = match &mut self.phase {
                Phase::New => self.start()?,
                Phase::Finding(finding) => {
                    let (found, spent) = ready!(finding.as_mut().poll(cx))?;
                    self.begin(found, spent)?
                }
                Phase::Calling(source, origin, call) => {
                    let Answered { outcome, spent } = ready!(call.as_mut().poll(cx));
                    match outcome {
                        Err(error) if is_doubtful(&error) => {
                            // Within the time of the call; what it asks for besides is not the list's.
                            let options = CallOptions {
                                timeout: self.options.timeout,
                                max_timeout: self.options.max_timeout,
                                ..CallOptions::default()
                            };
                            Phase::Doubting(origin.clone(), error, source.tools(options, spent))
                        }
                        outcome => return Poll::Ready(read(origin, outcome)),
                    }
                }
                Phase::Doubting(origin, error, list) => {
                    let list = ready!(list.as_mut().poll(cx)).outcome;
                    // Where there is no list either, the first error says more.
                    let absent = list.ok().and_then(|list| pick(&list, origin).err());
                    let (tool, error) = (origin.clone(), error.clone());
                    return Poll::Ready(Err(match absent {
                        Some(absent) => absent.into(),
                        None => ToolCallError::Call { tool, error },
                    }));
                }
                Phase::Done => {
                    // Polled after its outcome: an error, and no panic.
                    return Poll::Ready(Err(ToolCallError::Call {
                        tool: self.target.origin(),
                        error: CallError::Cancelled,
                    }));
                }
            };
        }
    }
}

/// The arguments of a call: an object or nothing.
fn to_arguments(json: Json) -> Result<Option<Json>, JsonError> {
    match json.is_null() {
        true => Ok(None),
        false if json.is_object() => Ok(Some(json)),
        false => Err(JsonError::custom("arguments must be an object")),
    }
}

/// Whether an error may mean that there is no such tool: nothing tells that from arguments that are wrong (Tools, Error
/// Handling).
fn is_doubtful(error: &CallError) -> bool {
    let code = error.rpc_code();
    code == Some(ErrorCode::INVALID_PARAMS) || code == Some(ErrorCode::METHOD_NOT_FOUND)
}

/// What became of a call.
fn read(tool: &ToolOrigin, outcome: Result<RawJson, CallError>) -> Result<CallToolResult, ToolCallError> {
    let result = outcome.and_then(|raw| {
        raw.decode_leniently::<CallToolResult>()
            .map_err(CallError::InvalidReply)
    });
    let tool = tool.clone();
    match result {
        Ok((result, _)) if result.is_failure() => Err(ToolCallError::Tool {
            tool,
            result: Box::new(result),
        }),
        Ok((result, _)) => Ok(result),
        Err(error) => Err(ToolCallError::Call { tool, error }),
    }
}

impl Future for ToolCall {
    type Output = Result<CallToolResult, ToolCallError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let outcome = ready!(this.poll_outcome(cx));
        this.phase = Phase::Done;
        Poll::Ready(outcome)
    }
}

impl fmt::Debug for ToolCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolCall")
            .field("tool", &self.target)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
