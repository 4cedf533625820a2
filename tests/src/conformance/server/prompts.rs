//! Prompts.

use mcp_proto::handle::server::{ServerBuilder, Typing, completes_prompt};
use mcp_proto::model::{ContentBlock, PromptMessage};
use schemars::JsonSchema;
use serde::Deserialize;

use super::content::PNG;
use super::content::resource;

#[derive(Deserialize, JsonSchema)]
struct Two {
    arg1: String,
    arg2: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Embedded {
    resource_uri: String,
}

pub(super) fn prompts(builder: ServerBuilder) -> ServerBuilder {
    builder
        .prompt(
            "test_simple_prompt",
            "A prompt without arguments",
            || "This is a simple prompt for testing.",
        )
        .prompt(
            "test_prompt_with_arguments",
            "A prompt with two arguments",
            |Two { arg1, arg2 }: Two| format!("Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"),
        )
        .prompt(
            "test_prompt_with_embedded_resource",
            "A prompt with a resource",
            |args: Embedded| {
                let text = "Embedded resource content for testing.";
                vec![
                    PromptMessage::user(resource(&args.resource_uri, "text/plain", text)),
                    PromptMessage::user("Please process the embedded resource above."),
                ]
            },
        )
        .prompt("test_prompt_with_image", "A prompt with an image", || {
            vec![
                PromptMessage::user(ContentBlock::image(PNG, "image/png")),
                PromptMessage::user("Please analyze the image above."),
            ]
        })
        .completion(
            completes_prompt("test_prompt_with_arguments"),
            "arg1",
            |Typing(typed): Typing| vec![format!("{typed}ing"), format!("{typed}ed")],
        )
}
