//! What closures are for.

use alloc::string::String;

use super::ToolError;
use super::contents::Reading;
use super::invocation::Invocation;
use crate::jsonrpc::ErrorObject;
use crate::revision::Revision;
use crate::server::ResultBody;

/// What a closure is for.
pub trait Feature: 'static {
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

/// The purpose of a tool.
pub struct ForTool(());

impl Feature for ForTool {
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

/// The purpose of a resource, or of a template of resources.
pub struct ForResource(());

impl Feature for ForResource {
    type Facts = Reading;

    fn facts(invocation: &mut Invocation) -> Reading {
        let subject = invocation.subject.as_ref();
        Reading {
            uri: subject.map(|subject| subject.text.clone()).unwrap_or_default(),
            mime_type: subject.and_then(|subject| subject.mime_type.clone()),
            revision: invocation.revision,
        }
    }

    /// A URI whose variables are not what the closure takes is one of no resource.
    fn misfit(reading: Reading, _: String) -> Result<ResultBody, ErrorObject> {
        Err(reading.not_found())
    }
}

/// The purpose of a prompt.
pub struct ForPrompt(());

impl Feature for ForPrompt {
    type Facts = ();

    fn facts(_: &mut Invocation) {}

    /// Prompts, Error Handling: missing required arguments SHOULD be −32602.
    fn misfit((): (), message: String) -> Result<ResultBody, ErrorObject> {
        Err(ErrorObject::invalid_params(alloc::format!(
            "invalid arguments: {message}"
        )))
    }
}

/// The purpose of a completion.
pub struct ForCompletion(());

impl Feature for ForCompletion {
    type Facts = ();

    fn facts(_: &mut Invocation) {}

    fn misfit((): (), message: String) -> Result<ResultBody, ErrorObject> {
        Err(ErrorObject::invalid_params(alloc::format!(
            "invalid arguments: {message}"
        )))
    }
}
