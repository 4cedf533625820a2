//! Sessions that are lost, leaked or resumed without end.

use bytes::Bytes;
use http::{Response, Uri};
use mcp_proto::client::{HttpClient, Mode};
use mcp_proto::http::client::{ExchangeError, HttpAction, HttpClientConfig};
use mcp_proto::http::server::{Holder, Principal, Remote, SessionId, SessionTable};
use mcp_proto::{Limits, Revision, Time};
use mcp_tests::pair::{PairLink, Setup};
use serde_json::json;
use std::time::Duration;

use crate::{NOW, config, one_exchange, server};

/// python-sdk#1283, prowler#12235: clients that never say goodbye.
#[test]
fn a_session_that_nobody_ends_ends() {
    let mut pair = Setup::speaking(Revision::V2025_11_25).http();
    pair.link.client().connect();
    pair.drive();
    assert_eq!(pair.link.server().machine.sessions(), 1);
    pair.link.take_down(true);
    let now = pair.now();
    pair.link.break_all(now);
    pair.drive();
    pair.drive_for(Limits::default().session_idle * 2);
    assert_eq!(
        (
            pair.link.server().machine.sessions(),
            pair.link.server().machine.open_exchanges()
        ),
        (0, 0)
    );
}

/// rust-sdk#958: a stream that is granted and ends at once is opened again for ever.
#[test]
fn an_empty_stream_is_not_opened_for_ever() {
    let config = config(Mode::Legacy(Revision::V2025_11_25));
    let http = HttpClientConfig::new(Uri::from_static("http://localhost/mcp"));
    let mut client = HttpClient::new(config, &http);
    client.client().connect();
    let (mut now, mut streams) = (NOW, 0);
    for _ in 0..1000 {
        while let Some(action) = client.poll_action(now) {
            let HttpAction::Open { id, request } = action else {
                continue;
            };
            let is_stream = request.method() == http::Method::GET;
            streams += usize::from(is_stream);
            let kind = if is_stream {
                "text/event-stream"
            } else {
                "application/json"
            };
            let head = Response::builder()
                .header("content-type", kind)
                .header("mcp-session-id", "s");
            client.head(now, id, &head.body(()).expect("a response").into_parts().0);
            if request.body().starts_with(br#"{"jsonrpc":"2.0","id":1"#) {
                let result = r#"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"s","version":"1"}}}"#;
                client.body(now, id, &Bytes::from_static(result.as_bytes()));
            }
            client.end(now, id);
        }
        let Some(next) = client.poll_timeout() else { break };
        now = now.max(next);
        client.handle_timeout(now);
    }
    assert!(client.as_client().is_ready());
    assert!((2..20).contains(&streams), "{streams} streams");
    assert_eq!(client.poll_timeout(), None, "and then it is quiet");
}

/// rust-sdk#1231: the pause before the next attempt overflows, and the program with it.
#[test]
fn the_end_of_time_is_no_overflow() {
    let end = Time::since_origin(Duration::MAX);
    let (mut client, id) = one_exchange(Limits::default());
    client.handle_timeout(end);
    client.failed(end, id, ExchangeError::Broken("gone".into()));
    while client.poll_action(end).is_some() {}
    assert_eq!(client.as_client().pending_calls(), 0);
    let mut server = server();
    server.handle_timeout(end);
    server.receive(end, b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n");
    assert!(server.poll_transmit(end).is_some());
}

/// python-sdk#1676, rust-sdk#733, rig#1914: a server that has forgotten the session says 404 for ever after, or the
/// client begins anew and is stuck then.
#[test]
fn a_session_that_is_lost_is_begun_anew() {
    let mut pair = Setup::speaking(Revision::V2025_11_25).http();
    for round in 1..=3 {
        let calls = ["a", "b", "c"].map(|text| pair.call_tool("echo", json!({ "text": text })));
        pair.drive();
        assert_eq!(calls.map(|call| pair.text(call)), ["a", "b", "c"], "round {round}");
        assert_eq!(pair.link.handshakes(), round, "one for all of them");
        pair.link.server().machine.end_sessions();
    }
    assert_eq!(pair.record.sessions_lost, 2);
}

fn holder(who: &str) -> Holder {
    Holder::new(Some(&Principal::new(who)), Remote::UNKNOWN)
}

/// java-sdk#471: sessions that cost a request each, and are kept until memory is used up.
#[test]
fn sessions_are_bounded_for_each_and_for_all() {
    let limits = Limits::default().with_sessions(3).with_sessions_per_principal(2);
    let mut sessions = SessionTable::new(&limits);
    let mut count = 0;
    let mut create = |who: &str| {
        count += 1;
        let id = SessionId::from_random([count; 32]);
        let created = sessions.create(NOW, id, &holder(who), ());
        // The request that has made it is over.
        created.map(|(visit, _)| sessions.leave(NOW, visit)).is_ok()
    };
    assert!(create("greedy") && create("greedy"));
    assert!(!create("greedy"), "the third of one");
    assert!(create("modest"), "is not at the cost of others");
    assert!(create("late"), "the greedy one has more, and loses one");
    assert!(!create("greedy") && !create("later"), "nobody has more");
    let idle = NOW + limits.session_idle * 2;
    assert_eq!(sessions.handle_timeout(idle).len(), 3);
    assert!(sessions.is_empty() && sessions.may_create(&holder("greedy")).is_ok());
}
