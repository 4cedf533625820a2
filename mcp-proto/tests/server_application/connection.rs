//! What an application says to one client or to all, and what it sees of a connection.

use super::support::{Client, server};

use std::sync::atomic::Ordering;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::Duration;

use mcp_proto::handle::server::{Context, NoArgs};
use mcp_proto::handle::{Pump, Server};
use mcp_proto::jsonrpc::Params;
use mcp_proto::method::Method;
use mcp_proto::rpc::{CallError, CloseReason, SendError};
use mcp_proto::{Revision, Time};
use serde_json::{Value, json};

#[test]
fn what_the_protocol_says_by_itself_is_not_sent_by_hand() {
    let reserved = [
        "notifications/progress",
        "notifications/message",
        "notifications/cancelled",
        "notifications/subscriptions/acknowledged",
        "notifications/initialized",
    ];
    let server = Server::builder("test", "1")
        .tool("say", "", move |_: NoArgs, context: Context| async move {
            for method in reserved {
                let said = context.notify(method, Params::NONE).await;
                assert!(
                    matches!(said, Err(SendError::Reserved { .. } | SendError::OutOfEra { .. })),
                    "{method}: {said:?}"
                );
            }
            for method in [Method::ProgressNotification, Method::LoggingMessageNotification] {
                let said = context.notify(method, Params::NONE).await;
                assert!(matches!(said, Err(SendError::Reserved { .. })), "{said:?}");
            }
            context.notify("com.example/news", Params::NONE).await.unwrap();
            Ok("said")
        })
        .build();
    for revision in Revision::ALL {
        let mut client = Client::new(&server, revision);
        let (before, answer) = client.ask(revision, "tools/call", json!({"name": "say", "arguments": {}}));
        assert_eq!(before, [json!({"jsonrpc": "2.0", "method": "com.example/news"})]);
        assert_eq!(answer["result"]["content"][0]["text"], "said");
    }
}

#[test]
fn everyone_is_not_told_what_concerns_one_request() {
    let server = server().build();
    for method in [
        Method::ProgressNotification,
        Method::CancelledNotification,
        Method::SubscriptionsAcknowledgedNotification,
    ] {
        let said = server.notify(method, Params::NONE);
        assert!(matches!(said, Err(SendError::Reserved { .. })), "{said:?}");
    }
}

/// A client that has not said that it is ready, with a request whose handler asks it something; and the word.
fn asks() -> (Client, Value) {
    let server = server()
        .tool("ask", "", |_: NoArgs, context: Context| async move {
            let asked = context.request_raw("com.example/ask", Params::NONE);
            match asked.await {
                Err(CallError::Timeout { after, .. }) => Ok(format!("{} s", after.as_secs())),
                other => Ok(format!("{other:?}")),
            }
        })
        .build();
    let mut client = Client::new(&server, Revision::V2026_07_28);
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}});
    client.send(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}));
    let params = json!({"name": "ask", "arguments": {}});
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    assert_eq!(client.send(&call), [Value::Null; 0]);
    let deadline = client.pump.deadline().unwrap();
    assert_eq!(deadline, Time::since_origin(Duration::from_secs(60)));
    (client, json!({"jsonrpc": "2.0", "method": "notifications/initialized"}))
}

#[test]
fn a_question_that_waits_for_the_handshake_has_a_deadline() {
    let (mut client, initialized) = asks();
    // Nobody can answer what has not been asked.
    assert_eq!(
        client.send(&json!({"jsonrpc": "2.0", "id": 1, "result": {}})),
        [Value::Null; 0]
    );
    client.pump.handle_timeout(Time::since_origin(Duration::from_secs(59)));
    assert_eq!(client.turn(), [Value::Null; 0]);
    client.pump.handle_timeout(Time::since_origin(Duration::from_secs(60)));
    let answers = client.turn();
    assert_eq!(answers.len(), 1, "what was not asked is not cancelled: {answers:?}");
    assert_eq!(answers[0]["result"]["content"][0]["text"], "60 s");
    assert_eq!(client.send(&initialized), [Value::Null; 0]);
    assert_eq!(client.pump.deadline(), None);
}

#[test]
fn the_wait_for_the_handshake_is_part_of_the_time_of_a_question() {
    let (mut client, initialized) = asks();
    client.pump.handle_timeout(Time::since_origin(Duration::from_secs(30)));
    let asked = client.send(&initialized);
    assert_eq!((asked.len(), &asked[0]["method"]), (1, &json!("com.example/ask")));
    client.pump.handle_timeout(Time::since_origin(Duration::from_secs(60)));
    let answers = client.turn();
    assert_eq!(answers[0]["params"]["requestId"], asked[0]["id"]);
    assert_eq!(answers[1]["result"]["content"][0]["text"], "60 s");
}

#[test]
fn a_connection_is_watched_told_and_closed_from_elsewhere() {
    let server = server().build();
    let mut first = Client::new(&server, Revision::V2025_11_25);
    let mut second = Client::new(&server, Revision::V2025_11_25);
    let connection = first.pump.handle().clone();
    let woken = first.driver.0.load(Ordering::Relaxed);
    connection
        .notify(Method::ToolListChangedNotification, Params::NONE)
        .unwrap();
    assert!(first.driver.0.load(Ordering::Relaxed) > woken, "the driver is woken");
    assert_eq!(first.turn()[0]["method"], "notifications/tools/list_changed");
    assert_eq!(second.turn(), [Value::Null; 0]);
    for method in [
        Method::ProgressNotification,
        Method::CallTool,
        Method::PromptListChangedNotification,
    ] {
        assert!(connection.notify(method, Params::NONE).is_err());
        assert_eq!(first.turn(), [Value::Null; 0]);
    }
    assert_eq!(connection.counters().unwrap().junk, 0);
    first.send(&json!("junk"));
    assert_eq!(connection.counters().unwrap().junk, 1);
    assert_eq!(connection.close_reason(), None);
    connection.close();
    assert_eq!(connection.close_reason(), Some(CloseReason::Local));
    first.turn();
    let mut cx = TaskContext::from_waker(Waker::noop());
    assert_eq!(first.pump.poll_transmit(&mut cx, Time::ORIGIN), Poll::Ready(None));
    drop(first);
    assert_eq!(
        (connection.counters(), connection.close_reason()),
        (None, Some(CloseReason::DriverDropped))
    );
    let said = connection.notify(Method::ToolListChangedNotification, Params::NONE);
    assert!(matches!(said, Err(SendError::Closed(_))));
    connection.close();
}
