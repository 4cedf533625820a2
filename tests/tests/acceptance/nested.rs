//! D, through a pool and a toolbox: tools that have tools called.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use http::Method;
use mcp_driver::http::HttpOptions;
use mcp_proto::Era;
use mcp_proto::handle::Server;
use mcp_proto::handle::server::ToolError;
use mcp_proto::rpc::{CallError, Phase, SendError};
use mcp_proto::toolbox::{ToolCallError, Toolbox};
use mcp_tests::runtime::Flavour;
use mcp_tests::world::{Echo, Number, Slow, Transport};
use serde_json::json;
use smol::channel;

use super::figures::Figures;
use super::pool::{Host, Place, WAYS, before, echo, first_method, pool, resolver, session, until};
use super::{each, each_way};

/// The box through which a server calls itself.
#[derive(Clone, Default)]
struct Own(Arc<Mutex<Option<Toolbox>>>);

impl Own {
    fn set(&self, toolbox: Option<Toolbox>) {
        *self.0.lock().unwrap() = toolbox;
    }

    fn toolbox(&self) -> Toolbox {
        self.0.lock().unwrap().clone().expect("the scenario runs")
    }
}

/// A server that calls itself through a box.
fn server(own: &Own, flavour: Flavour) -> Server {
    let (nesting, relaying) = (own.clone(), own.clone());
    Server::builder("nested", "1")
        .tool("echo", "Gives the text back", |args: Echo| async move { Ok(args.text) })
        .tool("slow", "Gives the text back, later", move |args: Slow| async move {
            flavour.sleep(Duration::from_millis(args.ms)).await;
            Ok(args.text)
        })
        .tool("relay", "Has echo called", move |args: Echo| {
            let toolbox = relaying.toolbox();
            async move { Ok(toolbox.call("echo", args).await?.to_text()) }
        })
        .tool("nest", "Calls itself", move |args: Number| {
            let toolbox = nesting.toolbox();
            async move { nest(&toolbox, args.number).await }
        })
        .build()
}

async fn nest(toolbox: &Toolbox, number: u32) -> Result<String, ToolError> {
    if number == 0 {
        return Ok(String::from("0"));
    }
    let below = toolbox.call("nest", json!({ "number": number - 1 })).await?;
    let below: u32 = below.to_text().parse()?;
    Ok((below + 1).to_string())
}

/// A scenario with a server that calls itself over each of the ways.
fn each_nested(id: &'static str, scenario: impl AsyncFn(&Place, Figures)) {
    each_way(id, &WAYS, async |runtime, way, era, figures| {
        let own = Own::default();
        let place = Place::start(runtime, way, server(&own, runtime.flavour()), resolver(era));
        own.set(Some(place.toolbox.clone()));
        scenario(&place, figures).await;
        own.set(None);
        assert_eq!(place.sessions.counters().created, 1);
        place.sessions.close().await;
    });
}

#[test]
fn d1_a_tool_calls_itself_through_a_box_a_thousand_deep() {
    each_nested("D1", async |place, figures| {
        for depth in [100, 1_000] {
            let began = Instant::now();
            let result = place.toolbox.call("nest", json!({ "number": depth })).await.unwrap();
            assert_eq!(result.to_text(), depth.to_string());
            figures.within(
                &format!("pooled: depth {depth}"),
                began.elapsed(),
                50.0 + f64::from(depth),
            );
        }
    });
}

#[test]
fn d2_five_hundred_tools_call_a_tool_through_a_box_at_once() {
    each_nested("D2", async |place, figures| {
        for (fan, state) in [(100, "cold"), (100, "warm"), (500, "warm")] {
            let began = Instant::now();
            let outcomes = relay(&place.toolbox, fan).await;
            for (number, outcome) in outcomes.into_iter().enumerate() {
                assert_eq!(outcome.unwrap(), number.to_string());
            }
            figures.within(
                &format!("pooled: fan {fan}, {state}"),
                began.elapsed(),
                50.0 + 2.0 * fan as f64,
            );
        }
    });
}

/// So many calls of `relay` at once, each of which has `echo` called.
async fn relay(toolbox: &Toolbox, fan: usize) -> Vec<Result<String, ToolCallError>> {
    let calls = (0..fan).map(|number| {
        let call = toolbox.call("relay", json!({ "text": number.to_string() }));
        async move { call.await.map(|result| result.to_text()) }
    });
    join_all(calls).await
}

/// How many connections there may be.
const CAP: usize = 8;

/// Whether there was no connection for the call.
fn is_refused(error: &ToolCallError) -> bool {
    let full = CallError::Refused(SendError::TooManyConnections);
    error.call_error() == Some(&full) && error.is_unprocessed()
}

#[test]
fn d3_more_calls_than_connections_are_an_error_at_once() {
    each("D3", async |runtime, era, figures| {
        let own = Own::default();
        let options = HttpOptions {
            max_connections: Some(CAP),
            ..HttpOptions::default()
        };
        let resolver = resolver(era).http(options);
        let place = Place::start(runtime, Transport::Mounted, server(&own, runtime.flavour()), resolver);
        own.set(Some(place.toolbox.clone()));
        let slow = async |text: &str, ms: u64| place.toolbox.call("slow", json!({"text": text, "ms": ms})).await;
        slow("", 0).await.unwrap();
        // What a legacy server sends on its own comes over a connection of the same.
        let listening = usize::from(era == Era::Legacy);
        until(runtime, "it listens", || place.wire.requests(&Method::GET) == listening).await;

        // As many as there may be succeed; whoever comes then, learns so before they do.
        let calling = place.toolbox.clone();
        let held = runtime.run(async move {
            let call = |n: usize| calling.call("slow", json!({"text": n.to_string(), "ms": 1_000}));
            join_all((0..CAP - listening).map(call)).await
        });
        until(runtime, "all are in use", || {
            place.wire.count("tools/call") == 1 + CAP - listening
        })
        .await;
        let began = Instant::now();
        for _ in 0..20 {
            assert!(is_refused(&slow("", 0).await.unwrap_err()));
        }
        figures.within("20 calls beyond the cap", began.elapsed(), 50.0);
        let held = held.await.unwrap();
        assert!(held.iter().all(Result::is_ok), "{held:?}");

        // One is in flight all the while, and knows nothing of the others.
        let (calling, so_far) = (place.toolbox.clone(), place.wire.count("tools/call"));
        let held = runtime.run(async move { calling.call("slow", json!({"text": "held", "ms": 500})).await });
        until(runtime, "it is in flight", || place.wire.count("tools/call") > so_far).await;
        let began = Instant::now();
        let outcomes = relay(&place.toolbox, 500).await;
        figures.within("a fan of 500 with 8 connections", began.elapsed(), 100.0);
        let (mut refused, mut failed) = (0, 0);
        for outcome in outcomes {
            match outcome {
                Ok(_) => {}
                Err(error) if is_refused(&error) => refused += 1,
                // It was called, and found no connection for what it has called.
                Err(ToolCallError::Tool { result, .. }) => {
                    assert!(result.to_text().contains("connections"), "{result:?}");
                    failed += 1;
                }
                Err(other) => panic!("{other:?}"),
            }
        }
        figures.print("of these, refused at once", refused);
        figures.print("of these, refused inside", failed);
        assert!(refused >= 100, "{refused} {failed}");
        let began = Instant::now();
        let deep = place.toolbox.call("nest", json!({"number": 20})).await;
        figures.within("depth 20 with 8 connections", began.elapsed(), 50.0);
        assert!(matches!(deep, Err(ToolCallError::Tool { .. })), "{deep:?}");
        assert_eq!(held.await.unwrap().unwrap().to_text(), "held");
        let began = Instant::now();
        slow("x", 0).await.unwrap();
        figures.within("the next call", began.elapsed(), 50.0);

        // A call that is given up leaves its connection, and its server is told.
        let told = place.wire.count("notifications/cancelled");
        let calls = join_all((0..CAP - listening).map(|_| slow("", 5_000)));
        assert!(runtime.within(Duration::from_millis(200), calls).await.is_none());
        let expected = told + if era == Era::Legacy { CAP - listening } else { 0 };
        until(runtime, "the server is told", || {
            place.wire.count("notifications/cancelled") == expected
        })
        .await;
        runtime.sleep(Duration::from_millis(50)).await;
        slow("x", 0).await.unwrap();
        own.set(None);
        assert_eq!(place.sessions.counters().created, 1);
        place.sessions.close().await;
    });
}

/// Over HTTP, where the server of an application can ask before it answers. In the modern era there is no handshake that
/// could wait: the call from inside is a request like any other.
#[test]
fn d5_a_session_that_waits_for_itself_ends_at_its_deadline() {
    each("D5", async |runtime, era, figures| {
        let (ask, asked) = channel::bounded::<()>(1);
        let is_first = Arc::new(AtomicBool::new(true));
        let (answer, answered) = channel::bounded::<()>(1);
        let host = Host::start_behind(runtime, |mcp| {
            before(mcp, first_method(era), move || {
                let (ask, answered) = (ask.clone(), answered.clone());
                let is_first = is_first.swap(false, Ordering::SeqCst);
                async move {
                    if is_first {
                        let _ = ask.try_send(());
                        // The channel closes once the call from inside has come to its end.
                        let _ = answered.recv().await;
                    }
                    None
                }
            })
        });
        let other = Host::start(runtime);
        let sessions = pool(runtime, era);
        let mut transport = host.http();
        transport.timeouts.initialize = Duration::from_millis(300);
        let own = session(&sessions, transport);
        let calling = own.clone();
        let inner = runtime.run(async move {
            let _ = asked.recv().await;
            let outcome = echo(&calling).await;
            drop((asked, answer));
            outcome
        });
        let began = Instant::now();
        let calling = own.clone();
        let outer = runtime.run(async move { echo(&calling).await });
        // Nobody else is harmed meanwhile.
        echo(&session(&sessions, other.http())).await.unwrap();
        figures.within("pooled: a call to another server meanwhile", began.elapsed(), 50.0);
        let outcomes = [outer.await.unwrap(), inner.await.unwrap()];
        figures.within("pooled: both calls", began.elapsed(), 500.0);
        for outcome in outcomes {
            let phase = match outcome {
                Err(CallError::Timeout { phase, .. }) => Some(phase),
                Ok(()) => None,
                Err(other) => panic!("{other:?}"),
            };
            assert_eq!(phase, (era == Era::Legacy).then_some(Phase::Initialize));
        }
        let began = Instant::now();
        echo(&own).await.unwrap();
        figures.within("pooled: the next call", began.elapsed(), 50.0);
    });
}
