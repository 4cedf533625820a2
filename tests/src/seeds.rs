//! Runs of one test under many seeds.

use std::env;
use std::panic::{self, AssertUnwindSafe};
use std::thread;

/// Runs `test` with the seeds from 0 to `count`, or with the one in the environment variable `SEED` alone. For more
/// than usual, `SEEDS` says how many.
///
/// # Panics
/// Where a run panics, after a line on standard error that says how to repeat it.
pub fn each_seed(count: u64, test: impl Fn(u64)) {
    let seeds = match (number("SEED"), number("SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, most) => 0..most.unwrap_or(count),
    };
    for seed in seeds {
        if let Err(panic) = panic::catch_unwind(AssertUnwindSafe(|| test(seed))) {
            let name = String::from(thread::current().name().unwrap_or_default());
            eprintln!("seed {seed} fails; to repeat it: SEED={seed} cargo test -p mcp-tests {name}");
            panic::resume_unwind(panic);
        }
    }
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|value| value.parse().expect("a number"))
}
