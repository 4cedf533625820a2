//! What the scenarios measure.

use std::fmt::Display;
use std::time::Duration;

use mcp_proto::Era;
use mcp_tests::app::era_name;
use mcp_tests::runtime::Flavour;
use mcp_tests::world::Transport;

/// How much slower a build without optimisation may be, on a machine that does many other things besides. What is meant
/// to be caught takes seconds, minutes, or for ever.
const SLACK: u32 = if cfg!(debug_assertions) { 40 } else { 1 };

/// A hard limit, in milliseconds: as it is where the code is optimised, and forty times as much where it is not.
pub(crate) fn hard(milliseconds: f64) -> Duration {
    Duration::from_secs_f64(milliseconds / 1e3) * SLACK
}

/// Where the figures of a scenario belong.
#[derive(Clone, Copy)]
pub(crate) struct Figures {
    id: &'static str,
    flavour: Flavour,
    era: Era,
    transport: Option<Transport>,
}

impl Figures {
    pub(crate) fn of(id: &'static str, flavour: Flavour, era: Era) -> Self {
        let transport = None;
        Self {
            id,
            flavour,
            era,
            transport,
        }
    }

    pub(crate) fn over(self, transport: Transport) -> Self {
        let transport = Some(transport);
        Self { transport, ..self }
    }

    /// Prints a figure.
    pub(crate) fn print(&self, what: &str, figure: impl Display) {
        let (id, runtime, era) = (self.id, self.flavour, era_name(self.era));
        let way = self
            .transport
            .map(|transport| format!("{transport:?}"))
            .unwrap_or_default();
        println!("acceptance {id:<3} {runtime:<6} {era:<7} {way:<8} {what:<40} {figure:>12}");
    }

    /// Prints a time.
    pub(crate) fn time(&self, what: &str, time: Duration) {
        self.print(what, format!("{:.3} ms", time.as_secs_f64() * 1e3));
    }

    /// Prints a time, which is no longer than the hard limit of so many milliseconds.
    pub(crate) fn within(&self, what: &str, time: Duration, milliseconds: f64) {
        self.time(what, time);
        let (id, runtime, era, limit) = (self.id, self.flavour, era_name(self.era), hard(milliseconds));
        assert!(
            time <= limit,
            "{id} on {runtime}, {era}: {what} took {time:?}, {limit:?} at most"
        );
    }
}

/// The time that this share of all stays below.
pub(crate) fn quantile(times: &mut [Duration], share: f64) -> Duration {
    times.sort_unstable();
    let last = times.len().saturating_sub(1);
    times[(last as f64 * share).round() as usize]
}
