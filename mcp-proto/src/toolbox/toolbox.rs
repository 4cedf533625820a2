//! The tools of several servers under one roof.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use serde::Serialize;

use super::call::ToolCall;
use super::changes::ToolboxChanges;
use super::incidents::ToolboxIncidents;
use super::listing::ToolboxListing;
use super::overrides::ToolOverrides;
use super::remote::RemoteTool;
use super::selection::ToolSelection;
use super::servers::{Filter, Server, Servers};
use super::signature::Signature;
use super::source::ToolSource;
use super::target::Target;
use crate::model::Tool;

/// The tools of one or many servers in one namespace. Cheap to clone; clones share what they know.
///
/// Making one asks nobody. A server is asked when its tools are [listed](Self::list), or when one of them is
/// [called](Self::call).
///
/// # What a name means
/// Each server's [selection](ToolSelection) says which of its tools are taken and what they are called. A name means the
/// tool that it meant in the last listing. One that was not listed is called at once where it can be only one tool by
/// its form (a box of one server; names with prefixes), and otherwise looked for on the servers that may have it. Where
/// two tools have the same name, neither is taken for the other: both are left out of the listing, which says so, and a
/// call by that name is refused.
///
/// ```
/// # #[cfg(feature = "schema")] {
/// use mcp_proto::toolbox::{ServerTools, ToolCallError, Toolbox};
/// # use std::{future::Future, pin::{Pin, pin}, task::{Context, Poll, Waker}};
/// # use mcp_proto::{Time, client::{ClientConfig, Mode}, handle::{Client, Server, Crossing, client::ClientPump, server::{ServerPump, ToolError}}};
/// # use serde_json::json;
/// # fn connect(server: Server) -> (Client, Crossing<ClientPump, ServerPump>) {
/// #     let (client, pump) = Client::over_stream(ClientConfig::named("doc", "1").with_mode(Mode::Modern));
/// #     (client, Crossing::new(pump, server.pump()))
/// # }
/// # #[derive(serde::Deserialize, schemars::JsonSchema)] struct City { city: String }
/// # let weather = Server::builder("weather", "1")
/// #     .tool("forecast", "The weather of tomorrow", |to: City| async move { Ok(format!("sunny in {}", to.city)) }).build();
/// # #[derive(serde::Deserialize, schemars::JsonSchema)] struct File { path: String }
/// # let files = Server::builder("files", "1")
/// #     .tool("read", "Reads", |file: File| async move { Err::<String, _>(ToolError::text(format!("no file {}", file.path))) })
/// #     .tool("delete", "Deletes", |_: File| async move { Ok("gone".to_string()) }).build();
/// # let ((weather, mut one), (files, mut two)) = (connect(weather), connect(files));
/// # let example = async move {
/// let toolbox = Toolbox::builder()
///     .server("weather", weather)
///     .server("files", ServerTools::new(files).prefix("files_").except(["delete"]))
///     .build();
///
/// // Nothing was asked so far. This asks both servers at once.
/// let list = toolbox.list().await;
/// let names: Vec<&str> = list.tools.iter().map(|tool| tool.definition.name.as_str()).collect();
/// assert_eq!(names, ["forecast", "files_read"]);
/// assert!(list.problems.is_empty());
///
/// let result = toolbox.call("forecast", json!({"city": "Bern"})).await?;
/// assert_eq!(result.to_text(), "sunny in Bern");
///
/// // A tool that fails is an error that keeps what it said.
/// match toolbox.call("files_read", json!({"path": "/nope"})).await {
///     Err(ToolCallError::Tool { tool, result }) => {
///         assert_eq!(tool.to_string(), r#"tool "read" of server "files""#);
///         assert_eq!(result.to_text(), "no file /nope");
///     }
///     other => panic!("{other:?}"),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # };
/// # let mut example = pin!(example);
/// # let cx = &mut Context::from_waker(Waker::noop());
/// # for _ in 0..99 {
/// #     if let Poll::Ready(outcome) = example.as_mut().poll(cx) { return outcome.unwrap(); }
/// #     let _ = one.poll(cx, Time::ORIGIN, |_, _| Poll::Pending);
/// #     let _ = two.poll(cx, Time::ORIGIN, |_, _| Poll::Pending);
/// # }
/// # panic!("it hangs");
/// # }
/// ```
#[derive(Clone)]
pub struct Toolbox {
    servers: Arc<Servers>,
}

impl Toolbox {
    /// Starts to fill a box.
    pub fn builder() -> ToolboxBuilder {
        ToolboxBuilder { servers: Vec::new() }
    }

    /// What the servers are called, in their order.
    pub fn servers(&self) -> impl Iterator<Item = &str> {
        self.servers.all.iter().map(|server| &*server.label)
    }

    /// Lists the tools of all servers, which are asked at once: each takes them from what is kept where that is fresh.
    pub fn list(&self) -> ToolboxListing {
        ToolboxListing::new(self.servers.clone())
    }

    /// The tool that is called `name` here.
    pub fn tool(&self, name: impl Into<Box<str>>) -> RemoteTool {
        RemoteTool::in_box(self.servers.clone(), name.into())
    }

    /// Calls the tool that is called `name` here. `arguments` becomes a JSON object; `()` is none.
    pub fn call<A: Serialize>(&self, name: &str, arguments: A) -> ToolCall {
        let target = Target::InBox {
            servers: self.servers.clone(),
            name: name.into(),
        };
        ToolCall::new(target, arguments)
    }

    /// Takes the lists that are kept for out of date: whoever lists from now on asks all servers.
    pub fn forget_tools(&self) {
        for server in &self.servers.all {
            server.source.forget_tools();
        }
    }

    /// Which servers say that their tools have changed, from now on.
    pub fn changes(&self) -> ToolboxChanges {
        ToolboxChanges::new(&self.servers)
    }

    /// What is lost on the way to the servers, or goes wrong, without a call failing for it, and to which.
    pub fn incidents(&self) -> ToolboxIncidents {
        ToolboxIncidents::new(&self.servers)
    }
}

impl fmt::Debug for Toolbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Toolbox").field(&self.servers).finish()
    }
}

/// Fills a [`Toolbox`].
#[derive(Debug)]
#[must_use = "a builder makes nothing before `build`"]
pub struct ToolboxBuilder {
    servers: Vec<Server>,
}

impl ToolboxBuilder {
    /// Adds the tools of a server, all of them where it is the source alone. `label` is what the server is called in
    /// listings and errors; it is no part of names. A server of the same label takes the place of the one before.
    pub fn server(mut self, label: impl Into<Box<str>>, tools: impl Into<ServerTools>) -> Self {
        let ServerTools {
            source,
            selection,
            filter,
        } = tools.into();
        let server = Server {
            label: label.into(),
            source,
            selection,
            filter,
        };
        match self.servers.iter_mut().find(|other| other.label == server.label) {
            Some(other) => *other = server,
            None => self.servers.push(server),
        }
        self
    }

    /// The box.
    pub fn build(self) -> Toolbox {
        Toolbox {
            servers: Arc::new(Servers::new(self.servers)),
        }
    }
}

/// Which tools of a server go into a box, and what they are called there. Names in here are those of the server.
#[derive(Clone)]
pub struct ServerTools {
    source: Arc<dyn ToolSource>,
    selection: ToolSelection,
    filter: Option<Filter>,
}

impl ServerTools {
    /// All tools of the server behind `source`, under their own names.
    #[must_use]
    pub fn new(source: impl ToolSource + 'static) -> Self {
        Self {
            source: Arc::new(source),
            selection: ToolSelection::default(),
            filter: None,
        }
    }

    /// Everything that can be said as plain data, in place of what was said before.
    #[must_use]
    pub fn selection(mut self, selection: ToolSelection) -> Self {
        self.selection = selection;
        self
    }

    /// Takes these alone, and those that were named so before. One that the server does not have is a problem of the
    /// listing.
    #[must_use]
    pub fn only<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        let only: &mut BTreeSet<String> = self.selection.only.get_or_insert_default();
        only.extend(names.into_iter().map(Into::into));
        self
    }

    /// Leaves these out.
    #[must_use]
    pub fn except<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.selection.except.extend(names.into_iter().map(Into::into));
        self
    }

    /// Leaves out the tools, as the server has them, for which `keep` is false. What a server says of its tools is not to
    /// be relied on, unless the server is (Tools: annotations are "untrusted").
    #[must_use]
    pub fn filter(mut self, keep: impl Fn(&Tool) -> bool + Send + Sync + 'static) -> Self {
        self.filter = Some(Arc::new(keep));
        self
    }

    /// Puts `prefix` before every name, except those that are given here.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.selection.prefix = Some(prefix.into());
        self
    }

    /// Gives a tool another name.
    #[must_use]
    pub fn rename(mut self, tool: impl Into<String>, name: impl Into<String>) -> Self {
        self.selection.overrides.entry(tool.into()).or_default().name = Some(name.into());
        self
    }

    /// What is said of a tool in place of the server, all of it: a name that was [given](Self::rename) before goes.
    #[must_use]
    pub fn overrides(mut self, tool: impl Into<String>, overrides: ToolOverrides) -> Self {
        self.selection.overrides.insert(tool.into(), overrides);
        self
    }

    /// What the arguments of a tool are expected to be. A tool that is otherwise is a problem of the listing, and not
    /// among its tools; calls are made all the same.
    #[must_use]
    pub fn expects(mut self, tool: impl Into<String>, signature: Signature) -> Self {
        self.selection.signatures.insert(tool.into(), signature);
        self
    }
}

impl<S: ToolSource + 'static> From<S> for ServerTools {
    fn from(source: S) -> Self {
        Self::new(source)
    }
}

impl fmt::Debug for ServerTools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTools")
            .field("selection", &self.selection)
            .field("is_filtered", &self.filter.is_some())
            .finish_non_exhaustive()
    }
}
