//! The keys of `_meta` that the specification reserves (2026-07-28, Overview, `_meta`).

/// The token for progress notifications of a request.
pub const PROGRESS_TOKEN: &str = "progressToken";
/// The revision that a request is made in.
pub const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
/// Who makes a request.
pub const CLIENT_INFO: &str = "io.modelcontextprotocol/clientInfo";
/// What the maker of a request supports.
pub const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
/// The least severe log messages wanted for a request.
pub const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";
/// The subscription that a notification belongs to.
pub const SUBSCRIPTION_ID: &str = "io.modelcontextprotocol/subscriptionId";
/// Who made a result.
pub const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";
/// The task that a message belongs to (2025-11-25).
pub const RELATED_TASK: &str = "io.modelcontextprotocol/related-task";
/// Trace context (W3C Trace Context).
pub const TRACEPARENT: &str = "traceparent";
/// Trace context of a vendor (W3C Trace Context).
pub const TRACESTATE: &str = "tracestate";
/// Baggage of a trace (W3C Baggage).
pub const BAGGAGE: &str = "baggage";

pub(super) const RESERVED: [&str; 11] = [
    PROGRESS_TOKEN,
    PROTOCOL_VERSION,
    CLIENT_INFO,
    CLIENT_CAPABILITIES,
    LOG_LEVEL,
    SUBSCRIPTION_ID,
    SERVER_INFO,
    RELATED_TASK,
    TRACEPARENT,
    TRACESTATE,
    BAGGAGE,
];
