//! What a client and a server tell each other first: the handshake of the legacy era, discovery of 2026-07-28.

use alloc::string::String;
use alloc::vec::Vec;

use super::capabilities::{ClientCapabilities, ServerCapabilities};
use super::implementation::Implementation;
use super::object::{cacheable_object, object_with_meta, result_object};

object_with_meta! {
    /// The parameters of `initialize`. Until 2025-11-25.
    pub struct InitializeParams {
        required {
            /// The name of the newest revision that the client speaks.
            "protocolVersion" => protocol_version: plain String,
            /// What the client supports.
            "capabilities" => capabilities: plain ClientCapabilities,
            /// Who the client is.
            "clientInfo" => client_info: plain Implementation,
        }
    }
}

result_object! {
    /// The result of `initialize`. Until 2025-11-25.
    pub struct InitializeResult {
        required {
            /// The name of the revision that the server picked.
            "protocolVersion" => protocol_version: plain String,
            /// What the server supports.
            "capabilities" => capabilities: plain ServerCapabilities,
            /// Who the server is.
            "serverInfo" => server_info: plain Implementation,
        }
        /// How to use the server, for a language model.
        "instructions" => instructions (with_instructions): optional String,
    }
}

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
        "instructions" => instructions (with_instructions): optional String,
    }
}
