//! Listeners over a byte stream: what they ask for in each era, what they hear, and how it ends.

use mcp_proto::client::{Change, ClientEvent, ListenerId};
use mcp_proto::model::SubscriptionFilter;
use mcp_proto::rpc::{CallError, CloseReason, SendError};
use mcp_proto::{Limits, Revision};
use serde_json::{Value, json};

use crate::support::{Wire, config, discover_result, error, initialize_result, methods, params, result};

const LEGACY: Revision = Revision::V2025_11_25;
const MODERN: Revision = Revision::V2026_07_28;

/// Tools, and the resources `a` and `b`.
pub fn filter() -> SubscriptionFilter {
    SubscriptionFilter::default()
        .with_tools_list_changed(true)
        .with_resource_subscriptions(vec!["a:1".into(), "a:2".into()])
}

pub fn capabilities() -> Value {
    json!({"tools": {"listChanged": true}, "resources": {"subscribe": true}})
}

/// What is new for a listener.
pub fn changes(client: &mut mcp_proto::client::Client, listener: ListenerId) -> Vec<Change> {
    core::iter::from_fn(|| client.poll_change(listener)).collect()
}

pub fn resource(uri: &str) -> Change {
    Change::Resource { uri: uri.into() }
}

pub fn tools_changed() -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})
}

pub fn updated(uri: &str) -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": {"uri": uri}})
}

/// The same, as a part of the subscription of this id.
pub fn tagged(id: &Value, mut notification: Value) -> Value {
    notification["params"]["_meta"] = json!({"io.modelcontextprotocol/subscriptionId": id});
    notification
}

pub fn acknowledged(id: &Value, granted: Value) -> Value {
    let method = "notifications/subscriptions/acknowledged";
    tagged(
        id,
        json!({"jsonrpc": "2.0", "method": method, "params": {"notifications": granted}}),
    )
}

/// One that speaks `revision` with a server that offers [`capabilities`].
fn ready(limits: &Limits, revision: Revision) -> Wire {
    let mut wire = Wire::new(config().with_limits(limits.clone()));
    wire.client.client().connect();
    let probe = wire.sent().remove(0);
    if revision.is_stateless() {
        wire.write(&result(&probe["id"], discover_result()));
    } else {
        wire.write(&error(&probe["id"], -32601));
        let initialize = wire.sent().remove(0);
        let mut answer = initialize_result(revision.as_str());
        answer["capabilities"] = capabilities();
        wire.write(&result(&initialize["id"], answer));
        assert_eq!(methods(&wire.sent()), ["notifications/initialized"]);
    }
    assert!(matches!(wire.events()[..], [ClientEvent::Ready]));
    wire
}

/// A listener of a modern server that has agreed to all of the filter, and the id of its subscription.
fn modern(limits: &Limits) -> (Wire, ListenerId, Value) {
    let mut wire = ready(limits, MODERN);
    let listener = wire.client.client().listen(filter()).unwrap();
    let id = wire.sent().remove(0)["id"].clone();
    wire.write(&acknowledged(
        &id,
        json!({"toolsListChanged": true, "resourceSubscriptions": ["a:1", "a:2"]}),
    ));
    told(&mut wire, listener);
    (wire, listener, id)
}

/// The application is told that there is something new, once.
fn told(wire: &mut Wire, listener: ListenerId) {
    let events = wire.events();
    let told = events
        .iter()
        .filter(|event| matches!(event, ClientEvent::Changed(id) if *id == listener));
    assert_eq!(told.count(), 1, "{events:?}");
}

#[test]
fn a_modern_server_is_asked_once_with_the_filter_and_its_acknowledgement_says_what_it_grants() {
    let mut wire = ready(&Limits::default(), MODERN);
    let listener = wire.client.client().listen(filter()).unwrap();
    let sent = wire.sent();
    assert_eq!(methods(&sent), ["subscriptions/listen"]);
    assert_eq!(
        sent[0]["params"]["notifications"],
        json!({"toolsListChanged": true, "resourceSubscriptions": ["a:1", "a:2"]})
    );
    assert_eq!(wire.client.as_client().granted(listener), None);
    wire.write(&acknowledged(&sent[0]["id"], json!({"toolsListChanged": true})));
    assert!(matches!(wire.events()[..], [ClientEvent::Changed(id)] if id == listener));
    let granted = SubscriptionFilter::default().with_tools_list_changed(true);
    assert_eq!(wire.client.as_client().granted(listener), Some(&granted));
    wire.advance(100_000);
    assert_eq!(wire.client.as_client().listener_end(listener), None, "it lasts");
}

#[test]
fn a_notification_reaches_the_listener_whose_subscription_it_names() {
    let (mut wire, first, id) = modern(&Limits::default());
    let second = wire.client.client().listen(filter()).unwrap();
    let other = wire.sent().remove(0)["id"].clone();
    wire.write(&tagged(&id, tools_changed()));
    wire.write(&tagged(&other, updated("a:1")));
    wire.write(&tagged(&json!(999), updated("a:2")));
    wire.write(&updated("a:2"));
    let client = wire.client.client();
    assert_eq!(changes(client, first), [Change::Tools]);
    assert_eq!(changes(client, second), [resource("a:1")]);
}

#[test]
fn what_was_not_asked_for_is_not_heard() {
    let (mut wire, listener, id) = modern(&Limits::default());
    let method = "notifications/prompts/list_changed";
    wire.write(&tagged(&id, json!({"jsonrpc": "2.0", "method": method, "params": {}})));
    assert!(changes(wire.client.client(), listener).is_empty());
}

#[test]
fn whoever_goes_cancels_the_subscription() {
    let (mut wire, listener, id) = modern(&Limits::default());
    wire.client.client().unlisten(listener);
    let sent = wire.sent();
    assert_eq!(methods(&sent), ["notifications/cancelled"]);
    assert_eq!(sent[0]["params"]["requestId"], id);
    wire.write(&tagged(&id, tools_changed()));
    assert!(
        wire.events()
            .iter()
            .all(|event| !matches!(event, ClientEvent::Changed(_)))
    );
    assert_eq!(wire.client.as_client().pending_calls(), 0);
}

/// 2026-07-28, Cancellation: a server that tears a subscription down sends `notifications/cancelled`; Graceful Closure: and
/// a result. Either says so, in either order.
#[test]
fn the_end_by_the_server_is_told_once_and_is_no_error() {
    for order in [[0, 1], [1, 0], [0, 0], [1, 1]] {
        let (mut wire, listener, id) = modern(&Limits::default());
        wire.write(&tagged(&id, tools_changed()));
        told(&mut wire, listener);
        for what in order {
            wire.write(&match what {
                0 => json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}}),
                _ => result(&id, json!({"resultType": "complete"})),
            });
        }
        assert!(matches!(wire.events()[..], [ClientEvent::Changed(id)] if id == listener));
        assert_eq!(
            changes(wire.client.client(), listener),
            [Change::Tools],
            "it is still read"
        );
        assert_eq!(wire.client.as_client().listener_end(listener), Some(&Ok(())));
        assert_eq!(wire.client.as_client().granted(listener), None);
        assert!(wire.sent().is_empty(), "it has ended in good order");
    }
}

#[test]
fn a_server_that_refuses_or_does_not_answer_ends_it_with_the_reason() {
    let mut wire = ready(&Limits::default(), MODERN);
    let [refused, unanswered] = [(); 2].map(|()| wire.client.client().listen(filter()).unwrap());
    let sent = wire.sent();
    wire.write(&error(&sent[0]["id"], -32601));
    let end = wire.client.as_client().listener_end(refused);
    assert!(matches!(end, Some(Err(CallError::Rpc(_)))), "{end:?}");
    wire.advance(60);
    let end = wire.client.as_client().listener_end(unanswered);
    assert!(matches!(end, Some(Err(CallError::Timeout { .. }))), "{end:?}");
    assert_eq!(methods(&wire.sent()), ["notifications/cancelled"]);
    assert_eq!(wire.client.poll_timeout(), None);
}

#[test]
fn a_slow_listener_gets_each_change_once_or_a_word_that_there_were_too_many() {
    let limits = Limits::default().with_listener_bytes(1_000);
    let (mut wire, listener, id) = modern(&limits);
    for _ in 0..1_000 {
        wire.write(&tagged(&id, updated("a:1")));
        wire.write(&tagged(&id, tools_changed()));
    }
    told(&mut wire, listener);
    assert_eq!(
        changes(wire.client.client(), listener),
        [resource("a:1"), Change::Tools]
    );
    for at in 0..1_000 {
        wire.write(&tagged(&id, updated(&format!("a:1/{at}"))));
    }
    assert!(wire.client.kept().bytes < 10_000 + (1 << 20), "the notifications apart");
    told(&mut wire, listener);
    assert_eq!(changes(wire.client.client(), listener), [Change::Lagged]);
    wire.write(&tagged(&id, updated("a:1")));
    assert_eq!(changes(wire.client.client(), listener), [resource("a:1")]);
}

#[test]
fn a_legacy_session_subscribes_once_for_all_and_unsubscribes_with_the_last() {
    let mut wire = ready(&Limits::default(), LEGACY);
    let first = wire.client.client().listen(filter()).unwrap();
    let sent = wire.sent();
    assert_eq!(methods(&sent), ["resources/subscribe", "resources/subscribe"]);
    wire.write(&result(&sent[0]["id"], json!({})));
    assert_eq!(wire.client.as_client().granted(first), None, "not all of it is known");
    wire.write(&error(&sent[1]["id"], -32002));
    let granted = filter().with_resource_subscriptions(vec!["a:1".into()]);
    assert_eq!(wire.client.as_client().granted(first), Some(&granted));
    let only = SubscriptionFilter::default().with_resource_subscriptions(vec!["a:1".into()]);
    let second = wire.client.client().listen(only.clone()).unwrap();
    assert_eq!(wire.client.as_client().granted(second), Some(&only), "at once");
    for notification in [tools_changed(), updated("a:1/part"), updated("b:1")] {
        wire.write(&notification);
    }
    let client = wire.client.client();
    assert_eq!(changes(client, first), [Change::Tools, resource("a:1/part")]);
    assert_eq!(changes(client, second), [resource("a:1/part")]);
    client.unlisten(first);
    assert!(wire.sent().is_empty(), "the other listens on");
    wire.client.client().unlisten(second);
    let sent = wire.sent();
    assert_eq!(methods(&sent), ["resources/unsubscribe"]);
    assert_eq!(sent[0]["params"]["uri"], "a:1");
}

#[test]
fn a_legacy_server_is_asked_for_nothing_that_it_does_not_offer() {
    let mut wire = Wire::ready(LEGACY);
    let listener = wire.client.client().listen(filter()).unwrap();
    assert!(wire.sent().is_empty());
    let nothing = SubscriptionFilter::default();
    assert_eq!(wire.client.as_client().granted(listener), Some(&nothing));
}

#[test]
fn what_is_unsubscribed_by_hand_is_subscribed_again_for_those_who_listen() {
    let mut wire = ready(&Limits::default(), LEGACY);
    let only = SubscriptionFilter::default().with_resource_subscriptions(vec!["a:1".into()]);
    let listener = wire.client.client().listen(only).unwrap();
    let sent = wire.sent();
    wire.write(&result(&sent[0]["id"], json!({})));
    for (method, then) in [
        ("resources/unsubscribe", &["resources/subscribe"][..]),
        ("resources/subscribe", &[]),
    ] {
        wire.call_with(method, params(&json!({"uri": "a:1"})), Default::default());
        let sent = wire.sent();
        wire.write(&result(&sent[0]["id"], json!({})));
        let sent = wire.sent();
        assert_eq!(methods(&sent), then);
        sent.iter().for_each(|sent| wire.write(&result(&sent["id"], json!({}))));
    }
    wire.client.client().unlisten(listener);
    assert!(wire.sent().is_empty(), "the application wants it still");
}

#[test]
fn the_handshake_comes_first_and_its_failure_ends_those_who_wait() {
    let mut wire = Wire::new(config());
    let listener = wire.client.client().listen(filter()).unwrap();
    let probe = wire.sent();
    assert_eq!(methods(&probe), ["server/discover"]);
    wire.write(&error(&probe[0]["id"], -32601));
    let initialize = wire.sent();
    wire.write(&error(&initialize[0]["id"], -32603));
    let end = wire.client.as_client().listener_end(listener);
    assert!(matches!(end, Some(Err(CallError::Rpc(_)))), "{end:?}");
}

#[test]
fn the_end_of_the_connection_ends_every_listener_before_it_is_told() {
    for revision in [LEGACY, MODERN] {
        let mut wire = ready(&Limits::default(), revision);
        let listener = wire.client.client().listen(filter()).unwrap();
        wire.sent();
        wire.client.receive_eof(wire.now);
        let events = wire.events();
        assert!(matches!(
            events[..],
            [ClientEvent::Changed(id), ClientEvent::Closed(_)] if id == listener
        ));
        let closed = Err(CallError::Closed(CloseReason::Peer));
        assert_eq!(wire.client.as_client().listener_end(listener), Some(&closed));
        let refused = wire.client.client().listen(filter());
        assert!(matches!(refused, Err(SendError::Closed(_))));
        wire.client.client().unlisten(listener);
        assert!(wire.client.kept().is_empty(), "{:?}", wire.client.kept());
    }
}

#[test]
fn listeners_and_what_they_name_are_bounded() {
    let limits = Limits::default().with_listeners(2).with_subscription_uris(2);
    let mut wire = ready(&limits, MODERN);
    let client = wire.client.client();
    let too_long = filter().with_resource_subscriptions(vec![String::new(); 3]);
    assert!(matches!(client.listen(too_long), Err(SendError::InvalidParams(_))));
    let first = client.listen(filter()).unwrap();
    client.listen(filter()).unwrap();
    assert!(matches!(client.listen(filter()), Err(SendError::TooManyCalls)));
    client.unlisten(first);
    assert!(client.listen(filter()).is_ok());
}
