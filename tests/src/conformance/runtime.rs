//! The fixtures on the runtime that they are to run on.

mod smol;
mod tokio;

use super::Failure;
use super::arguments::{ClientArguments, Runtime, ServerArguments};

/// Serves the server fixture until the process is ended, or its standard input.
///
/// # Errors
/// Why the port cannot be listened on.
pub fn serve(arguments: ServerArguments) -> Result<(), Failure> {
    match arguments.runtime {
        Runtime::Tokio => tokio::serve(arguments.port),
        Runtime::Smol => smol::serve(arguments.port),
    }
}

/// Runs the client fixture through the scenario that the environment names.
///
/// # Errors
/// What went wrong in the scenario.
pub fn run_client(arguments: &ClientArguments) -> Result<(), Failure> {
    match arguments.runtime {
        Runtime::Tokio => tokio::run_client(&arguments.url),
        Runtime::Smol => smol::run_client(&arguments.url),
    }
}
