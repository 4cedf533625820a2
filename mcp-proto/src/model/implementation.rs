//! Who a client or a server is.

use alloc::string::String;
use alloc::vec::Vec;

use super::icon::Icon;
use super::object::object;

object! {
    /// The name and version of a client or a server. Self-reported: for display and logs, not for decisions.
    pub struct Implementation {
        required {
            /// The name for programs.
            "name" => name: plain String,
            /// The version.
            "version" => version: plain String,
        }
        /// The name for people. Since 2025-06-18.
        "title" => title (with_title): optional String,
        /// What it does. Since 2025-11-25.
        "description" => description (with_description): optional String,
        /// Its web site. Since 2025-11-25.
        "websiteUrl" => website_url (with_website_url): optional String,
        /// Images to show for it. Since 2025-11-25.
        "icons" => icons (with_icons): hint Vec<Icon>,
    }
}
