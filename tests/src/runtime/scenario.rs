//! Scenarios, run to their end.

use std::time::Duration;

use super::face::Runtime;
use super::flavour::Flavour;
use super::futures::Driver;
use super::listening::raise_file_limit;
use super::watchdog::Watchdog;
use super::{smol, tokio};

/// A scenario that takes longer hangs.
pub const PATIENCE: Duration = Duration::from_secs(60);

impl Flavour {
    /// Runs a scenario to its end, on a runtime of its own that is gone afterwards.
    ///
    /// # Panics
    /// Where it panics, or takes longer than [`PATIENCE`]. Where it blocks the thread for so long, the process is
    /// aborted, after a line on standard error.
    pub fn run<T>(self, scenario: impl AsyncFnOnce(&dyn Runtime) -> T) -> T {
        let _watchdog = Watchdog::start(PATIENCE * 2);
        self.run_on_its_own(async |runtime| {
            let hangs = "the scenario hangs";
            runtime.within(PATIENCE, scenario(runtime)).await.expect(hangs)
        })
    }

    /// The same without a bound in time, and without any thread beside those of the runtime.
    pub fn run_on_its_own<T>(self, program: impl AsyncFnOnce(&dyn Runtime) -> T) -> T {
        raise_file_limit();
        match self {
            Self::TokioCurrent | Self::TokioThreads => tokio::run(self, program),
            Self::SmolLocal => smol::run_local(program),
            Self::SmolThreads => smol::run_threads(program),
            Self::SmolAlone => smol::run_alone(program),
        }
    }

    /// Ready after `time`. It has to be polled on this runtime.
    pub fn sleep(self, time: Duration) -> Driver {
        match self.is_tokio() {
            true => tokio::sleep(time),
            false => smol::sleep(time),
        }
    }
}
