//! What closures of completions know and return.

use alloc::string::String;
use alloc::vec::Vec;

use super::ToolError;
use crate::model::{CompleteResult, Completion, CompletionReference, PromptReference, ResourceTemplateReference};

/// Most values of one answer (Completion, Data Types: MUST NOT exceed 100).
const MOST: usize = 100;

/// An argument of this prompt is what a completion is for.
pub fn completes_prompt(name: impl Into<String>) -> CompletionReference {
    CompletionReference::Prompt(PromptReference::new(name))
}

/// A variable of this template of resources is what a completion is for.
pub fn completes_template(template: impl Into<String>) -> CompletionReference {
    CompletionReference::Resource(ResourceTemplateReference::new(template))
}

/// What was typed so far, as an argument of a closure that completes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typing(pub String);

/// What a completion can be: suggestions, the best first, of which the first hundred are sent; a [`Completion`], or a whole
/// [`CompleteResult`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no completion",
    label = "this is what the closure returns",
    note = "a completion is a `Vec<String>`, a `Vec<&'static str>`, a `Completion`, a `CompleteResult`, or a `Result` of \
            these and a `ToolError`",
    note = "the error of the `Result` has to be `ToolError`: `?` and `.map_err(ToolError::from)` make one of any error"
)]
pub trait CompletionOutput: Send + 'static {
    /// The result of the request.
    ///
    /// # Errors
    /// [`ToolError`] where there is none.
    fn into_completion(self) -> Result<CompleteResult, ToolError>;
}

impl CompletionOutput for Vec<String> {
    fn into_completion(self) -> Result<CompleteResult, ToolError> {
        Completion::new(self).into_completion()
    }
}

impl CompletionOutput for Vec<&'static str> {
    fn into_completion(self) -> Result<CompleteResult, ToolError> {
        let values: Vec<String> = self.into_iter().map(String::from).collect();
        values.into_completion()
    }
}

impl CompletionOutput for Completion {
    fn into_completion(mut self) -> Result<CompleteResult, ToolError> {
        if self.values.len() > MOST {
            self.total = self.total.or(Some(self.values.len() as u64));
            self.has_more = Some(true);
            self.values.truncate(MOST);
        }
        Ok(CompleteResult::new(self))
    }
}

impl CompletionOutput for CompleteResult {
    fn into_completion(self) -> Result<CompleteResult, ToolError> {
        Ok(self)
    }
}
