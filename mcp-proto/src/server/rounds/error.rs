//! Why a client could not be asked.

use alloc::boxed::Box;
use core::fmt;

use crate::jsonrpc::{DecodeError, ErrorObject};
use crate::rpc::CallError;

/// Why a handler gets no answer of its client, or cannot keep something for its next run.
///
/// It becomes the [`ErrorObject`] to fail with, by `?` or `into()`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AskError {
    /// The client has not declared in its request that it can be asked this: the error to answer with, −32021 in the modern
    /// era (2026-07-28, Multi Round-Trip Requests, Server Requirements: MUST NOT be asked for).
    NotSupported(ErrorObject),
    /// In the modern era only `tools/call`, `prompts/get` and `resources/read` may ask (2026-07-28, Multi Round-Trip Requests,
    /// Supported Requests: MUST NOT).
    NotHere,
    /// In this place of the order of asks something else was asked the last time: asks that depend on more than the
    /// arguments and the answers so far need a key of their own.
    Changed {
        /// The place.
        key: Box<str>,
    },
    /// Two different asks of one round have the same key.
    Duplicate {
        /// The key.
        key: Box<str>,
    },
    /// More asks in one round than [`Limits::input_requests`](crate::Limits::input_requests).
    TooMany,
    /// What is to be kept for the next run has more bytes than [`Limits::state_bytes`](crate::Limits::state_bytes) leaves.
    TooLarge {
        /// Of what.
        key: Box<str>,
    },
    /// A value has no JSON form, or not the one that was asked for.
    Invalid(DecodeError),
    /// The request of a legacy client failed.
    Call(CallError),
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSupported(error) => f.write_str(&error.message),
            Self::NotHere => f.write_str("a client cannot be asked anything while this request is served"),
            Self::Changed { key } => {
                write!(
                    f,
                    "something else was asked as {key} before: give asks that vary a key of their own"
                )
            }
            Self::Duplicate { key } => write!(f, "two different asks have the key {key}"),
            Self::TooMany => f.write_str("too many asks in one round"),
            Self::TooLarge { key } => write!(f, "what is kept of {key} is too large to be carried by the client"),
            Self::Invalid(error) => error.fmt(f),
            Self::Call(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for AskError {}

impl From<AskError> for ErrorObject {
    fn from(error: AskError) -> Self {
        match error {
            AskError::NotSupported(error) => error,
            other => Self::internal(alloc::format!("{other}")),
        }
    }
}

impl From<CallError> for AskError {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl From<DecodeError> for AskError {
    fn from(error: DecodeError) -> Self {
        Self::Invalid(error)
    }
}
