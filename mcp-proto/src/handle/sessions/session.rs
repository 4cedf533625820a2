//! A lazy handle of one session.

use alloc::sync::Arc;
use core::fmt;
use core::future::Future;
use core::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::call::SessionCall;
use super::changes::SessionChanges;
use super::incidents::SessionIncidents;
use super::loan::{Asking, Loan, acquire_options};
use super::notifications::SessionNotifications;
use super::shared::Inner;
use crate::client::{ServerFacts, ToolList};
use crate::handle::client::{Answered, tool_params};
use crate::jsonrpc::{DecodeError, Params, RawJson};
use crate::method::{Method, MethodName};
use crate::model::{CallToolResult, SubscriptionFilter, TypedRequest};
use crate::rpc::{CallError, CallOptions};
use crate::sessions::AcquireOptions;

/// The session of one key of a pool, cheap to clone and to share. Making one, dropping one and showing one does
/// nothing at all; connecting and the handshake are part of the first await.
///
/// It offers what a [`Client`](crate::handle::Client) does. Each call uses the session there is, or creates it, and
/// waits for it within its own time. Where the session proves lost (its process exits, its connection ends), it is
/// created again, once, for the calls that the server certainly has not acted on, or that may be made twice
/// ([`SessionCall::idempotent`]); the others fail with [`CallError::Closed`], and the next call begins anew. An HTTP
/// session that the server has forgotten is renewed by the client itself, in the same way.
pub struct Session<K: Ord> {
    inner: Arc<Inner<K>>,
    key: Arc<K>,
}

impl<K: Ord> Session<K> {
    pub(super) fn new(inner: Arc<Inner<K>>, key: Arc<K>) -> Self {
        Self { inner, key }
    }

    /// The key.
    pub fn key(&self) -> &K {
        &self.key
    }

    /// Calls the tool `name`; see [`Client::call_tool`](crate::handle::Client::call_tool).
    pub fn call_tool<A: Serialize>(&self, name: &str, arguments: A) -> SessionCall<K, CallToolResult> {
        self.call(Method::CallTool.into(), tool_params(name, arguments))
    }

    /// All tools of the server; see [`Client::list_tools`](crate::handle::Client::list_tools).
    ///
    /// # Errors
    /// Those of a call.
    ///
    /// # Cancel safety
    /// Dropping the future cancels what is on its way.
    pub async fn list_tools(&self) -> Result<ToolList, CallError> {
        self.list_tools_within(CallOptions::default(), Duration::ZERO)
            .await
            .outcome
    }

    /// The same, within what is left of the timeouts of these options.
    pub(crate) async fn list_tools_within(&self, options: CallOptions, spent: Duration) -> Answered<ToolList> {
        self.with_client(&options, spent, |loan, spent| {
            let options = options.clone();
            async move {
                let mut listing = loan.list_tools().options(options).spend(spent);
                let outcome = (&mut listing).await;
                Answered::new(outcome, listing.spent())
            }
        })
        .await
    }

    /// Takes the tools that are kept for out of date, where there is a session; see
    /// [`Client::forget_tools`](crate::handle::Client::forget_tools).
    pub fn forget_tools(&self) {
        if let Some(client) = self.inner.shared.with(|state| state.client(&self.key)) {
            client.forget_tools();
        }
    }

    /// What the server notifies of its own accord, from now on, in this session and in those that come after it.
    pub fn notifications(&self) -> SessionNotifications<K> {
        SessionNotifications::new(&self.inner, &self.key)
    }

    /// Listens to what changes at the server, in this session and in those that come after it; see
    /// [`Client::listen`](crate::handle::Client::listen).
    pub fn listen(&self, filter: SubscriptionFilter) -> SessionChanges<K> {
        SessionChanges::new(&self.inner, &self.key, filter)
    }

    /// What is lost in this session and in those that come after it, or goes wrong, without a call failing for it; see
    /// [`Client::incidents`](crate::handle::Client::incidents).
    pub fn incidents(&self) -> SessionIncidents<K> {
        SessionIncidents::new(&self.inner.shared.bulletin, Some(self.key.clone()))
    }

    /// Makes a request by its type; see [`Client::request`](crate::handle::Client::request).
    pub fn request<R: TypedRequest>(&self, params: &R::Params) -> SessionCall<K, R::Result> {
        self.call(R::METHOD.into(), Params::from_serialize(params))
    }

    /// Makes any request; see [`Client::request_raw`](crate::handle::Client::request_raw).
    pub fn request_raw(&self, method: impl Into<MethodName>, params: Params) -> SessionCall<K, RawJson> {
        SessionCall::new(&self.inner, &self.key, method.into(), Ok(params), |raw| Ok(raw.clone()))
    }

    /// Waits until the session is there, creating it where it is not, and says what is known of the server.
    ///
    /// # Errors
    /// Why it could not be created.
    ///
    /// # Cancel safety
    /// Dropping the future takes the session from nobody else who waits.
    pub async fn ready(&self) -> Result<ServerFacts, CallError> {
        let options = CallOptions::default();
        let answered = self.with_client(&options, Duration::ZERO, |loan, spent| async move {
            let outcome = loan.ready().await;
            Answered::new(outcome, spent)
        });
        answered.await.outcome
    }

    /// The client of the session, which is created where it is not there: for what this handle does not offer, such
    /// as notifications. The session is not closed for others while it is held.
    ///
    /// # Errors
    /// Why it could not be created.
    ///
    /// # Cancel safety
    /// As for [`ready`](Self::ready).
    pub async fn client(&self) -> Result<Loan<K>, CallError> {
        let asking = Asking::new(&self.inner, &self.key, &AcquireOptions::default())?;
        asking.wait(Duration::ZERO).await.map(|(loan, _)| loan)
    }

    /// Does something that does no harm when it is done twice, with the client of the session; does it again with
    /// that of the next one, where the session proves lost. It is told how much of the caller's time is spent, and tells
    /// how much is then.
    pub(super) async fn with_client<T, F: Future<Output = Answered<T>>>(
        &self,
        options: &CallOptions,
        spent: Duration,
        act: impl Fn(Arc<Loan<K>>, Duration) -> F,
    ) -> Answered<T> {
        let acquire = acquire_options(options, spent);
        let acquired = match Asking::new(&self.inner, &self.key, &acquire) {
            Ok(asking) => asking.wait(spent).await,
            Err(error) => Err(error),
        };
        let (loan, spent) = match acquired {
            Ok((loan, spent)) => (Arc::new(loan), spent),
            Err(error) => return Answered::new(Err(error), spent),
        };
        let answered = act(loan.clone(), spent).await;
        // Any other error is an answer: the session is there.
        let Err(CallError::Closed(_)) = &answered.outcome else {
            return answered;
        };
        let Some(loan) = Arc::into_inner(loan) else {
            return answered;
        };
        let spent = answered.spent;
        let replaced = match loan.replace(&acquire_options(options, spent)) {
            Ok(mut waiting) => core::future::poll_fn(|cx| waiting.poll(cx)).await,
            Err(error) => Err(error),
        };
        match replaced {
            Ok((loan, spent)) => act(Arc::new(loan), spent).await,
            Err(error) => Answered::new(Err(error), spent),
        }
    }

    pub(super) fn call<T: DeserializeOwned>(
        &self,
        method: MethodName,
        params: Result<Params, DecodeError>,
    ) -> SessionCall<K, T> {
        SessionCall::new(&self.inner, &self.key, method, params, |raw| {
            raw.decode_leniently().map(|(value, _)| value)
        })
    }
}

impl<K: Ord> Clone for Session<K> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), self.key.clone())
    }
}

/// Does not show the key: there may be credentials in it.
impl<K: Ord> fmt::Debug for Session<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}
