//! The rows of large bodies over HTTP.

use std::time::{Duration, Instant};

use crate::child::Server;
use crate::count::{self, Tool};
use crate::messages::echo_of;
use crate::peer;
use crate::table::{Figure, Target, print_figures};
use crate::time::Runner;
use crate::trials::{self, Course, Trial};
use crate::wire::Wire;

const MIB: usize = 1 << 20;

const MUST: Target = Target::rate(90.0).with_cpu(1.25);
const STRETCH: Target = Target::rate(105.0).with_cpu(0.9);

const fn ours(what: &'static str, amount: usize) -> Trial {
    Trial::new("L1", what, "large", "floor", MUST, STRETCH).with_amount(amount)
}

const TRIALS: &[Trial] = &[
    Trial::beside("floor: hyper server, 1 MiB body", "floor", "floor", MIB),
    ours("our server, 1 MiB body", MIB),
    Trial::beside("rmcp, 1 MiB body", "rmcp stateless", "floor", MIB),
    Trial::beside("floor: hyper server, 16 MiB body", "floor", "floor", 16 * MIB),
    ours("our server, 16 MiB body", 16 * MIB),
    Trial::beside("rmcp, 16 MiB body", "rmcp stateless", "floor", 16 * MIB),
];

/// What is asked of each server in L2, in multiples of the payload.
const PEAKS: &[(&str, &str, Option<f64>, Option<f64>)] = &[
    ("floor: hyper, borrowed", "floor", None, None),
    ("our server, argument owned", "large", Some(3.3), Some(3.05)),
    (
        "our server, argument borrowed, then copied",
        "large borrowed",
        Some(3.3),
        Some(3.05),
    ),
];

/// Measures the servers and prints their tables.
pub(crate) fn table(word: &str, counting: bool) {
    let course = Course {
        title: "An echo of so much over HTTP",
        turn: Duration::from_millis(200),
        start,
        count: None,
    };
    trials::table(&course, TRIALS, word, counting);
    if !counting || !"L2 heap of a large body".contains(word) {
        return;
    }
    print_figures("Heap at its peak for a body of so much over HTTP", "times the payload");
    for size in [MIB, 16 * MIB] {
        for (what, server, must, stretch) in PEAKS {
            let is_floor = *server == "floor";
            let figure = Figure {
                targets: if is_floor { "" } else { "L2" },
                what: &format!("{what}, {} MiB", size / MIB),
                figure: peak(server, size),
                peer: peer::program()
                    .filter(|_| *server == "large")
                    .map(|_| peak("rmcp stateless", size)),
                must: *must,
                stretch: *stretch,
            };
            figure.print();
        }
    }
}

/// The most heap that there is at a time for a body, in multiples of the text in it.
pub(crate) fn peak(name: &'static str, size: usize) -> f64 {
    let server = count::server(Tool::Heap, name);
    let mut wire = open(&server, name);
    let text = "x".repeat(size);
    wire.echo(&echo_of(&text), &text);
    count::peak(&server.stop()) as f64 / size as f64
}

fn start(name: &'static str, size: usize) -> Runner<'static> {
    let server = Server::start(name);
    let mut wire = open(&server, name);
    let text = "x".repeat(size);
    let body = echo_of(&text);
    Box::new(move |count| {
        // Enough of them for a median, and not the sixty-four that a small operation begins with.
        let count = count.min(64 * MIB as u64 / size as u64);
        let (start, busy) = (Instant::now(), server.cpu_time());
        (0..count).for_each(|_| wire.echo(&body, &text));
        let wall = start.elapsed().as_secs_f64() / count as f64;
        (wall, Some((server.cpu_time() - busy).as_secs_f64() / count as f64))
    })
}

fn open(server: &Server, name: &str) -> Wire {
    let mut wire = Wire::open(server.address);
    if name.starts_with("large") {
        wire.initialize();
    }
    wire
}
