//! What closures return.

use super::completing::CompletionOutput;
use super::contents::{Reading, ResourceOutput};
use super::feature::{Feature, ForCompletion, ForPrompt, ForResource, ForTool};
use super::prompting::PromptOutput;
use super::{ToolError, ToolOutput};
use crate::jsonrpc::ErrorObject;
use crate::revision::Revision;
use crate::server::ResultBody;

/// What a closure for this purpose may return: its output, or a `Result` of that and a [`ToolError`].
#[diagnostic::on_unimplemented(
    message = "a handler cannot return `{Self}`",
    label = "this is what the closure returns",
    note = "a tool returns text, content blocks, data as `Structured(..)`, or a `CallToolResult`; a resource text, bytes or \
            `ResourceContents`; a prompt text or `PromptMessage`s; a completion a `Vec` of texts; or a `Result` of these and \
            a `ToolError`",
    note = "the error of the `Result` has to be `ToolError`: `?` and `.map_err(ToolError::from)` make one of any error"
)]
pub trait Returns<R> {
    /// The JSON schema of the output, where it is data.
    #[doc(hidden)]
    fn output_schema() -> Option<alloc::string::String> {
        None
    }

    /// The outcome of the request.
    #[doc(hidden)]
    fn into_outcome(self, facts: R::Facts) -> Result<ResultBody, ErrorObject>
    where
        R: Feature;
}

impl<O: ToolOutput> Returns<ForTool> for O {
    fn output_schema() -> Option<alloc::string::String> {
        O::output_schema()
    }

    fn into_outcome(self, revision: Revision) -> Result<ResultBody, ErrorObject> {
        self.into_body(revision).or_else(ToolError::into_outcome)
    }
}

impl<O: ToolOutput> Returns<ForTool> for Result<O, ToolError> {
    fn output_schema() -> Option<alloc::string::String> {
        O::output_schema()
    }

    fn into_outcome(self, revision: Revision) -> Result<ResultBody, ErrorObject> {
        self.and_then(|output| output.into_body(revision))
            .or_else(ToolError::into_outcome)
    }
}

macro_rules! returns {
    ($($purpose:ident: $output:ident, $facts:ident: $ty:ty => $into:expr;)*) => {
        $(
            impl<O: $output> Returns<$purpose> for O {
                fn into_outcome(self, $facts: $ty) -> Result<ResultBody, ErrorObject> {
                    let result = ($into)(self).map_err(ToolError::into_error)?;
                    Ok(ResultBody::from_serialize(&result)?)
                }
            }

            impl<O: $output> Returns<$purpose> for Result<O, ToolError> {
                fn into_outcome(self, facts: $ty) -> Result<ResultBody, ErrorObject> {
                    Returns::<$purpose>::into_outcome(self.map_err(ToolError::into_error)?, facts)
                }
            }
        )*
    };
}

returns! {
    ForResource: ResourceOutput, reading: Reading => |output: O| output.into_read(&reading);
    ForPrompt: PromptOutput, _facts: () => |output: O| output.into_prompt();
    ForCompletion: CompletionOutput, _facts: () => |output: O| output.into_completion();
}
