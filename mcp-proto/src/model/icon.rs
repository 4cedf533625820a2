//! Icons.

use alloc::string::String;
use alloc::vec::Vec;

use super::object::object;
use super::open_enum::open_enum;

object! {
    /// An image to show for an object. Since 2025-11-25.
    ///
    /// Both the address and the image are untrusted input.
    pub struct Icon {
        required {
            /// Where the image is: an `https:` or a `data:` URI.
            "src" => src: plain String,
        }
        /// Its media type, where the source tells none or a too general one.
        "mimeType" => mime_type (with_mime_type): optional String,
        /// The sizes it is good for, such as `48x48`, or `any`.
        "sizes" => sizes (with_sizes): hint Vec<String>,
        /// The background that it is made for.
        "theme" => theme (with_theme): hint Theme,
    }
}

open_enum! {
    /// The background that an icon is made for.
    pub enum Theme {
        /// A light one.
        Light = "light",
        /// A dark one.
        Dark = "dark",
    }
}
