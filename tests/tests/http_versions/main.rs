//! HTTP clients over TLS and HTTP/2, on every runtime, against a server that is none of ours.

mod certificates;
mod http2;
mod refused;
mod site;
mod tls;

use std::time::Duration;

use mcp_driver::http::HttpOptions;
use mcp_proto::handle::Client;
use mcp_tests::caller::config;
use mcp_tests::runtime::Runtime;

fn client(runtime: &dyn Runtime, url: &str, options: &HttpOptions) -> Client {
    runtime.connect_http(url, config(), options).expect("a client")
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
