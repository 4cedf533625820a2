//! What the server does with clients that send slowly, much, or over many connections.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mcp_driver::http::ServeOptions;
use mcp_proto::Limits;

use crate::peer::{Raw, modern_request, request};
use crate::site::{Setup, everywhere};

/// The beginning of a request whose body has this length.
fn head(length: usize) -> Vec<u8> {
    let whole = request("POST", "/mcp", &[], "");
    let text = String::from_utf8(whole).unwrap();
    text.replace("content-length: 0", &format!("content-length: {length}"))
        .into_bytes()
}

#[test]
fn bad_requests_are_refused_and_the_connection_lives_on() {
    everywhere(async |serve| {
        let site = serve(Setup::default());
        let mut connection = Raw::open(site.address).await;
        let echo = modern_request("/mcp", "echo", r#"{"text":"hi"}"#);
        let evil = String::from_utf8(echo.clone()).unwrap();
        let evil = evil.replace("host: localhost", "host: evil.example.com");
        assert_eq!(connection.ask(evil.as_bytes()).await.0, 403);
        let nonsense = request("POST", "/mcp", &[], "nonsense");
        assert_eq!(connection.ask(&nonsense).await.0, 400);
        assert_eq!(connection.ask(&request("PUT", "/mcp", &[], "")).await.0, 405);
        assert_eq!(connection.ask(&echo).await.0, 200);

        let mut connection = Raw::open(site.address).await;
        assert_eq!(connection.ask(&head(99_999_999_999)).await.0, 413);
        let mut connection = Raw::open(site.address).await;
        assert_eq!(connection.ask(b"no http at all\r\n\r\n").await.0, 400);
    });
}

#[test]
fn a_handler_that_panics_answers_its_own_call_alone() {
    everywhere(async |serve| {
        let site = serve(Setup::default());
        let echo = modern_request("/mcp", "echo", r#"{"text":"hi"}"#);
        let mut other = Raw::open(site.address).await;
        assert_eq!(other.ask(&echo).await.0, 200);
        let mut connection = Raw::open(site.address).await;
        let (status, answer) = connection.ask(&modern_request("/mcp", "panic", "{}")).await;
        assert_eq!(status, 200);
        assert!(answer.contains(r#""code":-32603"#), "{answer}");
        assert!(!answer.contains("as it should here"), "{answer}");
        assert_eq!(connection.ask(&echo).await.0, 200, "its connection lives on");
        assert_eq!(other.ask(&echo).await.0, 200);
        assert_eq!(Raw::open(site.address).await.ask(&echo).await.0, 200);
    });
}

#[test]
fn a_body_in_pieces_is_put_together_and_bounded() {
    everywhere(async |serve| {
        let site = serve(Setup {
            limits: Limits::default().with_body_bytes(2_000),
            ..Setup::default()
        });
        let whole = String::from_utf8(modern_request("/mcp", "echo", r#"{"text":"hi"}"#)).unwrap();
        let (head, body) = whole.split_once("\r\n\r\n").unwrap();
        let lines = head.lines().filter(|line| !line.starts_with("content-length"));
        let head: String = lines.map(|line| format!("{line}\r\n")).collect();
        let head = head + "transfer-encoding: chunked\r\n\r\n";
        for pieces in [1, 7, body.len()] {
            let mut connection = Raw::open(site.address).await;
            connection.send(head.as_bytes()).await;
            for piece in body.as_bytes().chunks(body.len().div_ceil(pieces)) {
                let piece = format!("{:x}\r\n{}\r\n", piece.len(), std::str::from_utf8(piece).unwrap());
                connection.send(piece.as_bytes()).await;
            }
            let (status, text) = connection.ask(b"0\r\n\r\n").await;
            assert!(status == 200 && text.contains(r#""text":"hi""#), "{text}");
        }
        let mut connection = Raw::open(site.address).await;
        connection.send(head.as_bytes()).await;
        let blanks = format!("400\r\n{}\r\n", " ".repeat(0x400));
        assert_eq!(connection.ask(format!("{blanks}{blanks}").as_bytes()).await.0, 413);
    });
}

#[test]
fn a_body_that_does_not_arrive_is_waited_for_no_longer_than_said() {
    everywhere(async |serve| {
        let timeout = Duration::from_millis(300);
        let site = serve(Setup {
            options: ServeOptions {
                body_timeout: timeout,
                ..ServeOptions::default()
            },
            ..Setup::default()
        });
        let mut connection = Raw::open(site.address).await;
        let begun = Instant::now();
        connection.send(&head(10)).await;
        let (status, text) = connection.ask(b" ").await;
        assert_eq!(status, 408, "{text}");
        assert!(begun.elapsed() >= timeout, "{:?}", begun.elapsed());
    });
}

#[test]
fn bodies_that_are_read_are_bounded_together() {
    everywhere(async |serve| {
        let site = serve(Setup {
            limits: Limits::default().with_reading_bytes(1_000),
            ..Setup::default()
        });
        let blanks = [b' '; 800];
        let mut first = Raw::open(site.address).await;
        first.send(&head(900)).await;
        first.send(&blanks).await;
        let mut refused = 0;
        // The first is read when the system says so.
        while refused == 0 {
            let mut second = Raw::open(site.address).await;
            let (status, _) = second.ask(&[&head(800)[..], &blanks].concat()).await;
            refused += usize::from(status == 503);
        }
        drop(first);
        loop {
            let mut next = Raw::open(site.address).await;
            let (status, _) = next.ask(&[&head(800)[..], &blanks].concat()).await;
            if status == 400 {
                break;
            }
            assert_eq!(status, 503);
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn of_too_many_connections_a_further_one_is_closed_at_once() {
    everywhere(async |serve| {
        let site = serve(Setup {
            options: ServeOptions {
                max_connections: Some(1),
                ..ServeOptions::default()
            },
            ..Setup::default()
        });
        let mut first = Raw::open(site.address).await;
        assert!(is_served(&mut first).await);
        let mut second = Raw::open(site.address).await;
        assert!(!is_served(&mut second).await);
        assert!(is_served(&mut first).await, "the first is as it was");
        drop(first);
        // How soon the server sees that the first has gone is the system's.
        while !is_served(&mut Raw::open(site.address).await).await {
            tokio::task::yield_now().await;
        }
    });
}

/// Whether a request on this connection is answered.
async fn is_served(connection: &mut Raw) -> bool {
    use tokio::io::AsyncWriteExt;
    let put = request("PUT", "/", &[], "");
    connection.0.write_all(&put).await.is_ok() && connection.read().await.starts_with("HTTP/1.1 405")
}

/// A connection on which nothing comes, and one that stops in the middle of something.
#[test]
fn a_head_that_does_not_arrive_is_waited_for_no_longer_than_said() {
    everywhere(async |serve| {
        let timeout = Duration::from_millis(300);
        let site = serve(Setup {
            options: ServeOptions {
                header_timeout: timeout,
                ..ServeOptions::default()
            },
            ..Setup::default()
        });
        let texts: [&[u8]; 6] = [
            b"",
            b"P",
            b"PRI * HT",
            b"POST /mcp HTTP/1.1\r\nhost: lo",
            PREFACE,
            SETTINGS,
        ];
        let begun = Instant::now();
        let waits = texts.map(|text| closed(site.address, text));
        futures_util::future::join_all(waits).await;
        assert!(begun.elapsed() >= timeout, "{:?}", begun.elapsed());
        assert!(begun.elapsed() < 20 * timeout, "{:?}", begun.elapsed());
    });
}

/// The beginning of HTTP/2, without and with the empty SETTINGS that have to follow.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// Sends `text`, and waits until the server closes the connection.
async fn closed(address: SocketAddr, text: &[u8]) {
    let mut connection = Raw::open(address).await;
    connection.send(text).await;
    while !connection.read().await.is_empty() {}
}

#[test]
fn times_without_end_are_no_trap() {
    everywhere(async |serve| {
        let site = serve(Setup {
            options: ServeOptions {
                header_timeout: Duration::MAX,
                body_timeout: Duration::MAX,
                grace: Duration::MAX,
                ..ServeOptions::default()
            },
            ..Setup::default()
        });
        let mut connection = Raw::open(site.address).await;
        let echo = modern_request("/mcp", "echo", r#"{"text":"hi"}"#);
        assert_eq!(connection.ask(&echo).await.0, 200);
    });
}
