//! The server fixture: every tool, prompt and resource that the suite asks for.
//!
//! One file per area of the protocol: each adds its tools to the builder. What is not a tool comes from one
//! handler, which passes it on to the area.

mod asking;
mod content;
mod logging;
mod prompts;
mod resources;
mod schemas;
mod triggers;

use mcp_proto::handle::Server;
use mcp_proto::handle::server::{Context, Handler};
use mcp_proto::jsonrpc::ErrorObject;
use mcp_proto::model::{
    CompleteParams, CompleteResult, GetPromptParams, GetPromptResult, Json, ListPromptsResult,
    ListResourceTemplatesResult, ListResourcesResult, PaginatedParams, PromptsCapability, ReadResourceParams,
    ReadResourceResult, ResourcesCapability, ServerCapabilities, SubscribeParams, ToolsCapability, UnsubscribeParams,
};

pub use logging::Sleep;

/// The server. The first tool in its list can be called without arguments, as the suite wants it.
pub fn fixture(sleep: &Sleep) -> Server {
    let builder = Server::builder("mcp-conformance-server", env!("CARGO_PKG_VERSION")).capabilities(capabilities());
    let builder = content::tools(builder);
    let builder = logging::tools(builder, sleep);
    let builder = asking::tools(builder);
    let builder = schemas::tools(builder);
    let builder = triggers::tools(builder);
    builder.handler(Rest).build()
}

fn capabilities() -> ServerCapabilities {
    ServerCapabilities::default()
        .with_tools(ToolsCapability::default().with_list_changed(true))
        .with_prompts(PromptsCapability::default().with_list_changed(true))
        .with_resources(ResourcesCapability::default().with_subscribe(true))
        .with_logging(Json::empty_object())
        .with_completions(Json::empty_object())
}

/// What is no tool.
struct Rest;

impl Handler for Rest {
    async fn list_prompts(&self, _: PaginatedParams, _: Context) -> Result<ListPromptsResult, ErrorObject> {
        Ok(prompts::list())
    }

    async fn get_prompt(&self, params: GetPromptParams, _: Context) -> Result<GetPromptResult, ErrorObject> {
        prompts::get(&params)
    }

    async fn list_resources(&self, _: PaginatedParams, _: Context) -> Result<ListResourcesResult, ErrorObject> {
        Ok(resources::list())
    }

    async fn list_resource_templates(
        &self,
        _: PaginatedParams,
        _: Context,
    ) -> Result<ListResourceTemplatesResult, ErrorObject> {
        Ok(resources::templates())
    }

    async fn read_resource(
        &self,
        params: ReadResourceParams,
        context: Context,
    ) -> Result<ReadResourceResult, ErrorObject> {
        resources::read(&params.uri, &context)
    }

    async fn subscribe(&self, _: SubscribeParams, _: Context) -> Result<(), ErrorObject> {
        Ok(())
    }

    async fn unsubscribe(&self, _: UnsubscribeParams, _: Context) -> Result<(), ErrorObject> {
        Ok(())
    }

    async fn complete(&self, params: CompleteParams, _: Context) -> Result<CompleteResult, ErrorObject> {
        Ok(prompts::complete(&params))
    }
}
