//! Lists in pages.

use alloc::string::String;

use super::object::object_with_meta;

object_with_meta! {
    /// The parameters of a request for a list.
    pub struct PaginatedParams {
        /// Where to go on: the `nextCursor` of the page before. Opaque.
        "cursor" => cursor: optional String,
    }
}
