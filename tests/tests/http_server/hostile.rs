//! Clients that mean ill, or write HTTP as nobody does: each is answered or closed, and the others do not notice.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mcp_driver::http::ServeOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::peer::{Peer, Raw, modern_request};
use crate::site::{Setup, everywhere, until};

/// Ends a connection that is still open: answered with 405.
const LAST: &str = "PUT /last HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// What a server must not take for a request: answered with 400.
const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// A call in parts.
struct Call {
    /// The head without the last header and the blank line.
    head: String,
    body: String,
}

impl Call {
    fn echo() -> Self {
        let whole = String::from_utf8(modern_request("/mcp", "echo", r#"{"text":"hi"}"#)).unwrap();
        let (head, body) = whole.split_once("\r\n\r\n").unwrap();
        let lines = head.lines().filter(|line| !line.starts_with("content-length"));
        Self {
            head: lines.map(|line| format!("{line}\r\n")).collect(),
            body: body.to_owned(),
        }
    }

    /// With these headers more, and this in place of the body.
    fn with(&self, headers: &str, body: &str) -> String {
        format!("{}{headers}\r\n\r\n{body}", self.head)
    }

    fn length(&self) -> String {
        format!("content-length: {}", self.body.len())
    }

    fn whole(&self) -> String {
        self.with(&self.length(), &self.body)
    }

    fn chunked(&self) -> String {
        format!("{:x}\r\n{}\r\n0\r\n\r\n", self.body.len(), self.body)
    }
}

/// The statuses of all that is answered to `text` and the [`LAST`] request, until the connection is closed.
async fn answered(address: SocketAddr, text: &str) -> Vec<u16> {
    let (mut read, mut write) = Raw::open(address).await.0.into_split();
    let text = format!("{text}{LAST}");
    // A server that has had enough need not read all of it.
    let writing = tokio::spawn(async move {
        let _ = write.write_all(text.as_bytes()).await;
        write
    });
    let mut answers = Vec::new();
    let reading = tokio::time::timeout(Duration::from_secs(20), read.read_to_end(&mut answers));
    let _ = reading.await.expect("the end of the connection");
    drop(writing.await);
    let answers = String::from_utf8_lossy(&answers).into_owned();
    let statuses = answers
        .match_indices("HTTP/1.")
        .map(|(at, _)| &answers[at + 9..at + 12]);
    statuses.map(|status| status.parse().unwrap()).collect()
}

/// Every text with what is answered to it.
async fn check(address: SocketAddr, cases: &[(String, &[u16])]) {
    for (text, expected) in cases {
        let shown: String = text.chars().take(600).collect();
        assert_eq!(answered(address, text).await, *expected, "{shown}");
    }
}

#[test]
fn no_request_is_smuggled_in_the_body_of_another() {
    let call = Call::echo();
    let (length, chunked) = (call.length(), call.chunked());
    let both = format!("{length}\r\ntransfer-encoding: chunked");
    let cases = [
        (call.whole(), [200, 405].as_slice()),
        (call.with("transfer-encoding: chunked", &chunked), &[200, 405]),
        // One of both counts, and nothing more on this connection (RFC 9112, 6.3).
        (call.with(&both, &(chunked.clone() + SMUGGLED)), &[200]),
        (
            call.with("transfer-encoding: chunked\r\ncontent-length: 0", &chunked),
            &[200],
        ),
        (call.with(&format!("{length}\r\ncontent-length: 3"), &call.body), &[400]),
        (call.with(&format!("{length}, {}", call.body.len()), &call.body), &[400]),
        (call.with("content-length: +5", &call.body), &[400]),
        (call.with("content-length: -1", &call.body), &[400]),
        (call.with("content-length: 0x10", &call.body), &[400]),
        (call.with("content-length: 99999999999999999999999", &call.body), &[400]),
        (call.with("transfer-encoding: identity", SMUGGLED), &[400]),
        (call.with("transfer-encoding: chunked, identity", &chunked), &[400]),
        (call.with("transfer-encoding: xchunked", &chunked), &[400]),
        (call.with("transfer-encoding : chunked", &chunked), &[400]),
        (
            call.with("transfer-encoding: chunked", "zz\r\nabc\r\n0\r\n\r\n"),
            &[400],
        ),
        (
            call.with("transfer-encoding: chunked", "-1\r\nabc\r\n0\r\n\r\n"),
            &[400],
        ),
        (
            call.with("transfer-encoding: chunked", "fffffffffffffffff\r\nabc"),
            &[400],
        ),
        (
            call.with("transfer-encoding: chunked", &chunked.replace("\r\n", "\n")),
            &[400],
        ),
        // What is not read of a body is no request.
        (call.whole().replace("POST", "PUT") + &call.whole(), &[405, 200, 405]),
        (
            call.whole()
                .replace("POST", "DELETE")
                .replacen(&length, &format!("{length}\r\nconnection: close"), 1),
            &[405],
        ),
        (call.with(&length, &call.body).replace("HTTP/1.1", "HTTP/1.0"), &[200]),
        (
            call.with("transfer-encoding: chunked", &chunked)
                .replace("HTTP/1.1", "HTTP/1.0"),
            &[400],
        ),
    ];
    everywhere(async |serve| check(serve(Setup::default()).address, &cases).await);
}

#[test]
fn heads_that_are_none_or_too_large_are_refused() {
    let call = Call::echo();
    let (length, whole) = (call.length(), call.whole());
    let many = |count: usize| call.with(&format!("{}{length}", "x: y\r\n".repeat(count)), &call.body);
    let large = |count: usize| call.with(&format!("x: {}\r\n{length}", "y".repeat(count)), &call.body);
    let cases = [
        (many(90), [200, 405].as_slice()),
        (many(120), &[431]),
        (many(10_000), &[431]),
        (large(60_000), &[200, 405]),
        (large(70_000), &[431]),
        (large(1_000_000), &[431]),
        (whole.replace("/mcp", &"/a".repeat(40_000)), &[431]),
        (call.with(&format!("x: a\r\n b\r\n{length}"), &call.body), &[400]),
        (call.with(&format!("x y: a\r\n{length}"), &call.body), &[400]),
        (call.with(&format!("xy\r\n{length}"), &call.body), &[400]),
        (call.with(&format!("x: a\0b\r\n{length}"), &call.body), &[400]),
        (call.with(&format!("x: a\rb\r\n{length}"), &call.body), &[400]),
        (whole.replace("POST /mcp", "POST /m cp"), &[400]),
        (whole.replace("POST", "PO\u{7f}ST"), &[400]),
        (whole.replace("HTTP/1.1", "HTTP/1.2"), &[400]),
        (whole.replace("HTTP/1.1", "HTTP/2.0"), &[400]),
        ("GET /\r\n".to_owned(), &[400]),
        (format!("\r\n\r\n{whole}"), &[200, 405]),
    ];
    everywhere(async |serve| check(serve(Setup::default()).address, &cases).await);
}

#[test]
fn hosts_are_named_once_and_as_the_target_has_them() {
    let whole = Call::echo().whole();
    let hosts = |hosts: &str| whole.replace("host: localhost\r\n", hosts);
    let cases = [
        (hosts(""), [400, 405].as_slice()),
        (hosts("host:\r\n"), &[400, 405]),
        (hosts("host: localhost\r\nhost: localhost\r\n"), &[400, 405]),
        (hosts("host: localhost\r\nhost: evil.example\r\n"), &[400, 405]),
        (hosts("host: evil.example\r\n"), &[403, 405]),
        (whole.replace("/mcp HTTP", "http://localhost/mcp HTTP"), &[200, 405]),
        (whole.replace("/mcp HTTP", "http://evil.example/mcp HTTP"), &[400, 405]),
        (
            hosts("host: evil.example\r\n").replace("/mcp HTTP", "http://localhost/mcp HTTP"),
            &[400, 405],
        ),
    ];
    everywhere(async |serve| check(serve(Setup::default()).address, &cases).await);
}

#[test]
fn what_http_has_beside_mcp_is_answered_and_changes_nothing() {
    let call = Call::echo();
    let (length, whole) = (call.length(), call.whole());
    let expecting = format!("{length}\r\nexpect: 100-continue");
    let upgrade = "connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__";
    let bare = |method: &str, target: &str| format!("{method} {target} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    let cases = [
        (bare("HEAD", "/mcp"), [405, 405].as_slice()),
        (bare("OPTIONS", "/mcp"), &[405, 405]),
        (bare("OPTIONS", "*"), &[405, 405]),
        (bare("TRACE", "/mcp"), &[405, 405]),
        (bare("CONNECT", "localhost:80"), &[400, 405]),
        (bare("GET", "/mcp"), &[400, 405]),
        (call.with(&format!("{length}\r\n{upgrade}"), &call.body), &[200, 405]),
        (call.with(&expecting, &call.body), &[100, 200, 405]),
        // Nothing of such a body is asked for.
        (
            call.with(&expecting, "")
                .replace("host: localhost", "host: evil.example"),
            &[403],
        ),
        (
            call.with("content-length: 999999999999\r\nexpect: 100-continue", ""),
            &[413],
        ),
        (whole.repeat(20), &[[200; 20].as_slice(), &[405]].concat()),
    ];
    everywhere(async |serve| check(serve(Setup::default()).address, &cases).await);
}

#[test]
fn a_response_to_head_has_no_body() {
    everywhere(async |serve| {
        let site = serve(Setup::default());
        let mut connection = Raw::open(site.address).await;
        let head = b"HEAD /mcp HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        connection.send(head).await;
        let mut text = String::new();
        connection.0.read_to_string(&mut text).await.unwrap();
        assert!(text.starts_with("HTTP/1.1 405") && text.ends_with("\r\n\r\n"), "{text}");
    });
}

/// Whoever ends the sending side has hung up: nobody tells the one from the other.
#[test]
fn a_client_that_stops_in_the_middle_leaves_nothing_behind() {
    everywhere(async |serve| {
        let site = serve(Setup::default());
        let whole = Call::echo().whole();
        for length in [1, 30, whole.len() - 5] {
            let mut connection = Raw::open(site.address).await;
            connection.send(&whole.as_bytes()[..length]).await;
            connection.0.shutdown().await.unwrap();
            // Whether it is closed or reset depends on what has been read by then.
            let text = connection.read().await;
            assert!(text.is_empty() || text.starts_with("HTTP/1.1 400"), "{text}");
        }
        let mut connection = Raw::open(site.address).await;
        connection.send(&modern_request("/mcp", "wait", "{}")).await;
        until(|| site.seen.waiting() == 1).await;
        connection.0.shutdown().await.unwrap();
        assert_eq!(connection.read().await, "");
        until(|| site.seen.waiting() == 0).await;
    });
}

#[test]
fn a_head_that_comes_in_drops_is_waited_for_no_longer_than_said() {
    everywhere(async |serve| {
        let timeout = Duration::from_millis(400);
        let site = serve(Setup {
            options: ServeOptions {
                header_timeout: timeout,
                ..ServeOptions::default()
            },
            ..Setup::default()
        });
        for is_first in [true, false] {
            let mut connection = Raw::open(site.address).await;
            if !is_first {
                assert_eq!(connection.ask(Call::echo().whole().as_bytes()).await.0, 200);
            }
            let begun = Instant::now();
            let head = Call::echo().head;
            let drops = head.bytes().cycle().take_while(|_| begun.elapsed() < 20 * timeout);
            for drop in drops {
                if connection.0.write_all(&[drop]).await.is_err() {
                    break;
                }
                tokio::time::sleep(timeout / 40).await;
            }
            assert!(begun.elapsed() < 20 * timeout, "{:?}", begun.elapsed());
        }
    });
}

#[test]
fn a_handler_that_panics_over_http2_answers_its_own_call_alone() {
    everywhere(async |serve| {
        let site = serve(Setup::default());
        let peer = Peer::prior_knowledge(site.address).await;
        for _ in 0..2 {
            let (status, answer) = peer.call("panic", "{}").await.unwrap();
            assert_eq!(status, 200);
            assert!(answer.contains(r#""code":-32603"#), "{answer}");
            assert_eq!(peer.call("echo", r#"{"text":"hi"}"#).await.unwrap().0, 200);
        }
    });
}

/// Frames by hand (RFC 9113, 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, a, b, c] = (payload.len() as u32).to_be_bytes();
    [&[a, b, c, kind, flags][..], &stream.to_be_bytes(), payload].concat()
}

/// What a client of HTTP/2 begins with, and the head of a POST to `localhost` (RFC 7541, appendix A).
const BEGINNING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const HEAD: &[u8] = b"\x83\x86\x84\x41\x09localhost";

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;

#[test]
fn floods_of_http2_are_cut_off() {
    let fields = b"\x00\x01x\x0aaaaaaaaaaa".repeat(1_000);
    let reset = |id: u32| {
        let cancel = 8_u32.to_be_bytes();
        [frame(HEADERS, END_HEADERS, id, HEAD), frame(RST_STREAM, 0, id, &cancel)].concat()
    };
    let floods: [Vec<u8>; 3] = [
        [
            frame(HEADERS, 0, 1, HEAD),
            frame(CONTINUATION, 0, 1, &fields).repeat(2_000),
        ]
        .concat(),
        [
            frame(HEADERS, 0, 1, HEAD),
            frame(CONTINUATION, 0, 1, &[]).repeat(100_000),
        ]
        .concat(),
        (0..100_000).flat_map(|number| reset(2 * number + 1)).collect(),
    ];
    everywhere(async |serve| {
        let site = serve(Setup::default());
        let mut other = Raw::open(site.address).await;
        for flood in &floods {
            let mut connection = Raw::open(site.address).await;
            connection.send(BEGINNING).await;
            // Where all of it was taken by the system, the end is read.
            if connection.0.write_all(flood).await.is_ok() {
                while !connection.read().await.is_empty() {}
            }
            assert_eq!(other.ask(Call::echo().whole().as_bytes()).await.0, 200);
        }
        until(|| site.seen.waiting() == 0).await;
    });
}

#[test]
fn thousands_of_idle_connections_come_and_go() {
    everywhere(async |serve| {
        let site = serve(Setup {
            options: ServeOptions {
                max_connections: Some(2_000),
                ..ServeOptions::default()
            },
            ..Setup::default()
        });
        let texts = [b"".as_slice(), b"POST /mcp HTTP/1.1\r\nhost: lo", BEGINNING, b"P"];
        for _ in 0..2 {
            let mut idle = Vec::new();
            for number in 0..1_999 {
                let mut connection = Raw::open(site.address).await;
                connection.send(texts[number % texts.len()]).await;
                idle.push(connection);
            }
            let mut last = Raw::open(site.address).await;
            while last.try_ask(Call::echo().whole().as_bytes()).await != Some(200) {
                // The former ones are not all gone.
                tokio::task::yield_now().await;
                last = Raw::open(site.address).await;
            }
            drop(idle);
        }
    });
}
