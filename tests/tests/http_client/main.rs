//! The HTTP client of both adapters, on every runtime, against servers that behave in every way.

mod addresses;
mod connections;
mod ends;
mod responses;
mod site;

use mcp_proto::client::{ClientConfig, Mode};
use mcp_proto::handle::Client;
use mcp_proto::handle::driver::HttpOptions;
use mcp_proto::jsonrpc::Params;
use mcp_proto::rpc::CallError;
use mcp_tests::runtime::{Flavour, Runtime};
use serde_json::{Value, json};

/// A client that sends its first request without asking anything before.
fn config() -> ClientConfig {
    Client::builder("test", "1").mode(Mode::Modern).build()
}

fn client(runtime: &dyn Runtime, url: &str) -> Client {
    client_with(runtime, url, &HttpOptions::default())
}

fn client_with(runtime: &dyn Runtime, url: &str, options: &HttpOptions) -> Client {
    runtime.connect_http(url, config(), options).expect("a client")
}

/// Calls, and gives back the number that was sent.
async fn call(client: &Client, n: usize) -> Result<usize, CallError> {
    let params = Params::from_serialize(&json!({"n": n})).expect("parameters");
    let result: Value = client.request_raw("test/echo", params).await?.decode().expect("JSON");
    Ok(result["n"].as_u64().expect("a number") as usize)
}

/// So many calls at once, each with its own number.
async fn call_all(runtime: &dyn Runtime, client: &Client, calls: usize) {
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
fn everywhere(scenario: impl AsyncFn(&dyn Runtime)) {
    for flavour in Flavour::ALL {
        println!("{flavour}");
        flavour.run(async |runtime| scenario(runtime).await);
    }
}
