//! Those who listen to what changes, on every link and in every revision.

use std::time::Duration;

use mcp_proto::client::{Change, ListenerId};
use mcp_proto::method::Method;
use mcp_proto::model::SubscriptionFilter;
use mcp_proto::rpc::{CallError, CloseReason};
use mcp_proto::{Limits, Revision};
use mcp_tests::pair::{HttpLink, Pair, PairLink, Plan, Setup};
use serde_json::json;

use crate::worlds::{Test, everywhere};

const LEGACY: Revision = Revision::V2025_11_25;
const MODERN: Revision = Revision::V2026_07_28;

/// A server whose prompts never change, and which has the resources `a:1`, `a:2`, and so on.
pub(crate) fn changing(mut setup: Setup) -> Setup {
    let capabilities =
        r#"{"tools":{"listChanged":true},"prompts":{},"resources":{"subscribe":true,"listChanged":true}}"#;
    let capabilities = serde_json::from_str(capabilities).expect("capabilities");
    setup.server = setup.server.with_capabilities(capabilities);
    setup.application(|order| match order.method.known() {
        Some(Method::Subscribe)
            if !order
                .params
                .as_ref()
                .is_some_and(|params| params.as_str().contains("a:")) =>
        {
            Plan::error(mcp_proto::jsonrpc::ErrorObject::invalid_params("no such resource"))
        }
        _ => Plan::result(json!({})),
    })
}

/// Everything but the resources, of which it names these.
fn all(uris: &[&str]) -> SubscriptionFilter {
    SubscriptionFilter::default()
        .with_tools_list_changed(true)
        .with_prompts_list_changed(true)
        .with_resources_list_changed(true)
        .with_resource_subscriptions(uris.iter().map(|uri| String::from(*uri)).collect::<Vec<_>>())
}

fn resource(uri: &str) -> Change {
    Change::Resource { uri: uri.into() }
}

fn update<L: PairLink>(pair: &mut Pair<L>, uri: &str) {
    pair.notify(Method::ResourceUpdatedNotification, json!({ "uri": uri }));
}

fn end<L: PairLink>(pair: &Pair<L>, listener: ListenerId) -> Option<&Result<(), CallError>> {
    pair.link.as_client().listener_end(listener)
}

/// What a listener hears is what has changed since the server has agreed, and no more than it has agreed to.
struct Heard;

impl Test for Heard {
    fn setup(setup: Setup) -> Setup {
        changing(setup)
    }

    fn run<L: PairLink>(mut pair: Pair<L>, revision: Revision) {
        let first = pair.listen(all(&["a:1", "a:2"]));
        let second = pair.listen(SubscriptionFilter::default().with_resource_subscriptions(vec!["a:1".into()]));
        pair.settle();
        let granted = pair.link.as_client().granted(first).expect("it is granted");
        assert_eq!(granted.tools_list_changed, Some(true));
        assert_eq!(granted.prompts_list_changed, None, "the server does not tell of them");
        assert_eq!(granted.resource_subscriptions.as_deref().map(<[_]>::len), Some(2));
        for _ in 0..3 {
            pair.notify(Method::ToolListChangedNotification, json!({}));
            update(&mut pair, "a:1");
            update(&mut pair, "a:2");
        }
        pair.settle();
        assert_eq!(pair.record.listeners[&first], 2, "granted, and the first change");
        assert_eq!(pair.changes(first), [Change::Tools, resource("a:1"), resource("a:2")]);
        assert_eq!(pair.changes(second), [resource("a:1")]);
        pair.unlisten(first);
        pair.settle();
        pair.notify(Method::ToolListChangedNotification, json!({}));
        update(&mut pair, "a:1");
        pair.settle();
        assert_eq!(pair.changes(second), [resource("a:1")], "the other listens on");
        pair.unlisten(second);
        pair.settle();
        let subscribed = if revision.has_initialize() { 2 } else { 0 };
        let served = pair.link.desk().served().iter();
        assert_eq!(
            served.clone().filter(|it| *it == "resources/subscribe").count(),
            subscribed
        );
        assert_eq!(served.filter(|it| *it == "resources/unsubscribe").count(), subscribed);
        pair.check_quiet();
    }
}

#[test]
fn listeners_hear_what_the_server_grants_in_every_revision() {
    everywhere::<Heard>();
}

/// Nobody waits for a listener that takes nothing, and it is told.
struct Slow;

impl Test for Slow {
    fn setup(setup: Setup) -> Setup {
        changing(setup.limits(&Limits::default().with_listener_bytes(2_000)))
    }

    fn run<L: PairLink>(mut pair: Pair<L>, _: Revision) {
        let uris: Vec<String> = (0..100).map(|at| format!("a:{at}")).collect();
        let uris: Vec<&str> = uris.iter().map(String::as_str).collect();
        let [slow, quick] = [(); 2].map(|()| pair.listen(all(&uris)));
        pair.settle();
        for uri in &uris {
            update(&mut pair, uri);
            pair.settle();
            assert_eq!(pair.changes(quick), [resource(uri)]);
        }
        assert_eq!(pair.changes(slow), [Change::Lagged]);
        update(&mut pair, "a:1");
        pair.settle();
        assert_eq!(pair.changes(slow), [resource("a:1")], "what comes then is heard");
        assert_eq!(pair.link.as_client().counters().dropped_notifications, 0);
    }
}

#[test]
fn a_slow_listener_is_told_that_it_has_missed_something_and_nobody_waits_for_it() {
    everywhere::<Slow>();
}

/// The end of a connection is an error for those who listen.
struct Closing;

impl Test for Closing {
    fn setup(setup: Setup) -> Setup {
        changing(setup)
    }

    fn run<L: PairLink>(mut pair: Pair<L>, _: Revision) {
        let listener = pair.listen(all(&["a:1"]));
        pair.settle();
        pair.notify(Method::ToolListChangedNotification, json!({}));
        pair.settle();
        pair.close();
        pair.drive();
        assert_eq!(pair.changes(listener), [Change::Tools], "what has come is still read");
        let closed = Err(CallError::Closed(CloseReason::Local));
        assert_eq!(end(&pair, listener), Some(&closed));
        pair.link.client().unlisten(listener);
        pair.check_quiet();
        assert!(pair.link.as_client().kept().is_empty() && pair.link.is_finished());
    }
}

#[test]
fn closing_ends_listeners_and_leaves_nothing_behind() {
    everywhere::<Closing>();
}

fn http(revision: Revision) -> Pair<HttpLink> {
    changing(Setup::speaking(revision)).http()
}

#[test]
fn a_subscription_is_there_again_after_its_stream_broke_off_and_the_listener_is_told() {
    for revision in [LEGACY, MODERN] {
        let mut pair = http(revision);
        let listener = pair.listen(all(&["a:1"]));
        pair.settle();
        for _ in 0..3 {
            let now = pair.now();
            pair.link.break_all(now);
            pair.settle();
            update(&mut pair, "a:1"); // Nobody hears of this.
            pair.drive_for(Duration::from_secs(70));
            update(&mut pair, "a:1");
            pair.settle();
            assert_eq!(
                pair.changes(listener),
                [Change::Restored, resource("a:1")],
                "{revision}"
            );
        }
        pair.unlisten(listener);
        pair.drive();
        pair.check_quiet();
    }
}

#[test]
fn a_subscription_is_there_again_in_the_next_session_and_at_the_next_server() {
    for revision in [LEGACY, MODERN] {
        let mut pair = http(revision);
        let listener = pair.listen(all(&["a:1"]));
        pair.settle();
        pair.kill_server();
        pair.drive_for(Duration::from_secs(5));
        update(&mut pair, "a:1");
        pair.settle();
        assert_eq!(
            pair.changes(listener),
            [Change::Restored, resource("a:1")],
            "{revision}"
        );
        assert!(pair.link.as_client().granted(listener).is_some());
        let lost = usize::from(revision == LEGACY);
        assert_eq!(pair.record.sessions_lost, lost, "found out by nobody's call");
        pair.unlisten(listener);
        pair.drive();
        pair.check_quiet();
    }
}

#[test]
fn a_server_that_is_not_there_again_is_given_up_and_the_listener_told() {
    for revision in [LEGACY, MODERN] {
        let mut pair = http(revision);
        let listener = pair.listen(all(&[]));
        pair.settle();
        pair.link.take_down(true);
        let now = pair.now();
        pair.link.break_all(now);
        pair.drive();
        assert!(matches!(end(&pair, listener), Some(Err(_))), "{revision}");
        pair.unlisten(listener);
        pair.check_quiet();
    }
}

#[test]
fn the_end_by_the_server_is_told_and_is_no_error() {
    let mut pair = http(MODERN);
    let listener = pair.listen(all(&[]));
    pair.settle();
    pair.link.server().machine.drain();
    pair.drive();
    assert_eq!(end(&pair, listener), Some(&Ok(())));
    let mut pair = changing(Setup::speaking(MODERN)).stream();
    let listener = pair.listen(all(&[]));
    pair.settle();
    pair.link.server().close();
    pair.drive();
    assert_eq!(end(&pair, listener), Some(&Ok(())), "before the stream ended");
}

#[test]
fn a_legacy_server_that_refuses_a_resource_grants_the_rest() {
    let mut pair = http(LEGACY);
    let listener = pair.listen(all(&["a:1", "b:1"]));
    pair.settle();
    let granted = pair.link.as_client().granted(listener).expect("it is granted");
    assert_eq!(granted.resource_subscriptions, Some(vec!["a:1".into()]));
}
