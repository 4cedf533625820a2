//! The tools of a server.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::ready;

use serde::Serialize;

use super::invocation::{Invocation, Run};
use super::pending::Registered;
use super::{Context, ToolError, ToolOutput, Work};
use crate::jsonrpc::{ErrorObject, RawJson};
use crate::model::{Json, Tool};
use crate::revision::Revision;
use crate::server::ResultBody;
use crate::wire::header::ParamHeaders;

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
        let arguments = invocation.arguments.take().unwrap_or(RawJson::empty_object());
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

/// The tools of a server, in the order they were given, with everything made once that is made of them.
pub(crate) struct Tools {
    registered: Vec<(Arc<dyn Run>, Option<ParamHeaders>)>,
    by_name: BTreeMap<Box<str>, usize>,
    tools: Vec<Tool>,
    /// The first page of `tools/list`, where only these tools are on it.
    modern: RawJson,
    /// The same for revisions whose output schemas are schemas of objects.
    legacy: RawJson,
}

impl Tools {
    /// A later tool takes the place of an earlier one of the same name.
    pub(crate) fn new(all: Vec<Registered<Tool>>) -> Self {
        let mut registered = Vec::new();
        let mut by_name = BTreeMap::new();
        let mut tools: Vec<Tool> = Vec::new();
        for Registered { item: tool, run } in all {
            // A schema with wrong annotations mirrors nothing: clients over HTTP leave such a tool out.
            let params = ParamHeaders::from_schema(tool.input_schema.as_str()).ok();
            let entry = (run, params.filter(|params| !params.is_empty()));
            match by_name.get(tool.name.as_str()).copied() {
                // In the place of the one before: clients see the order in which names came first.
                Some(at) => {
                    if let (Some(old), Some(slot)) = (tools.get_mut(at), registered.get_mut(at)) {
                        *old = tool;
                        *slot = entry;
                    }
                }
                None => {
                    by_name.insert(tool.name.as_str().into(), tools.len());
                    tools.push(tool);
                    registered.push(entry);
                }
            }
        }
        // Written once: the list is asked for by every client, and changes with no request.
        let modern = page(&tools);
        let legacy = page(&tools.iter().map(for_legacy).collect::<Vec<_>>());
        Self {
            registered,
            by_name,
            tools,
            modern,
            legacy,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.tools.is_empty()
    }

    /// What runs when the tool of this name is called.
    pub(crate) fn find(&self, name: &str) -> Option<&dyn Run> {
        let at = self.by_name.get(name)?;
        self.registered.get(*at).map(|(run, _)| &**run)
    }

    /// The parameters of a tool that are mirrored into headers.
    pub(crate) fn param_headers(&self, name: &str) -> Option<&ParamHeaders> {
        let at = self.by_name.get(name)?;
        self.registered.get(*at)?.1.as_ref()
    }

    /// The result of `tools/list`, where these are all tools there are.
    pub(crate) fn page(&self, revision: Revision) -> ResultBody {
        ResultBody::plain(match revision.has_structured_values() {
            true => self.modern.clone(),
            false => self.legacy.clone(),
        })
    }

    /// The tools as a client of `revision` may see them.
    pub(crate) fn list(&self, revision: Revision) -> Vec<Tool> {
        match revision.has_structured_values() {
            true => self.tools.clone(),
            false => self.tools.iter().map(for_legacy).collect(),
        }
    }
}

fn page(tools: &[Tool]) -> RawJson {
    #[derive(Serialize)]
    struct Page<'a> {
        tools: &'a [Tool],
    }
    RawJson::from_serialize(&Page { tools }).unwrap_or(RawJson::empty_object())
}

/// Before 2026-07-28 an output schema is one of an object.
fn for_legacy(tool: &Tool) -> Tool {
    let is_object = |schema: &Json| {
        let schema: Option<serde_json::Value> = schema.decode().ok();
        schema.is_some_and(|schema| schema.get("type").and_then(|kind| kind.as_str()) == Some("object"))
    };
    Tool {
        output_schema: tool.output_schema.clone().filter(is_object),
        ..tool.clone()
    }
}
