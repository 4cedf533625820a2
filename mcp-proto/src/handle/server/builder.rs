//! How a server is made.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::handler::{Handler, Nothing};
use super::offer::Offer;
use super::tool::{RawRun, Registered, Tools};
use super::{Context, Server, ToolError, ToolOutput};
use crate::jsonrpc::RawJson;
use crate::limits::{Limits, Timeouts};
use crate::model::{Implementation, Json, ServerCapabilities, Tool, ToolsCapability};
use crate::revision::Revision;
use crate::server::{CacheHints, ServerConfig, StateKey};

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
    state_keys: Vec<StateKey>,
    tools: Vec<Registered>,
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
            state_keys: Vec::new(),
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

    /// Keys that seal what clients carry from one round of input to the next, see [`ServerConfig::with_state_keys`]: for
    /// servers of several nodes, or whose clients are to outlive a restart.
    pub fn state_keys(mut self, keys: impl IntoIterator<Item = StateKey>) -> Self {
        self.state_keys = keys.into_iter().collect();
        self
    }

    /// A tool from a closure, see [`ToolFn`](super::ToolFn). The schemas of its arguments and its output are made from
    /// their types.
    ///
    /// A tool of the same name takes the place of the one before. What fails is to return a [`ToolError`]: a panic is
    /// answered as well, with an error that says nothing (−32603), where the program unwinds.
    #[cfg(feature = "schema")]
    pub fn tool<F, Marker>(self, name: impl Into<String>, description: impl Into<String>, function: F) -> Self
    where
        F: super::ToolFn<Marker>,
        Marker: 'static,
    {
        let (input, output) = super::typed::Typed::<F, Marker>::schemas();
        let tool = super::tool::describe(name.into(), description.into(), input, output);
        self.typed_tool(tool, function)
    }

    /// The same with a [`Tool`] of one's own: title, annotations, icons. Schemas that are in there stay as they are; an
    /// input schema that is `{}` or an absent output schema is made from the types.
    #[cfg(feature = "schema")]
    pub fn typed_tool<F, Marker>(mut self, mut tool: Tool, function: F) -> Self
    where
        F: super::ToolFn<Marker>,
        Marker: 'static,
    {
        use super::typed::Typed;
        let (input, output) = Typed::<F, Marker>::schemas();
        if tool.input_schema.as_str() == "{}" {
            tool.input_schema = Json::parse(input).unwrap_or(tool.input_schema);
        }
        tool.output_schema = tool.output_schema.or_else(|| Json::parse(output?).ok());
        let run = Box::new(Typed::<F, Marker>::new(function));
        self.tools.push(Registered { tool, run });
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
        let run = Box::new(RawRun(function));
        self.tools.push(Registered { tool, run });
        self
    }

    /// An object that answers what the tools given here do not.
    pub fn handler(mut self, handler: impl Handler) -> Self {
        self.handler = Arc::new(handler);
        self
    }

    /// The server.
    pub fn build(self) -> Server {
        let tools = Tools::new(self.tools);
        let mut capabilities = merge(self.capabilities, self.handler.capabilities());
        // A client asks for nothing that is not declared, and who gives tools need not declare them as well.
        if !tools.is_empty() {
            capabilities.tools.get_or_insert_with(ToolsCapability::default);
        }
        let mut config = ServerConfig::new(self.info)
            .with_capabilities(capabilities)
            .with_limits(self.limits)
            .with_timeouts(self.timeouts)
            .with_cache(self.cache)
            .with_state_keys(self.state_keys);
        if let Some(instructions) = self.instructions {
            config = config.with_instructions(instructions);
        }
        if let Some(revisions) = self.revisions {
            config = config.with_revisions(&revisions);
        }
        Server::new(config, Box::new(Offer::new(tools, self.handler)))
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
