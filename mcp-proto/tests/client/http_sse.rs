//! A session over HTTP+SSE (2024-11-05, Transports, HTTP with SSE): what comes on its one stream, and its end.

use mcp_proto::Revision;
use mcp_proto::client::ClientEvent;
use mcp_proto::http::client::HttpDialect;
use mcp_proto::jsonrpc::RawJson;
use mcp_proto::rpc::{CallError, CloseReason};
use serde_json::json;

use crate::http_sse_ladder::{STREAM, event, message, only_get, only_post, shake_hands, web_of};
use crate::http_support::{Opened, Web, verbs};
use crate::support::{at, error, initialize_result, only_error, replies, result, secs, tools};

/// A client in a session, and its stream.
fn ready() -> (Web, Opened) {
    let mut web = web_of(HttpDialect::HttpSse);
    web.client.client().connect();
    let get = only_get(&mut web);
    shake_hands(&mut web, get.id, Revision::V2024_11_05);
    assert!(matches!(web.events()[..], [ClientEvent::Ready]));
    (web, get)
}

/// A call that the server has taken.
fn taken(web: &mut Web) -> Opened {
    web.call("tools/list");
    let call = only_post(web, "tools/list");
    web.status(call.id, 202);
    call
}

#[test]
fn answers_come_in_any_order_on_the_stream() {
    let (mut web, get) = ready();
    let calls = [(); 3].map(|()| taken(&mut web));
    for call in calls.iter().rev() {
        web.body(get.id, &message(&result(call.rpc_id(), tools())));
    }
    let replies = replies(&web.events());
    assert!(replies.len() == 3 && replies.iter().all(|(_, outcome)| outcome.is_ok()));
    assert_eq!(web.client.open_exchanges(), 1, "the stream");
}

#[test]
fn an_answer_may_be_there_before_its_post_is_taken() {
    let (mut web, get) = ready();
    web.call("tools/list");
    let call = only_post(&mut web, "tools/list");
    web.body(get.id, &message(&result(call.rpc_id(), tools())));
    assert!(matches!(replies(&web.events())[..], [(_, Ok(_))]));
    web.head(call.id, 202, &[("content-type", "text/plain"), ("content-length", "8")]);
    web.body(call.id, b"Accepted");
    web.end(call.id);
    web.end(get.id);
    assert!(replies(&web.events()).is_empty(), "it was answered");
}

#[test]
fn what_the_body_of_a_post_says_is_no_answer() {
    let (mut web, get) = ready();
    web.call("tools/list");
    let call = only_post(&mut web, "tools/list");
    web.json(call.id, 200, &error(call.rpc_id(), -1));
    assert!(web.events().is_empty());
    web.body(get.id, &message(&result(call.rpc_id(), tools())));
    assert!(matches!(replies(&web.events())[..], [(_, Ok(_))]));
}

#[test]
fn requests_of_the_server_are_answered_at_its_endpoint() {
    let (mut web, get) = ready();
    let ping = json!({"jsonrpc": "2.0", "id": "p", "method": "ping"});
    let roots = json!({"jsonrpc": "2.0", "id": 7, "method": "roots/list"});
    web.body(get.id, &[message(&ping), message(&roots)].concat());
    let pong = web.opened().remove(0);
    assert_eq!((pong.uri.path(), pong.rpc_id()), ("/messages", &json!("p")));
    match &web.events()[..] {
        [ClientEvent::Request(request)] => {
            let answer = RawJson::parse(String::from(r#"{"roots":[]}"#)).unwrap();
            web.client.client().respond(request.key, Ok(answer));
        }
        other => panic!("{other:?}"),
    }
    let answer = web.opened().remove(0);
    assert_eq!(answer.body["result"], json!({"roots": []}));
}

#[test]
fn a_refused_post_is_the_answer_to_its_call() {
    let (mut web, _get) = ready();
    web.call("tools/list");
    let call = only_post(&mut web, "tools/list");
    web.json(call.id, 400, &error(call.rpc_id(), -32600));
    assert!(matches!(only_error(&web.events()), CallError::Rpc(_)));
    for (status, is_session_over) in [(413, false), (401, false), (500, false)] {
        web.call("tools/list");
        let call = only_post(&mut web, "tools/list");
        web.status(call.id, status);
        assert_eq!(only_error(&web.events()).http_status(), Some(status));
        assert_eq!(web.client.as_client().is_ready(), !is_session_over);
    }
}

#[test]
fn the_end_of_the_stream_is_the_end_of_the_session() {
    for is_cut in [false, true] {
        let (mut web, get) = ready();
        taken(&mut web);
        web.call("tools/list");
        only_post(&mut web, "tools/list");
        if is_cut {
            web.broken(get.id);
        } else {
            web.end(get.id);
        }
        let events = web.events();
        let outcomes = replies(&events);
        assert_eq!(outcomes.len(), 2);
        let is_lost = |(_, outcome): &(_, Result<RawJson, CallError>)| *outcome == Err(CallError::Disconnected);
        assert!(outcomes.iter().all(is_lost));
        assert!(events.iter().any(|event| matches!(event, ClientEvent::SessionLost)));
        // What is called now waits for the next session, which is begun after a while.
        web.call("tools/list");
        assert!(web.opened().is_empty());
        web.now = at(0) + secs(1);
        let get = only_get(&mut web);
        shake_hands(&mut web, get.id, Revision::V2024_11_05);
        let call = only_post(&mut web, "tools/list");
        web.status(call.id, 202);
        web.body(get.id, &message(&result(call.rpc_id(), tools())));
        assert!(matches!(replies(&web.events())[..], [(_, Ok(_))]));
    }
}

#[test]
fn what_a_cut_stream_had_brought_still_counts() {
    let (mut web, get) = ready();
    let call = taken(&mut web);
    let answer = message(&result(call.rpc_id(), tools()));
    let (most, rest) = answer.split_at(answer.len() - 1);
    web.body(get.id, most);
    web.body(get.id, rest);
    web.broken(get.id);
    assert!(matches!(replies(&web.events())[..], [(_, Ok(_))]));
}

#[test]
fn half_an_answer_is_none() {
    let (mut web, get) = ready();
    let call = taken(&mut web);
    let answer = message(&result(call.rpc_id(), tools()));
    web.body(get.id, answer.split_last().unwrap().1);
    web.end(get.id);
    assert_eq!(only_error(&web.events()), CallError::Disconnected);
}

#[test]
fn a_server_that_drops_every_session_is_left_alone_at_last() {
    let (mut web, mut get) = ready();
    let mut delays = Vec::new();
    loop {
        web.end(get.id);
        assert!(web.opened().is_empty());
        let Some(due) = web.client.poll_timeout() else { break };
        delays.push((due.elapsed() - web.now.elapsed()).as_secs());
        web.now = due;
        get = only_get(&mut web);
        shake_hands(&mut web, get.id, Revision::V2024_11_05);
    }
    assert_eq!(delays, [1, 2, 4, 8, 16]);
    let events = web.events();
    assert!(events.iter().any(|event| matches!(event, ClientEvent::NotListening(_))));
    assert!(web.opened().is_empty());
    // Whoever needs it begins it again.
    web.call("tools/list");
    let get = only_get(&mut web);
    shake_hands(&mut web, get.id, Revision::V2024_11_05);
    assert_eq!(only_post(&mut web, "tools/list").uri.path(), "/messages");
}

#[test]
fn progress_renews_the_budget() {
    let (mut web, mut get) = ready();
    for _ in 0..20 {
        let call = taken(&mut web);
        web.body(get.id, &message(&result(call.rpc_id(), tools())));
        web.end(get.id);
        assert!(web.opened().is_empty());
        let due = web.client.poll_timeout().unwrap();
        assert_eq!((due.elapsed() - web.now.elapsed()).as_secs(), 1);
        web.now = due;
        get = only_get(&mut web);
        shake_hands(&mut web, get.id, Revision::V2024_11_05);
        web.events();
    }
}

#[test]
fn a_server_that_is_away_for_a_moment_is_found_again() {
    let (mut web, get) = ready();
    web.end(get.id);
    web.call("tools/list");
    for (n, wait) in [1, 2, 4].into_iter().enumerate() {
        web.now = web.now + secs(wait);
        let get = only_get(&mut web);
        match n {
            0 => web.status(get.id, 503),
            1 => web.broken(get.id),
            _ => shake_hands(&mut web, get.id, Revision::V2024_11_05),
        }
    }
    only_post(&mut web, "tools/list");
}

#[test]
fn a_session_that_the_server_has_forgotten_is_begun_again_and_the_call_made_in_it() {
    let (mut web, get) = ready();
    let lost = taken(&mut web);
    web.call("tools/list");
    let call = only_post(&mut web, "tools/list");
    web.status(call.id, 404);
    assert!(web.opened().is_empty());
    assert_eq!(web.aborted, [call.id, get.id]);
    assert_eq!(
        replies(&web.events()).len(),
        1,
        "only the one that the server had taken"
    );
    assert_eq!(lost.method(), "tools/list");
    web.now = at(1);
    let get = only_get(&mut web);
    shake_hands(&mut web, get.id, Revision::V2024_11_05);
    assert_eq!(only_post(&mut web, "tools/list").rpc_id(), call.rpc_id());
}

#[test]
fn a_handshake_that_fails_leaves_no_stream_behind() {
    let refused: [fn(&mut Web, &Opened, &Opened); 4] = [
        |web, get, post| web.body(get.id, &message(&error(post.rpc_id(), -32602))),
        |web, get, post| {
            web.body(
                get.id,
                &message(&result(post.rpc_id(), initialize_result("1999-01-01"))),
            )
        },
        |web, _, post| web.status(post.id, 404),
        |web, get, _| web.end(get.id),
    ];
    for refuse in refused {
        let mut web = web_of(HttpDialect::HttpSse);
        web.call("tools/list");
        let get = only_get(&mut web);
        web.head(get.id, 200, STREAM);
        web.body(get.id, &event("endpoint", "/messages"));
        let initialize = only_post(&mut web, "initialize");
        refuse(&mut web, &get, &initialize);
        assert_eq!(replies(&web.events()).len(), 1);
        web.opened();
        web.advance(3);
        web.opened();
        assert_eq!(web.client.open_exchanges(), 0);
    }
}

#[test]
fn an_endpoint_that_comes_twice_is_named_once() {
    let (mut web, get) = ready();
    let before = web.client.as_client().counters().junk;
    for endpoint in ["/messages?sessionId=1", "/other", "http://evil/"] {
        web.body(get.id, &event("endpoint", endpoint));
    }
    assert_eq!(web.client.as_client().counters().junk, before + 3, "it is told");
    web.call("tools/list");
    assert_eq!(
        only_post(&mut web, "tools/list").uri,
        "http://localhost/messages?sessionId=1"
    );
}

#[test]
fn answers_that_nobody_waits_for_and_unknown_events_change_nothing() {
    let (mut web, get) = ready();
    let call = taken(&mut web);
    web.body(get.id, &message(&result(&json!(4_000), tools())));
    web.body(get.id, &event("ping", "2026"));
    web.body(get.id, b": keep\n\n");
    assert_eq!(web.client.as_client().counters().unknown_replies, 1);
    web.body(get.id, &message(&result(call.rpc_id(), tools())));
    assert!(matches!(replies(&web.events())[..], [(_, Ok(_))]));
}

#[test]
fn a_huge_event_is_the_loss_of_its_call_alone() {
    let (mut web, get) = ready();
    let (lost, kept) = (taken(&mut web), taken(&mut web));
    let limit = web.client.as_client().config().limits.event_bytes;
    let huge = json!({"jsonrpc": "2.0", "id": lost.rpc_id(), "result": {"a": "x".repeat(limit)}});
    web.body(get.id, &message(&huge));
    assert!(matches!(only_error(&web.events()), CallError::InvalidReply(_)));
    web.body(get.id, &message(&result(kept.rpc_id(), tools())));
    assert!(matches!(replies(&web.events())[..], [(_, Ok(_))]));
}

#[test]
fn a_call_that_is_given_up_is_cancelled_at_the_endpoint() {
    let (mut web, get) = ready();
    let call = web.call("tools/list");
    let post = only_post(&mut web, "tools/list");
    web.status(post.id, 202);
    web.client.client().cancel(call);
    let cancelled = only_post(&mut web, "notifications/cancelled");
    assert_eq!(&cancelled.body["params"]["requestId"], post.rpc_id());
    web.status(cancelled.id, 202);
    web.body(get.id, &message(&result(post.rpc_id(), tools())));
    assert!(replies(&web.events()).is_empty());
    assert_eq!((web.client.open_exchanges(), web.client.kept().entries), (1, 1));
}

#[test]
fn the_stream_is_left_when_what_was_said_before_has_arrived() {
    let (mut web, get) = ready();
    taken(&mut web);
    let call = web.call("tools/list");
    let post = only_post(&mut web, "tools/list");
    web.status(post.id, 202);
    web.client.client().cancel(call);
    web.client.close(CloseReason::Local);
    let opened = web.opened();
    assert_eq!(verbs(&opened), ["notifications/cancelled"]);
    assert!(web.aborted.is_empty());
    web.status(opened[0].id, 202);
    assert!(web.opened().is_empty() && web.aborted == [get.id]);
    web.events();
    assert!(web.client.is_finished() && web.client.kept().entries == 0);
}

#[test]
fn a_dead_server_does_not_hold_up_the_close() {
    let (mut web, get) = ready();
    web.call("tools/list");
    only_post(&mut web, "tools/list");
    web.client.close(CloseReason::Local);
    web.opened();
    web.advance(2);
    web.opened();
    assert!(web.aborted.contains(&get.id) && web.client.is_finished());
}

#[test]
fn a_post_is_redirected_within_the_origin_alone() {
    let (mut web, _get) = ready();
    web.call("tools/list");
    let post = only_post(&mut web, "tools/list");
    web.head(post.id, 307, &[("location", "elsewhere")]);
    let post = only_post(&mut web, "tools/list");
    assert_eq!(post.uri, "http://localhost/elsewhere");
    web.head(post.id, 307, &[("location", "http://evil/")]);
    assert_eq!(only_error(&web.events()).http_status(), Some(307));
}
