//! The client handle.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::poll_fn;
use core::task::{Context, Poll};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::call::{Call, tool_params};
use super::incidents::Incidents;
use super::listing::ToolListing;
use super::notifications::Notifications;
use super::shared::{Inner, Shared, State};
use crate::client::{Incident, Prior, ServerFacts};
use crate::handle::wakers::{Wait, Wakers};
use crate::jsonrpc::{DecodeError, Params, RawJson};
use crate::method::{Method, MethodName};
use crate::model::{CallToolResult, Root, TypedRequest};
use crate::rpc::{CallError, CloseReason, Counters, SendError};

/// A client of one server, cheap to clone and to share between tasks and threads.
///
/// It is made together with a pump, which a driver of an adapter moves bytes with; an application gets both
/// from there (`mcp_tokio::connect`). Making one sends nothing and never blocks: the handshake is a part of the
/// first await, and however many calls wait for it, there is one.
///
/// # On drop
/// With the last handle (clones, calls in flight) the connection closes gracefully: what is queued is sent first, and a legacy
/// HTTP session is ended. Dropping returns at once.
#[derive(Clone, Debug)]
pub struct Client {
    inner: Arc<Inner>,
}

impl Client {
    pub(super) fn of_inner(inner: Arc<Inner>) -> Self {
        Self { inner }
    }

    /// Calls the tool `name`.
    ///
    /// `arguments` becomes a JSON object; `()` is none.
    ///
    /// A tool that fails says so in [`CallToolResult::is_error`]: that is a result, not a [`CallError`].
    pub fn call_tool<A: Serialize>(&self, name: &str, arguments: A) -> Call<CallToolResult> {
        self.call(Method::CallTool.into(), tool_params(name, arguments))
    }

    /// All tools of the server: every page, up to [`Limits::list_pages`](crate::Limits::list_pages).
    ///
    /// They are read once however many ask at a time, and kept while they are fresh: as long as the server says
    /// (`ttlMs`), or until it says that they have changed, where it has promised to
    /// ([`client::Client::list_tools`](crate::client::Client::list_tools) has the rules, and
    /// [`tools_ttl`](crate::client::ClientConfig::tools_ttl) the rest). What is kept belongs to this client, and so to one
    /// authorization. [`forget_tools`](Self::forget_tools) makes the next one ask anew.
    ///
    /// # Errors
    /// Those of a call, and [`CallError::InvalidReply`] where the server's pages never end. All who wait for the same
    /// reading get the same error; each has its own time besides.
    pub fn list_tools(&self) -> ToolListing {
        ToolListing::new(self.inner.clone())
    }

    /// Takes the tools that are kept for out of date: whoever asks from now on gets what is read from now on.
    pub fn forget_tools(&self) {
        // The driver need not be woken: nothing is to be sent.
        self.inner.shared.with(|state| state.machine.client().forget_tools());
    }

    /// Makes a request by its type, such as [`CallTool`](crate::model::request::CallTool).
    pub fn request<R: TypedRequest>(&self, params: &R::Params) -> Call<R::Result> {
        self.call(R::METHOD.into(), Params::from_serialize(params))
    }

    /// Makes any request, known to the protocol or not, and gives its result as it came.
    pub fn request_raw(&self, method: impl Into<MethodName>, params: Params) -> Call<RawJson> {
        Call::new(self.inner.clone(), method.into(), Ok(params), |raw| {
            Ok((raw.clone(), Vec::new()))
        })
    }

    /// Sends a notification; before the handshake is done it is held like a call. Never waits.
    ///
    /// # Errors
    /// [`SendError`]; with [`SendError::Blocked`] the parameters come back.
    pub fn notify(&self, method: impl Into<MethodName>, params: Params) -> Result<(), SendError> {
        self.inner
            .shared
            .apply(|state| state.machine.client().notify(method, params))
    }

    /// The roots from now on, in place of those of before. A server up to 2025-11-25 that knows the client already is told
    /// that they have changed (`notifications/roots/list_changed`), where the client was made with
    /// [`roots`](super::ClientBuilder::roots); a client that was not has none, whatever is said here.
    ///
    /// Deprecated since 2026-07-28, where a server asks for them anew whenever it needs them: what it works on is an argument
    /// of its tools, a resource, or its configuration.
    pub fn set_roots(&self, roots: impl IntoIterator<Item = Root>) {
        let roots = roots.into_iter().collect();
        self.inner.shared.apply(|state| state.set_roots(roots));
    }

    /// What the server notifies of its own accord, from now on.
    pub fn notifications(&self) -> Notifications {
        Notifications::new(self.inner.shared.clone())
    }

    /// What is lost on this connection, or goes wrong, without a call failing for it: lines that are no messages, tools
    /// and entries that are left out, sessions that are lost, how a child exits.
    pub fn incidents(&self) -> Incidents {
        Incidents::new(self.inner.shared.clone())
    }

    /// The same, where what came before counts as missed.
    pub(in crate::handle) fn notifications_and_missed(&self) -> Notifications {
        Notifications::late(self.inner.shared.clone())
    }

    /// Tells `relay` of the incidents that there were and that there will be; it gives whom that wakes. It is called under
    /// a lock, and must take none but its own.
    pub(in crate::handle) fn relay(&self, relay: impl Fn(Incident) -> Wakers + Send + 'static) {
        self.inner.shared.with(|state| state.relay(Box::new(relay)));
    }

    /// Waits until it is known what the server speaks, making the handshake if there is one to make, and says
    /// what is known of the server.
    ///
    /// # Errors
    /// Why the handshake failed.
    ///
    /// # Cancel safety
    /// Dropping the future does not stop the handshake.
    pub async fn ready(&self) -> Result<ServerFacts, CallError> {
        // Those of earlier handshakes: only one that fails from now on is this caller's.
        let failures = self.inner.shared.apply(State::connect);
        let mut watch = self.watch();
        poll_fn(|cx| watch.poll_ready(failures, cx)).await
    }

    /// What is known of the server; `None` before the handshake is done.
    pub fn server(&self) -> Option<ServerFacts> {
        self.inner
            .shared
            .with(|state| state.machine.as_client().facts().cloned())
    }

    /// What a later client of the same server may be told, to spare the question; `None` before the handshake.
    pub fn prior(&self) -> Option<Prior> {
        self.inner.shared.with(|state| state.machine.as_client().prior())
    }

    /// The same, before anything was asked, for a client that was told nothing.
    pub(in crate::handle) fn presume(&self, prior: Prior) {
        self.inner.shared.with(|state| state.machine.client().presume(prior));
    }

    /// What the server has proved to speak, also after the end of the connection; `None` where that is not certain.
    pub(in crate::handle) fn proved(&self) -> Option<Prior> {
        self.inner.shared.with(|state| state.machine.as_client().proved())
    }

    /// Whether what the server sends on its own arrives, such as that a list has changed: over a byte stream always, over
    /// HTTP while the GET stream of a legacy session is open.
    pub fn is_listening(&self) -> bool {
        self.inner.shared.with(|state| state.machine.is_listening())
    }

    /// What the server did that was wrong and survived.
    pub fn counters(&self) -> Counters {
        self.inner.shared.with(|state| state.machine.as_client().counters())
    }

    /// Closes the connection for all handles and waits until everything that was queued is sent, at most
    /// [`Timeouts::close`](crate::Timeouts::close). Calls in flight end with [`CallError::Closed`].
    ///
    /// # Cancel safety
    /// The connection closes even when the future is dropped.
    pub async fn close(&self) {
        self.start_close();
        let mut watch = self.watch();
        poll_fn(|cx| watch.poll_finished(cx)).await;
    }

    /// Closes the connection for all handles, and returns at once.
    pub(in crate::handle) fn start_close(&self) {
        self.inner
            .shared
            .apply(|state| state.machine.client().close(CloseReason::Local));
    }

    /// What sees the end of the connection, and does not keep it from being closed.
    pub(in crate::handle) fn watch(&self) -> Watch {
        Watch {
            shared: self.inner.shared.clone(),
            wait: Wait::default(),
        }
    }

    /// Whether the connection is closed.
    pub(in crate::handle) fn is_closed(&self) -> bool {
        let is_closed = |state: &mut State| state.machine.as_client().closed().is_some();
        self.inner.shared.with(is_closed)
    }

    pub(super) fn inner(&self) -> &Arc<Inner> {
        &self.inner
    }

    pub(super) fn call<T: DeserializeOwned>(&self, method: MethodName, params: Result<Params, DecodeError>) -> Call<T> {
        Call::new(self.inner.clone(), method, params, RawJson::decode_leniently)
    }
}

/// What sees how it goes on with a connection, and does not keep it from being closed.
///
/// # On drop
/// Its task is not woken any more.
pub(in crate::handle) struct Watch {
    shared: Arc<Shared>,
    wait: Wait,
}

impl Watch {
    fn poll_ready(&mut self, failures: u64, cx: &Context<'_>) -> Poll<Result<ServerFacts, CallError>> {
        let wait = &mut self.wait;
        self.shared.with(|state| state.poll_ready(failures, wait, cx))
    }

    /// Ready when the connection is closed.
    pub(in crate::handle) fn poll_closed(&mut self, cx: &Context<'_>) -> Poll<()> {
        let wait = &mut self.wait;
        self.shared.with(|state| state.poll_closed(wait, cx))
    }

    /// Ready when the connection is closed and its driver has said everything, or is gone.
    pub(in crate::handle) fn poll_finished(&mut self, cx: &Context<'_>) -> Poll<()> {
        let wait = &mut self.wait;
        self.shared.with(|state| state.poll_finished(wait, cx))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if self.wait.is_begun() {
            let wait = &mut self.wait;
            self.shared.with(|state| state.stop_watching(wait));
        }
    }
}
