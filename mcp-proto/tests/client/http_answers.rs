//! The answers of a client to what a server asks: how many are on their way, and how many wait.

use mcp_proto::Revision;
use mcp_proto::client::ClientEvent;
use mcp_proto::rpc::CloseReason;
use serde_json::{Value, json};

use crate::http_sessions::with_listen;
use crate::http_support::{Opened, SSE, Web, sse, verbs};
use crate::support::{config, replies, result, tools};

const LEGACY: Revision = Revision::V2025_11_25;

/// How many answers may be on their way.
const AT_ONCE: usize = 8;

fn pings(count: usize) -> Vec<Value> {
    (0..count)
        .map(|id| json!({"jsonrpc": "2.0", "id": id, "method": "ping"}))
        .collect()
}

#[test]
fn a_server_that_takes_no_answers_does_not_have_its_client_open_connections_without_end() {
    let mut web = Web::ready(LEGACY);
    let call = web.call("tools/list");
    let post = web.opened().remove(0);
    web.head(post.id, 200, &[("content-type", SSE)]);
    // In one read: what is bounded is bounded message by message.
    let mut messages = pings(10_000);
    messages.push(result(post.rpc_id(), tools()));
    let flood = sse(&messages);
    web.body(post.id, &flood);
    web.end(post.id);
    let opened = web.opened();
    assert_eq!(opened.len(), AT_ONCE);
    assert!(!web.client.wants_body(post.id), "no more is read");
    let kept = web.client.kept();
    assert!(kept.entries < 1_100 && kept.bytes < flood.len() + 100_000, "{kept:?}");
    assert!(replies(&web.events()).is_empty(), "what came behind them waits");
    // As soon as the server takes them, all get their answer, in their order.
    let mut on_their_way: std::collections::VecDeque<Opened> = opened.into();
    let mut answered = 0;
    while let Some(answer) = on_their_way.pop_front() {
        assert_eq!(answer.rpc_id(), &json!(answered));
        answered += 1;
        web.status(answer.id, 202);
        on_their_way.extend(web.opened());
        assert!(on_their_way.len() <= AT_ONCE);
    }
    assert_eq!(answered, 10_000);
    let replies = replies(&web.events());
    assert!(matches!(&replies[..], [(it, Ok(_))] if *it == call), "{replies:?}");
    assert_eq!(web.client.open_exchanges(), 0);
}

#[test]
fn answers_that_are_never_taken_are_given_up_in_time_and_others_have_their_turn() {
    let (mut web, get) = with_listen();
    web.head(get.id, 200, &[("content-type", SSE)]);
    web.body(get.id, &sse(&pings(20)));
    assert_eq!(web.opened().len(), AT_ONCE);
    // Calls do not wait for them.
    web.call("tools/list");
    assert_eq!(verbs(&web.opened()), ["tools/list"]);
    web.advance(59);
    assert!(web.opened().is_empty());
    web.advance(60);
    let mut next = web.opened();
    next.retain(|opened| opened.method() != "notifications/cancelled");
    assert_eq!(next.len(), AT_ONCE);
    assert!(web.aborted.len() >= AT_ONCE);
    // A response whose body does not end is no longer waited for than closing takes.
    next.iter().for_each(|answer| web.head(answer.id, 202, &[]));
    assert!(web.opened().is_empty());
    web.advance(62);
    assert_eq!(web.opened().len(), 20 - 2 * AT_ONCE);
}

#[test]
fn answers_of_a_lost_session_are_not_sent_in_the_next_and_closing_sends_no_more() {
    for closes in [true, false] {
        let (mut web, get) = with_listen();
        web.head(get.id, 200, &[("content-type", SSE)]);
        web.body(get.id, &sse(&pings(20)));
        let answers = web.opened();
        if closes {
            web.client.close(CloseReason::Local);
            assert_eq!(verbs(&web.opened()), ["DELETE"]);
        } else {
            web.status(answers[0].id, 404);
            assert_eq!(verbs(&web.opened()), ["initialize"]);
            assert!(
                web.events()
                    .iter()
                    .any(|event| matches!(event, ClientEvent::SessionLost))
            );
        }
        answers[1..].iter().for_each(|answer| web.status(answer.id, 202));
        assert!(web.opened().is_empty(), "{closes}");
    }
}

#[test]
fn a_stream_that_breaks_off_behind_what_is_not_read_yet_fails_its_call_afterwards() {
    let mut config = config();
    config.limits.streams_per_session = 4;
    let mut web = Web::ready_with(config, LEGACY);
    web.call("tools/list");
    let post = web.opened().remove(0);
    web.head(post.id, 200, &[("content-type", SSE)]);
    web.body(post.id, &sse(&pings(6)));
    web.broken(post.id);
    assert!(web.events().is_empty());
    let mut answers = 0;
    loop {
        let opened = web.opened();
        answers += opened.len();
        if opened.is_empty() {
            break;
        }
        opened.iter().for_each(|answer| web.status(answer.id, 202));
    }
    assert_eq!(answers, 6);
    assert_eq!(
        crate::support::only_error(&web.events()),
        mcp_proto::rpc::CallError::Disconnected
    );
}
