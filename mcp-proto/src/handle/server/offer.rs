//! What a server offers: what its builder was given, and its handler.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::ready;

use super::catalog::Catalog;
use super::contents::not_found;
use super::context::Context;
use super::erased::{Asked, ErasedHandler};
use super::facade::{Serve, Server};
use super::handler::{unknown, unknown_tool};
use super::invocation::{Arguments, Invocation, Run, Subject};
use super::pending::Named;
use super::state::SharedStates;
use super::{Call, Peer, Work};
use crate::handle::turn::{LARGE, turn};
use crate::jsonrpc::{ErrorObject, Notification, RawJson};
use crate::method::{Method, ServerCapability};
use crate::model::{
    CompleteParams, CompletionReference, GetPromptParams, PaginatedParams, Prompt, ReadResourceParams, Resource,
    ResourceTemplate, ServerCapabilities, Tool,
};
use crate::server::ResultBody;
use crate::wire::header::ParamHeaders;

/// What a server offers. What was given as closures comes first, and the handler is asked for the rest.
pub(super) struct Offer {
    pub(super) tools: Catalog<Tool>,
    pub(super) resources: Catalog<Resource>,
    pub(super) templates: Catalog<ResourceTemplate>,
    pub(super) prompts: Catalog<Prompt>,
    pub(super) completions: BTreeMap<Completed, Arc<dyn Run>>,
    /// What closures share that are added later.
    pub(super) states: SharedStates,
    pub(super) handler: Arc<dyn ErasedHandler>,
    pub(super) handler_has: HandlerHas,
}

/// An argument that can be completed: of what, and its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Completed {
    pub(super) of: Owner,
    pub(super) argument: String,
}

/// What an argument belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Owner {
    Prompt(String),
    Template(String),
}

impl Completed {
    /// `None` for a reference to something that has no arguments.
    pub(super) fn new(of: CompletionReference, argument: String) -> Option<Self> {
        let of = match of {
            CompletionReference::Prompt(prompt) => Owner::Prompt(prompt.name),
            CompletionReference::Resource(template) => Owner::Template(template.uri),
            _ => return None,
        };
        Some(Self { of, argument })
    }
}

impl Named for Completed {
    fn name(&self) -> &str {
        &self.argument
    }
}

/// What the handler has declared.
#[derive(Clone, Copy, Debug)]
pub(super) struct HandlerHas {
    tools: bool,
    resources: bool,
    prompts: bool,
    completions: bool,
}

impl HandlerHas {
    pub(super) const NOTHING: Self = Self {
        tools: false,
        resources: false,
        prompts: false,
        completions: false,
    };

    /// Of a handler. What was declared to the builder, beside no closures, is the handler's as well.
    pub(super) fn of(handler: &dyn ErasedHandler, declared: &ServerCapabilities) -> Self {
        let capabilities = handler.capabilities();
        let has = |capability| capabilities.has(capability) || declared.has(capability);
        Self {
            tools: capabilities.has(ServerCapability::Tools),
            resources: has(ServerCapability::Resources),
            prompts: has(ServerCapability::Prompts),
            completions: has(ServerCapability::Completions),
        }
    }
}

impl Offer {
    fn call_tool(&self, server: &Server, call: Call, peer: Arc<dyn Peer>) -> Work {
        let name = call.called.name.as_deref().unwrap_or_default();
        let Ok(name) = core::str::from_utf8(name) else {
            return done(Err(unknown_tool("")));
        };
        let Some(tool) = self.tools.find(name) else {
            return match self.handler_has.tools {
                true => self.handle(server, call, peer),
                false => done(Err(unknown_tool(name))),
            };
        };
        let arguments = call
            .called
            .arguments
            // Some peers write null where there are none.
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
        let invocation = Invocation::new(Arguments::Json(arguments), server.clone(), call.context, peer);
        match is_large {
            false => tool.run.run(invocation),
            // In another poll than the present one: reading large arguments takes a while.
            true => Box::pin(async move {
                turn().await;
                tool.run.run(invocation).await
            }),
        }
    }

    fn read_resource(&self, server: &Server, call: Call, peer: Arc<dyn Peer>) -> Work {
        if self.resources.is_empty() && self.templates.is_empty() && self.handler_has.resources {
            return self.handle(server, call, peer);
        }
        let uri = match params::<ReadResourceParams>(&call) {
            Ok(params) => params.uri,
            Err(error) => return done(Err(error)),
        };
        let Some((run, texts, mime_type)) = self.resource(&uri) else {
            return match self.handler_has.resources {
                true => self.handle(server, call, peer),
                false => done(Err(match server.config().allows(Method::ReadResource) {
                    true => not_found(&uri, call.context.revision()),
                    false => ErrorObject::method_not_found(call.method.as_str()),
                })),
            };
        };
        let mut invocation = Invocation::new(Arguments::Texts(texts), server.clone(), call.context, peer);
        invocation.subject = Some(Subject { text: uri, mime_type });
        run.run(invocation)
    }

    /// What reads a URI: the resource of that URI, or the first template that it matches.
    #[expect(clippy::type_complexity, reason = "three things that are told apart at once")]
    fn resource(&self, uri: &str) -> Option<(Arc<dyn Run>, Vec<(String, String)>, Option<String>)> {
        if let Some(resource) = self.resources.find(uri) {
            return Some((resource.run.clone(), Vec::new(), resource.item.mime_type.clone()));
        }
        self.templates.find_map(|template| {
            let values = template.made.match_uri(uri)?;
            let texts = values.into_iter().map(|(name, value)| (name.into(), value)).collect();
            Some((template.run.clone(), texts, template.item.mime_type.clone()))
        })
    }

    fn prompt(&self, server: &Server, call: Call, peer: Arc<dyn Peer>) -> Work {
        if self.prompts.is_empty() && self.handler_has.prompts {
            return self.handle(server, call, peer);
        }
        let params = match params::<GetPromptParams>(&call) {
            Ok(params) => params,
            Err(error) => return done(Err(error)),
        };
        let Some(prompt) = self.prompts.find(&params.name) else {
            return match self.handler_has.prompts {
                true => self.handle(server, call, peer),
                false => done(Err(match server.config().allows(Method::GetPrompt) {
                    true => unknown("prompt", &params.name),
                    false => ErrorObject::method_not_found(call.method.as_str()),
                })),
            };
        };
        let texts = texts(params.arguments);
        prompt.run.run(Invocation::new(
            Arguments::Texts(texts),
            server.clone(),
            call.context,
            peer,
        ))
    }

    fn complete(&self, server: &Server, call: Call, peer: Arc<dyn Peer>) -> Work {
        if self.completions.is_empty() {
            return self.handle(server, call, peer);
        }
        let params = match params::<CompleteParams>(&call) {
            Ok(params) => params,
            Err(error) => return done(Err(error)),
        };
        let completed = Completed::new(params.reference, params.argument.name);
        let Some(run) = completed.as_ref().and_then(|completed| self.completions.get(completed)) else {
            return match self.handler_has.completions {
                true => self.handle(server, call, peer),
                false => done(self.no_completion(completed.as_ref())),
            };
        };
        let texts = texts(params.context.and_then(|context| context.arguments));
        let mut invocation = Invocation::new(Arguments::Texts(texts), server.clone(), call.context, peer);
        invocation.subject = Some(Subject {
            text: params.argument.value,
            mime_type: None,
        });
        run.run(invocation)
    }

    /// Nothing for an argument that nobody completes, an error for what is not there (Completion, Error Handling).
    fn no_completion(&self, completed: Option<&Completed>) -> Result<ResultBody, ErrorObject> {
        let is_known = completed.is_some_and(|completed| match &completed.of {
            Owner::Prompt(name) => self.prompts.find(name).is_some(),
            Owner::Template(uri) => self.templates.find(uri).is_some() || self.resources.find(uri).is_some(),
        });
        match is_known {
            true => Ok(ResultBody::plain(RawJson::from_valid(
                (&br#"{"completion":{"values":[]}}"#[..]).into(),
            ))),
            false => Err(ErrorObject::invalid_params("nothing of this name has arguments")),
        }
    }

    fn list<T: Asked>(
        &self,
        server: &Server,
        catalog: &Catalog<T>,
        handler_has: bool,
        call: Call,
        peer: Arc<dyn Peer>,
    ) -> Work {
        if handler_has {
            return self.joined_list(server, catalog, call, peer);
        }
        done(params::<PaginatedParams>(&call).and_then(|params| {
            // Nothing of a kind is no list of that kind either; with a capability the list may be empty.
            match server.config().allows(T::LIST) {
                true => catalog.page(params.cursor.as_deref(), call.context.revision()),
                false => Err(ErrorObject::method_not_found(call.method.as_str())),
            }
        }))
    }

    /// Ours first; on our last page the handler's first one as well. Every cursor that is not ours is the handler's.
    fn joined_list<T: Asked>(&self, server: &Server, catalog: &Catalog<T>, call: Call, peer: Arc<dyn Peer>) -> Work {
        let revision = call.context.revision();
        let mut params = match params::<PaginatedParams>(&call) {
            Ok(params) => params,
            Err(error) => return done(Err(error)),
        };
        let ours = catalog.joined(params.cursor.as_deref(), revision);
        if catalog.is_empty() {
            return self.handle(server, call, peer);
        }
        let ours = match ours {
            Some((page, true)) => return done(ResultBody::from_serialize(&page).map_err(Into::into)),
            Some((page, false)) => {
                params.cursor = None;
                Some(page)
            }
            None => None,
        };
        let (server, handler) = (server.clone(), self.handler.clone());
        Box::pin(async move {
            let context = Context::new(server, call.context, peer);
            let mut page = T::ask(&*handler, params, context).await?;
            if let Some(mut ours) = ours {
                let mut items = core::mem::take(T::items(&mut ours));
                items.append(T::items(&mut page));
                *T::items(&mut page) = items;
            }
            Ok(ResultBody::from_serialize(&page)?)
        })
    }

    fn handle(&self, server: &Server, call: Call, peer: Arc<dyn Peer>) -> Work {
        let handler = Arc::clone(&self.handler);
        let context = Context::new(server.clone(), call.context, peer);
        Box::pin(async move { handler.serve(call.method, call.params, context).await })
    }
}

impl Serve for Offer {
    fn serve(&self, server: &Server, call: Call, peer: Arc<dyn Peer>) -> Work {
        let has = self.handler_has;
        match call.method.known() {
            Some(Method::CallTool) => self.call_tool(server, call, peer),
            Some(Method::ListTools) => self.list(server, &self.tools, has.tools, call, peer),
            Some(Method::ListResources) => self.list(server, &self.resources, has.resources, call, peer),
            Some(Method::ListResourceTemplates) => self.list(server, &self.templates, has.resources, call, peer),
            Some(Method::ListPrompts) => self.list(server, &self.prompts, has.prompts, call, peer),
            Some(Method::ReadResource) => self.read_resource(server, call, peer),
            Some(Method::GetPrompt) => self.prompt(server, call, peer),
            Some(Method::Complete) => self.complete(server, call, peer),
            // Who is subscribed is known to the sessions; without a handler there is nothing more to be done.
            Some(method @ (Method::Subscribe | Method::Unsubscribe))
                if !has.resources && server.config().allows(method) =>
            {
                done(Ok(ResultBody::EMPTY))
            }
            _ => self.handle(server, call, peer),
        }
    }

    fn notified(&self, notification: Notification) {
        self.handler.notification(notification);
    }

    fn param_headers(&self, tool: &str) -> Option<Arc<ParamHeaders>> {
        self.tools.find(tool)?.made.clone()
    }
}

/// Absent parameters are `{}`.
fn params<T: serde::de::DeserializeOwned>(call: &Call) -> Result<T, ErrorObject> {
    match &call.params {
        Some(params) => Ok(params.decode()?),
        None => Ok(RawJson::empty_object().decode()?),
    }
}

fn texts(arguments: Option<crate::model::Map<String>>) -> Vec<(String, String)> {
    let arguments = arguments.iter().flat_map(|arguments| arguments.iter());
    arguments.map(|(name, text)| (name.into(), text.clone())).collect()
}

fn done(outcome: Result<ResultBody, ErrorObject>) -> Work {
    Box::pin(ready(outcome))
}
