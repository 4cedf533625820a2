//! Tools that read their arguments themselves.

use alloc::boxed::Box;
use core::future::ready;

use super::invocation::{Arguments, Invocation, Run};
use super::{Context, ToolError, ToolOutput, Work};
use crate::jsonrpc::{ErrorObject, RawJson};
use crate::model::{Json, Tool};
use crate::revision::Revision;
use crate::server::ResultBody;

/// A handler that takes the arguments as they came.
pub(crate) struct RawRun<F>(pub(crate) F);

impl<F, Fut, O> Run for RawRun<F>
where
    F: Fn(RawJson, Context) -> Fut + Send + Sync,
    Fut: Future<Output = Result<O, ToolError>> + Send + 'static,
    O: ToolOutput,
{
    fn run(&self, mut invocation: Invocation) -> Work {
        let revision = invocation.revision;
        let arguments = match &invocation.arguments {
            Arguments::Json(Some(arguments)) => arguments.clone(),
            _ => RawJson::empty_object(),
        };
        let Some(context) = invocation.context() else {
            return Box::pin(ready(Err(ErrorObject::internal("nobody calls"))));
        };
        let future = (self.0)(arguments, context);
        Box::pin(async move { outcome(future.await, revision) })
    }
}

/// What a tool's handler has returned, as the outcome of the request.
pub(crate) fn outcome<O: ToolOutput>(
    output: Result<O, ToolError>,
    revision: Revision,
) -> Result<ResultBody, ErrorObject> {
    output
        .and_then(|output| output.into_body(revision))
        .or_else(ToolError::into_outcome)
}

/// The tool with a schema: it has to be one of an object (Tools, Data Types: MUST), and an empty one says nothing.
pub(super) fn of_object(mut tool: Tool) -> Tool {
    if tool.input_schema.as_str() == "{}" {
        tool.input_schema = Json::parse(r#"{"type":"object"}"#).unwrap_or(tool.input_schema);
    }
    tool
}
