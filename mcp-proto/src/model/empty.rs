//! Parameters and results that hold nothing but metadata.

use super::object::{object_with_meta, result_object};

object_with_meta! {
    /// The parameters of a request that has none of its own.
    pub struct RequestParams {}
}

object_with_meta! {
    /// The parameters of a notification that has none of its own.
    pub struct NotificationParams {}
}

result_object! {
    /// A result that says nothing but that the request was served.
    pub struct EmptyResult {}
}
