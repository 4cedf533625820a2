//! Who waits for whom: sending, closing, slow and dead peers, runtimes and threads.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;

use mcp_proto::client::{ClientEvent, HttpClient, Mode, StreamClient};
use mcp_proto::handle::Crossing;
use mcp_proto::handle::{self, Server};
use mcp_proto::jsonrpc::Params;
use mcp_proto::method::Method;
use mcp_proto::rpc::{CallError, CallOptions, CloseReason};
use mcp_proto::server::{LegacySession, ResultBody, StreamServer};
use mcp_proto::{Limits, Time};
use mcp_tests::world::Echo;
use serde_json::json;

use crate::{INITIALIZE, NOW, call, config, hear, requests, said, server_with, tell, written};

/// rust-sdk#1261: a handler that sends before anything drains waits for ever. Here sending only queues, up to a
/// bound that hands the message back.
#[test]
fn sending_waits_for_no_write() {
    let mut server = server_with(Limits::default().with_outbox_bytes(1000));
    tell(&mut server, INITIALIZE);
    tell(
        &mut server,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"}}"#,
    );
    let request = requests(&mut server).remove(0);
    let queued = (0..1000)
        .take_while(|_| server.send_for(&request.token, b"{\"x\":1}".to_vec()).is_ok())
        .count();
    assert!((10..200).contains(&queued), "{queued}");
    assert!(
        !server.wants_input(),
        "nothing is read from a client that does not read"
    );
    server.respond(request.token, Ok(ResultBody::EMPTY));
    assert!(
        said(&mut server).ends_with("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n"),
        "an answer is always taken"
    );
    assert!(server.wants_input());
}

/// go-sdk#1150, #1183: closing that waits for the peer, for seconds or for ever.
#[test]
fn closing_waits_for_nobody() {
    let mut client = StreamClient::new(config(Mode::Modern));
    let params = Params::from_serialize(&json!({"name": "x", "arguments": {}})).expect("an object");
    let call = client.client().call(Method::CallTool, params, CallOptions::default());
    let call = call.expect("room");
    assert!(written(&mut client).contains("tools/call"));
    client.client().close(CloseReason::Local);
    let events: Vec<_> = std::iter::from_fn(|| client.poll_event()).collect();
    let error = CallError::Closed(CloseReason::Local);
    let told = |event: &ClientEvent| matches!(event, ClientEvent::Reply { call: of, outcome: Err(why) } if *of == call && *why == error);
    assert!(
        events.iter().any(told),
        "the peer has said nothing, and need not: {events:?}"
    );
    assert!(matches!(events.last(), Some(ClientEvent::Closed(CloseReason::Local))));
    assert_eq!(client.poll_timeout(), None, "nothing is waited for");
}

/// python-sdk#79, #922: ends that have to come in a certain order, from a certain task.
#[test]
fn either_side_closes_first_and_more_than_once() {
    for order in ["client", "server", "both", "twice", "eof first"] {
        let mut client = StreamClient::new(config(Mode::Modern));
        let mut server = server_with(Limits::default());
        let params = Params::from_serialize(&json!({"name": "x", "arguments": {}})).expect("an object");
        client
            .client()
            .call(Method::CallTool, params, CallOptions::default())
            .expect("room");
        server.receive(NOW, written(&mut client).as_bytes());
        let request = requests(&mut server).remove(0);
        if order != "server" {
            client.client().close(CloseReason::Local);
        }
        if order == "twice" {
            client.client().close(CloseReason::Local);
            client.receive_eof(NOW);
        }
        if order == "eof first" {
            client.receive_eof(NOW);
        }
        if matches!(order, "server" | "both" | "twice") {
            server.close();
            server.close();
        }
        server.receive_eof(NOW);
        server.respond(request.token, Ok(ResultBody::EMPTY));
        client.receive(NOW, said(&mut server).as_bytes());
        client.receive_eof(NOW);
        let events: Vec<_> = std::iter::from_fn(|| client.poll_event()).collect();
        let ends = events
            .iter()
            .filter(|event| matches!(event, ClientEvent::Closed(_)))
            .count();
        let replies = events
            .iter()
            .filter(|event| matches!(event, ClientEvent::Reply { .. }))
            .count();
        assert_eq!((replies, ends), (1, 1), "{order}: {events:?}");
        while server.poll_event().is_some() {}
        assert!(server.is_finished(), "{order}");
    }
}

/// go-sdk#304, opencode#31923: what a slow reader has not taken grows until memory is used up.
#[test]
fn a_reader_that_does_not_read_is_waited_for() {
    let limits = Limits::default().with_total_bytes(10_000).with_notifications(1 << 20);
    let mut client = StreamClient::new(config(Mode::Modern).with_limits(limits));
    let text = "x".repeat(500);
    let line = format!(r#"{{"jsonrpc":"2.0","method":"notifications/x","params":{{"text":"{text}"}}}}"#);
    let mut taken = 0;
    while client.wants_input() {
        hear(&mut client, &line);
        taken += 1;
        assert!(taken < 100, "it is read without end");
    }
    assert!(client.kept().bytes < 10_000 + 2 * line.len(), "{:?}", client.kept());
    let events = std::iter::from_fn(|| client.poll_event()).count();
    assert_eq!(events, taken, "nothing is lost");
    assert!(client.wants_input() && client.kept().is_empty());
}

/// rust-sdk#290, #379, Codewhale#2352: nothing goes without the one runtime, and a second one is a panic.
#[test]
fn no_runtime_is_needed() {
    let server = Server::builder("s", "1")
        .tool("echo", "Gives the text back", |args: Echo| async move { Ok(args.text) })
        .build();
    let (client, pump) = handle::Client::over_stream(config(Mode::Auto));
    let mut driver = Crossing::new(pump, server.pump());
    let cx = &mut Context::from_waker(Waker::noop());
    let mut call = pin!(client.call_tool("echo", json!({"text": "hello"})));
    for _ in 0..10 {
        if let Poll::Ready(result) = call.as_mut().poll(cx) {
            assert_eq!(result.expect("a result").content[0].as_text(), Some("hello"));
            return;
        }
        let _ = driver.poll(cx, Time::ORIGIN, |_, _| Poll::Pending);
    }
    panic!("it needs more than being polled");
}

/// rust-sdk#16, #379: what binds to a thread, or demands that nothing does. Machines are plain data: they go wherever
/// their owner goes.
#[test]
fn a_machine_may_move_to_another_thread_and_end_there() {
    fn is_plain<T: Send + Sync + 'static>() {}
    is_plain::<StreamClient>();
    is_plain::<HttpClient>();
    is_plain::<StreamServer>();
    is_plain::<LegacySession>();
    let mut client = StreamClient::new(config(Mode::Modern));
    let pending = call(client.client());
    assert!(written(&mut client).contains("tools/call"));
    let moved = thread::spawn(move || {
        client.client().close(CloseReason::Local);
        std::iter::from_fn(|| client.poll_event()).collect::<Vec<_>>()
    });
    let events = moved.join().expect("no panic");
    let told = |event: &ClientEvent| matches!(event, ClientEvent::Reply { call, .. } if *call == pending);
    assert!(events.iter().any(told), "{events:?}");
}
