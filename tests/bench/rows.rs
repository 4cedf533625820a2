//! What is in the table.

use std::process::ExitCode;
use std::time::Duration;

use crate::count::{self, Count};
use crate::subject;
use crate::table::{Line, Target, Unit, print_heading};
use crate::time::{self, Runner, busy, clocked};
use crate::{bodies, flood, growth, large, nagle, servers, sessions, sizes, stdio};

/// How long a subject runs in each round.
const TURN: Duration = Duration::from_millis(25);

/// How many operations are counted.
const COUNTED: u64 = 320;

/// A row of the table: what is measured, and against what.
struct Row {
    targets: &'static str,
    what: &'static str,
    subject: &'static str,
    floor: &'static str,
    must: Target,
    stretch: Target,
}

const NONE: Target = target(None, None, None);

const fn target(time: Option<f64>, instructions: Option<f64>, allocations: Option<f64>) -> Target {
    Target {
        time,
        cpu: None,
        instructions,
        allocations,
    }
}

const fn floor(what: &'static str, subject: &'static str, floor: &'static str) -> Row {
    Row {
        targets: "",
        what,
        subject,
        floor,
        must: NONE,
        stretch: NONE,
    }
}

const fn in_memory(what: &'static str, subject: &'static str, must: Target, stretch: Target) -> Row {
    Row {
        targets: "M1 M2",
        what,
        subject,
        floor: "serde",
        must,
        stretch,
    }
}

const LEGACY_MUST: Target = target(Some(3.5), Some(42e3), Some(40.0));
const MODERN_MUST: Target = target(Some(4.5), Some(55e3), Some(50.0));
const STRETCH: Target = target(Some(2.4), Some(30e3), Some(28.0));

/// A message read to its typed form.
const PARSING: &[Row] = &[
    floor(
        "floor: a request, legacy",
        "serde request legacy",
        "serde request legacy",
    ),
    parsing(
        "a request, legacy",
        "parse request legacy",
        "serde request legacy",
        4.7e3,
    ),
    floor(
        "floor: a request, modern",
        "serde request modern",
        "serde request modern",
    ),
    parsing(
        "a request, modern",
        "parse request modern",
        "serde request modern",
        8.8e3,
    ),
    floor("floor: a response", "serde response", "serde response"),
    parsing("a response", "parse response", "serde response", 4.6e3),
];

const fn parsing(what: &'static str, subject: &'static str, floor: &'static str, instructions: f64) -> Row {
    Row {
        targets: "M3",
        what,
        subject,
        floor,
        must: target(None, Some(2.0 * instructions), Some(8.0)),
        stretch: target(None, Some(1.4 * instructions), Some(5.0)),
    }
}

/// A request and its response, client and server in one thread.
const IN_MEMORY: &[Row] = &[
    floor("floor: serde alone", "serde", "serde"),
    floor("floor: serde over a duplex, c=1", "duplex 1", "serde"),
    floor("floor: serde over a duplex, c=64", "duplex 64", "serde"),
    in_memory(
        "machines by hand, legacy, c=1",
        "machines legacy 1",
        LEGACY_MUST,
        STRETCH,
    ),
    in_memory(
        "machines by hand, modern, c=1",
        "machines modern 1",
        MODERN_MUST,
        STRETCH,
    ),
    in_memory("handles by hand, legacy, c=1", "handles legacy 1", LEGACY_MUST, STRETCH),
    in_memory("handles by hand, modern, c=1", "handles modern 1", MODERN_MUST, STRETCH),
    in_memory(
        "on tokio, pump to pump, legacy, c=1",
        "memory legacy 1",
        LEGACY_MUST,
        STRETCH,
    ),
    in_memory(
        "on tokio, pump to pump, legacy, c=64",
        "memory legacy 64",
        LEGACY_MUST,
        STRETCH,
    ),
    in_memory(
        "on tokio, pump to pump, modern, c=1",
        "memory modern 1",
        MODERN_MUST,
        STRETCH,
    ),
    in_memory(
        "on tokio, pump to pump, modern, c=64",
        "memory modern 64",
        MODERN_MUST,
        STRETCH,
    ),
    in_memory(
        "on tokio, over a duplex, legacy, c=1",
        "pipe legacy 1",
        LEGACY_MUST,
        STRETCH,
    ),
    in_memory(
        "on tokio, over a duplex, legacy, c=64",
        "pipe legacy 64",
        LEGACY_MUST,
        STRETCH,
    ),
    in_memory(
        "on tokio, over a duplex, modern, c=1",
        "pipe modern 1",
        MODERN_MUST,
        STRETCH,
    ),
    in_memory(
        "on tokio, over a duplex, modern, c=64",
        "pipe modern 64",
        MODERN_MUST,
        STRETCH,
    ),
];

/// A client over HTTP.
const CLIENTS: &[Row] = &[
    floor(
        "floor: hyper, typed, legacy, c=64",
        "hyper client legacy 64",
        "hyper client legacy 64",
    ),
    client("our client, legacy, c=64", "client legacy 64", "hyper client legacy 64"),
    floor(
        "floor: hyper, typed, modern, c=64",
        "hyper client modern 64",
        "hyper client modern 64",
    ),
    client("our client, modern, c=64", "client modern 64", "hyper client modern 64"),
];

const fn client(what: &'static str, subject: &'static str, floor: &'static str) -> Row {
    Row {
        targets: "C1 C2",
        what,
        subject,
        floor,
        must: target(Some(1.0 / 0.60), Some(55e3), Some(50.0)).with_cpu(1.7),
        stretch: target(Some(1.0 / 0.75), Some(42e3), Some(38.0)).with_cpu(1.35),
    }
}

/// Measures the rows with this word, and prints them.
pub(crate) fn measure(word: &str) -> ExitCode {
    let counting = count::is_possible();
    println!("One tools/call: echo of 100 bytes. ** within the stretch target, * within the must, ! beyond it.");
    if !counting {
        println!("There is no valgrind here: NO INSTRUCTIONS AND ALLOCATIONS ARE COUNTED.");
    }
    table("A message read to its typed form", Unit::Times, PARSING, word, counting);
    table("A round trip in memory", Unit::Times, IN_MEMORY, word, counting);
    table(
        "A client over HTTP, against the floor of the servers",
        Unit::Percent,
        CLIENTS,
        word,
        counting,
    );
    servers::table(word, counting);
    stdio::table(word, counting);
    large::table(word, counting);
    sessions::table(word, counting);
    flood::table(word, counting);
    bodies::table(word, counting);
    nagle::table(word);
    growth::table(word);
    sizes::table(word);
    if counting { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Measures subjects of this process.
fn table(title: &str, unit: Unit, rows: &[Row], word: &str, counting: bool) {
    let rows: Vec<&Row> = rows.iter().filter(|row| row.matches(word)).collect();
    if rows.is_empty() {
        return;
    }
    print_heading(title);
    let mut names: Vec<&str> = rows.iter().flat_map(|row| [row.subject, row.floor]).collect();
    names.sort_unstable();
    names.dedup();
    let mut runners: Vec<Runner<'_>> = Vec::new();
    for name in &names {
        let work = subject::make(name);
        runners.push(match unit {
            Unit::Times => Box::new(busy(work)),
            Unit::Percent => Box::new(clocked(work)),
        });
    }
    let times = time::rounds(&mut runners, TURN);
    drop(runners);
    let times_of = |name| &times[names.iter().position(|other| *other == name).expect("a subject")];
    for row in rows {
        let count: Option<Count> = counting.then(|| count::of_subject(row.subject, COUNTED));
        let line = Line {
            targets: row.targets,
            what: row.what,
            unit,
            times: times_of(row.subject),
            floor: times_of(row.floor),
            count,
            must: row.must,
            stretch: row.stretch,
        };
        line.print();
    }
}

impl Row {
    fn matches(&self, word: &str) -> bool {
        self.what.contains(word) || self.subject.contains(word) || self.targets.contains(word)
    }
}
