//! What notices that a scenario blocks its thread.

use std::process;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

/// Ends the process when it is not dropped in time: a timer of a runtime does not fire where its thread is blocked,
/// and a test that hangs says nothing.
#[derive(Debug)]
pub(super) struct Watchdog {
    _alive: Sender<()>,
}

impl Watchdog {
    /// One that waits for `patience`.
    pub(super) fn start(patience: Duration) -> Self {
        let (alive, gone) = mpsc::channel::<()>();
        let name = String::from(thread::current().name().unwrap_or("a scenario"));
        thread::spawn(move || {
            if gone.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
                eprintln!("{name} has blocked its thread for {patience:?}");
                process::abort();
            }
        });
        Self { _alive: alive }
    }
}
