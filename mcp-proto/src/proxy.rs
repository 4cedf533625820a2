//! What a proxy passes on, and what becomes of it where the two sides speak different revisions.
//!
//! A proxy is a server to those who ask it and a client of the server behind it. These functions decide and do nothing
//! else: `handle::Proxy` joins the two sides by them.
//!
//! | what | both sides of one era | modern client, legacy server | legacy client, modern server |
//! |---|---|---|---|
//! | requests, results, errors, of known and unknown methods | as they came, but for ids, progress tokens and what `_meta` says of their sender | the same | the same |
//! | `initialize`, `server/discover`, `ping` | answered here, from what the server has said of itself | the same | the same |
//! | who asks | modern: said for each request; legacy: the proxy itself | the proxy itself | said for each request |
//! | requests of the server | legacy: passed on; modern: its rounds are the client's | refused: no client of that era takes any | what a round asks for is asked for as requests |
//! | `logging/setLevel` | passed on | not there | kept here, and said with each request |
//! | `resources/subscribe` | passed on | not there: what `subscriptions/listen` names is not subscribed to | becomes `subscriptions/listen` |
//! | log messages | to the client whose request they came with; where nothing tells (byte streams), to legacy clients alone | the same | the same |
//! | lists that change, resources that are updated | told to all who want to hear of it | the same | the same |

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;

use crate::client::ServerNotification;
use crate::jsonrpc::{ErrorObject, Id, Members, Params, RawJson, encode_notification, write_id, write_object};
use crate::method::{Method, MethodName, ServerCapability, Side};
use crate::model::{
    ListenParams, LoggingLevel, ServerCapabilities, SubscribeParams, SubscriptionFilter, UnsubscribeParams,
};
use crate::revision::Revision;
use crate::rpc::{CallError, CallOptions, OnBehalfOf, SendError};
use crate::server::RequestContext;

/// What a proxy does with a request of its client.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Passage {
    /// The server is asked.
    On {
        /// With these parameters.
        params: Params,
        /// In this way.
        options: CallOptions,
    },
    /// It is answered with an empty result: the server has no word for it, and needs none.
    Done,
    /// A resource is to be listened to from now on, or not any more. It is answered with an empty result.
    Listen {
        /// Its URI.
        uri: String,
        /// Whether it is to be.
        wanted: bool,
    },
}

impl Passage {
    /// What becomes of a request that came in `context`, where the server behind speaks `server`.
    ///
    /// # Errors
    /// What to answer where the server cannot be asked: its revision does not have the method (−32601), or the parameters
    /// are none (−32602).
    pub fn of(
        context: &RequestContext,
        method: &MethodName,
        params: Option<&RawJson>,
        server: Revision,
    ) -> Result<Self, ErrorObject> {
        let known = method.known().filter(|method| !method.is_sent_by(Side::Client, server));
        match known {
            None => {}
            Some(Method::SetLevel) => return Ok(Self::Done),
            Some(Method::Subscribe) => {
                let SubscribeParams { uri, .. } = decode(params)?;
                return Ok(Self::Listen { uri, wanted: true });
            }
            Some(Method::Unsubscribe) => {
                let UnsubscribeParams { uri, .. } = decode(params)?;
                return Ok(Self::Listen { uri, wanted: false });
            }
            Some(method) => {
                let mut error = ErrorObject::method_not_found(method.as_str());
                error.message = format!("{}: the server behind this proxy speaks {server}", error.message);
                return Err(error);
            }
        }
        let params = params.cloned().map(Params::from_raw).transpose()?.unwrap_or_default();
        let options = options(context, server)?;
        Ok(Self::On { params, options })
    }
}

/// How the server is asked.
fn options(context: &RequestContext, server: Revision) -> Result<CallOptions, ErrorObject> {
    let mut options = CallOptions::new();
    options.progress = context.progress_token().is_some();
    if !server.is_stateless() {
        return Ok(options);
    }
    // Its rounds are those of a client that knows them.
    options.by_round = context.revision().is_stateless();
    options.log_level = context.log_level.map(level);
    options.on_behalf_of = Some(sender(context));
    Ok(options)
}

/// Who asks, as it came.
fn sender(context: &RequestContext) -> OnBehalfOf {
    let info = context.client.info.clone().unwrap_or(RawJson::empty_object());
    OnBehalfOf::from_raw(info, context.raw_client_capabilities().clone())
}

/// The level of this rank.
fn level(rank: u8) -> LoggingLevel {
    match rank {
        0 => LoggingLevel::Debug,
        1 => LoggingLevel::Info,
        2 => LoggingLevel::Notice,
        3 => LoggingLevel::Warning,
        4 => LoggingLevel::Error,
        5 => LoggingLevel::Critical,
        6 => LoggingLevel::Alert,
        _ => LoggingLevel::Emergency,
    }
}

fn decode<T: serde::de::DeserializeOwned>(params: Option<&RawJson>) -> Result<T, ErrorObject> {
    Ok(params.unwrap_or(&RawJson::empty_object()).decode()?)
}

/// What a client hears where its request, or a server where its own, has brought no result: the error of the other side as
/// it came, and otherwise one that says what was lost.
pub fn failure(error: CallError) -> ErrorObject {
    match error {
        CallError::Rpc(error) => error,
        CallError::Refused(SendError::OutOfEra { method, .. }) => ErrorObject::method_not_found(method.as_str()),
        // It is not for this side to give: the client has no part in it.
        CallError::Unauthorized(_) | CallError::Forbidden(_) => {
            ErrorObject::internal("the server behind this proxy does not let it in")
        }
        error => ErrorObject::internal(format!("the other side of this proxy gave no answer: {error}")),
    }
}

/// A progress notification as the client knows it that asked for progress under `token`: with every member as it came, but
/// for the token. `None` where it is none.
pub fn progress(params: &RawJson, token: &Id) -> Option<Vec<u8>> {
    let members = Members::of(params.as_str())?;
    let mut first = Vec::from(&br#""progressToken":"#[..]);
    write_id(&mut first, token);
    let mut object = Vec::with_capacity(params.as_bytes().len() + first.len());
    let others = members.iter().filter(|member| member.key != "progressToken");
    write_object(&mut object, &first, others.map(|member| member.text));
    Some(encode_notification(Method::ProgressNotification.as_str(), &object))
}

/// What of a notification goes to the client whose request it came with: all of it, `None` where it is not for that client
/// alone, or where it does not want to hear of it.
pub fn aside(context: &RequestContext, notification: &ServerNotification) -> Option<Vec<u8>> {
    let ServerNotification { notification, .. } = notification;
    let passes = match notification.method.known() {
        Some(Method::LoggingMessageNotification) => {
            let level = notification.params.as_ref().and_then(log_level);
            level.is_some_and(|level| context.wants_log(&level))
        }
        Some(_) => false,
        None => true,
    };
    passes.then(|| notification.text.as_bytes().to_vec())
}

fn log_level(params: &RawJson) -> Option<LoggingLevel> {
    #[derive(Deserialize)]
    struct Leveled {
        level: LoggingLevel,
    }
    params.decode::<Leveled>().ok().map(|leveled| leveled.level)
}

/// Whether all clients are told of a notification, each as it wants to be.
pub fn is_for_all(notification: &ServerNotification) -> bool {
    match notification.notification.method.known() {
        Some(
            Method::ToolListChangedNotification
            | Method::PromptListChangedNotification
            | Method::ResourceListChangedNotification
            | Method::ResourceUpdatedNotification
            | Method::ElicitationCompleteNotification,
        ) => true,
        // It goes to the client whose request it came with.
        Some(Method::LoggingMessageNotification) | None => notification.related.is_none(),
        Some(_) => false,
    }
}

/// What a proxy listens to at a modern server: every list that may change, and these resources. `None` where that is
/// nothing.
pub fn listening(server: &ServerCapabilities, uris: Vec<String>) -> Option<Params> {
    let has = |capability| server.has(capability).then_some(true);
    let mut filter = SubscriptionFilter::default();
    filter.tools_list_changed = has(ServerCapability::ToolsListChanged);
    filter.prompts_list_changed = has(ServerCapability::PromptsListChanged);
    filter.resources_list_changed = has(ServerCapability::ResourcesListChanged);
    filter.resource_subscriptions = Some(uris).filter(|uris| !uris.is_empty());
    if filter == SubscriptionFilter::default() {
        return None;
    }
    Params::from_serialize(&ListenParams::new(filter)).ok()
}

/// Why a request of a server is not passed on to a client of `client`; `None` where it is.
pub fn refusal(client: Revision) -> Option<ErrorObject> {
    client.is_stateless().then(|| {
        ErrorObject::internal(format!(
            "the client speaks {client}, in which servers make no requests: it cannot be asked while a request is in progress"
        ))
    })
}
