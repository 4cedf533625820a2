//! Sessions of the legacy era over HTTP that a server no longer knows.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use futures_util::future::try_join_all;
use mcp_proto::Era;
use mcp_proto::handle::Client;
use mcp_proto::http::server::HttpConfig;
use mcp_proto::rpc::CallError;
use mcp_tests::raw::exchange;
use mcp_tests::runtime::{Address, Flavour, Runtime, Task, listen};
use mcp_tests::world::{Probe, Wire, client_config, server, tapped};
use serde_json::json;

#[test]
fn a_session_that_was_ended_is_made_again_once_and_no_call_is_lost() {
    for flavour in Flavour::ALL {
        flavour.run(async |runtime| {
            let wire = Wire::default();
            let (listener, url) = listen();
            let address = listener.local_addr().unwrap();
            let _serving = serve(runtime, listener, &wire);
            let client = connect(runtime, url).await;
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
    for flavour in Flavour::ALL {
        flavour.run(async |runtime| {
            let (before, after) = (Wire::default(), Wire::default());
            let (listener, url) = listen();
            let again = listener.try_clone().unwrap();
            let mut serving = serve(runtime, listener, &before);
            let client = connect(runtime, url).await;
            call(&client).await.unwrap();

            serving.stop().await;
            let _serving = serve(runtime, again, &after);
            // A call that meets a connection of the old server may have been processed, so it is not repeated.
            while let Err(error) = call(&client).await {
                assert_eq!(error, CallError::Disconnected);
            }
            try_join_all((0..50).map(|_| call(&client))).await.unwrap();
            assert_eq!((before.count("initialize"), after.count("initialize")), (1, 1));
        });
    }
}

/// A new server behind this listener, with no sessions.
fn serve(runtime: &dyn Runtime, listener: TcpListener, wire: &Wire) -> Task {
    let server = server(&Arc::new(Probe::default()), runtime.flavour());
    let (service, beside) = runtime.service(&server, HttpConfig::default());
    runtime.serve_site(listener, tapped(service, wire), beside).unwrap()
}

async fn connect(runtime: &dyn Runtime, url: String) -> Client {
    let config = client_config(Era::Legacy);
    runtime.connect(&Address::Http(url), config).await.unwrap()
}

async fn call(client: &Client) -> Result<(), CallError> {
    client.call_tool("echo", json!({"text": "x"})).await.map(drop)
}

/// Ends a session behind the back of its client.
async fn end_session(address: SocketAddr, session: &str) {
    let request =
        format!("DELETE /mcp HTTP/1.1\r\nHost: {address}\r\nMcp-Session-Id: {session}\r\nConnection: close\r\n\r\n");
    let response = smol::unblock(move || exchange(address, request.as_bytes())).await;
    assert!(response.starts_with("HTTP/1.1 2"), "{response}");
}
