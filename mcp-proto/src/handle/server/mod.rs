//! The async layer of the server.

mod peer;

#[allow(unused_imports, reason = "the context of a request holds one")]
pub(crate) use peer::Peer;
