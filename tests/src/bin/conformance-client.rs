//! The client fixture of the official conformance suite: `conformance-client --runtime tokio URL`.

use std::process::ExitCode;

use mcp_tests::conformance::arguments::ClientArguments;
use mcp_tests::conformance::runtime;

fn main() -> ExitCode {
    let arguments = ClientArguments::parse(std::env::args().skip(1));
    match arguments.and_then(|arguments| runtime::run_client(&arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("conformance-client: {failure}");
            ExitCode::FAILURE
        }
    }
}
