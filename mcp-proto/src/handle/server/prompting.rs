//! What closures of prompts return, and the arguments of prompts from their types.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use serde_json::Value;

use super::ToolError;
use crate::model::{ContentBlock, GetPromptResult, PromptArgument, PromptMessage};

/// What a prompt can be: a text or a [`ContentBlock`] of the user, a [`PromptMessage`], several of them, or a whole
/// [`GetPromptResult`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no prompt",
    label = "this is what the closure returns",
    note = "a prompt is a text (`String`, `&'static str`) or `ContentBlock` of the user, a `PromptMessage`, a `Vec` of \
            them, a `GetPromptResult`, or a `Result` of these and a `ToolError`",
    note = "the error of the `Result` has to be `ToolError`: `?` and `.map_err(ToolError::from)` make one of any error"
)]
pub trait PromptOutput: Send + 'static {
    /// The result of the request.
    ///
    /// # Errors
    /// [`ToolError`] where there is none.
    fn into_prompt(self) -> Result<GetPromptResult, ToolError>;
}

macro_rules! messages {
    ($($ty:ty: |$this:ident| $messages:expr;)*) => {
        $(impl PromptOutput for $ty {
            fn into_prompt(self) -> Result<GetPromptResult, ToolError> {
                let $this = self;
                Ok(GetPromptResult::new($messages))
            }
        })*
    };
}

messages! {
    String: |text| vec![PromptMessage::user(text)];
    &'static str: |text| vec![PromptMessage::user(text)];
    ContentBlock: |block| vec![PromptMessage::user(block)];
    PromptMessage: |message| vec![message];
    Vec<PromptMessage>: |messages| messages;
}

impl PromptOutput for GetPromptResult {
    fn into_prompt(self) -> Result<GetPromptResult, ToolError> {
        Ok(self)
    }
}

/// The arguments of a prompt whose closure takes what `schema` describes: the properties, by their names.
pub(super) fn arguments(schema: &str) -> Vec<PromptArgument> {
    let schema: Value = serde_json::from_str(schema).unwrap_or_default();
    let is_required = |name: &str| {
        let required = schema.get("required").and_then(Value::as_array);
        required.is_some_and(|required| required.iter().any(|it| it == name))
    };
    let text = |property: &Value, key: &str| property.get(key).and_then(Value::as_str).map(String::from);
    let properties = schema.get("properties").and_then(Value::as_object);
    let arguments = properties.into_iter().flatten().map(|(name, property)| {
        let mut argument = PromptArgument::new(name.as_str()).with_required(is_required(name));
        argument.title = text(property, "title");
        argument.description = text(property, "description");
        argument
    });
    arguments.collect()
}
