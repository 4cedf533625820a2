//! The headers of Streamable HTTP: names, and the codec for what 2026-07-28 mirrors from a request body into them
//! (basic/transports/streamable-http, "Request Metadata").
//!
//! Works on text and bytes, so that it serves every HTTP library. Names are lower case, as HTTP/2 writes them;
//! compare without regard to case.

mod mismatch;
mod param;
mod schema;
mod standard;
mod value;

pub use mismatch::HeaderMismatch;
pub use param::ParamHeaders;
pub use schema::ParamHeaderError;
pub use standard::{check_method, check_name, check_protocol_version, check_standard};
pub use value::{HeaderValueError, decode_value, encode_value};

/// Names the method of the request in the body. 2026-07-28.
pub const MCP_METHOD: &str = "mcp-method";
/// Names what the request is about: a tool, a prompt, the URI of a resource. 2026-07-28.
pub const MCP_NAME: &str = "mcp-name";
/// What the names of headers with tool parameters begin with. 2026-07-28.
pub const MCP_PARAM_PREFIX: &str = "mcp-param-";
/// The revision the request is made in. Since 2025-06-18.
pub const MCP_PROTOCOL_VERSION: &str = "mcp-protocol-version";
/// The session the request belongs to. 2025-03-26 to 2025-11-25.
pub const MCP_SESSION_ID: &str = "mcp-session-id";
/// The event after which a stream is resumed. 2025-03-26 to 2025-11-25.
pub const LAST_EVENT_ID: &str = "last-event-id";
