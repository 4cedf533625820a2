//! The eras of the protocol.

use mcp_proto::Revision;
use mcp_proto::client::{ClientConfig, Mode};

/// Which eras the client speaks. The server always speaks both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Era {
    /// 2025-11-25: a handshake makes a session, and calls are made in it.
    Legacy,
    /// 2026-07-28: each request stands alone, and there is no handshake.
    Modern,
    /// What the server speaks: it is asked first.
    Auto,
}

impl Era {
    /// All of them, in the order of the table.
    pub(crate) const ALL: [Self; 3] = [Self::Legacy, Self::Modern, Self::Auto];

    /// What it is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Legacy => "2025-11-25",
            Self::Modern => "2026-07-28",
            Self::Auto => "auto",
        }
    }

    /// The era of this name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|era| era.name() == name)
    }

    /// How often a new client asks something of the server before its calls, however many they are.
    pub(crate) fn handshakes(self) -> u64 {
        match self {
            Self::Legacy | Self::Auto => 1,
            Self::Modern => 0,
        }
    }

    /// Whether the server keeps a session, which a restart loses, and which a notification tells of a cancelled call.
    pub(crate) fn has_sessions(self) -> bool {
        self == Self::Legacy
    }

    /// A client that speaks it.
    pub(crate) fn client(self) -> ClientConfig {
        let mode = match self {
            Self::Legacy => Mode::Legacy(Revision::LATEST_LEGACY),
            Self::Modern => Mode::Modern,
            Self::Auto => Mode::Auto,
        };
        ClientConfig::named("self_call", env!("CARGO_PKG_VERSION")).with_mode(mode)
    }
}
