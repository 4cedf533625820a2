//! The server fixture of the official conformance suite: `conformance-server --runtime tokio --port N`.

use std::process::ExitCode;

use mcp_tests::conformance::arguments::ServerArguments;
use mcp_tests::conformance::runtime;

fn main() -> ExitCode {
    let arguments = ServerArguments::parse(std::env::args().skip(1));
    match arguments.and_then(runtime::serve) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("conformance-server: {failure}");
            ExitCode::FAILURE
        }
    }
}
