//! What is said of a request in progress: how far it is, or that it is given up.

use alloc::string::String;

use super::object::object_with_meta;
use super::token::{ProgressToken, RequestId};

object_with_meta! {
    /// The parameters of `notifications/progress`.
    pub struct ProgressParams {
        required {
            /// The token that came with the request.
            "progressToken" => progress_token: plain ProgressToken,
            /// How far the work is; it grows with each notification.
            "progress" => progress: number f64,
        }
        /// How far it has to get, where that is known.
        "total" => total (with_total): optional_number f64,
        /// What is going on, for a person. Since 2025-03-26.
        "message" => message (with_message): optional String,
    }
}

object_with_meta! {
    /// The parameters of `notifications/cancelled`.
    pub struct CancelledParams {
        /// The request to cancel. Optional in 2025-11-25 alone, for tasks.
        "requestId" => request_id (with_request_id): optional RequestId,
        /// Why, for a log or a person.
        "reason" => reason (with_reason): optional String,
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
