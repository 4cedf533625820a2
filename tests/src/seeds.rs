//! Runs of one test under many seeds.

use std::env;
use std::panic::{self, AssertUnwindSafe};
use std::process;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

/// A run that takes longer has no end: the others take milliseconds.
const PATIENCE: Duration = Duration::from_secs(100);

/// Runs `test` with the seeds from 0 to `count`, or with the one in the environment variable `SEED` alone. For more
/// than usual, `SEEDS` says how many.
///
/// # Panics
/// Where a run panics, after a line on standard error that says how to repeat it. Where one has no end, the process is
/// aborted after such a line.
pub fn each_seed(count: u64, test: impl Fn(u64)) {
    let seeds = match (number("SEED"), number("SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, most) => 0..most.unwrap_or(count),
    };
    let watchdog = watch();
    for seed in seeds {
        let _ = watchdog.send(command(seed));
        if let Err(panic) = panic::catch_unwind(AssertUnwindSafe(|| test(seed))) {
            eprintln!("seed {seed} fails; to repeat it: {}", command(seed));
            panic::resume_unwind(panic);
        }
    }
}

/// What is told the command of each run that begins, and aborts the process where the next one is too long in coming.
fn watch() -> Sender<String> {
    let (begun, begins) = mpsc::channel::<String>();
    thread::spawn(move || {
        let mut present = String::new();
        loop {
            match begins.recv_timeout(PATIENCE) {
                Ok(command) => present = command,
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    eprintln!("a run has no end; to repeat it: {present}");
                    process::abort();
                }
            }
        }
    });
    begun
}

/// What repeats the run of the present test with this seed.
fn command(seed: u64) -> String {
    let thread = thread::current();
    let test = thread.name().unwrap_or_default();
    // A test target is built under its name, with a hash behind it.
    let program = env::current_exe().unwrap_or_default();
    let program = program.file_stem().unwrap_or_default().to_string_lossy();
    let target = program.rsplit_once('-').map_or("pair", |(target, _)| target);
    format!("SEED={seed} cargo test -p mcp-tests --test {target} -- --exact {test}")
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|value| value.parse().expect("a number"))
}
