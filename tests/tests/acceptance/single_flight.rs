//! C: however many begin at once, there is one session.

use std::time::{Duration, Instant};

use mcp_proto::handle::Session;
use mcp_proto::rpc::CallError;
use mcp_proto::sessions::SessionKey;
use mcp_tests::app::threads;
use mcp_tests::runtime::{Runtime, Sending};

use super::each;
use super::pool::{Host, alone, before, echo, first_method, handshakes, pool, session};

/// A task that makes a call. How long it took.
fn call(runtime: &dyn Runtime, session: Session<SessionKey>) -> Sending<Option<Result<Duration, CallError>>> {
    runtime.run(async move {
        let began = Instant::now();
        echo(&session).await?;
        Ok(began.elapsed())
    })
}

/// The time of the slowest of so many tasks.
async fn slowest(calls: Vec<Sending<Option<Result<Duration, CallError>>>>) -> Duration {
    let mut slowest = Duration::ZERO;
    for call in calls {
        slowest = slowest.max(call.await.unwrap().unwrap());
    }
    slowest
}

#[test]
fn c1_any_number_of_first_callers_make_one_session() {
    alone("single_flight::c1_any_number_of_first_callers_make_one_session", || {
        each("C1", async |runtime, era, figures| {
            for number in [1, 10, 100, 1_000] {
                let host = Host::start(runtime);
                let sessions = pool(runtime, era);
                let before = threads();
                let began = Instant::now();
                let calls = (0..number).map(|_| call(runtime, session(&sessions, host.http())));
                let slowest = slowest(calls.collect()).await;
                figures.within(
                    &format!("{number} first calls"),
                    began.elapsed(),
                    50.0 + 2.5 * f64::from(number),
                );
                figures.time(&format!("{number} first calls: the slowest"), slowest);
                let counts = [
                    "initialize",
                    "notifications/initialized",
                    "tools/list",
                    "server/discover",
                ];
                let counts = counts.map(|method| host.wire.count(method));
                figures.print(&format!("{number} first calls: initialize"), counts[0]);
                figures.print(&format!("{number} first calls: tools/list"), counts[2]);
                assert_eq!(counts, [handshakes(era), handshakes(era), 0, 0]);
                assert_eq!(sessions.counters().created, 1);
                // Threads of what went before may end meanwhile.
                let started = threads().saturating_sub(before);
                figures.print("threads that were started", started);
                assert_eq!(started, 0);
                sessions.close().await;
            }
        });
    });
}

#[test]
fn c2_two_servers_have_a_session_each_and_neither_waits_for_the_other() {
    each("C2", async |runtime, era, figures| {
        let flavour = runtime.flavour();
        let delay = Duration::from_secs(1);
        let quick = Host::start(runtime);
        let slow = Host::start_behind(runtime, |mcp| {
            before(mcp, first_method(era), move || async move {
                flavour.sleep(delay).await;
                None
            })
        });
        let sessions = pool(runtime, era);
        let mut calls = [Vec::new(), Vec::new()];
        for _ in 0..50 {
            calls[0].push(call(runtime, session(&sessions, slow.http())));
            calls[1].push(call(runtime, session(&sessions, quick.http())));
        }
        let [waits, runs] = calls;
        let (runs, waits) = (slowest(runs).await, slowest(waits).await);
        figures.within("the quick server: the slowest of 50", runs, 75.0);
        figures.time("the slow server: the slowest of 50", waits);
        assert!(runs < delay && waits >= delay, "{runs:?} {waits:?}");
        for host in [quick, slow] {
            assert_eq!(
                (host.wire.handshakes(), host.wire.count("tools/call")),
                (handshakes(era), 50)
            );
        }
        assert_eq!(sessions.counters().created, 2);
    });
}

#[test]
fn c3_a_configuration_that_is_made_anew_for_each_request_finds_its_session() {
    each("C3", async |runtime, era, figures| {
        let host = Host::start(runtime);
        let sessions = pool(runtime, era);
        for _ in 0..30 {
            let transport = host.http().header("X-Tenant", "one").unwrap();
            echo(&session(&sessions, transport)).await.unwrap();
        }
        figures.print("handshakes of 30 requests", host.wire.handshakes());
        assert_eq!(
            (host.wire.handshakes(), sessions.counters().created),
            (handshakes(era), 1)
        );
        // Another configuration is another server.
        let other = host.http().header("X-Tenant", "two").unwrap();
        echo(&session(&sessions, other)).await.unwrap();
        assert_eq!((host.wire.handshakes(), sessions.len()), (2 * handshakes(era), 2));
    });
}
