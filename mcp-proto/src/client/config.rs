//! What a client is and wants.

use alloc::string::String;
use core::time::Duration;

use crate::limits::{Limits, Timeouts};
use crate::model::{ClientCapabilities, Implementation};
use crate::revision::{Era, Revision};
use crate::settings::settings;

settings! {
    /// What a client is, wants and bears.
    ///
    /// ```
    /// use mcp_proto::client::{ClientConfig, Mode};
    ///
    /// let config = ClientConfig::named("example", "1.0.0").with_mode(Mode::Modern);
    /// assert_eq!(config.info.name, "example");
    /// ```
    #[derive(Clone, Debug)]
    #[non_exhaustive]
    pub struct ClientConfig {
        /// Who the client says it is.
        pub info (with_info): Implementation,
        /// What it offers the server.
        pub capabilities (with_capabilities): ClientCapabilities,
        /// Which eras it speaks.
        pub mode (with_mode): Mode,
        /// What is known about the server from an earlier connection: spares the question.
        pub prior (with_prior): Option<Prior>,
        /// Whether a request that the server did not declare to support fails at once, without being sent
        /// (2025-11-25, Lifecycle, Operation: both sides "MUST … only use capabilities that were successfully
        /// negotiated"). Default `true`.
        pub strict_capabilities (with_strict_capabilities): bool,
        /// How long the list of tools is kept where the server neither says how long (`ttlMs`) nor has promised to say
        /// when it changes; see [`Client::list_tools`](super::Client::list_tools). Default 0: those who ask while the
        /// list is being read share it, and the next one asks again (2026-07-28, Caching: without `ttlMs` clients
        /// "SHOULD assume a default of 0").
        pub tools_ttl (with_tools_ttl): Duration,
        /// The bounds of everything that can grow.
        pub limits (with_limits): Limits,
        /// How long each phase may take.
        pub timeouts (with_timeouts): Timeouts,
    }
}

impl ClientConfig {
    /// A client of this name and version, with defaults for the rest.
    pub fn named(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self::new(Implementation::new(name, version))
    }

    /// A client that says this of itself, with defaults for the rest.
    pub fn new(info: Implementation) -> Self {
        Self {
            info,
            capabilities: ClientCapabilities::default(),
            mode: Mode::Auto,
            prior: None,
            strict_capabilities: true,
            tools_ttl: Duration::ZERO,
            limits: Limits::default(),
            timeouts: Timeouts::default(),
        }
    }
}

/// Which eras a client speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// Both: asks `server/discover` first, unless the answer is known before, and follows the server.
    #[default]
    Auto,
    /// The modern era alone. Nothing is asked: the first request goes out at once.
    Modern,
    /// The legacy era alone, proposing this revision.
    Legacy(Revision),
}

/// What an earlier connection found out about a server, to be kept by the application.
///
/// 2026-07-28, Versioning: the era is a property of the server; clients "MAY persist it across restarts of
/// the same server configuration, re-probing if the cached assumption later fails".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Prior(Revision);

impl Prior {
    /// The server speaks `revision`.
    pub const fn new(revision: Revision) -> Self {
        Self(revision)
    }

    /// The revision that the server spoke.
    pub const fn revision(self) -> Revision {
        self.0
    }

    /// The era of that revision.
    pub fn era(self) -> Era {
        self.0.era()
    }
}
