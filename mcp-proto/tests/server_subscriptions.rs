//! What the subscriptions of a client cost a server, and how they end.
#![expect(clippy::unwrap_used, reason = "tests")]

use mcp_proto::jsonrpc::{ErrorObject, Params};
use mcp_proto::method::Method;
use mcp_proto::model::Implementation;
use mcp_proto::server::{ResultBody, ServerConfig, ServerEvent, StreamServer};
use mcp_proto::{Limits, Time};
use serde_json::{Value, json};

struct Server(StreamServer);

impl Server {
    fn new(limits: Limits) -> Self {
        let capabilities = json!({"tools": {"listChanged": true}, "resources": {"subscribe": true}, "logging": {}});
        let config = ServerConfig::new(Implementation::new("s", "1"))
            .with_capabilities(serde_json::from_value(capabilities).unwrap())
            .with_limits(limits);
        Self(StreamServer::new(config))
    }

    fn send(&mut self, message: &Value) -> Vec<Value> {
        self.0.receive(Time::ORIGIN, format!("{message}\n").as_bytes());
        self.output()
    }

    fn output(&mut self) -> Vec<Value> {
        let mut text = Vec::new();
        while let Some(bytes) = self.0.poll_transmit(Time::ORIGIN) {
            text.extend_from_slice(&bytes);
        }
        let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
    }

    fn listen(&mut self, id: u64, uris: impl IntoIterator<Item = String>) -> Value {
        let uris: Vec<_> = uris.into_iter().collect();
        let params = json!({
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": {}
            },
            "notifications": {"resourceSubscriptions": uris}
        });
        let message = json!({"jsonrpc": "2.0", "id": id, "method": "subscriptions/listen", "params": params});
        let mut answers = self.send(&message);
        assert_eq!(answers.len(), 1);
        answers.remove(0)
    }

    fn cancel(&mut self, id: u64) {
        let message = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}});
        assert_eq!(self.send(&message), [] as [Value; 0]);
    }

    fn updated(&mut self, uri: &str) -> usize {
        let params = Params::from_serialize(&json!({ "uri": uri })).unwrap();
        self.0.notify(Method::ResourceUpdatedNotification, params).unwrap();
        self.output().len()
    }
}

fn is_acknowledged(answer: &Value) -> bool {
    answer["method"] == "notifications/subscriptions/acknowledged"
}

fn uris(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|number| format!("file:///{number:0>92}"))
}

#[test]
fn the_bytes_of_subscriptions_are_bounded_and_given_back() {
    let mut server = Server::new(Limits::default().with_total_bytes(10_000));
    // 20 URIs of 100 bytes, and what keeps them: between 2,000 and 3,000 bytes.
    let opened = (0..200)
        .filter(|id| is_acknowledged(&server.listen(*id, uris(20))))
        .count();
    assert!((3..=4).contains(&opened), "{opened}");
    let refused = server.listen(300, uris(20));
    assert_eq!(
        (&refused["id"], &refused["error"]["code"]),
        (&json!(300), &json!(-32603))
    );
    assert!(server.0.wants_input());
    server.cancel(0);
    assert!(is_acknowledged(&server.listen(301, uris(20))));
    assert!(!is_acknowledged(&server.listen(302, uris(20))));
    // The id of one that was refused is free again.
    server.cancel(1);
    assert!(is_acknowledged(&server.listen(302, uris(20))));
}

#[test]
fn subscriptions_without_uris_count_too() {
    let mut server = Server::new(Limits::default().with_total_bytes(10_000));
    let opened = (0..200).filter(|id| is_acknowledged(&server.listen(*id, []))).count();
    assert!((1..150).contains(&opened), "{opened}");
}

#[test]
fn a_subscription_names_only_so_many_resources() {
    let mut server = Server::new(Limits::default().with_subscription_uris(3));
    assert_eq!(server.listen(1, uris(4))["error"]["code"], -32602);
    // What is named twice counts once.
    assert!(is_acknowledged(&server.listen(1, uris(3).chain(uris(3)))));
    let first = uris(1).next().unwrap();
    assert_eq!((server.updated(&first), server.updated("file:///other")), (1, 0));
}

#[test]
fn a_server_that_ends_a_subscription_says_so_twice() {
    let mut server = Server::new(Limits::default());
    server.listen(7, []);
    server.0.close();
    let end = server.output();
    assert_eq!(
        end[0],
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}})
    );
    assert_eq!(
        (&end[1]["id"], &end[1]["result"]["resultType"]),
        (&json!(7), &json!("complete"))
    );
    assert_eq!(end.len(), 2);
}

/// The end of input is the client's way to end the connection (2026-07-28, stdio, Shutdown): the server tears nothing down,
/// and what is left to be said is that it has ended well (Subscriptions, Graceful Closure).
#[test]
fn at_the_end_of_input_a_subscription_has_its_result_alone() {
    let mut server = Server::new(Limits::default());
    server.listen(7, []);
    server.listen(8, []);
    server.0.receive_eof(Time::ORIGIN);
    let end = server.output();
    let said: Vec<_> = end
        .iter()
        .map(|message| (&message["id"], &message["result"]["resultType"]))
        .collect();
    let (seven, eight, complete) = (json!(7), json!(8), json!("complete"));
    assert_eq!(said, [(&seven, &complete), (&eight, &complete)]);
    server.0.close();
    assert_eq!(server.output(), [] as [Value; 0], "once");
}

#[test]
fn one_that_its_client_has_ended_is_not_mentioned_again() {
    let mut server = Server::new(Limits::default());
    server.listen(7, []);
    server.cancel(7);
    server.0.close();
    assert_eq!(server.output(), [] as [Value; 0]);
}

#[test]
fn events_are_bounded_in_bytes() {
    let mut server = Server::new(Limits::default().with_total_bytes(10_000));
    let params = json!({"protocolVersion": "2025-11-25"});
    server.send(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}));
    server.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    while server.0.poll_event().is_some() {}
    let note = json!({"jsonrpc": "2.0", "method": "notifications/news", "params": {"text": "x".repeat(3_000)}});
    for _ in 0..3 {
        server.send(&note);
        assert!(server.0.wants_input());
    }
    server.send(&note);
    assert!(!server.0.wants_input());
    assert!(server.0.poll_event().is_some());
    assert!(server.0.wants_input());
}

fn legacy(limits: Limits) -> Server {
    let mut server = Server::new(limits);
    let params = json!({"protocolVersion": "2025-11-25"});
    server.send(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}));
    server.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    server.requests();
    server
}

impl Server {
    fn requests(&mut self) -> Vec<mcp_proto::server::ClientRequest> {
        let mut requests = Vec::new();
        while let Some(event) = self.0.poll_event() {
            if let ServerEvent::Request(request) = event {
                requests.push(request);
            }
        }
        requests
    }

    /// Makes a legacy request, which the application answers with an error where it is not `good`.
    fn ask(&mut self, method: &str, uri: &str, good: bool) -> Value {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": {"uri": uri}});
        let mut answers = self.send(&request);
        for request in self.requests() {
            let outcome = match good {
                true => Ok(ResultBody::EMPTY),
                false => Err(ErrorObject::internal("no")),
            };
            self.0.respond(request.token, outcome);
        }
        answers.append(&mut self.output());
        assert_eq!(answers.len(), 1);
        answers.remove(0)
    }
}

#[test]
fn a_legacy_session_hears_of_what_it_has_subscribed_to() {
    let mut server = legacy(Limits::default());
    assert_eq!(server.updated("a"), 0);
    server.ask("resources/subscribe", "a", true);
    assert_eq!((server.updated("a"), server.updated("b")), (1, 0));
    server.ask("resources/subscribe", "b", false);
    assert_eq!(server.updated("b"), 0, "it was refused");
    server.ask("resources/subscribe", "a", false);
    assert_eq!(server.updated("a"), 1, "it was subscribed to before");
    server.ask("resources/unsubscribe", "a", true);
    assert_eq!(server.updated("a"), 0);
}

#[test]
fn the_subscriptions_of_a_legacy_session_are_bounded() {
    let mut server = legacy(Limits::default().with_subscription_uris(2).with_total_bytes(2_000));
    let subscribe = |server: &mut Server, uri: &str| server.ask("resources/subscribe", uri, true);
    let long = "x".repeat(900);
    assert_eq!(subscribe(&mut server, "a")["result"], json!({}));
    assert_eq!(subscribe(&mut server, &long)["result"], json!({}));
    assert_eq!(subscribe(&mut server, "a")["result"], json!({}), "it is there");
    assert_eq!(subscribe(&mut server, "c")["error"]["code"], -32603, "too many");
    server.ask("resources/unsubscribe", "a", true);
    let other = "y".repeat(900);
    assert_eq!(subscribe(&mut server, &other)["error"]["code"], -32603, "too long");
    assert_eq!(server.updated(&other), 0);
    assert_eq!(subscribe(&mut server, "c")["result"], json!({}));
}

#[test]
fn log_messages_obey_the_level_of_a_legacy_session() {
    let mut server = legacy(Limits::default());
    let log = |server: &mut Server, level: &str| {
        let params = Params::from_serialize(&json!({"level": level, "data": 1})).unwrap();
        server.0.notify(Method::LoggingMessageNotification, params).unwrap();
        server.output().len()
    };
    // Before the client has set one it is `info`.
    assert_eq!((log(&mut server, "debug"), log(&mut server, "info")), (0, 1));
    let params = json!({"level": "error"});
    server.send(&json!({"jsonrpc": "2.0", "id": 1, "method": "logging/setLevel", "params": params}));
    assert_eq!((log(&mut server, "warning"), log(&mut server, "alert")), (0, 1));
    assert_eq!(log(&mut server, "loud"), 0);
    // 2026-07-28: not outside of a request.
    let mut modern = Server::new(Limits::default());
    modern.listen(1, []);
    assert_eq!(log(&mut modern, "alert"), 0);
}
