//! Sessions of the legacy era over HTTP that a server no longer knows.

use std::sync::Arc;

use futures_util::future::try_join_all;
use mcp_proto::Era;
use mcp_tokio::connect_with;
use mcp_tokio::http::HttpOptions;
use serde_json::json;
use tokio::net::TcpListener;

use crate::server::{Probe, server};
use crate::world::{Wire, client_config, runtime, serve_http};

#[test]
fn a_server_that_was_restarted_is_introduced_to_once_more_and_no_call_is_lost() {
    for threads in [1, 2] {
        runtime(threads).block_on(async {
            let probe = Arc::new(Probe::default());
            let (before, after) = (Wire::default(), Wire::default());
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let serving = serve_http(listener, server(&probe), &before);
            let url = format!("http://{address}/mcp");
            let client = connect_with(&url, client_config(Era::Legacy), &HttpOptions::default()).unwrap();
            client.call_tool("echo", json!({"text": "before"})).await.unwrap();

            serving.abort();
            let _ = serving.await;
            let listener = TcpListener::bind(address).await.unwrap();
            let serving = serve_http(listener, server(&probe), &after);
            let calls = (0..50).map(|_| client.call_tool("echo", json!({"text": "after"})));
            try_join_all(calls).await.unwrap();
            assert_eq!((before.handshakes(), after.handshakes()), (1, 1));
            serving.abort();
        });
    }
}
