//! What is measured, by name: a function that does so many operations.

use std::hint::black_box;

use tokio::runtime::{Builder, Runtime};

use crate::messages::Era;
use crate::ours::memory::Over;
use crate::{floor, ours};

pub(crate) type Work = Box<dyn FnMut(u64)>;

/// Makes a subject. What it needs once is done here, not in an operation.
pub(crate) fn make(name: &str) -> Work {
    let words: Vec<&str> = name.split(' ').collect();
    match *words {
        ["serde"] => Box::new(floor::serde::round_trip),
        ["serde", "request", era] => Box::new(floor::serde::parse_request(Era::of(era))),
        ["serde", "response"] => Box::new(floor::serde::parse_response()),
        ["duplex", window] => Box::new(floor::duplex::round_trips(number(window))),
        ["hyper", "client", era, window] => Box::new(floor::http_client::calls(Era::of(era), number(window))),
        ["parse", "request", era] => Box::new(ours::parse::request(Era::of(era))),
        ["parse", "response"] => Box::new(ours::parse::response()),
        ["machines", era, window] => Box::new(ours::machines::round_trips(Era::of(era), number(window))),
        ["handles", era, window] => Box::new(ours::handles::round_trips(Era::of(era), number(window))),
        ["memory", era, window] => Box::new(ours::memory::calls(Over::Memory, Era::of(era), number(window))),
        ["pipe", era, window] => Box::new(ours::memory::calls(Over::Duplex, Era::of(era), number(window))),
        ["client", era, window] => Box::new(ours::http_client::calls(Era::of(era), number(window))),
        ["grow", what] => {
            let what = what.to_owned();
            Box::new(move |number| {
                ours::pools::grow(&what, number, || 0.0);
            })
        }
        _ => panic!("no subject: {name}"),
    }
}

fn number(word: &str) -> usize {
    word.parse().expect("a number")
}

/// Does so many operations: what a process that is counted does.
pub(crate) fn run(name: &str, times: u64) {
    make(name)(black_box(times));
}

/// The one runtime of a process that is measured.
pub(crate) fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}
