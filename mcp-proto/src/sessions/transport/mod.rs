//! How a server is reached, as a value that can be stored.

mod child;
mod error;
mod http;
mod mode;
mod others;
mod secret;
mod timeouts;
mod tls;

use serde::{Deserialize, Serialize};

pub use child::ChildTransport;
pub use error::TransportError;
pub use http::{Authorization, HttpTransport};
pub use others::{InProcessTransport, StreamAddress, StreamTransport};
pub use secret::Secret;
pub use timeouts::TransportTimeouts;
pub use tls::TlsFiles;

use crate::client::Mode;

/// How a server is reached: what an application keeps in its configuration.
///
/// It is plain data: making, comparing, showing and storing one does no IO. Two that are equal, secrets included, name
/// the same server, and share a session of a pool however often they are made anew. Secrets are shown nowhere, and
/// stored nowhere: what is read back lacks them, until they are [given again](Secret). A stored one with a field that is
/// not known is refused, with the name of the field: what is misspelt is not as good as not said.
///
/// ```
/// use mcp_proto::sessions::{Authorization, HttpTransport, Secret, Transport};
///
/// let transport = Transport::from(HttpTransport::new(
///     "https://tools.example/mcp",
///     Authorization::Bearer(Secret::new("s3cret")),
/// )?);
/// assert!(!format!("{transport:?}").contains("s3cret"));
/// let stored = serde_json::to_string(&transport)?;
/// assert_eq!(stored, r#"{"type":"http","url":"https://tools.example/mcp","authorization":{"bearer":null}}"#);
///
/// // Whether there is authorization has to be said, in a configuration too.
/// assert!(serde_json::from_str::<Transport>(r#"{"type":"http","url":"https://tools.example/mcp"}"#).is_err());
///
/// // All that can be said of a server behind a URL.
/// let transport: Transport = serde_json::from_str(r#"{
///     "type": "http",
///     "url": "https://tools.example/mcp",
///     "authorization": {"bearer": null},
///     "headers": {"x-team": "blue"},
///     "secretHeaders": {"x-api-key": null},
///     "tls": {"caFile": "/etc/ca.pem", "certificateFile": "/etc/me.pem", "keyFile": "/etc/me.key"},
///     "mode": "2025-06-18",
///     "timeouts": {"connect": 2000, "request": 30000}
/// }"#)?;
/// # assert!(transport.mode().is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
#[non_exhaustive]
pub enum Transport {
    /// Streamable HTTP.
    Http(HttpTransport),
    /// A child process, over its standard streams. What resolves it has to allow this explicitly.
    Child(ChildTransport),
    /// A byte stream: a Unix socket, or TCP.
    Stream(StreamTransport),
    /// A server of this process, without sockets.
    InProcess(InProcessTransport),
}

impl Transport {
    /// Which eras its client speaks, where the transport says so.
    pub fn mode(&self) -> Option<Mode> {
        match self {
            Self::Http(transport) => transport.mode,
            Self::Child(transport) => transport.mode,
            Self::Stream(transport) => transport.mode,
            Self::InProcess(transport) => transport.mode,
        }
    }

    /// Sets which eras its client speaks.
    #[must_use]
    pub fn with_mode(mut self, mode: Mode) -> Self {
        *match &mut self {
            Self::Http(transport) => &mut transport.mode,
            Self::Child(transport) => &mut transport.mode,
            Self::Stream(transport) => &mut transport.mode,
            Self::InProcess(transport) => &mut transport.mode,
        } = Some(mode);
        self
    }

    /// How long each phase may take.
    pub fn timeouts(&self) -> &TransportTimeouts {
        match self {
            Self::Http(transport) => &transport.timeouts,
            Self::Child(transport) => &transport.timeouts,
            Self::Stream(transport) => &transport.timeouts,
            Self::InProcess(transport) => &transport.timeouts,
        }
    }

    /// Sets how long each phase may take.
    #[must_use]
    pub fn with_timeouts(mut self, timeouts: TransportTimeouts) -> Self {
        *match &mut self {
            Self::Http(transport) => &mut transport.timeouts,
            Self::Child(transport) => &mut transport.timeouts,
            Self::Stream(transport) => &mut transport.timeouts,
            Self::InProcess(transport) => &mut transport.timeouts,
        } = timeouts;
        self
    }
}

impl From<HttpTransport> for Transport {
    fn from(transport: HttpTransport) -> Self {
        Self::Http(transport)
    }
}

impl From<ChildTransport> for Transport {
    fn from(transport: ChildTransport) -> Self {
        Self::Child(transport)
    }
}

impl From<StreamTransport> for Transport {
    fn from(transport: StreamTransport) -> Self {
        Self::Stream(transport)
    }
}

impl From<InProcessTransport> for Transport {
    fn from(transport: InProcessTransport) -> Self {
        Self::InProcess(transport)
    }
}

#[cfg(test)]
mod tests;
