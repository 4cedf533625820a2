//! The tools of a box, listed.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use super::origin::ToolOrigin;
use super::overrides::ToolOverrides;
use super::servers::{Lists, Server, Servers};
use super::signature::Mismatch;
use crate::client::{SkippedTool, ToolList};
use crate::handle::client::Answered;
use crate::model::Tool;
use crate::rpc::{CallError, CallOptions};

/// The tools of a box, and what is wrong with some: a problem of one tool or server takes no other along.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ToolboxList {
    /// The tools, in the order of the servers. No two have the same name.
    pub tools: Vec<ListedTool>,
    /// What is missing, and why.
    pub problems: Vec<ToolboxProblem>,
}

/// A tool of a box.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ListedTool {
    /// The tool as it is shown here, with the name to call it by.
    pub definition: Tool,
    /// Where it comes from.
    pub origin: ToolOrigin,
}

/// Why something is missing in the list of a box.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ToolboxProblem {
    /// The tools of a server could not be listed.
    Server {
        /// The server.
        server: Box<str>,
        /// Why.
        error: CallError,
    },
    /// A tool that the selection names is not on its server.
    Missing(ToolOrigin),
    /// A tool that its server lists cannot be used.
    Skipped {
        /// The server.
        server: Box<str>,
        /// The tool.
        tool: SkippedTool,
    },
    /// The arguments of a tool are not those expected.
    Mismatch {
        /// The tool.
        tool: ToolOrigin,
        /// What is not as expected.
        mismatch: Mismatch,
    },
    /// Several tools have the same name here: none of them can be called by it.
    Collision {
        /// The name.
        name: Box<str>,
        /// The tools.
        tools: Box<[ToolOrigin]>,
    },
}

impl ToolboxList {
    /// The tool that is called `name` here.
    pub fn get(&self, name: &str) -> Option<&ListedTool> {
        self.tools.iter().find(|tool| tool.definition.name == name)
    }

    /// The tools where nothing is missing that was asked for.
    ///
    /// # Errors
    /// The first problem. A tool that the server itself lists wrongly is none, unless the selection names it.
    pub fn complete(self) -> Result<Vec<ListedTool>, ToolboxProblem> {
        let problem = |problem: &ToolboxProblem| !matches!(problem, ToolboxProblem::Skipped { .. });
        match self.problems.into_iter().find(problem) {
            Some(problem) => Err(problem),
            None => Ok(self.tools),
        }
    }
}

/// The tools of a box, a future of their list. It never fails as a whole; see [`ToolboxList::problems`].
///
/// # Cancel safety and on drop
/// As for [`ToolListing`](crate::handle::client::ToolListing), of every server.
#[must_use = "nothing is asked before the first poll"]
pub struct ToolboxListing {
    servers: Arc<Servers>,
    options: CallOptions,
    lists: Option<Lists>,
}

impl ToolboxListing {
    pub(super) fn new(servers: Arc<Servers>) -> Self {
        Self {
            servers,
            options: CallOptions::default(),
            lists: None,
        }
    }

    /// How long to wait for each server, in place of [`Timeouts::request`](crate::Timeouts::request). As they are asked
    /// at once, this is how long the listing takes at most.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }
}

impl Future for ToolboxListing {
    type Output = ToolboxList;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<ToolboxList> {
        let this = self.get_mut();
        let (servers, options) = (&this.servers, &this.options);
        let lists = this
            .lists
            .get_or_insert_with(|| servers.lists(0..servers.all.len(), options, Duration::ZERO));
        let lists = ready!(Pin::new(lists).poll(cx));
        this.lists = None;
        Poll::Ready(merge(&this.servers, lists))
    }
}

/// A tool, with the place of its server.
type Placed = (usize, ListedTool);

fn merge(servers: &Servers, lists: Vec<(usize, Answered<ToolList>)>) -> ToolboxList {
    let mut tools: Vec<Placed> = Vec::new();
    let mut problems = Vec::new();
    let mut heard = Vec::new();
    for (at, list) in lists {
        let Some(server) = servers.all.get(at) else { continue };
        match list.outcome {
            Err(error) => problems.push(ToolboxProblem::Server {
                server: server.label.clone(),
                error,
            }),
            Ok(list) => {
                heard.push(at);
                problems.extend(missing(server, &list));
                let (fine, odd) = select(server, &list);
                tools.extend(fine.into_iter().map(|tool| (at, tool)));
                problems.extend(odd);
            }
        }
    }
    // Before the routes: a name of several means none of them.
    problems.extend(take_out_namesakes(&mut tools));
    let routes = tools.iter().map(|(at, tool)| {
        let name: &str = &tool.definition.name;
        (name.into(), (*at, tool.origin.tool.clone()))
    });
    servers.set_routes(&heard, routes);
    ToolboxList {
        tools: tools.into_iter().map(|(_, tool)| tool).collect(),
        problems,
    }
}

/// What of a server is skipped, or named in the selection and not there.
fn missing(server: &Server, list: &ToolList) -> Vec<ToolboxProblem> {
    let selection = &server.selection;
    let named = selection.only.iter().flatten();
    let named = named
        .chain(selection.overrides.keys())
        .chain(selection.signatures.keys());
    // What is left out on purpose is not missing.
    let named: BTreeSet<&String> = named.filter(|name| selection.takes(name)).collect();
    let there: BTreeSet<&str> = list.iter().map(|tool| tool.name.as_str()).collect();
    let absent = named.into_iter().filter(|name| !there.contains(name.as_str()));
    let skipped = list.skipped().iter().map(|tool| ToolboxProblem::Skipped {
        server: server.label.clone(),
        tool: tool.clone(),
    });
    skipped
        .chain(absent.map(|name| ToolboxProblem::Missing(server.origin(name))))
        .collect()
}

/// The tools of a server that are in the box as they are shown, and those that are not as expected.
fn select(server: &Server, list: &ToolList) -> (Vec<ListedTool>, Vec<ToolboxProblem>) {
    let mut tools = Vec::new();
    let mut problems = Vec::new();
    for tool in list.iter().filter(|tool| server.takes(tool)) {
        let own = tool.name.as_str();
        let origin = server.origin(own);
        // Compared with the tool as its server has it: what is said in place of that proves nothing.
        let signature = server.selection.signatures.get(own);
        if let Some(Err(mismatch)) = signature.map(|signature| signature.check(tool)) {
            problems.push(ToolboxProblem::Mismatch { tool: origin, mismatch });
            continue;
        }
        let overrides = server.selection.overrides.get(own);
        let mut definition = overrides.map_or_else(|| tool.clone(), |overrides: &ToolOverrides| overrides.apply(tool));
        definition.name = server.selection.shown(own);
        tools.push(ListedTool { definition, origin });
    }
    (tools, problems)
}

/// Takes out the tools whose name is that of another as well.
fn take_out_namesakes(tools: &mut Vec<Placed>) -> Vec<ToolboxProblem> {
    let mut by_name: BTreeMap<Box<str>, Vec<ToolOrigin>> = BTreeMap::new();
    for (_, tool) in tools.iter() {
        let name: &str = &tool.definition.name;
        by_name.entry(name.into()).or_default().push(tool.origin.clone());
    }
    by_name.retain(|_, origins| origins.len() > 1);
    tools.retain(|(_, tool)| !by_name.contains_key(tool.definition.name.as_str()));
    let collisions = by_name.into_iter().map(|(name, tools)| ToolboxProblem::Collision {
        name,
        tools: tools.into(),
    });
    collisions.collect()
}

impl fmt::Display for ToolboxProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server { server, error } => write!(f, "the tools of server {server:?} cannot be listed: {error}"),
            Self::Missing(tool) => write!(f, "there is no {tool}"),
            Self::Skipped { server, tool } => {
                write!(
                    f,
                    "a tool of server {server:?} cannot be used: {:?}: {}",
                    tool.name, tool.reason
                )
            }
            Self::Mismatch { tool, mismatch } => write!(f, "{tool} is not as expected: {mismatch}"),
            Self::Collision { name, tools } => {
                write!(f, "{name:?} is the name of {} tools:", tools.len())?;
                tools.iter().try_for_each(|tool| write!(f, " {tool};"))
            }
        }
    }
}

impl core::error::Error for ToolboxProblem {}

impl fmt::Debug for ToolboxListing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ToolboxListing").field(&self.servers).finish()
    }
}
