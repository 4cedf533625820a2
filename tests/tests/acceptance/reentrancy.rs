//! D: tools that call tools, and so on; nothing that is bounded is held meanwhile.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use http_body_util::{BodyExt, Full};
use mcp_proto::client::ClientConfig;
use mcp_proto::handle::Client;
use mcp_proto::http::server::HttpConfig;
use mcp_proto::rpc::{CallError, Phase};
use mcp_proto::{Era, Timeouts};
use mcp_tests::app;
use mcp_tests::raw::Poller;
use mcp_tests::runtime::{Address, Flavour, Runtime, Site, Task, listen};
use mcp_tests::world::{Probe, Transport, client_config, mode, server};
use serde_json::json;
use smol::channel::{self, Receiver};

use super::figures::Figures;
use super::{each, each_over};

/// Where a nest can be: HTTP/1 has a connection for each level, HTTP/2 a stream, the last two one connection for all.
const WAYS: [Transport; 4] = [Transport::Http, Transport::Http2, Transport::Pipe, Transport::Memory];

#[test]
fn d1_a_tool_calls_itself_a_thousand_deep() {
    each_over("D1", &WAYS, async |world, figures| {
        for depth in [1, 5, 50, 100, 200, 1_000] {
            let began = Instant::now();
            let result = world
                .client
                .call_tool("nest", json!({ "number": depth }))
                .await
                .unwrap();
            assert_eq!(result.content[0].as_text(), Some(depth.to_string().as_str()));
            figures.within(&format!("depth {depth}"), began.elapsed(), 50.0 + f64::from(depth));
        }
    });
}

#[test]
fn d2_five_hundred_tools_call_a_tool_at_once() {
    for fan in [39, 40, 98, 99, 100, 500] {
        each_over("D2", &WAYS, async |world, figures| {
            for state in ["cold", "warm"] {
                let began = Instant::now();
                relay(&world.client, fan).await;
                figures.within(&format!("fan {fan}, {state}"), began.elapsed(), 50.0 + 2.0 * fan as f64);
            }
        });
    }
}

/// So many calls of `relay` at once, each of which has `echo` called.
async fn relay(client: &Client, fan: usize) {
    let texts: Vec<_> = (0..fan).map(|number| number.to_string()).collect();
    let calls = texts
        .iter()
        .map(|text| client.call_tool("relay", json!({ "text": text })));
    for (text, result) in texts.iter().zip(join_all(calls).await) {
        assert_eq!(result.unwrap().content[0].as_text(), Some(text.as_str()));
    }
}

#[test]
fn d4_a_plain_route_is_answered_meanwhile() {
    each("D4", async |runtime, era, figures| {
        let probe = Arc::new(Probe::default());
        let (listener, url) = listen();
        let address = listener.local_addr().unwrap();
        let client = runtime.connect(&Address::Http(url), client_config(era)).await.unwrap();
        probe.set_client(client.clone());
        let (mcp, beside) = runtime.service(&server(&probe, runtime.flavour()), HttpConfig::default());
        let site = app::site(mcp, client.clone());
        let _serving = runtime.serve_site(listener, site, beside).unwrap();
        let poller = Poller::start(address, "/health").unwrap();
        runtime.sleep(Duration::from_millis(20)).await;
        relay(&client, 500).await;
        runtime.sleep(Duration::from_millis(20)).await;
        let worst = smol::unblock(move || poller.worst()).await.unwrap();
        figures.within("worst /health during a fan of 500", worst, 50.0);
        probe.forget_client();
    });
}

/// Over HTTP, where the server of an application can ask before it answers. In the modern era there is no handshake
/// that could wait.
#[test]
fn d5_a_handshake_that_waits_for_itself_ends_at_its_deadline() {
    for flavour in Flavour::ONE_THREAD {
        flavour.run(async |runtime| {
            let figures = Figures::of("D5", flavour, Era::Legacy);
            let (client, inner, _serving) = self_dependent(runtime).await;
            let began = Instant::now();
            let outer = client.call_tool("echo", json!({"text": "x"})).await.unwrap_err();
            figures.within("the call from outside", began.elapsed(), 500.0);
            let is_timeout = |error: &CallError| {
                matches!(
                    error,
                    CallError::Timeout {
                        phase: Phase::Initialize,
                        ..
                    }
                )
            };
            assert!(is_timeout(&outer), "{outer:?}");
            let inner = inner.recv().await.unwrap();
            figures.within("the call from inside", began.elapsed(), 500.0);
            assert!(is_timeout(&inner), "{inner:?}");
            let next = client.call_tool("echo", json!({"text": "x"})).await.unwrap();
            assert_eq!(next.content[0].as_text(), Some("x"));
        });
    }
}

/// A server that calls itself, once, before it answers `initialize`, and what came of that.
async fn self_dependent(runtime: &dyn Runtime) -> (Client, Receiver<CallError>, Task) {
    let (listener, url) = listen();
    let server = server(&Arc::new(Probe::default()), runtime.flavour());
    let (mcp, beside) = runtime.service(&server, HttpConfig::default());
    let (ask, asked) = channel::bounded::<()>(1);
    let (told, inner) = channel::bounded(1);
    let (answer, answered) = channel::bounded::<()>(1);
    let site = Site::new(move |request| {
        let (mcp, ask, answered) = (mcp.clone(), ask.clone(), answered.clone());
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            if body.windows(12).any(|piece| piece == b"\"initialize\"") && ask.try_send(()).is_ok() {
                // The channel closes once the call from inside has come to its end.
                let _ = answered.recv().await;
            }
            mcp.answer(http::Request::from_parts(head, Full::new(body))).await
        })
    });
    let serving = runtime.serve_site(listener, site, beside).unwrap();
    let timeouts = Timeouts::default().with_initialize(Duration::from_millis(300));
    let config = ClientConfig::named("tests", "1")
        .with_mode(mode(Era::Legacy))
        .with_timeouts(timeouts);
    let client = runtime.connect(&Address::Http(url), config).await.unwrap();
    let own = client.clone();
    // In a task of its own: what waits for the answer goes when its connection is given up.
    runtime.spawn(Box::pin(async move {
        let _ = asked.recv().await;
        let outcome = own.call_tool("echo", json!({"text": "inner"})).await;
        let _ = told.try_send(outcome.unwrap_err());
        drop((asked, answer));
    }));
    (client, inner, serving)
}
