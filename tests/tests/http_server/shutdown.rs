//! The graceful end.

use std::pin::pin;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use mcp_driver::http::ServeOptions;

use crate::peer::{INITIALIZE, Peer, Raw, call, header, plain, request};
use crate::site::{Setup, everywhere, until};

#[test]
fn a_shutdown_ends_streams_and_lets_requests_end() {
    everywhere(async |serve| {
        let mut site = serve(Setup::default());
        let mut connection = Raw::open(site.address).await;
        let (_, text) = connection.ask(&request("POST", "/mcp", &[], INITIALIZE)).await;
        let id = header(&text, "mcp-session-id").unwrap().to_string();
        let session = [("mcp-session-id", id.as_str())];
        let (status, text) = connection.ask(&request("GET", "/mcp", &session, "")).await;
        assert_eq!(
            (status, header(&text, "content-type")),
            (200, Some("text/event-stream"))
        );
        site.shut_down();
        assert_eq!(connection.read().await, "0\r\n\r\n", "the stream ends in order");
        site.gone().await;
        assert!(tokio::net::TcpStream::connect(site.address).await.is_err());
    });
}

#[test]
fn requests_in_progress_end_over_either_version_and_no_others_begin() {
    everywhere(async |serve| {
        let mut site = serve(Setup::default());
        site.seen.hold.store(true, Ordering::SeqCst);
        let http2 = Peer::prior_knowledge(site.address).await;
        let peers = [
            Peer::http1(plain(site.address).await).await,
            http2.clone(),
            http2.clone(),
        ];
        let slow = peers.map(|peer| tokio::spawn(async move { peer.call("slow", "{}").await }));
        let idle = Raw::open(site.address).await;
        until(|| site.seen.waiting() == 3).await;
        site.shut_down();
        until(|| std::net::TcpStream::connect(site.address).is_err()).await;
        site.seen.hold.store(false, Ordering::SeqCst);
        for slow in slow {
            let (status, text) = slow.await.unwrap().unwrap();
            assert!(status == 200 && text.contains("done"), "{text}");
        }
        let begun = Instant::now();
        site.gone().await;
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
        assert!(http2.call("echo", r#"{"text":"x"}"#).await.is_err());
        drop(idle);
    });
}

#[test]
fn a_session_ends_with_its_last_request() {
    everywhere(async |serve| {
        for is_http2 in [false, true] {
            let mut site = serve(Setup::default());
            site.seen.hold.store(true, Ordering::SeqCst);
            let open = async || match is_http2 {
                true => Peer::prior_knowledge(site.address).await,
                false => Peer::http1(plain(site.address).await).await,
            };
            let (busy, listening) = (open().await, open().await);
            let (_, session, _) = busy.post(&[], INITIALIZE).await.unwrap();
            let session = [("mcp-session-id".to_owned(), session.unwrap())];
            let events = listening.send(listening.request("GET", &session, "")).await.unwrap();
            let slow = tokio::spawn(async move { busy.post(&session, call("slow", "{}")).await });
            until(|| site.seen.waiting() == 1).await;
            let mut events = pin!(events.into_body().collect());
            site.shut_down();
            let early = tokio::time::timeout(Duration::from_millis(100), events.as_mut()).await;
            assert!(early.is_err(), "the session goes on");
            site.seen.hold.store(false, Ordering::SeqCst);
            let (status, _, text) = slow.await.unwrap().unwrap();
            assert!(status == 200 && text.contains("done"), "{text}");
            events.await.expect("the stream ends in order");
            site.gone().await;
        }
    });
}

#[test]
fn what_does_not_end_in_time_is_cut_off() {
    everywhere(async |serve| {
        let grace = Duration::from_millis(300);
        let mut site = serve(Setup {
            options: ServeOptions {
                grace,
                ..ServeOptions::default()
            },
            ..Setup::default()
        });
        let peers = [
            Peer::http1(plain(site.address).await).await,
            Peer::prior_knowledge(site.address).await,
        ];
        let waits = peers.map(|peer| tokio::spawn(async move { peer.call("wait", "{}").await }));
        until(|| site.seen.waiting() == 2).await;
        let begun = Instant::now();
        site.shut_down();
        site.gone().await;
        assert!(begun.elapsed() >= grace, "{:?}", begun.elapsed());
        assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
        for wait in waits {
            assert!(wait.await.unwrap().is_err());
        }
        until(|| site.seen.waiting() == 0).await;
    });
}
