//! Tables of servers that are processes of their own, with this one as their load.

use std::time::Duration;

use crate::count::Count;
use crate::peer;
use crate::table::{Line, Target, Unit, print_heading};
use crate::time::{self, Runner};

/// A row: one server against another, with the same load.
pub(crate) struct Trial {
    /// The numbers of the targets.
    pub(crate) targets: &'static str,
    pub(crate) what: &'static str,
    pub(crate) server: &'static str,
    /// The server that it is held against.
    pub(crate) floor: &'static str,
    /// What the load is told: a size, or a number.
    pub(crate) amount: usize,
    pub(crate) must: Target,
    pub(crate) stretch: Target,
}

/// What the rows of a table have in common.
pub(crate) struct Course {
    pub(crate) title: &'static str,
    /// How long a server has its turn in each round.
    pub(crate) turn: Duration,
    /// Starts a server and its load of this amount.
    pub(crate) start: fn(&'static str, usize) -> Runner<'static>,
    /// Counts what an operation takes.
    pub(crate) count: Option<fn(&'static str) -> Count>,
}

impl Trial {
    /// What is not ours, and has no targets.
    pub(crate) const fn beside(what: &'static str, server: &'static str, floor: &'static str, amount: usize) -> Self {
        let none = Target::NONE;
        Self::new("", what, server, floor, none, none).with_amount(amount)
    }

    pub(crate) const fn new(
        targets: &'static str,
        what: &'static str,
        server: &'static str,
        floor: &'static str,
        must: Target,
        stretch: Target,
    ) -> Self {
        Self {
            targets,
            what,
            server,
            floor,
            amount: 0,
            must,
            stretch,
        }
    }

    pub(crate) const fn with_amount(self, amount: usize) -> Self {
        Self { amount, ..self }
    }
}

/// Measures the rows with this word, in rounds in which each has its turn, and prints them.
pub(crate) fn table(course: &Course, trials: &'static [Trial], word: &str, counting: bool) {
    // Who asks for a target wants to see what stands beside it.
    let is_asked_for = trials.iter().any(|trial| trial.targets.contains(word));
    let chosen = |trial: &&Trial| (is_asked_for || trial.what.contains(word)) && peer::has(trial.server);
    let trials: Vec<&Trial> = trials.iter().filter(chosen).collect();
    if trials.is_empty() {
        return;
    }
    print_heading(course.title);
    let all = trials
        .iter()
        .flat_map(|trial| [trial.server, trial.floor].map(|server| (server, trial.amount)));
    let mut running: Vec<(&'static str, usize)> = all.collect();
    running.sort_unstable();
    running.dedup();
    let start = |(server, amount): &(&'static str, usize)| (course.start)(server, *amount);
    let mut runners: Vec<Runner<'_>> = running.iter().map(start).collect();
    let times = time::rounds(&mut runners, course.turn);
    drop(runners);
    for trial in trials {
        let times_of = |server| {
            let is_it = |other: &(&str, usize)| *other == (server, trial.amount);
            &times[running.iter().position(is_it).expect("a server")]
        };
        let line = Line {
            targets: trial.targets,
            what: trial.what,
            unit: Unit::Percent,
            times: times_of(trial.server),
            floor: times_of(trial.floor),
            count: course.count.filter(|_| counting).map(|count| count(trial.server)),
            must: trial.must,
            stretch: trial.stretch,
        };
        line.print();
    }
}
