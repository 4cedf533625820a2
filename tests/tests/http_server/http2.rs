//! HTTP/2 without TLS: the client knows beforehand that the server speaks it.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use http::StatusCode;
use http_body_util::BodyExt;
use mcp_driver::http::ServeOptions;
use mcp_proto::Limits;

use crate::peer::{INITIALIZE, Peer, Raw, call, modern, modern_request, plain};
use crate::site::{Setup, everywhere, until};

#[test]
fn both_versions_and_both_eras_on_one_port() {
    everywhere(async |serve| {
        let site = serve(Setup::default());
        let http1 = Peer::http1(plain(site.address).await).await;
        let http2 = Peer::prior_knowledge(site.address).await;
        for peer in [&http1, &http2, &http1, &http2] {
            let (status, text) = peer.call("echo", r#"{"text":"hi"}"#).await.unwrap();
            assert!(status == 200 && text.contains(r#""text":"hi""#), "{text}");

            let (status, session, text) = peer.post(&[], INITIALIZE).await.unwrap();
            assert_eq!(status, 200, "{text}");
            let session = [("mcp-session-id".to_owned(), session.unwrap())];
            let (status, _, text) = peer.post(&session, call("echo", r#"{"text":"ho"}"#)).await.unwrap();
            assert!(status == 200 && text.contains(r#""text":"ho""#), "{text}");
            let delete = peer.send(peer.request("DELETE", &session, "")).await.unwrap();
            assert_eq!(delete.status(), 204);
            let (status, _, _) = peer.post(&session, call("echo", "{}")).await.unwrap();
            assert_eq!(status, 404);
        }
    });
}

/// Held to its rule: no slot is held across a call in flight that another call would need.
#[test]
fn five_hundred_calls_on_one_connection_wait_for_each_other() {
    everywhere(async |serve| {
        let site = serve(Setup::default());
        let peer = Peer::prior_knowledge(site.address).await;
        // The settings of the server are known with its first answer.
        peer.call("echo", r#"{"text":""}"#).await.unwrap();
        let calls = (0..500).map(|_| peer.call("meet", r#"{"number":500}"#));
        for outcome in join_all(calls).await {
            let (status, text) = outcome.unwrap();
            assert!(status == 200 && text.contains("met"), "{text}");
        }
    });
}

#[test]
fn further_calls_wait_where_the_streams_are_bounded() {
    everywhere(async |serve| {
        let site = serve(Setup {
            options: ServeOptions {
                max_streams: Some(2),
                ..ServeOptions::default()
            },
            ..Setup::default()
        });
        let peer = Peer::prior_knowledge(site.address).await;
        peer.call("echo", r#"{"text":""}"#).await.unwrap();
        let waits = [(); 2].map(|()| {
            let peer = peer.clone();
            tokio::spawn(async move { peer.call("wait", "{}").await })
        });
        until(|| site.seen.waiting() == 2).await;
        let echo = {
            let peer = peer.clone();
            tokio::spawn(async move { peer.call("echo", r#"{"text":"hi"}"#).await })
        };
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(!echo.is_finished());
        let [first, second] = waits;
        first.abort();
        assert_eq!(echo.await.unwrap().unwrap().0, StatusCode::OK);
        second.abort();
        until(|| site.seen.waiting() == 0).await;
    });
}

#[test]
fn a_stream_that_is_reset_cancels_in_the_modern_era_alone() {
    everywhere(async |serve| {
        let site = serve(Setup::default());
        let peer = Peer::prior_knowledge(site.address).await;
        let waits = {
            let peer = peer.clone();
            tokio::spawn(async move { peer.call("wait", "{}").await })
        };
        until(|| site.seen.waiting() == 1).await;
        waits.abort();
        until(|| site.seen.waiting() == 0).await;

        let (_, session, _) = peer.post(&[], INITIALIZE).await.unwrap();
        let session = [("mcp-session-id".to_owned(), session.unwrap())];
        let waits = {
            let (peer, session) = (peer.clone(), session.clone());
            tokio::spawn(async move { peer.post(&session, call("wait", "{}")).await })
        };
        until(|| site.seen.waiting() == 1).await;
        waits.abort();
        let ping = r#"{"jsonrpc":"2.0","id":9,"method":"ping"}"#;
        for _ in 0..20 {
            assert_eq!(peer.post(&session, ping).await.unwrap().0, 200);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(site.seen.waiting(), 1);
        let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
        assert_eq!(peer.post(&session, cancel).await.unwrap().0, 202);
        until(|| site.seen.waiting() == 0).await;
    });
}

#[test]
fn the_end_of_a_connection_ends_its_streams() {
    everywhere(async |serve| {
        let mut site = serve(Setup::default());
        let peer = Peer::prior_knowledge(site.address).await;
        let waits: Vec<_> = (0..10)
            .map(|_| {
                let peer = peer.clone();
                tokio::spawn(async move { peer.call("wait", "{}").await })
            })
            .collect();
        until(|| site.seen.waiting() == 10).await;
        site.kill();
        for wait in waits {
            assert!(wait.await.unwrap().is_err());
        }
        site.gone().await;
        until(|| site.seen.waiting() == 0).await;
    });
}

#[test]
fn bodies_are_bounded_as_over_http1() {
    everywhere(async |serve| {
        let site = serve(Setup {
            limits: Limits::default().with_body_bytes(2_000),
            ..Setup::default()
        });
        let peer = Peer::prior_knowledge(site.address).await;
        let (headers, _) = modern("echo", "{}");
        let (status, _, _) = peer.post(&headers, vec![b' '; 2_001]).await.unwrap();
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
        let (status, _) = peer.call("echo", r#"{"text":"hi"}"#).await.unwrap();
        assert_eq!(status, StatusCode::OK);
        let mut headers = headers;
        headers.push(("x-large".to_owned(), "x".repeat(100 << 10)));
        let refused = peer.post(&headers, "{}").await;
        assert!(
            matches!(&refused, Ok((StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, ..)) | Err(_)),
            "{refused:?}"
        );
    });
}

#[test]
fn the_authority_is_the_host() {
    everywhere(async |serve| {
        let site = serve(Setup::default());
        let peer = Peer::prior_knowledge(site.address).await;
        let (headers, body) = modern("echo", r#"{"text":"hi"}"#);
        for (authority, host, expected) in [
            ("localhost", None, 200),
            ("localhost", Some("localhost"), 200),
            ("evil.example.com", None, 403),
            ("evil.example.com", Some("localhost"), 400),
            ("localhost", Some("evil.example.com"), 400),
        ] {
            let mut request = peer.request("POST", &headers, body.clone());
            *request.uri_mut() = format!("http://{authority}/mcp").parse().unwrap();
            if let Some(host) = host {
                request.headers_mut().insert("host", host.parse().unwrap());
            }
            let status = peer.send(request).await.unwrap().status();
            assert_eq!(status, expected, "{authority}, {host:?}");
        }
    });
}

#[test]
fn a_stream_of_events_goes_on_beside_calls() {
    everywhere(async |serve| {
        let site = serve(Setup::default());
        let peer = Peer::prior_knowledge(site.address).await;
        let (_, session, _) = peer.post(&[], INITIALIZE).await.unwrap();
        let session = [("mcp-session-id".to_owned(), session.unwrap())];
        let events = peer.send(peer.request("GET", &session, "")).await.unwrap();
        assert_eq!(events.headers()["content-type"], "text/event-stream");
        for _ in 0..3 {
            let (status, _, _) = peer.post(&session, call("echo", r#"{"text":"x"}"#)).await.unwrap();
            assert_eq!(status, 200);
        }
        let delete = peer.send(peer.request("DELETE", &session, "")).await.unwrap();
        assert_eq!(delete.status(), 204);
        events.into_body().collect().await.expect("the stream ends in order");
    });
}

/// With an open stream it is not idle.
#[test]
fn a_connection_without_requests_is_closed_in_time() {
    everywhere(async |serve| {
        let timeout = Duration::from_millis(200);
        let site = serve(Setup {
            options: ServeOptions {
                header_timeout: timeout,
                ..ServeOptions::default()
            },
            ..Setup::default()
        });
        site.seen.hold.store(true, std::sync::atomic::Ordering::SeqCst);
        let peer = Peer::prior_knowledge(site.address).await;
        let slow = {
            let peer = peer.clone();
            tokio::spawn(async move { peer.call("slow", "{}").await })
        };
        tokio::time::sleep(5 * timeout).await;
        site.seen.hold.store(false, std::sync::atomic::Ordering::SeqCst);
        let ended = Instant::now();
        assert_eq!(slow.await.unwrap().unwrap().0, 200);
        let Peer::Http2(sender) = &peer else { panic!("HTTP/2") };
        until(|| sender.is_closed()).await;
        assert!(ended.elapsed() >= timeout, "{:?}", ended.elapsed());
    });
}

#[test]
fn the_preface_may_come_byte_by_byte() {
    everywhere(async |serve| {
        let site = serve(Setup::default());
        let mut connection = Raw::open(site.address).await;
        connection.0.set_nodelay(true).unwrap();
        for byte in b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0" {
            connection.send(&[*byte]).await;
            tokio::task::yield_now().await;
        }
        let answer = connection.read().await;
        assert_eq!(answer.as_bytes()[3], 4, "SETTINGS: {answer:?}");
        let mut connection = Raw::open(site.address).await;
        // What only begins like the preface is HTTP/1.
        assert_eq!(
            connection.ask(b"PRI * HTTP/1.1\r\nhost: localhost\r\n\r\n").await.0,
            405
        );
        assert_eq!(
            connection
                .ask(&modern_request("/mcp", "echo", r#"{"text":"hi"}"#))
                .await
                .0,
            200
        );
    });
}
