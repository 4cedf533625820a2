//! A server as an object.

use core::future::ready;

use super::{Context, ToolError, not_found};
use crate::jsonrpc::{ErrorObject, Notification, RawJson};
use crate::method::{Method, MethodName};
use crate::model::{
    CallToolParams, CallToolResult, CompleteParams, CompleteResult, GetPromptParams, GetPromptResult,
    ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, LoggingLevel,
    PaginatedParams, ReadResourceParams, ReadResourceResult, ServerCapabilities, SubscribeParams, UnsubscribeParams,
};
use crate::server::ResultBody;

/// What a server offers, as methods of one object.
///
/// Each method has a default, which says that there is no such method; [`capabilities`](Self::capabilities) declares
/// what is there. Tools that were given to the builder as closures come first, and this is asked for the rest.
///
/// A handler is polled in place: one that blocks its thread blocks its connection.
///
/// # Cancel safety
/// When the client cancels a request, the future of its handler is dropped where it waits.
pub trait Handler: Send + Sync + 'static {
    /// What is declared besides the tools of the builder.
    fn capabilities(&self) -> ServerCapabilities {
        ServerCapabilities::default()
    }

    /// Any request, with its parameters as they came, spacing and order included. By default they are decoded, and the
    /// method of this trait that is named after the request is asked.
    ///
    /// For those who pass requests on: [`Params::from_raw`](crate::jsonrpc::Params::from_raw) and
    /// [`ResultBody::from_raw`] take what came here, and what comes back, as it is. A tool of the builder is not asked
    /// for here, and neither is the list of tools, which is joined with that of the builder.
    fn serve(
        &self,
        method: MethodName,
        params: Option<RawJson>,
        context: Context,
    ) -> impl Future<Output = Result<ResultBody, ErrorObject>> + Send {
        dispatch(self, method, params, context)
    }

    /// `tools/list`
    fn list_tools(
        &self,
        params: PaginatedParams,
        context: Context,
    ) -> impl Future<Output = Result<ListToolsResult, ErrorObject>> + Send {
        let _ = (params, context);
        ready(Err(missing(Method::ListTools)))
    }

    /// `tools/call`. An unknown tool is −32602 (Tools, Error Handling).
    fn call_tool(
        &self,
        params: CallToolParams,
        context: Context,
    ) -> impl Future<Output = Result<CallToolResult, ToolError>> + Send {
        let _ = context;
        ready(Err(unknown_tool(&params.name).into()))
    }

    /// `resources/list`
    fn list_resources(
        &self,
        params: PaginatedParams,
        context: Context,
    ) -> impl Future<Output = Result<ListResourcesResult, ErrorObject>> + Send {
        let _ = (params, context);
        ready(Err(missing(Method::ListResources)))
    }

    /// `resources/templates/list`
    fn list_resource_templates(
        &self,
        params: PaginatedParams,
        context: Context,
    ) -> impl Future<Output = Result<ListResourceTemplatesResult, ErrorObject>> + Send {
        let _ = (params, context);
        ready(Err(missing(Method::ListResourceTemplates)))
    }

    /// `resources/read`. For a resource that does not exist see [`resource_not_found`].
    fn read_resource(
        &self,
        params: ReadResourceParams,
        context: Context,
    ) -> impl Future<Output = Result<ReadResourceResult, ErrorObject>> + Send {
        let _ = (params, context);
        ready(Err(missing(Method::ReadResource)))
    }

    /// `resources/subscribe` (legacy era)
    fn subscribe(
        &self,
        params: SubscribeParams,
        context: Context,
    ) -> impl Future<Output = Result<(), ErrorObject>> + Send {
        let _ = (params, context);
        ready(Err(missing(Method::Subscribe)))
    }

    /// `resources/unsubscribe` (legacy era)
    fn unsubscribe(
        &self,
        params: UnsubscribeParams,
        context: Context,
    ) -> impl Future<Output = Result<(), ErrorObject>> + Send {
        let _ = (params, context);
        ready(Err(missing(Method::Unsubscribe)))
    }

    /// `prompts/list`
    fn list_prompts(
        &self,
        params: PaginatedParams,
        context: Context,
    ) -> impl Future<Output = Result<ListPromptsResult, ErrorObject>> + Send {
        let _ = (params, context);
        ready(Err(missing(Method::ListPrompts)))
    }

    /// `prompts/get`
    fn get_prompt(
        &self,
        params: GetPromptParams,
        context: Context,
    ) -> impl Future<Output = Result<GetPromptResult, ErrorObject>> + Send {
        let _ = (params, context);
        ready(Err(missing(Method::GetPrompt)))
    }

    /// `completion/complete`
    fn complete(
        &self,
        params: CompleteParams,
        context: Context,
    ) -> impl Future<Output = Result<CompleteResult, ErrorObject>> + Send {
        let _ = (params, context);
        ready(Err(missing(Method::Complete)))
    }

    /// `logging/setLevel` (legacy era). The level is already kept and applied to this client's messages.
    fn set_level(&self, level: LoggingLevel, context: Context) -> impl Future<Output = Result<(), ErrorObject>> + Send {
        let _ = (level, context);
        ready(Ok(()))
    }

    /// Any other method, with its parameters as they came.
    fn request(
        &self,
        method: MethodName,
        params: Option<RawJson>,
        context: Context,
    ) -> impl Future<Output = Result<ResultBody, ErrorObject>> + Send {
        let _ = (params, context);
        ready(Err(ErrorObject::method_not_found(method.as_str())))
    }

    /// A notification that is not about the protocol itself. It cannot wait for anything.
    fn notification(&self, notification: Notification) {
        let _ = notification;
    }
}

/// The error for a resource that does not exist: −32602 with its URI in the data since 2026-07-28 (Resources, Error
/// Handling), −32002 before.
pub fn resource_not_found(uri: &str, context: &Context) -> ErrorObject {
    not_found(uri, context.revision())
}

/// The error for a tool that does not exist.
pub(super) fn unknown_tool(name: &str) -> ErrorObject {
    unknown("tool", name)
}

/// The error for something that does not exist.
pub(super) fn unknown(kind: &str, name: &str) -> ErrorObject {
    // A peer has chosen it, and at any length it would come back and go into logs.
    let end = name.char_indices().nth(64).map_or(name.len(), |(at, _)| at);
    ErrorObject::invalid_params(alloc::format!(
        "unknown {kind}: {}",
        name.get(..end).unwrap_or_default()
    ))
}

fn missing(method: Method) -> ErrorObject {
    ErrorObject::method_not_found(method.as_str())
}

/// A server of nothing but the tools of its builder.
pub(super) struct Nothing;

impl Handler for Nothing {}

/// Runs the method of `handler` that `method` asks for, with its parameters decoded.
async fn dispatch<H: Handler + ?Sized>(
    handler: &H,
    method: MethodName,
    params: Option<RawJson>,
    context: Context,
) -> Result<ResultBody, ErrorObject> {
    use crate::model::SetLevelParams;
    let Some(known) = method.known() else {
        return handler.request(method, params, context).await;
    };
    let params = params.as_ref();
    match known {
        Method::ListTools => write(&handler.list_tools(read(params)?, context).await?),
        Method::ListResources => write(&handler.list_resources(read(params)?, context).await?),
        Method::ListResourceTemplates => write(&handler.list_resource_templates(read(params)?, context).await?),
        Method::ReadResource => write(&handler.read_resource(read(params)?, context).await?),
        Method::ListPrompts => write(&handler.list_prompts(read(params)?, context).await?),
        Method::GetPrompt => write(&handler.get_prompt(read(params)?, context).await?),
        Method::Complete => write(&handler.complete(read(params)?, context).await?),
        Method::CallTool => match handler.call_tool(read(params)?, context).await {
            Ok(result) => write(&result),
            Err(error) => error.into_outcome(),
        },
        Method::Subscribe => empty(handler.subscribe(read(params)?, context).await),
        Method::Unsubscribe => empty(handler.unsubscribe(read(params)?, context).await),
        Method::SetLevel => empty(handler.set_level(read::<SetLevelParams>(params)?.level, context).await),
        // What the trait has no method for: tasks, and what only other revisions have.
        _ => handler.request(method, params.cloned(), context).await,
    }
}

/// Absent parameters are `{}`.
fn read<T: serde::de::DeserializeOwned>(params: Option<&RawJson>) -> Result<T, ErrorObject> {
    match params {
        Some(params) => Ok(params.decode()?),
        // A request without parameters is one with none of them.
        None => Ok(RawJson::empty_object().decode()?),
    }
}

fn write<T: serde::Serialize>(result: &T) -> Result<ResultBody, ErrorObject> {
    ResultBody::from_serialize(result).map_err(|error| ErrorObject::internal(alloc::format!("{error}")))
}

fn empty(outcome: Result<(), ErrorObject>) -> Result<ResultBody, ErrorObject> {
    outcome.map(|()| ResultBody::EMPTY)
}
