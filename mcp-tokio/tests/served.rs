//! Our own server over byte streams and in memory, in both eras.

use std::future::Future;
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use mcp_tokio::mcp_proto::Revision;
use mcp_tokio::mcp_proto::client::{ClientConfig, Mode};
use mcp_tokio::mcp_proto::rpc::{CallError, CloseReason};
use mcp_tokio::stream::{connect_stream, serve_stream};
use mcp_tokio::{Client, ConnectError, Server, ToolError, memory};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::time::{sleep, timeout};

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

#[derive(Deserialize, JsonSchema)]
struct Depth {
    depth: u32,
}

/// A server with an `echo`, and a `dive` that calls itself through `own`.
fn server(own: Arc<OnceLock<Client>>) -> Server {
    Server::builder("test", "1")
        .tool("echo", "Says it again", |args: Text| async move { Ok(args.text) })
        .tool("sleep", "Takes an hour", |_: Text| async move {
            sleep(Duration::from_secs(3600)).await;
            Ok("late")
        })
        .tool("dive", "Calls itself", move |args: Depth| {
            let own = own.clone();
            async move {
                if args.depth == 0 {
                    return Ok("ground".to_owned());
                }
                let client = own.get().ok_or_else(|| ToolError::text("no client"))?;
                let call = client.call_tool("dive", json!({"depth": args.depth - 1}));
                let result = call.await.map_err(|error| ToolError::text(error.to_string()))?;
                Ok(text(&result))
            }
        })
        .build()
}

fn text(result: &mcp_tokio::mcp_proto::model::CallToolResult) -> String {
    result.content[0].as_text().expect("text").to_owned()
}

async fn echo(client: &Client, words: &str) -> Result<String, CallError> {
    let result = bounded(client.call_tool("echo", json!({"text": words}))).await?;
    Ok(text(&result))
}

/// So many calls at once.
async fn echo_all(client: &Client, calls: usize) {
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..calls {
        let client = client.clone();
        tasks.spawn(async move { (n, echo(&client, &n.to_string()).await) });
    }
    while let Some(done) = tasks.join_next().await {
        let (n, outcome) = done.expect("no panic");
        assert_eq!(outcome, Ok(n.to_string()));
    }
}

#[tokio::test]
async fn in_memory_in_every_mode() {
    for mode in MODES {
        let client = memory::connect_memory(&server(Arc::default()), config(mode)).expect("a client");
        echo_all(&client, 100).await;
        assert_eq!(client.list_tools().await.expect("tools").len(), 3);
    }
}

#[tokio::test]
async fn over_pipes_of_any_size_in_every_mode() {
    for room in [1, 100, 1 << 16] {
        for mode in MODES {
            let (near, far) = duplex(room);
            let served = tokio::spawn(serve_stream(&server(Arc::default()), far));
            let client = connect_stream(near, config(mode)).expect("a client");
            echo_all(&client, 20).await;
            drop(client);
            bounded(served).await.expect("no panic").expect("a graceful end");
        }
    }
}

#[tokio::test]
async fn a_tool_that_calls_itself_through_its_own_connection() {
    for mode in MODES {
        let own: Arc<OnceLock<Client>> = Arc::default();
        let client = memory::connect_memory(&server(own.clone()), config(mode)).expect("a client");
        own.set(client.clone()).expect("once");
        let result = bounded(client.call_tool("dive", json!({"depth": 500}))).await;
        assert_eq!(text(&result.expect("a result")), "ground");
    }
}

#[tokio::test]
async fn answers_still_come_after_the_peer_has_ended_its_side() {
    let (near, far) = duplex(1 << 16);
    let served = tokio::spawn(serve_stream(&server(Arc::default()), far));
    let (mut read, mut write) = tokio::io::split(near);
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"},
    }});
    write.write_all(format!("{hello}\n").as_bytes()).await.expect("write");
    write.shutdown().await.expect("shutdown");
    let mut answer = String::new();
    bounded(read.read_to_string(&mut answer)).await.expect("read");
    assert!(answer.contains("\"serverInfo\"") && answer.ends_with('\n'), "{answer}");
    bounded(served).await.expect("no panic").expect("a graceful end");
}

#[tokio::test]
async fn dropping_the_driver_of_a_server_ends_its_clients() {
    let (near, far) = duplex(1 << 16);
    let served = tokio::spawn(serve_stream(&server(Arc::default()), far));
    let client = connect_stream(near, config(Mode::Auto)).expect("a client");
    assert_eq!(echo(&client, "x").await, Ok("x".to_owned()));
    let hanging = {
        let client = client.clone();
        tokio::spawn(async move { client.call_tool("sleep", json!({"text": ""})).await })
    };
    sleep(Duration::from_millis(20)).await;
    served.abort();
    let outcome = bounded(hanging).await.expect("no panic");
    assert_eq!(outcome, Err(CallError::Closed(CloseReason::Peer)));
}

#[test]
fn a_client_in_memory_without_a_runtime_is_an_error() {
    let client = memory::connect_memory(&server(Arc::default()), config(Mode::Auto));
    assert_eq!(client.err(), Some(ConnectError::NoRuntime));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_unix_sockets_on_many_threads() {
    let path = std::env::temp_dir().join(format!("mcp-tokio-served-{}.sock", std::process::id()));
    let listener = tokio::net::UnixListener::bind(&path).expect("bind");
    let served = tokio::spawn(mcp_tokio::stream::serve_unix(server(Arc::default()), listener));
    let mut clients = Vec::new();
    for mode in MODES {
        let client = mcp_tokio::stream::connect_unix(&path, config(mode)).await;
        clients.push(client.expect("a client"));
    }
    for client in &clients {
        echo_all(client, 50).await;
    }
    served.abort();
    for client in &clients {
        // The tasks of the connections are ended by other threads, at their next chance.
        let error = bounded(async {
            loop {
                match echo(client, "x").await {
                    Ok(_) => tokio::task::yield_now().await,
                    Err(error) => return error,
                }
            }
        });
        let error = error.await;
        let is_over = matches!(error, CallError::Closed(CloseReason::Peer) | CallError::Disconnected);
        assert!(is_over, "{error:?}");
    }
    std::fs::remove_file(&path).expect("remove");
    let error = mcp_tokio::stream::connect_unix(&path, config(Mode::Auto)).await;
    assert_eq!(error.expect_err("gone").kind(), io::ErrorKind::NotFound);
}
