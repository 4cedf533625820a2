//! One row of the table: what is measured, how much of it is allowed, and what others do.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use super::era::Era;
use super::outside::Report;

/// What is measured of each application, beside what others do.
pub(crate) struct Row {
    name: String,
    figure: fn(&Report) -> Figure,
    limit: Limit,
    /// Of the two columns that are cited.
    elsewhere: [&'static str; 2],
}

impl Row {
    /// A row without a limit.
    pub(crate) fn new(name: impl Into<String>, figure: fn(&Report) -> Figure) -> Self {
        Self {
            name: name.into(),
            figure,
            limit: Limit::None,
            elsewhere: ["", ""],
        }
    }

    /// No figure may be greater than so many milliseconds.
    pub(crate) fn at_most(mut self, milliseconds: u64) -> Self {
        self.limit = Limit::AtMost(Duration::from_millis(milliseconds));
        self
    }

    /// Each figure has to be what this is for its era.
    pub(crate) fn exactly(mut self, expected: fn(Era) -> u64) -> Self {
        self.limit = Limit::Exactly(expected);
        self
    }

    /// What the seed's system and the Python SDK do. It was measured elsewhere.
    pub(crate) fn elsewhere(mut self, seed: &'static str, python: &'static str) -> Self {
        self.elsewhere = [seed, python];
        self
    }

    /// Writes it with a column for each report.
    pub(crate) fn write(&self, f: &mut Formatter<'_>, reports: &[Report]) -> fmt::Result {
        let cells = reports.iter().map(|report| (self.figure)(report).to_string());
        let limit = self.limit.text(reports);
        line(f, &self.name, cells, &limit, self.elsewhere)
    }

    /// What is wrong with this figure of a report, as a sentence.
    pub(crate) fn fault(&self, report: &Report) -> Option<String> {
        let (figure, era) = ((self.figure)(report), report.era);
        let allowed = match (&self.limit, figure) {
            (Limit::AtMost(most), Figure::Time(time)) if time > *most => format!("at most {}", Figure::Time(*most)),
            (Limit::Exactly(expected), Figure::Count(count)) if count != expected(era) => expected(era).to_string(),
            _ => return None,
        };
        let name = self.name.trim();
        Some(format!("{}: {name}: {figure} instead of {allowed}", era.name()))
    }
}

/// Writes one line of the table.
pub(crate) fn line(
    f: &mut Formatter<'_>,
    name: &str,
    cells: impl Iterator<Item = String>,
    limit: &str,
    [seed, python]: [&str; 2],
) -> fmt::Result {
    let mut line = format!("  {name:<30}");
    for cell in cells {
        line += &format!("{cell:>11}");
    }
    line += &format!("  {limit:<9}{seed:<24}{python}");
    writeln!(f, "{}", line.trim_end())
}

/// What was measured.
#[derive(Clone, Copy)]
pub(crate) enum Figure {
    Time(Duration),
    Count(u64),
    /// The system does not tell.
    Unknown,
}

/// A time is in milliseconds.
impl Display for Figure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(time) => write!(f, "{:.2}", time.as_secs_f64() * 1e3),
            Self::Count(count) => write!(f, "{count}"),
            Self::Unknown => f.write_str("?"),
        }
    }
}

enum Limit {
    None,
    AtMost(Duration),
    Exactly(fn(Era) -> u64),
}

impl Limit {
    /// As the table shows it: one number, or one for each report.
    fn text(&self, reports: &[Report]) -> String {
        match self {
            Self::None => String::new(),
            Self::AtMost(most) => format!("[{}]", most.as_millis()),
            Self::Exactly(expected) => {
                let mut all: Vec<_> = reports.iter().map(|report| expected(report.era).to_string()).collect();
                if all.windows(2).all(|two| two[0] == two[1]) {
                    all.truncate(1);
                }
                format!("[{}]", all.join(" "))
            }
        }
    }
}
