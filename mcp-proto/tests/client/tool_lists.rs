//! The list of tools: read once, kept while it is fresh.

use core::time::Duration;

use mcp_proto::client::{ClientEvent, Link, Mode, Origin, Prior, ToolList};
use mcp_proto::model::CacheScope;
use mcp_proto::rpc::{CallError, CallId, CallOptions, CloseReason, Phase, SendError};
use mcp_proto::{Limits, Revision, Time};
use serde_json::{Value, json};

use crate::http_support::{SSE, Web, sse, verbs};
use crate::support::{Wire, at, config, error, initialize_result, methods, result, secs};

const LEGACY: Revision = Revision::LATEST_LEGACY;
const MODERN: Revision = Revision::LATEST;

pub(crate) fn ask(wire: &mut Wire) -> CallId {
    wire.client.client().list_tools(&CallOptions::default()).unwrap()
}

fn tool(name: &str) -> Value {
    json!({"name": name, "inputSchema": {"type": "object"}})
}

fn page(names: &[&str], more: Value) -> Value {
    let mut page = json!({"resultType": "complete", "tools": names.iter().map(|name| tool(name)).collect::<Vec<_>>()});
    page.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    page
}

/// Answers the one request that is written, a page of the list.
pub(crate) fn answer(wire: &mut Wire, cursor: Value, names: &[&str], more: Value) {
    let sent = wire.sent();
    assert_eq!(methods(&sent), ["tools/list"]);
    assert_eq!(sent[0]["params"]["cursor"], cursor);
    wire.write(&result(&sent[0]["id"], page(names, more)));
}

pub(crate) fn listed(events: &[ClientEvent]) -> Vec<(CallId, Result<ToolList, CallError>)> {
    events
        .iter()
        .filter_map(|event| match event {
            ClientEvent::ToolsListed { call, outcome } => Some((*call, outcome.clone())),
            _ => None,
        })
        .collect()
}

pub(crate) fn names(outcome: &Result<ToolList, CallError>) -> Vec<&str> {
    outcome
        .as_ref()
        .unwrap()
        .iter()
        .map(|tool| tool.name.as_str())
        .collect()
}

/// Whether the list is given out without a word to the server.
pub(crate) fn is_kept(wire: &mut Wire) -> bool {
    let asked = ask(wire);
    let sent = wire.sent();
    let listed = listed(&wire.events());
    wire.client.client().cancel(asked);
    assert_eq!(sent.is_empty(), !listed.is_empty(), "{sent:?}");
    wire.sent();
    sent.is_empty()
}

/// A server that promises to say when its tools change.
fn promising() -> Wire {
    let mut wire = Wire::new(config().with_mode(Mode::Legacy(LEGACY)));
    wire.client.client().connect();
    let mut facts = initialize_result(LEGACY.as_str());
    facts["capabilities"] = json!({"tools": {"listChanged": true}});
    let initialize = wire.sent();
    wire.write(&result(&initialize[0]["id"], facts));
    wire.sent();
    wire.events();
    wire
}

const CHANGED: &str = r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#;

#[test]
fn a_hundred_askers_share_one_reading_of_all_pages_and_the_handshake() {
    for mode in [Mode::Auto, Mode::Legacy(LEGACY), Mode::Modern] {
        let mut wire = Wire::new(config().with_mode(mode));
        let asked: Vec<_> = (0..100).map(|_| ask(&mut wire)).collect();
        match mode {
            Mode::Auto => {
                let probe = wire.sent();
                assert_eq!(methods(&probe), ["server/discover"]);
                wire.write(&result(&probe[0]["id"], crate::support::discover_result()));
            }
            Mode::Legacy(_) => {
                let initialize = wire.sent();
                assert_eq!(methods(&initialize), ["initialize"]);
                wire.write(&result(&initialize[0]["id"], initialize_result(LEGACY.as_str())));
                let sent = wire.sent();
                assert_eq!(methods(&sent), ["notifications/initialized", "tools/list"]);
                wire.write(&result(&sent[1]["id"], page(&["a", "b"], json!({"nextCursor": ""}))));
            }
            _ => {}
        }
        if !matches!(mode, Mode::Legacy(_)) {
            answer(&mut wire, Value::Null, &["a", "b"], json!({"nextCursor": ""}));
        }
        // An empty cursor is a cursor.
        answer(&mut wire, json!(""), &["c"], json!({}));
        let outcomes = listed(&wire.events());
        assert_eq!(outcomes.iter().map(|(call, _)| *call).collect::<Vec<_>>(), asked);
        assert!(outcomes.iter().all(|(_, outcome)| names(outcome) == ["a", "b", "c"]));
        assert!(wire.sent().is_empty());
        assert_eq!(wire.client.as_client().pending_calls(), 0);
    }
}

#[test]
fn a_list_is_fresh_for_as_long_as_its_shortest_page_says_from_when_it_came() {
    let mut wire = Wire::ready(MODERN);
    ask(&mut wire);
    answer(
        &mut wire,
        Value::Null,
        &["a"],
        json!({"ttlMs": 30_000, "nextCursor": "2"}),
    );
    wire.advance(5);
    answer(
        &mut wire,
        json!("2"),
        &["b"],
        json!({"ttlMs": 20_000, "cacheScope": "public"}),
    );
    let (_, list) = listed(&wire.events()).remove(0);
    assert_eq!(
        list.unwrap().scope(),
        &CacheScope::Private,
        "one page does not say public"
    );
    assert_eq!(
        wire.client.poll_timeout(),
        Some(at(25)),
        "the second page is the first to expire"
    );
    wire.advance(24);
    assert!(is_kept(&mut wire));
    wire.advance(25);
    assert_eq!(
        wire.client.poll_timeout(),
        None,
        "nothing is asked before someone wants it"
    );
    assert!(!is_kept(&mut wire));

    ask(&mut wire);
    answer(
        &mut wire,
        Value::Null,
        &["a"],
        json!({"ttlMs": 5_000, "nextCursor": "2"}),
    );
    answer(&mut wire, json!("2"), &["b"], json!({"ttlMs": 20_000}));
    assert_eq!(wire.client.poll_timeout(), Some(at(30)), "the first one is");
}

#[test]
fn a_list_that_no_driver_has_timed_out_is_not_fresh_all_the_same() {
    let mut wire = Wire::ready(MODERN);
    ask(&mut wire);
    answer(&mut wire, Value::Null, &["a"], json!({"ttlMs": 1_000}));
    wire.events();
    wire.now = at(1);
    wire.write_text(r#"{"jsonrpc":"2.0","method":"x/y"}"#);
    assert!(wire.client.as_client().tools().is_none());
}

#[test]
fn odd_times_keep_nothing_or_a_day_at_most() {
    let absurd = json!(1e300);
    for (ttl, until) in [
        (json!(0), None),
        (json!(-5), None),
        (json!("soon"), None),
        (Value::Null, None),
        (json!(1.5e3), Some(Duration::from_millis(1_500))),
        (absurd, Some(secs(24 * 3600))),
        (json!(u64::MAX), Some(secs(24 * 3600))),
    ] {
        let mut wire = Wire::ready(MODERN);
        ask(&mut wire);
        answer(&mut wire, Value::Null, &["a"], json!({"ttlMs": ttl, "cacheScope": 5}));
        assert!(listed(&wire.events())[0].1.is_ok());
        assert_eq!(
            wire.client.poll_timeout(),
            until.map(|until| Time::ORIGIN + until),
            "{ttl}"
        );
        assert_eq!(is_kept(&mut wire), until.is_some(), "{ttl}");
    }
}

#[test]
fn the_servers_word_ends_it_in_both_eras() {
    for mut wire in [Wire::ready(MODERN), promising()] {
        for _ in 0..2 {
            ask(&mut wire);
            answer(&mut wire, Value::Null, &["a"], json!({"ttlMs": 60_000}));
            wire.events();
            assert!(is_kept(&mut wire));
            wire.write_text(CHANGED);
            assert!(matches!(wire.events()[..], [ClientEvent::Notification(_)]));
            assert_eq!(wire.client.poll_timeout(), None);
        }
        assert!(!is_kept(&mut wire));
    }
}

#[test]
fn a_legacy_list_is_kept_until_the_promised_word_or_for_the_time_that_is_set() {
    let mut wire = promising();
    ask(&mut wire);
    answer(&mut wire, Value::Null, &["a"], json!({}));
    wire.advance(1_000_000);
    wire.events();
    assert!(is_kept(&mut wire));
    wire.write_text(CHANGED);
    wire.events();
    assert!(!is_kept(&mut wire));

    let mut wire = Wire::ready(LEGACY);
    ask(&mut wire);
    answer(&mut wire, Value::Null, &["a"], json!({}));
    wire.events();
    assert!(!is_kept(&mut wire), "nothing is promised");

    let tools_ttl = secs(9);
    let mut wire = Wire::ready_with(config().with_tools_ttl(tools_ttl), LEGACY);
    ask(&mut wire);
    answer(&mut wire, Value::Null, &["a"], json!({}));
    wire.events();
    wire.advance(8);
    assert!(is_kept(&mut wire));
    wire.advance(9);
    assert!(!is_kept(&mut wire));
}

#[test]
fn who_asks_after_the_word_gets_what_is_read_after_it() {
    let mut wire = Wire::ready(MODERN);
    let before = ask(&mut wire);
    let sent = wire.sent();
    wire.write_text(CHANGED);
    let after = [ask(&mut wire), ask(&mut wire)];
    assert!(wire.sent().is_empty(), "one at a time");
    wire.write(&result(&sent[0]["id"], page(&["old"], json!({"ttlMs": 60_000}))));
    let first = listed(&wire.events());
    assert_eq!(first.len(), 1);
    assert_eq!((first[0].0, names(&first[0].1)), (before, vec!["old"]));
    answer(&mut wire, Value::Null, &["new"], json!({"ttlMs": 60_000}));
    let second = listed(&wire.events());
    assert_eq!(second.iter().map(|(call, _)| *call).collect::<Vec<_>>(), after);
    assert_eq!(names(&second[0].1), ["new"]);
    assert!(is_kept(&mut wire));
    wire.client.client().forget_tools();
    assert!(!is_kept(&mut wire));

    // Nor is what was read before the word kept where nobody has asked after it.
    ask(&mut wire);
    let sent = wire.sent();
    wire.write_text(CHANGED);
    wire.write(&result(&sent[0]["id"], page(&["old"], json!({"ttlMs": 60_000}))));
    wire.events();
    assert!(!is_kept(&mut wire));
}

#[test]
fn a_failure_reaches_all_who_waited_and_the_next_asks_anew() {
    let mut wire = Wire::ready(MODERN);
    for _ in 0..3 {
        ask(&mut wire);
    }
    let sent = wire.sent();
    wire.write_text(CHANGED);
    ask(&mut wire);
    wire.write(&error(&sent[0]["id"], -32603));
    let outcomes = listed(&wire.events());
    assert_eq!(outcomes.len(), 4);
    assert!(
        outcomes
            .iter()
            .all(|(_, outcome)| matches!(outcome, Err(CallError::Rpc(_))))
    );
    assert!(wire.sent().is_empty());
    ask(&mut wire);
    answer(&mut wire, Value::Null, &[], json!({}));
    assert!(listed(&wire.events())[0].1.is_ok());
}

#[test]
fn a_failed_handshake_reaches_all_who_waited() {
    let mut wire = Wire::new(config().with_mode(Mode::Legacy(LEGACY)));
    ask(&mut wire);
    ask(&mut wire);
    let initialize = wire.sent();
    wire.write(&error(&initialize[0]["id"], -32603));
    let outcomes = listed(&wire.events());
    assert_eq!(outcomes.len(), 2);
    assert!(
        outcomes
            .iter()
            .all(|(_, outcome)| matches!(outcome, Err(CallError::Rpc(_))))
    );
    assert_eq!(wire.client.as_client().pending_calls(), 0);
    assert!(wire.sent().is_empty());
}

#[test]
fn each_asker_has_its_own_time_and_the_last_to_go_ends_the_reading() {
    let mut wire = Wire::ready(MODERN);
    let short = CallOptions::new().with_timeout(secs(2));
    let hasty = wire.client.client().list_tools(&short).unwrap();
    let patient = ask(&mut wire);
    let sent = wire.sent();
    wire.advance(2);
    let phase = Phase::Request;
    let after = secs(2);
    assert_eq!(
        listed(&wire.events()),
        [(hasty, Err(CallError::Timeout { phase, after }))]
    );
    assert!(wire.sent().is_empty(), "the other waits on");
    wire.client.client().cancel(patient);
    let told = wire.sent();
    assert_eq!(methods(&told), ["notifications/cancelled"]);
    assert_eq!(told[0]["params"]["requestId"], sent[0]["id"]);
    assert_eq!(
        (wire.client.as_client().pending_calls(), wire.client.poll_timeout()),
        (0, None)
    );
}

#[test]
fn a_server_that_never_answers_costs_every_asker_its_time_and_no_more() {
    let mut wire = Wire::new(config());
    let asked = ask(&mut wire);
    assert_eq!(methods(&wire.sent()), ["server/discover"]);
    wire.advance(200);
    let outcomes = listed(&wire.events());
    assert_eq!(outcomes.len(), 1);
    assert_eq!(outcomes[0].0, asked);
    assert!(matches!(outcomes[0].1, Err(CallError::Timeout { .. })));
}

#[test]
fn endless_pages_end_also_where_the_cursors_go_round() {
    let round = ["1", "2", "3", "1"];
    let mut wire = Wire::ready(MODERN);
    ask(&mut wire);
    let mut cursor = Value::Null;
    for next in round {
        answer(&mut wire, cursor, &[], json!({"nextCursor": next}));
        cursor = json!(next);
    }
    assert!(matches!(
        listed(&wire.events())[..],
        [(_, Err(CallError::InvalidReply(_)))]
    ));
    assert!(wire.sent().is_empty());

    let limits = Limits::default().with_list_pages(3);
    let mut wire = Wire::ready_with(config().with_limits(limits), MODERN);
    ask(&mut wire);
    let mut cursor = Value::Null;
    for n in 0..3 {
        answer(&mut wire, cursor, &[], json!({"nextCursor": n.to_string()}));
        cursor = json!(n.to_string());
    }
    assert!(matches!(
        listed(&wire.events())[..],
        [(_, Err(CallError::InvalidReply(_)))]
    ));
}

#[test]
fn the_whole_list_is_bounded_in_bytes() {
    let limits = Limits::default().with_total_bytes(3_000);
    let mut wire = Wire::ready_with(config().with_limits(limits), MODERN);
    ask(&mut wire);
    let long = "x".repeat(1_000);
    answer(&mut wire, Value::Null, &[&long], json!({"nextCursor": "1"}));
    answer(&mut wire, json!("1"), &[&long], json!({"nextCursor": "2"}));
    answer(&mut wire, json!("2"), &[&long], json!({}));
    assert!(matches!(
        listed(&wire.events())[..],
        [(_, Err(CallError::InvalidReply(_)))]
    ));
}

#[test]
fn one_awkward_tool_takes_no_other_along() {
    let mut wire = Wire::ready(MODERN);
    ask(&mut wire);
    let sent = wire.sent();
    let tools = json!([
        {"name": "no_properties", "inputSchema": {"type": "object"}, "x-unknown": [1]},
        {"name": "no_schema"},
        {"inputSchema": {}},
        17,
        {"name": "odd", "inputSchema": true, "annotations": 5},
        {"name": "no_properties", "inputSchema": {"type": "object"}},
    ]);
    wire.write(&result(
        &sent[0]["id"],
        json!({"resultType": "complete", "tools": tools}),
    ));
    let (_, outcome) = listed(&wire.events()).remove(0);
    assert_eq!(names(&outcome), ["no_properties", "odd"]);
    let list = outcome.unwrap();
    let skipped: Vec<_> = list.skipped().iter().map(|skipped| skipped.name.as_deref()).collect();
    assert_eq!(skipped, [Some("no_schema"), None, None, Some("no_properties")]);
    assert!(list.get("no_properties").unwrap().extra.get("x-unknown").is_some());
    assert!(list.get("no_schema").is_none());
}

#[test]
fn a_page_that_is_none_fails_the_list() {
    for body in [
        json!({}),
        json!({"tools": 5}),
        json!({"tools": [], "nextCursor": 5}),
        json!({"resultType": "input_required", "tools": []}),
    ] {
        let mut wire = Wire::ready(MODERN);
        ask(&mut wire);
        let sent = wire.sent();
        wire.write(&result(&sent[0]["id"], body.clone()));
        assert!(matches!(listed(&wire.events())[..], [(_, Err(_))]), "{body}");
    }
}

#[test]
fn a_server_without_tools_is_not_asked() {
    let mut wire = Wire::new(config().with_mode(Mode::Legacy(LEGACY)));
    ask(&mut wire);
    let initialize = wire.sent();
    let mut facts = initialize_result(LEGACY.as_str());
    facts["capabilities"] = json!({});
    wire.write(&result(&initialize[0]["id"], facts));
    assert_eq!(methods(&wire.sent()), ["notifications/initialized"]);
    let refused = CallError::Refused(SendError::NotSupported {
        method: mcp_proto::method::Method::ListTools.into(),
    });
    assert_eq!(listed(&wire.events())[0].1, Err(refused));
    assert!(wire.client.client().list_tools(&CallOptions::default()).is_err());
}

#[test]
fn a_closed_connection_ends_all_askers_and_keeps_nothing() {
    let mut wire = promising();
    ask(&mut wire);
    answer(&mut wire, Value::Null, &["a"], json!({}));
    wire.client.client().forget_tools();
    wire.events();
    ask(&mut wire);
    wire.client.close(CloseReason::Local);
    let closed = CallError::Closed(CloseReason::Local);
    assert!(matches!(&listed(&wire.events())[..], [(_, Err(error))] if *error == closed));
    assert!(wire.client.client().list_tools(&CallOptions::default()).is_err());
    assert!(wire.client.as_client().tools().is_none());
}

#[test]
fn a_prior_that_proves_wrong_does_not_fail_the_list() {
    let prior = Some(Prior::new(MODERN));
    let mut wire = Wire::new(config().with_prior(prior));
    ask(&mut wire);
    let sent = wire.sent();
    assert_eq!(methods(&sent), ["tools/list"]);
    wire.write(&error(&sent[0]["id"], -32601));
    let probe = wire.sent();
    assert_eq!(methods(&probe), ["server/discover"]);
    wire.write(&error(&probe[0]["id"], -32601));
    let initialize = wire.sent();
    wire.write(&result(&initialize[0]["id"], initialize_result(LEGACY.as_str())));
    let sent = wire.sent();
    assert_eq!(methods(&sent), ["notifications/initialized", "tools/list"]);
    assert!(sent[1]["params"]["_meta"].is_null());
    wire.write(&result(&sent[1]["id"], page(&["a"], json!({}))));
    assert_eq!(names(&listed(&wire.events())[0].1), ["a"]);
}

fn ask_http(web: &mut Web) -> CallId {
    web.client.client().list_tools(&CallOptions::default()).unwrap()
}

#[test]
fn a_lost_session_begins_the_list_anew_once() {
    let mut web = Web::ready(LEGACY);
    ask_http(&mut web);
    let first = web.opened().remove(0);
    web.json(
        first.id,
        200,
        &result(first.rpc_id(), page(&["old"], json!({"nextCursor": "2"}))),
    );
    for round in 0..2 {
        let second = web.opened().remove(0);
        assert_eq!(second.body["params"]["cursor"], "2");
        web.status(second.id, 404);
        if round == 1 {
            break;
        }
        let initialize = web.opened().remove(0);
        web.initialize_answered(&initialize, LEGACY, "s2");
        let initialized = web.opened().remove(0);
        web.status(initialized.id, 202);
        let opened = web.opened();
        let again = opened.iter().find(|opened| opened.method() == "tools/list").unwrap();
        assert!(again.body["params"]["cursor"].is_null(), "from its beginning");
        web.json(
            again.id,
            200,
            &result(again.rpc_id(), page(&["new"], json!({"nextCursor": "2"}))),
        );
    }
    let outcomes = listed(&web.events());
    assert_eq!(outcomes.len(), 1);
    assert_eq!(outcomes[0].1, Err(CallError::SessionLost));
    assert!(!verbs(&web.opened()).contains(&"tools/list"), "no loop");
}

#[test]
fn over_http_the_promise_counts_while_the_stream_is_open_that_it_comes_on() {
    let mut web = Web::new(config().with_mode(Mode::Legacy(LEGACY)));
    web.client.client().connect();
    let initialize = web.opened().remove(0);
    let mut facts = initialize_result(LEGACY.as_str());
    facts["capabilities"] = json!({"tools": {"listChanged": true}});
    let body = result(initialize.rpc_id(), facts).to_string();
    let head = [("content-type", "application/json"), ("mcp-session-id", "s")];
    web.head(initialize.id, 200, &head);
    web.body(initialize.id, body.as_bytes());
    web.end(initialize.id);
    let initialized = web.opened().remove(0);
    web.status(initialized.id, 202);
    let stream = web.opened().remove(0);
    assert_eq!(stream.method(), "GET");

    let read = |web: &mut Web| {
        ask_http(web);
        let opened = web.opened();
        let list = opened.iter().find(|opened| opened.method() == "tools/list");
        if let Some(list) = list {
            web.json(list.id, 200, &result(list.rpc_id(), page(&["a"], json!({}))));
        }
        assert_eq!(listed(&web.events()).len(), 1);
        list.is_some()
    };
    assert!(read(&mut web) && read(&mut web), "the stream is not open yet");
    web.head(stream.id, 200, &[("content-type", SSE)]);
    assert!(read(&mut web) && !read(&mut web), "now it is kept");
    web.body(stream.id, &sse(&[serde_json::from_str(CHANGED).unwrap()]));
    assert!(read(&mut web) && !read(&mut web));
    web.end(stream.id);
    assert!(read(&mut web) && read(&mut web), "what changes now goes unheard");
}

#[test]
fn over_http_tools_with_wrong_headers_are_skipped_and_named() {
    let mut web = Web::ready(MODERN);
    ask_http(&mut web);
    let list = web.opened().remove(0);
    let wrong = json!({"name": "wrong", "inputSchema": {"type": "object", "properties": {"x": {"type": "object", "x-mcp-header": "X"}}}});
    let tools = json!({"resultType": "complete", "tools": [tool("a"), wrong], "ttlMs": 5_000});
    web.json(list.id, 200, &result(list.rpc_id(), tools));
    let events = web.events();
    assert!(matches!(&events[0], ClientEvent::ToolRejected { tool, .. } if &**tool == "wrong"));
    let (_, outcome) = listed(&events).remove(0);
    assert_eq!(names(&outcome), ["a"]);
    assert_eq!(outcome.unwrap().skipped()[0].name.as_deref(), Some("wrong"));
}

#[test]
fn a_call_refused_for_its_headers_does_not_trust_the_list_that_is_kept() {
    let mut web = Web::ready(MODERN);
    ask_http(&mut web);
    let list = web.opened().remove(0);
    web.json(
        list.id,
        200,
        &result(list.rpc_id(), page(&["a"], json!({"ttlMs": 60_000}))),
    );
    web.events();
    let params = crate::support::params(&json!({"name": "a", "arguments": {}}));
    web.call_with("tools/call", params, CallOptions::default());
    let call = web.opened().remove(0);
    web.json(call.id, 400, &error(call.rpc_id(), -32020));
    assert_eq!(verbs(&web.opened()), ["tools/list"]);
}

#[test]
fn log_messages_in_the_response_to_a_call_belong_to_it() {
    for revision in [MODERN, LEGACY] {
        let mut web = Web::ready(revision);
        let options = CallOptions::new().with_log_level(mcp_proto::model::LoggingLevel::Info);
        let params = || crate::support::params(&json!({"name": "a"}));
        let made = [
            web.call_with("tools/call", params(), options.clone()),
            web.call_with("tools/call", params(), options),
            web.call_with("tools/call", params(), CallOptions::default()),
        ];
        let opened = web.opened();
        let mut logged = Vec::new();
        for at in [1, 0, 2, 1] {
            let message =
                json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": at}});
            web.head(opened[at].id, 200, &[("content-type", SSE)]);
            web.body(opened[at].id, &sse(&[message]));
            let events = web.events();
            assert!(
                matches!(events.last(), Some(ClientEvent::Notification(_))),
                "{events:?}"
            );
            logged.extend(events.iter().filter_map(|event| match event {
                ClientEvent::Log { call, .. } => Some(*call),
                _ => None,
            }));
        }
        assert_eq!(logged, [made[1], made[0], made[1]], "{revision}");
    }
}

#[test]
fn log_messages_on_a_stream_belong_to_nobody() {
    let mut wire = Wire::ready(MODERN);
    let options = CallOptions::new().with_log_level(mcp_proto::model::LoggingLevel::Info);
    wire.call_with("tools/call", crate::support::params(&json!({"name": "a"})), options);
    wire.sent();
    wire.write_text(r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}"#);
    assert!(matches!(wire.events()[..], [ClientEvent::Notification(_)]));
}

/// A transport of HTTP that is not ours says nothing of a stream: the promise is not relied on.
#[test]
fn a_promise_over_an_unknown_http_transport_is_not_relied_on() {
    let mode = Mode::Legacy(LEGACY);
    let mut client = mcp_proto::client::Client::new(config().with_mode(mode), Link::Http);
    let mut asked = 0;
    for _ in 0..2 {
        client.list_tools(&CallOptions::default()).unwrap();
        while let Some(outgoing) = client.poll_outgoing(at(0)) {
            let message: Value = serde_json::from_slice(&outgoing.text).unwrap();
            let mut facts = initialize_result(LEGACY.as_str());
            facts["capabilities"] = json!({"tools": {"listChanged": true}});
            let answer = match message["method"].as_str().unwrap() {
                "initialize" => result(&message["id"], facts),
                "tools/list" => result(&message["id"], page(&["a"], json!({}))),
                _ => {
                    client.delivered(outgoing.purpose, Ok(()));
                    continue;
                }
            };
            asked += usize::from(message["method"] == "tools/list");
            let origin = Origin::Http {
                status: 200,
                call: None,
            };
            client.receive_text(at(0), answer.to_string().into(), origin);
        }
    }
    assert_eq!(asked, 2);
}
