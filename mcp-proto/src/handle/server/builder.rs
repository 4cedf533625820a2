//! How a server is made.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::TypeId;

use super::handler::{Handler, Nothing};
use super::offer::Offer;
use super::pending::Pending;
use super::state::SharedStates;
use super::tool::{RawRun, Tools};
use super::{BuildError, Context, Server, SharedState, ToolError, ToolOutput};
#[cfg(feature = "schema")]
use super::{ForTool, HandlerFn, NoArgs, Returns, Takes};
use crate::jsonrpc::RawJson;
use crate::limits::{Limits, Timeouts};
use crate::model::{Implementation, Json, ServerCapabilities, Tool, ToolsCapability};
use crate::revision::Revision;
use crate::server::{CacheHints, ServerConfig};

/// Makes a [`Server`]. Everything that can be made once is made in [`build`](Self::build).
#[must_use = "a builder makes nothing before `build`"]
pub struct ServerBuilder {
    info: Implementation,
    instructions: Option<String>,
    capabilities: ServerCapabilities,
    revisions: Option<Vec<Revision>>,
    limits: Limits,
    timeouts: Timeouts,
    cache: CacheHints,
    states: SharedStates,
    tools: Vec<Pending<Tool>>,
    handler: Arc<dyn Handler>,
}

impl Server {
    /// Starts to make a server of this name and version.
    pub fn builder(name: impl Into<String>, version: impl Into<String>) -> ServerBuilder {
        ServerBuilder::new(name, version)
    }
}

impl ServerBuilder {
    pub(super) fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            info: Implementation::new(name, version),
            instructions: None,
            capabilities: ServerCapabilities::default(),
            revisions: None,
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            cache: CacheHints::default(),
            states: SharedStates::default(),
            tools: Vec::new(),
            handler: Arc::new(Nothing),
        }
    }

    /// The name for people.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.info.title = Some(title.into());
        self
    }

    /// Everything it says about itself, in place of name, version and title.
    pub fn info(mut self, info: Implementation) -> Self {
        self.info = info;
        self
    }

    /// What the model that uses the server should know.
    pub fn instructions(mut self, instructions: impl Into<String>) -> Self {
        self.instructions = Some(instructions.into());
        self
    }

    /// What is declared besides that which follows from the tools and the handler: `logging`, `listChanged`, …
    pub fn capabilities(mut self, capabilities: ServerCapabilities) -> Self {
        self.capabilities = capabilities;
        self
    }

    /// Speaks only these revisions.
    pub fn revisions(mut self, revisions: &[Revision]) -> Self {
        self.revisions = Some(revisions.to_vec());
        self
    }

    /// The bounds.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The times.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// How long and by whom results may be cached that do not say so themselves (2026-07-28, Caching).
    pub fn cache(mut self, cache: CacheHints) -> Self {
        self.cache = cache;
        self
    }

    /// What closures share, as [`State<S>`](super::State) among their arguments. State of another type stands beside it;
    /// state of the same type takes its place. Before or after the closures that want it, it is the same.
    pub fn state<S: SharedState + Send + Sync>(mut self, state: S) -> Self {
        self.states.insert(TypeId::of::<S>(), Box::new(state));
        self
    }

    /// A tool from a closure, see [`HandlerFn`](super::HandlerFn). The schemas of its arguments and its output are made
    /// from their types.
    ///
    /// A tool of the same name takes the place of the one before. What fails is to return a [`ToolError`]: a panic is
    /// answered as well, with an error that says nothing (−32603), where the program unwinds.
    #[cfg(feature = "schema")]
    pub fn tool<F, M>(self, name: impl Into<String>, description: impl Into<String>, function: F) -> Self
    where
        F: HandlerFn<ForTool, M> + Send + Sync,
        F::Taken: Takes<Kept: Send + Sync>,
        F::Returned: Returns<ForTool>,
        F::Future: Send,
        M: 'static,
    {
        let tool = Tool::new(name, Json::empty_object()).with_description(description.into());
        self.typed_tool(tool, function)
    }

    /// The same with a [`Tool`] of one's own: title, annotations, icons. Schemas that are in there stay as they are; an
    /// input schema that is `{}` or an absent output schema is made from the types.
    #[cfg(feature = "schema")]
    pub fn typed_tool<F, M>(mut self, mut tool: Tool, function: F) -> Self
    where
        F: HandlerFn<ForTool, M> + Send + Sync,
        F::Taken: Takes<Kept: Send + Sync>,
        F::Returned: Returns<ForTool>,
        F::Future: Send,
        M: 'static,
    {
        if tool.input_schema.as_str() == "{}" {
            let schema = F::Taken::schema().unwrap_or_else(NoArgs::schema_of_none);
            tool.input_schema = Json::parse(schema).unwrap_or(tool.input_schema);
        }
        tool.output_schema = tool
            .output_schema
            .or_else(|| Json::parse(F::Returned::output_schema()?).ok());
        self.tools.push(Pending::typed(tool, function));
        self
    }

    /// A tool that takes its arguments as they came, an object, and checks them itself. An input schema that is `{}`
    /// becomes that of any object.
    pub fn raw_tool<F, Fut, O>(mut self, mut tool: Tool, function: F) -> Self
    where
        F: Fn(RawJson, Context) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<O, ToolError>> + Send + 'static,
        O: ToolOutput,
    {
        // A schema has to be one of an object (Tools, Data Types: MUST), and an empty one says nothing.
        if tool.input_schema.as_str() == "{}" {
            tool.input_schema = Json::parse(r#"{"type":"object"}"#).unwrap_or(tool.input_schema);
        }
        self.tools.push(Pending::made(tool, Arc::new(RawRun(function))));
        self
    }

    /// An object that answers what the tools given here do not.
    pub fn handler(mut self, handler: impl Handler) -> Self {
        self.handler = Arc::new(handler);
        self
    }

    /// The server.
    ///
    /// # Panics
    /// Where a closure takes state that the builder was not given, or [`try_build`](Self::try_build) fails otherwise: what
    /// is wrong is wrong in the program, and at its start.
    pub fn build(self) -> Server {
        match self.try_build() {
            Ok(server) => server,
            #[expect(clippy::panic, reason = "the builder was called in error, as its docs say")]
            Err(error) => panic!("the server cannot be built: {error}"),
        }
    }

    /// The server, for those whose closures are not known beforehand.
    ///
    /// # Errors
    /// [`BuildError`] where something that was given cannot be offered.
    pub fn try_build(self) -> Result<Server, BuildError> {
        let states = self.states;
        let tools = self.tools.into_iter().map(|tool| tool.make(&states));
        let tools = Tools::new(tools.collect::<Result<_, _>>()?);
        let mut capabilities = merge(self.capabilities, self.handler.capabilities());
        // A client asks for nothing that is not declared, and who gives tools need not declare them as well.
        if !tools.is_empty() {
            capabilities.tools.get_or_insert_with(ToolsCapability::default);
        }
        let mut config = ServerConfig::new(self.info)
            .with_capabilities(capabilities)
            .with_limits(self.limits)
            .with_timeouts(self.timeouts)
            .with_cache(self.cache);
        if let Some(instructions) = self.instructions {
            config = config.with_instructions(instructions);
        }
        if let Some(revisions) = self.revisions {
            config = config.with_revisions(&revisions);
        }
        Ok(Server::new(config, Box::new(Offer::new(tools, self.handler))))
    }
}

/// What the builder was told, and where it says nothing what the handler declares.
fn merge(first: ServerCapabilities, second: ServerCapabilities) -> ServerCapabilities {
    let mut extra = second.extra;
    // What the application says counts over what its handler does.
    for (name, value) in first.extra.iter() {
        extra.insert(name, value.clone());
    }
    ServerCapabilities {
        tools: first.tools.or(second.tools),
        prompts: first.prompts.or(second.prompts),
        resources: first.resources.or(second.resources),
        completions: first.completions.or(second.completions),
        logging: first.logging.or(second.logging),
        tasks: first.tasks.or(second.tasks),
        extensions: first.extensions.or(second.extensions),
        experimental: first.experimental.or(second.experimental),
        extra,
    }
}

impl core::fmt::Debug for ServerBuilder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("ServerBuilder").field(&self.info.name).finish()
    }
}
