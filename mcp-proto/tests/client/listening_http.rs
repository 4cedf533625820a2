//! Listeners over HTTP: streams that break off, sessions that are lost, and servers that have no stream.

use mcp_proto::client::{Change, ClientEvent, ListenerId};
use mcp_proto::model::SubscriptionFilter;
use mcp_proto::rpc::{CallError, SendError};
use mcp_proto::{Revision, Time};
use serde_json::{Value, json};

use crate::http_support::{JSON, Opened, SSE, Web, sse, verbs};
use crate::listening_stream::{acknowledged, capabilities, changes, filter, resource, tagged, tools_changed, updated};
use crate::support::{config, error, initialize_result, result, secs};

const LEGACY: Revision = Revision::V2025_11_25;
const MODERN: Revision = Revision::V2026_07_28;

fn all() -> Value {
    json!({"toolsListChanged": true, "resourceSubscriptions": ["a:1", "a:2"]})
}

/// Answers a `subscriptions/listen` with a stream that begins like this.
fn acknowledge(web: &mut Web, post: &Opened, granted: Value, more: &[Value]) {
    assert_eq!(post.method(), "subscriptions/listen");
    web.head(post.id, 200, &[("content-type", SSE)]);
    web.body(post.id, &sse(&[acknowledged(post.rpc_id(), granted)]));
    web.body(post.id, &sse(more));
}

/// A listener of a modern server that has agreed to all of the filter, and the exchange of its subscription.
fn modern() -> (Web, ListenerId, Opened) {
    let mut web = Web::ready(MODERN);
    let listener = web.client.client().listen(filter()).unwrap();
    let post = web.opened().remove(0);
    acknowledge(&mut web, &post, all(), &[]);
    assert!(matches!(web.events()[..], [ClientEvent::Changed(id)] if id == listener));
    (web, listener, post)
}

/// Goes to the next thing that is due.
fn go_on(web: &mut Web) -> Time {
    let before = web.now;
    // What has happened gets its time first.
    web.client.handle_timeout(web.now);
    web.now = web.client.poll_timeout().expect("something is due");
    web.client.handle_timeout(web.now);
    before
}

/// Answers `initialize` and what follows it, up to the first requests in the session, with the GET stream among them.
fn session(web: &mut Web, initialize: &Opened, name: &str) -> Vec<Opened> {
    let mut answer = initialize_result(LEGACY.as_str());
    answer["capabilities"] = capabilities();
    web.head(initialize.id, 200, &[("content-type", JSON), ("mcp-session-id", name)]);
    web.body(
        initialize.id,
        result(initialize.rpc_id(), answer).to_string().as_bytes(),
    );
    web.end(initialize.id);
    let announced = web.opened().remove(0);
    web.status(announced.id, 202);
    web.opened()
}

/// A listener of a legacy server that has agreed to all of the filter, and the exchange of the GET stream.
fn legacy() -> (Web, ListenerId, Opened) {
    let mut web = Web::new(config());
    let listener = web.client.client().listen(filter()).unwrap();
    web.probe_answered(LEGACY);
    let initialize = web.opened().remove(0);
    let opened = session(&mut web, &initialize, "s1");
    let get = agree(&mut web, opened);
    assert_eq!(web.client.as_client().granted(listener), None, "nothing is heard yet");
    web.head(get.id, 200, &[("content-type", SSE)]);
    assert_eq!(web.client.as_client().granted(listener), Some(&filter()));
    web.events();
    (web, listener, get)
}

/// Agrees to all that is subscribed to; gives the GET stream.
fn agree(web: &mut Web, opened: Vec<Opened>) -> Opened {
    let mut verbs = verbs(&opened);
    verbs.sort_unstable();
    assert_eq!(verbs, ["GET", "resources/subscribe", "resources/subscribe"]);
    let mut get = None;
    for exchange in opened {
        match exchange.method() {
            "GET" => get = Some(exchange),
            _ => web.json(exchange.id, 200, &result(exchange.rpc_id(), json!({}))),
        }
    }
    get.expect("a stream")
}

#[test]
fn what_comes_in_the_response_belongs_to_the_subscription() {
    let (mut web, listener, post) = modern();
    assert_eq!(post.header("mcp-method"), Some("subscriptions/listen"));
    // 2026-07-28, Subscriptions: each notification names its subscription; the stream that it comes in does so as well.
    let news = [tagged(post.rpc_id(), tools_changed()), updated("a:1")];
    web.body(post.id, &sse(&news));
    assert_eq!(changes(web.client.client(), listener), [Change::Tools, resource("a:1")]);
    web.client.client().unlisten(listener);
    assert!(web.opened().is_empty(), "the end of the stream says it");
    assert_eq!(web.aborted, [post.id]);
    assert_eq!(web.client.open_exchanges(), 0);
}

#[test]
fn a_stream_that_breaks_off_is_opened_again_and_the_listener_told() {
    let (mut web, listener, mut post) = modern();
    for round in 0..50 {
        match round % 3 {
            0 => web.broken(post.id),
            1 => web.end(post.id),
            // What it was asked for while it was away is refused for the moment.
            _ => {
                web.broken(post.id);
                go_on(&mut web);
                let again = web.opened().remove(0);
                web.json(again.id, 503, &error(again.rpc_id(), -32603));
            }
        }
        assert_eq!(web.client.as_client().granted(listener), None);
        let before = go_on(&mut web);
        assert!(web.now.since(before) <= secs(2));
        post = web.opened().remove(0);
        let change = tagged(post.rpc_id(), tools_changed());
        acknowledge(&mut web, &post, json!({"toolsListChanged": true}), &[change]);
        assert_eq!(
            changes(web.client.client(), listener),
            [Change::Restored, Change::Tools]
        );
        let granted = SubscriptionFilter::default().with_tools_list_changed(true);
        assert_eq!(
            web.client.as_client().granted(listener),
            Some(&granted),
            "what is granted now"
        );
    }
}

#[test]
fn a_server_that_drops_every_stream_is_given_up_and_the_listener_told() {
    let (mut web, listener, mut post) = modern();
    for wait in [1, 2, 4, 8, 16] {
        web.broken(post.id);
        let before = go_on(&mut web);
        assert_eq!(web.now.since(before), secs(wait));
        post = web.opened().remove(0);
        acknowledge(&mut web, &post, all(), &[]);
    }
    web.broken(post.id);
    assert!(web.opened().is_empty());
    assert_eq!(web.client.poll_timeout(), None);
    let end = Err(CallError::Disconnected);
    assert_eq!(web.client.as_client().listener_end(listener), Some(&end));
    assert_eq!(changes(web.client.client(), listener), [Change::Restored]);
}

#[test]
fn the_first_refusal_is_the_applications_to_judge() {
    for status in [401, 404, 503] {
        let mut web = Web::ready(MODERN);
        let listener = web.client.client().listen(filter()).unwrap();
        let post = web.opened().remove(0);
        web.status(post.id, status);
        let end = web.client.as_client().listener_end(listener);
        let Some(Err(error)) = end else { panic!("{end:?}") };
        assert_eq!(error.http_status(), Some(status));
        assert_eq!(web.client.poll_timeout(), None, "{status}");
    }
}

#[test]
fn the_end_in_good_order_is_not_followed_by_another_stream() {
    let (mut web, listener, post) = modern();
    web.body(
        post.id,
        &sse(&[result(post.rpc_id(), json!({"resultType": "complete"}))]),
    );
    web.end(post.id);
    assert_eq!(web.client.as_client().listener_end(listener), Some(&Ok(())));
    assert!(web.opened().is_empty());
    assert_eq!(web.client.poll_timeout(), None);
}

#[test]
fn a_legacy_listener_hears_on_the_get_stream() {
    let (mut web, listener, get) = legacy();
    web.body(get.id, &sse(&[tools_changed(), updated("a:2"), updated("b:1")]));
    assert_eq!(changes(web.client.client(), listener), [Change::Tools, resource("a:2")]);
    web.client.client().unlisten(listener);
    assert_eq!(verbs(&web.opened()), ["resources/unsubscribe", "resources/unsubscribe"]);
}

#[test]
fn a_session_that_is_lost_is_followed_by_the_next_and_the_listener_told() {
    let (mut web, listener, get) = legacy();
    web.broken(get.id);
    go_on(&mut web);
    // The first that the client hears of it while nobody calls: the stream, and then a question of its own.
    let get = web.opened().remove(0);
    web.status(get.id, 404);
    let ping = web.opened().remove(0);
    assert_eq!(ping.method(), "ping");
    assert_eq!(web.client.as_client().listener_end(listener), None, "it is in doubt");
    web.status(ping.id, 404);
    let initialize = web.opened().remove(0);
    assert_eq!(web.client.as_client().granted(listener), None);
    let opened = session(&mut web, &initialize, "s2");
    let get = agree(&mut web, opened);
    web.head(get.id, 200, &[("content-type", SSE)]);
    web.body(get.id, &sse(&[tools_changed()]));
    assert_eq!(
        changes(web.client.client(), listener),
        [Change::Restored, Change::Tools]
    );
    assert_eq!(web.client.as_client().granted(listener), Some(&filter()));
}

#[test]
fn a_gap_in_the_get_stream_is_told_unless_the_server_can_fill_it() {
    for (id, told) in [("", vec![Change::Restored]), ("id: 7\n", vec![])] {
        let (mut web, listener, get) = legacy();
        web.body(get.id, format!("{id}data: {}\n\n", tools_changed()).as_bytes());
        assert_eq!(changes(web.client.client(), listener), [Change::Tools]);
        web.end(get.id);
        go_on(&mut web);
        let get = web.opened().remove(0);
        assert_eq!(get.header("last-event-id").is_some(), told.is_empty());
        web.head(get.id, 200, &[("content-type", SSE)]);
        assert_eq!(changes(web.client.client(), listener), told);
    }
}

#[test]
fn a_server_without_a_stream_is_no_place_to_listen() {
    let mut web = Web::ready(LEGACY);
    let listener = web.client.client().listen(filter()).unwrap();
    let end = web.client.as_client().listener_end(listener);
    let unsupported = |end: Option<&Result<(), CallError>>| {
        matches!(end, Some(Err(CallError::Refused(SendError::NotSupported { .. }))))
    };
    assert!(unsupported(end), "{end:?}");
    // The same, where it was not known before.
    for status in [404, 405] {
        let mut web = Web::new(config());
        let listener = web.client.client().listen(filter()).unwrap();
        web.probe_answered(LEGACY);
        let initialize = web.opened().remove(0);
        let opened = session(&mut web, &initialize, "s1");
        let get = agree(&mut web, opened);
        web.status(get.id, status);
        if status == 404 {
            let ping = web.opened().remove(0);
            web.json(ping.id, 200, &result(ping.rpc_id(), json!({})));
        }
        let end = web.client.as_client().listener_end(listener);
        assert!(unsupported(end), "{status}: {end:?}");
    }
}

#[test]
fn a_stream_that_is_given_up_ends_the_listeners_with_the_reason() {
    let (mut web, listener, mut get) = legacy();
    for _ in 0..5 {
        web.end(get.id);
        go_on(&mut web);
        get = web.opened().remove(0);
    }
    web.status(get.id, 503);
    let end = web.client.as_client().listener_end(listener);
    let Some(Err(error)) = end else { panic!("{end:?}") };
    assert_eq!(error.http_status(), Some(503));
}
