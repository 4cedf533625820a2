//! The server that an application makes.

use alloc::boxed::Box;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::fmt;
use core::future::ready;
use std::sync::{Mutex, PoisonError};

use super::handler::{Handler, unknown_tool};
use super::tool::{Invocation, Tools};
use super::{Application, Call, Context, Peer, ServerBuilder, ServerPump, Work};
use crate::handle::turn::{LARGE, turn};
use crate::jsonrpc::{ErrorObject, Notification, Params, RawJson};
use crate::method::{Method, MethodName};
use crate::model::{ListToolsResult, PaginatedParams};
use crate::rpc::SendError;
use crate::server::{Announcement, ResultBody, ServerConfig};
use crate::wire::header::ParamHeaders;

/// A server: what it says about itself, its tools, and whatever else it offers. One for all its connections, of
/// either era, over every transport.
///
/// Cheap to clone; clones are the same server. An adapter serves it; its connections live on when the last handle
/// is dropped, until their drivers end.
///
/// ```
/// # #[cfg(feature = "schema")] {
/// use mcp_proto::handle::Server;
/// use schemars::JsonSchema;
/// use serde::Deserialize;
///
/// #[derive(Deserialize, JsonSchema)]
/// struct Forecast {
///     /// The name of a city.
///     city: String,
/// }
///
/// let server = Server::builder("weather", "1.0.0")
///     .tool("forecast", "Forecast for a city", |args: Forecast| async move { Ok(format!("sunny in {}", args.city)) })
///     .build();
/// assert_eq!(server.config().info().name, "weather");
/// # }
/// ```
#[derive(Clone)]
pub struct Server {
    inner: Arc<Inner>,
}

struct Inner {
    config: Arc<ServerConfig>,
    tools: Tools,
    handler: Arc<dyn Handler>,
    /// Whether the handler has tools besides those of the builder.
    handler_has_tools: bool,
    audiences: Mutex<Vec<Weak<dyn Audience>>>,
}

/// The clients behind one transport, who hear what concerns everyone.
pub(crate) trait Audience: Send + Sync {
    /// Passes on a notification, or drops it where a client cannot take it. Never waits.
    fn announce(&self, announcement: &Announcement);
}

impl Server {
    /// Starts to make a server of this name and version.
    pub fn builder(name: impl Into<alloc::string::String>, version: impl Into<alloc::string::String>) -> ServerBuilder {
        ServerBuilder::new(name, version)
    }

    pub(super) fn new(config: ServerConfig, tools: Tools, handler: Arc<dyn Handler>) -> Self {
        let handler_has_tools = handler.capabilities().tools.is_some();
        Self {
            inner: Arc::new(Inner {
                config: Arc::new(config),
                tools,
                handler,
                handler_has_tools,
                audiences: Mutex::default(),
            }),
        }
    }

    /// What it says about itself, its limits and timeouts.
    pub fn config(&self) -> &Arc<ServerConfig> {
        &self.inner.config
    }

    /// The driver's side of a new connection over a byte stream.
    pub fn pump(&self) -> ServerPump {
        ServerPump::new(self)
    }

    /// Tells every client of something that concerns them all: a list that has changed, a resource that was updated.
    ///
    /// In the legacy era every session hears it, except that an updated resource concerns those that have subscribed to
    /// it (2025-11-25, Resources, Subscriptions), and a log message those whose level it reaches (Logging). In the
    /// modern era every subscription that asked for it hears it, and nobody a log message, which belongs to a request
    /// ([`Context::log`]). Takes no time: a client that does not read hears of it later, and of the same thing once.
    ///
    /// # Errors
    /// [`SendError::OutOfEra`] where the method is not a notification of servers, [`SendError::Reserved`] where it is
    /// about one request or the protocol itself, [`SendError::NotSupported`] where its capability was not declared.
    pub fn notify(&self, method: impl Into<MethodName>, params: Params) -> Result<(), SendError> {
        let announcement = Announcement::new(&self.inner.config, method, params)?;
        for audience in self.audiences() {
            audience.announce(&announcement);
        }
        Ok(())
    }

    /// Whoever is here to listen. No lock is held when they are told.
    fn audiences(&self) -> Vec<Arc<dyn Audience>> {
        let mut audiences = self.inner.audiences.lock().unwrap_or_else(PoisonError::into_inner);
        audiences.retain(|audience| audience.strong_count() > 0);
        audiences.iter().filter_map(Weak::upgrade).collect()
    }

    /// From now on tells these as well.
    pub(crate) fn attend(&self, audience: Weak<dyn Audience>) {
        let mut audiences = self.inner.audiences.lock().unwrap_or_else(PoisonError::into_inner);
        // Now and then, so that those who left do not pile up.
        if audiences.len() == audiences.capacity() {
            audiences.retain(|audience| audience.strong_count() > 0);
        }
        audiences.push(audience);
    }

    fn call_tool(&self, call: Call, peer: Arc<dyn Peer>) -> Work {
        let name = call.called.name.clone().unwrap_or_default();
        let Ok(name) = core::str::from_utf8(&name) else {
            return done(Err(unknown_tool("")));
        };
        let Some(tool) = self.inner.tools.find(name) else {
            return match self.inner.handler_has_tools {
                true => self.handle(call, peer),
                false => done(Err(unknown_tool(name))),
            };
        };
        let arguments = call
            .called
            .arguments
            .filter(|arguments| arguments.as_bytes() != b"null");
        if arguments
            .as_ref()
            .is_some_and(|arguments| !arguments.as_bytes().starts_with(b"{"))
        {
            return done(Err(ErrorObject::invalid_params("arguments must be an object")));
        }
        let is_large = arguments
            .as_ref()
            .is_some_and(|arguments| arguments.as_bytes().len() >= LARGE);
        let invocation = Invocation {
            arguments,
            server: self.clone(),
            request: call.context,
            peer,
        };
        match is_large {
            false => tool.run(invocation),
            true => self.call_later(name.into(), invocation),
        }
    }

    /// Calls a tool in another poll than the present one: reading large arguments takes a while.
    fn call_later(&self, name: Box<str>, invocation: Invocation) -> Work {
        let server = self.clone();
        Box::pin(async move {
            turn().await;
            match server.inner.tools.find(&name) {
                Some(tool) => tool.run(invocation).await,
                None => Err(unknown_tool(&name)),
            }
        })
    }

    fn list_tools(&self, call: Call, peer: Arc<dyn Peer>) -> Work {
        if !self.inner.handler_has_tools {
            return done(self.only_page(&call));
        }
        let server = self.clone();
        Box::pin(async move {
            let params: PaginatedParams = match &call.params {
                Some(params) => params.decode()?,
                None => PaginatedParams::default(),
            };
            let is_first = params.cursor.is_none();
            let revision = call.context.revision();
            let context = Context::new(server.clone(), call.context, peer);
            let mut page: ListToolsResult = server.inner.handler.list_tools(params, context).await?;
            if is_first {
                let mut tools = server.inner.tools.list(revision);
                tools.append(&mut page.tools);
                page.tools = tools;
            }
            Ok(ResultBody::from_serialize(&page)?)
        })
    }

    /// All tools are on one page: a cursor can only be made up (Pagination: SHOULD be −32602).
    fn only_page(&self, call: &Call) -> Result<ResultBody, ErrorObject> {
        let params = call
            .params
            .as_ref()
            .map(RawJson::decode::<PaginatedParams>)
            .transpose()?;
        if params.is_some_and(|params| params.cursor.is_some()) {
            return Err(ErrorObject::invalid_params("unknown cursor"));
        }
        if self.inner.config.capabilities().tools.is_none() {
            return Err(ErrorObject::method_not_found(Method::ListTools.as_str()));
        }
        Ok(self.inner.tools.page(call.context.revision()))
    }

    fn handle(&self, call: Call, peer: Arc<dyn Peer>) -> Work {
        let handler = Arc::clone(&self.inner.handler);
        let context = Context::new(self.clone(), call.context, peer);
        Box::pin(async move { handler.serve(call.method, call.params, context).await })
    }
}

fn done(outcome: Result<ResultBody, ErrorObject>) -> Work {
    Box::pin(ready(outcome))
}

impl Application for Server {
    fn config(&self) -> &ServerConfig {
        &self.inner.config
    }

    fn serve(&self, call: Call, peer: Arc<dyn Peer>) -> Work {
        match call.method.known() {
            Some(Method::CallTool) => self.call_tool(call, peer),
            Some(Method::ListTools) => self.list_tools(call, peer),
            _ => self.handle(call, peer),
        }
    }

    fn notified(&self, notification: Notification) {
        self.inner.handler.notification(notification);
    }

    fn param_headers(&self, tool: &str) -> Option<&ParamHeaders> {
        self.inner.tools.param_headers(tool)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Server").field(&self.inner.config.info().name).finish()
    }
}
