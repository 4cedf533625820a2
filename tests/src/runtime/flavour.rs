//! Which runtimes there are.

use std::fmt;

/// A runtime, and how many threads of it there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// tokio on the current thread.
    TokioCurrent,
    /// tokio on threads of its own.
    TokioThreads,
    /// `smol::block_on` with a `LocalExecutor`.
    SmolLocal,
    /// A `smol::Executor` over several threads.
    SmolThreads,
    /// `smol::block_on` alone: whatever is spawned is polled beside the scenario.
    SmolAlone,
}

impl Flavour {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::TokioCurrent,
        Self::TokioThreads,
        Self::SmolLocal,
        Self::SmolThreads,
        Self::SmolAlone,
    ];

    /// Those with an executor on one thread, where anything that blocks stops everything.
    pub const ONE_THREAD: [Self; 2] = [Self::TokioCurrent, Self::SmolLocal];

    /// What it is called in a table.
    pub fn name(self) -> &'static str {
        match self {
            Self::TokioCurrent => "tokio",
            Self::TokioThreads => "tokio-threads",
            Self::SmolLocal => "smol",
            Self::SmolThreads => "smol-threads",
            Self::SmolAlone => "smol-alone",
        }
    }

    /// The one of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|flavour| flavour.name() == name)
    }

    /// Whether it is tokio.
    pub fn is_tokio(self) -> bool {
        matches!(self, Self::TokioCurrent | Self::TokioThreads)
    }

    /// How many futures serve a listener, so that every thread has something to do.
    pub(super) fn servers(self) -> usize {
        match self {
            Self::TokioCurrent | Self::SmolLocal | Self::SmolAlone => 1,
            Self::TokioThreads | Self::SmolThreads => 2,
        }
    }
}

impl fmt::Display for Flavour {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}
