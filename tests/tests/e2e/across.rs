//! A client on one runtime and its server on another, in two threads of one process.

use futures_util::future::try_join_all;
use mcp_proto::Era;
use mcp_proto::rpc::{CallError, CloseReason};
use mcp_tests::world::{Transport, across};
use serde_json::json;

#[test]
fn a_hundred_first_calls_at_once_reach_the_other_runtime() {
    across(async |world| {
        let texts: Vec<_> = (0..100).map(|number| number.to_string()).collect();
        let calls = texts
            .iter()
            .map(|text| world.client.call_tool("echo", json!({ "text": text })));
        for (text, result) in texts.iter().zip(try_join_all(calls).await.unwrap()) {
            assert_eq!(result.content[0].as_text(), Some(text.as_str()));
        }
        if Transport::TAPPED.contains(&world.transport) {
            assert_eq!(world.wire.handshakes(), usize::from(world.era == Era::Legacy));
        }
    });
}

/// Every level goes from the thread of the server to that of the client and back.
#[test]
fn a_tool_calls_itself_through_the_other_runtime() {
    across(async |world| {
        let result = world.client.call_tool("nest", json!({"number": 50})).await.unwrap();
        assert_eq!(result.content[0].as_text(), Some("50"));
    });
}

#[test]
fn a_dropped_call_ends_its_handler_on_the_other_runtime() {
    across(async |world| {
        let mut call = Box::pin(world.client.call_tool("wait", json!({})));
        tokio::select! {
            _ = &mut call => panic!("it never ends"),
            () = world.probe.started.notified() => {}
        }
        drop(call);
        world.probe.dropped.notified().await;
        let large = world
            .client
            .call_tool("large", json!({"number": 300_000}))
            .await
            .unwrap();
        assert_eq!(large.content[0].as_text().map(str::len), Some(300_000));
    });
}

#[test]
fn the_end_of_the_other_runtime_ends_the_calls_in_flight() {
    across(async |mut world| {
        let mut call = Box::pin(world.client.call_tool("wait", json!({})));
        tokio::select! {
            _ = &mut call => panic!("it never ends"),
            () = world.probe.started.notified() => {}
        }
        world.kill_server().await;
        match (world.transport.is_http(), call.await.unwrap_err()) {
            (true, CallError::Disconnected | CallError::Stale) | (false, CallError::Closed(CloseReason::Peer)) => {}
            (_, other) => panic!("{other:?}"),
        }
    });
}
