//! The rows of the servers over HTTP: each server is a process of its own, and this one is the load.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::child::Server;
use crate::count::{self, Count};
use crate::load::Load;
use crate::messages::Era;
use crate::peer;
use crate::table::{Line, Target, Unit, print_heading};
use crate::time::{self, Runner};

/// How long a server has its turn in each round.
const TURN: Duration = Duration::from_millis(150);

/// How many requests are counted.
const COUNTED: u64 = 200;

/// A row of the table, against the floor in the same era with the same load.
struct Row {
    targets: &'static str,
    what: &'static str,
    server: &'static str,
    /// The server that it is held against.
    floor: &'static str,
    era: Era,
    window: usize,
}

const fn row(what: &'static str, server: &'static str, era: Era, window: usize) -> Row {
    let targets = match era {
        Era::Legacy => "H1 H3-5",
        Era::Modern => "H2 H3-5",
    };
    Row {
        targets,
        what,
        server,
        floor: "floor",
        era,
        window,
    }
}

const fn on_smol(what: &'static str, server: &'static str, floor: &'static str, window: usize) -> Row {
    Row {
        targets: "H10",
        what,
        server,
        floor,
        era: Era::Legacy,
        window,
    }
}

const ROWS: &[Row] = &[
    row("floor: hyper server, legacy, c=16", "floor", Era::Legacy, 16),
    row("our server, legacy session, JSON, c=16", "json", Era::Legacy, 16),
    row("our server, legacy session, SSE, c=16", "sse", Era::Legacy, 16),
    row("rmcp, stateless, legacy, JSON, c=16", "rmcp stateless", Era::Legacy, 16),
    row("floor: hyper server, legacy, c=64", "floor", Era::Legacy, 64),
    row("our server, legacy session, JSON, c=64", "json", Era::Legacy, 64),
    row("our server, legacy session, SSE, c=64", "sse", Era::Legacy, 64),
    row("floor: hyper server, modern, c=16", "floor", Era::Modern, 16),
    row("our server, modern, JSON, c=16", "json", Era::Modern, 16),
    row("our server, modern, SSE, c=16", "sse", Era::Modern, 16),
    row("rmcp, modern, JSON, c=16", "rmcp stateless", Era::Modern, 16),
    row("floor: hyper server, modern, c=64", "floor", Era::Modern, 64),
    row("our server, modern, JSON, c=64", "json", Era::Modern, 64),
    row("our server, modern, SSE, c=64", "sse", Era::Modern, 64),
    on_smol("floor: hyper server on smol, c=16", "smol floor", "smol floor", 16),
    on_smol("our server on smol, JSON, c=16", "smol json", "smol floor", 16),
    on_smol("our server on smol against tokio, c=16", "smol json", "json", 16),
    on_smol("floor: hyper server on smol, c=64", "smol floor", "smol floor", 64),
    on_smol("our server on smol, JSON, c=64", "smol json", "smol floor", 64),
    on_smol("our server on smol against tokio, c=64", "smol json", "json", 64),
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
    print_heading("A server over HTTP");
    let mut running: Vec<&Row> = rows.iter().flat_map(|row| [*row, row.floor()]).collect();
    running.sort_by_key(|row| row.what);
    running.dedup_by_key(|row| row.what);
    let mut runners: Vec<Runner<'_>> = running.iter().map(|row| row.start()).collect();
    let times = time::rounds(&mut runners, TURN);
    drop(runners);
    let mut counts: HashMap<(&str, &str), Count> = HashMap::new();
    for row in rows {
        let times_of = |what| &times[running.iter().position(|row| row.what == what).expect("a row")];
        let count = counting.then(|| {
            let key = (row.server, row.targets);
            let count = || count::of_server(row.server, row.era, row.has_sessions(), COUNTED);
            *counts.entry(key).or_insert_with(count)
        });
        let (must, stretch) = row.goals();
        let line = Line {
            targets: if row.is_ours() { row.targets } else { "" },
            what: row.what,
            unit: Unit::Percent,
            times: times_of(row.what),
            floor: times_of(row.floor().what),
            count,
            must,
            stretch,
        };
        line.print();
    }
}

impl Row {
    fn matches(&self, word: &str) -> bool {
        self.what.contains(word) || self.targets.contains(word)
    }

    fn is_floor(&self) -> bool {
        self.server == self.floor
    }

    fn is_ours(&self) -> bool {
        !self.is_floor() && !self.server.starts_with("rmcp ")
    }

    fn has_sessions(&self) -> bool {
        self.era == Era::Legacy && self.is_ours()
    }

    /// The row that it is held against.
    fn floor(&self) -> &'static Self {
        let is_floor = |row: &&Self| row.server == self.floor && row.era == self.era && row.window == self.window;
        ROWS.iter().find(is_floor).expect("a floor")
    }

    fn start(&self) -> Runner<'static> {
        let server = Server::start(self.server);
        let mut load = Load::open(server.address, self.era, self.has_sessions(), self.window);
        Box::new(move |count| {
            let (start, busy) = (Instant::now(), server.cpu_time());
            load.drive(count);
            let wall = start.elapsed().as_secs_f64() / count as f64;
            (wall, Some((server.cpu_time() - busy).as_secs_f64() / count as f64))
        })
    }

    fn goals(&self) -> (Target, Target) {
        let goal = |percent: f64, cpu, instructions, allocations| {
            let target = Target {
                time: Some(100.0 / percent),
                instructions: Some(instructions),
                allocations: Some(allocations),
                ..Target::default()
            };
            target.with_cpu(cpu)
        };
        let none = Target::default();
        let rate = |percent: f64| Target {
            time: Some(100.0 / percent),
            ..none
        };
        match (self.floor, self.era) {
            _ if !self.is_ours() => (none, none),
            ("smol floor", _) => (rate(75.0), rate(88.0)),
            ("json", _) => (none, none.with_cpu(1.25)),
            (_, Era::Legacy) => (goal(75.0, 1.30, 35e3, 22.0), goal(88.0, 1.15, 29e3, 16.0)),
            (_, Era::Modern) => (goal(75.0, 1.30, 44e3, 28.0), goal(88.0, 1.15, 35e3, 20.0)),
        }
    }
}
