//! What is tokio's own about our server over byte streams and in memory.

use std::future::Future;
use std::time::Duration;

use mcp_tokio::mcp_proto::Revision;
use mcp_tokio::mcp_proto::client::{ClientConfig, Mode};
use mcp_tokio::stream::{connect_stream, serve_stream};
use mcp_tokio::{Client, ConnectError, Server, memory};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use tokio::io::duplex;
use tokio::time::timeout;

const MODES: [Mode; 3] = [Mode::Auto, Mode::Modern, Mode::Legacy(Revision::LATEST_LEGACY)];

async fn bounded<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), future).await.expect("in time")
}

fn config(mode: Mode) -> ClientConfig {
    Client::builder("test", "1").mode(mode).build()
}

#[derive(Deserialize, JsonSchema)]
struct Text {
    text: String,
}

fn server() -> Server {
    Server::builder("test", "1")
        .tool("echo", "Says it again", |args: Text| async move { Ok(args.text) })
        .build()
}

/// So many calls at once.
async fn echo_all(client: &Client, calls: usize) {
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..calls {
        let client = client.clone();
        tasks.spawn(async move {
            let call = client.call_tool("echo", json!({"text": n.to_string()}));
            let result = bounded(call).await.expect("a result");
            assert_eq!(result.content[0].as_text(), Some(n.to_string().as_str()));
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("no panic");
    }
}

#[tokio::test]
async fn over_pipes_of_any_size_in_every_mode() {
    for room in [1, 100, 1 << 16] {
        for mode in MODES {
            let (near, far) = duplex(room);
            let served = tokio::spawn(serve_stream(&server(), far));
            let client = connect_stream(near, config(mode)).expect("a client");
            echo_all(&client, 20).await;
            drop(client);
            bounded(served).await.expect("no panic").expect("a graceful end");
        }
    }
}

#[test]
fn a_client_in_memory_without_a_runtime_is_an_error() {
    let client = memory::connect_memory(&server(), config(Mode::Auto));
    assert_eq!(client.err(), Some(ConnectError::NoRuntime));
}
