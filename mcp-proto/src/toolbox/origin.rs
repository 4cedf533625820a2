//! Where a tool comes from.

use alloc::boxed::Box;
use core::fmt;

/// A tool, by the name that its server knows it by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct ToolOrigin {
    /// What this application calls the server, where it calls it anything.
    pub server: Option<Box<str>>,
    /// The name of the tool on the server.
    pub tool: Box<str>,
}

impl ToolOrigin {
    /// The tool of this name on the server that is called `server`.
    pub fn new(server: impl Into<Box<str>>, tool: impl Into<Box<str>>) -> Self {
        Self {
            server: Some(server.into()),
            tool: tool.into(),
        }
    }
}

impl fmt::Display for ToolOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.server {
            Some(server) => write!(f, "tool {:?} of server {server:?}", self.tool),
            None => write!(f, "tool {:?}", self.tool),
        }
    }
}
