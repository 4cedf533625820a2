//! How many connections there are, and which of them is used.

use std::pin::{Pin, pin};
use std::time::Duration;

use futures_util::future::{Either, select};
use mcp_driver::http::HttpOptions;
use mcp_proto::rpc::CallError;
use serde_json::json;

use crate::site::{Request, Site, Step};
use crate::{call, call_all, client, client_with, config, everywhere};

/// As long as the runtime needs at most to see that a connection on loopback was closed.
const SEEN: Duration = Duration::from_millis(20);

#[test]
fn calls_one_after_another_share_a_connection() {
    everywhere(async |runtime| {
        let site = Site::start(Request::plain);
        let client = client(runtime, &site.url);
        for n in 0..20 {
            assert_eq!(call(&client, n).await, Ok(n));
        }
        assert_eq!((site.connections(), site.requests()), (1, 20));
    });
}

#[test]
fn many_calls_at_once_have_a_connection_each_and_use_them_again() {
    everywhere(async |runtime| {
        let site = Site::start(|request| {
            let mut steps = request.plain();
            steps.insert(0, Step::Wait(Duration::from_millis(50)));
            steps
        });
        let client = client(runtime, &site.url);
        for _ in 0..3 {
            call_all(runtime, &client, 100).await;
            assert!(site.connections() <= 100, "{}", site.connections());
        }
        assert_eq!(site.requests(), 300);
    });
}

#[test]
fn five_hundred_calls_at_once_on_one_thread_or_many() {
    everywhere(async |runtime| {
        let site = Site::start(Request::plain);
        let client = client(runtime, &site.url);
        call_all(runtime, &client, 500).await;
        assert!(site.connections() <= 500, "{}", site.connections());
    });
}

#[test]
fn a_request_that_was_sent_is_not_sent_twice() {
    everywhere(async |runtime| {
        let site = Site::start(|request| match request.number {
            1 => vec![Step::Close],
            _ => request.plain(),
        });
        let client = client(runtime, &site.url);
        assert_eq!(call(&client, 0).await, Ok(0));
        assert_eq!(call(&client, 1).await, Err(CallError::Stale));
        assert_eq!((site.connections(), site.requests()), (1, 2));
    });
}

#[test]
fn a_connection_that_the_server_closes_between_calls_is_replaced() {
    everywhere(async |runtime| {
        let site = Site::start(|request| {
            let mut steps = request.plain();
            steps.push(Step::Close);
            steps
        });
        let client = client(runtime, &site.url);
        for n in 0..5 {
            assert_eq!(call(&client, n).await, Ok(n));
            site.open_is(runtime, 0).await;
            runtime.sleep(SEEN).await;
        }
        assert_eq!((site.connections(), site.requests()), (5, 5));
    });
}

/// Runs `future` while `driver` is driven.
async fn beside<T>(driver: &mut Pin<&mut impl Future<Output = ()>>, future: impl Future<Output = T>) -> T {
    match select(pin!(future), driver).await {
        Either::Left((value, _)) => value,
        Either::Right(_) => panic!("the driver is done"),
    }
}

#[test]
fn a_request_that_meets_a_closed_connection_unsent_goes_out_on_a_new_one() {
    everywhere(async |runtime| {
        let site = Site::start(|request| {
            let mut steps = request.plain();
            steps.extend([Step::Wait(SEEN), Step::Close]);
            steps
        });
        let (client, driver) = runtime.client_over_http(&site.url, config()).expect("a client");
        let mut driver = pin!(driver);
        for n in 0..3 {
            assert_eq!(beside(&mut driver, call(&client, n)).await, Ok(n));
            // The runtime learns of the close, and the driver does not before it has the next call.
            site.open_is(runtime, 0).await;
            runtime.sleep(SEEN).await;
        }
        assert_eq!((site.connections(), site.requests()), (3, 3));
    });
}

#[test]
fn a_server_that_says_close_is_taken_at_its_word() {
    everywhere(async |runtime| {
        let site = Site::start(|request| {
            let answer = String::from_utf8(request.json(&json!({"resultType": "complete", "n": 0}))).expect("text");
            let answer = answer.replace("\r\ncontent-type", "\r\nconnection: close\r\ncontent-type");
            vec![Step::Write(answer.into_bytes()), Step::Hang]
        });
        let client = client(runtime, &site.url);
        for _ in 0..3 {
            assert_eq!(call(&client, 0).await, Ok(0));
        }
        assert_eq!(site.connections(), 3);
    });
}

#[test]
fn connections_without_a_request_are_closed_in_time() {
    everywhere(async |runtime| {
        let site = Site::start(Request::plain);
        let options = HttpOptions {
            idle_timeout: Duration::from_millis(100),
            ..HttpOptions::default()
        };
        let client = client_with(runtime, &site.url, &options);
        call_all(runtime, &client, 10).await;
        site.open_is(runtime, 0).await;
        assert_eq!(call(&client, 1).await, Ok(1));
    });
}
