//! HTTP clients over TLS and HTTP/2, on every runtime, against a server that is none of ours.

mod certificates;
mod http2;
mod refused;
mod site;
mod tls;

use std::time::Duration;

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

fn client(runtime: &dyn Runtime, url: &str, options: &HttpOptions) -> Client {
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
        eprintln!("{flavour}");
        flavour.run(async |runtime| scenario(runtime).await);
    }
}

/// Waits until it holds.
async fn until(runtime: &dyn Runtime, what: &str, holds: impl Fn() -> bool) {
    for _ in 0..2500 {
        if holds() {
            return;
        }
        runtime.sleep(Duration::from_millis(2)).await;
    }
    panic!("never: {what}");
}
