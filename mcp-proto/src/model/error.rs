//! Errors inside results, and the `data` of errors that the specification defines.

use alloc::string::String;
use alloc::vec::Vec;

use super::capabilities::ClientCapabilities;
use super::elicitation::ElicitUrlParams;
use super::json::Json;
use super::object::object;

object! {
    /// A JSON-RPC error that is part of a result: that of a failed task.
    pub struct ErrorInfo {
        required {
            /// What kind of error.
            "code" => code: integer i64,
            /// One sentence for a person.
            "message" => message: plain String,
        }
        /// Details whose shape depends on the code.
        "data" => data (with_data): present Json,
    }
}

object! {
    /// The `data` of an error that refuses the revision of a request (2026-07-28).
    pub struct UnsupportedProtocolVersion {
        required {
            /// The names of the revisions that the server speaks.
            "supported" => supported: plain Vec<String>,
            /// The name of the revision that was asked for.
            "requested" => requested: plain String,
        }
    }
}

impl UnsupportedProtocolVersion {
    /// The code of the error.
    pub const CODE: i64 = -32022;
}

object! {
    /// The `data` of an error that refuses a request for what its client does not support (2026-07-28).
    pub struct MissingRequiredClientCapability {
        required {
            /// What the client would have to declare.
            "requiredCapabilities" => required_capabilities: plain ClientCapabilities,
        }
    }
}

impl MissingRequiredClientCapability {
    /// The code of the error.
    pub const CODE: i64 = -32021;
}

object! {
    /// The `data` of an error that asks for visits of URLs before the request can be served (2025-11-25).
    pub struct UrlElicitationRequired {
        required {
            /// What to ask the user.
            "elicitations" => elicitations: plain Vec<ElicitUrlParams>,
        }
    }
}

impl UrlElicitationRequired {
    /// The code of the error.
    pub const CODE: i64 = -32042;
}
