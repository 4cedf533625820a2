//! Messages as they came: id, method and raw parts.

use super::{ErrorObject, Id, RawJson};
use crate::method::MethodName;

/// A request, a notification or a response.
#[derive(Clone, Debug)]
pub enum Message {
    /// Wants an answer.
    Request(Request),
    /// Wants none.
    Notification(Notification),
    /// Answers a request.
    Response(Response),
}

impl Message {
    /// The whole message as it came.
    pub fn text(&self) -> &RawJson {
        match self {
            Self::Request(request) => &request.text,
            Self::Notification(notification) => &notification.text,
            Self::Response(response) => &response.text,
        }
    }
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    /// What the answer has to carry.
    pub id: Id,
    /// What is asked.
    pub method: MethodName,
    /// With what, an object; absent and `null` are the same.
    pub params: Option<RawJson>,
    /// The whole message.
    pub text: RawJson,
}

/// A notification as it came.
#[derive(Clone, Debug)]
pub struct Notification {
    /// What happened.
    pub method: MethodName,
    /// With what, an object; absent and `null` are the same.
    pub params: Option<RawJson>,
    /// The whole message.
    pub text: RawJson,
}

/// A response as it came.
#[derive(Clone, Debug)]
pub struct Response {
    /// Which request it answers. `None` only on errors, where the peer could not read the request.
    pub id: Option<Id>,
    /// The answer.
    pub outcome: Result<RawJson, ErrorObject>,
    /// The whole message.
    pub text: RawJson,
}
