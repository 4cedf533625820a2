//! What closures are for.

use alloc::string::String;

use super::ToolError;
use super::invocation::Invocation;
use crate::jsonrpc::ErrorObject;
use crate::revision::Revision;
use crate::server::ResultBody;

/// What a closure is for.
pub trait Role: 'static {
    /// What has to be known of a call to write its result.
    #[doc(hidden)]
    type Facts: Send + 'static;

    /// What is to be known of this call.
    #[doc(hidden)]
    fn facts(invocation: &mut Invocation) -> Self::Facts;

    /// The outcome where the arguments do not fit.
    #[doc(hidden)]
    fn misfit(facts: Self::Facts, message: String) -> Result<ResultBody, ErrorObject>;
}

/// The role of a tool.
pub struct ForTool(());

impl Role for ForTool {
    type Facts = Revision;

    fn facts(invocation: &mut Invocation) -> Revision {
        invocation.revision
    }

    /// From 2025-11-25 on the model is told, so that it can do better (Tools, Error Handling); before, "invalid
    /// arguments" are an error of the protocol.
    fn misfit(revision: Revision, message: String) -> Result<ResultBody, ErrorObject> {
        let message = alloc::format!("invalid arguments: {message}");
        match revision.has_input_validation_results() {
            true => ToolError::text(message).into_outcome(),
            false => Err(ErrorObject::invalid_params(message)),
        }
    }
}
