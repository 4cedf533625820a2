//! The tools of a server, as a list that is read once and shared.

use alloc::boxed::Box;
use alloc::collections::{BTreeSet, VecDeque};
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::cursors::Cursors;
use super::hints;
use super::tool_headers::Rejected;
use crate::jsonrpc::RawJson;
use crate::limits::Limits;
use crate::method::Method;
use crate::model::{CacheScope, Tool};
use crate::rpc::CallError;
use crate::time::Time;

/// So many bytes of tools are read in one turn: a few hundred microseconds, since a driver may go round several times
/// before others on its thread are next.
const TURN: usize = 32 << 10;

/// All tools of a server: every page of `tools/list`, in the order of the server; a slice of [`Tool`]s that is
/// cheap to clone.
///
/// No two have the same name. One tool that cannot be read takes none of the others along: it is among the
/// [`skipped`](Self::skipped).
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
#[non_exhaustive]
pub struct SkippedTool {
    /// Its name, where it has one.
    pub name: Option<Box<str>>,
    /// What is wrong with it.
    pub reason: Box<str>,
}

impl ToolList {
    /// The tool of this name.
    pub fn get(&self, name: &str) -> Option<&Tool> {
        self.iter().find(|tool| tool.name == name)
    }

    /// The tools that are left out: those that cannot be read, that have the name of one before, and that say wrongly
    /// which of their arguments become HTTP headers (2026-07-28, Tools, `x-mcp-header`: to be excluded).
    pub fn skipped(&self) -> &[SkippedTool] {
        &self.inner.skipped
    }

    /// Who may be shown the list: whoever has the same authorization, unless the server says
    /// [`CacheScope::Public`] on every page (2026-07-28, Caching).
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

/// A list while its pages come.
#[derive(Debug, Default)]
pub(super) struct Pages {
    cursors: Cursors,
    tools: Vec<Tool>,
    skipped: Vec<SkippedTool>,
    /// The tools that came, and are not read yet.
    unread: VecDeque<RawJson>,
    is_private: bool,
    /// Until when all pages are fresh that say so.
    until: Option<Time>,
    /// Whether a page says nothing of it.
    is_unsaid: bool,
}

/// How long a list may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Freshness {
    /// What the server says, if anything.
    pub(super) until: Option<Time>,
    /// Whether it says nothing of some page.
    pub(super) is_unsaid: bool,
}

/// A page as it came. What is wrong with a hint is as if it were not there.
#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    tools: Vec<&'a RawValue>,
    #[serde(default, rename = "nextCursor")]
    next_cursor: Option<String>,
    #[serde(borrow, default, rename = "ttlMs")]
    ttl_ms: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "cacheScope")]
    cache_scope: Option<&'a RawValue>,
}

impl Pages {
    pub(super) fn count(&self) -> usize {
        self.cursors.pages()
    }

    /// Takes a page that came at `now`, and gives the cursor of the next one, if there is any. Its tools are to be
    /// [read](Self::read).
    pub(super) fn add(&mut self, now: Time, text: &RawJson, limits: &Limits) -> Result<Option<String>, CallError> {
        self.cursors.weigh(Method::ListTools, text.as_bytes().len(), limits)?;
        let page: Page<'_> = text.decode_borrowed().map_err(CallError::InvalidReply)?;
        self.unread.extend(page.tools.iter().map(|tool| text.slice(tool.get())));
        // One page is enough: who is shown the list is shown all of them.
        self.is_private |= !hints::is_public(page.cache_scope);
        match hints::ttl(page.ttl_ms) {
            // The list is out of date with the first of its pages, and one page without a word leaves that open.
            None => self.is_unsaid = true,
            Some(ttl) => self.until = Some(self.until.map_or(now + ttl, |until| until.min(now + ttl))),
        }
        self.cursors.follow(Method::ListTools, page.next_cursor, limits)
    }

    /// Whether there are tools to be read.
    pub(super) fn has_unread(&self) -> bool {
        !self.unread.is_empty()
    }

    /// Reads some of the tools that came, but for those that `exclude` says are wrong.
    pub(super) fn read(&mut self, mut exclude: impl FnMut(&str) -> Option<Rejected>) {
        let mut bytes = 0;
        while bytes < TURN
            && let Some(tool) = self.unread.pop_front()
        {
            bytes += tool.as_bytes().len();
            match exclude(tool.as_str()) {
                Some(rejected) => self.skipped.push(rejected.into()),
                None => self.take(tool.as_str()),
            }
        }
    }

    fn take(&mut self, text: &str) {
        match serde_json::from_str::<Tool>(text) {
            Ok(tool) => self.tools.push(tool),
            Err(error) => self.skipped.push(SkippedTool {
                name: name_of(text),
                reason: error.to_string().into(),
            }),
        }
    }

    /// The list, and how long it may be kept.
    pub(super) fn finish(mut self) -> (ToolList, Freshness) {
        self.skip_namesakes();
        let scope = if self.is_private {
            CacheScope::Private
        } else {
            CacheScope::Public
        };
        let inner = Inner {
            tools: self.tools,
            skipped: self.skipped,
            scope,
        };
        let freshness = Freshness {
            until: self.until,
            is_unsaid: self.is_unsaid,
        };
        (ToolList { inner: Arc::new(inner) }, freshness)
    }

    /// Tools: names "SHOULD be unique within a server"; and where a list changes while its pages are read, a tool may
    /// be on two of them (2026-07-28, Caching, Interaction with Pagination).
    fn skip_namesakes(&mut self) {
        let mut names = BTreeSet::new();
        let is_first: Vec<bool> = self.tools.iter().map(|tool| names.insert(tool.name.as_str())).collect();
        let mut is_first = is_first.into_iter();
        let skipped = &mut self.skipped;
        self.tools.retain(|tool| {
            let stays = is_first.next().unwrap_or(true);
            if !stays {
                skipped.push(SkippedTool {
                    name: Some(tool.name.as_str().into()),
                    reason: "another tool has this name".into(),
                });
            }
            stays
        });
    }
}

impl From<Rejected> for SkippedTool {
    fn from(rejected: Rejected) -> Self {
        Self {
            name: Some(rejected.tool),
            reason: rejected.reason.to_string().into(),
        }
    }
}

/// The name of a tool that cannot be read, where that much can.
fn name_of(tool: &str) -> Option<Box<str>> {
    #[derive(Deserialize)]
    struct Named {
        name: Box<str>,
    }
    serde_json::from_str::<Named>(tool).ok().map(|named| named.name)
}
