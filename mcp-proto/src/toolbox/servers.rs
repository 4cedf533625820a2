//! The servers of a box, and which of their tools a name means.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::sync::{Mutex, PoisonError};

use super::error::FindToolError;
use super::origin::ToolOrigin;
use super::overrides::ToolOverrides;
use super::selection::ToolSelection;
use super::signature::Signature;
use super::source::{SourceFuture, ToolSource};
use crate::client::ToolList;
use crate::handle::client::Answered;
use crate::model::Tool;
use crate::rpc::CallOptions;

/// A condition on tools as their server has them.
pub(super) type Filter = Arc<dyn Fn(&Tool) -> bool + Send + Sync>;

/// A server of a box, and the name of a tool there.
pub(super) type Place = (usize, Box<str>);

/// One server of a box.
pub(super) struct Server {
    pub(super) label: Box<str>,
    pub(super) source: Arc<dyn ToolSource>,
    pub(super) selection: ToolSelection,
    pub(super) filter: Option<Filter>,
}

/// The servers of a box.
pub(super) struct Servers {
    pub(super) all: Vec<Server>,
    /// What each name meant in the last listing: the server, and the name there. Never locked across an await.
    routes: Mutex<BTreeMap<Box<str>, Place>>,
}

/// A tool that can be called.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) source: Arc<dyn ToolSource>,
    pub(super) origin: ToolOrigin,
    /// With the name that it is shown by, where that is another.
    pub(super) overrides: ToolOverrides,
    pub(super) signature: Option<Signature>,
}

/// What is known of a name without asking anyone.
pub(super) enum Lookup {
    Found(Found),
    /// One of these servers may have it, by these names; they have to be asked.
    Candidates(Vec<Place>),
}

impl Server {
    pub(super) fn origin(&self, own: &str) -> ToolOrigin {
        ToolOrigin::new(self.label.clone(), own)
    }

    /// Whether a tool of the server is in the box.
    pub(super) fn takes(&self, tool: &Tool) -> bool {
        self.selection.takes(&tool.name) && self.filter.as_ref().is_none_or(|filter| filter(tool))
    }

    fn found(&self, own: &str) -> Found {
        let overrides = self.selection.overrides.get(own).cloned().unwrap_or_default();
        let name = Some(self.selection.shown(own));
        Found {
            source: self.source.clone(),
            origin: self.origin(own),
            overrides: ToolOverrides { name, ..overrides },
            signature: self.selection.signatures.get(own).cloned(),
        }
    }
}

impl Servers {
    pub(super) fn new(all: Vec<Server>) -> Self {
        Self {
            all,
            routes: Mutex::default(),
        }
    }

    /// What `name` means. A name of the last listing means what it meant there; any other is asked for only where it
    /// could be that of several tools, or where a condition on the tool has to be met.
    pub(super) fn look_up(&self, name: &str) -> Result<Lookup, FindToolError> {
        if let Some((server, own)) = self.route(name) {
            return Ok(Lookup::Found(server.found(&own)));
        }
        let candidates: Vec<Place> = self
            .all
            .iter()
            .enumerate()
            .flat_map(|(at, server)| server.selection.own(name).map(move |own| (at, own.into())))
            .collect();
        // Nobody else can have it. Whether it is there its server says when it is called: a list is saved.
        if let [(at, own)] = &candidates[..]
            && let Some(server) = self.all.get(*at).filter(|server| server.filter.is_none())
        {
            return Ok(Lookup::Found(server.found(own)));
        }
        match candidates.is_empty() {
            true => Err(FindToolError::Unknown { name: name.into() }),
            false => Ok(Lookup::Candidates(candidates)),
        }
    }

    fn route(&self, name: &str) -> Option<(&Server, Box<str>)> {
        let routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, own) = routes.get(name)?;
        Some((self.all.get(*at)?, own.clone()))
    }

    /// Remembers what the names of a listing mean. Of servers that were not heard, what was known stays.
    pub(super) fn set_routes(&self, heard: &[usize], new: impl Iterator<Item = (Box<str>, Place)>) {
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        // A name that a server has no tool for any more must not lead there.
        routes.retain(|_, (at, _)| !heard.contains(at));
        routes.extend(new);
    }

    /// Asks these servers for their tools, all at once.
    pub(super) fn lists(&self, servers: impl Iterator<Item = usize>, options: &CallOptions, spent: Duration) -> Lists {
        let ask = |at| {
            let server: &Server = self.all.get(at)?;
            Some((at, Answer::Awaited(server.source.tools(options.clone(), spent))))
        };
        Lists(servers.filter_map(ask).collect())
    }
}

/// Finds the tool that is meant by `name`, asking those servers that may have it; and how much of the time is spent.
pub(super) async fn find(
    servers: Arc<Servers>,
    name: Box<str>,
    candidates: Vec<Place>,
    options: CallOptions,
) -> Result<(Found, Duration), FindToolError> {
    let mut asked: Vec<usize> = candidates.iter().map(|(at, _)| *at).collect();
    // They come in the order of the servers: the same ones are neighbours.
    asked.dedup();
    let lists = servers.lists(asked.into_iter(), &options, Duration::ZERO).await;
    // They were asked at once: the slowest took as long as all of them.
    let spent = lists.iter().map(|(_, list)| list.spent).max().unwrap_or_default();
    let list_of = |at: usize| {
        lists
            .iter()
            .find(|(other, _)| *other == at)
            .map(|(_, list)| &list.outcome)
    };
    let mut found = Vec::new();
    let mut failure = None;
    for (at, own) in &candidates {
        let Some(server) = servers.all.get(*at) else { continue };
        match list_of(*at) {
            Some(Ok(list)) if list.get(own).is_some_and(|tool| server.takes(tool)) => found.push(server.found(own)),
            // It counts only where none is found: then this server may have it.
            Some(Err(error)) => failure = Some((server, error)),
            _ => {}
        }
    }
    match (&found[..], failure) {
        ([one], _) => Ok((one.clone(), spent)),
        ([], None) => Err(FindToolError::Unknown { name }),
        ([], Some((server, error))) => Err(FindToolError::List {
            server: Some(server.label.clone()),
            error: error.clone(),
        }),
        (several, _) => Err(FindToolError::Ambiguous {
            name,
            tools: several.iter().map(|found| found.origin.clone()).collect(),
        }),
    }
}

/// The tools of several servers, a future of them all. One that is slow or broken holds nobody up but those who wait
/// for all.
pub(super) struct Lists(Vec<(usize, Answer)>);

enum Answer {
    Awaited(SourceFuture<ToolList>),
    Here(Answered<ToolList>),
}

impl Future for Lists {
    type Output = Vec<(usize, Answered<ToolList>)>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut all = true;
        // All of them, each time: which of them has woken the task is not known.
        for (_, answer) in &mut self.0 {
            if let Answer::Awaited(future) = answer {
                match future.as_mut().poll(cx) {
                    Poll::Ready(list) => *answer = Answer::Here(list),
                    Poll::Pending => all = false,
                }
            }
        }
        if !all {
            return Poll::Pending;
        }
        let answers = core::mem::take(&mut self.0).into_iter();
        Poll::Ready(
            answers
                .filter_map(|(at, answer)| match answer {
                    Answer::Here(list) => Some((at, list)),
                    Answer::Awaited(_) => None,
                })
                .collect(),
        )
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("label", &self.label)
            .field("selection", &self.selection)
            .field("is_filtered", &self.filter.is_some())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.all).finish()
    }
}
