//! How messages lie on the wire: line framing, server-sent events and the MCP headers.
//!
//! Everything here is a codec without IO: bytes go in as they arrive, cut anywhere, and values come out.

/// A byte order mark in UTF-8.
pub(crate) const BOM: &[u8] = b"\xEF\xBB\xBF";

pub mod header;
pub mod line;
pub mod outline;
pub(crate) mod scan;
pub(crate) mod splice;
pub mod sse;
pub(crate) mod url;

#[cfg(test)]
pub(crate) mod cuts;
