//! Cancellation of a request.

use alloc::string::String;

use super::object::object_with_meta;
use super::token::RequestId;

object_with_meta! {
    /// The parameters of `notifications/cancelled`.
    pub struct CancelledParams {
        /// The request to cancel. Optional in 2025-11-25 alone, for tasks.
        "requestId" => request_id: optional RequestId,
        /// Why, for a log or a person.
        "reason" => reason: optional String,
    }
}

impl CancelledParams {
    /// Cancels the request with this id.
    pub fn new(request_id: impl Into<RequestId>) -> Self {
        Self {
            request_id: Some(request_id.into()),
            ..Self::default()
        }
    }
}
