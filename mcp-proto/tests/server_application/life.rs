//! The life of a request: questions to the client, cancellation, wakers, slow readers, ends.

use super::support::{Client, Driver, server, text};
use std::future::{pending, poll_fn};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context as TaskContext, Poll, Waker};

use mcp_proto::handle::server::{Context, NoArgs, ToolError};
use mcp_proto::handle::{Pump, Server};
use mcp_proto::jsonrpc::Params;
use mcp_proto::method::Method;
use mcp_proto::rpc::{CallError, CloseReason, SendError};
use mcp_proto::{Revision, Time};
use serde_json::{Value, json};

#[test]
fn a_handler_asks_the_client_in_the_legacy_era_alone() {
    let server = server().build();
    let revision = Revision::V2025_06_18;
    let mut client = Client::new(&server, revision);
    let asked = client.send(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "sample"}}));
    assert_eq!(
        asked,
        [json!({"jsonrpc": "2.0", "id": 1, "method": "sampling/createMessage"})]
    );
    let answer = client.send(&json!({"jsonrpc": "2.0", "id": 1, "result": {"x": 1}}));
    assert_eq!(text(&answer[0]), r#"{"x":1}"#);
    let mut client = Client::new(&server, Revision::V2026_07_28);
    let modern = client.call(Revision::V2026_07_28, "sample", json!({}));
    assert_eq!(modern["result"]["isError"], true);
    assert!(
        text(&modern).contains("not this side's to send in 2026-07-28"),
        "{modern}"
    );
}

#[test]
fn a_question_waits_for_the_handshake() {
    let server = server().build();
    let mut client = Client {
        pump: server.pump(),
        driver: Arc::default(),
        next: 0,
    };
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {"sampling": {}}});
    client.send(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}));
    let early = client.send(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "sample"}}));
    assert_eq!(early, [Value::Null; 0]);
    let asked = client.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    assert_eq!(asked[0]["method"], "sampling/createMessage");
}

#[test]
fn a_dropped_question_is_cancelled() {
    let server = Server::builder("test", "1")
        .tool("impatient", "", |_: NoArgs, context: Context| async move {
            let mut question = Box::pin(context.request_raw(Method::Ping, Params::NONE));
            poll_fn(|cx| {
                assert!(question.as_mut().poll(cx).is_pending());
                Poll::Ready(())
            })
            .await;
            Ok("enough")
        })
        .build();
    let mut client = Client::new(&server, Revision::V2025_11_25);
    let (before, answer) = client.ask(Revision::V2025_11_25, "tools/call", json!({"name": "impatient"}));
    assert_eq!(before[0]["method"], "ping");
    assert_eq!(before[1]["method"], "notifications/cancelled");
    assert_eq!(before[1]["params"]["requestId"], before[0]["id"]);
    assert_eq!(text(&answer), "enough");
}

/// lessons 7
#[test]
fn a_cancelled_handler_is_dropped_and_its_clones_know() {
    struct OnDrop(mpsc::Sender<&'static str>);
    impl Drop for OnDrop {
        fn drop(&mut self) {
            self.0.send("dropped").unwrap();
        }
    }
    let (events, dropped) = mpsc::channel();
    let kept = Arc::new(Mutex::new(None));
    let keep = kept.clone();
    let server = Server::builder("test", "1")
        .tool("wait", "", move |_: NoArgs, context: Context| {
            *keep.lock().unwrap() = Some(context);
            let guard = OnDrop(events.clone());
            async move {
                pending::<()>().await;
                drop(guard);
                Ok(())
            }
        })
        .build();
    let mut client = Client::new(&server, Revision::V2025_11_25);
    let wait = json!({"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": {"name": "wait", "_meta": {"progressToken": 1}}});
    assert_eq!(client.send(&wait), [Value::Null; 0]);
    let context: Context = kept.lock().unwrap().take().unwrap();
    assert!(!context.is_cancelled());
    let watcher: Arc<Driver> = Arc::default();
    let waker = Waker::from(watcher.clone());
    let mut cancelled = Box::pin(context.cancelled());
    assert!(
        cancelled
            .as_mut()
            .poll(&mut TaskContext::from_waker(&waker))
            .is_pending()
    );
    assert!(dropped.try_recv().is_err());
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 5}});
    assert_eq!(client.send(&cancel), [Value::Null; 0]);
    assert_eq!(dropped.try_recv(), Ok("dropped"));
    assert!(context.is_cancelled());
    assert_eq!(watcher.0.load(Ordering::SeqCst), 1);
    assert!(cancelled.as_mut().poll(&mut TaskContext::from_waker(&waker)).is_ready());
    // What it says now is dropped, also when the id and the seat are in use again.
    assert_eq!(client.send(&wait), [Value::Null; 0]);
    let mut late = Box::pin(context.progress(1.0, None, None));
    assert!(late.as_mut().poll(&mut TaskContext::from_waker(&waker)).is_ready());
    assert_eq!(client.turn(), [Value::Null; 0]);
    drop(client);
    assert_eq!(dropped.try_recv(), Ok("dropped"), "with the pump");
}

#[test]
fn those_who_wait_for_a_cancellation_no_more_leave_nothing_behind() {
    let kept = Arc::new(Mutex::new(None));
    let keep = kept.clone();
    let server = Server::builder("test", "1")
        .tool("wait", "", move |_: NoArgs, context: Context| {
            *keep.lock().unwrap() = Some(context);
            pending::<Result<(), ToolError>>()
        })
        .build();
    let mut client = Client::new(&server, Revision::V2025_11_25);
    let wait = json!({"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": {"name": "wait"}});
    assert_eq!(client.send(&wait), [Value::Null; 0]);
    let context: Context = kept.lock().unwrap().take().unwrap();
    let tasks: Vec<Arc<Driver>> = std::iter::repeat_with(Arc::default).take(100).collect();
    let wait = |task: &Arc<Driver>| {
        let waker = Waker::from(task.clone());
        let mut cancelled = Box::pin(context.cancelled());
        let cx = &mut TaskContext::from_waker(&waker);
        assert!(cancelled.as_mut().poll(cx).is_pending());
        cancelled
    };
    let waits: Vec<_> = tasks.iter().map(wait).collect();
    assert!(tasks.iter().all(|task| Arc::strong_count(task) > 1));
    drop(waits);
    assert!(tasks.iter().all(|task| Arc::strong_count(task) == 1));
    let _waits: Vec<_> = tasks.iter().map(wait).collect();
    drop(client);
    assert!(tasks.iter().all(|task| task.0.load(Ordering::SeqCst) == 1));
}

/// Panics when it is dropped.
struct Fragile;

impl Drop for Fragile {
    fn drop(&mut self) {
        if std::hint::black_box(true) {
            panic!("a handler panics in its end, as it should here");
        }
    }
}

/// Whenever it does so: before its future is there, in its first poll, in a later one, in its end, or cancelled.
#[test]
fn a_handler_that_panics_answers_its_own_request_alone() {
    let broken = || {
        if std::hint::black_box(true) {
            panic!("a handler panics, as it should here");
        }
    };
    let server = Server::builder("test", "1")
        .tool("before", "Panics before there is a future", move || {
            broken();
            async { Ok("never") }
        })
        .tool("at once", "", move || async move {
            broken();
            Ok("never")
        })
        .tool("later", "", move || {
            let mut turns = 0;
            poll_fn(move |cx: &mut TaskContext<'_>| {
                turns += 1;
                match turns {
                    1 => cx.waker().wake_by_ref(),
                    _ => broken(),
                }
                Poll::<Result<&str, ToolError>>::Pending
            })
        })
        .tool("at its end", "Answers, and panics when it is dropped", || async {
            let _fragile = Fragile;
            Ok("done")
        })
        .tool("given up", "Panics when it is dropped", || async {
            let _fragile = Fragile;
            pending::<()>().await;
            Ok("never")
        })
        .tool("quick", "", || async { Ok("quick") })
        .build();
    for revision in [Revision::V2025_11_25, Revision::V2026_07_28] {
        let mut client = Client::new(&server, revision);
        for tool in ["before", "at once", "later", "at its end"] {
            let answer = client.call(revision, tool, json!({}));
            assert_eq!(answer["error"]["code"], -32603, "{tool}: {answer}");
            assert!(!answer.to_string().contains("as it should here"), "{answer}");
            assert_eq!(
                text(&client.call(revision, "quick", json!({}))),
                "quick",
                "after {tool}"
            );
        }
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": revision.as_str(),
            "io.modelcontextprotocol/clientCapabilities": {}
        });
        let params = match revision.is_stateless() {
            true => json!({"name": "given up", "_meta": meta}),
            false => json!({"name": "given up"}),
        };
        client.send(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}));
        client.send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}));
        assert_eq!(text(&client.call(revision, "quick", json!({}))), "quick");
    }
}

#[test]
fn handlers_wake_their_driver_and_run_beside_each_other() {
    let gate = Arc::new(Mutex::new((false, None::<Waker>)));
    let opened = gate.clone();
    let server = Server::builder("test", "1")
        .tool("gate", "", move || {
            let gate = opened.clone();
            poll_fn(move |cx| {
                let mut gate = gate.lock().unwrap();
                gate.1 = Some(cx.waker().clone());
                if gate.0 { Poll::Ready(Ok("open")) } else { Poll::Pending }
            })
        })
        .tool("quick", "", || async { Ok("quick") })
        .build();
    let revision = Revision::V2026_07_28;
    let mut client = Client::new(&server, revision);
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}});
    assert_eq!(
        client.send(
            &json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "gate", "_meta": meta}})
        ),
        [Value::Null; 0]
    );
    assert_eq!(text(&client.call(revision, "quick", json!({}))), "quick");
    let woken = client.driver.0.load(Ordering::SeqCst);
    let waker = {
        let mut gate = gate.lock().unwrap();
        gate.0 = true;
        gate.1.take().unwrap()
    };
    std::thread::spawn(move || waker.wake()).join().unwrap();
    assert_eq!(client.driver.0.load(Ordering::SeqCst), woken + 1);
    assert_eq!(text(&client.turn()[0]), "open");
}

#[test]
fn a_handler_that_is_always_ready_does_not_hold_the_driver() {
    let server = Server::builder("test", "1")
        .tool("busy", "", || {
            poll_fn(|cx: &mut TaskContext<'_>| {
                cx.waker().wake_by_ref();
                Poll::<Result<(), ToolError>>::Pending
            })
        })
        .build();
    let mut client = Client::new(&server, Revision::V2025_11_25);
    let before = client.driver.0.load(Ordering::SeqCst);
    client.send(&json!({"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": {"name": "busy"}}));
    assert_eq!(
        client.driver.0.load(Ordering::SeqCst),
        before + 1,
        "it asks for another turn"
    );
    let answer = client.ask(Revision::V2025_11_25, "ping", json!({})).1;
    assert_eq!(answer["result"], json!({}));
}

#[test]
fn everyone_hears_what_concerns_everyone() {
    let server = server().build();
    let mut first = Client::new(&server, Revision::V2025_11_25);
    let mut second = Client::new(&server, Revision::V2024_11_05);
    let mut modern = Client::new(&server, Revision::V2026_07_28);
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}});
    let listen = json!({"notifications": {"toolsListChanged": true}, "_meta": meta});
    modern.send(&json!({"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": listen}));
    let (before, _) = first.ask(Revision::V2025_11_25, "tools/call", json!({"name": "change"}));
    assert_eq!(before[0]["method"], "notifications/tools/list_changed");
    assert_eq!(second.turn()[0]["method"], "notifications/tools/list_changed");
    let heard = modern.turn();
    assert_eq!(heard[0]["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], 1);
    assert!(matches!(
        server.notify(Method::PromptListChangedNotification, Params::NONE),
        Err(SendError::NotSupported { .. })
    ));
    assert!(matches!(
        server.notify(Method::CallTool, Params::NONE),
        Err(SendError::OutOfEra { .. })
    ));
}

#[test]
fn a_slow_reader_makes_handlers_wait_and_announcements_come_once() {
    let limits = mcp_proto::Limits::default().with_outbox_bytes(500);
    let server = server()
        .limits(limits)
        .tool("flood", "", |_: NoArgs, context: Context| async move {
            for step in 0..100 {
                context
                    .progress(f64::from(step), None, "a message of some length")
                    .await;
            }
            Ok("flooded")
        })
        .build();
    let mut client = Client::new(&server, Revision::V2025_11_25);
    let params = json!({"name": "flood", "_meta": {"progressToken": 1}});
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    client.pump.receive(Time::ORIGIN, format!("{call}\n").into());
    let waker = Waker::from(client.driver.clone());
    let mut cx = TaskContext::from_waker(&waker);
    client.pump.poll_work(&mut cx, Time::ORIGIN);
    assert!(
        client.pump.poll_wants_input(&mut cx).is_pending(),
        "the reader has to read first"
    );
    for _ in 0..3 {
        server
            .notify(Method::ToolListChangedNotification, Params::NONE)
            .unwrap();
    }
    let Poll::Ready(Some(piece)) = client.pump.poll_transmit(&mut cx, Time::ORIGIN) else {
        panic!()
    };
    assert!(piece.len() < 800);
    let mut messages = Vec::new();
    for _ in 0..100 {
        messages.extend(client.turn());
    }
    assert_eq!(messages.last().map(|last: &Value| &last["id"]), Some(&json!(1)));
    let changed = messages
        .iter()
        .filter(|message| message["method"] == "notifications/tools/list_changed");
    assert_eq!(changed.count(), 1);
    let progress = messages
        .iter()
        .filter(|message| message["method"] == "notifications/progress");
    let before = piece
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .count();
    assert_eq!(progress.count() + before, 100);
}

#[test]
fn a_dropped_pump_ends_what_was_handed_elsewhere() {
    let kept = Arc::new(Mutex::new(None));
    let keep = kept.clone();
    let server = Server::builder("test", "1")
        .tool("keep", "", move |_: NoArgs, context: Context| {
            *keep.lock().unwrap() = Some(context);
            pending::<Result<(), ToolError>>()
        })
        .build();
    let mut client = Client::new(&server, Revision::V2025_11_25);
    client.send(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "keep"}}));
    let context: Context = kept.lock().unwrap().take().unwrap();
    let waker = Waker::noop();
    let mut question = Box::pin(context.request_raw(Method::Ping, Params::NONE));
    assert!(question.as_mut().poll(&mut TaskContext::from_waker(waker)).is_pending());
    drop(client);
    let Poll::Ready(Err(error)) = question.as_mut().poll(&mut TaskContext::from_waker(waker)) else {
        panic!()
    };
    assert_eq!(error, CallError::Closed(CloseReason::DriverDropped));
    assert!(context.is_cancelled());
}

#[test]
fn an_end_of_input_lets_handlers_finish() {
    let server = server().build();
    let mut client = Client::new(&server, Revision::V2025_11_25);
    client.pump.receive(
        Time::ORIGIN,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"nothing\"}}".into(),
    );
    client.pump.receive_eof(Time::ORIGIN);
    let messages = client.turn();
    assert_eq!(text(&messages[0]), "done");
    let mut cx = TaskContext::from_waker(Waker::noop());
    assert_eq!(client.pump.poll_transmit(&mut cx, Time::ORIGIN), Poll::Ready(None));
    assert_eq!(client.pump.poll_wants_input(&mut cx), Poll::Ready(false));
}

#[test]
fn a_crowd_in_one_piece_is_answered_in_turns_and_to_the_last() {
    const CROWD: u64 = 500;
    let server = server().build();
    let mut client = Client::new(&server, Revision::V2025_11_25);
    let call = |id| json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": "nothing"}});
    let piece: String = (1..=CROWD).map(|id| format!("{}\n", call(id))).collect();
    client.pump.receive(Time::ORIGIN, piece.into());
    client.pump.receive_eof(Time::ORIGIN);
    let (mut answered, mut turns) = (Vec::new(), 0);
    while answered.len() < CROWD as usize {
        let woken = client.driver.0.load(Ordering::SeqCst);
        let answers = client.turn();
        assert!(
            (1..=64).contains(&answers.len()),
            "{} answers in one turn",
            answers.len()
        );
        answered.extend(answers.iter().map(|answer| answer["id"].as_u64().unwrap()));
        let is_woken = client.driver.0.load(Ordering::SeqCst) > woken;
        assert!(is_woken || answered.len() == CROWD as usize, "it asks for another turn");
        turns += 1;
    }
    assert!(answered.iter().copied().eq(1..=CROWD), "in order");
    assert!(turns > 7, "{turns}");
    let mut cx = TaskContext::from_waker(Waker::noop());
    client.pump.poll_work(&mut cx, Time::ORIGIN);
    assert_eq!(client.pump.poll_transmit(&mut cx, Time::ORIGIN), Poll::Ready(None));
}

#[test]
fn cancelled_requests_do_not_use_up_what_a_client_may_make_us_hold() {
    let limits = mcp_proto::Limits::default().with_total_bytes(150);
    let server = Server::builder("test", "1")
        .limits(limits)
        .tool("wait", "", pending::<Result<(), ToolError>>)
        .build();
    let mut client = Client::new(&server, Revision::V2025_11_25);
    for id in 1..10 {
        let wait = json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": "wait"}});
        assert_eq!(client.send(&wait), [Value::Null; 0], "request {id}");
        let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}});
        assert_eq!(client.send(&cancel), [Value::Null; 0]);
    }
}
