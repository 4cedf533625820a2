//! Connecting, and tools.

use mcp_proto::handle::Client;
use mcp_proto::model::CallToolResult;
use serde_json::json;

use crate::conformance::Failure;

/// The handshake. Its server declares nothing that could be asked for after it.
pub(super) async fn connect(client: &Client) -> Result<(), Failure> {
    client.ready().await?;
    Ok(())
}

pub(super) async fn list(client: &Client) -> Result<(), Failure> {
    client.list_tools().await?;
    Ok(())
}

/// Calls a tool without arguments.
pub(super) async fn call(client: &Client, name: &str) -> Result<(), Failure> {
    client.list_tools().await?;
    succeeded(name, &client.call_tool(name, json!({})).await?)
}

/// Calls a tool with two numbers.
pub(super) async fn add_numbers(client: &Client) -> Result<(), Failure> {
    client.list_tools().await?;
    let result = client.call_tool("add_numbers", json!({"a": 2, "b": 3})).await?;
    succeeded("add_numbers", &result)
}

/// Whether the tool of this name did what it was asked for.
pub(super) fn succeeded(name: &str, result: &CallToolResult) -> Result<(), Failure> {
    match result.is_failure() {
        false => Ok(()),
        true => Err(format!("{name} failed: {:?}", result.content).into()),
    }
}

/// Sends back the schema of a tool as it came, to show that nothing of it is lost.
pub(super) async fn echo_schema(client: &Client) -> Result<(), Failure> {
    let tools = client.list_tools().await?;
    let tool = tools.iter().find(|tool| tool.name == "json_schema_2020_12_tool");
    let schema = &tool.ok_or("the server has no json_schema_2020_12_tool")?.input_schema;
    client.call_tool("json_schema_echo", json!({"schema": schema})).await?;
    Ok(())
}
