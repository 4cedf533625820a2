//! Calls that wait for room.

use super::*;
use crate::handle::client::call::Call;
use crate::model::CallToolResult;

type Tool = Pin<Box<Call<CallToolResult>>>;

/// A call of this tool that was polled once, and does not fit into the outbox with another.
fn large(client: &Client, name: &str) -> Tool {
    let mut call = Box::pin(client.call_tool(name, json!({"text": "x".repeat(200)})));
    assert!(poll(call.as_mut()).is_pending());
    call
}

fn timeout_of(outcome: Poll<Result<CallToolResult, CallError>>) -> Phase {
    match outcome {
        Poll::Ready(Err(CallError::Timeout { phase, .. })) => phase,
        other => panic!("{other:?}"),
    }
}

#[test]
fn room_that_a_failed_handshake_leaves_is_given_away() {
    let (client, pump) = crowded(Mode::Legacy(Revision::LATEST_LEGACY));
    let mut first = large(&client, "first");
    let _second = large(&client, "second");
    assert_eq!(written(&pump)[0]["method"], "initialize");
    pump.handle_timeout(at(30));
    assert_eq!(timeout_of(poll(first.as_mut())), Phase::Initialize);
    pump.handle_timeout(at(30));
    assert_eq!(pump.deadline(), Some(at(60)), "the second waits in its turn");
    assert!(written(&pump).is_empty(), "a stream is initialized once");
}

#[test]
fn the_driver_is_woken_for_a_call_that_gets_room() {
    let (client, pump) = crowded(Mode::Modern);
    let first = large(&client, "first");
    let _second = large(&client, "second");
    let driver = Arc::new(Count::default());
    let waker = Waker::from(driver.clone());
    let wants_input = pump.poll_wants_input(&mut Context::from_waker(&waker));
    assert_eq!(wants_input, Poll::Ready(true), "also where the outbox is full");
    drop(first);
    assert_eq!(driver.get(), 1);
    let sent = written(&pump);
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0]["params"]["name"], "second");
}

#[test]
fn a_call_that_waits_for_room_has_its_deadline_all_the_same() {
    let (client, pump) = crowded(Mode::Modern);
    let mut first = large(&client, "first");
    let count = Arc::new(Count::default());
    let waker = Waker::from(count.clone());
    let mut second = pin!(client.call_tool("second", ()).timeout(Duration::from_secs(3)));
    assert!(second.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    assert_eq!(pump.deadline(), Some(Time::ORIGIN), "at once: there are calls to arm");
    pump.handle_timeout(at(1));
    assert_eq!(pump.deadline(), Some(at(4)));
    pump.handle_timeout(at(3));
    assert_eq!(count.get(), 0);
    pump.handle_timeout(at(4));
    assert_eq!(count.get(), 1);
    assert_eq!(timeout_of(poll(second)), Phase::Outbox);
    assert_eq!(pump.deadline(), Some(at(61)), "that of the first");
    assert!(poll(first.as_mut()).is_pending());
}

#[test]
fn the_time_that_a_call_waited_for_room_counts() {
    let (client, pump) = crowded(Mode::Modern);
    let _first = large(&client, "first");
    let mut second = large(&client, "second");
    pump.handle_timeout(at(1));
    let cx = &mut Context::from_waker(Waker::noop());
    while pump.poll_transmit(cx, at(50)).is_ready() {}
    pump.handle_timeout(at(61));
    assert_eq!(timeout_of(poll(second.as_mut())), Phase::Request);
}

#[test]
fn a_server_that_reads_nothing_fails_each_call_in_its_time() {
    let (client, pump) = crowded(Mode::Modern);
    for round in 0..5 {
        let mut call = large(&client, "x");
        pump.handle_timeout(at(round * 100));
        pump.handle_timeout(at(round * 100 + 60));
        assert_eq!(timeout_of(poll(call.as_mut())), Phase::Outbox, "round {round}");
    }
    assert!(written(&pump).is_empty(), "what has expired is not sent");
}

#[test]
fn dropped_calls_leave_nothing_and_hold_nobody_up() {
    let (client, pump) = crowded(Mode::Modern);
    let first = large(&client, "first");
    let waiting: Vec<_> = (0..20_000).map(|_| large(&client, "dropped")).collect();
    let mut last = large(&client, "last");
    drop(waiting);
    drop(first);
    let sent = written(&pump);
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0]["params"]["name"], "last");
    answer(
        &pump,
        &json!({"jsonrpc": "2.0", "id": sent[0]["id"], "result": {"content": []}}),
    );
    assert!(matches!(poll(last.as_mut()), Poll::Ready(Ok(_))));
    assert_eq!(pump.deadline(), None);
}

#[test]
fn a_call_dropped_after_it_got_room_is_cancelled() {
    let (client, pump) = crowded(Mode::Modern);
    let first = large(&client, "first");
    let second = large(&client, "second");
    let sent = written(&pump);
    assert_eq!(sent.len(), 2);
    drop(second);
    let told = written(&pump);
    assert_eq!(told[0]["method"], "notifications/cancelled");
    assert_eq!(told[0]["params"]["requestId"], sent[1]["id"]);
    drop(first);
}

#[test]
fn a_closed_connection_ends_the_wait_for_room() {
    let (client, pump) = crowded(Mode::Modern);
    let mut calls = [
        large(&client, "first"),
        large(&client, "second"),
        large(&client, "third"),
    ];
    drop(pump);
    for call in &mut calls {
        let closed = CallError::Closed(CloseReason::DriverDropped);
        assert_eq!(poll(call.as_mut()).map(Result::unwrap_err), Poll::Ready(closed));
    }
}

#[test]
fn the_time_of_a_call_that_never_got_room_is_told() {
    let (client, pump) = crowded(Mode::Modern);
    let _first = large(&client, "first");
    let mut second = large(&client, "second");
    pump.handle_timeout(at(1));
    pump.receive_eof(at(5));
    assert!(matches!(poll(second.as_mut()), Poll::Ready(Err(CallError::Closed(_)))));
    let fate = second.fate();
    assert_eq!((fate.was_sent, fate.spent), (false, Duration::from_secs(4)));
}

#[test]
fn no_arguments_are_not_written_as_null() {
    let (client, pump) = crowded(Mode::Modern);
    let mut call = Box::pin(client.call_tool("x", ()));
    assert!(poll(call.as_mut()).is_pending());
    let sent = written(&pump);
    assert_eq!(sent[0]["params"].get("arguments"), None, "an object or nothing");
}
