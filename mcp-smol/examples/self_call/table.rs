//! What came out, for a person to read, and whether it was good enough.

use std::fmt::{self, Formatter};
use std::time::Duration;

use crate::app::Part;
use crate::outside::Report;

/// No single call, no answer of `/health` and no stall of the thread may take longer.
const LIMIT: Duration = Duration::from_millis(50);

/// The reports side by side, a column each.
pub(crate) struct Table<'a>(pub(crate) &'a [Report]);

impl Table<'_> {
    /// Everything that was wrong, a sentence each.
    pub(crate) fn faults(&self) -> Vec<String> {
        self.0.iter().flat_map(faults).collect()
    }

    fn row(
        &self,
        f: &mut Formatter<'_>,
        name: &str,
        cell: impl Fn(&Report) -> String,
        limit: impl fmt::Display,
    ) -> fmt::Result {
        write!(f, "  {name:<32}")?;
        for report in self.0 {
            write!(f, "{:>13}", cell(report))?;
        }
        writeln!(f, "   {limit}")
    }
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\nOne application on one thread calls its own MCP server over HTTP.\n"
        )?;
        self.row(f, "", |report| report.era.name().into(), "at most")?;
        for part in Part::ALL {
            let limit = time_limit(part).map(millis).unwrap_or_default();
            self.row(f, &part.name(), |report| millis(report.outcome(part).took), limit)?;
            if part == Part::Crowd {
                self.row(
                    f,
                    "  with as many handshakes",
                    |report| report.outcome(part).handshakes.to_string(),
                    "1",
                )?;
            }
        }
        self.row(
            f,
            "slowest answer of /health",
            |report| millis(report.worst_health),
            millis(LIMIT),
        )?;
        self.row(
            f,
            "longest stall of the thread",
            |report| millis(report.stall()),
            millis(LIMIT),
        )?;
        self.row(
            f,
            "threads",
            |report| report.threads().map_or("?".into(), |threads| threads.to_string()),
            "1",
        )?;
        writeln!(f)
    }
}

/// What was wrong with one application.
fn faults(report: &Report) -> Vec<String> {
    let era = report.era.name();
    let mut faults = Vec::new();
    for part in Part::ALL {
        let (name, outcome) = (part.name(), report.outcome(part));
        if let Some(limit) = time_limit(part).filter(|limit| outcome.took > *limit) {
            let took = millis(outcome.took);
            faults.push(format!(
                "{era}: {name} took {took}, at most {} are allowed",
                millis(limit)
            ));
        }
        let expected = match part {
            Part::First | Part::Crowd => report.era.handshakes(),
            Part::Second | Part::Depth | Part::Fan => 0,
        };
        if outcome.handshakes != expected {
            let seen = outcome.handshakes;
            faults.push(format!(
                "{era}: {name}: the server saw {seen} handshakes instead of {expected}"
            ));
        }
    }
    for (what, time) in [
        ("/health took", report.worst_health),
        ("the thread stalled for", report.stall()),
    ] {
        if time > LIMIT {
            faults.push(format!(
                "{era}: {what} {}, at most {} are allowed",
                millis(time),
                millis(LIMIT)
            ));
        }
    }
    if let Some(threads) = report.threads().filter(|threads| *threads != 1) {
        faults.push(format!("{era}: the application has {threads} threads instead of one"));
    }
    faults
}

/// How long a part may take, where it is a single call. The others are held to complete, and not to stall.
fn time_limit(part: Part) -> Option<Duration> {
    matches!(part, Part::First | Part::Second).then_some(LIMIT)
}

fn millis(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}
