//! What the self-call examples of the adapters share: the application, and the world outside that examines it. No runtime
//! is named in here.
//!
//! It is no example by itself: each adapter has one that names its runtime, and takes this in by its path.

mod app;
mod application;
mod connection;
mod descriptors;
mod era;
mod health;
mod heartbeat;
mod host;
mod outside;
mod part;
mod polls;
mod row;
mod table;
mod tools;
mod wire;

use std::process::ExitCode;
use std::time::Duration;

pub(crate) use app::App;
pub(crate) use era::Era;
pub(crate) use heartbeat::Heartbeat;
pub(crate) use host::{Failure, Host};
pub(crate) use part::Part;
#[allow(unused_imports, reason = "not every example names it")]
pub(crate) use polls::{Polls, Watched};
use table::Table;

/// An application that was left alone ends after this time.
pub(crate) const LIFETIME: Duration = Duration::from_secs(60);

/// The program: the world outside, or, where the world outside has started it, the `application`.
pub(crate) fn run(application: impl FnOnce(Era) -> Result<(), Failure>) -> ExitCode {
    let outcome = match std::env::args().nth(1) {
        None => judge(),
        Some(era) => start(&era, application).map(|()| ExitCode::SUCCESS),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("self_call: {error}");
        ExitCode::FAILURE
    })
}

fn start(era: &str, application: impl FnOnce(Era) -> Result<(), Failure>) -> Result<(), Failure> {
    let era = Era::parse(era).ok_or("the argument is for the program's own use; leave it out")?;
    descriptors::allow()?;
    application(era)
}

/// The world outside: examines one application for each era.
fn judge() -> Result<ExitCode, Failure> {
    let reports: Vec<_> = Era::ALL.into_iter().map(outside::examine).collect::<Result<_, _>>()?;
    let table = Table(&reports);
    print!("{table}");
    let faults = table.faults();
    for fault in &faults {
        eprintln!("self_call: {fault}");
    }
    Ok(if faults.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
