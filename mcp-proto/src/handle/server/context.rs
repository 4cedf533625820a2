//! What a handler knows of its request, and can say before it answers.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::future::poll_fn;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Poll, Waker};
use std::sync::OnceLock;

#[cfg(feature = "http")]
use http::HeaderMap;
use serde::Serialize;

use super::{Peer, Sending, Server, ServerCall};
use crate::handle::places::Places;
use crate::handle::sync::{Mutex, lock};
use crate::handle::turn::turn;
#[cfg(feature = "http")]
use crate::http::server::Principal;
use crate::jsonrpc::{DecodeError, ErrorObject, Id, Params, RawJson, encode_notification_with};
use crate::method::{ClientCapability, MethodName};
use crate::model::{ClientCapabilities, Implementation, LoggingLevel, TypedRequest};
use crate::revision::{Era, Revision};
use crate::rpc::SendError;
#[cfg(feature = "http")]
use crate::server::http::Asker;
use crate::server::rounds::HandlerRun;
use crate::server::{Announcement, RequestContext};

/// The context of one request: who asks, in which revision, and a way to say things before the answer.
///
/// Cheap to clone, and may outlive its request: what is then said through it is dropped.
///
/// A request that the client cancels is over at once: its handler is dropped where it waits. Work that a handler has
/// handed to someone else learns of it from a clone ([`cancelled`](Self::cancelled)).
#[derive(Clone)]
pub struct Context {
    inner: Arc<Inner>,
}

struct Inner {
    server: Server,
    request: RequestContext,
    peer: Arc<dyn Peer>,
    progress: Mutex<Option<f64>>,
    /// What was sent since the handler gave way.
    burst: AtomicUsize,
    /// Who waits for the end of the request, if anyone ever did.
    watchers: OnceLock<Arc<Places>>,
}

impl Context {
    pub(crate) fn new(server: Server, request: RequestContext, peer: Arc<dyn Peer>) -> Self {
        Self {
            inner: Arc::new(Inner {
                server,
                request,
                peer,
                progress: Mutex::new(None),
                burst: AtomicUsize::new(0),
                watchers: OnceLock::new(),
            }),
        }
    }

    /// The server that is asked.
    pub fn server(&self) -> &Server {
        &self.inner.server
    }

    /// The revision that the request is served in.
    pub fn revision(&self) -> Revision {
        self.inner.request.revision()
    }

    /// The era of that revision.
    pub fn era(&self) -> Era {
        self.inner.request.era()
    }

    /// Who the client says it is: for display and logs, not to decide anything by.
    pub fn client_info(&self) -> Option<Implementation> {
        self.inner.request.client_info()
    }

    /// What the client can do.
    pub fn client_capabilities(&self) -> ClientCapabilities {
        self.inner.request.client_capabilities()
    }

    /// Nothing where the client has declared `capability`, otherwise the error to fail with: `context.require(..)?`.
    ///
    /// # Errors
    /// −32021 in the modern era (2026-07-28, Overview: MUST), −32600 in the legacy era.
    pub fn require(&self, capability: ClientCapability) -> Result<(), ErrorObject> {
        self.inner.request.require(capability)
    }

    /// Who asks: over HTTP the head of the request with its extensions, and what the driver knows of the connection; over
    /// a byte stream what it was [given](super::ServerPump::asked_by). `None` where nothing is known.
    ///
    /// Headers hold tokens and cookies: they are not shown by `Debug`, and are better not put into logs.
    #[cfg(feature = "http")]
    pub fn asker(&self) -> Option<&Asker> {
        self.inner.peer.asker()
    }

    /// On whose behalf the request is made, as whoever has authenticated it says.
    #[cfg(feature = "http")]
    pub fn principal(&self) -> Option<&Principal> {
        self.asker()?.principal()
    }

    /// The headers of the request, over HTTP.
    #[cfg(feature = "http")]
    pub fn headers(&self) -> Option<&HeaderMap> {
        Some(&self.asker()?.head.headers)
    }

    /// What somebody in front has put into the extensions of the request: a layer of tower or axum, an authenticating
    /// proxy. Over a byte stream they are those of the connection.
    #[cfg(feature = "http")]
    pub fn extension<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.asker()?.extension()
    }

    /// `_meta` of the request, as it came.
    pub fn meta(&self) -> Option<&RawJson> {
        self.inner.request.meta()
    }

    /// The token under which the client wants progress, if it wants any.
    pub fn progress_token(&self) -> Option<&Id> {
        self.inner.request.progress_token()
    }

    /// Everything that is known of the request.
    pub fn request_context(&self) -> &RequestContext {
        &self.inner.request
    }

    /// Reports progress. Nothing is sent where the client has not asked for it, and where `progress` is not more than
    /// the last time (Progress: it MUST increase).
    ///
    /// Waits only while the client reads more slowly than this side writes, and, after many messages, until others on its
    /// thread had their turn.
    ///
    /// # Cancel safety
    /// Dropped while it waits, it has sent nothing.
    pub async fn progress(&self, progress: f64, total: impl Into<Option<f64>>, message: impl Into<Option<&str>>) {
        let (total, text) = (total.into(), message.into());
        let message = {
            // Let go before anything is awaited: a clone may report from another task meanwhile.
            let mut last = lock(&self.inner.progress);
            self.inner
                .request
                .encode_progress_after(&mut last, progress, total, text)
        };
        if let Some(message) = message {
            self.send(message).await;
        }
    }

    /// Sends a log message. Nothing is sent where the client does not want messages of this level (2026-07-28,
    /// Logging: MUST NOT without `logLevel` in the request), or the server has not declared `logging`.
    ///
    /// Waits only while the client reads more slowly than this side writes, and, after many messages, until others on its
    /// thread had their turn.
    ///
    /// # Cancel safety
    /// Dropped while it waits, it has sent nothing.
    pub async fn log(
        &self,
        level: LoggingLevel,
        logger: impl Into<Option<&str>>,
        data: &(impl Serialize + Sync + ?Sized),
    ) {
        let logger = logger.into();
        if !self.inner.request.wants_log(&level) {
            return;
        }
        // What cannot be written is not worth failing a request for.
        let Ok(data) = RawJson::from_serialize(data) else {
            return;
        };
        if let Some(message) = self.inner.request.encode_log(&level, logger, &data) {
            self.send(message).await;
        }
    }

    /// Sends a notification that belongs to the request, one that neither [`progress`](Self::progress) nor
    /// [`log`](Self::log) sends. What concerns all clients goes through [`Server::notify`].
    ///
    /// Waits only while the client reads more slowly than this side writes.
    ///
    /// # Errors
    /// [`SendError::OutOfEra`] where the method is not a notification of servers in the revision, or in the modern
    /// era not one that belongs to a request (2026-07-28, Streamable HTTP: MUST relate to it);
    /// [`SendError::Reserved`] for progress and log messages, which `progress` and `log` send within what the client
    /// wants (Progress and Logging: MUST), and for cancellations and acknowledgements, which the protocol sends;
    /// [`SendError::NotSupported`] where its capability was not declared.
    ///
    /// # Cancel safety
    /// Dropped while it waits, it has sent nothing.
    pub async fn notify(&self, method: impl Into<MethodName>, params: Params) -> Result<(), SendError> {
        let config = self.inner.server.config();
        let announcement = Announcement::about_request(config, self.revision(), method, params)?;
        let (method, params) = (announcement.method(), announcement.params());
        self.send(encode_notification_with(method.as_str(), params, b"")).await;
        Ok(())
    }

    /// Makes a request of the client by its type, such as [`ListRoots`](crate::model::request::ListRoots) (legacy era).
    ///
    /// # Errors
    /// [`CallError::Refused`](crate::rpc::CallError::Refused) where it cannot be sent: in the modern era there are no such
    /// requests ([`SendError::OutOfEra`]), the client lacks the capability ([`SendError::NotSupported`]), it cannot be
    /// reached from here. Otherwise how the call went.
    pub fn request<R: TypedRequest>(&self, params: &R::Params) -> ServerCall<'_, R::Result> {
        self.call(R::METHOD.into(), Params::from_serialize(params), RawJson::decode)
    }

    /// Makes any request, known to the protocol or not, and gives its result as it came.
    ///
    /// # Errors
    /// Those of [`request`](Self::request).
    pub fn request_raw(&self, method: impl Into<MethodName>, params: Params) -> ServerCall<'_, RawJson> {
        self.call(method.into(), Ok(params), |raw| Ok(raw.clone()))
    }

    pub(super) fn call<T>(
        &self,
        method: MethodName,
        params: Result<Params, DecodeError>,
        decode: fn(&RawJson) -> Result<T, DecodeError>,
    ) -> ServerCall<'_, T> {
        ServerCall::new(&*self.inner.peer, self.revision(), method, params, decode)
    }

    /// Looks at the run of the handler, which begins with the first look.
    pub(super) fn with_round<T>(&self, act: impl FnOnce(&mut HandlerRun) -> T) -> T {
        #[cfg(feature = "http")]
        let principal = self.principal().map(Principal::as_bytes);
        #[cfg(not(feature = "http"))]
        let principal = None;
        let begin = || HandlerRun::new(&self.inner.request, self.inner.server.config(), principal);
        self.inner.peer.slot().with(begin, act)
    }

    /// Has the run looked at once more.
    pub(super) fn wake_round(&self) {
        self.inner.peer.slot().wake();
    }

    /// Ends the HTTP connection that waits for the answer, and not the request: the client comes back for what is said
    /// from now on, after the [time](crate::http::server::Resumption::retry) that the server names (2025-11-25, Transports,
    /// Sending Messages, 6). For requests that take long, and would hold a connection for as long.
    ///
    /// `false` where nothing was done: the client could not come back, as over byte streams, in another revision, or where
    /// streams cannot be [resumed](crate::http::server::HttpConfig::resumable).
    pub fn close_stream(&self) -> bool {
        self.inner.peer.close_stream()
    }

    /// Whether the request is over: cancelled, answered, or its client is gone.
    pub fn is_cancelled(&self) -> bool {
        self.inner.peer.is_cancelled()
    }

    /// Waits until the request is over: cancelled, answered, or its client is gone.
    ///
    /// # Cancel safety
    /// It has no effect, and may be dropped and called again.
    pub async fn cancelled(&self) {
        // One waker for all who wait: each that came and went would leave its own with the request.
        let watchers = self.inner.watchers.get_or_init(Arc::default);
        let (place, waker) = (watchers.place(), Waker::from(watchers.clone()));
        poll_fn(|cx| {
            place.wait(cx);
            self.inner
                .peer
                .poll_cancelled(&mut core::task::Context::from_waker(&waker))
        })
        .await;
    }

    /// Who asks.
    pub(in crate::handle) fn peer(&self) -> &Arc<dyn Peer> {
        &self.inner.peer
    }

    /// Queues a message as soon as there is room for it. After many it gives way first.
    pub(in crate::handle) async fn send(&self, message: Vec<u8>) {
        let cost = message.len() + MESSAGE;
        // It counts and guards nothing.
        if self.inner.burst.fetch_add(cost, Ordering::Relaxed) >= BURST {
            self.inner.burst.store(cost, Ordering::Relaxed);
            turn().await;
        }
        let mut sending = Sending::new(&*self.inner.peer);
        let mut message = Some(message);
        poll_fn(move |cx| {
            while let Some(next) = message.take() {
                // There may be room by now, or another may have taken it: tried again until it is queued or has to
                // wait.
                let Err(back) = sending.peer().notify(next) else { break };
                message = Some(back);
                if sending.poll_room(cx).is_pending() {
                    return Poll::Pending;
                }
            }
            Poll::Ready(())
        })
        .await;
    }
}

/// How many bytes a handler sends before it gives way: others on its thread wait for a fraction of a millisecond.
const BURST: usize = 64 << 10;

/// What a message costs beside its bytes.
const MESSAGE: usize = 128;

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("revision", &self.revision())
            .finish_non_exhaustive()
    }
}
