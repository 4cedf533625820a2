//! Progress of a request.

use alloc::string::String;

use super::object::object_with_meta;
use super::token::ProgressToken;

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
        "total" => total: optional_number f64,
        /// What is going on, for a person. Since 2025-03-26.
        "message" => message: optional String,
    }
}
