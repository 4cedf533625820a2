//! Tools that need something of the client.

use mcp_proto::Era;
use mcp_proto::handle::server::{Context, NoArgs, ServerBuilder, ToolError};
use mcp_proto::jsonrpc::{Params, RawJson};
use mcp_proto::method::{ClientCapability, Method};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

pub(super) fn tools(builder: ServerBuilder) -> ServerBuilder {
    builder
        .tool(
            "test_missing_capability",
            "Needs sampling",
            |_: NoArgs, context: Context| async move {
                context.require(ClientCapability::Sampling)?;
                Ok("The client supports sampling")
            },
        )
        .tool(
            "test_streaming_elicitation",
            "Needs elicitation",
            |_: NoArgs, context: Context| async move {
                context.require(ClientCapability::Elicitation)?;
                match context.era() {
                    Era::Legacy => elicit(&context, "Please confirm", json!({"ok": {"type": "boolean"}}), &[]).await,
                    // In this era a server asks by its result, never by a request.
                    Era::Modern => Ok(String::from("The client supports elicitation")),
                }
            },
        )
        .tool(
            "test_sampling",
            "Has the client sample",
            |args: Sampling, context: Context| async move {
                let answer = ask(
                    &context,
                    Method::CreateMessage,
                    json!({
                        "messages": [{"role": "user", "content": {"type": "text", "text": args.prompt}}],
                        "maxTokens": 100,
                    }),
                )
                .await?;
                Ok(format!("LLM response: {}", answer.as_str()))
            },
        )
        .tool(
            "test_elicitation",
            "Asks the user",
            |args: Elicitation, context: Context| async move {
                let text = |description: &str| json!({"type": "string", "description": description});
                let properties = json!({"username": text("User's response"), "email": text("User's email address")});
                elicit(&context, &args.message, properties, &["username", "email"]).await
            },
        )
        .tool(
            "test_elicitation_sep1034_defaults",
            "Asks with defaults",
            |_: NoArgs, context: Context| async move {
                elicit(
                    &context,
                    "Please review and update the form fields with defaults",
                    defaults(),
                    &[],
                )
                .await
            },
        )
        .tool(
            "test_elicitation_sep1330_enums",
            "Asks to choose",
            |_: NoArgs, context: Context| async move {
                elicit(&context, "Please select options from the enum fields", choices(), &[]).await
            },
        )
}

#[derive(Deserialize, JsonSchema)]
struct Sampling {
    /// What to ask the model.
    prompt: String,
}

#[derive(Deserialize, JsonSchema)]
struct Elicitation {
    /// What to tell the user.
    message: String,
}

/// Asks the user to fill in these properties, and says what the user did.
async fn elicit(context: &Context, message: &str, properties: Value, required: &[&str]) -> Result<String, ToolError> {
    let schema = json!({"type": "object", "properties": properties, "required": required});
    let answer = ask(
        context,
        Method::Elicit,
        json!({"message": message, "requestedSchema": schema}),
    )
    .await?;
    Ok(format!("Elicitation completed: {}", answer.as_str()))
}

/// A request of the client, as it stands here: the suite compares schemas to the letter.
async fn ask(context: &Context, method: Method, params: Value) -> Result<RawJson, ToolError> {
    let params = Params::from_serialize(&params)?;
    Ok(context.request_raw(method, params).await?)
}

fn defaults() -> Value {
    json!({
        "name": {"type": "string", "default": "John Doe"},
        "age": {"type": "integer", "default": 30},
        "score": {"type": "number", "default": 95.5},
        "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
        "verified": {"type": "boolean", "default": true},
    })
}

fn choices() -> Value {
    let options = json!(["option1", "option2", "option3"]);
    let titled = json!([
        {"const": "value1", "title": "First Option"},
        {"const": "value2", "title": "Second Option"},
        {"const": "value3", "title": "Third Option"},
    ]);
    json!({
        "untitledSingle": {"type": "string", "enum": options},
        "titledSingle": {"type": "string", "oneOf": titled},
        "legacyEnum": {
            "type": "string",
            "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["Option One", "Option Two", "Option Three"],
        },
        "untitledMulti": {"type": "array", "items": {"type": "string", "enum": options}},
        "titledMulti": {"type": "array", "items": {"anyOf": titled}},
    })
}
