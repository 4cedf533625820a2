//! What is dropped, and what ends with it.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use mcp_proto::rpc::{CallError, CloseReason};

use crate::site::{Request, Site, Step};
use crate::{call, client, config, everywhere};

#[test]
fn a_dropped_call_closes_its_connection_and_no_other() {
    everywhere(async |runtime| {
        let site = Site::start(|request| match request.number {
            0 => vec![Step::Hang],
            _ => request.plain(),
        });
        let client = client(runtime, &site.url);
        let mut hanging = Box::pin(call(&client, 0));
        poll_fn(|cx| {
            assert!(hanging.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        site.requests_are(runtime, 1).await;
        assert_eq!(call(&client, 1).await, Ok(1));
        site.open_is(runtime, 2).await;
        drop(hanging);
        site.open_is(runtime, 1).await;
        assert_eq!(call(&client, 2).await, Ok(2));
        assert_eq!(site.connections(), 2);
    });
}

#[test]
fn a_dropped_call_in_the_middle_of_its_response_closes_the_connection() {
    everywhere(async |runtime| {
        let site = Site::start(|_| {
            let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n: hello\n\n";
            vec![Step::Write(head.to_vec()), Step::Hang]
        });
        let client = client(runtime, &site.url);
        let outcome = runtime.within(Duration::from_millis(50), call(&client, 0)).await;
        assert_eq!(outcome, None);
        site.open_is(runtime, 0).await;
    });
}

#[test]
fn dropping_the_client_ends_the_driver_and_its_connections() {
    everywhere(async |runtime| {
        let site = Site::start(Request::plain);
        let (client, driver) = runtime.client_over_http(&site.url, config()).expect("a client");
        let mut driver = runtime.start(driver);
        assert_eq!(call(&client, 1).await, Ok(1));
        drop(client);
        driver.end().await;
        site.open_is(runtime, 0).await;
    });
}

#[test]
fn dropping_the_driver_resolves_every_call() {
    everywhere(async |runtime| {
        let site = Site::start(|_| vec![Step::Hang]);
        let (client, driver) = runtime.client_over_http(&site.url, config()).expect("a client");
        let mut driver = runtime.start(driver);
        let own = client.clone();
        let waiting = runtime.run(async move { call(&own, 1).await });
        site.requests_are(runtime, 1).await;
        driver.stop().await;
        let closed = Err(CallError::Closed(CloseReason::DriverDropped));
        assert_eq!(waiting.await.expect("no panic"), closed);
        assert_eq!(call(&client, 2).await, closed);
        site.open_is(runtime, 0).await;
    });
}
