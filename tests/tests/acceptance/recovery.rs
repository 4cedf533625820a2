//! H, through a pool: what a session is lost by, and how the next one comes about.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use http::StatusCode;
use mcp_driver::child::Stderr;
use mcp_proto::Era;
use mcp_proto::handle::Session;
use mcp_proto::rpc::CallError;
use mcp_proto::sessions::{ChildTransport, SessionKey, SessionsConfig};
use mcp_proto::toolbox::Toolbox;
use mcp_tests::runtime::text;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use super::each;
use super::failing::{JSON, broken};
use super::pool::{Host, before, echo, handshakes, pool, resolver, session};

const CHILD: &str = env!("CARGO_BIN_EXE_stdio-server");

#[test]
fn h1_fifty_calls_after_a_restart_make_one_handshake() {
    each("H1", async |runtime, era, figures| {
        let mut host = Host::start(runtime);
        let sessions = pool(runtime, era);
        let toolbox = Toolbox::builder()
            .server("app", session(&sessions, host.http()))
            .build();
        toolbox.call("echo", json!({"text": "x"})).await.unwrap();
        host.restart(runtime).await;
        let began = Instant::now();
        let outcomes = join_all((0..50).map(|_| toolbox.call("echo", json!({"text": "x"})))).await;
        figures.within("pooled: 50 first calls after it", began.elapsed(), 100.0);
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
        figures.print("pooled: further handshakes", host.wire.handshakes() - handshakes(era));
        assert_eq!(host.wire.handshakes(), 2 * handshakes(era));
    });
}

#[test]
fn h2_a_server_that_forgets_at_once_is_asked_once_more_and_no_further() {
    each("H2", async |runtime, era, figures| {
        let host = Host::start_behind(runtime, |mcp| {
            before(mcp, "tools/call", || async { Some(text(StatusCode::NOT_FOUND, "")) })
        });
        let sessions = pool(runtime, era);
        let began = Instant::now();
        let outcome = echo(&session(&sessions, host.http())).await;
        figures.within("pooled: the error", began.elapsed(), 50.0);
        // Whatever might go on in a loop would have done so by now.
        runtime.sleep(Duration::from_millis(200)).await;
        let sent = (host.wire.handshakes(), host.wire.count("tools/call"));
        match era {
            Era::Legacy => assert_eq!((outcome, sent), (Err(CallError::SessionLost), (2, 2))),
            Era::Modern => {
                assert_eq!(outcome.unwrap_err().http_status(), Some(404));
                assert_eq!(sent, (0, 1));
            }
        }
        figures.print("pooled: calls sent", sent.1);
    });
}

#[test]
fn h3_a_server_that_was_down_is_reached_again() {
    each("H3", async |runtime, era, figures| {
        let host = Host::start(runtime);
        let sessions = pool(runtime, era);
        let session = session(&sessions, host.http());
        echo(&session).await.unwrap();
        let address = host.stop(runtime).await;
        for _ in 0..3 {
            let began = Instant::now();
            let outcome = echo(&session).await;
            figures.within("pooled: the error while it is down", began.elapsed(), 50.0);
            assert!(matches!(outcome, Err(CallError::Unreachable(_))), "{outcome:?}");
        }
        let host = Host::start_at(runtime, address);
        let began = Instant::now();
        echo(&session).await.unwrap();
        figures.within("pooled: the first call after", began.elapsed(), 100.0);
        assert_eq!(host.wire.handshakes(), handshakes(era));
    });
}

#[test]
fn h4_a_child_that_is_killed_ends_its_call_at_once_and_is_started_again() {
    each("H4", async |runtime, era, figures| {
        let resolver = resolver(era).allow_children(|command| command.stderr(Stderr::Null));
        let sessions = runtime.sessions(SessionsConfig::default(), resolver).unwrap();
        let child = session(&sessions, ChildTransport::new(CHILD).arg("--runtime").arg("smol"));
        let first = process(&child).await;
        let calling = child.clone();
        let call = runtime.run(async move {
            let outcome = calling.call_tool("sleep", json!({"milliseconds": 30_000})).await;
            (outcome, Instant::now())
        });
        runtime.sleep(Duration::from_millis(100)).await;
        let killed = Instant::now();
        kill_process(Pid::from_raw(first).unwrap(), Signal::KILL).unwrap();
        let (outcome, ended) = call.await.unwrap();
        figures.within("until the call in flight ends", ended - killed, 50.0);
        assert!(matches!(outcome, Err(CallError::Closed(_))), "{outcome:?}");
        assert_eq!(sessions.counters().created, 1);
        let began = Instant::now();
        let second = process(&child).await;
        figures.within("the next call, with a new process", began.elapsed(), 500.0);
        assert_ne!(first, second);
        assert_eq!(sessions.counters().created, 2);
        sessions.close().await;
    });
}

/// The process behind a session.
async fn process(child: &Session<SessionKey>) -> i32 {
    let result = child.call_tool("process", json!({})).await.unwrap();
    result.content[0].as_text().unwrap().parse().unwrap()
}

#[test]
fn h5_a_call_that_broke_off_is_sent_again_only_where_that_does_no_harm() {
    each("H5", async |runtime, era, figures| {
        let host = Host::start_behind(runtime, |mcp| {
            before(mcp, "tools/call", {
                let calls = Arc::new(AtomicUsize::new(0));
                move || {
                    // The first of two, each time.
                    let breaks = calls.fetch_add(1, Ordering::SeqCst).is_multiple_of(2);
                    async move { breaks.then(|| broken(JSON, "{\"jsonrpc\":")) }
                }
            })
        });
        let sessions = pool(runtime, era);
        let session = session(&sessions, host.http());
        assert_eq!(echo(&session).await, Err(CallError::Disconnected));
        runtime.sleep(Duration::from_millis(100)).await;
        figures.print("calls sent", host.wire.count("tools/call"));
        assert_eq!(host.wire.count("tools/call"), 1);
        echo(&session).await.unwrap();
        let call = session.call_tool("echo", json!({"text": "x"})).idempotent();
        call.await.unwrap();
        figures.print(
            "calls sent for one that is idempotent",
            host.wire.count("tools/call") - 2,
        );
        assert_eq!(host.wire.count("tools/call"), 4);
        assert_eq!(
            (host.wire.handshakes(), sessions.counters().created),
            (handshakes(era), 1)
        );
    });
}
