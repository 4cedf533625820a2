//! Streamable HTTP as plain values: heads, bodies and frames, without a socket.
//!
//! Everything that looks at a status, a content type, an origin, a session id or a stream of events is here, so
//! that every HTTP library obeys the same rules.

pub mod client;
pub mod server;
