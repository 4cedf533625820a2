//! Why what a client has carried is refused.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::jsonrpc::ErrorObject;

/// Why a server refuses the `requestState` of a request (2026-07-28, Multi Round-Trip Requests, Server Requirements), as it
/// stands in the `data` of the error that it answers with.
///
/// ```
/// use mcp_proto::jsonrpc::{ErrorCode, ErrorObject};
/// use mcp_proto::server::StateRefusal;
///
/// let error = ErrorObject::from(StateRefusal::Used);
/// assert_eq!(error.code, ErrorCode::INVALID_PARAMS);
/// assert_eq!(StateRefusal::of(&error), Some(StateRefusal::Used));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum StateRefusal {
    /// This server has not made it, or not for this request and this principal: −32602.
    Invalid,
    /// Its time is over ([`Timeouts::state`](crate::Timeouts::state)): −32602.
    Expired,
    /// It was used before, and is good for one use: −32602. The request is made again without it.
    Used,
    /// Nobody can say whether it was used before: −32603. The same request may be made again later, with it.
    Unavailable,
}

#[derive(Serialize, Deserialize)]
struct Data {
    #[serde(rename = "requestState")]
    state: StateRefusal,
}

impl StateRefusal {
    /// What `error` says about it; `None` where it is about something else.
    pub fn of(error: &ErrorObject) -> Option<Self> {
        let data: Data = error.data.as_ref()?.decode().ok()?;
        Some(data.state)
    }
}

impl fmt::Display for StateRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Invalid => {
                "requestState was not made by this server for this request: make the request again without it"
            }
            Self::Expired => "requestState has expired: make the request again without it",
            Self::Used => "requestState was used before: make the request again without it",
            Self::Unavailable => "whether requestState was used before is not known now: make the request again later",
        })
    }
}

impl core::error::Error for StateRefusal {}

impl From<StateRefusal> for ErrorObject {
    fn from(refusal: StateRefusal) -> Self {
        let message = alloc::format!("{refusal}");
        let error = match refusal {
            StateRefusal::Unavailable => Self::internal(message),
            _ => Self::invalid_params(message),
        };
        error.with_data(&Data { state: refusal })
    }
}
