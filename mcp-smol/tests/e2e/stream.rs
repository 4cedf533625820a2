//! Over byte streams.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mcp_smol::mcp_proto::client::Mode;
use mcp_smol::mcp_proto::rpc::{CallError, CloseReason};
use mcp_smol::stream::{client_over, connect_stream, connect_unix, serve_stream, serve_unix};
use serde_json::json;
use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::net::unix::{UnixListener, UnixStream};

use crate::world::{MODES, Seen, Spawn, config, dive, echo, echo_all, everywhere, is_set, server, start};

fn pair() -> (UnixStream, UnixStream) {
    UnixStream::pair().expect("a pair")
}

#[test]
fn calls_in_every_mode() {
    everywhere(async |spawn| {
        for mode in MODES {
            let (near, far) = pair();
            let seen = Arc::default();
            let served = start(spawn, serve_stream(&server(&seen), far));
            let client = connect_stream(near, config(mode), spawn);
            echo_all(spawn, &client, 100).await;
            let words = "x".repeat(300_000);
            assert_eq!(echo(&client, &words).await.as_ref(), Ok(&words));
            drop(client);
            served.await.expect("no panic").expect("a graceful end");
        }
    });
}

#[test]
fn a_tool_that_calls_itself_through_its_own_connection() {
    everywhere(async |spawn| {
        for mode in MODES {
            let (near, far) = pair();
            let seen = Arc::default();
            let served = start(spawn, serve_stream(&server(&seen), far));
            let (client, driver) = client_over(near, config(mode));
            let driver = start(spawn, driver);
            dive(&seen, &client, 100).await;
            client.close().await;
            driver.await.expect("no panic").expect("a graceful end");
            served.await.expect("no panic").expect("a graceful end");
        }
    });
}

#[test]
fn answers_still_come_after_the_peer_has_ended_its_side() {
    everywhere(async |spawn| {
        let (mut near, far) = pair();
        let served = start(spawn, serve_stream(&server(&Arc::default()), far));
        let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"},
        }});
        near.write_all(format!("{hello}\n").as_bytes()).await.expect("write");
        near.shutdown(std::net::Shutdown::Write).expect("shutdown");
        let mut answer = String::new();
        near.read_to_string(&mut answer).await.expect("read");
        assert!(answer.contains("\"serverInfo\"") && answer.ends_with('\n'), "{answer}");
        served.await.expect("no panic").expect("a graceful end");
    });
}

#[test]
fn the_end_of_the_stream_is_told_to_every_call() {
    everywhere(async |spawn| {
        let (near, far) = pair();
        let seen: Arc<Seen> = Arc::default();
        let served = serve_stream(&server(&seen), far);
        let begun = seen.clone();
        let served = start(
            spawn,
            smol::future::or(async { drop(served.await) }, async move {
                is_set(&begun.begun).await;
            }),
        );
        let client = connect_stream(near, config(Mode::Auto), spawn);
        let outcome = client.call_tool("slow", json!({"text": ""})).await;
        assert_eq!(outcome, Err(CallError::Closed(CloseReason::Peer)));
        assert_eq!(served.await, Some(()));
        assert!(
            !seen.ended.load(Ordering::SeqCst),
            "the handlers end with their connection"
        );
    });
}

static SOCKETS: AtomicUsize = AtomicUsize::new(0);

/// Serves on a socket of its own, on as many threads as there are.
async fn listen(spawn: Spawn<'_>) -> std::path::PathBuf {
    let number = SOCKETS.fetch_add(1, Ordering::Relaxed);
    let name = format!("mcp-smol-e2e-{}-{number}.sock", std::process::id());
    let path = std::env::temp_dir().join(name);
    let listener = UnixListener::bind(&path).expect("bind");
    let server = server(&Arc::default());
    for _ in 0..3 {
        let serving = serve_unix(server.clone(), listener.clone());
        spawn(Box::pin(async { drop(serving.await) }));
    }
    path
}

#[test]
fn over_unix_sockets_from_many_clients() {
    everywhere(async |spawn| {
        let path = listen(spawn).await;
        let mut clients = Vec::new();
        for n in 0..30 {
            let client = connect_unix(&path, config(MODES[n % 3]), spawn).await;
            clients.push(client.expect("a client"));
        }
        for client in &clients {
            echo_all(spawn, client, 10).await;
        }
        std::fs::remove_file(&path).expect("remove");
        let error = connect_unix(&path, config(Mode::Auto), spawn).await.expect_err("gone");
        assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    });
}
