//! What can go wrong with a tool.

use alloc::boxed::Box;
use core::fmt;

use super::origin::ToolOrigin;
use super::signature::Mismatch;
use crate::model::CallToolResult;
use crate::rpc::CallError;

/// Why there is no tool to be called.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FindToolError {
    /// No server of the box has a tool that is called so here.
    Unknown {
        /// The name.
        name: Box<str>,
    },
    /// The server has no such tool.
    Missing(ToolOrigin),
    /// The server has such a tool, which cannot be used.
    Unusable {
        /// The tool.
        tool: ToolOrigin,
        /// What is wrong with it.
        reason: Box<str>,
    },
    /// Several tools are called so here. A prefix or a name of its own for one of them tells them apart.
    Ambiguous {
        /// The name.
        name: Box<str>,
        /// The tools.
        tools: Box<[ToolOrigin]>,
    },
    /// The tools of a server could not be listed.
    List {
        /// The server.
        server: Option<Box<str>>,
        /// Why.
        error: CallError,
    },
}

/// Why a tool is not what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValidateToolError {
    /// It is not there.
    Find(FindToolError),
    /// Its arguments are others.
    Mismatch {
        /// The tool.
        tool: ToolOrigin,
        /// What is not as expected.
        mismatch: Mismatch,
    },
}

/// Why a call of a tool has no result.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ToolCallError {
    /// The tool ran and failed (`isError`). What it says of it is for the language model, which may do better.
    Tool {
        /// The tool.
        tool: ToolOrigin,
        /// All that it returned.
        result: Box<CallToolResult>,
    },
    /// The call failed.
    Call {
        /// The tool.
        tool: ToolOrigin,
        /// Why.
        error: CallError,
    },
    /// There is no tool to be called.
    Find(FindToolError),
}

impl ToolCallError {
    /// What the tool returned, where it ran and failed.
    pub fn result(&self) -> Option<&CallToolResult> {
        match self {
            Self::Tool { result, .. } => Some(result),
            _ => None,
        }
    }

    /// Why the call, or the list of tools that it needed, failed.
    pub fn call_error(&self) -> Option<&CallError> {
        match self {
            Self::Call { error, .. } | Self::Find(FindToolError::List { error, .. }) => Some(error),
            _ => None,
        }
    }

    /// Whether the server certainly did not act on the call.
    pub fn is_unprocessed(&self) -> bool {
        match self {
            Self::Tool { .. } => false,
            Self::Call { error, .. } => error.is_unprocessed(),
            Self::Find(_) => true,
        }
    }
}

impl fmt::Display for FindToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { name } => write!(f, "no server has a tool that is called {name:?} here"),
            Self::Missing(tool) => write!(f, "there is no {tool}"),
            Self::Unusable { tool, reason } => write!(f, "{tool} cannot be used: {reason}"),
            Self::Ambiguous { name, tools } => {
                write!(f, "{name:?} is the name of {} tools:", tools.len())?;
                tools.iter().try_for_each(|tool| write!(f, " {tool};"))
            }
            Self::List { server, error } => match server {
                Some(server) => write!(f, "the tools of server {server:?} cannot be listed: {error}"),
                None => write!(f, "the tools of the server cannot be listed: {error}"),
            },
        }
    }
}

impl fmt::Display for ValidateToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Find(error) => error.fmt(f),
            Self::Mismatch { tool, mismatch } => write!(f, "{tool} is not as expected: {mismatch}"),
        }
    }
}

impl fmt::Display for ToolCallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tool { tool, result } => write!(f, "{tool} failed: {}", result.to_text()),
            Self::Call { tool, error } => write!(f, "{tool} could not be called: {error}"),
            Self::Find(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for FindToolError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::List { error, .. } => Some(error),
            _ => None,
        }
    }
}

impl core::error::Error for ValidateToolError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Find(error) => Some(error),
            Self::Mismatch { mismatch, .. } => Some(mismatch),
        }
    }
}

impl core::error::Error for ToolCallError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Tool { .. } => None,
            Self::Call { error, .. } => Some(error),
            Self::Find(error) => Some(error),
        }
    }
}

impl From<FindToolError> for ValidateToolError {
    fn from(error: FindToolError) -> Self {
        Self::Find(error)
    }
}

impl From<FindToolError> for ToolCallError {
    fn from(error: FindToolError) -> Self {
        Self::Find(error)
    }
}
