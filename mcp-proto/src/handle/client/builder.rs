//! How a client is made.

use alloc::sync::Arc;
use core::fmt;
use core::future::Future;
use core::time::Duration;

use super::answering::{AnswerContext, ClientHandler, Respond, Respondents};
use crate::client::{ClientConfig, Mode, Prior};
use crate::jsonrpc::ErrorObject;
use crate::limits::{Limits, Timeouts};
use crate::model::{
    ClientCapabilities, CreateMessageParams, CreateMessageResult, ElicitFormParams, ElicitResult, ElicitUrlParams,
    Implementation, Root,
};

/// What a client is, and what it answers its server. Whatever connects takes it, and takes a [`ClientConfig`] in its place.
///
/// What is declared to the server follows from what is given here: a capability without its handler is not declared, even
/// where [`ClientConfig::capabilities`] says so. (Those who own a bare machine answer requests themselves, and declare what
/// they like.)
///
/// A closure answers the requests of servers up to 2025-11-25 and what a server of 2026-07-28 asks for in its results. It
/// is polled in place, by the task that drives the connection; a panic in it is answered with an error (−32603), where
/// the program unwinds, and ends nothing else. At most
/// [`Limits::requests_in_progress`](crate::Limits::requests_in_progress) are in progress at a time.
///
/// ```
/// use mcp_proto::handle::Client;
/// use mcp_proto::model::{ElicitResult, Json, Root};
///
/// let client = Client::builder("host", "1.0.0")
///     .on_elicit(|request, _| async move {
///         println!("{}", request.message);
///         Ok(ElicitResult::accept(Json::parse(r#"{"name":"Ada"}"#).unwrap()))
///     })
///     .roots([Root::new("file:///home/ada/project")]);
/// # let _ = Client::over_stream(client);
/// ```
#[derive(Clone)]
#[must_use = "a builder is for what connects"]
pub struct ClientBuilder {
    config: ClientConfig,
    respondents: Respondents,
}

impl ClientBuilder {
    /// A client of this configuration, which answers nothing yet.
    pub fn new(config: ClientConfig) -> Self {
        let respondents = Respondents::default();
        Self { config, respondents }
    }

    /// What it is so far.
    pub fn config(&self) -> &ClientConfig {
        &self.config
    }

    /// Everything it says about itself, in place of name and version.
    pub fn info(mut self, info: Implementation) -> Self {
        self.config.info = info;
        self
    }

    /// What is declared besides that which follows from what is answered: extensions, and what is experimental.
    pub fn capabilities(mut self, capabilities: ClientCapabilities) -> Self {
        self.config.capabilities = capabilities;
        self
    }

    /// Which eras it speaks.
    pub fn mode(mut self, mode: Mode) -> Self {
        self.config.mode = mode;
        self
    }

    /// What is known about the server from an earlier connection.
    pub fn prior(mut self, prior: Option<Prior>) -> Self {
        self.config.prior = prior;
        self
    }

    /// See [`ClientConfig::strict_capabilities`].
    pub fn strict_capabilities(mut self, is_strict: bool) -> Self {
        self.config.strict_capabilities = is_strict;
        self
    }

    /// See [`ClientConfig::tools_ttl`].
    pub fn tools_ttl(mut self, ttl: Duration) -> Self {
        self.config.tools_ttl = ttl;
        self
    }

    /// The bounds.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.config.limits = limits;
        self
    }

    /// The times.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.config.timeouts = timeouts;
        self
    }

    /// Asks the user by a form; declares `elicitation.form`.
    ///
    /// What is accepted is completed by the defaults of the form and checked against it
    /// ([`ElicitSchema::fill_in`](crate::model::ElicitSchema::fill_in)) before it leaves. What does not fit is not sent:
    /// the server gets an error (−32603), and the application [an incident](crate::client::Incident::UnfitAnswer).
    pub fn on_elicit<F, Fut>(mut self, function: F) -> Self
    where
        F: Fn(ElicitFormParams, AnswerContext) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<ElicitResult, ErrorObject>> + Send + 'static,
    {
        self.respondents.form = Some(Respond::new(function));
        self
    }

    /// Asks the user to visit a URL; declares `elicitation.url`. The URL is `https:`, or `http:` of this machine; the
    /// server gets an error (−32602) for any other, and nobody sees it.
    ///
    /// 2025-11-25 and 2026-07-28, Elicitation, Safe URL Handling: whoever shows it "MUST show the full URL to the user for
    /// examination before consent", "MUST NOT open the URL without explicit consent", and must not fetch it beforehand.
    pub fn on_elicit_url<F, Fut>(mut self, function: F) -> Self
    where
        F: Fn(ElicitUrlParams, AnswerContext) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<ElicitResult, ErrorObject>> + Send + 'static,
    {
        self.respondents.url = Some(Respond::new(function));
        self
    }

    /// Hears that a visit of a URL is over, with the id of the elicitation (`notifications/elicitation/complete`, in
    /// 2025-11-25 alone). It is called by the task that drives the connection.
    pub fn on_elicitation_complete(mut self, function: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.respondents.on_complete = Some(Arc::new(function));
        self
    }

    /// Samples from a language model; declares `sampling`. A request with tools is refused (−32602).
    ///
    /// Deprecated since 2026-07-28: a server that needs a model calls the API of its provider.
    pub fn on_sample<F, Fut>(mut self, function: F) -> Self
    where
        F: Fn(CreateMessageParams, AnswerContext) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<CreateMessageResult, ErrorObject>> + Send + 'static,
    {
        self.respondents.sample = Some(Respond::new(function));
        self.respondents.samples_with_tools = false;
        self
    }

    /// The same, for a model that may use the tools that the server names; declares `sampling.tools` as well. Since
    /// 2025-11-25.
    pub fn on_sample_with_tools<F, Fut>(self, function: F) -> Self
    where
        F: Fn(CreateMessageParams, AnswerContext) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<CreateMessageResult, ErrorObject>> + Send + 'static,
    {
        let mut this = self.on_sample(function);
        this.respondents.samples_with_tools = true;
        this
    }

    /// The roots, which [`Client::set_roots`](super::Client::set_roots) changes later; declares `roots.listChanged`. Each "MUST
    /// be a `file://` URI" (2025-11-25, Roots, Root).
    ///
    /// Deprecated since 2026-07-28: what a server works on is an argument of its tools, a resource, or its configuration.
    pub fn roots(mut self, roots: impl IntoIterator<Item = Root>) -> Self {
        self.respondents.roots = Some(roots.into_iter().collect());
        self
    }

    /// An object that answers what the closures do not, and declares it.
    pub fn handler(mut self, handler: impl ClientHandler) -> Self {
        self.respondents.set_handler(handler);
        self
    }

    /// An object that answers everything, as it came.
    pub(in crate::handle) fn passing_on(mut self, handler: impl ClientHandler) -> Self {
        self.respondents.pass_on(handler);
        self
    }

    /// The configuration, with what is declared, and who answers.
    pub(super) fn into_parts(self) -> (ClientConfig, Respondents) {
        let Self {
            mut config,
            respondents,
        } = self;
        config.capabilities = respondents.capabilities(config.capabilities);
        (config, respondents)
    }
}

impl From<ClientConfig> for ClientBuilder {
    fn from(config: ClientConfig) -> Self {
        Self::new(config)
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let declared = self.respondents.capabilities(self.config.capabilities.clone());
        f.debug_struct("ClientBuilder")
            .field("name", &self.config.info.name)
            .field("capabilities", &declared)
            .finish_non_exhaustive()
    }
}
