//! What closures return.

use super::role::{ForTool, Role};
use super::{ToolError, ToolOutput};
use crate::jsonrpc::ErrorObject;
use crate::revision::Revision;
use crate::server::ResultBody;

/// What a closure of this role may return: its output, or a `Result` of that and a [`ToolError`].
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
        R: Role;
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
