//! The rows of the servers over standard input and output: each server is a process of its own, and this one is the
//! load.

use std::time::{Duration, Instant};

use crate::child::Piped;
use crate::count::{self, Count};
use crate::lines::Lines;
use crate::messages::Era;
use crate::peer;
use crate::table::{Line, Target, Unit, print_heading};
use crate::time::{self, Runner};

/// How long a server has its turn in each round.
const TURN: Duration = Duration::from_millis(100);

/// How many requests are counted.
const COUNTED: u64 = 640;

/// A row of the table, against the floor with the same load.
struct Row {
    what: &'static str,
    server: &'static str,
    era: Era,
    window: usize,
}

const fn row(what: &'static str, server: &'static str, era: Era, window: usize) -> Row {
    Row {
        what,
        server,
        era,
        window,
    }
}

const ROWS: &[Row] = &[
    row("floor: std, 64 in flight", "floor", Era::Legacy, 64),
    row("our server on tokio, 64 in flight", "tokio", Era::Legacy, 64),
    row("our server on smol, 64 in flight", "smol", Era::Legacy, 64),
    row("rmcp over threads, 64 in flight", "rmcp threads", Era::Legacy, 64),
    row("rmcp over raw pipes, 64 in flight", "rmcp pipes", Era::Legacy, 64),
    row("floor: std, modern, 64 in flight", "floor", Era::Modern, 64),
    row("our server on tokio, modern, 64 in flight", "tokio", Era::Modern, 64),
    row("floor: std, 1 in flight", "floor", Era::Legacy, 1),
    row("our server on tokio, 1 in flight", "tokio", Era::Legacy, 1),
    row("our server on smol, 1 in flight", "smol", Era::Legacy, 1),
];

/// Measures the servers and prints their table.
pub(crate) fn table(word: &str, counting: bool) {
    let rows: Vec<&Row> = ROWS
        .iter()
        .filter(|row| row.matches(word) && peer::has(row.server))
        .collect();
    if rows.is_empty() {
        return;
    }
    print_heading("A server over standard input and output");
    let mut running: Vec<&Row> = rows.iter().flat_map(|row| [*row, row.floor()]).collect();
    running.sort_by_key(|row| row.what);
    running.dedup_by_key(|row| row.what);
    let mut runners: Vec<Runner<'_>> = running.iter().map(|row| row.start()).collect();
    let times = time::rounds(&mut runners, TURN);
    drop(runners);
    for row in rows {
        let times_of = |what| &times[running.iter().position(|row| row.what == what).expect("a row")];
        let count = || -> Count { count::of_piped(row.server, row.era, row.window, COUNTED) };
        let (must, stretch) = row.goals();
        let line = Line {
            targets: row.targets(),
            what: row.what,
            unit: Unit::Percent,
            times: times_of(row.what),
            floor: times_of(row.floor().what),
            count: counting.then(count),
            must,
            stretch,
        };
        line.print();
    }
}

impl Row {
    fn matches(&self, word: &str) -> bool {
        self.what.contains(word) || self.targets().contains(word) || word == "stdio"
    }

    fn targets(&self) -> &'static str {
        match (self.server, self.window) {
            ("floor" | "rmcp threads" | "rmcp pipes", _) => "",
            (_, 1) => "S3",
            _ => "S1 S2",
        }
    }

    /// The floor that the row is held against.
    fn floor(&self) -> &'static Self {
        let is_floor = |row: &&Self| row.server == "floor" && row.era == self.era && row.window == self.window;
        ROWS.iter().find(is_floor).expect("a floor")
    }

    fn start(&self) -> Runner<'static> {
        let (server, input, output) = Piped::start(self.server);
        let mut lines = Lines::open(input, output, self.era, self.window);
        Box::new(move |count| {
            let (start, busy) = (Instant::now(), server.cpu_time());
            lines.drive(count);
            let wall = start.elapsed().as_secs_f64() / count as f64;
            (wall, Some((server.cpu_time() - busy).as_secs_f64() / count as f64))
        })
    }

    fn goals(&self) -> (Target, Target) {
        let target = Target::default();
        match (self.server, self.window) {
            ("floor" | "rmcp threads" | "rmcp pipes", _) => (target, target),
            (_, 1) => {
                let at_least = |percent: f64, cpu| {
                    let time = Some(100.0 / percent);
                    Target { time, ..target }.with_cpu(cpu)
                };
                (at_least(92.0, 1.3), at_least(97.0, 1.15))
            }
            _ => {
                let at_most = |cpu, instructions, allocations| {
                    let counts = Target {
                        instructions: Some(instructions),
                        allocations: Some(allocations),
                        ..target
                    };
                    counts.with_cpu(cpu)
                };
                match self.era {
                    Era::Legacy => (at_most(2.5, 18e3, 12.0), at_most(1.7, 13e3, 7.0)),
                    // The counts are those of a call without `_meta`.
                    Era::Modern => (target.with_cpu(2.5), target.with_cpu(1.7)),
                }
            }
        }
    }
}
