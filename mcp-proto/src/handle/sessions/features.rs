//! What a session asks of its server, by name.

use alloc::string::String;
use alloc::sync::Arc;
use core::time::Duration;

use serde::Serialize;

use super::call::SessionCall;
use super::loan::Loan;
use super::session::Session;
use crate::handle::client::{Answered, Listed, PagedRequest, Pages, completion, prompt_params};
use crate::jsonrpc::Params;
use crate::method::Method;
use crate::model::request::{Complete, Ping, SetLevel, Subscribe, Unsubscribe};
use crate::model::{
    CompleteResult, CompletionReference, EmptyResult, GetPromptResult, LoggingLevel, Prompt, PromptReference,
    ReadResourceParams, ReadResourceResult, RequestParams, Resource, ResourceTemplate, ResourceTemplateReference,
    SetLevelParams, SubscribeParams, UnsubscribeParams,
};
use crate::rpc::{CallError, CallOptions};

/// Each is that of a [`Client`](crate::handle::Client), in the session there is or the next; dropping a list that is on its
/// way cancels it.
impl<K: Ord> Session<K> {
    /// The resources of the server, all pages of them; see
    /// [`Client::list_resources`](crate::handle::Client::list_resources).
    ///
    /// # Errors
    /// Those of a call, and those of [`Pages`].
    pub async fn list_resources(&self) -> Result<Listed<Resource>, CallError> {
        self.list(|loan| loan.list_resources()).await
    }

    /// The templates of resources of the server; see
    /// [`Client::list_resource_templates`](crate::handle::Client::list_resource_templates).
    ///
    /// # Errors
    /// Those of a call, and those of [`Pages`].
    pub async fn list_resource_templates(&self) -> Result<Listed<ResourceTemplate>, CallError> {
        self.list(|loan| loan.list_resource_templates()).await
    }

    /// The prompts of the server; see [`Client::list_prompts`](crate::handle::Client::list_prompts).
    ///
    /// # Errors
    /// Those of a call, and those of [`Pages`].
    pub async fn list_prompts(&self) -> Result<Listed<Prompt>, CallError> {
        self.list(|loan| loan.list_prompts()).await
    }

    /// Reads the resource of this URI; see [`Client::read_resource`](crate::handle::Client::read_resource).
    pub fn read_resource(&self, uri: impl Into<String>) -> SessionCall<K, ReadResourceResult> {
        let params = Params::from_serialize(&ReadResourceParams::new(uri.into()));
        self.call(Method::ReadResource.into(), params)
            .options(CallOptions::new().with_cache())
    }

    /// Gets the prompt `name`; see [`Client::get_prompt`](crate::handle::Client::get_prompt).
    pub fn get_prompt<A: Serialize>(&self, name: &str, arguments: A) -> SessionCall<K, GetPromptResult> {
        self.call(Method::GetPrompt.into(), prompt_params(name, arguments))
    }

    /// Values for an argument of a prompt; see [`Client::complete_prompt`](crate::handle::Client::complete_prompt).
    pub fn complete_prompt(&self, name: &str, argument: &str, value: &str) -> SessionCall<K, CompleteResult> {
        let reference = CompletionReference::Prompt(PromptReference::new(name));
        self.request::<Complete>(&completion(reference, argument, value))
    }

    /// Values for a variable of a template of resources; see
    /// [`Client::complete_resource`](crate::handle::Client::complete_resource).
    pub fn complete_resource(&self, uri_template: &str, variable: &str, value: &str) -> SessionCall<K, CompleteResult> {
        let reference = CompletionReference::Resource(ResourceTemplateReference::new(uri_template));
        self.request::<Complete>(&completion(reference, variable, value))
    }

    /// Asks a server of the legacy era for its log messages, as long as the session lasts; see
    /// [`Client::set_level`](crate::handle::Client::set_level).
    pub fn set_level(&self, level: LoggingLevel) -> SessionCall<K, EmptyResult> {
        self.request::<SetLevel>(&SetLevelParams::new(level))
    }

    /// Asks a server of the legacy era to notify of changes of the resource, as long as the session lasts; see
    /// [`Client::subscribe`](crate::handle::Client::subscribe). [`listen`](Self::listen) goes on in the next.
    pub fn subscribe(&self, uri: impl Into<String>) -> SessionCall<K, EmptyResult> {
        self.request::<Subscribe>(&SubscribeParams::new(uri.into()))
    }

    /// Takes a subscription back.
    pub fn unsubscribe(&self, uri: impl Into<String>) -> SessionCall<K, EmptyResult> {
        self.request::<Unsubscribe>(&UnsubscribeParams::new(uri.into()))
    }

    /// Asks whether the server is there (legacy era); see [`Client::ping`](crate::handle::Client::ping).
    pub fn ping(&self) -> SessionCall<K, EmptyResult> {
        self.request::<Ping>(&RequestParams::default())
    }

    async fn list<R: PagedRequest>(&self, pages: impl Fn(&Loan<K>) -> Pages<R>) -> Result<Listed<R::Item>, CallError>
    where
        Pages<R>: Send + 'static,
    {
        let options = CallOptions::default();
        let answered = self.with_client(&options, Duration::ZERO, |loan: Arc<Loan<K>>, spent| {
            let pages = pages(&loan);
            async move {
                let outcome = pages.await;
                // Held until all of it is read.
                drop(loan);
                Answered::new(outcome, spent)
            }
        });
        answered.await.outcome
    }
}
