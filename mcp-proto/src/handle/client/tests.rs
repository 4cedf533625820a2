//! The handles against a scripted server, polled by hand: no runtime anywhere.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::{Future, IntoFuture};
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use serde_json::{Value, json};

use super::{Client, ClientPump};
use crate::client::{ClientConfig, Mode};
use crate::handle::Pump;
use crate::handle::count::Count;
use crate::rpc::{CallError, CloseReason, Phase};
use crate::{Limits, Revision, Time, Timeouts};

mod answering;
mod blocked;
mod bounds;
mod full;
#[cfg(feature = "http")]
mod logs;
mod pages;

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// What the pump wants to write now.
fn written(pump: &ClientPump) -> Vec<Value> {
    let mut out = Vec::new();
    let cx = &mut Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(bytes)) = pump.poll_transmit(cx, Time::ORIGIN) {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        out.extend(text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
    }
    out
}

fn answer(pump: &ClientPump, message: &Value) {
    pump.receive(Time::ORIGIN, format!("{message}\n").into());
}

/// A client that knows its server to be modern.
fn modern() -> (Client, ClientPump) {
    Client::over_stream(ClientConfig::named("test", "1").with_mode(Mode::Modern))
}

/// A client with room for one message at a time.
fn crowded(mode: Mode) -> (Client, ClientPump) {
    let limits = Limits {
        outbox_bytes: 64,
        ..Limits::default()
    };
    Client::over_stream(ClientConfig::named("test", "1").with_mode(mode).with_limits(limits))
}

fn at(seconds: u64) -> Time {
    Time::ORIGIN + Duration::from_secs(seconds)
}

#[test]
fn a_call_is_sent_at_the_first_poll_and_resolves_once() {
    let (client, pump) = modern();
    let mut call = pin!(client.call_tool("echo", json!({"text": "hi"})));
    assert!(written(&pump).is_empty());
    assert!(poll(call.as_mut()).is_pending());
    let sent = written(&pump);
    assert_eq!(sent[0]["params"]["name"], "echo");
    assert_eq!(
        sent[0]["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"],
        "2026-07-28"
    );
    answer(
        &pump,
        &json!({"jsonrpc": "2.0", "id": sent[0]["id"], "result": {"resultType": "complete", "content": []}}),
    );
    let Poll::Ready(Ok(result)) = poll(call.as_mut()) else {
        panic!()
    };
    assert!(result.content.is_empty());
    assert!(
        matches!(poll(call.as_mut()), Poll::Ready(Err(CallError::Cancelled))),
        "a second poll does not panic"
    );
}

#[test]
fn a_verb_wakes_the_driver_and_a_reply_wakes_the_caller() {
    let (client, pump) = modern();
    let (driver, caller) = (Arc::new(Count::default()), Arc::new(Count::default()));
    let driver_waker = Waker::from(driver.clone());
    assert!(
        pump.poll_transmit(&mut Context::from_waker(&driver_waker), Time::ORIGIN)
            .is_pending()
    );
    let mut call = pin!(client.call_tool("echo", ()));
    let caller_waker = Waker::from(caller.clone());
    assert!(call.as_mut().poll(&mut Context::from_waker(&caller_waker)).is_pending());
    assert_eq!((driver.get(), caller.get()), (1, 0));
    let sent = written(&pump);
    answer(&pump, &json!({"jsonrpc": "2.0", "id": sent[0]["id"], "result": {}}));
    assert_eq!(caller.get(), 1);
}

#[test]
fn a_dropped_call_is_cancelled() {
    let (client, pump) = modern();
    let mut call = Box::pin(client.call_tool("slow", ()));
    assert!(poll(call.as_mut()).is_pending());
    let sent = written(&pump);
    drop(call);
    let told = written(&pump);
    assert_eq!(told[0]["method"], "notifications/cancelled");
    assert_eq!(told[0]["params"]["requestId"], sent[0]["id"]);
    answer(&pump, &json!({"jsonrpc": "2.0", "id": sent[0]["id"], "result": {}}));
    assert_eq!(client.counters().late_replies, 1);
}

#[test]
fn a_dropped_driver_resolves_every_call() {
    let (client, pump) = modern();
    let mut call = pin!(client.call_tool("x", ()));
    assert!(poll(call.as_mut()).is_pending());
    drop(pump);
    let closed = CallError::Closed(CloseReason::DriverDropped);
    assert_eq!(poll(call.as_mut()).map(Result::unwrap_err), Poll::Ready(closed.clone()));
    let mut late = pin!(client.call_tool("x", ()));
    assert_eq!(poll(late.as_mut()).map(Result::unwrap_err), Poll::Ready(closed));
}

#[test]
fn the_last_handle_closes_after_the_outbox_is_flushed() {
    let (client, pump) = modern();
    client
        .notify("notifications/custom", crate::jsonrpc::Params::NONE)
        .unwrap();
    drop(client);
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(matches!(pump.poll_transmit(cx, Time::ORIGIN), Poll::Ready(Some(_))));
    assert!(matches!(pump.poll_transmit(cx, Time::ORIGIN), Poll::Ready(None)));
    assert!(matches!(pump.poll_wants_input(cx), Poll::Ready(false)));
}

#[test]
fn the_handshake_is_a_part_of_the_first_await_and_fails_in_time() {
    let timeouts = Timeouts {
        initialize: Duration::from_secs(2),
        ..Timeouts::default()
    };
    let config = ClientConfig::named("test", "1")
        .with_mode(Mode::Legacy(Revision::LATEST_LEGACY))
        .with_timeouts(timeouts);
    let (client, pump) = Client::over_stream(config);
    let mut ready = pin!(client.ready());
    let mut call = pin!(client.call_tool("x", ()));
    assert!(poll(ready.as_mut()).is_pending() && poll(call.as_mut()).is_pending());
    let sent = written(&pump);
    assert_eq!(sent.len(), 1, "one initialize for both");
    let deadline = pump.deadline().unwrap();
    assert_eq!(deadline, Time::ORIGIN + Duration::from_secs(2));
    pump.handle_timeout(deadline);
    for error in [
        poll(ready.as_mut()).map(Result::unwrap_err),
        poll(call.as_mut()).map(Result::unwrap_err),
    ] {
        assert!(
            matches!(
                error,
                Poll::Ready(CallError::Timeout {
                    phase: Phase::Initialize,
                    ..
                })
            ),
            "{error:?}"
        );
    }
    // The client stays usable: the answer may still come, and the next call waits for it.
    let mut again = pin!(client.call_tool("x", ()));
    assert!(poll(again.as_mut()).is_pending());
    pump.handle_timeout(deadline);
    assert_eq!(pump.deadline(), Some(deadline + Duration::from_secs(2)));
    assert!(written(&pump).is_empty(), "a stream is initialized once");
    let facts = json!({"protocolVersion": "2025-11-25", "capabilities": {"tools": {}},
        "serverInfo": {"name": "slow", "version": "1"}});
    answer(&pump, &json!({"jsonrpc": "2.0", "id": sent[0]["id"], "result": facts}));
    let sent = written(&pump);
    assert_eq!(sent[0]["method"], "notifications/initialized");
    assert_eq!(sent[1]["method"], "tools/call");
}

#[test]
fn progress_comes_before_the_result_and_to_its_own_call() {
    let (client, pump) = modern();
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let sink = seen.clone();
    let mut with = pin!(
        client
            .call_tool("a", ())
            .on_progress(move |report| sink.lock().unwrap().push(report.progress))
    );
    let mut without = pin!(client.call_tool("b", ()));
    assert!(poll(with.as_mut()).is_pending() && poll(without.as_mut()).is_pending());
    let sent = written(&pump);
    assert_eq!(sent[0]["params"]["_meta"]["progressToken"], sent[0]["id"]);
    assert!(sent[1]["params"]["_meta"].get("progressToken").is_none());
    for (token, progress) in [(&sent[0]["id"], 1), (&sent[1]["id"], 7), (&sent[0]["id"], 2)] {
        let params = json!({"progressToken": token, "progress": progress});
        answer(
            &pump,
            &json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": params}),
        );
    }
    answer(&pump, &json!({"jsonrpc": "2.0", "id": sent[0]["id"], "result": {}}));
    assert!(poll(with.as_mut()).is_ready());
    assert_eq!(seen.lock().unwrap().as_slice(), [1.0, 2.0]);
    assert_eq!(client.counters().stray_progress, 1);
}

#[test]
fn a_full_outbox_makes_callers_wait_and_loses_nothing() {
    let (client, pump) = crowded(Mode::Modern);
    let mut calls: Vec<_> = (0..5)
        .map(|n| Box::pin(client.call_tool("x", json!({"n": n}))))
        .collect();
    for call in &mut calls {
        assert!(poll(call.as_mut()).is_pending());
    }
    let written = written(&pump);
    let order: Vec<_> = written.iter().map(|call| &call["params"]["arguments"]["n"]).collect();
    assert_eq!(order, [0, 1, 2, 3, 4]);
}

#[test]
fn notifications_are_a_bounded_stream() {
    let limits = Limits {
        notifications: 2,
        ..Limits::default()
    };
    let (client, pump) = Client::over_stream(
        ClientConfig::named("test", "1")
            .with_mode(Mode::Modern)
            .with_limits(limits),
    );
    let mut notes = client.notifications();
    for n in 0..3 {
        answer(
            &pump,
            &json!({"jsonrpc": "2.0", "method": format!("notifications/{n}")}),
        );
    }
    for n in 0..2 {
        let Poll::Ready(Some(note)) = poll(pin!(notes.next())) else {
            panic!()
        };
        assert_eq!(note.notification.method.as_str(), format!("notifications/{n}"));
    }
    assert!(poll(pin!(notes.next())).is_pending());
    assert_eq!(notes.missed(), 1);
    drop(pump);
    assert!(matches!(poll(pin!(notes.next())), Poll::Ready(None)));
}

#[test]
fn endless_pages_end() {
    let (client, pump) = modern();
    let mut list = pin!(client.list_tools());
    assert!(poll(list.as_mut()).is_pending());
    for _ in 0..2 {
        let sent = written(&pump);
        answer(
            &pump,
            &json!({"jsonrpc": "2.0", "id": sent[0]["id"], "result": {"tools": [], "nextCursor": "again"}}),
        );
        if let Poll::Ready(outcome) = poll(list.as_mut()) {
            assert!(matches!(outcome, Err(CallError::InvalidReply(_))));
            return;
        }
    }
    panic!("still listing");
}
