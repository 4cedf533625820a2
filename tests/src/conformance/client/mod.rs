//! The client fixture: for each scenario of the suite, the steps that its server waits for.
//!
//! One file per area of the protocol; [`run`] is the table of contents.

mod assignment;
mod headers;
mod rounds;
mod tools;

pub use assignment::Assignment;
use mcp_proto::handle::Client;

use super::Failure;

/// Does what the scenario asks for.
///
/// # Errors
/// What went wrong, or that there is no such scenario here.
pub async fn run(assignment: &Assignment, client: &Client) -> Result<(), Failure> {
    match assignment.scenario() {
        "initialize" => tools::connect(client).await,
        "tools_call" => tools::add_numbers(client).await,
        "request-metadata" | "json-schema-ref-no-deref" => tools::list(client).await,
        "json-schema-2020-12-preservation" => tools::echo_schema(client).await,
        "elicitation-sep1034-client-defaults" => tools::call(client, "test_client_elicitation_defaults").await,
        "sse-retry" => tools::call(client, "test_reconnection").await,
        "sep-2322-client-request-state" => rounds::with_and_without_state(client).await,
        "http-standard-headers" => headers::standard(client).await,
        "http-custom-headers" => headers::custom(client, assignment).await,
        "http-invalid-tool-headers" => headers::invalid_tools(client).await,
        unknown => Err(format!("the scenario {unknown:?} is not known").into()),
    }
}
