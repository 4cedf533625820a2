//! Calls whose streams break off, and are opened again with `Last-Event-ID` (2025-11-25, Transports, Resumability and
//! Redelivery).

use mcp_proto::client::ClientEvent;
use mcp_proto::http::client::ExchangeError;
use mcp_proto::jsonrpc::Params;
use mcp_proto::rpc::{CallError, CallOptions};
use mcp_proto::{Revision, Time};
use serde_json::json;

use crate::http_sessions::gets;
use crate::http_support::{Opened, SSE, Web};
use crate::support::{at, only_error, replies, result, secs, tools};

const LEGACY: Revision = Revision::V2025_11_25;
const STREAM: &[(&str, &str)] = &[("content-type", SSE)];

/// A call on a stream that has brought an event with this id, and has broken off.
fn broken(id: &str) -> (Web, Opened) {
    let mut web = Web::ready(LEGACY);
    web.call("tools/list");
    let post = web.opened().remove(0);
    web.head(post.id, 200, STREAM);
    web.body(post.id, format!("id: {id}\nretry: 500\ndata:\n\n").as_bytes());
    web.broken(post.id);
    (web, post)
}

fn next_get(web: &mut Web) -> Opened {
    web.now = web.client.poll_timeout().unwrap();
    gets(web).remove(0)
}

#[test]
fn a_call_goes_on_where_its_stream_broke_off() {
    let (mut web, post) = broken("e1");
    assert!(gets(&mut web).is_empty(), "not before the time the server names");
    assert_eq!(web.client.poll_timeout(), Some(at(0) + secs(1) / 2));
    let get = next_get(&mut web);
    assert_eq!(get.header("last-event-id"), Some("e1"));
    assert_eq!(get.header("mcp-session-id"), Some("s1"));
    assert_eq!(get.header("mcp-protocol-version"), Some("2025-11-25"));
    web.head(get.id, 200, STREAM);
    let answer = result(post.rpc_id(), tools());
    web.body(get.id, format!("id: e2\ndata: {answer}\n\n").as_bytes());
    assert!(matches!(replies(&web.events())[..], [(_, Ok(_))]));
    web.end(get.id);
    assert!(web.opened().is_empty() && web.events().is_empty());
    assert_eq!(web.client.open_exchanges(), 0);
}

/// The same where the server ends the connection in order (2025-11-25, Sending Messages, 6).
#[test]
fn a_server_that_closes_the_stream_is_polled() {
    let mut web = Web::ready(LEGACY);
    web.call("tools/list");
    let post = web.opened().remove(0);
    web.head(post.id, 200, STREAM);
    web.body(post.id, b"id: e0\nretry: 2000\ndata:\n\n");
    web.end(post.id);
    for poll in 1..50 {
        let get = next_get(&mut web);
        assert_eq!(web.now, at(2 * poll), "what brings something new renews the budget");
        assert_eq!(get.header("last-event-id"), Some(&*format!("e{}", poll - 1)));
        web.head(get.id, 200, STREAM);
        web.body(get.id, format!("id: e{poll}\ndata:\n\n").as_bytes());
        web.end(get.id);
        // Its own time is that of any call: 60 seconds, which no poll prolongs.
        if web.client.poll_timeout() == Some(at(60)) {
            break;
        }
    }
    web.advance(60);
    assert!(matches!(only_error(&web.events()), CallError::Timeout { .. }));
    web.advance(600);
    assert!(gets(&mut web).is_empty(), "nobody waits for it any more");
}

#[test]
fn attempts_that_bring_nothing_are_bounded() {
    let (mut web, _) = broken("e1");
    let mut opened = 0;
    while let Some(due) = web.client.poll_timeout().filter(|due| *due < at(59)) {
        web.now = due;
        let Some(get) = gets(&mut web).pop() else { break };
        opened += 1;
        match opened % 3 {
            0 => web
                .client
                .failed(web.now, get.id, ExchangeError::Unreachable("x".into())),
            1 => web.status(get.id, 503),
            _ => {
                web.head(get.id, 200, STREAM);
                web.body(get.id, b"id: e1\ndata:\n\n");
                web.end(get.id);
            }
        }
    }
    assert_eq!(opened, 5);
    assert_eq!(web.now.elapsed(), secs(15) + secs(1) / 2);
    assert_ne!(
        only_error(&web.events()),
        CallError::Closed(mcp_proto::rpc::CloseReason::Local)
    );
    assert_eq!(web.client.open_exchanges(), 0);
}

#[test]
fn what_is_replayed_twice_is_taken_once() {
    let mut web = Web::ready(LEGACY);
    let options = CallOptions::new().with_progress();
    web.call_with("tools/list", Params::NONE, options);
    let post = web.opened().remove(0);
    let token = post.body["params"]["_meta"]["progressToken"].clone();
    let step = |n: u32| {
        let params = json!({ "progressToken": token, "progress": n });
        let message = json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": params });
        format!("id: e{n}\ndata: {message}\n\n").into_bytes()
    };
    web.head(post.id, 200, STREAM);
    web.body(post.id, &[step(1), step(2)].concat());
    web.broken(post.id);
    let get = next_get(&mut web);
    web.head(get.id, 200, STREAM);
    web.body(get.id, &[step(1), step(2), step(3)].concat());
    let steps = web.events();
    assert_eq!(
        steps
            .iter()
            .filter(|event| matches!(event, ClientEvent::Progress { .. }))
            .count(),
        3
    );
}

#[test]
fn a_server_that_does_not_resume_fails_the_call() {
    for status in [400, 401, 404, 405, 406, 500] {
        let (mut web, _) = broken("e1");
        let get = next_get(&mut web);
        web.status(get.id, status);
        let error = only_error(&web.events());
        match (status, &error) {
            (401, CallError::Unauthorized(None)) => {}
            (_, CallError::Http(failure)) => {
                assert_eq!(failure.status, status);
                assert!(failure.reason.contains("resume"), "{failure:?}");
            }
            other => panic!("{other:?}"),
        }
        assert!(gets(&mut web).is_empty());
    }
}

#[test]
fn without_an_id_a_stream_that_ends_is_a_broken_call() {
    for body in [
        &b""[..],
        b": hm\n\n",
        b"retry: 500\ndata:\n\n",
        b"id: e1\ndata: half",
        b"id: e1\ndata:\n\nid:\ndata:\n\n",
    ] {
        for revision in [LEGACY, Revision::V2026_07_28] {
            let mut web = Web::ready(revision);
            web.call("tools/list");
            let post = web.opened().remove(0);
            web.head(post.id, 200, STREAM);
            web.body(post.id, body);
            web.end(post.id);
            assert_eq!(only_error(&web.events()), CallError::Disconnected);
            assert!(web.opened().is_empty());
        }
    }
}

#[test]
fn the_modern_era_resumes_nothing() {
    let mut web = Web::ready(Revision::V2026_07_28);
    web.call("tools/list");
    let post = web.opened().remove(0);
    web.head(post.id, 200, STREAM);
    web.body(post.id, b"id: e1\ndata:\n\n");
    web.broken(post.id);
    assert_eq!(only_error(&web.events()), CallError::Disconnected);
    assert!(web.opened().is_empty());
}

#[test]
fn what_is_cancelled_or_closed_is_not_resumed() {
    let (mut web, post) = broken("e1");
    let call = {
        let second = web.call("tools/list");
        assert_eq!(web.opened().len(), 1);
        second
    };
    web.client.client().cancel(call);
    assert_eq!(post.method(), "tools/list");
    web.client.close(mcp_proto::rpc::CloseReason::Local);
    web.opened();
    web.advance(3600);
    assert!(gets(&mut web).is_empty());
    assert!(web.client.is_finished());
}

#[test]
fn nothing_is_resumed_in_another_session() {
    let (mut web, _) = broken("e1");
    web.call("tools/list");
    let post = web.opened().remove(0);
    web.status(post.id, 404);
    let opened = web.opened();
    assert_eq!(opened[0].method(), "initialize");
    let outcomes = replies(&web.events());
    assert!(
        matches!(outcomes[..], [(_, Err(CallError::Disconnected))]),
        "{outcomes:?}"
    );
    web.now = Time::since_origin(secs(9));
    assert!(gets(&mut web).is_empty());
}

#[test]
fn a_resumed_stream_follows_a_redirect_and_a_connection_that_was_gone() {
    let (mut web, post) = broken("e1");
    let first = next_get(&mut web);
    web.client
        .failed(web.now, first.id, ExchangeError::Stale("kept".into()));
    let again = gets(&mut web).remove(0);
    assert_eq!(again.header("last-event-id"), Some("e1"));
    web.head(again.id, 307, &[("location", "http://localhost/mcp")]);
    let moved = gets(&mut web).remove(0);
    web.head(moved.id, 200, STREAM);
    web.body(
        moved.id,
        format!("id: e2\ndata: {}\n\n", result(post.rpc_id(), tools())).as_bytes(),
    );
    assert!(matches!(replies(&web.events())[..], [(_, Ok(_))]));
}
