//! What came out, for a person to read, beside what others do, and whether it was good enough.

use std::fmt::{self, Display, Formatter};

use super::era::Era;
use super::outside::Report;
use super::part::{CROWD, DEPTH, FAN, Part, RETURN};
use super::row::{self, Figure, Row};

/// The reports side by side, a column each.
pub(crate) struct Table<'a>(pub(crate) &'a [Report]);

impl Table<'_> {
    /// Everything that was wrong, a sentence each.
    pub(crate) fn faults(&self) -> Vec<String> {
        let rows = rows();
        let faults = self
            .0
            .iter()
            .map(|report| rows.iter().filter_map(|row| row.fault(report)));
        faults.flatten().collect()
    }
}

impl Display for Table<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\nOne application on one thread calls its own MCP server over HTTP. Times are in ms.\n"
        )?;
        writeln!(f, "{:32}{:^33}{:11}cited: measured elsewhere", "", "measured here", "")?;
        let eras = self.0.iter().map(|report| report.era.name().into());
        row::line(f, "", eras, "[limit]", ["WayFlow 26.3.1", "Python SDK 2.3"])?;
        for row in rows() {
            row.write(f, self.0)?;
        }
        writeln!(f)
    }
}

/// Everything that is shown and judged. The limits are wide enough for a machine that does other things besides.
///
/// What is cited was measured in November 2026, with the same setup in Python, on another machine; `-` is unknown.
fn rows() -> Vec<Row> {
    [first_calls(), reentrancy(), loss(), the_thread()]
        .into_iter()
        .flatten()
        .collect()
}

fn first_calls() -> Vec<Row> {
    vec![
        Row::new("first call", |it| took(it, Part::First))
            .at_most(50)
            .elsewhere("87 (26.1.1 fails, 60 s)", "61 to 70"),
        Row::new("  handshakes", |it| Figure::Count(it.handshakes(&[Part::First]))).exactly(Era::handshakes),
        Row::new("second call", |it| took(it, Part::Second))
            .at_most(50)
            .elsewhere("4.8 (median)", "1.2 to 2.2 (median)"),
        Row::new(format!("{CROWD} first calls at once"), |it| took(it, Part::Crowd))
            .at_most(300)
            .elsewhere("912", "3,342"),
        Row::new("  handshakes", |it| Figure::Count(it.handshakes(&[Part::Crowd])))
            .exactly(Era::handshakes)
            .elsewhere("1, and 40 tools/list", "100"),
    ]
}

fn reentrancy() -> Vec<Row> {
    vec![
        Row::new(format!("a tool calls itself {DEPTH} deep"), |it| took(it, Part::Depth))
            .at_most(1_000)
            .elsewhere("40 deep hangs", "99 or 100 deep hangs"),
        Row::new(format!("{FAN} tools call a tool at once"), |it| took(it, Part::Fan))
            .at_most(1_000)
            .elsewhere("40: none answered", "99: none answered"),
    ]
}

fn loss() -> Vec<Row> {
    vec![
        Row::new(format!("server replaced, {RETURN} calls"), |it| took(it, Part::Restart))
            .at_most(100)
            .elsewhere("all fail, for ever", "legacy: for ever"),
        Row::new("  handshakes", |it| Figure::Count(it.handshakes(&[Part::Restart])))
            .exactly(|era| era.has_sessions().into())
            .elsewhere("0", "-"),
        Row::new("handshakes of all other calls", |it| {
            Figure::Count(it.handshakes(&[Part::Second, Part::Depth, Part::Fan, Part::Cancel]))
        })
        .exactly(|_| 0),
        Row::new("a 5 s call is given up: drop", |it| {
            Figure::Time(it.outcome(Part::Cancel).times.drop)
        })
        .at_most(1)
        .elsewhere("anyio scope: 5,010", "ok"),
        Row::new("  until its handler is gone", |it| took(it, Part::Cancel))
            .at_most(100)
            .elsewhere("runs to its end", "ok"),
        Row::new("  notifications/cancelled", |it| {
            Figure::Count(it.outcome(Part::Cancel).notices)
        })
        .exactly(|era| era.has_sessions().into())
        .elsewhere("0", "-"),
        Row::new("  the next call", |it| {
            Figure::Time(it.outcome(Part::Cancel).times.next)
        })
        .at_most(50)
        .elsewhere("-", "-"),
    ]
}

fn the_thread() -> Vec<Row> {
    vec![
        Row::new("slowest answer of /health", |it| Figure::Time(it.worst_health))
            .at_most(50)
            .elsewhere("3.8 (26.1.1: 60,071)", "-"),
        Row::new("longest stall of the thread", |it| Figure::Time(it.stall()))
            .at_most(100)
            .elsewhere("151 (26.1.1: 60,067)", "1,849"),
        Row::new("longest poll of a first call", |it| {
            Figure::Time(it.poll(&[Part::First]))
        })
        .at_most(1)
        .elsewhere("-", "-"),
        Row::new("longest poll of all", |it| Figure::Time(it.poll(&Part::ALL)))
            .at_most(10)
            .elsewhere("-", "-"),
        Row::new("threads", |it| it.threads().map_or(Figure::Unknown, Figure::Count))
            .exactly(|_| 1)
            .elsewhere("42 (3 for one call)", "-"),
    ]
}

fn took(report: &Report, part: Part) -> Figure {
    Figure::Time(report.outcome(part).times.all)
}
