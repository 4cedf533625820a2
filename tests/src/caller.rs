//! Calls by number, to servers that send back what they are given.

use mcp_proto::client::{ClientConfig, Mode};
use mcp_proto::handle::Client;
use mcp_proto::jsonrpc::Params;
use mcp_proto::rpc::CallError;
use serde_json::{Value, json};

use crate::runtime::{Flavour, Runtime};

/// A client that sends its first request without asking anything before.
pub fn config() -> ClientConfig {
    ClientConfig::named("test", "1").with_mode(Mode::Modern)
}

/// Calls, and gives back the number that was sent.
pub async fn call(client: &Client, n: usize) -> Result<usize, CallError> {
    let params = Params::from_serialize(&json!({"n": n})).expect("parameters");
    let result: Value = client.request_raw("test/echo", params).await?.decode().expect("JSON");
    Ok(result["n"].as_u64().expect("a number") as usize)
}

/// So many calls at once, each with its own number.
pub async fn call_all(runtime: &dyn Runtime, client: &Client, calls: usize) {
    let started: Vec<_> = (0..calls)
        .map(|n| {
            let client = client.clone();
            runtime.run(async move { call(&client, n).await })
        })
        .collect();
    for (n, outcome) in started.into_iter().enumerate() {
        assert_eq!(outcome.await, Some(Ok(n)));
    }
}

/// Runs a scenario on every runtime.
pub fn everywhere(scenario: impl AsyncFn(&dyn Runtime)) {
    for flavour in Flavour::ALL {
        println!("{flavour}");
        flavour.run(async |runtime| scenario(runtime).await);
    }
}
