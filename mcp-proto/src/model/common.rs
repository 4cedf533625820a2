//! Parameters and results that many methods have in common: nothing but metadata, or a page of a list.

use alloc::string::String;

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

object_with_meta! {
    /// The parameters of a request for a list.
    pub struct PaginatedParams {
        /// Where to go on: the `nextCursor` of the page before. Opaque.
        "cursor" => cursor (with_cursor): optional String,
    }
}
