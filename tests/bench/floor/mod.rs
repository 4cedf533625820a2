//! The floors: the same work with the same parts, and nothing else.

pub(crate) mod duplex;
pub(crate) mod flood;
pub(crate) mod http_client;
pub(crate) mod http_server;
pub(crate) mod serde;
pub(crate) mod stdio;

/// What a client of the legacy era wants to hear first.
pub(crate) fn initialize_result(id: u64) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"result":{{"protocolVersion":"2025-11-25","capabilities":{{"tools":{{}}}},"serverInfo":{{"name":"floor","version":"1"}}}}}}"#
    )
}
