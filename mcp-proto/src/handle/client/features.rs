//! What a client asks of a server, by name.

use alloc::string::String;

use serde::Serialize;

use super::call::Call;
use super::changes::Changes;
use super::facade::Client;
use super::pages::Pages;
use crate::jsonrpc::{DecodeError, Params, RawJson};
use crate::method::Method;
use crate::model::request::{
    Complete, ListPrompts, ListResourceTemplates, ListResources, Ping, SetLevel, Subscribe, Unsubscribe,
};
use crate::model::{
    CompleteParams, CompleteResult, CompletionArgument, CompletionReference, EmptyResult, GetPromptResult,
    LoggingLevel, PromptReference, ReadResourceParams, ReadResourceResult, RequestParams, ResourceTemplateReference,
    SetLevelParams, SubscribeParams, SubscriptionFilter, UnsubscribeParams,
};
use crate::rpc::CallOptions;

impl Client {
    /// The resources of the server: `client.list_resources().await`, or page by page.
    pub fn list_resources(&self) -> Pages<ListResources> {
        Pages::new(self.inner().clone())
    }

    /// The templates of resources of the server.
    pub fn list_resource_templates(&self) -> Pages<ListResourceTemplates> {
        Pages::new(self.inner().clone())
    }

    /// The prompts of the server.
    pub fn list_prompts(&self) -> Pages<ListPrompts> {
        Pages::new(self.inner().clone())
    }

    /// Reads the resource of this URI. Where the server has said how long it is fresh, it is not asked again before
    /// ([`Call::uncached`] has it asked), unless it has notified of a change (2026-07-28, Caching).
    pub fn read_resource(&self, uri: impl Into<String>) -> Call<ReadResourceResult> {
        let params = Params::from_serialize(&ReadResourceParams::new(uri.into()));
        self.call(Method::ReadResource.into(), params)
            .options(CallOptions::new().with_cache())
    }

    /// Gets the prompt `name`. `arguments` becomes a JSON object of strings, such as those of a struct or a map; `()` is
    /// none.
    ///
    /// # Errors
    /// Those of a call; [`SendError::InvalidParams`](crate::rpc::SendError::InvalidParams) where the arguments are
    /// something else.
    pub fn get_prompt<A: Serialize>(&self, name: &str, arguments: A) -> Call<GetPromptResult> {
        self.call(Method::GetPrompt.into(), prompt_params(name, arguments))
    }

    /// Values for the argument `argument` of the prompt `name` that begin with `value`.
    pub fn complete_prompt(&self, name: &str, argument: &str, value: &str) -> Call<CompleteResult> {
        let reference = CompletionReference::Prompt(PromptReference::new(name));
        self.complete(reference, argument, value)
    }

    /// Values for the variable `variable` of the template of resources `uri_template` that begin with `value`.
    pub fn complete_resource(&self, uri_template: &str, variable: &str, value: &str) -> Call<CompleteResult> {
        let reference = CompletionReference::Resource(ResourceTemplateReference::new(uri_template));
        self.complete(reference, variable, value)
    }

    fn complete(&self, reference: CompletionReference, argument: &str, value: &str) -> Call<CompleteResult> {
        self.request::<Complete>(&completion(reference, argument, value))
    }

    /// Asks a server of the legacy era for its log messages at or above `level`, for the whole session. Deprecated since
    /// 2026-07-28, where each request says so for itself ([`Call::log_level`]); there this is refused.
    pub fn set_level(&self, level: LoggingLevel) -> Call<EmptyResult> {
        self.request::<SetLevel>(&SetLevelParams::new(level))
    }

    /// Asks a server of the legacy era to notify of changes of the resource, and to go on in a session that comes after
    /// this one. In 2026-07-28 `subscriptions/listen` takes its place; there this is refused. [`listen`](Self::listen) does
    /// what the era wants.
    pub fn subscribe(&self, uri: impl Into<String>) -> Call<EmptyResult> {
        self.request::<Subscribe>(&SubscribeParams::new(uri.into()))
    }

    /// Takes a subscription back.
    pub fn unsubscribe(&self, uri: impl Into<String>) -> Call<EmptyResult> {
        self.request::<Unsubscribe>(&UnsubscribeParams::new(uri.into()))
    }

    /// Listens to what changes at the server, of what `filter` names, whatever the server speaks: with
    /// `subscriptions/listen` (2026-07-28, Subscriptions), or with `resources/subscribe` and what a legacy server sends on
    /// its own. It begins when the handshake is done, and is taken up again after a stream or an HTTP session that was lost
    /// ([`client::Client::listen`](crate::client::Client::listen) has the rules). What waits to be taken is bounded; see
    /// [`Changes`].
    ///
    /// ```
    /// # async fn example(client: mcp_proto::handle::Client) -> Result<(), mcp_proto::rpc::CallError> {
    /// use mcp_proto::client::Change;
    /// use mcp_proto::model::SubscriptionFilter;
    ///
    /// let filter = SubscriptionFilter::default()
    ///     .with_tools_list_changed(true)
    ///     .with_resource_subscriptions(vec!["weather://bern".into()]);
    /// let mut changes = client.listen(filter);
    /// let granted = changes.granted().await?; // perhaps less than was asked for
    /// println!("the server tells of {:?}", granted.resource_subscriptions);
    /// while let Some(change) = changes.next().await.transpose()? {
    ///     match change {
    ///         Change::Resource { uri } => drop(client.read_resource(&*uri).await?),
    ///         // Also after `Lagged` and `Restored`: anything may have changed.
    ///         _ => drop(client.list_tools().await?),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn listen(&self, filter: SubscriptionFilter) -> Changes {
        Changes::new(self.inner().clone(), filter)
    }

    /// Asks whether the server is there (legacy era; 2026-07-28 has no such request, and this is refused there).
    pub fn ping(&self) -> Call<EmptyResult> {
        self.request::<Ping>(&RequestParams::default())
    }

    /// Takes all results that are kept for out of date, the list of tools included.
    pub fn forget_results(&self) {
        self.inner()
            .shared
            .with(|state| state.machine.client().forget_results());
    }
}

/// The parameters of `completion/complete`.
pub(in crate::handle) fn completion(reference: CompletionReference, argument: &str, value: &str) -> CompleteParams {
    CompleteParams::new(reference, CompletionArgument::new(argument, value))
}

/// The parameters of `prompts/get`.
pub(in crate::handle) fn prompt_params<A: Serialize>(name: &str, arguments: A) -> Result<Params, DecodeError> {
    #[derive(Serialize)]
    struct GetPrompt<'a> {
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        arguments: Option<crate::model::Map<String>>,
    }
    // Prompts: arguments are strings, and a server may refuse the request for anything else.
    let arguments = RawJson::from_serialize(&arguments)?.decode()?;
    Params::from_serialize(&GetPrompt { name, arguments })
}
