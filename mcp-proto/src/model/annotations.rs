//! Annotations of content and resources.

use alloc::string::String;
use alloc::vec::Vec;

use super::object::object;
use super::role::Role;

object! {
    /// Hints about content or a resource: for whom it is, how much it matters, when it changed.
    ///
    /// A hint of the wrong type is kept in `extra` and fails nothing.
    pub struct Annotations {
        /// For whom the object is meant.
        "audience" => audience: hint Vec<Role>,
        /// From 0 (optional) to 1 (effectively required).
        "priority" => priority: number_hint f64,
        /// When the object was last modified, in ISO 8601. Since 2025-06-18.
        "lastModified" => last_modified: hint String,
    }
}
