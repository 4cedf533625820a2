//! Who answers what a server asks.

use alloc::boxed::Box;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::ready;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::context::AnswerContext;
use super::handler::{Answering, ClientHandler, missing};
use super::respond::Respond;
use super::url::check;
use crate::handle::contained::Work;
use crate::jsonrpc::{ErrorObject, RawJson};
use crate::method::{ClientCapability, Method, MethodName};
use crate::model::{
    ClientCapabilities, CreateMessageParams, CreateMessageResult, ElicitAction, ElicitFormParams, ElicitParams,
    ElicitResult, ElicitSchema, ElicitUrlParams, ElicitationCapability, FormError, Json, ListRootsResult, Root,
    RootsCapability, SamplingCapability,
};

/// Who answers what a server asks, and what is declared for it.
#[derive(Clone, Default)]
pub(in crate::handle::client) struct Respondents {
    pub(in crate::handle::client) form: Option<Respond<ElicitFormParams, ElicitResult>>,
    pub(in crate::handle::client) url: Option<Respond<ElicitUrlParams, ElicitResult>>,
    pub(in crate::handle::client) sample: Option<Respond<CreateMessageParams, CreateMessageResult>>,
    /// Whether what samples takes tools.
    pub(in crate::handle::client) samples_with_tools: bool,
    /// Those that the client begins with.
    pub(in crate::handle::client) roots: Option<Vec<Root>>,
    /// Who hears that a visit of a URL is over.
    pub(in crate::handle::client) on_complete: Option<Hear>,
    handler: Option<Arc<dyn Answering>>,
    /// Whether the handler is asked for everything, as it came.
    passes_on: bool,
    /// What is declared for the handler.
    declared: ClientCapabilities,
}

/// What hears of the id of a visit.
type Hear = Arc<dyn Fn(&str) + Send + Sync>;

/// A request of a server that waits for an answer.
pub(super) struct Asked {
    pub(super) method: MethodName,
    pub(super) params: Option<RawJson>,
    /// The roots as they are when it is answered.
    pub(super) roots: Vec<Root>,
}

/// What is told where an answer was not sent.
pub(super) type Unfit = Box<dyn FnOnce(FormError) + Send>;

impl Respondents {
    pub(in crate::handle::client) fn set_handler(&mut self, handler: impl ClientHandler) {
        self.declared = handler.capabilities();
        self.handler = Some(Arc::new(handler));
    }

    /// The same, where whatever is asked goes to [`ClientHandler::request`] as it came, and is answered as it is.
    pub(in crate::handle::client) fn pass_on(&mut self, handler: impl ClientHandler) {
        self.set_handler(handler);
        self.passes_on = true;
    }

    /// Whether nobody answers anything.
    pub(in crate::handle::client) fn is_empty(&self) -> bool {
        let has_closure = self.form.is_some() || self.url.is_some() || self.sample.is_some();
        !has_closure && self.roots.is_none() && self.handler.is_none() && self.on_complete.is_none()
    }

    /// The roots that the client begins with, from here on kept by the client.
    pub(in crate::handle::client) fn take_roots(&mut self) -> Vec<Root> {
        self.roots.as_mut().map(core::mem::take).unwrap_or_default()
    }

    /// What is declared to the server: `rest`, and in place of what it says of requests of a server that which is answered.
    pub(in crate::handle::client) fn capabilities(&self, rest: ClientCapabilities) -> ClientCapabilities {
        let declared = self.declared.clone();
        let nothing = Json::empty_object;
        let mut elicitation = declared.elicitation;
        if self.form.is_some() || self.url.is_some() {
            let both = elicitation.get_or_insert_default();
            // A handler that has named no mode means forms.
            if self.form.is_some() || *both == ElicitationCapability::default() && self.declared.elicitation.is_some() {
                both.form.get_or_insert_with(nothing);
            }
            if self.url.is_some() {
                both.url.get_or_insert_with(nothing);
            }
        }
        let mut sampling = declared.sampling;
        if self.sample.is_some() {
            sampling.get_or_insert_with(SamplingCapability::default);
        }
        if let Some(sampling) = sampling.as_mut().filter(|_| self.samples_with_tools) {
            sampling.tools.get_or_insert_with(nothing);
        }
        let roots = match &self.roots {
            Some(_) => Some(RootsCapability::default().with_list_changed(true)),
            None => declared.roots,
        };
        ClientCapabilities {
            elicitation,
            sampling,
            roots,
            tasks: declared.tasks,
            extensions: rest.extensions.or(declared.extensions),
            experimental: rest.experimental.or(declared.experimental),
            extra: rest.extra,
        }
    }

    /// The answer to a request of a server, where `capabilities` declares it. `unfit` hears why what a user has accepted was
    /// not sent.
    pub(super) fn answer(
        &self,
        asked: Asked,
        capabilities: &ClientCapabilities,
        context: AnswerContext,
        unfit: Unfit,
    ) -> Work<RawJson> {
        let answer = match asked.method.known() {
            Some(_) if self.passes_on => self.pass(asked, context),
            Some(Method::Elicit) => self.elicit(&asked, capabilities, context, unfit),
            Some(Method::CreateMessage) => self.sample(&asked, capabilities, context),
            Some(Method::ListRoots) => self.list_roots(asked, capabilities, context),
            _ => self.pass(asked, context),
        };
        answer.unwrap_or_else(|error| Box::pin(ready(Err(error))))
    }

    /// To the handler as it came.
    fn pass(&self, asked: Asked, context: AnswerContext) -> Result<Work<RawJson>, ErrorObject> {
        match &self.handler {
            Some(handler) => Ok(handler.clone().request(asked.method, asked.params, context)),
            None => Err(ErrorObject::method_not_found(asked.method.as_str())),
        }
    }

    fn elicit(
        &self,
        asked: &Asked,
        capabilities: &ClientCapabilities,
        context: AnswerContext,
        unfit: Unfit,
    ) -> Result<Work<RawJson>, ErrorObject> {
        let declared = capabilities.elicitation.as_ref();
        let declared = declared.ok_or_else(|| missing(Method::Elicit))?;
        let handler = self.handler.clone().filter(|_| self.declared.elicitation.is_some());
        match asked.decode::<ElicitParams>()? {
            ElicitParams::Form(params) if declared.has_form() => {
                let schema = params.requested_schema.clone();
                let work = match (&self.form, handler) {
                    (Some(form), _) => form.respond(params, context),
                    (None, Some(handler)) => handler.elicit(ElicitParams::Form(params), context),
                    (None, None) => return Err(missing(Method::Elicit)),
                };
                Ok(Box::pin(async move { written(&checked(&schema, work.await?, unfit)?) }))
            }
            ElicitParams::Url(params) if capabilities.has(ClientCapability::ElicitationUrl) => {
                // Before anybody sees it: what is shown to a user may be opened.
                check(&params.url)?;
                let work = match (&self.url, handler) {
                    (Some(url), _) => url.respond(params, context),
                    (None, Some(handler)) => handler.elicit(ElicitParams::Url(params), context),
                    (None, None) => return Err(missing(Method::Elicit)),
                };
                Ok(Box::pin(async move {
                    // What the user does there is not for this side to know (Elicitation, URL Mode: no `content`).
                    let content = None;
                    written(&ElicitResult { content, ..work.await? })
                }))
            }
            // 2025-11-25 and 2026-07-28, Elicitation, Error Handling: a mode that was not declared is −32602.
            _ => Err(ErrorObject::invalid_params("no such mode of elicitation was declared")),
        }
    }

    fn sample(
        &self,
        asked: &Asked,
        capabilities: &ClientCapabilities,
        context: AnswerContext,
    ) -> Result<Work<RawJson>, ErrorObject> {
        let declared = capabilities.sampling.as_ref();
        let declared = declared.ok_or_else(|| missing(Method::CreateMessage))?;
        let params: CreateMessageParams = asked.decode()?;
        // 2025-11-25, schema of CreateMessageRequestParams: "The client MUST return an error if this field is provided but
        // ClientCapabilities.sampling.tools is not declared."
        if declared.tools.is_none() && (params.tools.is_some() || params.tool_choice.is_some()) {
            return Err(ErrorObject::invalid_params("sampling with tools was not declared"));
        }
        let work = match (&self.sample, &self.handler) {
            (Some(sample), _) => sample.respond(params, context),
            (None, Some(handler)) => handler.clone().create_message(params, context),
            (None, None) => return Err(missing(Method::CreateMessage)),
        };
        Ok(Box::pin(async move { written(&work.await?) }))
    }

    fn list_roots(
        &self,
        asked: Asked,
        capabilities: &ClientCapabilities,
        context: AnswerContext,
    ) -> Result<Work<RawJson>, ErrorObject> {
        match (&capabilities.roots, &self.roots, &self.handler) {
            (Some(_), Some(_), _) => Ok(Box::pin(ready(written(&ListRootsResult::new(asked.roots))))),
            (Some(_), None, Some(handler)) => {
                let work = handler.clone().list_roots(context);
                Ok(Box::pin(async move { written(&work.await?) }))
            }
            _ => Err(missing(Method::ListRoots)),
        }
    }
}

impl Asked {
    /// Absent parameters are `{}`.
    fn decode<T: DeserializeOwned>(&self) -> Result<T, ErrorObject> {
        let empty = RawJson::empty_object();
        Ok(self.params.as_ref().unwrap_or(&empty).decode()?)
    }
}

/// What a user has answered, where it fits the form; with its defaults, where the user has accepted it.
fn checked(schema: &ElicitSchema, answer: ElicitResult, unfit: Unfit) -> Result<ElicitResult, ErrorObject> {
    let content = match answer.action {
        ElicitAction::Accept => match schema.fill_in(answer.content.as_ref()) {
            Ok(content) => Some(content),
            Err(error) => {
                unfit(error);
                // Which field it was is the application's to know, and not the server's.
                return Err(ErrorObject::internal("the answer does not fit what was asked for"));
            }
        },
        // Elicitation, Response Actions: only what is accepted has content.
        _ => None,
    };
    Ok(ElicitResult { content, ..answer })
}

fn written<T: Serialize>(result: &T) -> Result<RawJson, ErrorObject> {
    RawJson::from_serialize(result).map_err(|error| ErrorObject::internal(format!("{error}")))
}
