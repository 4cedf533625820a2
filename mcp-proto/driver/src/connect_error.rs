//! What connecting can fail with at once.

use alloc::boxed::Box;
use core::error::Error;
use core::fmt;

/// Why no client could be made. Everything that depends on the server is told by the first call instead.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL has no scheme and host, or is none.
    InvalidUrl,
    /// The URL has a scheme that this build of the adapter cannot reach.
    UnsupportedScheme(Box<str>),
    /// The options ask for a version of HTTP that this build of the adapter does not speak.
    UnsupportedVersion,
    /// The URL asks for TLS, and the options for a [Unix socket](crate::http::HttpOptions::unix_socket).
    TlsOverUnixSocket,
    /// The options ask for a Unix socket, and this system has none.
    NoUnixSockets,
    /// There is no runtime to spawn the driver on.
    NoRuntime,
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidUrl => f.write_str("not a URL with a scheme and a host"),
            Self::UnsupportedScheme(scheme) if &**scheme == "https" => f.write_str("https URLs need the feature `tls`"),
            Self::UnsupportedScheme(scheme) => write!(f, "the scheme {scheme:?} is not supported"),
            Self::UnsupportedVersion => f.write_str("HTTP/2 needs the feature `http2`"),
            Self::TlsOverUnixSocket => {
                f.write_str("there is no TLS over a Unix socket: the URL has to begin with http://")
            }
            Self::NoUnixSockets => f.write_str("this system has no Unix sockets"),
            Self::NoRuntime => f.write_str("called outside of the runtime"),
        }
    }
}

impl Error for ConnectError {}
