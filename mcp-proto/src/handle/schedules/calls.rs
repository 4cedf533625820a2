//! Calls, and what ends them.

use core::future::poll_fn;
use core::pin::pin;
use core::task::Poll;

use serde_json::json;

use super::world::{LEGACY, block_on, check, config, connect, join, pair, poll_once, run, server};
use crate::client::Mode;
use crate::handle::{Client, Pump};
use crate::jsonrpc::Params;
use crate::limits::Limits;
use crate::rpc::CallError;

async fn echo(client: &Client, number: u32) {
    let result = client.call_tool("echo", json!({ "number": number })).await.unwrap();
    let text = result.content[0].as_text().unwrap().to_owned();
    assert_eq!(text, std::format!(r#"{{"number":{number}}}"#));
}

#[test]
fn calls_of_several_threads_are_each_answered_once() {
    for mode in [Mode::Auto, LEGACY] {
        check(move || {
            let (client, drivers) = pair(config(mode), &server());
            let callers = [1, 2].map(|number| {
                let client = client.clone();
                run(async move {
                    echo(&client, number).await;
                    echo(&client, number + 10).await;
                })
            });
            drop(client);
            join(callers);
            join(drivers);
        });
    }
}

#[test]
fn a_call_is_dropped_while_its_reply_comes() {
    check(|| {
        let (client, drivers) = pair(config(LEGACY), &server());
        let dropped = client.clone();
        let dropping = run(async move {
            let mut call = pin!(dropped.call_tool("echo", ()));
            let mut polls = 0;
            // Dropped with its second poll at the latest, wherever it is by then.
            poll_fn(|cx| {
                polls += 1;
                let polled = call.as_mut().poll(cx);
                if polls == 2 || polled.is_ready() {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
            .await;
        });
        let other = client.clone();
        let once = shuttle::thread::spawn(move || drop(poll_once(other.call_tool("echo", ()))));
        block_on(echo(&client, 1));
        drop(client);
        dropping.join().unwrap();
        join([once]);
        join(drivers);
    });
}

#[test]
fn calls_wait_for_room_while_it_comes() {
    check(|| {
        let limits = Limits::default().with_outbox_bytes(64);
        let (client, drivers) = pair(config(Mode::Modern).with_limits(limits), &server());
        let callers = [1, 2, 3].map(|number| {
            let client = client.clone();
            run(async move { echo(&client, number).await })
        });
        let dropped = client.clone();
        let dropping = shuttle::thread::spawn(move || drop(poll_once(dropped.call_tool("echo", ()))));
        drop(client);
        join(callers);
        join([dropping]);
        join(drivers);
    });
}

#[test]
fn closing_ends_every_call_and_itself() {
    check(|| {
        let (client, drivers) = pair(config(LEGACY), &server());
        let calling = client.clone();
        let caller = run(async move {
            let outcome = calling.call_tool("echo", ()).await;
            assert!(matches!(outcome, Ok(_) | Err(CallError::Closed(_))), "{outcome:?}");
        });
        let closing = [client.clone(), client].map(|client| run(async move { client.close().await }));
        join([caller]);
        join(closing);
        join(drivers);
    });
}

#[test]
fn the_driver_is_dropped_while_calls_are_made_and_room_is_waited_for() {
    check(|| {
        let limits = Limits::default().with_outbox_bytes(64);
        let (client, pump) = Client::over_stream(config(Mode::Modern).with_limits(limits));
        let callers = [1, 2].map(|_| {
            let client = client.clone();
            run(async move {
                let outcome = client.call_tool("echo", ()).await;
                assert!(matches!(outcome, Err(CallError::Closed(_))), "{outcome:?}");
            })
        });
        let waiting = client.clone();
        let ready = run(async move { drop(waiting.ready().await) });
        drop(poll_once(poll_fn(|cx| pump.poll_transmit(cx, crate::Time::ORIGIN))));
        drop(pump);
        join(callers);
        join([ready]);
        block_on(client.close());
    });
}

#[test]
fn many_wait_for_the_handshake_and_some_give_up() {
    check(|| {
        let (client, drivers) = pair(config(LEGACY), &server());
        let waiting = [1, 2].map(|_| {
            let client = client.clone();
            run(async move { drop(client.ready().await.unwrap()) })
        });
        let dropped = client.clone();
        let dropping = shuttle::thread::spawn(move || drop(poll_once(dropped.ready())));
        let listing = client.clone();
        let tools = run(async move { assert_eq!(listing.list_tools().await.unwrap().len(), 1) });
        let other = client.clone();
        let unlisted = shuttle::thread::spawn(move || drop(poll_once(other.list_tools())));
        drop(client);
        join(waiting);
        join([dropping, tools, unlisted]);
        join(drivers);
    });
}

#[test]
fn subscribers_hear_what_is_said_and_the_end() {
    check(|| {
        let server = server();
        let (client, pump) = Client::over_stream(config(LEGACY));
        let drivers = connect(pump, server.pump());
        let mut readers = [client.notifications(), client.notifications()];
        let mut incidents = client.incidents();
        block_on(client.ready()).unwrap();
        let [first, second] = &mut readers;
        let _ = poll_once(first.next());
        let _ = poll_once(second.next());
        let [mut first, second] = readers;
        let saying = shuttle::thread::spawn(move || {
            server.notify("notifications/tools/list_changed", Params::NONE).unwrap();
        });
        let reading = run(async move { while first.next().await.is_some() {} });
        let told = run(async move { while incidents.next().await.is_some() {} });
        let leaving = shuttle::thread::spawn(move || drop(second));
        join([saying, leaving]);
        drop(client);
        join([reading, told]);
        join(drivers);
    });
}
