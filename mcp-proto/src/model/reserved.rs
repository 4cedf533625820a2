//! Typed access to the keys of `_meta` that the specification reserves.

use alloc::string::String;

use super::capabilities::ClientCapabilities;
use super::implementation::Implementation;
use super::json::JsonError;
use super::logging::LoggingLevel;
use super::meta::Meta;
use super::meta_key;
use super::task_metadata::RelatedTaskMetadata;
use super::token::{ProgressToken, RequestId};

/// Declares getter and setter of a reserved key.
macro_rules! reserved {
    ($($(#[$attr:meta])* $key:ident $get:ident $set:ident $ty:ty;)*) => {
        impl Meta {
            $(
                $(#[$attr])*
                ///
                /// # Errors
                /// [`JsonError`] where the value is of another type.
                pub fn $get(&self) -> Result<Option<$ty>, JsonError> {
                    self.decode(meta_key::$key)
                }

                #[doc = concat!("Sets what [`", stringify!($get), "`](Self::", stringify!($get), ") reads.")]
                pub fn $set(&mut self, value: &$ty) {
                    self.set(meta_key::$key, value);
                }
            )*
        }
    };
}

reserved! {
    /// The token that the receiver of a request puts into its progress notifications.
    PROGRESS_TOKEN progress_token set_progress_token ProgressToken;
    /// The name of the revision that a request is made in (2026-07-28).
    PROTOCOL_VERSION protocol_version set_protocol_version String;
    /// Who makes a request (2026-07-28).
    CLIENT_INFO client_info set_client_info Implementation;
    /// What the maker of a request supports (2026-07-28).
    CLIENT_CAPABILITIES client_capabilities set_client_capabilities ClientCapabilities;
    /// The least severe log messages wanted while a request is served; without it, none (2026-07-28).
    LOG_LEVEL log_level set_log_level LoggingLevel;
    /// The id of the `subscriptions/listen` request that a notification belongs to (2026-07-28).
    SUBSCRIPTION_ID subscription_id set_subscription_id RequestId;
    /// Who made a result (2026-07-28).
    SERVER_INFO server_info set_server_info Implementation;
    /// The task that a message belongs to (2025-11-25).
    RELATED_TASK related_task set_related_task RelatedTaskMetadata;
    /// The trace that a message belongs to.
    TRACEPARENT traceparent set_traceparent String;
}
