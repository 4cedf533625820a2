//! E: where an application that does not await meets futures.
//!
//! There is no blocking form of anything, so what E1 asks for does not compile (the guide to co-hosting shows it, as a
//! doctest). What can be seen at run time is that no verb waits in place: each gives the thread back, whatever it wants.

use std::future::Future;
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use mcp_proto::Era;
use mcp_proto::jsonrpc::Params;
use mcp_proto::toolbox::{ServerTools, Toolbox};
use mcp_tests::meter::Meter;
use mcp_tests::runtime::{Address, listen};
use mcp_tests::world::client_config;
use serde_json::json;

use super::each;

#[test]
fn e1_no_verb_waits_in_place() {
    each("E1", async |runtime, era, figures| {
        // Nobody answers, and nobody drives the client: a verb that waited would wait for ever.
        let (near, _far) = UnixStream::pair().unwrap();
        let (client, driver) = runtime.client_over(near, client_config(era)).unwrap();
        let toolbox = Toolbox::builder().server("app", client.clone()).build();
        let meter = Meter::default();
        // Without a handshake a client is ready as it is.
        let waits = gives_the_thread_back(&meter, client.ready());
        assert_eq!(waits, era == Era::Legacy);
        assert!(gives_the_thread_back(
            &meter,
            client.call_tool("echo", json!({"text": "x"}))
        ));
        assert!(gives_the_thread_back(&meter, client.list_tools()));
        assert!(gives_the_thread_back(
            &meter,
            client.request_raw("prompts/list", Params::NONE)
        ));
        assert!(gives_the_thread_back(&meter, toolbox.list()));
        assert!(gives_the_thread_back(&meter, client.close()));
        figures.within("longest verb", meter.busy(), 1.0);
        drop(driver);
    });
}

/// Whether the future is pending after its first poll.
fn gives_the_thread_back<F: Future>(meter: &Meter, future: F) -> bool {
    let mut future = pin!(future);
    meter
        .measure(|| future.as_mut().poll(&mut Context::from_waker(Waker::noop())))
        .is_pending()
}

#[test]
fn e2_what_is_made_shown_and_dropped_does_no_io() {
    each("E2", async |runtime, era, figures| {
        let (listener, url) = listen();
        for _ in 0..10 {
            let client = runtime
                .connect(&Address::Http(url.clone()), client_config(era))
                .await
                .unwrap();
            let toolbox = Toolbox::builder()
                .server("app", ServerTools::new(client.clone()).prefix("app_"))
                .build();
            let tool = toolbox.tool("app_echo");
            assert!(!format!("{client:?} {toolbox:?} {tool:?} {:?}", client.counters()).is_empty());
            // Drivers get their turn before everything is dropped, and after it.
            runtime.sleep(Duration::from_millis(2)).await;
            drop((client, toolbox, tool));
            runtime.sleep(Duration::from_millis(2)).await;
        }
        let connections = std::iter::from_fn(|| listener.accept().ok()).count();
        figures.print("connections", connections);
        assert_eq!(connections, 0);
    });
}
