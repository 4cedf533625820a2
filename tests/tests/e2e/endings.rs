//! How connections end.

use mcp_proto::rpc::{CallError, CloseReason, SendError};
use serde_json::json;

use crate::world::{Transport, everywhere, over};

#[test]
fn a_server_that_is_killed_ends_the_calls_in_flight() {
    over(&[Transport::Http, Transport::Unix], async |mut world| {
        let mut call = Box::pin(world.client.call_tool("wait", json!({})));
        tokio::select! {
            _ = &mut call => panic!("it never ends"),
            () = world.probe.started.notified() => {}
        }
        world.kill_server().await;
        match (world.transport, call.await.unwrap_err()) {
            (Transport::Http, CallError::Disconnected) | (Transport::Unix, CallError::Closed(CloseReason::Peer)) => {}
            (_, other) => panic!("{other:?}"),
        }
        world.probe.dropped.notified().await;
    });
}

#[test]
fn a_client_that_is_closed_ends_its_calls_and_makes_no_more() {
    everywhere(async |world| {
        let mut call = Box::pin(world.client.call_tool("wait", json!({})));
        tokio::select! {
            _ = &mut call => panic!("it never ends"),
            () = world.probe.started.notified() => {}
        }
        world.client.close().await;
        assert_eq!(call.await.unwrap_err(), CallError::Closed(CloseReason::Local));
        let next = world.client.call_tool("echo", json!({"text": "x"})).await.unwrap_err();
        assert!(
            matches!(next, CallError::Refused(SendError::Closed(_)) | CallError::Closed(_)),
            "{next:?}"
        );
        world.probe.dropped.notified().await;
    });
}

#[test]
fn a_stream_ends_with_the_last_handle_of_its_client() {
    over(&[Transport::Unix, Transport::Memory], async |mut world| {
        world.client.call_tool("echo", json!({"text": "x"})).await.unwrap();
        world.probe.forget_client();
        let (client, _) = mcp_proto::handle::Client::over_stream(crate::world::client_config(world.era));
        drop(std::mem::replace(&mut world.client, client));
        world.server_ended().await;
    });
}
