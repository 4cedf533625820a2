//! A server on a byte stream, line by line: what goes in (`>`) and what has to come out (`<`).
//!
//! Every transcript is fed whole, line by line and byte by byte.

use std::time::Duration;

use mcp_proto::jsonrpc::{ErrorObject, Params, RawJson};
use mcp_proto::method::Method;
use mcp_proto::model::Implementation;
use mcp_proto::rpc::{CallError, CallOptions, CloseReason, SendError};
use mcp_proto::server::{RequestToken, ResultBody, ServerConfig, ServerEvent, StreamServer};
use mcp_proto::{Limits, Revision, Time};

fn config() -> ServerConfig {
    let capabilities = r#"{"tools":{"listChanged":true},"logging":{}}"#;
    ServerConfig::new(Implementation::new("s", "1")).with_capabilities(serde_json::from_str(capabilities).unwrap())
}

/// A server whose tools are `echo`, which returns its arguments, and `wait`, which does not return.
struct Server {
    connection: StreamServer,
    waiting: Vec<RequestToken>,
    events: Vec<String>,
}

impl Server {
    fn new(config: ServerConfig) -> Self {
        Self {
            connection: StreamServer::new(config),
            waiting: Vec::new(),
            events: Vec::new(),
        }
    }

    fn run(&mut self) {
        while let Some(event) = self.connection.poll_event() {
            match event {
                ServerEvent::Request(request) => {
                    let params: serde_json::Value = request
                        .params
                        .as_ref()
                        .map_or(Ok(serde_json::Value::Null), RawJson::decode)
                        .unwrap();
                    match (request.method.known(), params["name"].as_str()) {
                        (Some(Method::CallTool), Some("wait")) => self.waiting.push(request.token),
                        (Some(Method::CallTool), Some("echo")) => {
                            let body = RawJson::from_serialize(&params["arguments"]).unwrap();
                            self.connection
                                .respond(request.token, ResultBody::from_raw(body).map_err(Into::into));
                        }
                        (Some(Method::ListTools), _) => {
                            let body = RawJson::parse(r#"{"tools":[]}"#).unwrap();
                            self.connection
                                .respond(request.token, ResultBody::from_raw(body).map_err(Into::into));
                        }
                        (Some(Method::SetLevel), _) => self.connection.respond(request.token, Ok(ResultBody::EMPTY)),
                        _ => {
                            let error = ErrorObject::method_not_found(request.method.as_str());
                            self.connection.respond(request.token, Err(error));
                        }
                    }
                }
                ServerEvent::Cancelled { reason, .. } => self.events.push(format!("cancelled {reason:?}")),
                ServerEvent::Notification(notification) => self.events.push(notification.method.as_str().into()),
                ServerEvent::Reply { call, outcome } => self.events.push(format!("{call:?} {outcome:?}")),
                ServerEvent::Opened => self.events.push("opened".into()),
                ServerEvent::Closed(reason) => self.events.push(format!("closed {reason}")),
                other => panic!("{other:?}"),
            }
        }
    }

    fn output(&mut self) -> String {
        let mut output = String::new();
        while let Some(bytes) = self.connection.poll_transmit(Time::ORIGIN) {
            output.push_str(std::str::from_utf8(&bytes).unwrap());
        }
        output
    }

    fn feed(&mut self, input: &[u8]) -> String {
        self.connection.receive(Time::ORIGIN, input);
        self.run();
        self.output()
    }
}

fn check(config: &ServerConfig, transcript: &str) {
    let lines = |mark: &str| -> String {
        let lines = transcript
            .lines()
            .map(str::trim)
            .filter_map(|line| line.strip_prefix(mark));
        lines.map(|line| format!("{}\n", line.trim_start())).collect()
    };
    let (input, expected) = (lines(">"), lines("<"));
    // What is read at once may be answered in any order.
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(String::from).collect();
        lines.sort();
        lines
    };
    for piece in [1, 7, 64, input.len()] {
        let mut server = Server::new(config.clone());
        let output: String = input.as_bytes().chunks(piece).map(|chunk| server.feed(chunk)).collect();
        assert_eq!(sorted(&output), sorted(&expected), "in pieces of {piece}");
    }
    // The answers of each line come before the next line is read.
    let mut server = Server::new(config.clone());
    let mut seen = String::new();
    for line in transcript.lines().map(str::trim) {
        if let Some(input) = line.strip_prefix("> ") {
            seen.push_str(&server.feed(format!("{input}\n").as_bytes()));
        } else if let Some(answer) = line.strip_prefix("< ") {
            let rest = seen.strip_prefix(answer).and_then(|rest| rest.strip_prefix('\n'));
            seen = rest.unwrap_or_else(|| panic!("expected {answer}\ngot {seen}")).into();
        }
    }
    assert_eq!(seen, "");
}

#[test]
fn legacy_revisions() {
    for revision in Revision::ALL.into_iter().filter(|revision| revision.has_initialize()) {
        let transcript = r#"
            > {"jsonrpc":"2.0","id":0,"method":"ping"}
            < {"jsonrpc":"2.0","id":0,"result":{}}
            > {"jsonrpc":"2.0","id":"i","method":"initialize","params":{"protocolVersion":"REVISION","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}
            < {"jsonrpc":"2.0","id":"i","result":{"protocolVersion":"REVISION","capabilities":{"tools":{"listChanged":true},"logging":{}},"serverInfo":{"name":"s","version":"1"}}}
            > {"jsonrpc":"2.0","method":"notifications/initialized"}
            > {"jsonrpc":"2.0","id":1.0,"method":"tools/call","params":{"name":"echo","arguments":{"a":1}}}
            < {"jsonrpc":"2.0","id":1.0,"result":{"a":1}}
            > {"jsonrpc":"2.0","id":2,"method":"tools/list","params":{}}
            < {"jsonrpc":"2.0","id":2,"result":{"tools":[]}}
            > {"jsonrpc":"2.0","id":3,"method":"logging/setLevel","params":{"level":"error"}}
            < {"jsonrpc":"2.0","id":3,"result":{}}
            > {"jsonrpc":"2.0","id":4,"method":"server/discover","params":{}}
            < {"jsonrpc":"2.0","id":4,"error":{"code":-32601,"message":"method not found: server/discover"}}
            > {"jsonrpc":"2.0","id":5,"method":"initialize","params":{}}
            < {"jsonrpc":"2.0","id":5,"error":{"code":-32600,"message":"already initialized: initialize may be sent once"}}
        "#;
        check(&config(), &transcript.replace("REVISION", revision.as_str()));
    }
}

#[test]
fn modern_requests_need_no_handshake_and_leave_the_way_to_a_legacy_session_open() {
    let meta = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;
    let info = r#""_meta":{"io.modelcontextprotocol/serverInfo":{"name":"s","version":"1"}}"#;
    let transcript = r#"
        > {"jsonrpc":"2.0","id":1,"method":"server/discover","params":{META}}
        < {"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","ttlMs":0,"cacheScope":"private",INFO,"supportedVersions":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"],"capabilities":{"tools":{"listChanged":true},"logging":{}}}}
        > {"jsonrpc":"2.0","id":2,"method":"tools/list","params":{META}}
        < {"jsonrpc":"2.0","id":2,"result":{"resultType":"complete","ttlMs":0,"cacheScope":"private",INFO,"tools":[]}}
        > {"jsonrpc":"2.0","id":3,"method":"tools/list"}
        < {"jsonrpc":"2.0","id":3,"error":{"code":-32600,"message":"not initialized: the first request has to be initialize, or carry its protocol version in _meta"}}
        > {"jsonrpc":"2.0","id":9,"method":"tools/call","params":{META,"name":5}}
        < {"jsonrpc":"2.0","id":9,"error":{"code":-32602,"message":"invalid type: integer `5`, expected a string at line 1 column 122"}}
        > {"jsonrpc":"2.0","id":10,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","progressToken":[]}}}
        < {"jsonrpc":"2.0","id":10,"error":{"code":-32602,"message":"an id is a string or an integer at line 1 column 75"}}
        > {"jsonrpc":"2.0","id":6,"method":"tools/call","params":{META,"name":"echo","arguments":{"a":1}}}
        < {"jsonrpc":"2.0","id":6,"result":{"resultType":"complete",INFO,"a":1}}
        > {"jsonrpc":"2.0","id":7,"method":"ping","params":{META}}
        < {"jsonrpc":"2.0","id":7,"error":{"code":-32601,"message":"method not found: ping"}}
        > {"jsonrpc":"2.0","id":8,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2027-01-01"}}}
        < {"jsonrpc":"2.0","id":8,"error":{"code":-32022,"message":"unsupported protocol version; supported are 2026-07-28, 2025-11-25, 2025-06-18, 2025-03-26, 2024-11-05","data":{"supported":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"],"requested":"2027-01-01"}}}
        > {"jsonrpc":"2.0","id":4,"method":"initialize","params":{"protocolVersion":"2025-06-18"}}
        < {"jsonrpc":"2.0","id":4,"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{"listChanged":true},"logging":{}},"serverInfo":{"name":"s","version":"1"}}}
        > {"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"echo","arguments":{"a":1}}}
        < {"jsonrpc":"2.0","id":5,"result":{"a":1}}
    "#;
    check(&config(), &transcript.replace("META", meta).replace("INFO", info));
}

/// 2026-07-28, Versioning: `initialize` selects legacy semantics, scoped to the process. What `_meta` says of a version is
/// then forwarded from somebody else.
#[test]
fn after_the_handshake_the_revision_is_what_was_agreed_whatever_meta_says() {
    let transcript = r#"
        > {"jsonrpc":"2.0","id":4,"method":"initialize","params":{"protocolVersion":"2025-06-18"}}
        < {"jsonrpc":"2.0","id":4,"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{"listChanged":true},"logging":{}},"serverInfo":{"name":"s","version":"1"}}}
        > {"jsonrpc":"2.0","id":6,"method":"tools/call","params":{META,"name":"echo","arguments":{"a":1}}}
        < {"jsonrpc":"2.0","id":6,"result":{"a":1}}
        > {"jsonrpc":"2.0","id":7,"method":"ping","params":{META}}
        < {"jsonrpc":"2.0","id":7,"result":{}}
        > {"jsonrpc":"2.0","id":1,"method":"server/discover","params":{META}}
        < {"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"method not found: server/discover"}}
        > {"jsonrpc":"2.0","id":8,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2027-01-01"}}}
        < {"jsonrpc":"2.0","id":8,"result":{"tools":[]}}
    "#;
    let meta = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;
    check(&config(), &transcript.replace("META", meta));
}

#[test]
fn a_legacy_server_says_what_it_speaks() {
    let config = config().with_revisions(&[Revision::V2025_11_25]);
    check(
        &config,
        r#"
        > {"jsonrpc":"2.0","id":2,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}
        < {"jsonrpc":"2.0","id":2,"error":{"code":-32022,"message":"unsupported protocol version; supported are 2025-11-25","data":{"supported":["2025-11-25"],"requested":"2026-07-28"}}}
        > {"jsonrpc":"2.0","id":3,"method":"tools/list"}
        < {"jsonrpc":"2.0","id":3,"error":{"code":-32600,"message":"not initialized: the first request has to be initialize; supported are 2025-11-25"}}
        > {"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}
        < {"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"not initialized: the first request has to be initialize; supported are 2025-11-25"}}
        > {"jsonrpc":"2.0","id":4,"method":"initialize","params":{"protocolVersion":"2025-11-25","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}
        < {"jsonrpc":"2.0","id":4,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{"listChanged":true},"logging":{}},"serverInfo":{"name":"s","version":"1"}}}
    "#,
    );
}

#[test]
fn batches_of_2025_03_26_are_answered_as_one_array() {
    check(
        &config(),
        r#"
        > [{"jsonrpc":"2.0","id":1,"method":"ping"}]
        < {"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"batches are not part of this protocol revision"}}
        > {"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-03-26"}}
        < {"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-03-26","capabilities":{"tools":{"listChanged":true},"logging":{}},"serverInfo":{"name":"s","version":"1"}}}
        > [{"jsonrpc":"2.0","method":"notifications/initialized"}]
        > [{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"a":1}}}, {"jsonrpc":"2.0","method":"x"}, {"jsonrpc":"2.0","id":2,"method":"ping"}, {"jsonrpc":"2.0","id":3,"method":"initialize"}, 5, {"jsonrpc":"2.0","id":"lost","result":{}}, {"jsonrpc":"2.0","id":4}]
        < [{"jsonrpc":"2.0","id":2,"result":{}},{"jsonrpc":"2.0","id":3,"error":{"code":-32600,"message":"initialize must not be part of a batch"}},{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"not a JSON-RPC message: not an object"}},{"jsonrpc":"2.0","id":4,"error":{"code":-32600,"message":"not a JSON-RPC message: neither method nor result nor error"}},{"jsonrpc":"2.0","id":1,"result":{"a":1}}]
        > []
        < {"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"an empty batch"}}
        > [{"jsonrpc":"2.0","id":"lost","result":{}}]
    "#,
    );
}

/// JSON-RPC 2.0, 6 and 7: what is neither request, notification nor response is answered for itself; what is meant as a
/// response never, or two peers would go on for ever.
#[test]
fn entries_of_a_batch_that_are_no_message_are_answered() {
    check(
        &config(),
        r#"
        > {"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-03-26"}}
        < {"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-03-26","capabilities":{"tools":{"listChanged":true},"logging":{}},"serverInfo":{"name":"s","version":"1"}}}
        > [{}]
        < [{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"not a JSON-RPC message: jsonrpc is not \"2.0\""}}]
        > [{"foo":"boo"},{"jsonrpc":"2.0"},{"jsonrpc":"2.0","id":7},[],null]
        < [{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"not a JSON-RPC message: jsonrpc is not \"2.0\""}},{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"not a JSON-RPC message: neither method nor result nor error"}},{"jsonrpc":"2.0","id":7,"error":{"code":-32600,"message":"not a JSON-RPC message: neither method nor result nor error"}},{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"not a JSON-RPC message: not an object"}},{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"not a JSON-RPC message: not an object"}}]
        > [{"jsonrpc":"2.0","method":"x"},{"jsonrpc":"2.0","id":8,"result":{}},{"jsonrpc":"2.0","id":9,"error":5}]
    "#,
    );
}

#[test]
fn a_batch_waits_for_the_last_of_its_requests_and_not_for_cancelled_ones() {
    let mut server = Server::new(config());
    server.feed(
        b"{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-03-26\"}}\n",
    );
    let wait = |id: u8| format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"wait"}}}}"#);
    let ping = r#"{"jsonrpc":"2.0","id":9,"method":"ping"}"#;
    assert_eq!(
        server.feed(format!("[{},{},{ping}]\n", wait(1), wait(2)).as_bytes()),
        ""
    );
    let first = server.waiting.remove(0);
    server.connection.respond(first, Ok(ResultBody::EMPTY));
    assert_eq!(server.output(), "");
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}"#;
    assert_eq!(
        server.feed(format!("{cancel}\n").as_bytes()),
        "[{\"jsonrpc\":\"2.0\",\"id\":9,\"result\":{}},{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}]\n"
    );
    let late = server.waiting.remove(0);
    server.connection.respond(late, Ok(ResultBody::EMPTY));
    assert_eq!(server.output(), "");
    // A batch that is cancelled altogether has no answer at all.
    assert_eq!(server.feed(format!("[{}]\n", wait(2)).as_bytes()), "");
    assert_eq!(server.feed(format!("{cancel}\n").as_bytes()), "");
}

#[test]
fn bad_input_is_answered_and_the_connection_lives_on() {
    let limits = Limits::default().with_line_bytes(300);
    let deep = "[".repeat(120);
    let long = "x".repeat(400);
    let transcript = r#"
        > hello
        < {"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"not JSON: expected value at line 1 column 1"}}
        > {"jsonrpc":"2.0","id":1,"method":"ping"
        < {"jsonrpc":"2.0","id":1,"error":{"code":-32700,"message":"not JSON: EOF while parsing an object at line 1 column 39"}}
        > {"jsonrpc":"2.0","id":2,"method":7}
        < {"jsonrpc":"2.0","id":2,"error":{"code":-32600,"message":"not a JSON-RPC message: method is not a string"}}
        > {"jsonrpc":"2.0","id":null,"method":"ping"}
        < {"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"not a JSON-RPC message: the id of a request is null"}}
        > {"jsonrpc":"2.0","id":3,"method":"ping","method":"ping"}
        < {"jsonrpc":"2.0","id":3,"error":{"code":-32600,"message":"not a JSON-RPC message: a key occurs twice"}}
        > {"jsonrpc":"2.0","id":4,"method":"ping","params":DEEP}
        < {"jsonrpc":"2.0","id":4,"error":{"code":-32700,"message":"nested too deeply"}}
        > {"jsonrpc":"2.0","id":5,"method":"ping","params":[1]}
        < {"jsonrpc":"2.0","id":5,"error":{"code":-32600,"message":"not a JSON-RPC message: params is not an object"}}
        > {"jsonrpc":"2.0","id":6,"method":"ping","params":{"x":"LONG"}}
        < {"jsonrpc":"2.0","id":6,"error":{"code":-32600,"message":"the message is longer than 300 bytes"}}
        > {"jsonrpc":"2.0","id":7,"params":{"x":"LONG"},"method":"ping"}
        < {"jsonrpc":"2.0","id":7,"error":{"code":-32600,"message":"the message is longer than 300 bytes"}}
        > LONG
        < {"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"the message is longer than 300 bytes"}}
        > {"jsonrpc":"2.0","id":8,"result":{}}
        > {"jsonrpc":"2.0","id":9,"error":5}
        > {"jsonrpc":"2.0","id":10}
        > {"jsonrpc":"2.0","id":11,"method":"ping"}
        < {"jsonrpc":"2.0","id":11,"result":{}}
    "#;
    check(
        &config().with_limits(limits),
        &transcript.replace("DEEP", &deep).replace("LONG", &long),
    );
    let mut server = Server::new(config());
    let answer = server.feed(b"\"\xff\"\n{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n");
    assert_eq!(
        answer,
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,\"message\":\"not UTF-8\"}}\n{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n"
    );
}

/// lessons 14: two sides that answer each other's junk never fall silent.
#[test]
fn junk_is_answered_only_so_often() {
    let limits = Limits::default().with_junk_reports(3);
    let mut server = Server::new(config().with_limits(limits));
    let answers = server.feed("junk\n".repeat(100).as_bytes());
    assert_eq!(answers.lines().count(), 3);
    assert_eq!(server.connection.counters().junk, 100);
    // What it sends in such a case is not answered either.
    let mut other = Server::new(config());
    assert_eq!(other.feed(answers.as_bytes()), "");
}

#[test]
fn subscriptions_are_streams_of_their_own() {
    let listen = |id: &str, what: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"subscriptions/listen","params":{{"_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{{}}}},"notifications":{{{what}}}}}}}{}"#,
            "\n"
        )
    };
    let mut server = Server::new(config());
    let tools = listen("1", r#""toolsListChanged":true"#);
    assert_eq!(
        server.feed(tools.as_bytes()),
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/acknowledged\",\"params\":{\"_meta\":{\"io.modelcontextprotocol/subscriptionId\":1},\"notifications\":{\"toolsListChanged\":true}}}\n"
    );
    assert!(server.feed(tools.as_bytes()).contains("-32600"), "the id is in use");
    server.feed(listen("\"two\"", r#""promptsListChanged":true"#).as_bytes());
    let changed = Method::ToolListChangedNotification;
    server.connection.notify(changed, Params::NONE).unwrap();
    let notification = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\",\"params\":{\"_meta\":{\"io.modelcontextprotocol/subscriptionId\":1}}}\n";
    assert_eq!(server.output(), notification);
    server.feed(b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":1}}\n");
    server.connection.notify(changed, Params::NONE).unwrap();
    assert_eq!(server.output(), "");
    server.connection.close();
    let end = server.output();
    let (cancelled, response) = end.split_once('\n').unwrap();
    assert_eq!(
        cancelled,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"two"}}"#
    );
    assert!(
        response.starts_with(r#"{"jsonrpc":"2.0","id":"two","result":{"resultType":"complete","#),
        "{end}"
    );
    assert_eq!(response.lines().count(), 1);
}

#[test]
fn an_end_of_input_does_not_cut_off_answers() {
    let mut server = Server::new(config());
    server.feed(
        b"{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\"}}\n",
    );
    server.feed(b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n");
    server.feed(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"wait\"}}\n");
    let call = server
        .connection
        .call(Method::Ping, Params::NONE, CallOptions::default())
        .unwrap();
    server.output();
    // The last line has no end.
    server
        .connection
        .receive(Time::ORIGIN, b"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}");
    server.connection.receive_eof(Time::ORIGIN);
    server.run();
    assert_eq!(
        server.events,
        [
            "opened",
            &format!("{call:?} {:?}", Err::<(), _>(CallError::Closed(CloseReason::Peer)))
        ]
    );
    assert!(!server.connection.wants_input() && !server.connection.is_finished());
    assert_eq!(server.output(), "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}\n");
    let token = server.waiting.remove(0);
    server.connection.respond(token, Ok(ResultBody::EMPTY));
    assert!(!server.connection.is_finished(), "not before it is written");
    assert_eq!(server.output(), "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
    assert!(server.connection.is_finished());
    server.run();
    assert_eq!(server.events.last().unwrap(), "closed by the peer");
    assert!(server.connection.poll_event().is_none());
    assert_eq!(server.connection.poll_timeout(), None);
}

/// lessons 12: answers that wait for others of their batch are kept because of the client, and count.
#[test]
fn batches_that_wait_for_one_answer_each_are_bounded() {
    let limits = Limits::default().with_total_bytes(10_000);
    let mut server = Server::new(config().with_limits(limits));
    server.feed(
        b"{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-03-26\"}}\n",
    );
    server.output();
    for n in 0..100 {
        let wait = format!(r#"{{"jsonrpc":"2.0","id":"w{n}","method":"tools/call","params":{{"name":"wait"}}}}"#);
        let echo = format!(
            r#"{{"jsonrpc":"2.0","id":"e{n}","method":"tools/call","params":{{"name":"echo","arguments":{{"x":"{}"}}}}}}"#,
            "y".repeat(500)
        );
        server.feed(format!("[{wait},{echo}]\n").as_bytes());
    }
    let kept = server.waiting.len();
    assert!((10..=20).contains(&kept), "{kept} batches are kept");
    assert!(server.output().is_empty(), "what came later was answered at once");
    for token in std::mem::take(&mut server.waiting) {
        server.connection.respond(token, Ok(ResultBody::EMPTY));
    }
    assert_eq!(server.output().lines().count(), kept);
    let listed = server.feed(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}\n");
    assert!(listed.contains("tools"), "{listed}");
}

/// lessons 8: an end must not wait for a handler that never returns.
#[test]
fn an_end_has_a_deadline() {
    let mut server = Server::new(config());
    server.feed(
        b"{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\"}}\n",
    );
    server.feed(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"wait\"}}\n");
    server.connection.close();
    assert_eq!(server.connection.poll_timeout(), Some(Time::ORIGIN));
    assert_eq!(server.output(), "");
    let deadline = Time::ORIGIN + config().timeouts().close;
    assert_eq!(server.connection.poll_timeout(), Some(deadline));
    server.connection.handle_timeout(deadline);
    server.run();
    assert_eq!(server.events, ["closed by this side"]);
    assert!(server.connection.is_finished());
    let token = server.waiting.remove(0);
    server.connection.respond(token, Ok(ResultBody::EMPTY));
    assert_eq!(server.output(), "");
    assert!(
        server
            .feed(b"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}\n")
            .is_empty()
    );
    let changed = server
        .connection
        .notify(Method::ToolListChangedNotification, Params::NONE);
    assert_eq!(changed, Err(SendError::Closed(CloseReason::Local)));
}

/// lessons 12 and 13: what is queued is bounded, and while it is full nothing more is read.
#[test]
fn a_reader_that_stops_is_not_read_from() {
    let limits = Limits::default().with_outbox_bytes(1000);
    let mut server = Server::new(config().with_limits(limits));
    server.feed(
        b"{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\"}}\n",
    );
    let changed = Method::ToolListChangedNotification;
    let params = Params::from_serialize(&serde_json::json!({"x": "y".repeat(100)})).unwrap();
    let mut sent = 0;
    let refused = loop {
        match server.connection.notify(changed, params.clone()) {
            Ok(()) => sent += 1,
            Err(refused) => break refused,
        }
    };
    assert_eq!(refused, SendError::Blocked(params));
    assert!(sent >= 5 && !server.connection.wants_input());
    // Answers are still taken: the peer is owed them.
    server
        .connection
        .receive(Time::ORIGIN, b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n");
    let output = server.output();
    assert_eq!(output.lines().count(), sent + 1);
    assert!(server.connection.wants_input());
}

#[test]
fn what_one_client_makes_us_hold_is_bounded() {
    let limits = Limits::default().with_total_bytes(250);
    let mut server = Server::new(config().with_limits(limits));
    server.feed(
        b"{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\"}}\n",
    );
    let wait = |id: u8| {
        format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"tools/call\",\"params\":{{\"name\":\"wait\",\"arguments\":{{\"padding\":\"{}\"}}}}}}\n",
            "x".repeat(20)
        )
    };
    assert_eq!(server.feed(wait(1).as_bytes()), "");
    assert_eq!(server.feed(wait(2).as_bytes()), "");
    assert!(server.feed(wait(3).as_bytes()).contains("too many bytes in progress"));
    let token = server.waiting.remove(0);
    server.connection.respond(token, Ok(ResultBody::EMPTY));
    server.output();
    assert_eq!(server.feed(wait(3).as_bytes()), "", "there is room again");
}

#[test]
fn notifications_of_a_request_end_with_it() {
    let mut server = Server::new(config());
    server.feed(
        b"{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\"}}\n",
    );
    server.feed(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"wait\"}}\n");
    let token = server.waiting.remove(0);
    server
        .connection
        .send_for(&token, b"{\"progress\":1}".to_vec())
        .unwrap();
    assert_eq!(server.output(), "{\"progress\":1}\n");
    server.feed(b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":1,\"reason\":\"tired\"}}\n");
    assert_eq!(server.events, ["cancelled Some(\"tired\")"]);
    server
        .connection
        .send_for(&token, b"{\"progress\":2}".to_vec())
        .unwrap();
    server.connection.respond(token, Ok(ResultBody::EMPTY));
    assert_eq!(server.output(), "");
}

#[test]
fn an_oversized_answer_fails_its_call() {
    let limits = Limits::default().with_line_bytes(200);
    let mut server = Server::new(config().with_limits(limits));
    server.feed(
        b"{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\"}}\n",
    );
    let call = server
        .connection
        .call(Method::Ping, Params::NONE, CallOptions::default())
        .unwrap();
    server.output();
    let answer = format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{{\"x\":\"{}\"}}}}\n",
        "x".repeat(300)
    );
    assert_eq!(server.feed(answer.as_bytes()), "");
    assert!(
        server.events[0].starts_with(&format!("{call:?} Err(InvalidReply")),
        "{:?}",
        server.events
    );
}

#[test]
fn a_call_times_out_and_is_cancelled() {
    let mut server = Server::new(config());
    server.feed(
        b"{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\"}}\n",
    );
    let options = CallOptions::new().with_timeout(Duration::from_secs(1));
    server.connection.call(Method::Ping, Params::NONE, options).unwrap();
    assert_eq!(server.output(), "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n");
    let deadline = Time::ORIGIN + Duration::from_secs(1);
    assert_eq!(server.connection.poll_timeout(), Some(deadline));
    server.connection.handle_timeout(deadline);
    assert!(server.output().contains("notifications/cancelled"));
    server.run();
    assert!(server.events[0].contains("Timeout"), "{:?}", server.events);
}
