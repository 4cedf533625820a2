//! A client that answers, as an object.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::future::{Future, ready};

use super::context::AnswerContext;
use crate::handle::contained::Work;
use crate::jsonrpc::{ErrorObject, RawJson};
use crate::method::{Method, MethodName};
use crate::model::{
    ClientCapabilities, CreateMessageParams, CreateMessageResult, ElicitParams, ElicitResult, ListRootsResult,
};

/// What a client answers its server, as methods of one object.
///
/// Each method has a default, which says that there is no such method; [`capabilities`](Self::capabilities) declares what
/// is there. What was given to the builder as closures comes first, and this is asked for the rest.
///
/// The same methods answer requests of servers up to 2025-11-25 and what a server of 2026-07-28 asks for in its results. A
/// handler is polled in place, by the task that drives the connection: one that blocks its thread blocks its connection.
///
/// # Cancel safety
/// When the server takes its request back, or the call that needed it is dropped, the future is dropped where it waits.
///
/// ```
/// use mcp_proto::handle::client::{AnswerContext, ClientHandler};
/// use mcp_proto::jsonrpc::ErrorObject;
/// use mcp_proto::model::{ClientCapabilities, ElicitParams, ElicitResult, ElicitationCapability};
///
/// struct NeverMind;
///
/// impl ClientHandler for NeverMind {
///     fn capabilities(&self) -> ClientCapabilities {
///         ClientCapabilities::default().with_elicitation(ElicitationCapability::default())
///     }
///
///     async fn elicit(&self, _: ElicitParams, _: AnswerContext) -> Result<ElicitResult, ErrorObject> {
///         Ok(ElicitResult::cancel())
///     }
/// }
/// ```
pub trait ClientHandler: Send + Sync + 'static {
    /// What is declared besides that which follows from the closures of the builder. What is not declared is not asked for.
    fn capabilities(&self) -> ClientCapabilities {
        ClientCapabilities::default()
    }

    /// `sampling/createMessage`. Tools come only where `sampling.tools` is declared.
    ///
    /// Deprecated since 2026-07-28: a server that needs a model calls the API of its provider.
    fn create_message(
        &self,
        params: CreateMessageParams,
        context: AnswerContext,
    ) -> impl Future<Output = Result<CreateMessageResult, ErrorObject>> + Send {
        let _ = (params, context);
        ready(Err(missing(Method::CreateMessage)))
    }

    /// `elicitation/create`, in a mode that is declared. What is accepted of a form is checked before it leaves; a URL is
    /// `https:`, or `http:` of this machine.
    fn elicit(
        &self,
        params: ElicitParams,
        context: AnswerContext,
    ) -> impl Future<Output = Result<ElicitResult, ErrorObject>> + Send {
        let _ = (params, context);
        ready(Err(missing(Method::Elicit)))
    }

    /// `roots/list`
    ///
    /// Deprecated since 2026-07-28: what a server works on is an argument of its tools, a resource, or its configuration.
    fn list_roots(&self, context: AnswerContext) -> impl Future<Output = Result<ListRootsResult, ErrorObject>> + Send {
        let _ = context;
        ready(Err(missing(Method::ListRoots)))
    }

    /// Any other request, with its parameters as they came.
    fn request(
        &self,
        method: MethodName,
        params: Option<RawJson>,
        context: AnswerContext,
    ) -> impl Future<Output = Result<RawJson, ErrorObject>> + Send {
        let _ = (params, context);
        ready(Err(ErrorObject::method_not_found(method.as_str())))
    }
}

pub(super) fn missing(method: Method) -> ErrorObject {
    ErrorObject::method_not_found(method.as_str())
}

/// The same for any type of handler.
pub(super) trait Answering: Send + Sync {
    fn create_message(
        self: Arc<Self>,
        params: CreateMessageParams,
        context: AnswerContext,
    ) -> Work<CreateMessageResult>;
    fn elicit(self: Arc<Self>, params: ElicitParams, context: AnswerContext) -> Work<ElicitResult>;
    fn list_roots(self: Arc<Self>, context: AnswerContext) -> Work<ListRootsResult>;
    fn request(self: Arc<Self>, method: MethodName, params: Option<RawJson>, context: AnswerContext) -> Work<RawJson>;
}

impl<H: ClientHandler> Answering for H {
    fn create_message(
        self: Arc<Self>,
        params: CreateMessageParams,
        context: AnswerContext,
    ) -> Work<CreateMessageResult> {
        Box::pin(async move { ClientHandler::create_message(&*self, params, context).await })
    }

    fn elicit(self: Arc<Self>, params: ElicitParams, context: AnswerContext) -> Work<ElicitResult> {
        Box::pin(async move { ClientHandler::elicit(&*self, params, context).await })
    }

    fn list_roots(self: Arc<Self>, context: AnswerContext) -> Work<ListRootsResult> {
        Box::pin(async move { ClientHandler::list_roots(&*self, context).await })
    }

    fn request(self: Arc<Self>, method: MethodName, params: Option<RawJson>, context: AnswerContext) -> Work<RawJson> {
        Box::pin(async move { ClientHandler::request(&*self, method, params, context).await })
    }
}
