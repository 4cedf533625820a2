//! What a server does over HTTP that our client does not ask for, or cannot see: subscriptions, batches, backlogs,
//! DELETE, and its own end. A guest writes the requests.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http::request::Builder;
use mcp_proto::client::Mode;
use mcp_proto::jsonrpc::Params;
use mcp_proto::method::Method;
use mcp_proto::rpc::{CallError, CloseReason};
use mcp_proto::{Revision, Time};
use mcp_tests::pair::{HttpLink, Pair, PairLink, Setup};

const URI: &str = "http://localhost:8000/mcp";
const MODERN: &str = "2026-07-28";
const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;
const SUBSCRIBED: &str = "notifications/subscriptions/acknowledged";
const CHANGED: &str = "notifications/tools/list_changed";

/// A server, and a guest with what it has learned there.
struct Guest {
    pair: Pair<HttpLink>,
    version: &'static str,
    session: Option<String>,
}

impl Guest {
    fn modern() -> Self {
        let capabilities = serde_json::from_str(r#"{"tools":{"listChanged":true}}"#).expect("capabilities");
        let mut setup = Setup::new(Mode::Auto);
        setup.server = setup.server.with_capabilities(capabilities);
        Self {
            pair: setup.http(),
            version: MODERN,
            session: None,
        }
    }

    /// A guest with a session of this revision, which can be asked for samples.
    fn legacy(revision: Revision) -> Self {
        let mut guest = Self::modern();
        guest.version = revision.as_str();
        let hello = format!(
            r#"{{"jsonrpc":"2.0","id":0,"method":"initialize","params":{{"protocolVersion":"{revision}","capabilities":{{"sampling":{{}}}},"clientInfo":{{"name":"guest","version":"1"}}}}}}"#
        );
        let exchange = guest.post(&hello);
        let head = guest.pair.link.heard(exchange).head.as_ref().expect("an answer");
        guest.session = Some(head.headers["mcp-session-id"].to_str().expect("text").to_owned());
        guest.post(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        guest
    }

    fn send(&mut self, request: Builder, body: &str) -> u64 {
        let mut request = request
            .header("host", "localhost:8000")
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", self.version);
        if let Some(session) = &self.session {
            request = request.header("mcp-session-id", session);
        }
        let request = request.body(Bytes::from(body.to_owned())).expect("a request");
        let exchange = self.pair.link.send(self.pair.now(), request);
        self.pair.settle();
        exchange
    }

    fn post(&mut self, body: &str) -> u64 {
        self.send(Request::post(URI), body)
    }

    fn subscribe(&mut self) -> u64 {
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":7,"method":"subscriptions/listen","params":{{"notifications":{{"toolsListChanged":true}},{META}}}}}"#
        );
        self.send(Request::post(URI).header("mcp-method", "subscriptions/listen"), &body)
    }

    fn announce(&mut self) -> usize {
        let method = Method::ToolListChangedNotification.into();
        let reached = self.pair.link.server().notify(&method, &Params::NONE);
        self.pair.settle();
        reached.expect("it may be announced")
    }

    fn text(&self, exchange: u64) -> &str {
        self.pair.link.heard(exchange).text()
    }

    fn status(&self, exchange: u64) -> u16 {
        self.pair.link.heard(exchange).status()
    }

    fn is_complete(&self, exchange: u64) -> bool {
        self.pair.link.heard(exchange).is_complete
    }
}

fn slow(id: u32) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"slow","arguments":{{"text":"late","ms":1000}}}}}}"#
    )
}

#[test]
fn a_subscription_is_acknowledged_notified_and_ended_by_either_side() {
    let mut guest = Guest::modern();
    let (first, second) = (guest.subscribe(), guest.subscribe());
    assert_eq!(guest.pair.link.server().machine.subscriptions(), 2);
    assert_eq!(guest.announce(), 2);
    for exchange in [first, second] {
        let (acknowledged, changed) = (
            guest.text(exchange).find(SUBSCRIBED),
            guest.text(exchange).find(CHANGED),
        );
        assert!(
            acknowledged.is_some() && acknowledged < changed,
            "{}",
            guest.text(exchange)
        );
        assert!(!guest.is_complete(exchange));
    }
    // The client ends the first.
    let now = guest.pair.now();
    guest.pair.link.hang_up(now, first);
    guest.pair.drive();
    assert_eq!(guest.pair.link.server().machine.subscriptions(), 1);
    assert_eq!(guest.announce(), 1);
    // The server ends the second: over HTTP with the response alone.
    guest.pair.link.server().machine.drain();
    guest.pair.drive();
    let text = guest.text(second);
    assert_eq!(text.matches(CHANGED).count(), 2);
    assert!(!text.contains("notifications/cancelled"), "{text}");
    assert!(text.contains(r#""id":7"#), "{text}");
    assert!(guest.is_complete(second));
    assert!(guest.pair.link.server().machine.is_finished());
}

#[test]
fn a_batch_is_answered_in_one_piece_when_its_last_answer_is_there() {
    let mut guest = Guest::legacy(Revision::V2025_03_26);
    let ping = r#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#;
    let note = r#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}"#;
    let batch = guest.post(&format!("[{},{note},{ping}]", slow(1)));
    assert_eq!(guest.status(batch), 0, "one of the two takes a second");
    guest.pair.drive();
    assert_eq!((guest.status(batch), guest.is_complete(batch)), (200, true));
    let answers: Vec<serde_json::Value> = serde_json::from_str(guest.text(batch)).expect("an array");
    let mut ids: Vec<_> = answers.iter().map(|answer| answer["id"].as_u64()).collect();
    ids.sort();
    assert_eq!(ids, [Some(1), Some(2)]);
    // Without a request there is nothing to answer.
    let notes = guest.post(&format!("[{note},{note}]"));
    assert_eq!(guest.status(notes), 202);
    // A cancellation in the same batch: nobody hears of the request.
    let served = guest.pair.link.desk().served().len();
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":3}}"#;
    let cancelled = guest.post(&format!("[{},{cancel},{}]", slow(3), slow(4)));
    guest.pair.drive();
    assert_eq!(guest.pair.link.desk().served().len(), served + 1);
    assert!(guest.is_complete(cancelled) && guest.text(cancelled).contains(r#""id":4"#));
    assert!(!guest.text(cancelled).contains(r#""id":3"#));
    // No other revision has batches.
    let mut guest = Guest::legacy(Revision::V2025_06_18);
    let refused = guest.post(&format!("[{}]", slow(1)));
    assert_eq!(guest.status(refused), 400);
}

#[test]
fn what_is_announced_before_there_is_a_stream_waits_for_it_once() {
    let mut guest = Guest::legacy(Revision::V2025_11_25);
    assert_eq!((guest.announce(), guest.announce()), (0, 0));
    let stream = guest.send(Request::get(URI), "");
    assert_eq!(guest.text(stream).matches(CHANGED).count(), 1);
    assert_eq!(guest.announce(), 1);
    assert_eq!(guest.text(stream).matches(CHANGED).count(), 2);
    let second = guest.send(Request::get(URI), "");
    assert_eq!(guest.status(second), 200);
    // 2025-11-25, Transports, Multiple Connections, 2: MUST be sent on one stream alone.
    assert_eq!(guest.announce(), 1);
    let told = [stream, second].map(|stream| guest.text(stream).matches(CHANGED).count());
    assert_eq!(told.iter().sum::<usize>(), 3, "{told:?}");
    // The next stream begins with what has come while there was none.
    let now = guest.pair.now();
    guest.pair.link.hang_up(now, stream);
    guest.pair.link.hang_up(now, second);
    guest.pair.drive();
    assert_eq!(guest.announce(), 0);
    let third = guest.send(Request::get(URI), "");
    assert_eq!(guest.text(third).matches(CHANGED).count(), 1);
}

#[test]
fn delete_ends_a_session_with_its_stream_and_what_is_in_progress() {
    let mut guest = Guest::legacy(Revision::V2025_11_25);
    let (stream, call) = (guest.send(Request::get(URI), ""), guest.post(&slow(1)));
    let delete = guest.send(Request::delete(URI), "");
    assert_eq!(guest.status(delete), 204);
    assert!(guest.is_complete(stream) && guest.is_complete(call));
    assert!(!guest.text(call).contains("late"), "it is not answered any more");
    assert_eq!(guest.pair.link.desk().cancelled(), 1);
    let late = guest.post(&slow(2));
    assert_eq!(guest.status(late), 404);
    assert_eq!(guest.pair.link.server().machine.open_exchanges(), 0);
    guest.pair.drive();
    assert_eq!(guest.pair.now(), Time::ORIGIN, "nothing is left that takes time");
}

#[test]
fn a_server_that_drains_answers_what_it_has_begun() {
    let mut guest = Guest::legacy(Revision::V2025_11_25);
    let (stream, call) = (guest.send(Request::get(URI), ""), guest.post(&slow(1)));
    guest.pair.link.server().machine.drain();
    let late = guest.post(&slow(2));
    assert_eq!(guest.status(late), 503);
    assert!(!guest.is_complete(stream), "the session ends with its last request");
    guest.pair.drive();
    assert!(guest.text(call).contains("late"), "{}", guest.text(call));
    assert!(guest.is_complete(stream));
    assert!(guest.pair.link.server().machine.is_finished());
    assert_eq!(guest.pair.link.server().machine.kept().entries, 0);
}

#[test]
fn a_request_of_the_server_is_answered_in_an_exchange_of_its_own() {
    let mut guest = Guest::legacy(Revision::V2025_11_25);
    let call = guest.post(&slow(1));
    let params = Params::from_serialize(&serde_json::json!({ "messages": [], "maxTokens": 1 })).expect("an object");
    let server = guest.pair.link.server();
    let asked = server
        .ask(Method::CreateMessage, params.clone())
        .expect("the client can be asked");
    let second = server.ask(Method::CreateMessage, params).expect("and again");
    guest.pair.settle();
    let text = guest.text(call);
    assert_eq!(text.matches("sampling/createMessage").count(), 2, "{text}");
    let answer =
        r#"{"jsonrpc":"2.0","id":1,"result":{"role":"assistant","content":{"type":"text","text":"hm"},"model":"m"}}"#;
    let answer = guest.post(answer);
    assert_eq!(guest.status(answer), 202);
    let outcomes = guest.pair.link.server().asked.clone();
    assert!(matches!(&outcomes[&asked][..], [Ok(result)] if result.as_str().contains("hm")));
    assert!(outcomes[&second].is_empty());
    // What is asked of a session that ends is settled too.
    guest.send(Request::delete(URI), "");
    let outcomes = &guest.pair.link.server().asked;
    assert!(matches!(
        outcomes[&second][..],
        [Err(CallError::Closed(CloseReason::Local))]
    ));
}

#[test]
fn a_request_of_the_server_has_a_deadline() {
    let mut guest = Guest::legacy(Revision::V2025_11_25);
    guest.post(&slow(1).replace("1000", "600000"));
    let params = Params::from_serialize(&serde_json::json!({ "messages": [], "maxTokens": 1 })).expect("an object");
    let asked = guest
        .pair
        .link
        .server()
        .ask(Method::CreateMessage, params)
        .expect("the client can be asked");
    guest.pair.drive_for(Duration::from_secs(61));
    let outcomes = &guest.pair.link.server().asked[&asked];
    assert!(matches!(outcomes[..], [Err(CallError::Timeout { .. })]), "{outcomes:?}");
}
