//! Whom a call of a tool goes to.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;

use super::error::FindToolError;
use super::origin::ToolOrigin;
use super::servers::{Found, Servers};
use crate::client::ToolList;
use crate::model::Tool;

/// Whom a call goes to.
#[derive(Clone)]
pub(super) enum Target {
    Known(Found),
    /// Whatever the name means when the call is made.
    InBox {
        servers: Arc<Servers>,
        name: Box<str>,
    },
}

impl Target {
    /// The tool as far as it is known now.
    pub(super) fn origin(&self) -> ToolOrigin {
        match self {
            Self::Known(found) => found.origin.clone(),
            Self::InBox { name, .. } => ToolOrigin {
                server: None,
                tool: name.clone(),
            },
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.origin(), f)
    }
}

/// The tool in the list of its server, or why it is not there.
pub(super) fn pick<'a>(list: &'a ToolList, origin: &ToolOrigin) -> Result<&'a Tool, FindToolError> {
    list.get(&origin.tool).ok_or_else(|| absent(list, origin))
}

fn absent(list: &ToolList, origin: &ToolOrigin) -> FindToolError {
    let skipped = list.skipped().iter();
    let skipped = skipped
        .into_iter()
        .find(|tool| tool.name.as_ref() == Some(&origin.tool));
    match skipped {
        Some(skipped) => FindToolError::Unusable {
            tool: origin.clone(),
            reason: skipped.reason.clone(),
        },
        None => FindToolError::Missing(origin.clone()),
    }
}
