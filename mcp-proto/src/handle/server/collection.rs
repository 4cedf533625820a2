//! What a server offers, changed while it runs.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::fmt;

use super::catalog::Catalog;
#[cfg(feature = "schema")]
use super::describe;
use super::facade::Server;
use super::offer::Offer;
use super::offered::Offered;
use super::pending::Pending;
use super::tool::RawRun;
use super::{BuildError, Context, ToolError, ToolOutput};
#[cfg(feature = "schema")]
use super::{ForPrompt, ForResource, ForTool, SharedFn};
use crate::jsonrpc::{Params, RawJson};
use crate::model::{Prompt, Resource, ResourceTemplate, Tool};

/// The tools, prompts, resources or templates of a server: added, replaced and removed while it runs. From
/// [`Server::tools`] and its like.
///
/// Each change is told to the clients (`notifications/…/list_changed`), to each once for all changes that it has not heard
/// of yet. Calls in progress go on with what they were made of. A handler's own are not in here.
///
/// ```
/// use mcp_proto::handle::Server;
///
/// let server = Server::builder("shop", "1.0.0").changing().build();
/// server.tools().add("sale", "What is cheap today", || "bread")?;
/// assert_eq!(server.tools().names(), ["sale"]);
/// assert!(server.tools().remove("sale"));
/// # Ok::<(), mcp_proto::handle::server::BuildError>(())
/// ```
pub struct Collection<'s, T> {
    server: &'s Server,
    of: fn(&Offer) -> &dyn Shown<T>,
}

/// A catalog, whatever it is of.
trait Shown<T> {
    fn put(&self, pending: Pending<T>, offer: &Offer) -> Result<(), BuildError>;
    fn remove(&self, name: &str) -> bool;
    fn names(&self) -> Vec<String>;
    fn changed(&self, server: &Server);
    fn declared(&self, server: &Server) -> Result<(), BuildError>;
}

impl<T: Offered> Shown<T> for Catalog<T> {
    fn put(&self, pending: Pending<T>, offer: &Offer) -> Result<(), BuildError> {
        Catalog::put(self, pending.make(&offer.states)?)
    }

    fn remove(&self, name: &str) -> bool {
        Catalog::remove(self, name)
    }

    fn names(&self) -> Vec<String> {
        Catalog::names(self)
    }

    fn changed(&self, server: &Server) {
        // Who has not declared it has chosen that nobody is told.
        let _ = server.notify(T::CHANGED, Params::NONE);
    }

    fn declared(&self, server: &Server) -> Result<(), BuildError> {
        match T::LIST.required_server_capability() {
            Some(capability) if !server.config().capabilities().has(capability) => {
                Err(BuildError::NotDeclared { capability })
            }
            _ => Ok(()),
        }
    }
}

impl Server {
    /// Its tools, to be changed. Declared by [`changing`](super::ServerBuilder::changing).
    pub fn tools(&self) -> Collection<'_, Tool> {
        Collection::new(self, |offer| &offer.tools)
    }

    /// Its resources, to be changed.
    pub fn resources(&self) -> Collection<'_, Resource> {
        Collection::new(self, |offer| &offer.resources)
    }

    /// Its templates of resources, to be changed.
    pub fn resource_templates(&self) -> Collection<'_, ResourceTemplate> {
        Collection::new(self, |offer| &offer.templates)
    }

    /// Its prompts, to be changed.
    pub fn prompts(&self) -> Collection<'_, Prompt> {
        Collection::new(self, |offer| &offer.prompts)
    }
}

impl<'s, T> Collection<'s, T> {
    fn new(server: &'s Server, of: fn(&Offer) -> &dyn Shown<T>) -> Self {
        Self { server, of }
    }

    /// Removes what goes by this name: a tool or a prompt by its name, a resource by its URI, a template by its text.
    /// Whether it was there.
    pub fn remove(&self, name: &str) -> bool {
        let Some(offer) = self.offer() else { return false };
        let shown = (self.of)(offer);
        let was_there = shown.remove(name);
        if was_there {
            shown.changed(self.server);
        }
        was_there
    }

    /// The names, URIs or templates, in the order in which clients see them.
    pub fn names(&self) -> Vec<String> {
        self.offer().map(|offer| (self.of)(offer).names()).unwrap_or_default()
    }

    fn put(&self, pending: Pending<T>) -> Result<(), BuildError> {
        let Some(offer) = self.offer() else { return Ok(()) };
        let shown = (self.of)(offer);
        shown.declared(self.server)?;
        shown.put(pending, offer)?;
        shown.changed(self.server);
        Ok(())
    }

    fn offer(&self) -> Option<&'s Offer> {
        let offer: &dyn Any = self.server.offer();
        offer.downcast_ref()
    }
}

impl Collection<'_, Tool> {
    /// Adds a tool, or puts it in the place of the one of its name.
    ///
    /// # Errors
    /// [`BuildError::MissingState`]; [`BuildError::NotDeclared`] where the server has not declared tools.
    #[cfg(feature = "schema")]
    pub fn add<F, M>(
        &self,
        name: impl Into<String>,
        description: impl Into<String>,
        function: F,
    ) -> Result<(), BuildError>
    where
        F: SharedFn<ForTool, M>,
        M: 'static,
    {
        self.add_typed(describe::tool(name.into(), description.into()), function)
    }

    /// The same as [`typed_tool`](super::ServerBuilder::typed_tool) of the builder.
    ///
    /// # Errors
    /// Those of [`add`](Self::add).
    #[cfg(feature = "schema")]
    pub fn add_typed<F, M>(&self, tool: Tool, function: F) -> Result<(), BuildError>
    where
        F: SharedFn<ForTool, M>,
        M: 'static,
    {
        self.put(Pending::typed(describe::typed_tool_of(tool, &function), function))
    }

    /// The same as [`raw_tool`](super::ServerBuilder::raw_tool) of the builder.
    ///
    /// # Errors
    /// [`BuildError::NotDeclared`] where the server has not declared tools.
    pub fn add_raw<F, Fut, O>(&self, tool: Tool, function: F) -> Result<(), BuildError>
    where
        F: Fn(RawJson, Context) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<O, ToolError>> + Send + 'static,
        O: ToolOutput,
    {
        self.put(Pending::made(super::tool::of_object(tool), Arc::new(RawRun(function))))
    }
}

#[cfg(feature = "schema")]
impl Collection<'_, Resource> {
    /// Adds a resource, or puts it in the place of the one of its URI.
    ///
    /// # Errors
    /// [`BuildError::MissingState`]; [`BuildError::NotDeclared`] where the server has not declared resources.
    pub fn add<F, M>(&self, uri: impl Into<String>, name: impl Into<String>, function: F) -> Result<(), BuildError>
    where
        F: SharedFn<ForResource, M>,
        M: 'static,
    {
        self.add_typed(Resource::new(uri, name), function)
    }

    /// The same with a [`Resource`] of one's own.
    ///
    /// # Errors
    /// Those of [`add`](Self::add).
    pub fn add_typed<F, M>(&self, resource: Resource, function: F) -> Result<(), BuildError>
    where
        F: SharedFn<ForResource, M>,
        M: 'static,
    {
        self.put(Pending::typed(resource, function))
    }
}

#[cfg(feature = "schema")]
impl Collection<'_, ResourceTemplate> {
    /// Adds a template of resources, or puts it in the place of the same one.
    ///
    /// # Errors
    /// [`BuildError::InvalidTemplate`], [`BuildError::MissingState`]; [`BuildError::NotDeclared`] where the server has not
    /// declared resources.
    pub fn add<F, M>(&self, template: impl Into<String>, name: impl Into<String>, function: F) -> Result<(), BuildError>
    where
        F: SharedFn<ForResource, M>,
        M: 'static,
    {
        self.add_typed(ResourceTemplate::new(template, name), function)
    }

    /// The same with a [`ResourceTemplate`] of one's own.
    ///
    /// # Errors
    /// Those of [`add`](Self::add).
    pub fn add_typed<F, M>(&self, template: ResourceTemplate, function: F) -> Result<(), BuildError>
    where
        F: SharedFn<ForResource, M>,
        M: 'static,
    {
        self.put(Pending::typed(template, function))
    }
}

#[cfg(feature = "schema")]
impl Collection<'_, Prompt> {
    /// Adds a prompt, or puts it in the place of the one of its name.
    ///
    /// # Errors
    /// [`BuildError::MissingState`]; [`BuildError::NotDeclared`] where the server has not declared prompts.
    pub fn add<F, M>(
        &self,
        name: impl Into<String>,
        description: impl Into<String>,
        function: F,
    ) -> Result<(), BuildError>
    where
        F: SharedFn<ForPrompt, M>,
        M: 'static,
    {
        self.add_typed(Prompt::new(name).with_description(description.into()), function)
    }

    /// The same with a [`Prompt`] of one's own.
    ///
    /// # Errors
    /// Those of [`add`](Self::add).
    pub fn add_typed<F, M>(&self, prompt: Prompt, function: F) -> Result<(), BuildError>
    where
        F: SharedFn<ForPrompt, M>,
        M: 'static,
    {
        self.put(Pending::typed(describe::typed_prompt_of(prompt, &function), function))
    }
}

impl<T> fmt::Debug for Collection<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Collection").field(&self.names()).finish()
    }
}
