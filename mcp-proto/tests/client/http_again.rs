//! Requests on a kept connection that was gone before anything of the response came.

use mcp_proto::Revision;
use mcp_proto::client::ClientEvent;
use mcp_proto::http::client::{ExchangeError, ExchangeId};
use mcp_proto::jsonrpc::Params;
use mcp_proto::rpc::{CallError, CallOptions};
use serde_json::json;

use crate::http_sessions::with_listen;
use crate::http_support::{SSE, Web, sse, verbs};
use crate::support::{only_error, result, tools};

const LEGACY: Revision = Revision::V2025_11_25;
const BOTH: [Revision; 2] = [LEGACY, Revision::LATEST];

fn stale(web: &mut Web, id: ExchangeId) {
    web.client.failed(web.now, id, ExchangeError::Stale("gone".into()));
}

#[test]
fn what_only_asks_is_sent_once_more_on_a_connection_that_died_idle() {
    for revision in BOTH {
        for method in [
            "tools/list",
            "prompts/list",
            "prompts/get",
            "resources/read",
            "completion/complete",
        ] {
            let mut web = Web::ready_with(crate::support::config().with_strict_capabilities(false), revision);
            let call = web.call(method);
            let post = web.opened().remove(0);
            stale(&mut web, post.id);
            let again = web.opened().remove(0);
            assert_eq!((&again.body, &again.headers), (&post.body, &post.headers));
            assert!(web.events().is_empty());
            web.json(again.id, 200, &result(again.rpc_id(), tools()));
            let events = web.events();
            assert!(
                matches!(events[..], [ClientEvent::Reply { call: it, outcome: Ok(_) }] if it == call),
                "{method}"
            );
        }
    }
}

#[test]
fn what_does_something_is_not_sent_twice_and_says_so() {
    for revision in BOTH {
        for method in ["tools/call", "x-vendor/do"] {
            let mut web = Web::ready(revision);
            web.call_with(method, Params::NONE, CallOptions::default());
            let post = web.opened().remove(0);
            stale(&mut web, post.id);
            assert!(web.opened().is_empty(), "{method}");
            let error = only_error(&web.events());
            assert_eq!(error, CallError::Stale);
            let text = error.to_string();
            assert!(
                text.contains("reused") && text.contains("may or may not have been done"),
                "{text}"
            );
        }
    }
}

#[test]
fn what_is_marked_idempotent_is_sent_once_more_in_the_modern_era() {
    for revision in BOTH {
        let mut web = Web::ready(revision);
        web.call_with("tools/call", Params::NONE, CallOptions::new().with_idempotence());
        let post = web.opened().remove(0);
        stale(&mut web, post.id);
        let expected: &[&str] = if revision.is_stateless() { &["tools/call"] } else { &[] };
        assert_eq!(verbs(&web.opened()), expected);
    }
}

#[test]
fn nothing_is_sent_three_times() {
    let mut web = Web::ready(Revision::LATEST);
    web.call("tools/list");
    let post = web.opened().remove(0);
    stale(&mut web, post.id);
    let again = web.opened().remove(0);
    stale(&mut web, again.id);
    assert!(web.opened().is_empty());
    assert_eq!(only_error(&web.events()), CallError::Stale);
}

#[test]
fn what_was_answered_in_part_is_not_sent_again() {
    for revision in BOTH {
        let mut web = Web::ready(revision);
        web.call("tools/list");
        let post = web.opened().remove(0);
        web.head(post.id, 200, &[("content-type", SSE)]);
        stale(&mut web, post.id);
        // In the modern era what does no harm is asked for again, as another request, once.
        for again in web.opened() {
            assert!(revision.is_stateless());
            assert_ne!(again.rpc_id(), post.rpc_id());
            web.head(again.id, 200, &[("content-type", SSE)]);
            stale(&mut web, again.id);
        }
        assert!(web.opened().is_empty());
        assert_eq!(only_error(&web.events()), CallError::Disconnected);
    }
}

#[test]
fn the_question_for_the_era_is_asked_once_more() {
    let mut web = Web::new(crate::support::config());
    web.client.client().connect();
    let probe = web.opened().remove(0);
    stale(&mut web, probe.id);
    web.probe_answered(Revision::LATEST);
    assert!(web.client.as_client().is_ready());
}

#[test]
fn the_get_stream_answers_and_the_end_of_a_session_are_sent_once_more() {
    let (mut web, get) = with_listen();
    stale(&mut web, get.id);
    let get = web.opened().remove(0);
    assert_eq!(get.method(), "GET");
    web.head(get.id, 200, &[("content-type", SSE)]);
    assert!(web.client.is_listening());
    web.body(get.id, &sse(&[json!({"jsonrpc": "2.0", "id": 1, "method": "ping"})]));
    let answer = web.opened().remove(0);
    stale(&mut web, answer.id);
    let again = web.opened().remove(0);
    assert_eq!(again.body, answer.body);
    web.status(again.id, 202);
    web.client.close(mcp_proto::rpc::CloseReason::Local);
    let delete = web.opened().remove(0);
    stale(&mut web, delete.id);
    let again = web.opened().remove(0);
    assert_eq!((again.method(), again.header("mcp-session-id")), ("DELETE", Some("s1")));
    stale(&mut web, again.id);
    assert!(web.opened().is_empty() && web.client.is_finished());
}
