//! The rows of a listener that leaves Nagle's algorithm on, as web frameworks do unless they are told otherwise.

use std::time::{Duration, Instant};

use crate::child::Server;
use crate::load::Load;
use crate::messages::Era;
use crate::table::Target;
use crate::time::Runner;
use crate::trials::{self, Course, Trial};

const MUST: Target = Target::rate(90.0);

const fn ours(what: &'static str, server: &'static str, floor: &'static str) -> Trial {
    Trial::new("H9", what, server, floor, MUST, Target::NONE)
}

const TRIALS: &[Trial] = &[
    Trial::beside("with TCP_NODELAY, JSON", "nodelay json", "nodelay json", 0),
    ours("without TCP_NODELAY, JSON", "nagle json", "nodelay json"),
    Trial::beside("with TCP_NODELAY, SSE", "nodelay sse", "nodelay sse", 0),
    ours("without TCP_NODELAY, SSE", "nagle sse", "nodelay sse"),
];

/// Measures the servers and prints their table.
pub(crate) fn table(word: &str) {
    let course = Course {
        title: "Our server behind a listener without TCP_NODELAY, c=16",
        turn: Duration::from_millis(150),
        start,
        count: None,
    };
    trials::table(&course, TRIALS, word, false);
}

fn start(name: &'static str, _: usize) -> Runner<'static> {
    let server = Server::start(name);
    let mut load = Load::open(server.address, Era::Legacy, true, 16);
    Box::new(move |count| {
        let (start, busy) = (Instant::now(), server.cpu_time());
        load.drive(count);
        let wall = start.elapsed().as_secs_f64() / count as f64;
        (wall, Some((server.cpu_time() - busy).as_secs_f64() / count as f64))
    })
}
