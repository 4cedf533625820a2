//! Our layers, from the codec up.

pub(crate) mod handles;
pub(crate) mod http_client;
pub(crate) mod http_server;
pub(crate) mod machines;
pub(crate) mod memory;
pub(crate) mod parse;
pub(crate) mod pools;
pub(crate) mod servers;
