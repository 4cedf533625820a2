//! Prompts.

use mcp_proto::jsonrpc::ErrorObject;
use mcp_proto::model::{
    CompleteParams, CompleteResult, Completion, ContentBlock, GetPromptParams, GetPromptResult, ListPromptsResult,
    Prompt, PromptArgument, PromptMessage, Role,
};

use super::content::PNG;
use super::content::resource;

const PROMPTS: [(&str, &str, &[&str]); 4] = [
    ("test_simple_prompt", "A prompt without arguments", &[]),
    (
        "test_prompt_with_arguments",
        "A prompt with two arguments",
        &["arg1", "arg2"],
    ),
    (
        "test_prompt_with_embedded_resource",
        "A prompt with a resource",
        &["resourceUri"],
    ),
    ("test_prompt_with_image", "A prompt with an image", &[]),
];

pub(super) fn list() -> ListPromptsResult {
    let prompts = PROMPTS.iter().map(|(name, description, arguments)| {
        Prompt::new(*name)
            .with_description(String::from(*description))
            .with_arguments(arguments.iter().map(|name| argument(name)).collect::<Vec<_>>())
    });
    ListPromptsResult::new(prompts.collect::<Vec<_>>())
}

pub(super) fn get(params: &GetPromptParams) -> Result<GetPromptResult, ErrorObject> {
    let messages = match params.name.as_str() {
        "test_simple_prompt" => vec![ContentBlock::text("This is a simple prompt for testing.")],
        "test_prompt_with_arguments" => {
            let (arg1, arg2) = (given(params, "arg1")?, given(params, "arg2")?);
            vec![ContentBlock::text(format!(
                "Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"
            ))]
        }
        "test_prompt_with_embedded_resource" => {
            let uri = given(params, "resourceUri")?;
            vec![
                resource(uri, "text/plain", "Embedded resource content for testing."),
                ContentBlock::text("Please process the embedded resource above."),
            ]
        }
        "test_prompt_with_image" => vec![
            ContentBlock::image(PNG, "image/png"),
            ContentBlock::text("Please analyze the image above."),
        ],
        unknown => return Err(ErrorObject::invalid_params(format!("unknown prompt: {unknown}"))),
    };
    let messages = messages
        .into_iter()
        .map(|content| PromptMessage::new(Role::User, content));
    Ok(GetPromptResult::new(messages.collect::<Vec<_>>()))
}

fn argument(name: &str) -> PromptArgument {
    PromptArgument::new(name).with_required(true)
}

/// An argument that has to be there.
fn given<'a>(params: &'a GetPromptParams, name: &str) -> Result<&'a str, ErrorObject> {
    let argument = params.arguments.as_ref().and_then(|arguments| arguments.get(name));
    argument
        .map(String::as_str)
        .ok_or_else(|| ErrorObject::invalid_params(format!("the argument {name} is missing")))
}

/// Two suggestions that begin with what is there.
pub(super) fn complete(params: &CompleteParams) -> CompleteResult {
    let value = &params.argument.value;
    CompleteResult::new(Completion::new(vec![format!("{value}ing"), format!("{value}ed")]))
}
