//! The proxy that an application makes.

use alloc::sync::Arc;
use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Poll, Waker};

use super::answers::Answers;
use super::askers::Askers;
use super::requests::Requests;
use crate::handle::client::{Call, Client, ClientBuilder};
use crate::handle::server::{Server, ServerBuilder};
use crate::jsonrpc::{Params, RawJson};
use crate::limits::Timeouts;
use crate::method::Method;
use crate::model::{
    ClientCapabilities, DiscoverResult, ElicitationCapability, Implementation, Json, RootsCapability,
    SamplingCapability, ServerCapabilities,
};
use crate::proxy;
use crate::rpc::{CallError, CallOptions, SendError};

/// A server whose answers are those of another: it passes on what its clients ask, and what the server behind it says and
/// asks, byte for byte but for ids, progress tokens and what `_meta` says of the sender. Where the two sides speak
/// different eras, it stands between them ([`proxy`](crate::proxy) says how, and what cannot be).
///
/// It works over every transport on either side:
///
/// ```
/// # use mcp_proto::handle::{Client, Proxy, Server};
/// # async fn example(connect: impl Fn(mcp_proto::handle::ClientBuilder) -> Client) -> Result<Server, mcp_proto::rpc::CallError> {
/// let proxy = Proxy::new();
/// let client = connect(proxy.client(Client::builder("proxy", "1.0.0"))); // `mcp_tokio::connect_with`, …
/// let server = proxy.server(&client).await?.build(); // what the server behind says of itself
/// let relay = proxy.relay(&client, &server); // to be spawned, or joined
/// # drop(relay);
/// # Ok(server)
/// # }
/// ```
///
/// A legacy server knows one client, the proxy, whoever is before it: its session, its log level and its subscriptions are
/// shared by all. Where that matters, each client gets a proxy of its own. It is told once, before anybody asks, what the
/// clients can do ([`declaring`](Self::declaring)); a client that cannot do it refuses.
///
/// What a server asks goes to the client whose request it came with, where that is known (over HTTP, and in the modern
/// era), and otherwise only where it is certain whom it concerns: one client is never asked for another's request. What is
/// asked before there is any client waits for the first.
///
/// Where the server behind is gone, each request ends with an error (−32603) that says so. Progress that a client makes in
/// an answer, and the reason of a cancellation, are not passed on.
#[derive(Clone)]
pub struct Proxy {
    askers: Arc<Askers>,
    declared: ClientCapabilities,
}

impl Proxy {
    /// A proxy of nothing yet, which tells a legacy server that its clients can do everything: sampling with tools,
    /// elicitation by forms and URLs, roots.
    pub fn new() -> Self {
        let nothing = Json::empty_object;
        let mut elicitation = ElicitationCapability::default();
        (elicitation.form, elicitation.url) = (Some(nothing()), Some(nothing()));
        let sampling = SamplingCapability {
            tools: Some(nothing()),
            ..Default::default()
        };
        let declared = ClientCapabilities::default()
            .with_elicitation(elicitation)
            .with_sampling(sampling)
            .with_roots(RootsCapability::default().with_list_changed(true));
        let askers = Arc::default();
        Self { askers, declared }
    }

    /// The same, which tells a legacy server that its clients can do this: what those can that are to come. For clients of
    /// the modern era that is nothing, as a legacy server cannot ask them. (A modern server is told with each request.)
    #[must_use]
    pub fn declaring(mut self, capabilities: ClientCapabilities) -> Self {
        self.declared = capabilities;
        self
    }

    /// The client that reaches the server behind: to be connected. Whatever it is given to answer is answered by the
    /// proxy's clients instead.
    pub fn client(&self, client: impl Into<ClientBuilder>) -> ClientBuilder {
        let client: ClientBuilder = client.into();
        let Timeouts { request_max, .. } = client.config().timeouts;
        let answers = Answers {
            askers: self.askers.clone(),
            declared: self.declared.clone(),
            options: CallOptions::new().with_timeout(request_max),
        };
        client.passing_on(answers)
    }

    /// The server that is before the one that `client` reaches, with its name, capabilities and instructions. It waits for
    /// the handshake. Tools that are added here stand beside those of the server behind.
    ///
    /// # Errors
    /// Why the server behind is not reached.
    ///
    /// # Cancel safety
    /// Dropping the future does not stop the handshake.
    pub async fn server(&self, client: &Client) -> Result<ServerBuilder, CallError> {
        let facts = client.ready().await?;
        let (mut info, mut capabilities, mut instructions) = (facts.info, facts.capabilities, facts.instructions);
        // A client that was told what the server speaks has not asked.
        if capabilities.is_none() && facts.revision.is_stateless() {
            let asked: Call<RawJson> = client.request_raw(Method::Discover, Params::NONE);
            let discovered: DiscoverResult = asked.await?.decode().map_err(CallError::InvalidReply)?;
            capabilities = Some(discovered.capabilities);
            instructions = discovered.instructions;
        }
        let info = info.take().unwrap_or_else(|| Implementation::new("proxy", "0"));
        let requests = Requests {
            askers: self.askers.clone(),
            client: client.clone(),
            revision: facts.revision,
            capabilities: capabilities.unwrap_or_default(),
        };
        let builder = Server::builder("", "").info(info).handler(requests);
        Ok(match instructions {
            Some(instructions) => builder.instructions(instructions),
            None => builder,
        })
    }

    /// What tells the clients of `server` of changes at the server that `client` reaches. It ends with that connection, which it
    /// keeps open: [`Client::close`] ends both.
    ///
    /// # Cancel safety
    /// It may be dropped; nothing is told any more then.
    pub fn relay(&self, client: &Client, server: &Server) -> impl Future<Output = ()> + Send + use<> {
        let mut relay = Relay {
            askers: self.askers.clone(),
            client: client.clone(),
            server: server.clone(),
            listening: None,
            changes: None,
        };
        // From now on, and not from the first poll.
        let mut notifications = client.notifications();
        async move {
            let place = relay.askers.waiting().place();
            let waker = Waker::from(relay.askers.waiting().clone());
            let mut missed = 0;
            loop {
                let next = poll_fn(|cx| {
                    place.wait(cx);
                    // On behalf of all who wait: it is woken by what they are woken by.
                    relay.poll(&mut core::task::Context::from_waker(&waker));
                    notifications.poll_next(cx)
                });
                let Some(notification) = next.await else { return };
                let now = notifications.missed();
                relay
                    .askers
                    .lose(now.saturating_sub(core::mem::replace(&mut missed, now)));
                if proxy::is_for_all(&notification) {
                    let told = notification.notification;
                    relay.tell(told.method, told.params);
                }
            }
        }
    }

    /// How many notifications, of either side, were not passed on: nobody on the other side has a word for them, or they
    /// came faster than they could be passed on.
    pub fn lost(&self) -> u64 {
        self.askers.lost()
    }
}

impl Default for Proxy {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("lost", &self.lost())
            .finish_non_exhaustive()
    }
}

/// What tells all clients of changes.
struct Relay {
    askers: Arc<Askers>,
    client: Client,
    server: Server,
    /// The subscription at a modern server.
    listening: Option<Call<RawJson>>,
    /// How often what is listened to had changed when the subscription was made.
    changes: Option<u64>,
}

impl Relay {
    /// Listens to what is to be listened to.
    fn poll(&mut self, cx: &mut core::task::Context<'_>) {
        if self.changes != Some(self.askers.changes()) {
            let (uris, changes) = self.askers.watched();
            self.changes = Some(changes);
            self.listening = self.listen(uris);
        }
        if let Some(call) = &mut self.listening
            && let Poll::Ready(outcome) = Pin::new(call).poll(cx)
        {
            self.listening = None;
            // A server that ends it in good order has nothing more to say.
            if outcome.is_err() {
                self.askers.lose(1);
            }
        }
    }

    fn listen(&self, uris: alloc::vec::Vec<alloc::string::String>) -> Option<Call<RawJson>> {
        let is_modern = self.client.server().is_some_and(|facts| facts.revision.is_stateless());
        let capabilities: &ServerCapabilities = self.server.config().capabilities();
        let params = proxy::listening(capabilities, uris).filter(|_| is_modern)?;
        let call = self.client.request_raw(Method::ListenSubscriptions, params);
        Some(
            call.timeout(core::time::Duration::MAX)
                .max_timeout(core::time::Duration::MAX),
        )
    }

    fn tell(&self, method: crate::method::MethodName, params: Option<RawJson>) {
        let told = match params.map(Params::from_raw).transpose() {
            Ok(params) => self.server.notify(method, params.unwrap_or_default()),
            Err(error) => Err(SendError::InvalidParams(error)),
        };
        if told.is_err() {
            self.askers.lose(1);
        }
    }
}
