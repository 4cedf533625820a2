//! I, through a pool: how many sessions there are, and what is left of them.

use std::env;
use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use http::Method;
use mcp_proto::Era;
use mcp_proto::sessions::{Authorization, HttpTransport, SessionKey, SessionsConfig};
use mcp_tests::app::threads;
use mcp_tests::runtime::{Runtime, listen};
use mcp_tests::world::{Probe, server};

use super::each;
use super::figures::Figures;
use super::pool::{Host, alone, descriptors, echo, handshakes, pool, resident, resolver, until};

#[test]
fn i1_sessions_beyond_the_cap_are_ended_and_leave_nothing() {
    const KEYS: usize = 200;
    const CAP: usize = 20;
    alone(
        "resources::i1_sessions_beyond_the_cap_are_ended_and_leave_nothing",
        || {
            each("I1", async |runtime, era, figures| {
                let host = Host::start(runtime);
                let config = SessionsConfig::default().with_sessions(CAP);
                let sessions = runtime.sessions(config, resolver(era)).unwrap();
                let deleted = |number: usize| host.wire.requests(&Method::DELETE) == number * handshakes(era);
                let before = (descriptors(), resident());
                let mut full = (0, 0);
                for n in 0..KEYS {
                    echo(&sessions.session(host.key_of(n))).await.unwrap();
                    assert!(sessions.len() <= CAP);
                    if n + 1 == 2 * CAP {
                        until(runtime, "those beyond the cap are ended", || deleted(CAP)).await;
                        settle(runtime).await;
                        full = (descriptors(), resident());
                    }
                }
                until(runtime, "those beyond the cap are ended", || deleted(KEYS - CAP)).await;
                settle(runtime).await;
                let after = (descriptors(), resident());
                figures.print("live sessions", sessions.len());
                figures.print("DELETE", host.wire.requests(&Method::DELETE));
                figures.print("descriptors of a session, both sides", (full.0 - before.0) / CAP);
                figures.print("descriptors: growth from key 40 to 200", after.0.saturating_sub(full.0));
                figures.print("KiB: growth from key 40 to 200", after.1.saturating_sub(full.1));
                assert_eq!(
                    (sessions.len(), sessions.counters().evicted),
                    (CAP, (KEYS - CAP) as u64)
                );
                assert!(after.0 <= full.0 + 2, "{before:?} {full:?} {after:?}");
                sessions.close().await;
                assert!(deleted(KEYS));
                until(runtime, "nothing is left", || descriptors() <= before.0).await;
            });
        },
    );
}

/// Lets what is on its way come to its end.
async fn settle(runtime: &dyn Runtime) {
    runtime.sleep(Duration::from_millis(100)).await;
}

#[test]
fn i2_the_last_handle_is_dropped_at_once_and_the_sessions_are_ended() {
    each("I2", async |runtime, era, figures| {
        let host = Host::start(runtime);
        let sessions = pool(runtime, era);
        let handles: Vec<_> = (0..10).map(|n| sessions.session(host.key_of(n))).collect();
        for outcome in join_all(handles.iter().map(echo)).await {
            outcome.unwrap();
        }
        let began = Instant::now();
        drop((sessions, handles));
        figures.within("drop of 10 sessions", began.elapsed(), 1.0);
        let all = 10 * handshakes(era);
        until(runtime, "all sessions are ended", || {
            host.wire.requests(&Method::DELETE) == all
        })
        .await;
        figures.within("until all are ended", began.elapsed(), 100.0);
        figures.print("DELETE", host.wire.requests(&Method::DELETE));
    });
}

/// 10,000 calls and 100 sessions in all. The variable `MCP_TESTS_SOAK` says how many times as many.
#[test]
fn i5_calls_and_sessions_leave_nothing_behind() {
    let times = env::var("MCP_TESTS_SOAK").map_or(1, |times| times.parse().expect("a number"));
    alone("resources::i5_calls_and_sessions_leave_nothing_behind", || {
        each("I5", async |runtime, era, figures| {
            soak(runtime, era, figures, 2_500 * times, 25 * times).await;
        });
    });
}

/// What is held after a tenth of the work is all that there is at the end.
async fn soak(runtime: &dyn Runtime, era: Era, figures: Figures, calls: usize, sessions: usize) {
    let (listener, url) = listen();
    let served = server(&Arc::new(Probe::default()), runtime.flavour());
    let _serving = runtime.serve_http(listener, &served, Box::pin(pending())).unwrap();
    let pool = pool(runtime, era);
    let key = || SessionKey::new(HttpTransport::new(&url, Authorization::None).unwrap());
    let began = Instant::now();
    let mut early = (0, 0, 0);
    for cycle in 0..sessions {
        if cycle == sessions.div_ceil(10) {
            settle(runtime).await;
            early = (descriptors(), threads(), resident());
        }
        let session = pool.session(key());
        for _ in 0..calls / sessions / 10 {
            for outcome in join_all((0..10).map(|_| echo(&session))).await {
                outcome.unwrap();
            }
        }
        drop(session);
        pool.evict(key());
        if cycle % 10 == 0 {
            // Those that are being closed are not waited for otherwise.
            until(runtime, "they are closed", || pool.is_empty()).await;
        }
    }
    settle(runtime).await;
    let late = (descriptors(), threads(), resident());
    assert_eq!(pool.counters().created, sessions as u64);
    figures.print("calls", calls);
    figures.print("sessions", sessions);
    figures.time("time for each call", began.elapsed() / calls as u32);
    figures.print("descriptors: growth", late.0.saturating_sub(early.0));
    figures.print("threads: growth", late.1.saturating_sub(early.1));
    figures.print("KiB: growth", late.2.saturating_sub(early.2));
    assert!(late.0 <= early.0 && late.1 <= early.1, "{early:?} {late:?}");
    assert!(late.2 <= early.2 + 8 * 1024, "{early:?} {late:?}");
}
