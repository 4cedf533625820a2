//! The application of the acceptance scenarios: `self-calling-app tokio legacy`.

use std::process::ExitCode;

use mcp_tests::app;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match app::run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("self-calling-app: {failure}");
            ExitCode::FAILURE
        }
    }
}
