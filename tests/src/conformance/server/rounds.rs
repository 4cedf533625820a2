//! Tools and a prompt that ask in rounds (2026-07-28, Multi Round-Trip Requests).

use futures_util::future::try_join3;
use mcp_proto::handle::server::{Context, NoArgs, ServerBuilder, ToolError};
use mcp_proto::method::ClientCapability;
use mcp_proto::model::{BooleanSchema, CreateMessageParams, ElicitSchema, StringSchema};
use serde::Deserialize;

pub(super) fn offers(builder: ServerBuilder) -> ServerBuilder {
    builder
        .tool("test_input_required_result_elicitation", "Asks for a name", greeting)
        .tool("test_input_required_result_sampling", "Asks the model", capital)
        .tool("test_input_required_result_list_roots", "Asks for the roots", roots)
        .tool("test_input_required_result_request_state", "Keeps a state", stateful)
        .tool("test_input_required_result_tampered_state", "Keeps a state", stateful)
        .tool(
            "test_input_required_result_multiple_inputs",
            "Asks for three things",
            three_things,
        )
        .tool("test_input_required_result_multi_round", "Asks twice", twice)
        .tool(
            "test_input_required_result_capabilities",
            "Asks what can be asked",
            possible,
        )
        .prompt(
            "test_input_required_result_prompt",
            "Asks for its context",
            async |_: NoArgs, context: Context| {
                let form = ElicitSchema::default().required("context", StringSchema::default());
                let ask = context
                    .elicit("What context should the prompt use?", form)
                    .key("user_context");
                let answer: Option<About> = ask.await?.accepted()?;
                let about = answer.map_or_else(|| String::from("nothing"), |answer| answer.context);
                Ok::<_, ToolError>(format!("Use this context: {about}"))
            },
        )
}

#[derive(Deserialize)]
struct About {
    context: String,
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

#[derive(Deserialize)]
struct Color {
    color: String,
}

async fn greeting(context: Context) -> Result<String, ToolError> {
    Ok(format!("Hello, {}!", name(&context, "user_name").await?))
}

/// Asks for a name, under this key.
async fn name(context: &Context, key: &str) -> Result<String, ToolError> {
    let form = ElicitSchema::default().required("name", StringSchema::default());
    let answer = context.elicit("What is your name?", form).key(key).await?;
    let name = answer.accepted::<Name>()?;
    Ok(name.map_or_else(|| String::from("nobody"), |answer| answer.name))
}

async fn model(context: &Context) -> Result<String, ToolError> {
    let params = CreateMessageParams::prompt("What is the capital of France?", 100);
    Ok(context.sample(&params).key("capital_question").await?.to_text())
}

async fn capital(context: Context) -> Result<String, ToolError> {
    model(&context).await
}

async fn root_count(context: &Context) -> Result<usize, ToolError> {
    Ok(context.list_roots().key("client_roots").await?.roots.len())
}

async fn roots(context: Context) -> Result<String, ToolError> {
    Ok(format!("The client has {} roots", root_count(&context).await?))
}

async fn stateful(context: Context) -> Result<String, ToolError> {
    let kept: String = context.once("state", async { String::from("state-ok") }).await?;
    let form = ElicitSchema::default().required("ok", BooleanSchema::default());
    let answer = context.elicit("Please confirm", form).key("confirm").await?;
    Ok(format!("{kept}: {}", answer.action))
}

async fn three_things(context: Context) -> Result<String, ToolError> {
    let asked = try_join3(name(&context, "user_name"), model(&context), root_count(&context));
    let (name, text, roots) = asked.await?;
    Ok(format!("{name} of {roots} roots: {text}"))
}

async fn twice(context: Context) -> Result<String, ToolError> {
    let first = name(&context, "first").await?;
    let form = ElicitSchema::default().required("color", StringSchema::default());
    let answer = context
        .elicit("What is your favorite color?", form)
        .key("second")
        .await?;
    let color = answer.accepted::<Color>()?;
    let color = color.map_or_else(|| String::from("no color"), |answer| answer.color);
    Ok(format!("{first} likes {color}"))
}

async fn possible(context: Context) -> Result<String, ToolError> {
    match context.require(ClientCapability::Elicitation) {
        Ok(()) => greeting(context).await,
        Err(_) => capital(context).await,
    }
}
