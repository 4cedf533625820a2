//! Log messages of a server.

use alloc::string::String;

use super::json::Json;
use super::object::object_with_meta;
use super::open_enum::open_enum;

open_enum! {
    /// How severe a log message is (RFC 5424), ordered from the least severe on.
    ///
    /// An unknown level counts as the most severe, so that no filter hides it.
    pub enum LoggingLevel {
        /// Details for developers.
        Debug = "debug",
        /// General information.
        Info = "info",
        /// Normal but significant.
        Notice = "notice",
        /// Warnings.
        Warning = "warning",
        /// Errors.
        Error = "error",
        /// Critical conditions.
        Critical = "critical",
        /// Action must be taken at once.
        Alert = "alert",
        /// The system is unusable.
        Emergency = "emergency",
    }
}

object_with_meta! {
    /// The parameters of `logging/setLevel`. Until 2025-11-25.
    pub struct SetLevelParams {
        required {
            /// The least severe messages that the client wants.
            "level" => level: plain LoggingLevel,
        }
    }
}

object_with_meta! {
    /// The parameters of `notifications/message`.
    pub struct LoggingMessageParams {
        required {
            /// How severe.
            "level" => level: plain LoggingLevel,
            /// The message: a string, or any other value.
            "data" => data: plain Json,
        }
        /// What part of the server logs.
        "logger" => logger (with_logger): optional String,
    }
}
