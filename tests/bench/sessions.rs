//! The rows of sessions over HTTP: how fast they are made, and what is held for each.

use std::time::{Duration, Instant};

use crate::child::Server;
use crate::count::{self, Count, Tool};
use crate::peer;
use crate::table::{Figure, Target, print_figures};
use crate::time::Runner;
use crate::trials::{self, Course, Trial};
use crate::wire::Wire;

/// How many connections make sessions at a time.
const WINDOW: usize = 16;

/// How many sessions are counted.
const COUNTED: u64 = 160;

/// How many sessions, and how many streams, heap is looked at with; and with twice as many.
const HELD: u64 = 1000;
const STREAMS: u64 = 100;

const MUST: Target = Target::rate(60.0).with_cpu(1.7).with_allocations(70.0);
const STRETCH: Target = Target::rate(80.0).with_cpu(1.25).with_allocations(40.0);

const TRIALS: &[Trial] = &[
    Trial::beside("floor: two POSTs to hyper, c=16", "floor", "floor", 0),
    Trial::new("N1", "our server, a session, c=16", "sessions", "floor", MUST, STRETCH),
    Trial::beside("rmcp, a session, c=16", "rmcp sessions", "floor", 0),
];

/// Measures the servers and prints their table.
pub(crate) fn table(word: &str, counting: bool) {
    let course = Course {
        title: "A session made: initialize and notifications/initialized",
        turn: Duration::from_millis(150),
        start,
        count: Some(count),
    };
    trials::table(&course, TRIALS, word, counting);
    let (is_n2, is_n3) = (
        "N2 heap of a session".contains(word),
        "N3 heap of a stream".contains(word),
    );
    if !counting || !(is_n2 || is_n3) {
        return;
    }
    print_figures("Heap of what is open and idle", "bytes each");
    let beside = |held: fn(&'static str) -> f64| peer::program().map(|_| held("rmcp sessions"));
    if is_n2 {
        let figure = Figure {
            targets: "N2",
            what: "our server, a session",
            figure: held_for_session("sessions"),
            peer: beside(held_for_session),
            must: Some(2000.0),
            stretch: Some(600.0),
        };
        figure.print();
    }
    if is_n3 {
        let figure = Figure {
            targets: "N3",
            what: "our server, a GET stream, without its connection",
            figure: held_for_stream("sessions"),
            peer: beside(held_for_stream),
            must: Some(2000.0),
            stretch: Some(1000.0),
        };
        figure.print();
    }
}

/// What a session takes until it is made.
pub(crate) fn count(name: &'static str) -> Count {
    count::difference(COUNTED, |tool, times| {
        let server = count::server(tool, name);
        let mut wire = Wire::open(server.address);
        (0..times).for_each(|_| wire.initialize());
        server.stop()
    })
}

/// The heap that an idle session holds, in bytes.
pub(crate) fn held_for_session(name: &'static str) -> f64 {
    let held = |sessions| {
        let server = count::server(Tool::Heap, name);
        let mut wire = Wire::open(server.address);
        (0..sessions).for_each(|_| wire.initialize());
        count::live(&server.stop()) as f64
    };
    (held(2 * HELD) - held(HELD)) / HELD as f64
}

/// The heap that an open stream holds beyond its idle connection, in bytes.
pub(crate) fn held_for_stream(name: &'static str) -> f64 {
    let held = |connections, listen: bool| {
        let server = count::server(Tool::Heap, name);
        let mut wires: Vec<Wire> = (0..connections).map(|_| Wire::open(server.address)).collect();
        for wire in &mut wires {
            wire.initialize();
            if listen {
                wire.listen();
            }
        }
        let live = count::live(&server.stop()) as f64;
        drop(wires);
        live
    };
    let each = |listen| (held(2 * STREAMS, listen) - held(STREAMS, listen)) / STREAMS as f64;
    each(true) - each(false)
}

fn start(name: &'static str, _: usize) -> Runner<'static> {
    let server = Server::start(name);
    let mut wires: Vec<Wire> = (0..WINDOW).map(|_| Wire::open(server.address)).collect();
    Box::new(move |count| {
        let count = count.next_multiple_of(WINDOW as u64);
        let (start, busy) = (Instant::now(), server.cpu_time());
        for _ in 0..count / WINDOW as u64 {
            wires.iter_mut().for_each(Wire::send_initialize);
            wires.iter_mut().for_each(Wire::send_initialized);
            wires.iter_mut().for_each(Wire::take_accepted);
        }
        let wall = start.elapsed().as_secs_f64() / count as f64;
        (wall, Some((server.cpu_time() - busy).as_secs_f64() / count as f64))
    })
}
