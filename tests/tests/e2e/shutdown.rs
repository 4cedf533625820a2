//! The graceful end of an HTTP server.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mcp_proto::rpc::CallError;
use mcp_tests::runtime::{Address, Flavour, listen};
use mcp_tests::world::{ERAS, Probe, client_config, server};
use serde_json::json;
use smol::channel;

#[test]
fn a_shutdown_lets_requests_end_and_closes_the_rest() {
    for flavour in Flavour::ALL {
        for era in ERAS {
            println!("{era:?}, {flavour}");
            flavour.run(async |runtime| {
                let probe = Arc::new(Probe::default());
                let (listener, url) = listen();
                let (stop, stopped) = channel::bounded::<()>(1);
                let shutdown = Box::pin(async move {
                    let _ = stopped.recv().await;
                });
                let mut serving = runtime
                    .serve_http(listener, &server(&probe, flavour), shutdown)
                    .unwrap();
                let client = runtime.connect(&Address::Http(url), client_config(era)).await.unwrap();
                client.call_tool("echo", json!({"text": "x"})).await.unwrap();
                let slow = {
                    let client = client.clone();
                    runtime.run(async move { client.call_tool("slow", json!({"text": "done", "ms": 200})).await })
                };
                while probe.begun() == 0 {
                    runtime.sleep(Duration::from_millis(2)).await;
                }
                let began = Instant::now();
                drop(stop);
                let outcome = slow.await.unwrap();
                assert_eq!(outcome.unwrap().content[0].as_text(), Some("done"));
                serving.end().await;
                assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
                let after = client.call_tool("echo", json!({"text": "x"})).await.unwrap_err();
                assert!(
                    matches!(
                        after,
                        CallError::Unreachable(_) | CallError::Disconnected | CallError::Stale
                    ),
                    "{after:?}"
                );
            });
        }
    }
}
