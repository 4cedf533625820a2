//! HTTP/2 without TLS: many exchanges on a connection, and none that waits for another.

use std::net::TcpListener;
use std::time::Duration;

use mcp_driver::http::{HttpOptions, HttpVersions};
use mcp_proto::rpc::CallError;

use super::site::{Site, Terms};
use super::{client, until};
use mcp_tests::caller::{call, call_all, everywhere};

fn options() -> HttpOptions {
    HttpOptions {
        versions: HttpVersions::Http2,
        ..HttpOptions::default()
    }
}

fn terms() -> Terms {
    Terms {
        http2: true,
        ..Terms::default()
    }
}

#[test]
fn calls_share_a_connection() {
    everywhere(async |runtime| {
        let site = Site::start(terms());
        let client = client(runtime, &site.http(), &options());
        assert_eq!(call(&client, 7).await, Ok(7));
        call_all(runtime, &client, 50).await;
        assert_eq!((site.connections(), site.requests(), site.over_http2()), (1, 51, 51));
    });
}

#[test]
fn calls_that_wait_for_each_other_are_not_held_up_by_the_streams_of_a_connection() {
    everywhere(async |runtime| {
        for (max_streams, connections) in [(100, 3), (299, 2), (7, 43)] {
            let site = Site::start(Terms {
                max_streams: Some(max_streams),
                gate: 300,
                ..terms()
            });
            let client = client(runtime, &site.http(), &options());
            call_all(runtime, &client, 300).await;
            assert_eq!(site.over_http2(), 300);
            // Before the first connection is known to bear fewer, as many are made as 100 each would need.
            let made = site.connections();
            assert!(
                (connections..=connections.max(3)).contains(&made),
                "{made} connections, {connections} would do"
            );
            call_all(runtime, &client, 300).await;
            assert_eq!(site.connections(), made, "they are used again");
        }
    });
}

#[test]
fn a_dropped_call_ends_its_stream_and_no_other() {
    everywhere(async |runtime| {
        let site = Site::start(Terms {
            silent: Some(1000),
            ..terms()
        });
        let client = client(runtime, &site.http(), &options());
        assert_eq!(call(&client, 0).await, Ok(0));
        let (other, never) = (client.clone(), client.clone());
        let hanging = runtime.run(async move { call(&other, 1000).await });
        until(runtime, "the request is there", || site.running() == 1).await;
        assert!(
            runtime
                .within(Duration::from_millis(50), call(&never, 1000))
                .await
                .is_none()
        );
        until(runtime, "the stream of the dropped call is over", || {
            site.running() == 1
        })
        .await;
        call_all(runtime, &client, 20).await;
        assert_eq!((site.connections(), site.running(), site.requests()), (1, 1, 23));
        site.close();
        assert_eq!(hanging.await, Some(Err(CallError::Disconnected)));
        assert_eq!(call(&client, 2).await, Ok(2));
        assert_eq!(site.connections(), 2);
    });
}

#[test]
fn a_connection_that_the_server_retires_bears_what_it_has_and_nothing_more() {
    everywhere(async |runtime| {
        let site = Site::start(Terms { gate: 3, ..terms() });
        let client = client(runtime, &site.http(), &options());
        let waiting: Vec<_> = (0..2)
            .map(|n| {
                let client = client.clone();
                runtime.run(async move { call(&client, n).await })
            })
            .collect();
        until(runtime, "two requests are there", || site.running() == 2).await;
        site.retire();
        // Until the client has heard of it, the third may go to the former connection, and come back unprocessed.
        runtime.sleep(Duration::from_millis(50)).await;
        assert_eq!(call(&client, 2).await, Ok(2));
        for (n, outcome) in waiting.into_iter().enumerate() {
            assert_eq!(outcome.await, Some(Ok(n)));
        }
        assert_eq!((site.connections(), site.requests()), (2, 3));
        until(runtime, "the former connection is closed", || site.open() == 1).await;
    });
}

#[test]
fn a_connection_without_a_request_is_closed_in_time() {
    everywhere(async |runtime| {
        let site = Site::start(terms());
        let options = HttpOptions {
            idle_timeout: Duration::from_millis(100),
            ..options()
        };
        let client = client(runtime, &site.http(), &options);
        call_all(runtime, &client, 10).await;
        until(runtime, "no connection is open", || site.open() == 0).await;
        assert_eq!(call(&client, 1).await, Ok(1));
        assert_eq!(site.connections(), 2);
    });
}

#[test]
fn dropping_the_client_closes_its_connections() {
    everywhere(async |runtime| {
        let site = Site::start(terms());
        let client = client(runtime, &site.http(), &options());
        assert_eq!(call(&client, 1).await, Ok(1));
        drop(client);
        until(runtime, "no connection is open", || site.open() == 0).await;
    });
}

#[test]
fn a_server_that_speaks_http_1_alone_is_told() {
    everywhere(async |runtime| {
        let site = Site::start(Terms::default());
        let client = client(runtime, &site.http(), &options());
        let error = call(&client, 1).await.expect_err("HTTP/1");
        assert!(
            matches!(&error, CallError::Unreachable(why) if why.contains("HTTP/2")),
            "{error:?}"
        );
    });
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    everywhere(async |runtime| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
        let url = format!("http://{}/mcp", listener.local_addr().expect("address"));
        let options = HttpOptions {
            connect_timeout: Duration::from_millis(200),
            ..options()
        };
        let client = client(runtime, &url, &options);
        let error = call(&client, 1).await.expect_err("silence");
        assert!(
            matches!(&error, CallError::Unreachable(why) if why.contains("200ms")),
            "{error:?}"
        );
    });
}

#[test]
fn times_without_end_are_no_trap() {
    everywhere(async |runtime| {
        let site = Site::start(terms());
        let options = HttpOptions {
            connect_timeout: Duration::MAX,
            idle_timeout: Duration::MAX,
            ..options()
        };
        let client = client(runtime, &site.http(), &options);
        assert_eq!(call(&client, 7).await, Ok(7));
    });
}
