//! The headers that mirror a request (2026-07-28).

use mcp_proto::handle::Client;
use mcp_proto::model::request::{GetPrompt, ListPrompts, ListResources, ReadResource};
use mcp_proto::model::{GetPromptParams, PaginatedParams, ReadResourceParams};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::conformance::Failure;
use crate::conformance::client::Assignment;

/// One request of each kind whose headers say what it asks for.
pub(super) async fn standard(client: &Client) -> Result<(), Failure> {
    for tool in &client.list_tools().await? {
        client.call_tool(&tool.name, json!({})).await?;
    }
    let page = PaginatedParams::default();
    for resource in client.request::<ListResources>(&page).await?.resources {
        client
            .request::<ReadResource>(&ReadResourceParams::new(resource.uri))
            .await?;
    }
    for prompt in client.request::<ListPrompts>(&page).await?.prompts {
        client.request::<GetPrompt>(&GetPromptParams::new(prompt.name)).await?;
    }
    Ok(())
}

/// The calls that the context names, whose arguments travel in headers as well.
pub(super) async fn custom(client: &Client, assignment: &Assignment) -> Result<(), Failure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Calls {
        tool_calls: Vec<ToolCall>,
    }
    #[derive(Deserialize)]
    struct ToolCall {
        name: String,
        arguments: Value,
    }
    let calls: Calls = assignment.context()?;
    client.list_tools().await?;
    for call in calls.tool_calls {
        client.call_tool(&call.name, call.arguments).await?;
    }
    Ok(())
}

/// Calls every tool that is offered: those with unusable headers must not be.
pub(super) async fn invalid_tools(client: &Client) -> Result<(), Failure> {
    for tool in &client.list_tools().await? {
        client.call_tool(&tool.name, json!({"region": "us-west1"})).await?;
    }
    Ok(())
}
