//! The world outside of the application: a plain HTTP client in another process, with threads of its own.
//!
//! It judges by its own clock: were the application's only thread stuck, this process would still notice, and say so.

use std::fmt::Display;
use std::thread;
use std::time::Duration;

use super::application::Application;
use super::connection::Connection;
use super::era::Era;
use super::health::Health;
use super::host::Failure;
use super::part::{Outcome, Part};

/// How long the application is left alone at first.
const REST: Duration = Duration::from_millis(300);

/// Starts an application of this era, has it call itself in every way, and ends it.
pub(crate) fn examine(era: Era) -> Result<Report, Failure> {
    let application = Application::start(era)?;
    let health = Health::watch(application.address)?;
    let mut connection = Connection::open(application.address)?;
    let mut outcomes = Vec::new();
    // The gaps of the heartbeat on the idle thread are what the others are compared with.
    thread::sleep(REST);
    for part in Part::ALL {
        let failed = |why: &dyn Display| format!("{}, {}: {why}", era.name(), part.path());
        let answer = connection.request("POST", &format!("/run/{}", part.path()));
        let (status, body) = answer.map_err(|error| failed(&error))?;
        if status != 200 {
            return Err(failed(&body).into());
        }
        outcomes.push(serde_json::from_str(&body)?);
    }
    let worst_health = health.worst()?;
    Ok(Report {
        era,
        outcomes,
        worst_health,
    })
}

/// What one application did, one outcome for each part, and its worst `/health` meanwhile.
pub(crate) struct Report {
    pub(crate) era: Era,
    /// In the order of [`Part::ALL`].
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) worst_health: Duration,
}

impl Report {
    /// How this part went.
    pub(crate) fn outcome(&self, part: Part) -> &Outcome {
        &self.outcomes[part as usize]
    }

    /// The longest time that something held the application's thread: the longest gap of its heartbeat, less the
    /// longest one on the idle thread.
    pub(crate) fn stall(&self) -> Duration {
        let longest = self.outcomes.iter().map(|outcome| outcome.gap).max();
        longest.unwrap_or_default().saturating_sub(self.outcomes[0].idle_gap)
    }

    /// The longest single poll of a future of client or server during these parts.
    pub(crate) fn poll(&self, parts: &[Part]) -> Duration {
        let polls = parts.iter().map(|part| self.outcome(*part).poll);
        polls.max().unwrap_or_default()
    }

    /// How often a client introduced itself during these parts.
    pub(crate) fn handshakes(&self, parts: &[Part]) -> u64 {
        parts.iter().map(|part| self.outcome(*part).handshakes).sum()
    }

    /// The most threads that the application had; `None` where the system does not tell.
    pub(crate) fn threads(&self) -> Option<u64> {
        let most = self.outcomes.iter().map(|outcome| outcome.threads).max();
        most.filter(|threads| *threads > 0).map(|threads| threads as u64)
    }
}
