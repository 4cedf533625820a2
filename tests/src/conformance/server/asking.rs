//! Tools that need something of the client, whichever era it is of.

use mcp_proto::handle::server::{Context, NoArgs, ServerBuilder, ToolError};
use mcp_proto::method::ClientCapability;
use mcp_proto::model::{
    BooleanSchema, CreateMessageParams, ElicitResult, ElicitSchema, MultiSelectSchema, NumberSchema,
    SingleSelectSchema, StringSchema,
};
use schemars::JsonSchema;
use serde::Deserialize;

pub(super) fn tools(builder: ServerBuilder) -> ServerBuilder {
    builder
        .tool("test_missing_capability", "Needs sampling", missing_capability)
        .tool("test_streaming_elicitation", "Needs elicitation", confirmed)
        .tool("test_sampling", "Has the client sample", sampled)
        .tool("test_elicitation", "Asks the user", elicited)
        .tool(
            "test_elicitation_sep1034_defaults",
            "Asks with defaults",
            async |_: NoArgs, context: Context| {
                let message = "Please review and update the form fields with defaults";
                Ok::<_, ToolError>(completed(&context.elicit(message, defaults()).await?))
            },
        )
        .tool(
            "test_elicitation_sep1330_enums",
            "Asks to choose",
            async |_: NoArgs, context: Context| {
                let message = "Please select options from the enum fields";
                Ok::<_, ToolError>(completed(&context.elicit(message, choices()).await?))
            },
        )
}

async fn missing_capability(context: Context) -> Result<&'static str, ToolError> {
    context.require(ClientCapability::Sampling)?;
    Ok("The client supports sampling")
}

async fn confirmed(context: Context) -> Result<String, ToolError> {
    let form = ElicitSchema::default().optional("ok", BooleanSchema::default());
    Ok(completed(&context.elicit("Please confirm", form).await?))
}

#[derive(Deserialize, JsonSchema)]
struct Sampling {
    /// What to ask the model.
    prompt: String,
}

async fn sampled(args: Sampling, context: Context) -> Result<String, ToolError> {
    let params = CreateMessageParams::prompt(args.prompt, 100);
    let answer = context.sample(&params).await?;
    Ok(format!("LLM response: {}", answer.to_text()))
}

#[derive(Deserialize, JsonSchema)]
struct Elicitation {
    /// What to tell the user.
    message: String,
}

async fn elicited(args: Elicitation, context: Context) -> Result<String, ToolError> {
    let text = |description: &str| StringSchema::default().with_description(String::from(description));
    let form = ElicitSchema::default()
        .required("username", text("User's response"))
        .required("email", text("User's email address"));
    Ok(completed(&context.elicit(args.message, form).await?))
}

/// Says what the user did.
fn completed(answer: &ElicitResult) -> String {
    let content = answer.content.as_ref().map_or("{}", |content| content.as_str());
    format!("Elicitation completed: action={}, content={content}", answer.action)
}

fn defaults() -> ElicitSchema {
    let status = SingleSelectSchema::of(["active", "inactive", "pending"]).with_default(String::from("active"));
    ElicitSchema::default()
        .optional("name", StringSchema::default().with_default(String::from("John Doe")))
        .optional("age", NumberSchema::integer().with_default(30.0))
        .optional("score", NumberSchema::number().with_default(95.5))
        .optional("status", status)
        .optional("verified", BooleanSchema::default().with_default(true))
}

fn choices() -> ElicitSchema {
    let options = ["option1", "option2", "option3"];
    let titled = [
        ("value1", "First Option"),
        ("value2", "Second Option"),
        ("value3", "Third Option"),
    ];
    let names = ["Option One", "Option Two", "Option Three"].map(String::from);
    let legacy = SingleSelectSchema::of(["opt1", "opt2", "opt3"]).with_names(Vec::from(names));
    ElicitSchema::default()
        .optional("untitledSingle", SingleSelectSchema::of(options))
        .optional("titledSingle", SingleSelectSchema::titled(titled))
        .optional("legacyEnum", legacy)
        .optional("untitledMulti", MultiSelectSchema::of(options))
        .optional("titledMulti", MultiSelectSchema::titled(titled))
}
