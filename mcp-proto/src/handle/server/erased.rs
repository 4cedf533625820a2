//! A handler as an object, whatever its type.

use alloc::boxed::Box;
use core::pin::Pin;

use super::offered::Offered;
use super::{Context, Handler};
use crate::jsonrpc::{ErrorObject, Notification, RawJson};
use crate::method::MethodName;
use crate::model::{PaginatedParams, Prompt, Resource, ResourceTemplate, ServerCapabilities, Tool};
use crate::server::ResultBody;

/// The future of a method that borrows its handler.
pub(super) type Answer<'h, T> = Pin<Box<dyn Future<Output = Result<T, ErrorObject>> + Send + 'h>>;

/// A [`Handler`] that can be an object: its futures are boxed.
pub(super) trait ErasedHandler: Send + Sync {
    fn capabilities(&self) -> ServerCapabilities;

    fn serve(&self, method: MethodName, params: Option<RawJson>, context: Context) -> Answer<'_, ResultBody>;

    fn list_tools(&self, params: PaginatedParams, context: Context) -> Answer<'_, <Tool as Offered>::Page>;

    fn list_resources(&self, params: PaginatedParams, context: Context) -> Answer<'_, <Resource as Offered>::Page>;

    fn list_templates(
        &self,
        params: PaginatedParams,
        context: Context,
    ) -> Answer<'_, <ResourceTemplate as Offered>::Page>;

    fn list_prompts(&self, params: PaginatedParams, context: Context) -> Answer<'_, <Prompt as Offered>::Page>;

    fn notification(&self, notification: Notification);
}

impl<H: Handler> ErasedHandler for H {
    fn capabilities(&self) -> ServerCapabilities {
        Handler::capabilities(self)
    }

    fn serve(&self, method: MethodName, params: Option<RawJson>, context: Context) -> Answer<'_, ResultBody> {
        Box::pin(Handler::serve(self, method, params, context))
    }

    fn list_tools(&self, params: PaginatedParams, context: Context) -> Answer<'_, <Tool as Offered>::Page> {
        Box::pin(Handler::list_tools(self, params, context))
    }

    fn list_resources(&self, params: PaginatedParams, context: Context) -> Answer<'_, <Resource as Offered>::Page> {
        Box::pin(Handler::list_resources(self, params, context))
    }

    fn list_templates(
        &self,
        params: PaginatedParams,
        context: Context,
    ) -> Answer<'_, <ResourceTemplate as Offered>::Page> {
        Box::pin(Handler::list_resource_templates(self, params, context))
    }

    fn list_prompts(&self, params: PaginatedParams, context: Context) -> Answer<'_, <Prompt as Offered>::Page> {
        Box::pin(Handler::list_prompts(self, params, context))
    }

    fn notification(&self, notification: Notification) {
        Handler::notification(self, notification);
    }
}

/// What a handler has lists of.
pub(super) trait Asked: Offered {
    /// The handler's page of them.
    fn ask(handler: &dyn ErasedHandler, params: PaginatedParams, context: Context) -> Answer<'_, Self::Page>;
}

macro_rules! asked {
    ($($ty:ident: $method:ident;)*) => {
        $(impl Asked for $ty {
            fn ask(handler: &dyn ErasedHandler, params: PaginatedParams, context: Context) -> Answer<'_, Self::Page> {
                handler.$method(params, context)
            }
        })*
    };
}

asked! {
    Tool: list_tools;
    Resource: list_resources;
    ResourceTemplate: list_templates;
    Prompt: list_prompts;
}
