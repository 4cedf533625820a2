//! The floors: the same work with the same parts, and nothing else.

pub(crate) mod duplex;
pub(crate) mod http_client;
pub(crate) mod http_server;
pub(crate) mod serde;
