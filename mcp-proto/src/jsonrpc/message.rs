//! Messages as they came: id, method and raw parts.

use alloc::vec::Vec;

use super::envelope;
use super::{ErrorObject, Id, InvalidMessage, RawJson};
use crate::limits::Limits;
use crate::method::MethodName;

/// What one line, body or event holds.
#[derive(Clone, Debug)]
pub enum Incoming {
    /// One message.
    Single(Message),
    /// A batch (2025-03-26 alone).
    Batch(Batch),
}

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

/// The messages of a batch, each valid or not on its own.
#[derive(Clone, Debug)]
pub struct Batch {
    pub(super) items: Vec<RawJson>,
    pub(super) id_bytes: usize,
}

impl Batch {
    /// How many messages there are; at least one.
    #[allow(clippy::len_without_is_empty, reason = "a batch is never empty")]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// The messages in their order.
    pub fn messages(self) -> impl Iterator<Item = Result<Message, InvalidMessage>> {
        let limits = Limits {
            id_bytes: self.id_bytes,
            ..Limits::default()
        };
        self.items.into_iter().map(move |item| envelope::message(item, &limits))
    }
}
