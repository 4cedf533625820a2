//! Outside of a runtime there is an error and no panic, where a task would have to be spawned.

use mcp_tokio::stream::connect_stream;
use mcp_tokio::{ClientConfig, ConnectError, Server, connect, memory};

#[test]
fn a_client_over_http() {
    assert_eq!(connect("http://localhost/").err(), Some(ConnectError::NoRuntime));
}

#[test]
fn a_client_over_a_stream() {
    let (near, _far) = tokio::io::duplex(8);
    let client = connect_stream(near, ClientConfig::named("test", "1"));
    assert_eq!(client.err(), Some(ConnectError::NoRuntime));
}

#[test]
fn a_client_in_memory() {
    let server = Server::builder("test", "1").build();
    let client = memory::connect_memory(&server, ClientConfig::named("test", "1"));
    assert_eq!(client.err(), Some(ConnectError::NoRuntime));
}
