//! What a call that is given up does.

use std::time::Duration;

use mcp_proto::Era;
use mcp_proto::rpc::{CallError, Phase};
use mcp_tests::world::{Transport, everywhere, over};
use serde_json::json;

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
        assert_eq!(world.probe.running(), 1, "the other call goes on");
        drop(kept);
        world.probe.dropped.notified().await;
    });
}

#[test]
fn a_call_that_takes_too_long_ends_and_cancels_its_handler() {
    everywhere(async |world| {
        // So that the handshake has no part in it.
        world.client.call_tool("echo", json!({"text": "x"})).await.unwrap();
        let call = world
            .client
            .call_tool("wait", json!({}))
            .timeout(Duration::from_millis(100));
        match call.await.unwrap_err() {
            CallError::Timeout {
                phase: Phase::Request, ..
            } => {}
            other => panic!("{other}"),
        }
        world.probe.dropped.notified().await;
    });
}

/// A client whose driver is dropped is as good as dead: its connections close, and nothing is said any more.
#[test]
fn what_a_vanished_client_asked_for_runs_on_in_a_session_alone() {
    over(&[Transport::Mounted, Transport::Http], async |world| {
        let (vanishing, driver) = world.client_over_http();
        let mut driver = world.runtime.start(driver);
        let mut call = Box::pin(vanishing.call_tool("slow", json!({"text": "", "ms": 300})));
        let begun = world.until(|| world.probe.begun() == 1);
        tokio::select! {
            _ = &mut call => panic!("it takes a while"),
            () = begun => {}
        }
        driver.stop().await;
        call.await.unwrap_err();
        world.until(|| world.probe.running() == 0).await;
        assert_eq!(world.probe.finished(), usize::from(world.era == Era::Legacy));
        world.client.call_tool("echo", json!({"text": "x"})).await.unwrap();
    });
}
