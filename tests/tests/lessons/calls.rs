//! Calls, their answers, and their ids.

use mcp_proto::client::{ClientEvent, HttpClient, Mode, StreamClient};
use mcp_proto::http::client::{HttpAction, HttpClientConfig};
use mcp_proto::jsonrpc::Params;
use mcp_proto::method::Method;
use mcp_proto::model::CallToolResult;
use mcp_proto::rpc::{CallError, CallOptions};
use mcp_proto::server::{ClientRequest, ResultBody, StreamServer};

use crate::{NOW, call, config, hear, requests, said, server, tell, written};

/// rust-sdk#957: a request that was cancelled is answered all the same.
#[test]
fn a_cancelled_request_is_not_answered() {
    let mut server = server();
    tell(
        &mut server,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"}}"#,
    );
    let request = requests(&mut server).remove(0);
    tell(
        &mut server,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#,
    );
    server.respond(request.token, Ok(ResultBody::EMPTY));
    assert_eq!(said(&mut server), "");
}

/// What lies between two reads belongs to the machine: rust-sdk#941 lost it with the future that had read it.
#[test]
fn half_a_message_is_kept_until_the_rest_comes() {
    let line = b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n";
    for cut in 1..line.len() {
        let mut server = server();
        server.receive(NOW, &line[..cut]);
        assert_eq!(said(&mut server), "");
        server.handle_timeout(NOW);
        server.receive(NOW, &line[cut..]);
        assert_eq!(said(&mut server), "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
    }
}

/// openai/codex#29002: an annotation of a newer server makes a tool's result unreadable.
#[test]
fn an_unknown_annotation_spoils_no_result() {
    let text = r#"{"content":[{"type":"text","text":"x","annotations":{"audience":["robot"]}},{"type":"smell"}]}"#;
    let result: CallToolResult = serde_json::from_str(text).expect("a result");
    assert_eq!(serde_json::to_string(&result).expect("JSON"), text);
}

/// rust-sdk#1094: a result that asks for input becomes an empty result of the tool.
#[test]
fn a_result_that_wants_something_is_not_taken_for_the_end() {
    let mut client = StreamClient::new(config(Mode::Modern));
    let call = client
        .client()
        .call(Method::CallTool, Params::NONE, CallOptions::default())
        .expect("a call");
    assert!(!written(&mut client).is_empty());
    hear(
        &mut client,
        r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"later","_meta":{"a":1}}}"#,
    );
    match std::iter::from_fn(|| client.poll_event()).last() {
        Some(ClientEvent::Reply { call: other, outcome }) if other == call => {
            assert_eq!(outcome, Err(CallError::UnknownResultType("later".into())));
        }
        other => panic!("{other:?}"),
    }
}

/// CVE-2026-25536, rust-sdk#1021: ids that look alike are taken for each other.
#[test]
fn ids_are_what_they_are_and_nobody_elses() {
    let (mut one, mut two) = (server(), server());
    for (server, text) in [(&mut one, "one"), (&mut two, "two")] {
        for id in ["1", "\"1\"", "1.0"] {
            tell(
                server,
                &format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{text}"}}}}"#),
            );
        }
    }
    // 1.0 is 1: the second request with an id in use is refused, and the first one is not disturbed.
    assert!(said(&mut one).contains(r#""id":1.0,"error":{"code":-32600"#));
    let (first, second) = (requests(&mut one), requests(&mut two));
    assert_eq!((first.len(), second.len()), (2, 2));
    let answer = |server: &mut StreamServer, requests: Vec<ClientRequest>| {
        for request in requests.into_iter().rev() {
            let echo = ResultBody::from_raw(request.params.expect("parameters")).expect("an object");
            server.respond(request.token, Ok(echo));
        }
    };
    answer(&mut two, second);
    answer(&mut one, first);
    assert_eq!(
        said(&mut one),
        concat!(
            r#"{"jsonrpc":"2.0","id":"1","result":{"name":"one"}}"#,
            "\n",
            r#"{"jsonrpc":"2.0","id":1,"result":{"name":"one"}}"#,
            "\n"
        )
    );
    assert!(said(&mut two).contains(r#""id":"1","result":{"name":"two"}"#));
}

/// rust-sdk#1346: an id written as a float comes back as another number.
#[test]
fn a_float_comes_back_as_it_was_written() {
    let mut server = server();
    tell(&mut server, r#"{"jsonrpc":"2.0","id":7.0,"method":"ping"}"#);
    assert_eq!(said(&mut server), "{\"jsonrpc\":\"2.0\",\"id\":7.0,\"result\":{}}\n");
}

/// A client that closes its end at once, such as `echo '…' | server`, still gets its answers.
#[test]
fn the_end_of_input_cuts_off_no_answer() {
    let mut server = server();
    tell(&mut server, r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#);
    server.receive(NOW, br#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#);
    server.receive_eof(NOW);
    let answers = said(&mut server);
    assert!(
        answers.contains(r#""id":1,"result":{}"#) && answers.contains(r#""id":2,"result":{}"#),
        "{answers}"
    );
    while server.poll_event().is_some() {}
    assert!(server.is_finished());
}

/// kit#17, rust-sdk#1344: a call that nobody waits for any more runs on at the server.
#[test]
fn a_call_that_is_given_up_is_given_up_at_the_server() {
    let mut client = StreamClient::new(config(Mode::Modern));
    let given_up = call(client.client());
    assert!(written(&mut client).contains(r#""id":1"#));
    client.client().cancel(given_up);
    let told = written(&mut client);
    assert!(
        told.contains("notifications/cancelled") && told.contains(r#""requestId":1"#),
        "{told}"
    );

    let http = HttpClientConfig::new(http::Uri::from_static("http://localhost/mcp"));
    let mut client = HttpClient::new(config(Mode::Modern), &http);
    let given_up = call(client.client());
    let Some(HttpAction::Open { id, .. }) = client.poll_action(NOW) else {
        panic!("no request")
    };
    client.client().cancel(given_up);
    assert!(matches!(client.poll_action(NOW), Some(HttpAction::Abort(other)) if other == id));
    assert!(client.poll_action(NOW).is_none() && client.kept().is_empty());
}

/// rust-sdk#914: the answer to a call that is over reaches somebody else, or breaks the connection.
#[test]
fn an_answer_that_is_late_is_nobodys() {
    let mut client = StreamClient::new(config(Mode::Modern));
    let late = call(client.client());
    let _ = written(&mut client);
    client.client().cancel(late);
    let other = call(client.client());
    let _ = written(&mut client);
    for id in [1, 1, 2, 2] {
        hear(
            &mut client,
            &format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[]}}}}"#),
        );
    }
    let events: Vec<_> = std::iter::from_fn(|| client.poll_event()).collect();
    assert!(
        matches!(&events[..], [ClientEvent::Reply { call, outcome: Ok(_) }] if *call == other),
        "{events:?}"
    );
    assert_eq!(client.as_client().counters().late_replies, 3);
    assert!(client.as_client().closed().is_none() && client.kept().is_empty());
}
