//! What a client tells the application.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;

use super::change::ListenerId;
use super::tool_list::ToolList;
use crate::jsonrpc::{ErrorObject, Notification, RawJson, Request};
use crate::model::{Implementation, InputRequest, Map, ServerCapabilities};
use crate::revision::Revision;
use crate::rpc::{CallError, CallId, CloseReason, Excerpt, Farewell, RequestKey};
use crate::wire::header::ParamHeaderError;

/// What a client tells the application.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ClientEvent {
    /// It is known what the server speaks, and, unless the client was told so beforehand, what it offers.
    Ready,
    /// The handshake failed. So did every call that waited for it; the next one tries again.
    NotReady(CallError),
    /// A call is over. Comes exactly once for each call that was not cancelled.
    Reply {
        /// The call.
        call: CallId,
        /// Its result, raw.
        outcome: Result<RawJson, CallError>,
    },
    /// A call needs input before it has a result (2026-07-28, Multi Round-Trip Requests): to be answered with
    /// [`Client::resume`](super::Client::resume) or [`Client::give_up`](super::Client::give_up). Until then its own deadline
    /// does not run, and [`Timeouts::input`](crate::Timeouts::input) does.
    InputRequired {
        /// The call.
        call: CallId,
        /// What the server asks for, each under the key that its answer goes back by.
        requests: Map<InputRequest>,
        /// What the server wants back, as it came: a JSON string. The client sends it back by itself.
        state: Option<RawJson>,
    },
    /// The tools of the server, or why they are not known. Comes exactly once for each
    /// [`list_tools`](super::Client::list_tools) that was not cancelled.
    ToolsListed {
        /// The asking.
        call: CallId,
        /// The tools.
        outcome: Result<ToolList, CallError>,
    },
    /// A call that asked for progress makes some.
    Progress {
        /// The call.
        call: CallId,
        /// The parameters of the notification, raw.
        params: RawJson,
    },
    /// A log message that belongs to a call which asked for some. It comes as a notification too. Over HTTP alone: on a
    /// byte stream nothing tells which call a message belongs to.
    Log {
        /// The call.
        call: CallId,
        /// The parameters of the notification, raw.
        params: RawJson,
    },
    /// A tool was left out of the result of `tools/list`, because it says wrongly which of its arguments become
    /// HTTP headers (2026-07-28, Streamable HTTP, Schema Extension).
    ToolRejected {
        /// Its name.
        tool: Box<str>,
        /// What is wrong.
        reason: ParamHeaderError,
    },
    /// The server notifies, of something that is neither progress nor a cancellation: of whatever it invents, too.
    Notification(ServerNotification),
    /// There is something new for a listener: what is granted, a first change that waits, or the end; see
    /// [`Client::listen`](super::Client::listen).
    Changed(ListenerId),
    /// The server asks (legacy era). To be answered with [`Client::respond`](super::Client::respond).
    Request(ServerRequest),
    /// The server does not want an answer to its request any more.
    Cancelled(RequestKey),
    /// The server has forgotten the session; the next call starts another.
    SessionLost,
    /// What a legacy server sends on its own, such as that a list has changed, does not arrive any more: the GET stream of
    /// the session was refused, or has broken off too often, and is opened again for the next session only. This is why.
    /// Not told where the server says that it has no such stream (405 and 404).
    NotListening(CallError),
    /// Something came that was no message, and answered no call. Told up to
    /// [`Limits::junk_reports`](crate::Limits::junk_reports) times; [`Counters::junk`](crate::rpc::Counters::junk) counts
    /// all of it.
    Junk(Excerpt),
    /// The server that this side had started has ended, and this is how.
    Exited(Arc<Farewell>),
    /// The connection is closed. Nothing comes after it but [`Exited`](Self::Exited), where the end of the server became
    /// known later.
    Closed(CloseReason),
}

/// A notification of the server, and whose it is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerNotification {
    /// The notification as it came.
    pub notification: Notification,
    /// The call that it came with, where that is known.
    ///
    /// - Over HTTP what comes in the response to a call came with it, as long as the call is not answered (2026-07-28,
    ///   Streamable HTTP; up to 2025-11-25 such messages "SHOULD relate to the originating client request"). What comes on
    ///   the GET stream of a session belongs to no call.
    /// - On a byte stream nothing tells but what the notification says itself: in the modern era one of a subscription
    ///   names the `subscriptions/listen` that it belongs to (`io.modelcontextprotocol/subscriptionId`), and progress,
    ///   which is an event of its own, names its call by the token. Of any other it is `None`.
    pub related: Option<CallId>,
}

/// A request of the server, the token for its answer.
#[derive(Clone, Debug)]
#[must_use = "the server waits for an answer"]
#[non_exhaustive]
pub struct ServerRequest {
    /// What the answer is routed by.
    pub key: RequestKey,
    /// The request as it came.
    pub request: Request,
    /// The call that it came with, where that is known: over HTTP, where it came in the response to one that is not
    /// answered yet. On a byte stream nothing tells.
    pub related: Option<CallId>,
}

/// The answer to a request of the server.
pub type Answer = Result<RawJson, ErrorObject>;

/// What is known about the server.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ServerFacts {
    /// The revision spoken with it.
    pub revision: Revision,
    /// Who it says it is. `None` where it was not asked.
    pub info: Option<Implementation>,
    /// What it offers. `None` where it was not asked.
    pub capabilities: Option<ServerCapabilities>,
    /// How it wants to be used, for a language model.
    pub instructions: Option<String>,
}
