//! The HTTP client of both adapters, on every runtime, against servers that behave in every way.

mod addresses;
mod aging;
mod connections;
mod ends;
mod http_sse;
mod responses;
mod resume;
mod site;
mod suspended;

use mcp_driver::http::HttpOptions;
use mcp_proto::handle::Client;
use mcp_proto::jsonrpc::Params;
use mcp_tests::caller::{call, call_all, config, everywhere};
use mcp_tests::runtime::Runtime;

fn client(runtime: &dyn Runtime, url: &str) -> Client {
    client_with(runtime, url, &HttpOptions::default())
}

fn client_with(runtime: &dyn Runtime, url: &str, options: &HttpOptions) -> Client {
    runtime.connect_http(url, config(), options).expect("a client")
}
