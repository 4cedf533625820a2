//! The server that an application makes.

use alloc::boxed::Box;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::any::Any;
use core::fmt;

use super::state_store::{Redeeming, Uses};
#[cfg(feature = "http")]
use super::unread::UnreadAnswers;
use super::vault::Vault;
use super::{Application, Audience, Call, Peer, Work};
use crate::handle::Timer;
use crate::handle::contained::contain;
use crate::handle::sync::{Mutex, lock};
use crate::jsonrpc::{Notification, Params};
use crate::method::{Method, MethodName};
use crate::model::ResourceUpdatedParams;
use crate::rpc::SendError;
use crate::server::rounds::{Sealer, Settled};
use crate::server::{Announcement, Redeem, ServerConfig};
use crate::time::UnixTime;
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
    offer: Box<dyn Serve>,
    audiences: Mutex<Vec<Weak<dyn Audience>>>,
    vault: Vault,
    #[cfg(feature = "http")]
    unread: Arc<UnreadAnswers>,
}

/// What a server offers, as the server sees it.
pub(super) trait Serve: Any + Send + Sync {
    /// The handler of a request.
    fn serve(&self, server: &Server, call: Call, peer: Arc<dyn Peer>) -> Work;

    /// A notification of a client that is not about the protocol itself.
    fn notified(&self, notification: Notification);

    /// The parameters of a tool that its callers mirror into HTTP headers, where it has any.
    fn param_headers(&self, tool: &str) -> Option<Arc<ParamHeaders>>;
}

impl Server {
    pub(super) fn new(config: ServerConfig, offer: Box<dyn Serve>, uses: Uses) -> Self {
        Self {
            inner: Arc::new(Inner {
                #[cfg(feature = "http")]
                unread: Arc::new(UnreadAnswers::new(config.limits())),
                config: Arc::new(config),
                offer,
                audiences: Mutex::default(),
                vault: Vault::new(uses),
            }),
        }
    }

    /// What it says about itself, its limits and timeouts.
    pub fn config(&self) -> &Arc<ServerConfig> {
        &self.inner.config
    }

    /// Tells every client of something that concerns them all: a list that has changed, a resource that was updated.
    ///
    /// In the legacy era every session hears it, except that an updated resource concerns those that have subscribed to
    /// it (2025-11-25, Resources, Subscriptions), and a log message those whose level it reaches (Logging). In the
    /// modern era every subscription that asked for it hears it, and nobody a log message, which belongs to a request
    /// ([`Context::log`](super::Context::log)). Takes no time: a client that does not read hears of it later, and of the same thing once.
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

    /// Tells that the list of tools has changed. What is changed by [`tools`](Self::tools) tells so itself.
    ///
    /// # Errors
    /// [`SendError::NotSupported`] where `tools.listChanged` was not declared.
    pub fn notify_tools_list_changed(&self) -> Result<(), SendError> {
        self.notify(Method::ToolListChangedNotification, Params::NONE)
    }

    /// Tells that the list of prompts has changed. What is changed by [`prompts`](Self::prompts) tells so itself.
    ///
    /// # Errors
    /// [`SendError::NotSupported`] where `prompts.listChanged` was not declared.
    pub fn notify_prompts_list_changed(&self) -> Result<(), SendError> {
        self.notify(Method::PromptListChangedNotification, Params::NONE)
    }

    /// Tells that the list of resources or that of their templates has changed. What is changed by
    /// [`resources`](Self::resources) or [`resource_templates`](Self::resource_templates) tells so itself.
    ///
    /// # Errors
    /// [`SendError::NotSupported`] where `resources.listChanged` was not declared.
    pub fn notify_resources_list_changed(&self) -> Result<(), SendError> {
        self.notify(Method::ResourceListChangedNotification, Params::NONE)
    }

    /// Tells those who have subscribed to a resource that it was updated.
    ///
    /// # Errors
    /// [`SendError::NotSupported`] where `resources.subscribe` was not declared.
    pub fn notify_resource_updated(&self, uri: impl Into<alloc::string::String>) -> Result<(), SendError> {
        let params = Params::from_serialize(&ResourceUpdatedParams::new(uri));
        self.notify(Method::ResourceUpdatedNotification, params.unwrap_or(Params::NONE))
    }

    /// What it offers.
    pub(super) fn offer(&self) -> &dyn Serve {
        &*self.inner.offer
    }

    /// Whoever is here to listen. No lock is held when they are told.
    fn audiences(&self) -> Vec<Arc<dyn Audience>> {
        let mut audiences = lock(&self.inner.audiences);
        // Those who left do so without a word: a connection does not know the server's list.
        audiences.retain(|audience| audience.strong_count() > 0);
        audiences.iter().filter_map(Weak::upgrade).collect()
    }

    /// From now on tells these as well.
    pub(crate) fn attend(&self, audience: Weak<dyn Audience>) {
        let mut audiences = lock(&self.inner.audiences);
        // Now and then, so that those who left do not pile up.
        if audiences.len() == audiences.capacity() {
            audiences.retain(|audience| audience.strong_count() > 0);
        }
        audiences.push(audience);
    }
}

impl Application for Server {
    fn config(&self) -> &ServerConfig {
        &self.inner.config
    }

    fn serve(&self, call: Call, peer: Arc<dyn Peer>) -> Work {
        self.inner.offer.serve(self, call, peer)
    }

    fn driven_by(&self, timer: &dyn Timer) {
        self.inner.vault.open(&self.inner.config, timer);
    }

    #[cfg(feature = "http")]
    fn unread(&self) -> Arc<UnreadAnswers> {
        Arc::clone(&self.inner.unread)
    }

    fn with_sealer(&self, act: &mut dyn FnMut(Option<&mut Sealer>) -> Settled) -> Settled {
        self.inner.vault.with(act)
    }

    fn redeem(&self, redeem: Redeem, now: UnixTime) -> Redeeming {
        self.inner.vault.redeem(redeem, now)
    }

    fn notified(&self, notification: Notification) {
        // It has nobody to answer, and those who wait for answers on the same connection are not to pay for it.
        contain(|| self.inner.offer.notified(notification));
    }

    fn param_headers(&self, tool: &str) -> Option<Arc<ParamHeaders>> {
        self.inner.offer.param_headers(tool)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Server").field(&self.inner.config.info().name).finish()
    }
}
