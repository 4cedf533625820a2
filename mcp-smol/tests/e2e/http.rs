//! Over HTTP, on loopback.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use mcp_smol::http::server::{McpService, ServeOptions, serve_until};
use mcp_smol::http::{HttpOptions, client_over_http, service};
use mcp_smol::mcp_proto::Revision;
use mcp_smol::mcp_proto::client::{ClientConfig, Mode};
use mcp_smol::mcp_proto::rpc::CallError;
use mcp_smol::{Client, ConnectError, connect, connect_with};
use serde_json::json;
use smol::channel::{Receiver, Sender, bounded};
use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::net::{TcpListener, TcpStream};

use crate::world::{MODES, Seen, Spawn, config, dive, echo, echo_all, everywhere, is_set, server, start, text};

/// A server on a port of its own, on as many threads as there are; until the sender is dropped.
struct Site {
    url: String,
    seen: Arc<Seen>,
    service: McpService,
    stop: Sender<()>,
    stopped: Receiver<()>,
}

async fn site(spawn: Spawn<'_>) -> Site {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("bind");
    let url = format!("http://{}/mcp", listener.local_addr().expect("address"));
    let seen: Arc<Seen> = Arc::default();
    let service = service(server(&seen));
    let (stop, until) = bounded::<()>(1);
    let (done, stopped) = bounded::<()>(1);
    for _ in 0..3 {
        let (listener, service, until, done) = (listener.clone(), service.clone(), until.clone(), done.clone());
        spawn(Box::pin(async move {
            let shutdown = async { assert!(until.recv().await.is_err()) };
            let options = ServeOptions::default();
            serve_until(listener, service, &options, shutdown)
                .await
                .expect("a graceful end");
            drop(done);
        }));
    }
    Site {
        url,
        seen,
        service,
        stop,
        stopped,
    }
}

fn client(url: &str, config: ClientConfig, spawn: Spawn<'_>) -> Client {
    connect_with(url, config, &HttpOptions::default(), spawn).expect("a client")
}

#[test]
fn a_hundred_first_calls_at_once_in_every_mode() {
    everywhere(async |spawn| {
        let site = site(spawn).await;
        for mode in MODES {
            let client = client(&site.url, config(mode), spawn);
            echo_all(spawn, &client, 100).await;
            echo_all(spawn, &client, 100).await;
            assert_eq!(client.list_tools().await.expect("tools").len(), 3);
        }
    });
}

#[test]
fn a_tool_that_calls_itself_through_its_own_server() {
    everywhere(async |spawn| {
        for mode in MODES {
            let site = site(spawn).await;
            let client = client(&site.url, config(mode), spawn);
            dive(&site.seen, &client, 100).await;
        }
    });
}

#[test]
fn large_bodies_arrive_whole_both_ways() {
    everywhere(async |spawn| {
        let site = site(spawn).await;
        let client = connect(&site.url, spawn).expect("a client");
        let words: String = (0..500_000).map(|n| char::from(b'a' + (n % 23) as u8)).collect();
        for _ in 0..3 {
            assert_eq!(echo(&client, &words).await.as_ref(), Ok(&words));
        }
    });
}

#[test]
fn a_shutdown_lets_requests_end_and_closes_the_rest() {
    everywhere(async |spawn| {
        for mode in MODES {
            let site = site(spawn).await;
            let client = client(&site.url, config(mode), spawn);
            echo_all(spawn, &client, 5).await;
            let idle = TcpStream::connect(site.url[7..].trim_end_matches("/mcp")).await;
            let slow = {
                let client = client.clone();
                start(
                    spawn,
                    async move { client.call_tool("slow", json!({"text": "done"})).await },
                )
            };
            is_set(&site.seen.begun).await;
            let begun = Instant::now();
            drop(site.stop);
            let outcome = slow.await.expect("no panic").map(|result| text(&result));
            // A legacy session is over with its server.
            match mode {
                Mode::Legacy(_) => assert_eq!(outcome, Err(CallError::Disconnected)),
                _ => assert_eq!(outcome, Ok("done".to_owned())),
            }
            assert!(site.stopped.recv().await.is_err());
            assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
            let mut rest = Vec::new();
            idle.expect("connected").read_to_end(&mut rest).await.ok();
            assert!(rest.is_empty());
        }
    });
}

#[test]
fn a_handler_of_a_legacy_client_that_hung_up_runs_on() {
    everywhere(async |spawn| {
        let site = site(spawn).await;
        let mode = Mode::Legacy(Revision::LATEST_LEGACY);
        let (client, driver) = client_over_http(&site.url, config(mode), &HttpOptions::default()).expect("a client");
        let begun = site.seen.clone();
        let driver = smol::future::or(driver, async move { is_set(&begun.begun).await });
        let driver = start(spawn, driver);
        let call = client.call_tool("slow", json!({"text": ""})).await;
        assert!(call.is_err(), "{call:?}");
        assert_eq!(driver.await, Some(()));
        is_set(&site.seen.ended).await;
        assert_eq!(site.service.endpoint().sessions(), 1);
    });
}

#[test]
fn a_handler_of_a_modern_client_that_hung_up_is_dropped() {
    everywhere(async |spawn| {
        let site = site(spawn).await;
        let client = client(&site.url, config(Mode::Modern), spawn);
        let begun = site.seen.clone();
        let call = async { drop(client.call_tool("slow", json!({"text": ""})).await) };
        smol::future::or(call, is_set(&begun.begun)).await;
        smol::Timer::after(Duration::from_millis(300)).await;
        assert!(!site.seen.ended.load(Ordering::SeqCst));
        assert_eq!(echo(&client, "x").await, Ok("x".to_owned()));
    });
}

/// What comes for `request` until the server closes.
async fn ask(url: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(url[7..].trim_end_matches("/mcp"))
        .await
        .expect("connected");
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    answer
}

#[test]
fn what_is_no_request_of_ours_is_refused() {
    everywhere(async |spawn| {
        let site = site(spawn).await;
        let head = "POST /mcp HTTP/1.1\r\nconnection: close\r\n";
        let evil = ask(
            &site.url,
            &format!("{head}host: evil.example\r\ncontent-length: 0\r\n\r\n"),
        )
        .await;
        assert!(evil.starts_with("HTTP/1.1 403 "), "{evil}");
        let large = ask(&site.url, &format!("{head}host: localhost\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\ncontent-length: 99999999999\r\n\r\n")).await;
        assert!(large.starts_with("HTTP/1.1 413 "), "{large}");
        let noise = ask(&site.url, "no http at all\r\n\r\n").await;
        assert!(noise.starts_with("HTTP/1.1 400 "), "{noise}");
    });
}

#[test]
fn urls_that_cannot_be_used_are_typed_errors() {
    let unsupported = |scheme: &str| Some(ConnectError::UnsupportedScheme(scheme.into()));
    for (url, error) in [
        ("https://localhost/mcp", unsupported("https")),
        ("ftp://localhost/mcp", unsupported("ftp")),
        ("", Some(ConnectError::InvalidUrl)),
        ("/mcp", Some(ConnectError::InvalidUrl)),
        ("http://", Some(ConnectError::InvalidUrl)),
        ("http://localhost", None),
        ("HTTP://[::1]:8000/mcp?x=y", None),
    ] {
        assert_eq!(connect(url, drop).err(), error, "{url}");
    }
}
