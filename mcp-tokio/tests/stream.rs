//! Clients over byte streams, against a peer that answers line by line, on tokio's paused clock.

use std::future::Future;
use std::io;
use std::time::Duration;

use mcp_tokio::ConnectError;
use mcp_tokio::mcp_proto::Timeouts;
use mcp_tokio::mcp_proto::client::{ClientConfig, Mode};
use mcp_tokio::mcp_proto::handle::Client;
use mcp_tokio::mcp_proto::jsonrpc::Params;
use mcp_tokio::mcp_proto::rpc::{CallError, CloseReason, Phase};
use mcp_tokio::stream::{client_over, connect_stream};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, duplex};
use tokio::time::{Instant, sleep, timeout};

async fn bounded<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(300), future).await.expect("in time")
}

/// A client that sends its first request without asking anything before.
fn config() -> ClientConfig {
    Client::builder("test", "1").mode(Mode::Modern).build()
}

/// Calls, and gives back the number that was sent.
async fn call(client: &Client, n: u64) -> Result<u64, CallError> {
    let params = Params::from_serialize(&json!({"n": n})).expect("parameters");
    let result: Value = client.request_raw("test/echo", params).await?.decode().expect("JSON");
    Ok(result["n"].as_u64().expect("a number"))
}

/// Answers so many requests with the number that was sent, and goes.
async fn answer(stream: impl AsyncRead + AsyncWrite, requests: usize) {
    let (read, mut write) = tokio::io::split(stream);
    let mut lines = BufReader::new(read).lines();
    for _ in 0..requests {
        let Some(line) = lines.next_line().await.expect("read") else {
            return;
        };
        let request: Value = serde_json::from_str(&line).expect("JSON");
        let result = json!({"resultType": "complete", "n": request["params"]["n"]});
        let answer = json!({"jsonrpc": "2.0", "id": request["id"], "result": result});
        write.write_all(format!("{answer}\n").as_bytes()).await.expect("write");
    }
}

#[tokio::test(start_paused = true)]
async fn calls_are_answered() {
    let (near, far) = duplex(64);
    tokio::spawn(answer(far, usize::MAX));
    let client = connect_stream(near, config()).expect("a client");
    for n in 0..10 {
        assert_eq!(bounded(call(&client, n)).await, Ok(n));
    }
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..100 {
        let client = client.clone();
        calls.spawn(async move { (n, call(&client, n).await) });
    }
    while let Some(done) = bounded(calls.join_next()).await {
        let (n, outcome) = done.expect("no panic");
        assert_eq!(outcome, Ok(n));
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_stream_is_told_to_every_call() {
    let (near, far) = duplex(1 << 10);
    tokio::spawn(answer(far, 1));
    let (client, driver) = client_over(near, config());
    let driver = tokio::spawn(driver);
    assert_eq!(bounded(call(&client, 1)).await, Ok(1));
    let closed = Err(CallError::Closed(CloseReason::Peer));
    assert_eq!(bounded(call(&client, 2)).await, closed);
    assert_eq!(bounded(call(&client, 3)).await, closed);
    bounded(driver).await.expect("no panic").ok();
}

#[tokio::test(start_paused = true)]
async fn every_call_to_a_peer_that_reads_nothing_has_its_deadline() {
    let (near, _far) = duplex(8);
    let request = Duration::from_secs(60);
    let timeouts = Timeouts {
        request,
        ..Timeouts::default()
    };
    let config = Client::builder("test", "1")
        .mode(Mode::Modern)
        .timeouts(timeouts)
        .build();
    let client = connect_stream(near, config).expect("a client");
    client
        .notify(
            "test/held-up",
            Params::from_serialize(&json!({"text": "longer than the pipe"})).expect("parameters"),
        )
        .expect("room");
    sleep(Duration::from_secs(1)).await;
    let start = Instant::now();
    let error = bounded(call(&client, 1)).await.expect_err("no answer");
    let phase = Phase::Outbox;
    assert_eq!(error, CallError::Timeout { phase, after: request });
    assert_eq!(start.elapsed().as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_nothing_does_not_hold_up_the_close() {
    let (near, _far) = duplex(8);
    let (client, driver) = client_over(near, config());
    let driver = tokio::spawn(driver);
    assert!(timeout(Duration::from_secs(1), call(&client, 1)).await.is_err());
    drop(client);
    let error = timeout(Duration::from_secs(3), driver).await.expect("in time");
    assert_eq!(
        error.expect("no panic").expect_err("held up").kind(),
        io::ErrorKind::TimedOut
    );
}

#[tokio::test(start_paused = true)]
async fn the_last_handle_ends_the_driver_after_what_is_queued() {
    let (near, far) = duplex(8);
    let (client, driver) = client_over(near, config());
    let driver = tokio::spawn(driver);
    for n in 0..20 {
        let params = Params::from_serialize(&json!({"n": n})).expect("parameters");
        client.notify("test/note", params).expect("room");
    }
    drop(client);
    let mut lines = BufReader::new(far).lines();
    for n in 0..20 {
        let line = bounded(lines.next_line()).await.expect("read").expect("a line");
        let note: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(note["params"]["n"], n);
    }
    assert_eq!(bounded(lines.next_line()).await.expect("read"), None);
    bounded(driver).await.expect("no panic").expect("a graceful end");
}

#[tokio::test(start_paused = true)]
async fn dropping_the_driver_resolves_every_call() {
    let (near, _far) = duplex(1 << 10);
    let (client, driver) = client_over(near, config());
    let driver = tokio::spawn(driver);
    let waiting = {
        let client = client.clone();
        tokio::spawn(async move { call(&client, 1).await })
    };
    sleep(Duration::from_secs(1)).await;
    driver.abort();
    let closed = Err(CallError::Closed(CloseReason::DriverDropped));
    assert_eq!(bounded(waiting).await.expect("no panic"), closed);
    assert_eq!(bounded(call(&client, 2)).await, closed);
}

#[test]
fn without_a_runtime_there_is_an_error_and_no_panic() {
    let (near, _far) = duplex(8);
    assert_eq!(connect_stream(near, config()).err(), Some(ConnectError::NoRuntime));
}
