//! Servers whose handlers stay on one thread.

use alloc::rc::Rc;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use core::marker::PhantomData;
use core::task::{Context, Poll};

use bytes::Bytes;

use super::describe;
use super::{
    BuildError, ForCompletion, ForPrompt, ForResource, ForTool, LocalFn, Server, ServerBuilder, ServerConnection,
    ServerPump, SharedState,
};
use crate::handle::Pump;
use crate::jsonrpc::Params;
use crate::method::MethodName;
use crate::model::{CompletionReference, Prompt, Resource, ResourceTemplate, Tool};
use crate::rpc::SendError;
use crate::server::ServerConfig;
use crate::time::Time;

/// A [`Server`] whose closures, their state and their futures need not be `Send`: for executors of one thread.
///
/// It is not `Send` itself, and neither are its pumps: they are driven on the thread that has made it. A
/// [`Context`](super::Context) of a call may go elsewhere; where the last of the server is dropped on another thread, what
/// its closures hold is not dropped.
///
/// ```
/// use std::cell::Cell;
/// use std::rc::Rc;
/// use mcp_proto::handle::server::{LocalServer, State};
///
/// let server = LocalServer::builder("counter", "1.0.0")
///     .state(Rc::new(Cell::new(0u32)))
///     .tool("next", "Counts", |State(count): State<Rc<Cell<u32>>>| async move {
///         count.set(count.get() + 1);
///         count.get().to_string()
///     })
///     .build();
/// let pump = server.pump();
/// ```
///
/// It cannot leave its thread:
/// ```compile_fail
/// # use mcp_proto::handle::server::LocalServer;
/// fn send<T: Send>(_: T) {}
/// send(LocalServer::builder("counter", "1.0.0").build());
/// ```
#[derive(Clone)]
pub struct LocalServer {
    server: Server,
    here: PhantomData<Rc<()>>,
}

/// Makes a [`LocalServer`]: the verbs of a [`ServerBuilder`], for closures that stay on one thread.
#[must_use = "a builder makes nothing before `build`"]
pub struct LocalServerBuilder {
    builder: ServerBuilder,
    here: PhantomData<Rc<()>>,
}

/// The [`Pump`] of one connection of a [`LocalServer`].
pub struct LocalServerPump {
    pump: ServerPump,
    here: PhantomData<Rc<()>>,
}

impl LocalServer {
    /// Starts to make a server of this name and version.
    pub fn builder(name: impl Into<String>, version: impl Into<String>) -> LocalServerBuilder {
        LocalServerBuilder {
            builder: Server::builder(name, version),
            here: PhantomData,
        }
    }

    /// What it says about itself, its limits and timeouts.
    pub fn config(&self) -> &Arc<ServerConfig> {
        self.server.config()
    }

    /// The driver's side of a new connection over a byte stream.
    pub fn pump(&self) -> LocalServerPump {
        LocalServerPump {
            pump: self.server.pump(),
            here: PhantomData,
        }
    }

    /// Tells every client of something; see [`Server::notify`].
    ///
    /// # Errors
    /// Those of `Server::notify`.
    pub fn notify(&self, method: impl Into<MethodName>, params: Params) -> Result<(), SendError> {
        self.server.notify(method, params)
    }
}

impl LocalServerBuilder {
    /// Whatever a [`ServerBuilder`] can be told: title, limits, capabilities, closures that are `Send`, …
    pub fn with(mut self, tell: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Self {
        self.builder = tell(self.builder);
        self
    }

    /// What closures share; see [`ServerBuilder::state`]. State that is given by [`with`](Self::with) is for the closures
    /// that are given there.
    pub fn state<S: SharedState>(mut self, state: S) -> Self {
        self.builder = self.builder.local_state(state);
        self
    }

    /// A tool; see [`ServerBuilder::tool`].
    pub fn tool<F, M>(self, name: impl Into<String>, description: impl Into<String>, function: F) -> Self
    where
        F: LocalFn<ForTool, M>,
        M: 'static,
    {
        self.typed_tool(describe::tool(name.into(), description.into()), function)
    }

    /// A tool; see [`ServerBuilder::typed_tool`].
    pub fn typed_tool<F, M>(mut self, tool: Tool, function: F) -> Self
    where
        F: LocalFn<ForTool, M>,
        M: 'static,
    {
        self.builder = self.builder.local_tool(tool, function);
        self
    }

    /// A resource; see [`ServerBuilder::resource`].
    pub fn resource<F, M>(self, uri: impl Into<String>, name: impl Into<String>, function: F) -> Self
    where
        F: LocalFn<ForResource, M>,
        M: 'static,
    {
        self.typed_resource(Resource::new(uri, name), function)
    }

    /// A resource; see [`ServerBuilder::typed_resource`].
    pub fn typed_resource<F, M>(mut self, resource: Resource, function: F) -> Self
    where
        F: LocalFn<ForResource, M>,
        M: 'static,
    {
        self.builder = self.builder.local_resource(resource, function);
        self
    }

    /// A family of resources; see [`ServerBuilder::resource_template`].
    pub fn resource_template<F, M>(self, template: impl Into<String>, name: impl Into<String>, function: F) -> Self
    where
        F: LocalFn<ForResource, M>,
        M: 'static,
    {
        self.typed_resource_template(ResourceTemplate::new(template, name), function)
    }

    /// A family of resources; see [`ServerBuilder::typed_resource_template`].
    pub fn typed_resource_template<F, M>(mut self, template: ResourceTemplate, function: F) -> Self
    where
        F: LocalFn<ForResource, M>,
        M: 'static,
    {
        self.builder = self.builder.local_template(template, function);
        self
    }

    /// A prompt; see [`ServerBuilder::prompt`].
    pub fn prompt<F, M>(self, name: impl Into<String>, description: impl Into<String>, function: F) -> Self
    where
        F: LocalFn<ForPrompt, M>,
        M: 'static,
    {
        self.typed_prompt(Prompt::new(name).with_description(description.into()), function)
    }

    /// A prompt; see [`ServerBuilder::typed_prompt`].
    pub fn typed_prompt<F, M>(mut self, prompt: Prompt, function: F) -> Self
    where
        F: LocalFn<ForPrompt, M>,
        M: 'static,
    {
        self.builder = self.builder.local_prompt(prompt, function);
        self
    }

    /// A completion; see [`ServerBuilder::completion`].
    pub fn completion<F, M>(mut self, of: CompletionReference, argument: impl Into<String>, function: F) -> Self
    where
        F: LocalFn<ForCompletion, M>,
        M: 'static,
    {
        self.builder = self.builder.local_completion(of, argument.into(), function);
        self
    }

    /// The server.
    ///
    /// # Panics
    /// As [`ServerBuilder::build`].
    pub fn build(self) -> LocalServer {
        LocalServer {
            server: self.builder.build(),
            here: PhantomData,
        }
    }

    /// The server.
    ///
    /// # Errors
    /// Those of [`ServerBuilder::try_build`].
    pub fn try_build(self) -> Result<LocalServer, BuildError> {
        Ok(LocalServer {
            server: self.builder.try_build()?,
            here: PhantomData,
        })
    }
}

impl LocalServerPump {
    /// A handle to the connection, for when a driver has taken the pump.
    pub fn handle(&self) -> ServerConnection {
        self.pump.handle()
    }
}

impl Pump for LocalServerPump {
    fn poll_wants_input(&self, cx: &mut Context<'_>) -> Poll<bool> {
        self.pump.poll_wants_input(cx)
    }

    fn receive(&self, now: Time, bytes: Bytes) {
        self.pump.receive(now, bytes);
    }

    fn receive_eof(&self, now: Time) {
        self.pump.receive_eof(now);
    }

    fn poll_work(&self, cx: &mut Context<'_>, now: Time) {
        self.pump.poll_work(cx, now);
    }

    fn poll_transmit(&self, cx: &mut Context<'_>, now: Time) -> Poll<Option<Bytes>> {
        self.pump.poll_transmit(cx, now)
    }

    fn is_cut_off(&self) -> bool {
        self.pump.is_cut_off()
    }

    fn deadline(&self) -> Option<Time> {
        self.pump.deadline()
    }

    fn handle_timeout(&self, now: Time) {
        self.pump.handle_timeout(now);
    }
}

impl fmt::Debug for LocalServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LocalServer").field(&self.config().info().name).finish()
    }
}
