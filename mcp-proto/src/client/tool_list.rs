//! The tools of a server, as a list that is read once and shared.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;

use crate::model::{CacheScope, Tool};

/// All tools of a server: every page of `tools/list`, in the order of the server. Cheap to clone.
///
/// One tool that cannot be read takes none of the others along: it is among the [`skipped`](Self::skipped).
#[derive(Clone, PartialEq)]
pub struct ToolList {
    inner: Arc<Inner>,
}

#[derive(Debug, PartialEq)]
struct Inner {
    tools: Vec<Tool>,
    skipped: Vec<SkippedTool>,
    scope: CacheScope,
}

/// A tool that is left out of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedTool {
    /// Its name, where it has one.
    pub name: Option<Box<str>>,
    /// What is wrong with it.
    pub reason: Box<str>,
}

impl ToolList {
    #[cfg(feature = "handle")]
    pub(crate) fn of(tools: Vec<Tool>) -> Self {
        let inner = Inner {
            tools,
            skipped: Vec::new(),
            scope: CacheScope::Private,
        };
        Self { inner: Arc::new(inner) }
    }

    /// The tool of this name, the first where there are several (Tools: names "SHOULD be unique within a server").
    pub fn get(&self, name: &str) -> Option<&Tool> {
        self.iter().find(|tool| tool.name == name)
    }

    /// The tools that could not be read, and those that say wrongly which of their arguments become HTTP headers
    /// (2026-07-28, Tools, `x-mcp-header`: to be excluded).
    pub fn skipped(&self) -> &[SkippedTool] {
        &self.inner.skipped
    }

    /// Who may be shown the list: whoever has the same authorization, unless the server says
    /// [`CacheScope::Public`] (2026-07-28, Caching).
    pub fn scope(&self) -> &CacheScope {
        &self.inner.scope
    }
}

impl Deref for ToolList {
    type Target = [Tool];

    fn deref(&self) -> &[Tool] {
        &self.inner.tools
    }
}

impl<'a> IntoIterator for &'a ToolList {
    type Item = &'a Tool;
    type IntoIter = core::slice::Iter<'a, Tool>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Debug for ToolList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
