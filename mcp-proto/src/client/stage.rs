//! The era that a client is in, and where its lifecycle stands.

use super::config::{Mode, Prior};
use super::event::ServerFacts;
use crate::legacy::client::{self as legacy, ClientHandshake};
use crate::modern::client::{self as modern, Discovery};
use crate::revision::{Era, Revision};

/// The era, and where its lifecycle stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing is known.
    Undecided,
    /// The server is being asked, or is known to be modern.
    Modern(Discovery),
    /// The server is taken for legacy, in this revision.
    Legacy(ClientHandshake, Revision),
}

impl Stage {
    /// Where a client starts.
    pub(super) fn first(mode: Mode, prior: Option<Prior>) -> Self {
        match (mode, prior) {
            // Nothing has to be asked first: every modern request stands on its own (2026-07-28, Discovery).
            (Mode::Modern, _) => Self::Modern(Discovery::Settled),
            (Mode::Legacy(revision), _) => Self::Legacy(ClientHandshake::Start, with_handshake(revision)),
            (Mode::Auto, None) => Self::Undecided,
            (Mode::Auto, Some(prior)) => match prior.era() {
                Era::Modern => Self::Modern(Discovery::Settled),
                Era::Legacy => Self::Legacy(ClientHandshake::Start, prior.revision()),
            },
        }
    }

    /// Whether requests can be sent at once.
    pub(super) fn is_ready(self) -> bool {
        matches!(
            self,
            Self::Modern(Discovery::Settled) | Self::Legacy(ClientHandshake::Operating, _)
        )
    }

    /// The revision spoken with the server; before the handshake is done, the one it is made in.
    pub(super) fn revision(self) -> Option<Revision> {
        match self {
            Self::Undecided => None,
            Self::Modern(_) => Some(Revision::LATEST),
            Self::Legacy(_, revision) => Some(revision),
        }
    }

    /// What is known of the server here before anything was asked.
    pub(super) fn known_facts(self) -> Option<ServerFacts> {
        // Of a legacy server nothing is known before it answers `initialize`.
        (self == Self::Modern(Discovery::Settled)).then_some(ServerFacts {
            revision: Revision::LATEST,
            info: None,
            capabilities: None,
            instructions: None,
        })
    }

    /// Moves the legacy lifecycle, where it is that. Says what has to be done, and in which revision.
    pub(super) fn step_legacy(&mut self, input: legacy::ClientInput) -> Option<(legacy::ClientAction, Revision)> {
        let Self::Legacy(handshake, revision) = *self else {
            return None;
        };
        let (next, action) = handshake.step(input);
        *self = Self::Legacy(next, revision);
        Some((action, revision))
    }

    /// Moves the modern lifecycle, where it is that.
    pub(super) fn step_modern(&mut self, input: modern::DiscoveryInput) -> Option<modern::DiscoveryAction> {
        let Self::Modern(discovery) = *self else {
            return None;
        };
        let (next, action) = discovery.step(input);
        *self = Self::Modern(next);
        Some(action)
    }
}

/// A revision that can be proposed in `initialize`.
fn with_handshake(revision: Revision) -> Revision {
    // The legacy era was asked for, and has a handshake: what has none cannot be proposed in it.
    if revision.has_initialize() {
        revision
    } else {
        Revision::LATEST_LEGACY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_lifecycle_of_the_era_moves() {
        let mut undecided = Stage::Undecided;
        assert_eq!(undecided.step_modern(modern::DiscoveryInput::Begin), None);
        assert_eq!(undecided.step_legacy(legacy::ClientInput::Begin), None);
        assert_eq!(undecided.revision(), None);
        let mut modern = Stage::first(Mode::Modern, None);
        assert_eq!(modern.step_legacy(legacy::ClientInput::Lost), None);
        assert!(modern.is_ready() && modern.known_facts().is_some());
        let mut legacy = Stage::first(Mode::Legacy(Revision::V2025_06_18), None);
        let begun = legacy.step_legacy(legacy::ClientInput::Begin);
        assert_eq!(
            begun,
            Some((legacy::ClientAction::SendInitialize, Revision::V2025_06_18))
        );
        assert!(!legacy.is_ready() && legacy.known_facts().is_none());
    }
}
