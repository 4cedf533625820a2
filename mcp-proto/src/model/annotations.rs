//! Annotations of content and resources, and for whom they are.

use alloc::string::String;
use alloc::vec::Vec;

use super::object::object;
use super::open_enum::open_enum;

object! {
    /// Hints about content or a resource: for whom it is, how much it matters, when it changed.
    ///
    /// A hint of the wrong type is kept in `extra` and fails nothing.
    pub struct Annotations {
        /// For whom the object is meant.
        "audience" => audience (with_audience): hint Vec<Role>,
        /// From 0 (optional) to 1 (effectively required).
        "priority" => priority (with_priority): number_hint f64,
        /// When the object was last modified, in ISO 8601. Since 2025-06-18.
        "lastModified" => last_modified (with_last_modified): hint String,
    }
}

open_enum! {
    /// Who says something, or for whom it is meant.
    pub enum Role {
        /// The person.
        User = "user",
        /// The language model.
        Assistant = "assistant",
    }
}
