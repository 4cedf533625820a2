//! Legacy sessions over HTTP: loss, the GET stream, messages that want no answer, the end.

use mcp_proto::client::{ClientEvent, Mode};
use mcp_proto::http::client::{ExchangeError, HttpClientConfig};
use mcp_proto::jsonrpc::{Params, RawJson};
use mcp_proto::rpc::{CallError, CallOptions, CloseReason, Phase};
use mcp_proto::{Revision, Time};
use serde_json::json;

use crate::http_support::{Opened, SSE, Web, sse, verbs};
use crate::support::{at, config, error, only_error, replies, result, secs, tools};

const LEGACY: Revision = Revision::V2025_11_25;

/// Answers a new handshake up to its end, and gives what the client opens then.
pub(super) fn handshake(web: &mut Web, initialize: &Opened, session: &str) -> Vec<Opened> {
    web.initialize_answered(initialize, LEGACY, session);
    let initialized = web.opened();
    assert_eq!(verbs(&initialized), ["notifications/initialized"]);
    assert_eq!(initialized[0].header("mcp-session-id"), Some(session));
    web.status(initialized[0].id, 202);
    web.opened()
        .into_iter()
        .filter(|opened| opened.verb == http::Method::POST)
        .collect()
}

pub(super) fn with_listen() -> (Web, Opened) {
    let mut web = Web::new(config());
    web.client.client().connect();
    web.probe_answered(LEGACY);
    let initialize = web.opened().remove(0);
    web.initialize_answered(&initialize, LEGACY, "s1");
    let initialized = web.opened().remove(0);
    web.status(initialized.id, 202);
    let mut opened = web.opened();
    assert_eq!(verbs(&opened), ["GET"], "once");
    web.events();
    (web, opened.remove(0))
}

pub(super) fn gets(web: &mut Web) -> Vec<Opened> {
    web.opened()
        .into_iter()
        .filter(|opened| opened.verb == http::Method::GET)
        .collect()
}

#[test]
fn a_lost_session_is_made_anew_once_for_all_calls() {
    for (calls, before) in [(1, 1), (50, 50), (50, 25)] {
        let mut web = Web::ready(LEGACY);
        let made: Vec<_> = (0..calls).map(|_| web.call("tools/list")).collect();
        let posts = web.opened();
        for post in &posts[..before] {
            web.status(post.id, 404);
        }
        let initialize = web.opened();
        assert_eq!(verbs(&initialize), ["initialize"]);
        assert_eq!(initialize[0].header("mcp-session-id"), None);
        let mut again = handshake(&mut web, &initialize[0], "s2");
        // News of the old session, when the new one is in use already.
        for post in &posts[before..] {
            web.status(post.id, 404);
        }
        again.extend(web.opened());
        assert_eq!(again.len(), calls, "each once more, and no second handshake");
        for post in &again {
            assert_eq!(
                (post.method(), post.header("mcp-session-id")),
                ("tools/list", Some("s2"))
            );
            web.json(post.id, 200, &result(post.rpc_id(), tools()));
        }
        let events = web.events();
        let answered: Vec<_> = replies(&events)
            .into_iter()
            .map(|(call, outcome)| outcome.map(|_| call).unwrap())
            .collect();
        assert_eq!(answered, made);
        assert_eq!(
            events
                .iter()
                .filter(|event| matches!(event, ClientEvent::SessionLost))
                .count(),
            1
        );
    }
}

#[test]
fn a_session_that_is_lost_twice_is_the_callers_to_know() {
    let mut web = Web::ready(LEGACY);
    web.call("tools/list");
    let post = web.opened().remove(0);
    web.status(post.id, 404);
    let initialize = web.opened().remove(0);
    let again = handshake(&mut web, &initialize, "s2");
    web.status(again[0].id, 404);
    assert_eq!(only_error(&web.events()), CallError::SessionLost);
    assert!(web.opened().is_empty());
    web.call("tools/list");
    assert_eq!(
        verbs(&web.opened()),
        ["initialize"],
        "the lost session is not tried again"
    );
}

#[test]
fn what_is_queued_when_the_session_is_lost_waits_for_the_next() {
    let mut web = Web::ready(LEGACY);
    web.call("tools/list");
    let post = web.opened().remove(0);
    web.call("tools/call");
    web.client
        .client()
        .notify("notifications/roots/list_changed", Params::NONE)
        .unwrap();
    web.call("tools/list");
    web.status(post.id, 404);
    let initialize = web.opened();
    assert_eq!(verbs(&initialize), ["initialize"]);
    let rest = handshake(&mut web, &initialize[0], "s2");
    assert_eq!(
        verbs(&rest),
        [
            "tools/call",
            "notifications/roots/list_changed",
            "tools/list",
            "tools/list"
        ]
    );
    assert!(rest.iter().all(|opened| opened.header("mcp-session-id") == Some("s2")));
}

#[test]
fn a_handshake_that_fails_after_a_loss_fails_the_calls() {
    let mut web = Web::ready(LEGACY);
    web.call("tools/list");
    let post = web.opened().remove(0);
    web.status(post.id, 404);
    let initialize = web.opened().remove(0);
    web.status(initialize.id, 503);
    assert_eq!(only_error(&web.events()).http_status(), Some(503));
    web.call("tools/list");
    let probe = web.opened().remove(0);
    assert_eq!(
        (probe.method(), probe.header("mcp-session-id")),
        ("server/discover", None)
    );
}

#[test]
fn requests_of_a_lost_session_are_not_answered_in_the_next() {
    let (mut web, get) = with_listen();
    web.head(get.id, 200, &[("content-type", SSE)]);
    web.body(
        get.id,
        &sse(&[json!({"jsonrpc": "2.0", "id": 1, "method": "roots/list"})]),
    );
    let Some(ClientEvent::Request(request)) = web.events().pop() else {
        panic!()
    };
    web.call("tools/list");
    let post = web.opened().remove(0);
    web.status(post.id, 404);
    web.client
        .client()
        .respond(request.key, Ok(RawJson::parse("{}").unwrap()));
    assert!(
        web.events()
            .iter()
            .any(|event| matches!(event, ClientEvent::Cancelled(key) if *key == request.key))
    );
    assert_eq!(verbs(&web.opened()), ["initialize"]);
    assert_eq!(web.aborted, [get.id], "the stream of the lost session");
}

#[test]
fn a_call_of_a_lost_session_is_cancelled_without_a_word_in_the_next() {
    let mut web = Web::ready(LEGACY);
    web.call("tools/list");
    let slow = web.call("tools/list");
    let posts = web.opened();
    web.status(posts[0].id, 404);
    let initialize = web.opened().remove(0);
    handshake(&mut web, &initialize, "s2");
    web.client.client().cancel(slow);
    assert!(web.opened().is_empty(), "the new session does not know the call");
    assert_eq!(web.aborted, [posts[1].id]);
}

#[test]
fn a_404_outside_a_session_is_just_a_404() {
    let mut web = Web::new(config());
    web.client.client().connect();
    web.probe_answered(LEGACY);
    let initialize = web.opened().remove(0);
    let body = result(initialize.rpc_id(), crate::support::initialize_result("2025-11-25"));
    web.json(initialize.id, 200, &body);
    let initialized = web.opened().remove(0);
    web.status(initialized.id, 202);
    assert!(web.opened().is_empty(), "no session, no GET stream");
    web.call("tools/list");
    let post = web.opened().remove(0);
    assert_eq!(post.header("mcp-session-id"), None);
    web.status(post.id, 404);
    web.events().clear();
    assert!(web.opened().is_empty());
    web.client.close(CloseReason::Local);
    assert!(web.opened().is_empty(), "no session, no DELETE");
    assert!(web.client.is_finished());
}

#[test]
fn initialized_that_is_not_taken_fails_the_handshake() {
    for case in 0..4 {
        let mut web = Web::new(config());
        web.call_with("tools/list", Params::NONE, CallOptions::new().with_timeout(secs(600)));
        web.probe_answered(LEGACY);
        let initialize = web.opened().remove(0);
        web.initialize_answered(&initialize, LEGACY, "s1");
        let initialized = web.opened().remove(0);
        let expected = match case {
            0 => {
                web.status(initialized.id, 404);
                CallError::SessionLost
            }
            1 => {
                web.broken(initialized.id);
                CallError::Disconnected
            }
            2 => {
                web.end(initialized.id);
                CallError::Disconnected
            }
            _ => {
                web.advance(30);
                CallError::Timeout {
                    phase: Phase::Initialize,
                    after: secs(30),
                }
            }
        };
        assert_eq!(only_error(&web.events()), expected, "{case}");
        web.opened();
        // The machine is as new; a belated answer to the old message does not matter.
        web.call("tools/list");
        web.probe_answered(LEGACY);
        let mut opened = web.opened();
        let initialize = opened.pop().unwrap();
        // What the server may still have of the first is ended, unless it has said that there is nothing.
        assert_eq!(verbs(&opened), if case == 0 { &[][..] } else { &["DELETE"] });
        web.initialize_answered(&initialize, LEGACY, "s2");
        let opened = web.opened();
        assert_eq!(verbs(&opened), ["notifications/initialized"]);
        web.status(initialized.id, 202);
        assert!(web.opened().is_empty());
        web.status(opened[0].id, 202);
        assert!(verbs(&web.opened()).contains(&"tools/list"));
    }
}

#[test]
fn a_get_stream_that_is_not_offered_is_not_asked_for_again() {
    for status in [405, 404, 400, 401, 500, 200] {
        let (mut web, get) = with_listen();
        assert_eq!(get.header("mcp-session-id"), Some("s1"));
        web.head(get.id, status, &[("content-type", "text/plain")]);
        web.end(get.id);
        web.advance(10_000);
        assert!(web.opened().is_empty(), "{status}");
        assert!(web.client.as_client().is_ready());
        assert_eq!(web.client.poll_timeout(), None);
    }
}

#[test]
fn the_get_stream_carries_requests_and_notifications() {
    let (mut web, get) = with_listen();
    web.head(get.id, 200, &[("content-type", SSE)]);
    let messages = [
        json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}),
        json!({"jsonrpc": "2.0", "id": "p", "method": "ping"}),
        json!({"jsonrpc": "2.0", "id": 9, "method": "roots/list"}),
    ];
    for byte in sse(&messages) {
        web.body(get.id, &[byte]);
    }
    let mut events = web.events();
    let Some(ClientEvent::Request(request)) = events.pop() else {
        panic!("{events:?}")
    };
    assert!(matches!(events[..], [ClientEvent::Notification(_)]));
    web.client
        .client()
        .respond(request.key, Ok(RawJson::parse(r#"{"roots":[]}"#).unwrap()));
    let answers = web.opened();
    assert_eq!(answers.len(), 2);
    assert_eq!((answers[0].rpc_id(), answers[1].rpc_id()), (&json!("p"), &json!(9)));
    for answer in &answers {
        assert_eq!(
            (answer.verb.as_str(), answer.header("mcp-session-id")),
            ("POST", Some("s1"))
        );
        web.status(answer.id, 202);
    }
    assert_eq!(replies(&web.events()), []);
}

#[test]
fn an_event_that_cannot_be_read_does_not_end_the_get_stream() {
    let (mut web, get) = with_listen();
    web.head(get.id, 200, &[("content-type", SSE)]);
    web.body(get.id, b"data: \xff\xfe\n\ndata: junk\n\n");
    web.body(get.id, &sse(&[json!({"jsonrpc": "2.0", "method": "notifications/x"})]));
    assert!(matches!(web.events()[..], [ClientEvent::Notification(_)]));
    assert!(web.opened().is_empty() && web.aborted.is_empty());
}

#[test]
fn reconnects_of_the_get_stream_are_bounded_and_resume() {
    let (mut web, mut get) = with_listen();
    web.head(get.id, 200, &[("content-type", SSE)]);
    web.body(get.id, b"id: e7\nretry: 3000\ndata:\n\n");
    web.end(get.id);
    assert!(gets(&mut web).is_empty(), "not before the time the server names");
    web.advance(3);
    get = gets(&mut web).remove(0);
    assert_eq!(get.header("last-event-id"), Some("e7"));
    let mut opened = 1;
    loop {
        web.client
            .failed(web.now, get.id, ExchangeError::Unreachable("x".into()));
        let Some(due) = web.client.poll_timeout() else { break };
        web.now = due;
        get = gets(&mut web).remove(0);
        opened += 1;
        assert!(opened < 100, "without an end");
    }
    assert_eq!(opened, 5);
    assert!(web.client.as_client().is_ready());
}

#[test]
fn no_get_stream_where_none_is_wanted() {
    let mut http = HttpClientConfig::new("http://localhost/mcp".parse().unwrap());
    http.listen = false;
    let mut web = Web::with(config(), http);
    web.client.client().connect();
    web.probe_answered(LEGACY);
    let initialize = web.opened().remove(0);
    assert!(handshake(&mut web, &initialize, "s1").is_empty());
    assert!(web.opened().is_empty());
}

#[test]
fn closing_ends_the_session_within_its_time() {
    for answered in [true, false] {
        let (mut web, get) = with_listen();
        let call = web.call("tools/list");
        let post = web.opened().remove(0);
        web.client.client().notify("notifications/x", Params::NONE).unwrap();
        web.client.close(CloseReason::Local);
        assert!(!web.client.is_finished());
        let opened = web.opened();
        assert_eq!(
            verbs(&opened),
            ["notifications/x", "DELETE"],
            "what is queued goes first"
        );
        assert!(web.aborted.len() == 2 && web.aborted.contains(&post.id) && web.aborted.contains(&get.id));
        let events = web.events();
        assert_eq!(replies(&events), [(call, Err(CallError::Closed(CloseReason::Local)))]);
        assert!(matches!(events.last(), Some(ClientEvent::Closed(_))));
        if answered {
            web.status(opened[0].id, 202);
            web.status(opened[1].id, 405);
        } else {
            assert!(!web.client.is_finished());
            web.advance(2);
            assert!(!web.client.is_finished(), "the driver has to be told first");
            assert!(web.opened().is_empty());
            assert_eq!(web.aborted.len(), 4);
        }
        assert!(web.client.is_finished());
        assert_eq!(web.client.poll_timeout(), None);
        assert!(web.events().is_empty());
    }
}

#[test]
fn closing_in_every_phase_leaves_nothing_behind() {
    for phase in 0..5 {
        let mut web = Web::new(config());
        let call = web.call("tools/list");
        if phase > 0 {
            web.probe_answered(LEGACY);
        }
        let mut opened = if phase > 1 { web.opened() } else { Vec::new() };
        if phase > 2 {
            let initialize = opened.remove(0);
            web.initialize_answered(&initialize, LEGACY, "s1");
            opened = web.opened();
        }
        if phase > 3 {
            web.client.head(
                web.now,
                opened[0].id,
                &http::Response::builder().status(202).body(()).unwrap().into_parts().0,
            );
        }
        web.client.close(CloseReason::Local);
        let last = web.opened();
        let expected: &[&str] = if phase > 2 { &["DELETE"] } else { &[] };
        assert_eq!(verbs(&last), expected, "{phase}");
        assert_eq!(
            replies(&web.events()),
            [(call, Err(CallError::Closed(CloseReason::Local)))]
        );
        for opened in opened {
            web.status(opened.id, 202);
        }
        web.advance(10);
        assert!(web.opened().is_empty());
        assert!(web.client.is_finished(), "{phase}");
    }
}

#[test]
fn a_server_that_takes_no_answers_is_not_read_from() {
    let mut config = config();
    config.limits.streams_per_session = 3;
    let mut web = Web::ready_with(config, LEGACY);
    web.call("tools/list");
    let post = web.opened().remove(0);
    web.head(post.id, 200, &[("content-type", SSE)]);
    let mut answers = Vec::new();
    while web.client.wants_body(post.id) {
        web.body(
            post.id,
            &sse(&[json!({"jsonrpc": "2.0", "id": answers.len(), "method": "ping"})]),
        );
        answers.extend(web.opened());
        assert!(answers.len() < 100);
    }
    assert_eq!(answers.len(), 3);
    web.status(answers[0].id, 202);
    assert!(web.client.wants_body(post.id));
    // What is never taken is given up.
    web.advance(60);
    web.opened();
    assert!(web.aborted.contains(&answers[1].id) && web.aborted.contains(&answers[2].id));
}

#[test]
fn a_notification_may_fail_without_harm() {
    let mut web = Web::ready(LEGACY);
    for status in [202, 200, 400, 401, 500] {
        web.client.client().notify("notifications/x", Params::NONE).unwrap();
        let post = web.opened().remove(0);
        web.head(post.id, status, &[("content-type", "application/json")]);
        web.body(post.id, error(&json!(null), -32600).to_string().as_bytes());
        web.end(post.id);
        assert!(web.events().is_empty() && web.opened().is_empty());
        assert!(web.client.as_client().is_ready(), "{status}");
    }
}

#[test]
fn nothing_is_due_at_rest() {
    let web = Web::ready(LEGACY);
    assert_eq!(web.client.poll_timeout(), None);
    assert_eq!(at(0), Time::ORIGIN);
}

#[test]
fn a_404_to_a_message_without_an_answer_starts_a_new_session() {
    let mut web = Web::ready(LEGACY);
    for session in ["s2", "s3"] {
        for _ in 0..2 {
            web.client
                .client()
                .notify("notifications/roots/list_changed", Params::NONE)
                .unwrap();
        }
        let posts = web.opened();
        assert_eq!(posts.len(), 2);
        web.status(posts[0].id, 404);
        let initialize = web.opened();
        assert_eq!(verbs(&initialize), ["initialize"], "at once, without a call");
        assert_eq!(initialize[0].header("mcp-session-id"), None);
        handshake(&mut web, &initialize[0], session);
        web.status(posts[1].id, 404);
        assert!(web.opened().is_empty(), "belated news of the last session");
        assert!(matches!(
            web.events()[..],
            [ClientEvent::SessionLost, ClientEvent::Ready]
        ));
    }
}

#[test]
fn a_404_to_an_answer_starts_a_new_session() {
    let mut web = Web::ready(LEGACY);
    web.call("tools/list");
    let call = web.opened().remove(0);
    web.head(call.id, 200, &[("content-type", SSE)]);
    web.body(call.id, &sse(&[json!({"jsonrpc": "2.0", "id": "p", "method": "ping"})]));
    let answer = web.opened().remove(0);
    web.status(answer.id, 404);
    assert_eq!(verbs(&web.opened()), ["initialize"]);
}

#[test]
fn a_404_to_the_get_stream_starts_a_new_session_where_the_session_is_gone() {
    for status in [404, 200, 500] {
        let (mut web, get) = with_listen();
        web.events();
        web.status(get.id, 404);
        let ping = web.opened();
        assert_eq!(verbs(&ping), ["ping"], "a server may have no such route");
        assert_eq!(ping[0].header("mcp-session-id"), get.header("mcp-session-id"));
        match status {
            200 => web.json(ping[0].id, 200, &result(ping[0].rpc_id(), json!({}))),
            status => web.status(ping[0].id, status),
        }
        let opened = web.opened();
        let events = web.events();
        if status == 404 {
            assert_eq!(verbs(&opened), ["initialize"]);
            assert!(matches!(events[..], [ClientEvent::SessionLost]), "{events:?}");
        } else {
            assert!(opened.is_empty() && events.is_empty(), "{opened:?} {events:?}");
            web.advance(10_000);
            assert!(web.opened().is_empty(), "the session stays, without the stream");
        }
        assert_eq!(web.client.as_client().pending_calls(), usize::from(status == 404));
    }
}

/// A client whose `initialize` is with the server.
fn introducing() -> (Web, Opened) {
    let mut web = Web::new(config().with_mode(Mode::Legacy(LEGACY)));
    web.call("tools/list");
    let initialize = web.opened().remove(0);
    assert_eq!(initialize.method(), "initialize");
    (web, initialize)
}

/// Answers a DELETE of this session, the only thing that is opened now.
fn deleted(web: &mut Web, session: &str) {
    let opened = web.opened();
    assert_eq!(verbs(&opened), ["DELETE"]);
    assert_eq!(opened[0].header("mcp-session-id"), Some(session));
    web.status(opened[0].id, 204);
    assert!(web.opened().is_empty());
}

#[test]
fn a_session_that_was_begun_for_a_client_that_is_gone_is_ended() {
    let (mut web, initialize) = introducing();
    web.client.close(CloseReason::Local);
    assert!(web.opened().is_empty() && web.aborted.is_empty());
    assert!(!web.client.is_finished(), "the answer is still under way");
    web.initialize_answered(&initialize, LEGACY, "s1");
    deleted(&mut web, "s1");
    assert!(web.client.is_finished() && web.aborted.is_empty());
}

#[test]
fn a_session_is_ended_as_soon_as_its_id_is_known() {
    for closes_first in [true, false] {
        let (mut web, initialize) = introducing();
        if closes_first {
            web.client.close(CloseReason::Local);
            assert!(web.opened().is_empty());
        }
        // The head alone, of a response that never ends.
        web.head(initialize.id, 200, &[("content-type", SSE), ("mcp-session-id", "s1")]);
        if !closes_first {
            web.client.close(CloseReason::Local);
        }
        deleted(&mut web, "s1");
        web.advance(2);
        assert!(web.opened().is_empty());
        assert_eq!(web.aborted, [initialize.id]);
        assert!(web.client.is_finished());
    }
}

#[test]
fn an_answer_that_never_comes_is_waited_for_as_long_as_closing_may_take() {
    let (mut web, initialize) = introducing();
    web.client.close(CloseReason::Local);
    assert!(web.opened().is_empty() && web.aborted.is_empty());
    web.advance(2);
    assert!(web.opened().is_empty());
    assert_eq!(web.aborted, [initialize.id]);
    assert!(web.client.is_finished());
}

#[test]
fn closing_takes_no_longer_for_a_session_that_is_named_late() {
    let (mut web, initialize) = introducing();
    web.client.close(CloseReason::Local);
    assert!(web.opened().is_empty());
    web.advance(1);
    web.initialize_answered(&initialize, LEGACY, "s1");
    let delete = web.opened().remove(0);
    assert_eq!(delete.verb, http::Method::DELETE);
    web.advance(2);
    assert!(web.opened().is_empty());
    assert_eq!(web.aborted, [delete.id]);
    assert!(web.client.is_finished());
}

#[test]
fn an_answer_without_a_session_leaves_nothing_to_end() {
    for status in [200, 400, 500] {
        let (mut web, initialize) = introducing();
        web.client.close(CloseReason::Local);
        assert!(web.opened().is_empty());
        web.status(initialize.id, status);
        assert!(web.opened().is_empty() && web.client.is_finished(), "{status}");
    }
}

#[test]
fn an_introduction_that_no_one_has_seen_is_not_made() {
    let mut web = Web::new(config());
    web.call("tools/list");
    let discover = web.opened().remove(0);
    web.json(discover.id, 400, &error(discover.rpc_id(), -32600));
    web.client.close(CloseReason::Local);
    assert!(web.opened().is_empty() && web.client.is_finished());
}

#[test]
fn a_session_whose_introduction_came_too_late_is_ended_and_the_next_is_another() {
    for has_head in [true, false] {
        let (mut web, first) = introducing();
        if has_head {
            web.head(first.id, 200, &[("content-type", SSE), ("mcp-session-id", "s1")]);
        }
        web.advance(30);
        if has_head {
            deleted(&mut web, "s1");
        }
        let error = only_error(&web.events());
        assert!(
            matches!(
                error,
                CallError::Timeout {
                    phase: Phase::Initialize,
                    ..
                }
            ),
            "{error:?}"
        );
        web.call("tools/list");
        let second = web.opened().remove(0);
        if !has_head {
            web.initialize_answered(&first, LEGACY, "s1");
            deleted(&mut web, "s1");
        }
        let again = handshake(&mut web, &second, "s2");
        assert_eq!(verbs(&again), ["tools/list"]);
        assert_eq!(again[0].header("mcp-session-id"), Some("s2"));
    }
}

#[test]
fn a_session_that_came_to_nothing_is_ended_before_the_next() {
    let (mut web, initialize) = introducing();
    web.initialize_answered(&initialize, LEGACY, "s1");
    let initialized = web.opened().remove(0);
    web.status(initialized.id, 503);
    assert!(matches!(only_error(&web.events()), CallError::Http { .. }));
    web.call("tools/list");
    let opened = web.opened();
    assert_eq!(verbs(&opened), ["DELETE", "initialize"]);
    assert_eq!(opened[0].header("mcp-session-id"), Some("s1"));
    web.status(opened[0].id, 204);
    assert_eq!(verbs(&handshake(&mut web, &opened[1], "s2")), ["tools/list"]);
}
