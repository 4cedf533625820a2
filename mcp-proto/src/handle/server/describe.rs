//! What clients are told of closures, from their types.

use alloc::string::String;

use super::extract::Takes;
use super::function::HandlerFn;
use super::prompting::arguments;
use super::returns::Returns;
use super::{ForPrompt, ForTool, NoArgs};
use crate::model::{Json, Prompt, Tool};

/// A tool whose schemas are still to be made.
pub(super) fn tool(name: String, description: String) -> Tool {
    Tool::new(name, Json::empty_object()).with_description(description)
}

/// The tool with the schemas that it lacks.
pub(super) fn typed_tool_of<F, M>(mut tool: Tool, _: &F) -> Tool
where
    F: HandlerFn<ForTool, M, Taken: Takes, Returned: Returns<ForTool>>,
{
    if tool.input_schema.as_str() == "{}" {
        let schema = F::Taken::schema().unwrap_or_else(NoArgs::schema_of_none);
        tool.input_schema = Json::parse(schema).unwrap_or(tool.input_schema);
    }
    tool.output_schema = tool
        .output_schema
        .or_else(|| Json::parse(F::Returned::output_schema()?).ok());
    tool
}

/// The prompt with the arguments that it lacks.
pub(super) fn typed_prompt_of<F, M>(mut prompt: Prompt, _: &F) -> Prompt
where
    F: HandlerFn<ForPrompt, M, Taken: Takes>,
{
    let made = || F::Taken::schema().map(|schema| arguments(&schema));
    prompt.arguments = prompt.arguments.or_else(made).filter(|arguments| !arguments.is_empty());
    prompt
}
