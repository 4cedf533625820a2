//! Messages that cannot be read, though it shows whose they are; and what only looks like one.

use bytes::Bytes;
use http::Response;
use mcp_proto::client::{ClientEvent, HttpClient, Mode, StreamClient};
use mcp_proto::http::client::ExchangeId;
use mcp_proto::jsonrpc::Params;
use mcp_proto::method::Method;
use mcp_proto::rpc::{CallError, CallId, CallOptions};
use mcp_proto::server::{ServerEvent, StreamServer};
use mcp_proto::{Limits, Revision};

use crate::{NOW, call, config, hear, one_exchange, said, server, server_with, tell, written};

/// Replies to the call with the id `$i` that cannot be read.
fn broken_replies() -> Vec<(&'static str, Vec<u8>)> {
    let text = |name, text: &str| (name, text.as_bytes().to_vec());
    vec![
        (
            "invalid UTF-8",
            b"{\"jsonrpc\":\"2.0\",\"id\":$i,\"result\":{\"x\":\"\xff\"}}".to_vec(),
        ),
        (
            "invalid UTF-8 before the id",
            b"{\"result\":{\"x\":\"\xc3\"},\"jsonrpc\":\"2.0\",\"id\":$i}".to_vec(),
        ),
        text("NaN", r#"{"jsonrpc":"2.0","id":$i,"result":{"x":NaN}}"#),
        text("NaN before the id", r#"{"result":{"x":[NaN,-Infinity]},"id":$i}"#),
        text(
            "a raw control character",
            "{\"jsonrpc\":\"2.0\",\"id\":$i,\"result\":{\"x\":\"\u{1b}[0m\t\"}}",
        ),
        text("a cut", r#"{"jsonrpc":"2.0","id":$i,"result":{"content":[{"type":"te"#),
        text(
            "a line of a log between",
            r#"{"jsonrpc":"2.0","id":$i,"result":{[INFO] 12:00 done "a":1}}"#,
        ),
        text(
            "a line of a log behind",
            r#"{"jsonrpc":"2.0","id":$i,"result":{}}[INFO] done"#,
        ),
        text("an error", r#"{"jsonrpc":"2.0","error":{"code":NaN},"id":$i}"#),
        text("no version", r#"{"id":$i,"result":{}}"#),
        text(
            "nested too deeply",
            &format!(r#"{{"result":{}{},"id":$i}}"#, "[".repeat(1000), "]".repeat(1000)),
        ),
        text(
            "too long, the id first",
            &format!(r#"{{"id":$i,"result":"{}"}}"#, "x".repeat(9000)),
        ),
        text(
            "too long, the id last",
            &format!(r#"{{"result":"{}","jsonrpc":"2.0","id":$i}}"#, "x".repeat(9000)),
        ),
    ]
}

/// What is no message, whatever it quotes.
const JUNK: &[&str] = &[
    "Listening, 1 client",
    r#"DEBUG sent {"jsonrpc":"2.0","id":$i,"result":{}}"#,
    r#"{"level":"debug","id":$i,"msg":"handled"}"#,
    r#"{"level":"debug","msg":"{\"id\":$i,\"result\":{}}"}"#,
    r#"{"level":"debug","data":{"id":$i,"result":{}}}"#,
    r#"{'jsonrpc': '2.0', 'id': $i, 'result': {}}"#,
    r#"["id",$i,"result"]"#,
    r#"{"jsonrpc":"2.0","id":$i}"#,
    r#"{"jsonrpc":"2.0","id":$i,"res"#,
    r#"{"jsonrpc":"2.0","id":$i,"method":NaN,"result":{}}"#,
    r#"{"jsonrpc":"2.0","id":99,"result":NaN}"#,
];

fn with_id(text: &[u8], id: &str) -> Vec<u8> {
    let at = text.windows(2).position(|it| it == b"$i");
    match at {
        Some(at) => [&text[..at], id.as_bytes(), &text[at + 2..]].concat(),
        None => text.to_vec(),
    }
}

/// The id of the last request that was written.
fn id_of(line: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(line.lines().last().expect("a line")).expect("JSON");
    value["id"].to_string()
}

fn small() -> Limits {
    Limits::default().with_line_bytes(8_000)
}

fn waiting_client() -> (StreamClient, CallId, String) {
    let mut client = StreamClient::new(config(Mode::Modern).with_limits(small()));
    let waiting = call(client.client());
    let id = id_of(&written(&mut client));
    (client, waiting, id)
}

fn outcome(event: Option<ClientEvent>, call: CallId) -> Result<(), CallError> {
    match event {
        Some(ClientEvent::Reply { call: of, outcome }) if of == call => outcome.map(drop),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_reply_that_cannot_be_read_ends_the_call_that_it_names() {
    for (name, text) in broken_replies() {
        let (mut client, waiting, id) = waiting_client();
        let other = call(client.client());
        assert!(!written(&mut client).is_empty());
        // However it comes.
        for chunk in [with_id(&text, &id), b"\n".to_vec()].concat().chunks(7) {
            client.receive(NOW, chunk);
        }
        let mut events =
            std::iter::from_fn(|| client.poll_event()).filter(|it| matches!(it, ClientEvent::Reply { .. }));
        let ended = outcome(events.next(), waiting);
        assert!(matches!(ended, Err(CallError::InvalidReply(_))), "{name}: {ended:?}");
        assert!(events.next().is_none(), "{name}");
        drop(events);
        assert_eq!(client.as_client().counters().junk, 1, "{name}");
        hear(
            &mut client,
            r#"{"jsonrpc":"2.0","id":"none","result":{"the stream":"goes on"}}"#,
        );
        client.client().cancel(other);
    }
}

#[test]
fn a_line_that_only_quotes_an_id_ends_no_call() {
    for junk in JUNK {
        let (mut client, waiting, id) = waiting_client();
        let junk = with_id(junk.as_bytes(), &id);
        client.receive(NOW, &[&junk, &b"\n"[..]].concat());
        assert_eq!(
            client.as_client().pending_calls(),
            1,
            "{}",
            String::from_utf8_lossy(&junk)
        );
        assert_eq!(client.as_client().counters().junk, 1);
        hear(&mut client, &format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#));
        let reply = std::iter::from_fn(|| client.poll_event()).find(|it| matches!(it, ClientEvent::Reply { .. }));
        assert_eq!(outcome(reply, waiting), Ok(()));
    }
}

fn answer_with(events: &[&[u8]]) -> (HttpClient, ExchangeId) {
    let (mut client, exchange) = one_exchange(small().with_event_bytes(8_000));
    let head = Response::builder().header("content-type", "text/event-stream");
    client.head(NOW, exchange, &head.body(()).expect("a response").into_parts().0);
    for event in events {
        let event = [b"data: ", *event, b"\n\n"].concat();
        client.body(NOW, exchange, &Bytes::from(event));
    }
    (client, exchange)
}

#[test]
fn an_event_that_cannot_be_read_ends_the_call_that_it_came_for() {
    let mut broken = broken_replies();
    broken.push(("cut early", br#"{"jsonrpc":"2.0","id":1,"res"#.to_vec()));
    broken.push(("without an id", br#"{"jsonrpc":"2.0","result":NaN"#.to_vec()));
    for (name, text) in broken {
        let (mut client, _) = answer_with(&[&with_id(&text, "1")]);
        let reply = std::iter::from_fn(|| client.poll_event()).find(|it| matches!(it, ClientEvent::Reply { .. }));
        assert!(
            matches!(
                &reply,
                Some(ClientEvent::Reply {
                    outcome: Err(CallError::InvalidReply(_)),
                    ..
                })
            ),
            "{name}: {reply:?}"
        );
    }
}

#[test]
fn an_event_that_is_no_reply_ends_no_call() {
    let notification = b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"data\":\"\xff\"}}";
    for junk in [
        &b"ping"[..],
        br#"{"type":"keep-alive","id":1}"#,
        br#"{"jsonrpc":"2.0","method":"notifications/message","params":{"data":NaN}}"#,
        notification,
        b"\xff\xfe",
    ] {
        let (client, _) = answer_with(&[junk]);
        assert_eq!(
            client.as_client().pending_calls(),
            1,
            "{}",
            String::from_utf8_lossy(junk)
        );
        assert_eq!(client.as_client().counters().junk, 1);
        assert_eq!(client.open_exchanges(), 1);
    }
}

#[test]
fn a_request_that_cannot_be_read_gets_its_error() {
    let too_long = format!(
        r#"{{"jsonrpc":"2.0","params":{{"x":"{}"}},"method":"tools/call","id":7}}"#,
        "x".repeat(9_000)
    );
    let requests: [&[u8]; 5] = [
        b"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{\"x\":\"\xff\"}}",
        br#"{"jsonrpc":"2.0","params":{"x":NaN},"method":"tools/call","id":7}"#,
        br#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"na"#,
        b"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"ping\",\"params\":{\"a\":\"\t\"}}",
        too_long.as_bytes(),
    ];
    for request in requests {
        let mut server = server_with(small());
        server.receive(NOW, &[request, b"\n"].concat());
        let answer = said(&mut server);
        assert!(
            answer.contains(r#""id":7,"error""#) && answer.lines().count() == 1,
            "{answer}"
        );
    }
    let mut server = server();
    tell(&mut server, r#"{"level":"debug","id":7,"message":NaN}"#);
    assert!(said(&mut server).contains(r#""id":null"#), "a line of a log has no id");
}

#[test]
fn a_reply_to_the_server_that_cannot_be_read_ends_its_call() {
    for (name, text) in broken_replies() {
        let mut server = asking_server();
        let options = CallOptions::default();
        let asked = server.call(Method::Ping, Params::NONE, options);
        let asked = asked.expect("may ask");
        let id = id_of(&said(&mut server));
        server.receive(NOW, &[with_id(&text, &id), b"\n".to_vec()].concat());
        let ended = std::iter::from_fn(|| server.poll_event()).find_map(|event| match event {
            ServerEvent::Reply { call, outcome } if call == asked => Some(outcome),
            _ => None,
        });
        assert!(
            matches!(ended, Some(Err(CallError::InvalidReply(_)))),
            "{name}: {ended:?}"
        );
        assert_eq!(said(&mut server), "", "{name}: nobody answers an answer");
    }
}

fn asking_server() -> StreamServer {
    let mut server = server_with(small());
    tell(&mut server, crate::INITIALIZE);
    tell(&mut server, crate::INITIALIZED);
    assert!(said(&mut server).contains("serverInfo"));
    assert_eq!(server.revision(), Some(Revision::V2025_11_25));
    server
}

/// Editors and shells of one system write it before what they write.
#[test]
fn byte_order_marks_are_passed_over() {
    let mark = "\u{feff}";
    let mut server = server_with(Limits::default());
    for line in [mark, "\u{feff}\u{feff}", "\u{feff}\r"] {
        tell(&mut server, line);
    }
    tell(&mut server, &format!("{mark}{mark}{}", crate::INITIALIZE));
    tell(&mut server, &format!("{mark}{}", crate::INITIALIZED));
    tell(
        &mut server,
        &format!(r#"{mark} {{"jsonrpc":"2.0","id":1,"method":"ping"}}"#),
    );
    let answers = said(&mut server);
    assert!(answers.lines().count() == 2 && !answers.contains("error"), "{answers}");
    assert_eq!(server.counters().junk, 0);

    let (mut client, waiting, id) = waiting_client();
    hear(&mut client, mark);
    hear(
        &mut client,
        &format!(r#"{mark}{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#),
    );
    let reply = std::iter::from_fn(|| client.poll_event()).find(|it| matches!(it, ClientEvent::Reply { .. }));
    assert_eq!(outcome(reply, waiting), Ok(()));
    assert_eq!(client.as_client().counters().junk, 0);
}

#[test]
fn byte_order_marks_in_bodies_and_events_are_passed_over() {
    let answer = "\u{feff}{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}";
    let (mut client, exchange) = one_exchange(Limits::default());
    let head = Response::builder().header("content-type", "application/json");
    client.head(NOW, exchange, &head.body(()).expect("a response").into_parts().0);
    client.body(NOW, exchange, &Bytes::from(answer));
    client.end(NOW, exchange);
    let (events, _) = answer_with(&[answer.as_bytes()]);
    for mut client in [client, events] {
        let reply = std::iter::from_fn(|| client.poll_event()).find(|it| matches!(it, ClientEvent::Reply { .. }));
        assert!(
            matches!(reply, Some(ClientEvent::Reply { outcome: Ok(_), .. })),
            "{reply:?}"
        );
    }
}
