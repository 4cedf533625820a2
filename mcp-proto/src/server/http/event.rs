//! What an HTTP server tells its application, and by what it is answered.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;
use core::net::SocketAddr;

use bytes::Bytes;
use http::request::Parts;
use http::{Extensions, Request};

use crate::http::server::Principal;
use crate::jsonrpc::{Id, Notification, RawJson};
use crate::revision::Revision;
use crate::rpc::{CallError, CallId};
use crate::server::{ClientRequest, RequestToken};

/// One request over HTTP and its response, in an [`HttpServer`](super::HttpServer).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExchangeId(pub(super) u64);

/// A legacy session of an [`HttpServer`](super::HttpServer). Not the id that its client knows, which is a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HttpSessionKey(pub(super) u64);

/// A request of a client, as long as it is not answered: an exchange has several where it is a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HttpRequestKey {
    pub(super) exchange: ExchangeId,
    pub(super) number: u32,
}

impl HttpRequestKey {
    /// The exchange it came in.
    pub fn exchange(self) -> ExchangeId {
        self.exchange
    }
}

/// A call of the server to one of its clients, which waits for its reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HttpCallId {
    pub(super) session: HttpSessionKey,
    pub(super) call: CallId,
}

impl HttpCallId {
    /// The session it is made in.
    pub fn session(self) -> HttpSessionKey {
        self.session
    }
}

/// What the driver knows of who sends a request, beside what the request itself says. Nothing has to be known.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Sender {
    /// From where.
    pub address: Option<SocketAddr>,
    /// Over which connection, as the driver numbers them.
    pub connection: Option<u64>,
    /// The certificate that the client has shown, in DER.
    pub certificate: Option<Bytes>,
    /// On whose behalf. It counts over a [`Principal`] in the extensions of the request.
    pub principal: Option<Principal>,
}

impl Sender {
    /// Somebody.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, from this address.
    #[must_use]
    pub fn with_address(mut self, address: SocketAddr) -> Self {
        self.address = Some(address);
        self
    }

    /// The same, over this connection.
    #[must_use]
    pub fn with_connection(mut self, connection: u64) -> Self {
        self.connection = Some(connection);
        self
    }

    /// The same, with this certificate.
    #[must_use]
    pub fn with_certificate(mut self, certificate: Bytes) -> Self {
        self.certificate = Some(certificate);
        self
    }

    /// The same, on behalf of this principal.
    #[must_use]
    pub fn with_principal(mut self, principal: Principal) -> Self {
        self.principal = Some(principal);
        self
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("address", &self.address)
            .field("connection", &self.connection)
            .field("certificate", &self.certificate.as_ref().map(Bytes::len))
            .field("principal", &self.principal)
            .finish()
    }
}

/// Who asks: the head of the request, with its extensions, and what the driver knows.
///
/// `Debug` shows no header, since they hold session ids and tokens.
pub struct Asker {
    /// The head of the request; over a byte stream an empty one, whose extensions are those of the connection.
    pub head: Parts,
    /// What the driver knows.
    pub sender: Sender,
}

impl Asker {
    /// Who is at the other end of a byte stream.
    pub fn over_stream(sender: Sender, extensions: Extensions) -> Self {
        let (mut head, ()) = Request::new(()).into_parts();
        head.extensions = extensions;
        Self { head, sender }
    }

    /// What somebody in front, such as a layer of tower or axum, has put into the extensions of the request.
    pub fn extension<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.head.extensions.get()
    }

    /// On whose behalf.
    pub fn principal(&self) -> Option<&Principal> {
        // What the driver says counts, and not what something in front has put into the head.
        self.sender.principal.as_ref().or_else(|| self.head.extensions.get())
    }
}

/// Who sends this, as far as the head tells.
impl From<Parts> for Asker {
    fn from(head: Parts) -> Self {
        let sender = Sender::new();
        Self { head, sender }
    }
}

impl fmt::Debug for Asker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asker")
            .field("uri", &self.head.uri.path())
            .field("sender", &self.sender)
            .finish_non_exhaustive()
    }
}

/// What an [`HttpServer`](super::HttpServer) tells the application.
#[derive(Debug)]
#[non_exhaustive]
#[allow(
    clippy::large_enum_variant,
    reason = "the large variant is the usual one, and is taken apart at once"
)]
pub enum HttpEvent {
    /// A client asks for something: answer it with [`HttpServer::respond`](super::HttpServer::respond).
    Request(ClientRequest<HttpRequestToken>),
    /// Nobody wants an answer to this request any more: its client has cancelled it or gone, its session has ended, or
    /// its time is over. Its token may be dropped, or used: nothing is sent.
    Cancelled {
        /// Which one.
        request: HttpRequestKey,
        /// Why, where the client says so.
        reason: Option<Box<str>>,
    },
    /// A notification of a legacy client that is not about the protocol itself.
    Notification {
        /// In which session.
        session: HttpSessionKey,
        /// What it says.
        notification: Notification,
        /// Who says it.
        from: Arc<Asker>,
    },
    /// A call of ours is settled.
    Reply {
        /// Which one.
        call: HttpCallId,
        /// The answer.
        outcome: Result<RawJson, CallError>,
    },
    /// A call of ours makes progress.
    Progress {
        /// Which one.
        call: HttpCallId,
        /// The parameters of the notification.
        params: RawJson,
    },
    /// A legacy handshake is complete: from now on requests may be made of the client.
    Opened(HttpSessionKey),
    /// A legacy session is over: its client has ended it, it was idle for too long, or the server shuts down.
    Ended(HttpSessionKey),
}

/// What a request is answered with, once: answering takes the token.
///
/// A token that is dropped leaves its request without an answer, and its exchange open, until the client hangs up or
/// cancels it, or its session ends: who drops one answers with an internal error first. (The async layer does that by
/// itself.)
#[derive(Debug)]
#[must_use = "a request has to be answered"]
pub struct HttpRequestToken {
    pub(super) key: HttpRequestKey,
    pub(super) session: Option<HttpSessionKey>,
    pub(super) token: RequestToken,
    pub(super) asker: Arc<Asker>,
}

impl HttpRequestToken {
    /// Which request it is: what [`HttpEvent::Cancelled`] names.
    pub fn key(&self) -> HttpRequestKey {
        self.key
    }

    /// The legacy session it is in progress in; `None` in the modern era.
    pub fn session(&self) -> Option<HttpSessionKey> {
        self.session
    }

    /// Who asks.
    pub fn asker(&self) -> &Arc<Asker> {
        &self.asker
    }

    /// The JSON-RPC id.
    pub fn id(&self) -> &Id {
        self.token.id()
    }

    /// The revision the answer is written for.
    pub fn revision(&self) -> Revision {
        self.token.revision()
    }
}
