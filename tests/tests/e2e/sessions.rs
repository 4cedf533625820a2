//! Sessions of the legacy era over HTTP that a server no longer knows.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future::try_join_all;
use mcp_proto::Era;
use mcp_proto::handle::Client;
use mcp_proto::rpc::CallError;
use mcp_tokio::connect_with;
use mcp_tokio::http::HttpOptions;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::server::{Probe, server};
use crate::world::{Wire, client_config, runtime, serve_http};

#[test]
fn a_session_that_was_ended_is_made_again_once_and_no_call_is_lost() {
    for threads in [1, 2] {
        runtime(threads).block_on(async {
            let wire = Wire::default();
            let (address, client) = start(&wire).await;
            call(&client).await.unwrap();
            end_session(address, &wire.session()).await;
            try_join_all((0..50).map(|_| call(&client))).await.unwrap();
            assert_eq!(
                (wire.count("initialize"), wire.count("notifications/initialized")),
                (2, 2)
            );
        });
    }
}

#[test]
fn a_server_that_was_restarted_is_introduced_to_once_more() {
    for threads in [1, 2] {
        runtime(threads).block_on(async {
            let (before, after) = (Wire::default(), Wire::default());
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let serving = serve_http(listener, server(&Arc::new(Probe::default())), &before);
            let client = connect(address);
            call(&client).await.unwrap();

            serving.abort();
            let _ = serving.await;
            let listener = TcpListener::bind(address).await.unwrap();
            serve_http(listener, server(&Arc::new(Probe::default())), &after);
            // A call that meets a connection of the old server may have been processed, so it is not repeated.
            while let Err(error) = call(&client).await {
                assert_eq!(error, CallError::Disconnected);
            }
            try_join_all((0..50).map(|_| call(&client))).await.unwrap();
            assert_eq!((before.count("initialize"), after.count("initialize")), (1, 1));
        });
    }
}

async fn start(wire: &Wire) -> (SocketAddr, Client) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    serve_http(listener, server(&Arc::new(Probe::default())), wire);
    (address, connect(address))
}

fn connect(address: SocketAddr) -> Client {
    let url = format!("http://{address}/mcp");
    connect_with(&url, client_config(Era::Legacy), &HttpOptions::default()).unwrap()
}

async fn call(client: &Client) -> Result<(), CallError> {
    client.call_tool("echo", json!({"text": "x"})).await.map(drop)
}

/// Ends a session behind the back of its client.
async fn end_session(address: SocketAddr, session: &str) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request =
        format!("DELETE /mcp HTTP/1.1\r\nHost: {address}\r\nMcp-Session-Id: {session}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 2"), "{response}");
}
