//! Tools that pretend that a list has changed, so that those who listen are told.

use mcp_proto::handle::server::{Context, NoArgs, ServerBuilder};
use mcp_proto::jsonrpc::Params;
use mcp_proto::method::Method;

pub(super) fn tools(builder: ServerBuilder) -> ServerBuilder {
    let builder = trigger(builder, "test_trigger_tool_change", Method::ToolListChangedNotification);
    trigger(
        builder,
        "test_trigger_prompt_change",
        Method::PromptListChangedNotification,
    )
}

fn trigger(builder: ServerBuilder, name: &str, notification: Method) -> ServerBuilder {
    let description = format!("Sends {notification} to everyone who listens");
    builder.tool(name, description, move |_: NoArgs, context: Context| async move {
        context.server().notify(notification, Params::default())?;
        Ok("Everyone was told")
    })
}
