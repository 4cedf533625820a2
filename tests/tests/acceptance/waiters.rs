//! F and G, where a session is shared: servers that do not answer, and callers that give up.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::{join, join_all, poll_immediate};
use http::Method;
use mcp_driver::Resolver;
use mcp_proto::Era;
use mcp_proto::client::{ClientConfig, Mode};
use mcp_proto::handle::{Session, Sessions};
use mcp_proto::rpc::CallError;
use mcp_proto::sessions::{SessionKey, SessionsConfig};
use mcp_tests::runtime::{Answer, Runtime};
use serde_json::json;

use super::each;
use super::figures::{Figures, hard};
use super::pool::{Host, alone, before, descriptors, echo, first_method, handshakes, pool, resolver, session, until};

/// Requests that are held back until they may go on.
#[derive(Clone, Default)]
struct Gate {
    is_open: Arc<AtomicBool>,
    held: Arc<AtomicUsize>,
}

impl Gate {
    /// What is held back stays so.
    async fn pass(&self) -> Option<Answer> {
        if !self.is_open.load(Ordering::SeqCst) {
            self.held.fetch_add(1, Ordering::SeqCst);
            let _held = Held(&self.held);
            pending::<()>().await;
        }
        None
    }

    fn open(&self) {
        self.is_open.store(true, Ordering::SeqCst);
    }

    fn held(&self) -> usize {
        self.held.load(Ordering::SeqCst)
    }
}

struct Held<'a>(&'a AtomicUsize);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A server that does not answer messages of this method before it may.
fn mute(runtime: &dyn Runtime, method: &'static str) -> (Host, Gate) {
    let gate = Gate::default();
    let own = gate.clone();
    let host = Host::start_behind(runtime, |mcp| {
        before(mcp, method, move || {
            let gate = own.clone();
            async move { gate.pass().await }
        })
    });
    (host, gate)
}

/// Calls with this deadline. What came of it, and when.
async fn wait(session: Session<SessionKey>, deadline: Duration) -> (Result<(), CallError>, Duration) {
    let began = Instant::now();
    let call = session.call_tool("echo", json!({"text": "x"})).timeout(deadline);
    (call.await.map(drop), began.elapsed())
}

#[test]
fn f1_each_who_waits_for_a_mute_server_has_its_own_deadline() {
    each("F1", async |runtime, era, figures| {
        let known = waits_in_vain(runtime, first_method(era), resolver(era), figures, "");
        match era {
            Era::Modern => known.await,
            // Where the client has to find out first, that does not add up.
            Era::Legacy => {
                let auto = Resolver::new(ClientConfig::named("tests", "1").with_mode(Mode::Auto));
                let auto = waits_in_vain(runtime, "server/discover", auto, figures, "auto: ");
                join(known, auto).await;
            }
        }
    });
}

async fn waits_in_vain(
    runtime: &dyn Runtime,
    method: &'static str,
    resolver: Resolver,
    figures: Figures,
    mode: &'static str,
) {
    const LONG: Duration = Duration::from_secs(2);
    const SHORT: Duration = Duration::from_millis(500);
    let (host, gate) = mute(runtime, method);
    let sessions = runtime.sessions(SessionsConfig::default(), resolver).unwrap();
    let deadline = |n| if n == 7 { SHORT } else { LONG };
    let waits: Vec<_> = (0..20)
        .map(|n| runtime.run(wait(session(&sessions, host.http()), deadline(n))))
        .collect();
    let (mut longest, mut short) = (Duration::ZERO, Duration::ZERO);
    for (n, waited) in waits.into_iter().enumerate() {
        let (outcome, took) = waited.await.unwrap();
        assert!(matches!(outcome, Err(CallError::Timeout { .. })), "{outcome:?}");
        assert!(
            took >= deadline(n) && took <= deadline(n) + hard(100.0),
            "{n}: {took:?}"
        );
        match deadline(n) {
            SHORT => short = took,
            _ => longest = longest.max(took),
        }
    }
    figures.time(&format!("{mode}the one with 0.5 s"), short);
    figures.time(&format!("{mode}the longest of 19 with 2 s"), longest);
    let asked = host.wire.count(method);
    figures.print(&format!("{mode}{method}"), asked);
    // Without a handshake each call is a request.
    let is_call = method == "tools/call";
    assert_eq!(asked, if is_call { 20 } else { 1 });
    gate.open();
    let began = Instant::now();
    echo(&session(&sessions, host.http())).await.unwrap();
    figures.within(&format!("{mode}the next call, once it answers"), began.elapsed(), 50.0);
    assert_eq!(host.wire.count(method), asked + 1);
}

#[test]
fn f2_a_hundred_who_wait_for_a_mute_server_hold_up_no_other() {
    each("F2", async |runtime, era, figures| {
        let (host, gate) = mute(runtime, first_method(era));
        let healthy = Host::start(runtime);
        let sessions = pool(runtime, era);
        let waits: Vec<_> = (0..100)
            .map(|_| runtime.run(wait(session(&sessions, host.http()), Duration::from_secs(1))))
            .collect();
        until(runtime, "the server has it", || gate.held() > 0).await;
        let began = Instant::now();
        echo(&session(&sessions, healthy.http())).await.unwrap();
        figures.within("the first call to another server", began.elapsed(), 50.0);
        for waited in waits {
            let (outcome, _) = waited.await.unwrap();
            assert!(matches!(outcome, Err(CallError::Timeout { .. })), "{outcome:?}");
        }
        assert_eq!(host.wire.handshakes(), handshakes(era));
    });
}

#[test]
fn g1_who_began_it_vanishes_and_the_others_have_their_session() {
    each("G1", async |runtime, era, figures| {
        let flavour = runtime.flavour();
        let delay = Duration::from_secs(1);
        let host = Host::start_behind(runtime, |mcp| {
            before(mcp, first_method(era), move || async move {
                flavour.sleep(delay).await;
                None
            })
        });
        let sessions = pool(runtime, era);
        let began = Instant::now();
        let own = session(&sessions, host.http());
        let mut first = Box::pin(echo(&own));
        assert!(poll_immediate(&mut first).await.is_none());
        let others: Vec<_> = (0..3)
            .map(|_| runtime.run(wait(session(&sessions, host.http()), delay * 10)))
            .collect();
        assert!(runtime.within(delay / 5, &mut first).await.is_none());
        let dropped = Instant::now();
        drop(first);
        figures.within("drop", dropped.elapsed(), 1.0);
        for other in others {
            let (outcome, took) = other.await.unwrap();
            assert_eq!(outcome, Ok(()));
            assert!(took >= delay - Duration::from_millis(50), "{took:?}");
        }
        figures.within("until the others are served", began.elapsed() - delay, 100.0);
        figures.print("handshakes", host.wire.handshakes());
        assert_eq!(
            (host.wire.handshakes(), sessions.counters().attempts),
            (handshakes(era), 1)
        );
    });
}

#[test]
fn g2_all_vanish_and_nothing_is_left() {
    alone("waiters::g2_all_vanish_and_nothing_is_left", || {
        each("G2", async |runtime, era, figures| {
            let (host, gate) = mute(runtime, first_method(era));
            // What a runtime opens once is there.
            let other = Host::start(runtime);
            let sessions = pool(runtime, era);
            echo(&session(&sessions, other.http())).await.unwrap();
            sessions.close().await;
            runtime.sleep(Duration::from_millis(50)).await;
            let before = descriptors();

            // A legacy server may begin a session all the same: its answer is waited for as long as closing may take.
            let config = SessionsConfig::default().with_close(Duration::from_millis(20));
            let sessions = runtime.sessions(config, resolver(era)).unwrap();
            let waiting: Vec<_> = (0..10).map(|_| session(&sessions, host.http())).collect();
            let all = join_all(waiting.iter().map(echo));
            assert!(runtime.within(Duration::from_millis(200), all).await.is_none());
            let began = Instant::now();
            until(runtime, "the server has lost all requests", || gate.held() == 0).await;
            figures.within("until the server has lost all requests", began.elapsed(), 100.0);
            assert_eq!(is_abandoned(&sessions), era == Era::Legacy);
            drop((sessions, waiting));
            until(runtime, "the descriptors are closed", || descriptors() <= before).await;
            figures.print("descriptors left", descriptors().saturating_sub(before));
            assert_eq!(host.wire.handshakes(), handshakes(era));
        });
    });
}

#[test]
fn g2_a_session_that_a_server_begins_for_callers_that_are_gone_is_ended() {
    each("G2", async |runtime, era, figures| {
        if era == Era::Modern {
            return;
        }
        let flavour = runtime.flavour();
        let delay = Duration::from_millis(300);
        let host = Host::start_behind(runtime, |mcp| {
            before(mcp, "initialize", move || async move {
                flavour.sleep(delay).await;
                None
            })
        });
        let sessions = pool(runtime, era);
        let (outcome, took) = wait(session(&sessions, host.http()), delay / 3).await;
        assert!(matches!(outcome, Err(CallError::Timeout { .. })), "{outcome:?}");
        figures.within("the caller, beyond its deadline", took - delay / 3, 50.0);
        let ended = || host.wire.requests(&Method::DELETE) == 1;
        until(runtime, "the session is ended", ended).await;
        assert!(sessions.is_empty() && is_abandoned(&sessions));
        assert_eq!((host.wire.handshakes(), sessions.counters().discarded), (1, 0));
    });
}

/// Whether the creation of the one session was given up; without a handshake there is nothing to wait for.
fn is_abandoned(sessions: &Sessions<SessionKey>) -> bool {
    let counters = sessions.counters();
    assert_eq!(counters.attempts, 1);
    assert_eq!(counters.abandoned + counters.created, 1);
    assert_eq!(sessions.is_empty(), counters.abandoned == 1);
    counters.abandoned == 1
}
