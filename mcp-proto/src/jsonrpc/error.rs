//! Errors of JSON-RPC: the object that travels, and what is wrong with a message.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use serde::{Deserialize, Serialize};

use super::{DecodeError, Id, RawJson};
use crate::wire::outline::Outline;

/// A code of a JSON-RPC error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ErrorCode(pub i64);

impl ErrorCode {
    /// Not JSON (JSON-RPC 2.0, 5.1).
    pub const PARSE_ERROR: Self = Self(-32700);
    /// JSON, but not a JSON-RPC message that is allowed here.
    pub const INVALID_REQUEST: Self = Self(-32600);
    /// The method does not exist, or not in this revision.
    pub const METHOD_NOT_FOUND: Self = Self(-32601);
    /// The parameters are wrong.
    pub const INVALID_PARAMS: Self = Self(-32602);
    /// A fault of the side that answers.
    pub const INTERNAL_ERROR: Self = Self(-32603);
    /// Resource not found, up to 2025-11-25; later revisions use [`INVALID_PARAMS`](Self::INVALID_PARAMS).
    pub const RESOURCE_NOT_FOUND: Self = Self(-32002);
    /// The user has to visit a URL first (2025-11-25 alone).
    pub const URL_ELICITATION_REQUIRED: Self = Self(-32042);
    /// HTTP headers and body disagree, or a required header is missing (2026-07-28).
    pub const HEADER_MISMATCH: Self = Self(-32020);
    /// The request needs a capability that the client did not declare (2026-07-28).
    pub const MISSING_REQUIRED_CLIENT_CAPABILITY: Self = Self(-32021);
    /// The protocol version of the request is not supported (2026-07-28).
    pub const UNSUPPORTED_PROTOCOL_VERSION: Self = Self(-32022);

    /// Whether only a server of the modern era answers with this code (2026-07-28, Error Codes).
    pub fn is_modern(self) -> bool {
        matches!(
            self,
            Self::HEADER_MISMATCH | Self::MISSING_REQUIRED_CLIENT_CAPABILITY | Self::UNSUPPORTED_PROTOCOL_VERSION
        )
    }
}

impl ErrorCode {
    /// Whether a server that does not understand a request, or is not ready for it, answers with this code
    /// before it has done anything.
    pub(crate) fn is_refusal(self) -> bool {
        const NOT_INITIALIZED: i64 = -32002;
        matches!(
            self,
            Self::INVALID_REQUEST | Self::METHOD_NOT_FOUND | Self::INVALID_PARAMS
        ) || self.0 == NOT_INITIALIZED
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The error of a JSON-RPC error response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ErrorObject {
    /// What kind of error.
    pub code: ErrorCode,
    /// One sentence for a person.
    #[serde(default)]
    pub message: String,
    /// Details whose shape depends on the code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<RawJson>,
}

impl ErrorObject {
    /// An error without details.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            data: None,
        }
    }

    /// The same error with details. A value without a JSON form is left out.
    #[must_use]
    pub fn with_data<T: Serialize + ?Sized>(mut self, data: &T) -> Self {
        self.data = RawJson::from_serialize(data).ok();
        self
    }

    /// −32601 for `method`.
    pub fn method_not_found(method: &str) -> Self {
        Self::new(
            ErrorCode::METHOD_NOT_FOUND,
            alloc::format!("method not found: {}", shorten(method)),
        )
    }

    /// −32602 with an explanation.
    pub fn invalid_params(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::INVALID_PARAMS, message)
    }

    /// −32600 with an explanation.
    pub fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::INVALID_REQUEST, message)
    }

    /// −32603 with an explanation.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::INTERNAL_ERROR, message)
    }
}

/// The first part of a text that a peer chose, short enough to be repeated in an error.
fn shorten(text: &str) -> &str {
    let end = text.char_indices().map(|(at, _)| at).nth(64).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

impl From<DecodeError> for ErrorObject {
    fn from(error: DecodeError) -> Self {
        Self::invalid_params(alloc::format!("{error}"))
    }
}

impl fmt::Display for ErrorObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.code)
    }
}

impl core::error::Error for ErrorObject {}

/// Why bytes are no JSON-RPC input at all. Answered with −32700 or −32600 and no id.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseError {
    /// Not UTF-8.
    NotUtf8,
    /// Not JSON, in the parser's words.
    NotJson(Box<str>),
    /// A line of more bytes than [`Limits::line_bytes`](crate::Limits::line_bytes).
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// Arrays and objects nested deeper than [`Limits::depth`](crate::Limits::depth).
    TooDeep,
    /// A batch without a message (JSON-RPC 2.0, 6).
    EmptyBatch,
    /// A batch of more than [`Limits::batch_messages`](crate::Limits::batch_messages) messages.
    BatchTooLong,
    /// JSON, but no valid message.
    Invalid(InvalidMessage),
    /// An object that cannot be read, of which something can be told all the same.
    Broken(Box<BrokenMessage>),
}

impl ParseError {
    /// The error to answer with, where an answer is due.
    pub fn to_error(&self) -> ErrorObject {
        let code = match self {
            Self::Broken(broken) => return broken.fault.to_error(),
            // Too deep is never read, so it may be no JSON either.
            Self::NotUtf8 | Self::NotJson(_) | Self::TooDeep => ErrorCode::PARSE_ERROR,
            Self::EmptyBatch | Self::BatchTooLong | Self::TooLong { .. } | Self::Invalid(_) => {
                ErrorCode::INVALID_REQUEST
            }
        };
        ErrorObject::new(code, alloc::format!("{self}"))
    }

    /// The id of the message, where one could be read.
    pub fn id(&self) -> Option<&Id> {
        match self {
            Self::Invalid(invalid) => invalid.id.as_ref(),
            Self::Broken(broken) => broken.id.as_ref(),
            _ => None,
        }
    }

    /// Whether it was meant as a reply, which nobody answers.
    pub fn is_reply(&self) -> bool {
        match self {
            Self::Invalid(invalid) => invalid.is_reply,
            Self::Broken(broken) => broken.is_reply,
            _ => false,
        }
    }

    /// Whether it was meant as a request or a notification.
    pub(crate) fn has_method(&self) -> bool {
        match self {
            Self::Invalid(invalid) => invalid.has_method,
            Self::Broken(broken) => broken.has_method,
            _ => false,
        }
    }

    /// Whether it may have been meant as a reply, where what it came in says that it is a reply or a notification.
    pub(crate) fn may_be_reply(&self) -> bool {
        match self {
            Self::Broken(broken) => !broken.has_method,
            _ => self.is_reply(),
        }
    }

    /// The same error with what can be told of its text.
    pub(crate) fn with_outline(self, outline: &Outline, id_bytes: usize) -> Self {
        if !outline.is_object() {
            return self;
        }
        let has_shape = outline.has_method() || outline.is_reply();
        // Of anything else an id says nothing: a line of a log may have one.
        let id = outline.id().filter(|id| has_shape && id.len() <= id_bytes);
        Self::Broken(Box::new(BrokenMessage {
            id: id.and_then(Id::from_json),
            is_reply: outline.is_reply(),
            has_method: outline.has_method(),
            fault: self,
        }))
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8 => f.write_str("not UTF-8"),
            Self::NotJson(why) => write!(f, "not JSON: {why}"),
            Self::TooLong { limit } => write!(f, "the message is longer than {limit} bytes"),
            Self::TooDeep => f.write_str("nested too deeply"),
            Self::EmptyBatch => f.write_str("an empty batch"),
            Self::BatchTooLong => f.write_str("too many messages in a batch"),
            Self::Invalid(invalid) => invalid.fmt(f),
            Self::Broken(broken) => broken.fault.fmt(f),
        }
    }
}

impl core::error::Error for ParseError {}

/// What can be told of an object that cannot be read, as far as it can be told: it may be cut, or have bytes in it that
/// are no JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BrokenMessage {
    /// The id, where one could be read, and there is a method, a result or an error.
    pub id: Option<Id>,
    /// Whether it has a result or an error and no method, and so can only have been meant as a response.
    pub is_reply: bool,
    /// Whether it has a method.
    pub has_method: bool,
    /// Why it cannot be read.
    pub fault: ParseError,
}

/// Why a JSON value is no JSON-RPC message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidMessage {
    /// The id, where one could be read: an error response carries it.
    pub id: Option<Id>,
    /// Whether it has a result or an error and no method, and so can only have been meant as a response.
    pub is_reply: bool,
    /// Whether it has a method.
    pub has_method: bool,
    /// What is wrong.
    pub reason: &'static str,
}

impl fmt::Display for InvalidMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a JSON-RPC message: {}", self.reason)
    }
}

impl core::error::Error for InvalidMessage {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_answers_that_has_done_nothing() {
        for code in [-32600, -32601, -32602, -32002] {
            assert!(ErrorCode(code).is_refusal(), "{code}");
        }
        for code in [-32700, -32603, -32000, 32002, 0] {
            assert!(!ErrorCode(code).is_refusal(), "{code}");
        }
    }

    #[test]
    fn of_what_is_no_json_it_is_not_told_what_it_was_meant_as() {
        for error in [ParseError::NotUtf8, ParseError::TooDeep, ParseError::EmptyBatch] {
            assert!(!error.has_method() && !error.is_reply() && !error.may_be_reply() && error.id().is_none());
        }
    }

    #[test]
    fn the_codes_are_those_of_the_specifications() {
        for (code, number) in [
            (ErrorCode::PARSE_ERROR, -32700),
            (ErrorCode::INVALID_REQUEST, -32600),
            (ErrorCode::METHOD_NOT_FOUND, -32601),
            (ErrorCode::INVALID_PARAMS, -32602),
            (ErrorCode::INTERNAL_ERROR, -32603),
            (ErrorCode::RESOURCE_NOT_FOUND, -32002),
            (ErrorCode::URL_ELICITATION_REQUIRED, -32042),
            (ErrorCode::HEADER_MISMATCH, -32020),
            (ErrorCode::MISSING_REQUIRED_CLIENT_CAPABILITY, -32021),
            (ErrorCode::UNSUPPORTED_PROTOCOL_VERSION, -32022),
        ] {
            assert_eq!(code, ErrorCode(number));
        }
    }
}
