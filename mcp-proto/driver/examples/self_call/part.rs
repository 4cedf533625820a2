//! The ways in which the application calls itself, one after the other, and how each of them went.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How many calls a new client makes at once.
pub(crate) const CROWD: usize = 100;
/// How deep a tool calls itself.
pub(crate) const DEPTH: u32 = 1_000;
/// How many tools call a tool at once.
pub(crate) const FAN: usize = 500;
/// How many calls meet the server that was restarted.
pub(crate) const RETURN: usize = 50;

/// One way in which the application calls itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The first call of all, which has to make the session: the one that hangs elsewhere.
    First,
    /// The same again.
    Second,
    /// Many first calls at once, by a client of their own.
    Crowd,
    /// A tool that calls itself.
    Depth,
    /// Many tools that call a tool, at once.
    Fan,
    /// Many calls at once to a server that has forgotten its sessions.
    Restart,
    /// A long call that is given up.
    Cancel,
}

impl Part {
    /// All of them, in the order they are run in.
    pub(crate) const ALL: [Self; 7] = [
        Self::First,
        Self::Second,
        Self::Crowd,
        Self::Depth,
        Self::Fan,
        Self::Restart,
        Self::Cancel,
    ];

    /// What it is called in the path of a request.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Second => "second",
            Self::Crowd => "crowd",
            Self::Depth => "depth",
            Self::Fan => "fan",
            Self::Restart => "restart",
            Self::Cancel => "cancel",
        }
    }

    /// The part with this path.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.path() == path)
    }
}

/// How a part went.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// How long it took, and what else the part itself has measured.
    pub(crate) times: Times,
    /// The longest gap of the heartbeat meanwhile.
    pub(crate) gap: Duration,
    /// The longest gap of the heartbeat before, when there was nothing to do.
    pub(crate) idle_gap: Duration,
    /// The longest single poll of a future of client or server meanwhile, by the time it was on a processor.
    pub(crate) poll: Duration,
    /// How often a client introduced itself to the server meanwhile.
    pub(crate) handshakes: u64,
    /// How often a client told the server that it had given up a call.
    pub(crate) notices: u64,
    /// How many threads run the application; 0 where the system does not tell.
    pub(crate) threads: usize,
}

/// What a part measures of itself.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Times {
    /// From the first call to the last answer; of a call that is given up, until its handler is gone.
    pub(crate) all: Duration,
    /// Giving the call up: how long the drop of its future held the thread.
    pub(crate) drop: Duration,
    /// The next call after that.
    pub(crate) next: Duration,
}
