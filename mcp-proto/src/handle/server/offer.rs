//! What a server offers: the tools of its builder, and its handler.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::future::ready;

use super::context::Context;
use super::facade::{Serve, Server};
use super::handler::{Handler, unknown_tool};
use super::invocation::Invocation;
use super::tool::Tools;
use super::{Call, Peer, Work};
use crate::handle::turn::{LARGE, turn};
use crate::jsonrpc::{ErrorObject, Notification, RawJson};
use crate::method::Method;
use crate::model::{ListToolsResult, PaginatedParams};
use crate::server::ResultBody;
use crate::wire::header::ParamHeaders;

/// What a server offers: tools that were given to the builder as closures come first, and the handler is asked for the
/// rest.
pub(super) struct Offer {
    tools: Arc<Tools>,
    handler: Arc<dyn Handler>,
    /// Whether the handler has tools besides those of the builder.
    handler_has_tools: bool,
}

impl Offer {
    pub(super) fn new(tools: Tools, handler: Arc<dyn Handler>) -> Self {
        Self {
            handler_has_tools: handler.capabilities().tools.is_some(),
            tools: Arc::new(tools),
            handler,
        }
    }

    fn call_tool(&self, server: &Server, call: Call, peer: Arc<dyn Peer>) -> Work {
        let name = call.called.name.as_deref().unwrap_or_default();
        let Ok(name) = core::str::from_utf8(name) else {
            return done(Err(unknown_tool("")));
        };
        let Some(tool) = self.tools.find(name) else {
            return match self.handler_has_tools {
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
        let invocation = Invocation::new(arguments, server.clone(), call.context, peer);
        match is_large {
            false => tool.run(invocation),
            true => self.call_later(name.into(), invocation),
        }
    }

    /// Calls a tool in another poll than the present one: reading large arguments takes a while.
    fn call_later(&self, name: Box<str>, invocation: Invocation) -> Work {
        let tools = self.tools.clone();
        Box::pin(async move {
            turn().await;
            // Found again, as the future cannot borrow what was found before.
            match tools.find(&name) {
                Some(tool) => tool.run(invocation).await,
                None => Err(unknown_tool(&name)),
            }
        })
    }

    fn list_tools(&self, server: &Server, call: Call, peer: Arc<dyn Peer>) -> Work {
        if !self.handler_has_tools {
            return done(self.only_page(server, &call));
        }
        let (server, tools, handler) = (server.clone(), self.tools.clone(), self.handler.clone());
        Box::pin(async move {
            let params: PaginatedParams = match &call.params {
                Some(params) => params.decode()?,
                None => PaginatedParams::default(),
            };
            let is_first = params.cursor.is_none();
            let revision = call.context.revision();
            let context = Context::new(server, call.context, peer);
            let mut page: ListToolsResult = handler.list_tools(params, context).await?;
            // There the builder's tools stand: every cursor is the handler's, and leads to a page of its own.
            if is_first {
                let mut tools = tools.list(revision);
                tools.append(&mut page.tools);
                page.tools = tools;
            }
            Ok(ResultBody::from_serialize(&page)?)
        })
    }

    /// All tools are on one page: a cursor can only be made up (Pagination: SHOULD be −32602).
    fn only_page(&self, server: &Server, call: &Call) -> Result<ResultBody, ErrorObject> {
        let params = call
            .params
            .as_ref()
            .map(RawJson::decode::<PaginatedParams>)
            .transpose()?;
        if params.is_some_and(|params| params.cursor.is_some()) {
            return Err(ErrorObject::invalid_params("unknown cursor"));
        }
        // A server without tools has no list of them either; one with a capability may have an empty one.
        if server.config().capabilities().tools.is_none() {
            return Err(ErrorObject::method_not_found(Method::ListTools.as_str()));
        }
        Ok(self.tools.page(call.context.revision()))
    }

    fn handle(&self, server: &Server, call: Call, peer: Arc<dyn Peer>) -> Work {
        let handler = Arc::clone(&self.handler);
        let context = Context::new(server.clone(), call.context, peer);
        Box::pin(async move { handler.serve(call.method, call.params, context).await })
    }
}

impl Serve for Offer {
    fn serve(&self, server: &Server, call: Call, peer: Arc<dyn Peer>) -> Work {
        match call.method.known() {
            Some(Method::CallTool) => self.call_tool(server, call, peer),
            Some(Method::ListTools) => self.list_tools(server, call, peer),
            _ => self.handle(server, call, peer),
        }
    }

    fn notified(&self, notification: Notification) {
        self.handler.notification(notification);
    }

    fn param_headers(&self, tool: &str) -> Option<&ParamHeaders> {
        self.tools.param_headers(tool)
    }
}

fn done(outcome: Result<ResultBody, ErrorObject>) -> Work {
    Box::pin(ready(outcome))
}
