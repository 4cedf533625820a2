//! The rows of one call that reports much progress: what a notification costs, and what is held of them.

use std::time::{Duration, Instant};

use crate::child::{Piped, Server};
use crate::count::{self, Count, Tool};
use crate::lines::Lines;
use crate::messages::Era;
use crate::peer;
use crate::table::{Figure, Target, print_figures};
use crate::time::Runner;
use crate::trials::{self, Course, Trial};
use crate::wire::Wire;

/// How many notifications are counted.
const COUNTED: u64 = 2000;

/// How many notifications the heap is looked at with: many of them, and hardly any.
const MANY: u64 = 100_000;
const FEW: u64 = 10;

const MIB: f64 = (1 << 20) as f64;

const fn cpu(most: f64, allocations: f64) -> Target {
    Target::NONE.with_cpu(most).with_allocations(allocations)
}

const HTTP: &[Trial] = &[
    Trial::beside("floor: hyper, a body from a channel", "flood floor", "flood floor", 0),
    Trial::new(
        "P1",
        "our server, progress",
        "flood",
        "flood floor",
        cpu(2.5, 4.0),
        cpu(1.5, 2.0),
    ),
    Trial::beside("rmcp, progress", "rmcp sessions", "flood floor", 0),
];

const STDIO: &[Trial] = &[
    Trial::beside("floor: std, a write each, progress", "flood floor", "flood floor", 0),
    Trial::new(
        "P2",
        "our server on tokio, progress",
        "flood tokio",
        "flood floor",
        cpu(2.5, 3.0),
        cpu(1.0, 1.0),
    ),
    Trial::new(
        "P2",
        "our server on smol, progress",
        "flood smol",
        "flood floor",
        cpu(2.5, 3.0),
        cpu(1.0, 1.0),
    ),
    Trial::beside("rmcp over threads, progress", "rmcp threads", "flood floor", 0),
    Trial::beside("rmcp over raw pipes, progress", "rmcp pipes", "flood floor", 0),
];

/// How a server is reached.
#[derive(Clone, Copy)]
pub(crate) enum Over {
    Http,
    Stdio,
}

/// Measures the servers and prints their tables.
pub(crate) fn table(word: &str, counting: bool) {
    let turn = Duration::from_millis(150);
    let http = Course {
        title: "A progress notification in a stream of events",
        turn,
        start: start_http,
        count: Some(|name| count(Over::Http, name)),
    };
    trials::table(&http, HTTP, word, counting);
    let stdio = Course {
        title: "A progress notification over standard output",
        turn,
        start: start_stdio,
        count: Some(|name| count(Over::Stdio, name)),
    };
    trials::table(&stdio, STDIO, word, counting);
    if !counting || !"P3 heap of progress".contains(word) {
        return;
    }
    print_figures("Growth of the heap during 100,000 notifications", "MiB");
    for (what, over, server, beside) in [
        ("over HTTP", Over::Http, "flood", "rmcp sessions"),
        ("on tokio, over stdio", Over::Stdio, "flood tokio", "rmcp pipes"),
        ("on smol, over stdio", Over::Stdio, "flood smol", "rmcp pipes"),
    ] {
        for (reader, pauses) in [("a reader", false), ("one that stops", true)] {
            let figure = Figure {
                targets: "P3",
                what: &format!("{what}, {reader}"),
                figure: growth(over, server, pauses) / MIB,
                peer: peer::program().map(|_| growth(over, beside, pauses) / MIB),
                must: Some(1.0),
                stretch: Some(0.1),
            };
            figure.print();
        }
    }
}

/// What a notification takes.
pub(crate) fn count(over: Over, name: &'static str) -> Count {
    count::difference(COUNTED, |tool, times| flood(over, tool, name, times, false))
}

/// How much more heap there is at a time with many notifications, in bytes, whether the client reads or not.
pub(crate) fn growth(over: Over, name: &'static str, pauses: bool) -> f64 {
    let peak = |number, pauses| count::peak(&flood(over, Tool::Heap, name, number, pauses)) as f64;
    peak(MANY, pauses) - peak(FEW, false)
}

/// Has a server that is counted report so much, and gives what is said of it.
fn flood(over: Over, tool: Tool, name: &'static str, number: u64, pauses: bool) -> String {
    match over {
        Over::Http => {
            let server = count::server(tool, name);
            let mut wire = Wire::open(server.address);
            initialize(&mut wire, name);
            wire.count(number, || {
                if pauses {
                    server.rest()
                }
            });
            server.stop()
        }
        Over::Stdio => {
            let (server, input, output) = count::piped(tool, name);
            let mut lines = Lines::open(input, output, Era::Legacy, 1);
            lines.count(number, || {
                if pauses {
                    server.rest()
                }
            });
            drop(lines);
            server.stop()
        }
    }
}

fn start_http(name: &'static str, _: usize) -> Runner<'static> {
    let server = Server::start(name);
    let mut wire = Wire::open(server.address);
    initialize(&mut wire, name);
    Box::new(move |count| {
        let (start, busy) = (Instant::now(), server.cpu_time());
        wire.count(count, || ());
        let wall = start.elapsed().as_secs_f64() / count as f64;
        (wall, Some((server.cpu_time() - busy).as_secs_f64() / count as f64))
    })
}

fn start_stdio(name: &'static str, _: usize) -> Runner<'static> {
    let (server, input, output) = Piped::start(name);
    let mut lines = Lines::open(input, output, Era::Legacy, 1);
    Box::new(move |count| {
        let (start, busy) = (Instant::now(), server.cpu_time());
        lines.count(count, || ());
        let wall = start.elapsed().as_secs_f64() / count as f64;
        (wall, Some((server.cpu_time() - busy).as_secs_f64() / count as f64))
    })
}

/// The floor knows one request.
fn initialize(wire: &mut Wire, name: &str) {
    if name != "flood floor" {
        wire.initialize();
    }
}
