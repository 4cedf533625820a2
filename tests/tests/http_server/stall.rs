//! Clients that take nothing of what they have asked for.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use hyper::body::Incoming;
use mcp_driver::http::ServeOptions;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::oneshot::{self, error::TryRecvError};

use crate::peer::{INITIALIZE, Peer, Raw, encrypted, header, modern, modern_request, plain, request};
use crate::site::{Setup, Site, everywhere, until};
use crate::tls::{Authority, configs};

/// More than all the buffers on the way have room for.
const LARGE: &str = r#"{"number":20000000}"#;

const TIMEOUT: Duration = Duration::from_millis(300);

/// A server with room for one connection.
fn setup() -> Setup {
    Setup {
        options: ServeOptions {
            write_timeout: Some(TIMEOUT),
            max_connections: Some(1),
            ..ServeOptions::default()
        },
        ..Setup::default()
    }
}

/// Ready when a connection is served: the one that there may be has to be closed before.
async fn served_again(site: &Site) {
    let put = request("PUT", "/", &[], "");
    loop {
        let mut connection = Raw::open(site.address).await;
        if connection.try_ask(&put).await == Some(405) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A response of which nothing is taken.
async fn untaken(peer: &Peer) -> hyper::Response<Incoming> {
    let (headers, body) = modern("large", LARGE);
    let response = peer.send(peer.request("POST", &headers, body)).await.unwrap();
    assert_eq!(response.status(), 200);
    response
}

/// With a small buffer, so that what is taken does not come in megabytes.
async fn small(address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(64 << 10).unwrap();
    socket.connect(address).await.unwrap()
}

#[test]
fn a_client_that_asks_and_never_reads_is_closed_in_time() {
    everywhere(async |serve| {
        let site = serve(setup());
        let mut silent = Raw::open(site.address).await;
        let begun = Instant::now();
        silent.send(&modern_request("/mcp", "large", LARGE)).await;
        served_again(&site).await;
        assert!(begun.elapsed() >= TIMEOUT, "{:?}", begun.elapsed());
        let mut taken = Vec::new();
        let _ = silent.0.read_to_end(&mut taken).await;
        assert!(taken.starts_with(b"HTTP/1.1 200") && taken.len() < 20_000_000);
    });
}

#[test]
fn so_is_one_that_reads_over_http2_and_has_no_room() {
    everywhere(async |serve| {
        let site = serve(setup());
        let begun = Instant::now();
        let peer = Peer::prior_knowledge(site.address).await;
        let response = untaken(&peer).await;
        served_again(&site).await;
        assert!(begun.elapsed() >= TIMEOUT, "{:?}", begun.elapsed());
        assert!(response.into_body().collect().await.is_err());
    });
}

#[test]
fn so_is_one_that_no_longer_reads_over_tls_or_http2() {
    let authority = Authority::new();
    everywhere(async |serve| {
        for protocol in ["http/1.1", "h2"] {
            let site = serve(Setup {
                tls: Some(configs(&authority, false)[0].clone()),
                ..setup()
            });
            let begun = Instant::now();
            let (stop, mut stopped) = oneshot::channel::<()>();
            let (ask, asked) = oneshot::channel::<()>();
            let client = authority.client(&[protocol], None);
            let address = site.address;
            // A runtime of its own, that stands still while its client is to read.
            let thread = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.unwrap().block_on(async {
                    let stream = encrypted(address, &client).await.unwrap();
                    let peer = match protocol {
                        "h2" => Peer::http2(stream).await,
                        _ => Peer::http1(stream).await,
                    };
                    let _response = untaken(&peer).await;
                    drop(ask);
                    while stopped.try_recv() == Err(TryRecvError::Empty) {
                        std::thread::sleep(Duration::from_millis(5));
                    }
                });
            });
            let _ = asked.await;
            let config = authority.client(&["http/1.1"], None);
            loop {
                if let Ok(stream) = encrypted(site.address, &config).await
                    && Peer::http1(stream).await.call("echo", r#"{"text":"x"}"#).await.is_ok()
                {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            assert!(begun.elapsed() >= TIMEOUT, "{:?}", begun.elapsed());
            drop(stop);
            thread.join().unwrap();
        }
    });
}

#[test]
fn a_client_that_reads_slowly_gets_the_whole() {
    everywhere(async |serve| {
        let timeout = Duration::from_millis(600);
        let site = serve(Setup {
            options: ServeOptions {
                write_timeout: Some(timeout),
                ..ServeOptions::default()
            },
            ..Setup::default()
        });
        let mut slow = Raw(small(site.address).await);
        slow.send(&modern_request("/mcp", "large", LARGE)).await;
        let mut chunk = vec![0; 1 << 20];
        let (mut taken, begun) = (0, Instant::now());
        while taken < 20_000_000 {
            let length = slow.0.read(&mut chunk).await.unwrap();
            assert!(length > 0, "{taken} bytes after {:?}", begun.elapsed());
            if (taken + length) >> 19 > taken >> 19 {
                tokio::time::sleep(Duration::from_millis(40)).await;
            }
            taken += length;
        }
        assert!(begun.elapsed() > 2 * timeout, "{:?}", begun.elapsed());
    });
}

#[test]
fn streams_on_which_there_is_nothing_to_say_are_left_alone() {
    everywhere(async |serve| {
        let site = serve(Setup {
            options: ServeOptions {
                write_timeout: Some(TIMEOUT),
                ..ServeOptions::default()
            },
            ..Setup::default()
        });
        site.seen.hold.store(true, Ordering::SeqCst);
        let peers = [
            Peer::http1(plain(site.address).await).await,
            Peer::prior_knowledge(site.address).await,
        ];
        let slow = peers.map(|peer| tokio::spawn(async move { peer.call("slow", "{}").await }));
        let mut listening = Vec::new();
        for is_http2 in [false, true] {
            let peer = match is_http2 {
                true => Peer::prior_knowledge(site.address).await,
                false => Peer::http1(plain(site.address).await).await,
            };
            let (_, session, _) = peer.post(&[], INITIALIZE).await.unwrap();
            let session = [("mcp-session-id".to_owned(), session.unwrap())];
            let events = peer.send(peer.request("GET", &session, "")).await.unwrap();
            listening.push((peer, session, events));
        }
        until(|| site.seen.waiting() == 2).await;
        tokio::time::sleep(5 * TIMEOUT).await;
        site.seen.hold.store(false, Ordering::SeqCst);
        for slow in slow {
            let (status, text) = slow.await.unwrap().unwrap();
            assert!(status == 200 && text.contains("done"), "{text}");
        }
        for (_peer, session, events) in listening {
            let mut other = Raw::open(site.address).await;
            let session: Vec<_> = session.iter().map(|(name, id)| (name.as_str(), id.as_str())).collect();
            assert_eq!(other.ask(&request("DELETE", "/mcp", &session, "")).await.0, 204);
            events.into_body().collect().await.expect("the stream ends in order");
        }
    });
}

/// It is there no more, though nothing says so.
#[test]
fn a_client_of_http2_that_does_not_answer_is_closed_in_time() {
    everywhere(async |serve| {
        let site = serve(setup());
        let mut silent = Raw::open(site.address).await;
        let begun = Instant::now();
        silent
            .send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
            .await;
        served_again(&site).await;
        assert!(begun.elapsed() >= TIMEOUT, "{:?}", begun.elapsed());
    });
}

#[test]
fn without_a_bound_nobody_is_closed() {
    everywhere(async |serve| {
        for write_timeout in [None, Some(Duration::MAX)] {
            let site = serve(Setup {
                options: ServeOptions {
                    write_timeout,
                    ..ServeOptions::default()
                },
                ..Setup::default()
            });
            let mut silent = Raw::open(site.address).await;
            silent.send(&modern_request("/mcp", "large", LARGE)).await;
            let peer = Peer::prior_knowledge(site.address).await;
            let response = untaken(&peer).await;
            tokio::time::sleep(TIMEOUT).await;
            let mut text = vec![0; 20_000_000];
            silent.0.read_exact(&mut text).await.unwrap();
            assert!(header(&String::from_utf8_lossy(&text[..1000]), "content-length").is_some());
            assert!(response.into_body().collect().await.unwrap().to_bytes().len() > 20_000_000);
        }
    });
}
