//! Servers that do not answer.

use std::time::Duration;

use mcp_proto::client::Mode;
use mcp_proto::rpc::{CallError, CallOptions, Phase};
use mcp_proto::{Revision, Time};
use mcp_tests::network::{Conditions, Cuts};
use mcp_tests::pair::{Fate, Pair, PairLink, Plan, Setup};
use serde_json::json;

use crate::worlds::{Test, everywhere};

const SECOND: Duration = Duration::from_secs(1);

fn at(seconds: u32) -> Time {
    Time::ORIGIN + SECOND * seconds
}

/// The usual tools, but that a call that says so is never answered.
fn with_mute(setup: Setup) -> Setup {
    let mut tools = mcp_tests::pair::tools();
    setup.application(move |request| match request.params.as_ref() {
        Some(params) if params.as_str().contains("mute") => Plan::never(),
        _ => tools(request),
    })
}

#[test]
fn each_call_times_out_at_its_own_deadline() {
    struct Silent;
    impl Test for Silent {
        fn setup(setup: Setup) -> Setup {
            with_mute(setup)
        }

        fn run<L: PairLink>(mut pair: Pair<L>, _: Revision) {
            let calls: Vec<_> = [7, 3, 90, 3, 1]
                .into_iter()
                .map(|seconds| {
                    let options = CallOptions::new().with_timeout(SECOND * seconds);
                    (seconds, pair.call_tool_with("mute", json!({}), options))
                })
                .collect();
            pair.drive();
            for (seconds, call) in calls {
                let after = SECOND * seconds;
                let phase = Phase::Request;
                assert_eq!(*pair.outcome(call), Err(CallError::Timeout { phase, after }));
                assert_eq!(pair.record.settled_at(call), at(seconds));
            }
            assert_eq!(pair.link.desk().cancelled(), 5, "the server is told");
            let next = pair.call_tool("echo", json!({ "text": "alive" }));
            pair.drive();
            assert_eq!(pair.text(next), "alive");
            pair.check_quiet();
        }
    }
    everywhere::<Silent>();
}

#[test]
fn progress_extends_the_wait_up_to_its_most() {
    struct Extended;
    impl Test for Extended {
        fn setup(setup: Setup) -> Setup {
            setup.application(|_| (1..100).fold(Plan::never(), |plan, n| plan.with_progress(SECOND * n, f64::from(n))))
        }

        fn run<L: PairLink>(mut pair: Pair<L>, _: Revision) {
            let options = CallOptions::new()
                .with_max_timeout(SECOND * 10)
                .with_timeout(SECOND * 2)
                .with_progress();
            let call = pair.call_tool_with("x", json!({}), options);
            pair.drive();
            assert_eq!(pair.record.settled_at(call), at(10));
            assert_eq!(pair.record.progress(call).len(), 9);
            pair.check_quiet();
        }
    }
    everywhere::<Extended>();
}

/// A server that takes everything and says nothing, from the very beginning.
#[test]
fn a_mute_server_fails_every_call_in_time() {
    for mode in [
        Mode::Auto,
        Mode::Modern,
        Mode::Legacy(Revision::V2025_11_25),
        Mode::Legacy(Revision::V2024_11_05),
    ] {
        let mut pair = Setup::new(mode).stream();
        pair.link.mute(true);
        let calls = [1, 20, 45, 300].map(|seconds| {
            let options = CallOptions::new().with_timeout(SECOND * seconds);
            (seconds, pair.call_tool_with("echo", json!({}), options))
        });
        pair.drive();
        for (seconds, call) in calls {
            let error = pair.outcome(call).as_ref().expect_err("no result");
            assert!(matches!(error, CallError::Timeout { .. }), "{mode:?} {error:?}");
            assert!(pair.record.settled_at(call) <= at(seconds), "{mode:?} {seconds}");
        }
        assert_eq!(pair.link.as_client().pending_calls(), 0);
        // The same machine goes on as soon as the server speaks.
        pair.link.mute(false);
        let next = pair.call_tool("echo", json!({ "text": "alive" }));
        pair.drive();
        assert!(pair.record.is_settled(next));
    }
}

/// The same over HTTP: the connection stands, and nothing comes.
#[test]
fn responses_that_never_come_fail_every_call_in_time() {
    for mode in [Mode::Auto, Mode::Modern, Mode::Legacy(Revision::V2025_11_25)] {
        let mut pair = Setup::new(mode)
            .conditions(
                Conditions::CALM
                    .with_latency(SECOND * 1000..=SECOND * 1000)
                    .with_cuts(Cuts::Whole),
            )
            .http();
        let calls = [1, 20, 45, 300].map(|seconds| {
            let options = CallOptions::new().with_timeout(SECOND * seconds);
            (seconds, pair.call_tool_with("echo", json!({}), options))
        });
        pair.drive();
        for (seconds, call) in calls {
            assert!(pair.outcome(call).is_err());
            assert!(pair.record.settled_at(call) <= at(seconds), "{mode:?} {seconds}");
        }
        pair.check_quiet();
    }
}

#[test]
fn a_server_that_is_not_there_fails_the_call_at_once_and_the_next_one_tries_again() {
    for mode in [Mode::Auto, Mode::Modern, Mode::Legacy(Revision::V2025_11_25)] {
        let mut pair = Setup::new(mode).http();
        pair.link.destine([Fate::Unreachable]);
        let first = pair.call_tool("echo", json!({}));
        pair.drive();
        let error = pair.outcome(first).as_ref().expect_err("no server");
        assert!(
            matches!(error, CallError::Unreachable(_)) && error.is_unprocessed(),
            "{error:?}"
        );
        let second = pair.call_tool("echo", json!({ "text": "now" }));
        pair.drive();
        assert_eq!(pair.text(second), "now");
        assert_eq!(pair.now(), Time::ORIGIN);
        pair.check_quiet();
    }
}

/// The question of the era is answered too late, and `initialize` with the revisions that there are.
#[test]
fn a_slow_modern_server_is_not_taken_for_a_legacy_one() {
    let conditions = Conditions::CALM.with_latency(SECOND * 11..=SECOND * 11);
    let setup = Setup::new(Mode::Auto).serving(&[Revision::V2026_07_28]);
    let mut pair = setup.conditions(conditions).stream();
    let call = pair.call_tool("echo", json!({ "text": "slow" }));
    pair.drive();
    assert_eq!(pair.text(call), "slow");
    assert_eq!(
        pair.link.as_client().facts().map(|facts| facts.revision),
        Some(Revision::V2026_07_28)
    );
    pair.check_quiet();
}

#[test]
fn what_has_arrived_while_the_client_was_suspended_is_read_before_its_calls_expire() {
    struct Suspended;
    impl Test for Suspended {
        fn setup(setup: Setup) -> Setup {
            with_mute(setup)
        }

        fn run<L: PairLink>(mut pair: Pair<L>, _: Revision) {
            let first = pair.call_tool("echo", json!({ "text": "first" }));
            pair.drive();
            assert_eq!(pair.text(first), "first");
            let answered: Vec<_> = (0..50)
                .map(|n| pair.call_tool("echo", json!({ "text": n.to_string() })))
                .collect();
            let mute = pair.call_tool("mute", json!({}));
            pair.suspend(SECOND * 3600);
            pair.drive();
            for (n, call) in answered.into_iter().enumerate() {
                assert_eq!(pair.text(call), n.to_string());
            }
            assert!(
                matches!(pair.outcome(mute), Err(CallError::Timeout { .. })),
                "it was late by an hour"
            );
            pair.check_quiet();
        }
    }
    everywhere::<Suspended>();
}
