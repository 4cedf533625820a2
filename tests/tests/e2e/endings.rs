//! How connections end.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;

use mcp_proto::Era;
use mcp_proto::handle::Client;
use mcp_proto::rpc::{CallError, CloseReason, SendError};
use mcp_tests::runtime::{AnyPump, Flavour};
use mcp_tests::world::{ERAS, Probe, Transport, client_config, everywhere, over, server};
use serde_json::json;

#[test]
fn a_server_that_is_killed_ends_the_calls_in_flight() {
    over(
        &[
            Transport::Mounted,
            Transport::Http2,
            Transport::Pipe,
            Transport::Unix,
            Transport::Tcp,
        ],
        async |mut world| {
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
            world.probe.dropped.notified().await;
        },
    );
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
    over(&Transport::STREAMS, async |mut world| {
        world.client.call_tool("echo", json!({"text": "x"})).await.unwrap();
        world.drop_client();
        world.server_ended().await;
    });
}

#[test]
fn a_client_without_its_driver_is_closed() {
    for flavour in Flavour::ALL {
        for era in ERAS {
            flavour.run(async |runtime| {
                let server = server(&Arc::new(Probe::default()), flavour);
                let (client, driver) = runtime.duplex(&server, client_config(era));
                let mut driver = runtime.start(driver);
                client.call_tool("echo", json!({"text": "x"})).await.unwrap();
                driver.stop().await;
                let error = client.call_tool("echo", json!({"text": "x"})).await.unwrap_err();
                assert_eq!(error, CallError::Closed(CloseReason::DriverDropped));

                let (client, driver) = runtime.duplex(&server, client_config(era));
                let mut driver = runtime.start(driver);
                client.call_tool("echo", json!({"text": "x"})).await.unwrap();
                drop(client);
                driver.end().await;
            });
        }
    }
}

#[test]
fn answers_still_come_after_the_peer_has_ended_its_side() {
    for flavour in Flavour::ALL {
        flavour.run(async |runtime| {
            let (mut near, far) = UnixStream::pair().unwrap();
            let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
                "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"},
            }});
            near.write_all(format!("{hello}\n").as_bytes()).unwrap();
            near.shutdown(Shutdown::Write).unwrap();
            let server = server(&Arc::new(Probe::default()), flavour);
            let pump = AnyPump::new(server.pump());
            runtime.drive(pump, far).unwrap().await.unwrap();
            let mut answer = String::new();
            near.read_to_string(&mut answer).unwrap();
            assert!(answer.contains("\"serverInfo\"") && answer.ends_with('\n'), "{answer}");
        });
    }
}

/// The handles of a client may be dropped from anywhere, after its runtime as well.
#[test]
fn a_client_outlives_its_runtime() {
    for flavour in Flavour::ALL {
        for era in ERAS {
            let client: Client = flavour.run(async |runtime| {
                let server = server(&Arc::new(Probe::default()), flavour);
                let (client, driver) = runtime.duplex(&server, client_config(era));
                runtime.spawn(driver);
                client.call_tool("echo", json!({"text": "x"})).await.unwrap();
                client
            });
            let error = smol::block_on(client.call_tool("echo", json!({"text": "x"}))).unwrap_err();
            assert_eq!(error, CallError::Closed(CloseReason::DriverDropped));
        }
    }
}

#[test]
fn a_socket_that_is_not_there_is_an_error() {
    for flavour in Flavour::ALL {
        flavour.run(async |runtime| {
            let nowhere = Path::new("/nonexistent/mcp.sock");
            let error = runtime
                .connect_unix(nowhere, client_config(Era::Modern))
                .await
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound);
        });
    }
}
