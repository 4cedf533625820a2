//! Where a server is to be found.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Where a server is to be found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Address {
    /// The URL of an HTTP endpoint.
    Http(String),
    /// The same, of a server that is known to speak HTTP/2.
    Http2(String),
    /// The path of a Unix socket.
    Unix(PathBuf),
    /// A TCP port, without HTTP.
    Tcp(SocketAddr),
}
