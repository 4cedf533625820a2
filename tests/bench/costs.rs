//! The gate: what does not depend on the mood of a machine may not grow.
//!
//! `tests/bench/costs.txt` has a line for each subject: instructions and allocations of an operation, or bytes of heap.
//! `bench costs` counts them all, and fails where one is dearer than its line says; where one is much cheaper it says
//! that the line should follow. `bench costs write` writes the lines anew.

use std::fs;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::flood::Over;
use crate::messages::Era;
use crate::{bodies, count, flood, sessions};

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/bench/costs.txt");

/// How much dearer a figure may be than its line: another compiler or layout of the code moves instructions by that.
const MARGIN: f64 = 1.03;

/// What may be added to few allocations: some happen once in so many operations.
const ODD_ALLOCATION: f64 = 0.1;

/// From where on a line is out of date.
const CHEAPER: f64 = 0.9;

/// What is counted of a subject.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Costs {
    instructions: f64,
    allocations: f64,
    /// Bytes: held, or allocated for an operation.
    heap: f64,
}

/// A subject, and how it is counted.
type Subject = (&'static str, fn(&'static str) -> Costs);

const SUBJECTS: &[Subject] = &[
    ("parse request legacy", in_process),
    ("parse request modern", in_process),
    ("parse response", in_process),
    ("machines legacy 1", in_process),
    ("machines modern 1", in_process),
    ("handles legacy 1", in_process),
    ("handles modern 1", in_process),
    ("memory legacy 1", in_process),
    ("memory modern 1", in_process),
    ("pipe legacy 1", in_process),
    ("client legacy 1", in_process),
    ("client modern 1", in_process),
    ("serve json legacy", served),
    ("serve json modern", served),
    ("serve sse legacy", served),
    ("serve sse modern", served),
    ("serve smol json legacy", served),
    ("stdio tokio legacy", piped),
    ("stdio smol legacy", piped),
    ("session made", |_| operation(sessions::count("sessions"))),
    ("session held", |_| heap(sessions::held_for_session("sessions"))),
    ("stream held", |_| heap(sessions::held_for_stream("sessions"))),
    ("progress http", |_| operation(flood::count(Over::Http, "flood"))),
    ("progress stdio", |_| {
        operation(flood::count(Over::Stdio, "flood tokio"))
    }),
    ("progress http, a reader that stops", |_| {
        heap(flood::growth(Over::Http, "flood", true))
    }),
    ("progress stdio, a reader that stops", |_| {
        heap(flood::growth(Over::Stdio, "flood tokio", true))
    }),
    ("body of 1 MiB", |_| {
        heap(bodies::peak("large", 1 << 20) * f64::from(1 << 20))
    }),
    ("grow ready", crowd),
    ("grow callers", crowd),
    ("grow followers", crowd),
    ("grow evictions", crowd),
    ("grow close", crowd),
];

/// Counts everything and holds it against the table.
pub(crate) fn check() -> ExitCode {
    if !count::is_possible() {
        println!("There is no valgrind here: NOTHING IS COUNTED.");
        return ExitCode::FAILURE;
    }
    let table = fs::read_to_string(TABLE).expect("the table");
    let limits = read(&table);
    let (mut is_dearer, mut is_cheaper) = (false, false);
    for (name, costs) in count_all() {
        let Some((_, limit)) = limits.iter().find(|(other, _)| *other == name) else {
            println!("{} NEW: it has no line", line(name, costs));
            is_dearer = true;
            continue;
        };
        let dearer = costs.dearer(*limit);
        let cheaper = dearer.is_empty() && costs.is_cheaper(*limit);
        is_dearer |= !dearer.is_empty();
        is_cheaper |= cheaper;
        let verdict = match (dearer.is_empty(), cheaper) {
            (false, _) => format!(
                "DEARER in {}: the limit is {}",
                dearer.join(", "),
                line("", *limit).trim()
            ),
            (_, true) => format!("cheaper than {}", line("", *limit).trim()),
            _ => String::new(),
        };
        println!("{} {verdict}", line(name, costs));
    }
    if is_cheaper {
        println!("What has become so much cheaper is to stay so: `bench costs write` brings the table down.");
    }
    if is_dearer {
        println!("What is dearer is not free: mend it, or say in the commit why it has to be, with the new line.");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Counts everything and writes the table.
pub(crate) fn write() -> ExitCode {
    if !count::is_possible() {
        println!("There is no valgrind here: NOTHING IS COUNTED.");
        return ExitCode::FAILURE;
    }
    let old = fs::read_to_string(TABLE).unwrap_or_default();
    let head: Vec<&str> = old.lines().take_while(|line| line.starts_with('#')).collect();
    let lines = count_all().into_iter().map(|(name, costs)| line(name, costs));
    let table: Vec<String> = head.into_iter().map(str::to_owned).chain(lines).collect();
    fs::write(TABLE, table.join("\n") + "\n").expect("the table");
    ExitCode::SUCCESS
}

/// As many at a time as there are processors: what is counted does not depend on the time.
fn count_all() -> Vec<(&'static str, Costs)> {
    let (next, counted) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((name, count)) = SUBJECTS.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let costs = count(name);
                    // It takes minutes: so that it is seen how far it is.
                    eprintln!("{}", line(name, costs));
                    counted.lock().expect("no panic").push((*name, costs));
                }
            });
        }
    });
    let mut counted = counted.into_inner().expect("no panic");
    counted.sort_by_key(|(name, _)| SUBJECTS.iter().position(|(other, _)| other == name));
    counted
}

impl Costs {
    /// What is more than it may be.
    fn dearer(self, limit: Self) -> Vec<&'static str> {
        let checks = [
            ("instructions", self.instructions > limit.instructions * MARGIN),
            ("allocations", self.allocations > limit.allocations + ODD_ALLOCATION),
            ("heap", self.heap > limit.heap * MARGIN + 16.0),
        ];
        checks
            .iter()
            .filter(|(_, is_dearer)| *is_dearer)
            .map(|(what, _)| *what)
            .collect()
    }

    fn is_cheaper(self, limit: Self) -> bool {
        self.instructions < limit.instructions * CHEAPER
            || self.allocations < limit.allocations * CHEAPER - 1.0
            || self.heap < limit.heap * CHEAPER - 64.0
    }
}

fn in_process(name: &'static str) -> Costs {
    operation(count::of_subject(name, 200))
}

/// So many that a look of each at all others would be seen.
fn crowd(name: &'static str) -> Costs {
    operation(count::of_subject(name, 400))
}

fn served(name: &'static str) -> Costs {
    let server = name.trim_start_matches("serve ");
    let (server, era) = server.rsplit_once(' ').expect("an era");
    let era = Era::of(era);
    operation(count::of_server(server, era, era == Era::Legacy, 160))
}

fn piped(name: &'static str) -> Costs {
    let words: Vec<&str> = name.split(' ').collect();
    operation(count::of_piped(words[1], Era::of(words[2]), 64, 640))
}

fn operation(count: count::Count) -> Costs {
    Costs {
        instructions: count.instructions,
        allocations: count.allocations,
        heap: count.bytes,
    }
}

fn heap(bytes: f64) -> Costs {
    Costs {
        instructions: 0.0,
        allocations: 0.0,
        heap: bytes,
    }
}

fn line(name: &str, costs: Costs) -> String {
    let Costs {
        instructions,
        allocations,
        heap,
    } = costs;
    format!("{name:<36} {instructions:>9.0} {allocations:>7.1} {heap:>9.0}")
}

/// The lines of a table.
fn read(table: &str) -> Vec<(&str, Costs)> {
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    lines.map(read_line).collect()
}

fn read_line(line: &str) -> (&str, Costs) {
    // The name may have spaces in it, the figures have none.
    let mut words = line.split_whitespace().rev();
    let mut figure = || -> f64 {
        words
            .next()
            .and_then(|word| word.parse().ok())
            .expect("three figures a line")
    };
    let (heap, allocations, instructions) = (figure(), figure(), figure());
    let costs = Costs {
        instructions,
        allocations,
        heap,
    };
    // As wide as it is written.
    (line.get(..36).unwrap_or(line).trim_end(), costs)
}
