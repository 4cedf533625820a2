//! Roots: where a server may work.

use alloc::string::String;
use alloc::vec::Vec;

use super::object::{object_with_meta, result_object};

object_with_meta! {
    /// A directory or file that a server may work on.
    pub struct Root {
        required {
            /// Where it is, a `file:` URI.
            "uri" => uri: plain String,
        }
        /// Its name.
        "name" => name (with_name): optional String,
    }
}

result_object! {
    /// The result of `roots/list`.
    pub struct ListRootsResult {
        required {
            /// The roots.
            "roots" => roots: plain Vec<Root>,
        }
    }
}
