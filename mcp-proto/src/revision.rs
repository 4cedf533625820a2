//! The five protocol revisions, and every question whose answer depends on one.

use core::fmt;

use serde::{Serialize, Serializer};

/// A revision of the Model Context Protocol.
///
/// Ordered by age. Code asks a question (`has_sessions()`, `allows_batches()`, …) rather than compare:
/// the comparisons stand in this file alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Revision {
    /// 2024-11-05, the first revision: HTTP+SSE, no version header.
    V2024_11_05,
    /// 2025-03-26: Streamable HTTP, JSON-RPC batches, audio, tool annotations.
    V2025_03_26,
    /// 2025-06-18: no batches any more; structured tool output, elicitation, the version header.
    V2025_06_18,
    /// 2025-11-25, the last revision with a handshake: tasks, URL elicitation, polling of SSE streams.
    V2025_11_25,
    /// 2026-07-28, the first stateless revision: every request carries version and capabilities.
    V2026_07_28,
}

impl Revision {
    /// All revisions, oldest first.
    pub const ALL: [Self; 5] = [
        Self::V2024_11_05,
        Self::V2025_03_26,
        Self::V2025_06_18,
        Self::V2025_11_25,
        Self::V2026_07_28,
    ];

    /// The newest revision.
    pub const LATEST: Self = Self::V2026_07_28;

    /// The newest revision of the legacy era, offered in `initialize`.
    pub const LATEST_LEGACY: Self = Self::V2025_11_25;

    /// What a server assumes when an HTTP request of an unknown session carries no version header
    /// (2025-11-25, Transports, Protocol Version Header).
    pub const ASSUMED: Self = Self::V2025_03_26;

    /// The revision named `text` on the wire, or `None` for a name that is not known.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|revision| revision.as_str() == text)
    }

    /// The name on the wire, a date.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2024_11_05 => "2024-11-05",
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }

    /// The era: how a connection starts and what state it keeps.
    pub fn era(self) -> Era {
        if self >= Self::V2026_07_28 {
            Era::Modern
        } else {
            Era::Legacy
        }
    }

    /// Whether a connection starts with the `initialize` handshake.
    pub fn has_initialize(self) -> bool {
        self.era() == Era::Legacy
    }

    /// Whether Streamable HTTP may carry a session (`Mcp-Session-Id`, GET stream, DELETE).
    pub fn has_sessions(self) -> bool {
        self.has_streamable_http() && self.era() == Era::Legacy
    }

    /// Whether the revision defines Streamable HTTP (2024-11-05 has HTTP+SSE instead).
    pub fn has_streamable_http(self) -> bool {
        self >= Self::V2025_03_26
    }

    /// Whether JSON-RPC batches are part of the revision: in 2025-03-26 alone.
    pub fn allows_batches(self) -> bool {
        self == Self::V2025_03_26
    }

    /// Whether HTTP requests carry `MCP-Protocol-Version`.
    pub fn has_version_header(self) -> bool {
        self >= Self::V2025_06_18
    }

    /// Whether every request carries version and capabilities in `_meta`, and every result a `resultType`.
    pub fn is_stateless(self) -> bool {
        self.era() == Era::Modern
    }

    /// Whether the server may send requests of its own (sampling, elicitation, roots, ping).
    pub fn has_server_requests(self) -> bool {
        self.era() == Era::Legacy
    }

    /// Whether an SSE stream starts with an event that has an id and empty data
    /// (2025-11-25, Transports, Sending Messages, 6).
    pub fn has_priming_event(self) -> bool {
        self == Self::V2025_11_25
    }

    /// Whether a request may be refused with −32042 until URLs are visited: in 2025-11-25 alone. Before there are none, and
    /// afterwards multi round-trip requests take its place.
    pub fn has_url_elicitation_error(self) -> bool {
        self == Self::V2025_11_25
    }

    /// Whether tool results may carry `structuredContent`.
    pub fn has_structured_content(self) -> bool {
        self >= Self::V2025_06_18
    }

    /// Whether `structuredContent` may be any JSON value, and an output schema any schema: before, both are objects
    /// (2026-07-28, Tools).
    pub fn has_structured_values(self) -> bool {
        self >= Self::V2026_07_28
    }

    /// Whether arguments that do not fit a tool are reported to the model as a failed call, rather than as an error
    /// of the protocol (2025-11-25, Tools, Error Handling).
    pub fn has_input_validation_results(self) -> bool {
        self >= Self::V2025_11_25
    }

    /// Whether a request that is abandoned over HTTP is cancelled by closing its response stream,
    /// rather than by `notifications/cancelled` (2026-07-28, Cancellation).
    pub fn cancels_by_disconnect(self) -> bool {
        self.era() == Era::Modern
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Revision {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Revisions without a gap: the first and the last of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    first: Revision,
    last: Revision,
}

impl Span {
    /// From `first` to `last`, both included.
    pub(crate) const fn new(first: Revision, last: Revision) -> Self {
        Self { first, last }
    }

    /// Whether `revision` is one of them.
    pub(crate) fn contains(self, revision: Revision) -> bool {
        self.first <= revision && revision <= self.last
    }
}

/// The two eras of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Era {
    /// Up to 2025-11-25: a handshake, connection state, requests in both directions.
    Legacy,
    /// From 2026-07-28: stateless, each request on its own.
    Modern,
}

impl fmt::Display for Era {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Legacy => "legacy",
            Self::Modern => "modern",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_are_ordered() {
        for revision in Revision::ALL {
            assert_eq!(Revision::parse(revision.as_str()), Some(revision));
        }
        assert!(Revision::ALL.is_sorted());
        assert_eq!(Revision::parse("2025-06-19"), None);
    }

    #[test]
    fn batches_belong_to_one_revision() {
        let with_batches: alloc::vec::Vec<_> = Revision::ALL.into_iter().filter(|r| r.allows_batches()).collect();
        assert_eq!(with_batches, [Revision::V2025_03_26]);
    }
}
