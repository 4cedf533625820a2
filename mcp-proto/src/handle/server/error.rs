//! Why a tool did not do what it was asked.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use core::any::Any;
use core::error::Error;
use core::fmt;

use crate::jsonrpc::ErrorObject;
use crate::method::ServerCapability;
use crate::model::{CallToolResult, UriTemplateError};
use crate::server::{AskError, ResultBody};

/// Why a tool failed, made by `?` from any error.
///
/// What a language model can act on (a place that does not exist, an interface that is down) is a *result* that says
/// so: `isError` and the text of the error. An [`ErrorObject`] is an error of the *protocol* and goes out as one
/// (2025-11-25, Tools, Error Handling).
///
/// A resource, a prompt or a completion has no results that say so: there it is an error of the protocol, −32603 with that
/// text.
///
/// Like other types that every error converts into, it is no `Error` itself.
///
/// ```
/// use mcp_proto::handle::server::ToolError;
///
/// fn parse(text: &str) -> Result<i32, ToolError> {
///     if text.is_empty() {
///         return Err(ToolError::text("say a number"));
///     }
///     Ok(text.parse()?)
/// }
/// assert_eq!(parse("x").unwrap_err().to_string(), "invalid digit found in string");
/// ```
pub struct ToolError(Kind);

enum Kind {
    Failure(Box<CallToolResult>),
    Rpc(Box<ErrorObject>),
}

impl ToolError {
    /// A failure that the model is told of in these words.
    pub fn text(text: impl Into<String>) -> Self {
        Self::result(CallToolResult::text(text))
    }

    /// A failure that the model is told of by this content. `isError` is set.
    pub fn result(result: CallToolResult) -> Self {
        Self(Kind::Failure(Box::new(CallToolResult {
            // Whatever the content says, or the model would take a failure for an answer.
            is_error: Some(true),
            ..result
        })))
    }

    /// The outcome of the request.
    pub(crate) fn into_outcome(self) -> Result<ResultBody, ErrorObject> {
        match self.0 {
            Kind::Failure(result) => Ok(ResultBody::from_serialize(&*result)?),
            Kind::Rpc(error) => Err(*error),
        }
    }
}

impl ToolError {
    /// The error of a request whose results cannot say that they are failures.
    #[cfg(feature = "schema")]
    pub(crate) fn into_error(self) -> ErrorObject {
        match self.0 {
            Kind::Rpc(error) => *error,
            kind @ Kind::Failure(_) => ErrorObject::internal(Self(kind).to_string()),
        }
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for ToolError {
    fn from(error: E) -> Self {
        let mut error = Some(error);
        // `ErrorObject` is an error like any other, which only its type tells apart.
        let any = &mut error as &mut dyn Any;
        let rpc = any.downcast_mut::<Option<ErrorObject>>().and_then(Option::take);
        // What the client has to declare is its matter, and not the model's (2026-07-28, Overview: MUST be −32021).
        let lacks = |any: &mut dyn Any| match any.downcast_ref::<Option<AskError>>() {
            Some(Some(AskError::NotSupported(error))) => Some(error.clone()),
            _ => None,
        };
        match rpc.or_else(|| lacks(&mut error)) {
            Some(rpc) => Self(Kind::Rpc(Box::new(rpc))),
            None => Self::text(error.map_or_else(String::new, |error| chain(&error))),
        }
    }
}

/// The error and its sources, as one line. A chain that goes on for ever is cut.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    for _ in 0..16 {
        let Some(error) = source else { break };
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

impl fmt::Display for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Rpc(error) => error.fmt(f),
            Kind::Failure(result) => match result.content.first() {
                Some(crate::model::ContentBlock::Text(block)) => f.write_str(&block.text),
                _ => f.write_str("the tool failed"),
            },
        }
    }
}

impl fmt::Debug for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Rpc(error) => f.debug_tuple("ToolError").field(error).finish(),
            Kind::Failure(result) => f.debug_tuple("ToolError").field(result).finish(),
        }
    }
}

/// Why something cannot be offered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// A closure takes [`State`](super::State) of a type that the builder was not given.
    MissingState {
        /// The name of what the closure answers.
        name: String,
        /// The type.
        state: &'static str,
    },
    /// The template of a family of resources is none, or cannot be matched.
    InvalidTemplate {
        /// The template.
        template: String,
        /// What is wrong with it.
        error: UriTemplateError,
    },
    /// The server has not declared that it has such things, or that their list changes.
    NotDeclared {
        /// What it would have had to declare.
        capability: ServerCapability,
    },
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingState { name, state } => write!(
                f,
                "`{name}` takes `State<{state}>`, and there is none: give it to the builder by `.state(..)`"
            ),
            Self::InvalidTemplate { template, error } => write!(f, "`{template}`: {error}"),
            Self::NotDeclared { capability } => write!(
                f,
                "the server has not declared `{capability}`: see `ServerBuilder::changing`"
            ),
        }
    }
}

impl Error for BuildError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jsonrpc::ErrorCode;

    #[derive(Debug)]
    struct Outer(core::num::ParseIntError);

    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("bad number")
        }
    }

    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    fn outcome(error: impl Into<ToolError>) -> Result<ResultBody, ErrorObject> {
        error.into().into_outcome()
    }

    #[test]
    fn an_error_is_told_to_the_model_with_its_sources() {
        let error = Outer("x".parse::<i32>().unwrap_err());
        assert_eq!(
            outcome(error).unwrap().as_raw().as_str(),
            r#"{"content":[{"type":"text","text":"bad number: invalid digit found in string"}],"isError":true}"#
        );
    }

    #[test]
    fn an_error_object_is_an_error_of_the_protocol() {
        let error = ErrorObject::new(ErrorCode(-7), "no").with_data(&1);
        assert_eq!(outcome(error.clone()).unwrap_err(), error);
    }
}
