//! In memory.

use std::sync::Arc;

use mcp_smol::mcp_proto::client::Mode;
use mcp_smol::mcp_proto::rpc::{CallError, CloseReason};
use mcp_smol::memory::{connect_memory, duplex};

use crate::world::{MODES, Seen, config, dive, echo, echo_all, everywhere, server, start};

#[test]
fn calls_in_every_mode() {
    everywhere(async |spawn| {
        for mode in MODES {
            let seen = Arc::default();
            let client = connect_memory(&server(&seen), config(mode), spawn);
            echo_all(spawn, &client, 100).await;
            assert_eq!(client.list_tools().await.expect("tools").len(), 3);
            dive(&seen, &client, 500).await;
        }
    });
}

#[test]
fn the_driver_ends_with_the_client_and_the_client_with_the_driver() {
    everywhere(async |spawn| {
        let server = server(&Arc::<Seen>::default());
        let (client, driver) = duplex(&server, config(Mode::Auto));
        let driver = start(spawn, driver);
        assert_eq!(echo(&client, "x").await, Ok("x".to_owned()));
        drop(client);
        assert_eq!(driver.await, Some(()));
        let (client, driver) = duplex(&server, config(Mode::Auto));
        drop(driver);
        assert_eq!(
            echo(&client, "x").await,
            Err(CallError::Closed(CloseReason::DriverDropped))
        );
    });
}
