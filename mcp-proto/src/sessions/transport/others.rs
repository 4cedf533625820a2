//! Byte streams, and servers of this process.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use super::{TransportTimeouts, mode};
use crate::client::Mode;

/// A server behind a byte stream.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct StreamTransport {
    /// Where it listens.
    pub address: StreamAddress,
    /// Which eras its client speaks, and which revision it proposes; what resolves it says so where `None`. Stored as
    /// `"auto"`, `"modern"`, `"legacy"` (the latest legacy revision) or the name of a revision.
    #[serde(default, with = "mode", skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// How long each phase may take.
    #[serde(default, skip_serializing_if = "TransportTimeouts::is_default")]
    pub timeouts: TransportTimeouts,
}

/// Where a server of a byte stream listens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum StreamAddress {
    /// A Unix socket, by its path.
    Unix(String),
    /// TCP, as `host:port`. Nothing is encrypted, and nobody is authorized.
    Tcp(String),
}

impl StreamTransport {
    /// The server that listens on the Unix socket at `path`.
    pub fn unix(path: impl Into<String>) -> Self {
        Self::new(StreamAddress::Unix(path.into()))
    }

    /// The server that listens on the TCP address `host:port`.
    pub fn tcp(address: impl Into<String>) -> Self {
        Self::new(StreamAddress::Tcp(address.into()))
    }

    fn new(address: StreamAddress) -> Self {
        Self {
            address,
            mode: None,
            timeouts: TransportTimeouts::default(),
        }
    }
}

/// A server of this process, by the name under which what resolves it knows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct InProcessTransport {
    /// The name.
    pub server: String,
    /// Which eras its client speaks, and which revision it proposes; what resolves it says so where `None`. Stored as
    /// `"auto"`, `"modern"`, `"legacy"` (the latest legacy revision) or the name of a revision.
    #[serde(default, with = "mode", skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// How long each phase may take.
    #[serde(default, skip_serializing_if = "TransportTimeouts::is_default")]
    pub timeouts: TransportTimeouts,
}

impl InProcessTransport {
    /// The server of this name.
    pub fn new(server: impl Into<String>) -> Self {
        Self {
            server: server.into(),
            mode: None,
            timeouts: TransportTimeouts::default(),
        }
    }
}
