//! How a server is made.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::TypeId;
use core::num::NonZeroUsize;

#[cfg(feature = "schema")]
use super::bound::BoundState;
use super::catalog::{Catalog, Layout};
#[cfg(feature = "schema")]
use super::describe;
use super::erased::ErasedHandler;
use super::handler::{Handler, Nothing};
use super::offer::{Completed, HandlerHas, Offer};
use super::offered::Offered;
use super::pending::{Pending, Registered};
use super::state::SharedStates;
use super::state_store::{SingleUse, StateStore, Uses};
use super::tool::{RawRun, of_object};
use super::{BuildError, Context, Server, SharedState, ToolError, ToolOutput};
#[cfg(feature = "schema")]
use super::{ForCompletion, ForPrompt, ForResource, ForTool, LocalFn, SharedFn};
use crate::jsonrpc::RawJson;
use crate::limits::{Limits, Timeouts};
use crate::method::Method;
#[cfg(feature = "schema")]
use crate::model::CompletionReference;
use crate::model::{
    Implementation, Json, Prompt, PromptsCapability, Resource, ResourceTemplate, ResourcesCapability,
    ServerCapabilities, Tool, ToolsCapability,
};
use crate::revision::Revision;
use crate::server::{CacheHints, ServerConfig, StateKey};

/// Most entries of a page, unless another number is given: nearly every list is one page.
const PAGE_SIZE: NonZeroUsize = NonZeroUsize::new(1_000).unwrap();

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
    single_use: SingleUse,
    states: SharedStates,
    tools: Vec<Pending<Tool>>,
    resources: Vec<Pending<Resource>>,
    templates: Vec<Pending<ResourceTemplate>>,
    prompts: Vec<Pending<Prompt>>,
    completions: Vec<Pending<Completed>>,
    lists: BTreeMap<Method, CacheHints>,
    page_size: NonZeroUsize,
    changing: bool,
    handler: Option<Arc<dyn ErasedHandler>>,
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
            single_use: SingleUse::default(),
            states: SharedStates::default(),
            tools: Vec::new(),
            resources: Vec::new(),
            templates: Vec::new(),
            prompts: Vec::new(),
            completions: Vec::new(),
            lists: BTreeMap::new(),
            page_size: PAGE_SIZE,
            changing: false,
            handler: None,
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

    /// What clients carry from one round of input to the next is good for one use: for servers on whose every round
    /// something depends. A client that makes a request again because it has lost the answer is refused
    /// ([`StateRefusal::Used`](crate::server::StateRefusal::Used)), and begins anew.
    ///
    /// What was used is remembered in memory until it expires, [`Limits::used_states`] at most
    /// ([`UsedStates`](crate::server::UsedStates) says who loses then): for one node that is not started again in that time, or has no
    /// [`state_keys`](Self::state_keys). It counts when a handler looks at what came with its request: one that asks nothing
    /// uses nothing.
    pub fn single_use_state(mut self) -> Self {
        self.single_use = SingleUse::Here;
        self
    }

    /// The same, remembered by a store of the application: for servers of several nodes, with their
    /// [`state_keys`](Self::state_keys). While it is asked the handler waits, and is cancelled with its request as ever.
    pub fn single_use_state_in(mut self, store: impl StateStore) -> Self {
        self.single_use = SingleUse::In(Arc::new(store));
        self
    }

    /// What closures share, as [`State<S>`](super::State) among their arguments. State of another type stands beside it;
    /// state of the same type takes its place. Before or after the closures that want it, it is the same.
    pub fn state<S: SharedState + Send + Sync>(mut self, state: S) -> Self {
        self.states.insert(TypeId::of::<S>(), Box::new(state));
        self
    }

    /// The same for one list alone: that of tools, prompts, resources or resource templates (`Method::ListTools`, …). What
    /// a resource is read as says it by [`Cached`](super::Cached).
    pub fn cache_list(mut self, list: Method, cache: CacheHints) -> Self {
        self.lists.insert(list, cache);
        self
    }

    /// Most entries of one page of a list. Default 1,000; 0 counts as 1.
    pub fn page_size(mut self, entries: usize) -> Self {
        self.page_size = NonZeroUsize::new(entries).unwrap_or(NonZeroUsize::MIN);
        self
    }

    /// Tools, prompts, resources and templates may come and go while the server runs ([`Server::tools`], …): declares all
    /// of them, with `listChanged`.
    pub fn changing(mut self) -> Self {
        self.changing = true;
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
        F: SharedFn<ForTool, M>,
        M: 'static,
    {
        self.typed_tool(describe::tool(name.into(), description.into()), function)
    }

    /// The same with a [`Tool`] of one's own: title, annotations, icons. Schemas that are in there stay as they are; an
    /// input schema that is `{}` or an absent output schema is made from the types.
    #[cfg(feature = "schema")]
    pub fn typed_tool<F, M>(mut self, tool: Tool, function: F) -> Self
    where
        F: SharedFn<ForTool, M>,
        M: 'static,
    {
        let tool = describe::typed_tool_of(tool, &function);
        self.tools.push(Pending::typed(tool, function));
        self
    }

    /// A resource from a closure, which is called when it is read. It returns text, bytes or more, see
    /// [`ResourceOutput`](super::ResourceOutput).
    ///
    /// ```
    /// use mcp_proto::handle::Server;
    /// use mcp_proto::handle::server::Uri;
    ///
    /// #[derive(serde::Deserialize, schemars::JsonSchema)]
    /// struct User {
    ///     id: u32,
    /// }
    ///
    /// let server = Server::builder("users", "1.0.0")
    ///     .resource("users://motd", "Message of the day", || "Be kind.")
    ///     .resource_template("users://{id}/name", "Name of a user", |user: User, Uri(uri): Uri| async move {
    ///         (user.id == 1).then(|| format!("root, as {uri} says"))
    ///     })
    ///     .build();
    /// ```
    #[cfg(feature = "schema")]
    pub fn resource<F, M>(self, uri: impl Into<String>, name: impl Into<String>, function: F) -> Self
    where
        F: SharedFn<ForResource, M>,
        M: 'static,
    {
        self.typed_resource(Resource::new(uri, name), function)
    }

    /// The same with a [`Resource`] of one's own: title, description, media type, size, annotations, icons.
    #[cfg(feature = "schema")]
    pub fn typed_resource<F, M>(mut self, resource: Resource, function: F) -> Self
    where
        F: SharedFn<ForResource, M>,
        M: 'static,
    {
        self.resources.push(Pending::typed(resource, function));
        self
    }

    /// A family of resources, whose URIs a [`UriTemplate`](crate::model::UriTemplate) describes (RFC 6570). The variables
    /// are the typed arguments of the closure: texts, numbers, bools, variants. A URI whose variables do not fit is one of
    /// no resource.
    ///
    /// A resource of the very URI comes first, and of templates the one that was given first.
    #[cfg(feature = "schema")]
    pub fn resource_template<F, M>(self, template: impl Into<String>, name: impl Into<String>, function: F) -> Self
    where
        F: SharedFn<ForResource, M>,
        M: 'static,
    {
        self.typed_resource_template(ResourceTemplate::new(template, name), function)
    }

    /// The same with a [`ResourceTemplate`] of one's own: title, description, media type, annotations, icons.
    #[cfg(feature = "schema")]
    pub fn typed_resource_template<F, M>(mut self, template: ResourceTemplate, function: F) -> Self
    where
        F: SharedFn<ForResource, M>,
        M: 'static,
    {
        self.templates.push(Pending::typed(template, function));
        self
    }

    /// A prompt from a closure. The fields of its typed arguments are the arguments of the prompt, with their docs as
    /// descriptions; it returns a text, messages or more, see [`PromptOutput`](super::PromptOutput).
    ///
    /// ```
    /// use mcp_proto::handle::Server;
    /// use mcp_proto::handle::server::{Typing, completes_prompt};
    ///
    /// #[derive(serde::Deserialize, schemars::JsonSchema)]
    /// struct Review {
    ///     /// The language of the code.
    ///     language: String,
    ///     strict: Option<bool>,
    /// }
    ///
    /// let server = Server::builder("reviews", "1.0.0")
    ///     .prompt("review", "Reviews code", |args: Review| format!("Review this {} code.", args.language))
    ///     .completion(completes_prompt("review"), "language", |Typing(typed): Typing| {
    ///         ["python", "rust"].into_iter().filter(|it| it.starts_with(&typed)).collect::<Vec<_>>()
    ///     })
    ///     .build();
    /// ```
    #[cfg(feature = "schema")]
    pub fn prompt<F, M>(self, name: impl Into<String>, description: impl Into<String>, function: F) -> Self
    where
        F: SharedFn<ForPrompt, M>,
        M: 'static,
    {
        self.typed_prompt(Prompt::new(name).with_description(description.into()), function)
    }

    /// The same with a [`Prompt`] of one's own: title, icons. Arguments that are in there stay as they are; absent ones are
    /// made from the type.
    #[cfg(feature = "schema")]
    pub fn typed_prompt<F, M>(mut self, prompt: Prompt, function: F) -> Self
    where
        F: SharedFn<ForPrompt, M>,
        M: 'static,
    {
        let prompt = describe::typed_prompt_of(prompt, &function);
        self.prompts.push(Pending::typed(prompt, function));
        self
    }

    /// Completes an argument of a prompt ([`completes_prompt`](super::completes_prompt)) or a variable of a resource
    /// template ([`completes_template`](super::completes_template)). The closure takes what was typed so far as
    /// [`Typing`](super::Typing), and what is already settled as its typed arguments; it returns suggestions, see
    /// [`CompletionOutput`](super::CompletionOutput).
    #[cfg(feature = "schema")]
    pub fn completion<F, M>(mut self, of: CompletionReference, argument: impl Into<String>, function: F) -> Self
    where
        F: SharedFn<ForCompletion, M>,
        M: 'static,
    {
        if let Some(completed) = Completed::new(of, argument.into()) {
            self.completions.push(Pending::typed(completed, function));
        }
        self
    }

    /// A tool that takes its arguments as they came, an object, and checks them itself. An input schema that is `{}`
    /// becomes that of any object.
    pub fn raw_tool<F, Fut, O>(mut self, tool: Tool, function: F) -> Self
    where
        F: Fn(RawJson, Context) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<O, ToolError>> + Send + 'static,
        O: ToolOutput,
    {
        self.tools
            .push(Pending::made(of_object(tool), Arc::new(RawRun(function))));
        self
    }

    #[cfg(feature = "schema")]
    pub(super) fn local_state<S: SharedState>(mut self, state: S) -> Self {
        self.states.insert(TypeId::of::<S>(), Box::new(BoundState::new(state)));
        self
    }

    #[cfg(feature = "schema")]
    pub(super) fn local_tool<M: 'static>(mut self, tool: Tool, function: impl LocalFn<ForTool, M>) -> Self {
        let tool = describe::typed_tool_of(tool, &function);
        self.tools.push(Pending::local(tool, function));
        self
    }

    #[cfg(feature = "schema")]
    pub(super) fn local_resource<M: 'static>(mut self, it: Resource, function: impl LocalFn<ForResource, M>) -> Self {
        self.resources.push(Pending::local(it, function));
        self
    }

    #[cfg(feature = "schema")]
    pub(super) fn local_template<M: 'static>(
        mut self,
        template: ResourceTemplate,
        function: impl LocalFn<ForResource, M>,
    ) -> Self {
        self.templates.push(Pending::local(template, function));
        self
    }

    #[cfg(feature = "schema")]
    pub(super) fn local_prompt<M: 'static>(mut self, prompt: Prompt, function: impl LocalFn<ForPrompt, M>) -> Self {
        let prompt = describe::typed_prompt_of(prompt, &function);
        self.prompts.push(Pending::local(prompt, function));
        self
    }

    #[cfg(feature = "schema")]
    pub(super) fn local_completion<M: 'static>(
        mut self,
        of: CompletionReference,
        argument: String,
        function: impl LocalFn<ForCompletion, M>,
    ) -> Self {
        if let Some(completed) = Completed::new(of, argument) {
            self.completions.push(Pending::local(completed, function));
        }
        self
    }

    /// An object that answers what the tools given here do not.
    pub fn handler(mut self, handler: impl Handler) -> Self {
        self.handler = Some(Arc::new(handler));
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
        let (capabilities, handler_has) = self.declared();
        let layout = |list: Method| Layout {
            page_size: self.page_size,
            hints: self.lists.get(&list).cloned(),
        };
        let states = self.states;
        let completions = self.completions.into_iter().map(|completion| {
            let Registered { item, run } = completion.make(&states)?;
            Ok((item, run))
        });
        let offer = Offer {
            completions: completions.collect::<Result<_, BuildError>>()?,
            tools: catalog(self.tools, &states, layout)?,
            resources: catalog(self.resources, &states, layout)?,
            templates: catalog(self.templates, &states, layout)?,
            prompts: catalog(self.prompts, &states, layout)?,
            states,
            handler: self.handler.unwrap_or_else(|| Arc::new(Nothing)),
            handler_has,
        };
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
        let uses = self.single_use.into_uses(config.limits());
        if !matches!(uses, Uses::Any) {
            config = config.with_single_use_state();
        }
        Ok(Server::new(config, Box::new(offer), uses))
    }

    /// What the server declares, and what of it its handler has. A client asks for nothing that is not declared, and who
    /// gives tools need not declare them as well.
    fn declared(&self) -> (ServerCapabilities, HandlerHas) {
        let mut told = self.capabilities.clone();
        let (resources, prompts) = (
            !(self.resources.is_empty() && self.templates.is_empty()),
            !self.prompts.is_empty(),
        );
        // What is declared beside closures is theirs, and otherwise the handler's.
        let mut rest = told.clone();
        rest.resources = rest.resources.filter(|_| !resources && !self.changing);
        rest.prompts = rest.prompts.filter(|_| !prompts && !self.changing);
        rest.completions = rest.completions.filter(|_| self.completions.is_empty());
        let has = match &self.handler {
            Some(handler) => {
                told = merge(told, handler.capabilities());
                HandlerHas::of(&**handler, &rest)
            }
            None => HandlerHas::NOTHING,
        };
        if !self.tools.is_empty() || self.changing {
            told.tools.get_or_insert_with(ToolsCapability::default);
        }
        if resources || self.changing {
            told.resources.get_or_insert_with(ResourcesCapability::default);
        }
        if prompts || self.changing {
            told.prompts.get_or_insert_with(PromptsCapability::default);
        }
        if !self.completions.is_empty() {
            told.completions.get_or_insert(Json::empty_object());
        }
        if self.changing {
            told.tools.iter_mut().for_each(|it| it.list_changed = Some(true));
            told.resources.iter_mut().for_each(|it| it.list_changed = Some(true));
            told.prompts.iter_mut().for_each(|it| it.list_changed = Some(true));
        }
        (told, has)
    }
}

fn catalog<T: Offered>(
    given: Vec<Pending<T>>,
    states: &SharedStates,
    layout: impl Fn(Method) -> Layout,
) -> Result<Catalog<T>, BuildError> {
    let made = given.into_iter().map(|pending| pending.make(states));
    Catalog::new(made.collect::<Result<_, _>>()?, layout(T::LIST))
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
