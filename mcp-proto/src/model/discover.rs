//! Discovery of a server (2026-07-28).

use alloc::string::String;
use alloc::vec::Vec;

use super::capabilities::ServerCapabilities;
use super::object::cacheable_object;

cacheable_object! {
    /// The result of `server/discover`. Since 2026-07-28.
    pub struct DiscoverResult {
        required {
            /// The names of the revisions that the server speaks.
            "supportedVersions" => supported_versions: plain Vec<String>,
            /// What the server supports.
            "capabilities" => capabilities: plain ServerCapabilities,
        }
        /// How to use the server, for a language model.
        "instructions" => instructions: optional String,
    }
}
