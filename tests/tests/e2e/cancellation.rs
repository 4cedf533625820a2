//! What a call that is given up does.

use std::time::Duration;

use mcp_proto::rpc::{CallError, Phase};
use serde_json::json;
use tokio::time::timeout;

use crate::world::everywhere;

#[test]
fn a_dropped_call_cancels_its_handler_and_no_other() {
    everywhere(async |world| {
        let (kept, dropped) = (
            world.client.call_tool("wait", json!({})),
            world.client.call_tool("wait", json!({})),
        );
        let (mut kept, mut dropped) = (Box::pin(kept), Box::pin(dropped));
        tokio::select! {
            _ = &mut kept => panic!("it never ends"),
            () = world.probe.started.notified() => {}
        }
        tokio::select! {
            _ = &mut dropped => panic!("it never ends"),
            () = world.probe.started.notified() => {}
        }
        drop(dropped);
        world.probe.dropped.notified().await;
        world
            .client
            .call_tool("echo", json!({"text": "on we go"}))
            .await
            .unwrap();
        let more = timeout(Duration::from_millis(50), world.probe.dropped.notified()).await;
        assert!(more.is_err(), "the other call goes on");
        drop(kept);
        world.probe.dropped.notified().await;
    });
}

#[test]
fn a_call_that_takes_too_long_ends_and_cancels_its_handler() {
    everywhere(async |world| {
        let call = world
            .client
            .call_tool("wait", json!({}))
            .timeout(Duration::from_millis(50));
        match call.await.unwrap_err() {
            CallError::Timeout {
                phase: Phase::Request, ..
            } => {}
            other => panic!("{other}"),
        }
        world.probe.dropped.notified().await;
    });
}
