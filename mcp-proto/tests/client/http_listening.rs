//! The GET stream of a legacy session: what is refused for the moment and what for good, and what is no progress.

use mcp_proto::client::ClientEvent;
use mcp_proto::jsonrpc::Params;
use mcp_proto::rpc::{CallError, CallOptions};
use serde_json::json;

use crate::http_sessions::{gets, with_listen};
use crate::http_support::{SSE, Web, sse};
use crate::support::{at, secs};

/// Why the client says that it does not listen, once.
fn not_listening(web: &mut Web) -> Option<CallError> {
    let mut told = web.events().into_iter().filter_map(|event| match event {
        ClientEvent::NotListening(error) => Some(error),
        _ => None,
    });
    let first = told.next();
    assert_eq!(told.count(), 0, "told once");
    first
}

#[test]
fn a_transient_refusal_of_the_get_stream_is_not_taken_for_a_permanent_one() {
    for status in [408, 409, 425, 429, 502, 503, 504] {
        let (mut web, mut get) = with_listen();
        for wait in [1, 2, 4] {
            web.status(get.id, status);
            let due = web.client.poll_timeout().unwrap();
            assert_eq!(due, web.now + secs(wait), "{status}");
            web.now = due;
            get = gets(&mut web).remove(0);
        }
        web.head(get.id, 200, &[("content-type", SSE)]);
        assert!(
            web.client.is_listening() && not_listening(&mut web).is_none(),
            "{status}"
        );
        let changed = json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"});
        web.body(get.id, &crate::http_support::sse(&[changed]));
        assert!(matches!(web.events()[..], [ClientEvent::Notification(_)]), "{status}");
    }
}

#[test]
fn retry_after_is_honoured_within_bounds() {
    for (value, wait) in [
        ("7", 7),
        ("0", 1),
        ("100000000", 300),
        ("99999999999999999999999999", 1),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 1),
        ("-5", 1),
    ] {
        let (mut web, get) = with_listen();
        web.head(get.id, 503, &[("retry-after", value)]);
        web.end(get.id);
        assert_eq!(web.client.poll_timeout(), Some(at(wait)), "{value}");
    }
}

#[test]
fn a_server_that_refuses_for_ever_is_given_up_and_the_application_told() {
    let (mut web, mut get) = with_listen();
    let mut asked = 1;
    loop {
        web.status(get.id, 503);
        let Some(due) = web.client.poll_timeout() else { break };
        assert!(not_listening(&mut web).is_none());
        web.now = due;
        // What becomes of the last response says nothing of the next.
        web.broken(get.id);
        get = gets(&mut web).remove(0);
        asked += 1;
        assert!(asked < 100, "without an end");
    }
    assert_eq!(asked, 6);
    assert_eq!(not_listening(&mut web).unwrap().http_status(), Some(503));
    assert!(!web.client.is_listening() && web.client.as_client().is_ready());
}

#[test]
fn a_permanent_refusal_ends_it_and_the_application_is_told_unless_there_is_no_stream() {
    for (status, told) in [
        (400, true),
        (401, true),
        (403, true),
        (406, true),
        (501, true),
        (200, true),
        (405, false),
    ] {
        let (mut web, get) = with_listen();
        web.status(get.id, status);
        assert!(gets(&mut web).is_empty());
        assert_eq!(web.client.poll_timeout(), None, "{status}");
        let error = not_listening(&mut web);
        assert_eq!(error.is_some(), told, "{status}");
        assert!(error.is_none_or(|error| error.http_status() == Some(status)));
        assert!(!web.client.is_listening());
    }
}

#[test]
fn what_is_no_progress_does_not_renew_the_budget_of_the_get_stream() {
    let streams: [(&[u8], usize); 4] = [
        (b"retry: 0\n\n", 6),
        (b": nothing\n\nretry: 0\n\n", 6),
        (b"id: 1\nretry: 0\ndata:\n\n", 6),
        (b"id:\ndata:\n\nid: 1\nretry: 0\ndata:\n\n", 6),
    ];
    for (stream, expected) in streams {
        let (mut web, mut get) = with_listen();
        let (mut asked, begun) = (1, web.now);
        loop {
            web.head(get.id, 200, &[("content-type", SSE)]);
            web.body(get.id, stream);
            web.end(get.id);
            let Some(due) = web.client.poll_timeout() else { break };
            assert!(due.since(web.now) >= secs(1) / 2, "a floor");
            web.now = due;
            get = gets(&mut web).remove(0);
            asked += 1;
            assert!(asked < 100, "without an end: {}", String::from_utf8_lossy(stream));
        }
        assert_eq!(asked, expected);
        assert!(web.now.since(begun) >= secs(10));
        assert_eq!(not_listening(&mut web), Some(CallError::Disconnected));
    }
}

#[test]
fn progress_that_does_not_increase_keeps_no_call_waiting() {
    for (progress, lasts) in [([1.0, 1.0, 1.0, 0.5], 11), ([1.0, 2.0, 3.0, 4.0], 14)] {
        let mut web = Web::ready(mcp_proto::Revision::V2026_07_28);
        let options = CallOptions::new().with_progress().with_timeout(secs(10));
        let call = web.call_with("tools/list", Params::NONE, options);
        let post = web.opened().remove(0);
        web.head(post.id, 200, &[("content-type", SSE)]);
        for (second, progress) in (1..).zip(progress) {
            web.now = at(second);
            let params = json!({"progressToken": post.rpc_id(), "progress": progress});
            let report = json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": params});
            web.body(post.id, &crate::http_support::sse(&[report]));
            assert!(
                matches!(web.events()[..], [ClientEvent::Progress { .. }]),
                "it is told all the same"
            );
        }
        assert_eq!(web.client.poll_timeout(), Some(at(lasts)));
        assert!(web.client.as_client().is_waiting(call));
    }
}

/// It is gone, whatever it was: nobody waits for it, and an operator wants to know.
#[test]
fn an_event_on_the_get_stream_that_is_too_long_is_counted_and_told() {
    let (mut web, get) = with_listen();
    web.head(get.id, 200, &[("content-type", SSE)]);
    let limit = web.client.as_client().config().limits.event_bytes;
    web.body(get.id, b"data: ");
    let piece = vec![b'x'; 1 << 20];
    for _ in 0..=limit / piece.len() {
        web.body(get.id, &piece);
    }
    web.body(get.id, b"\n\n");
    let told: Vec<_> = std::iter::from_fn(|| web.client.poll_event()).collect();
    assert!(matches!(told[..], [ClientEvent::Junk(_)]), "{told:?}");
    assert_eq!(web.client.as_client().counters().junk, 1);
    // Only that one is lost.
    web.body(get.id, &sse(&[json!({"jsonrpc": "2.0", "method": "notifications/x"})]));
    assert!(matches!(web.events()[..], [ClientEvent::Notification(_)]));
}
