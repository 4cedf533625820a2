//! Clients over byte streams, against a peer that answers line by line.

use std::time::Duration;

use mcp_proto::client::{ClientConfig, Mode};
use mcp_proto::handle::Client;
use mcp_proto::handle::server::ServerBuilder;
use mcp_proto::jsonrpc::Params;
use mcp_proto::rpc::{CallError, CloseReason, Phase};
use mcp_proto::{Revision, Timeouts};
use mcp_tests::runtime::{Runtime, Stream};
use mcp_tests::world::Echo;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};

use crate::{Driver, everywhere};

/// A client that sends its first request without asking anything before.
fn config() -> ClientConfig {
    ClientConfig::named("test", "1").with_mode(Mode::Modern)
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

#[test]
fn calls_are_answered() {
    everywhere(async |runtime| {
        let (near, far) = Stream::pipe(64);
        runtime.spawn(Box::pin(answer(far, usize::MAX)));
        let client = runtime.connect_stream(near, config()).expect("a client");
        for n in 0..10 {
            assert_eq!(call(&client, n).await, Ok(n));
        }
        let calls = (0..100).map(|n| {
            let client = client.clone();
            runtime.run(async move { call(&client, n).await })
        });
        for (n, outcome) in calls.collect::<Vec<_>>().into_iter().enumerate() {
            assert_eq!(outcome.await, Some(Ok(n as u64)));
        }
    });
}

#[test]
fn the_end_of_the_stream_is_told_to_every_call() {
    everywhere(async |runtime| {
        let (near, far) = Stream::pipe(1 << 10);
        let mut peer = runtime.start(answer(far, 1));
        let (client, driver) = runtime.client_over_stream(near, config());
        let mut driver = runtime.start(async { drop(driver.await) });
        assert_eq!(call(&client, 1).await, Ok(1));
        peer.end().await;
        let closed = Err(CallError::Closed(CloseReason::Peer));
        assert_eq!(call(&client, 2).await, closed);
        assert_eq!(call(&client, 3).await, closed);
        driver.end().await;
    });
}

#[test]
fn every_call_to_a_peer_that_reads_nothing_has_its_deadline() {
    everywhere(async |runtime| {
        let (near, _far) = Stream::pipe(8);
        let request = Duration::from_millis(100);
        let timeouts = Timeouts::default().with_request(request);
        let config = ClientConfig::named("test", "1")
            .with_mode(Mode::Modern)
            .with_timeouts(timeouts);
        let (client, driver) = runtime.client_over_stream(near, config);
        let mut driver = Driver(driver);
        let text = Params::from_serialize(&json!({"text": "longer than the pipe"})).expect("parameters");
        client.notify("test/held-up", text).expect("room");
        assert!(driver.settle().is_none());
        let error = driver.beside(call(&client, 1)).await.expect_err("no answer");
        match error {
            CallError::Timeout {
                phase: Phase::Outbox,
                after,
            } => assert!((request..request * 50).contains(&after), "{after:?}"),
            other => panic!("{other}"),
        }
    });
}

#[test]
fn the_last_handle_ends_the_driver_after_what_is_queued() {
    everywhere(async |runtime| {
        let (near, far) = Stream::pipe(8);
        let (client, driver) = runtime.client_over_stream(near, config());
        for n in 0..20 {
            let params = Params::from_serialize(&json!({"n": n})).expect("parameters");
            client.notify("test/note", params).expect("room");
        }
        drop(client);
        let reading = async {
            let mut lines = BufReader::new(far).lines();
            for n in 0..20 {
                let line = lines.next_line().await.expect("read").expect("a line");
                let note: Value = serde_json::from_str(&line).expect("JSON");
                assert_eq!(note["params"]["n"], n);
            }
            assert_eq!(lines.next_line().await.expect("read"), None);
        };
        let (ended, ()) = Driver(driver).end_beside(reading).await;
        ended.expect("a graceful end");
    });
}

#[test]
fn dropping_the_driver_resolves_every_call() {
    everywhere(async |runtime| {
        let (near, _far) = Stream::pipe(1 << 10);
        let (client, driver) = runtime.client_over_stream(near, config());
        let mut driver = Driver(driver);
        let own = client.clone();
        let waiting = runtime.run(async move { call(&own, 1).await });
        driver.beside(runtime.sleep(Duration::from_millis(5))).await;
        drop(driver);
        let closed = Err(CallError::Closed(CloseReason::DriverDropped));
        assert_eq!(waiting.await.expect("no panic"), closed);
        assert_eq!(call(&client, 2).await, closed);
    });
}

const MODES: [Mode; 3] = [Mode::Auto, Mode::Modern, Mode::Legacy(Revision::LATEST_LEGACY)];

/// So many calls at once.
async fn echo_all(runtime: &dyn Runtime, client: &Client, calls: usize) {
    let calls = (0..calls).map(|n| {
        let client = client.clone();
        let text = n.to_string();
        runtime.run(async move { client.call_tool("echo", json!({"text": text})).await })
    });
    for (n, outcome) in calls.collect::<Vec<_>>().into_iter().enumerate() {
        let result = outcome.await.expect("no panic").expect("a result");
        assert_eq!(result.content[0].as_text(), Some(n.to_string().as_str()));
    }
}

#[test]
fn over_pipes_of_any_size_in_every_mode() {
    let builder: ServerBuilder = mcp_proto::handle::Server::builder("test", "1");
    let server = builder
        .tool("echo", "Says it again", |args: Echo| async move { Ok(args.text) })
        .build();
    everywhere(async |runtime| {
        for room in [1, 100, 1 << 16] {
            for mode in MODES {
                let (near, far) = Stream::pipe(room);
                let served = runtime.run(runtime.serve_stream(&server, Stream::new(far)));
                let config = ClientConfig::named("test", "1").with_mode(mode);
                let client = runtime.connect_stream(near, config).expect("a client");
                echo_all(runtime, &client, 20).await;
                drop(client);
                served.await.expect("no panic").expect("a graceful end");
            }
        }
    });
}
