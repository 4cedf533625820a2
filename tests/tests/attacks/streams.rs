//! Streams that are never read.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use mcp_proto::Limits;
use mcp_proto::handle::Server;
use mcp_proto::handle::server::{Context, NoArgs};
use mcp_tests::world::Echo;
use tokio::net::TcpStream;

use crate::HEAP;
use crate::flood::server;
use crate::honest::{call, modern, recovered, resident, soon};
use crate::victim::everywhere;

const STREAMS: usize = 500;
const CONNECTIONS: usize = 10;
const UNREAD: usize = 32 << 20;
/// What each handler says at once, before its flood.
const MESSAGE: usize = 256 << 10;

/// A connection that takes nothing ahead, and so holds nothing of it in this process.
async fn open(address: SocketAddr) -> http2::SendRequest<Full<Bytes>> {
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let mut client = http2::Builder::new(TokioExecutor::new());
    client
        .initial_stream_window_size(65_535)
        .initial_connection_window_size(65_535);
    let (sender, connection) = client.handshake(stream).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// Calls of a tool, over these connections in turn, up to the head of each response.
async fn calls(connections: &[http2::SendRequest<Full<Bytes>>], tool: &str) -> Vec<Response<Incoming>> {
    let (headers, body) = modern("tools/call", tool, &format!(r#""name":"{tool}","arguments":{{}}"#));
    let attack = connections.iter().cycle().take(STREAMS).map(|sender| {
        let mut request = Request::post("http://localhost/mcp")
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream");
        for (name, value) in &headers {
            request = request.header(*name, *value);
        }
        let (mut sender, body) = (sender.clone(), Full::new(Bytes::from(body.clone())));
        async move {
            sender.ready().await.unwrap();
            sender.send_request(request.body(body).unwrap()).await.unwrap()
        }
    });
    join_all(attack).await
}

#[test]
fn five_hundred_streams_that_are_never_read_hold_little_each() {
    everywhere(async |start| {
        let victim = start(server());
        let connections = [open(victim.address).await];
        let before = resident();
        let streams = calls(&connections, "forever").await;
        for _ in 0..20 {
            let (status, text) = soon(victim.address, &call("echo", r#"{"text":"hi"}"#)).await;
            assert_eq!(status, 200, "{text}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let grown = resident().saturating_sub(before);
        assert!(grown < STREAMS * (768 << 10), "{grown}");
        drop(streams);
        recovered(victim.address, &call("echo", r#"{"text":"hi"}"#)).await;
    });
}

/// Each of its calls says something large, and goes on for ever.
fn shouting() -> Server {
    let echo = |args: Echo| async move { Ok(args.text) };
    let text: Arc<str> = "x".repeat(MESSAGE).into();
    let shout = move |_: NoArgs, context: Context| {
        let text = text.clone();
        async move {
            context.progress(0.0, None, &*text).await;
            for report in 1_u32.. {
                context.progress(f64::from(report), None, "and so on").await;
            }
            Ok("never")
        }
    };
    Server::builder("victim", "1")
        .limits(Limits::default().with_unread_bytes(UNREAD))
        .tool("echo", "", echo)
        .tool("shout", "", shout)
        .build()
}

#[test]
fn five_hundred_floods_that_are_never_read_are_bounded_together() {
    everywhere(async |start| {
        let victim = start(shouting());
        let connections = join_all((0..CONNECTIONS).map(|_| open(victim.address))).await;
        soon(victim.address, &call("echo", r#"{"text":"hi"}"#)).await;
        let before = HEAP.current_usage();
        HEAP.reset_peak_usage();
        let streams = calls(&connections, "shout").await;
        assert!(streams.iter().all(|stream| stream.status() == StatusCode::OK));
        for _ in 0..20 {
            let (status, text) = soon(victim.address, &call("echo", r#"{"text":"hi"}"#)).await;
            assert_eq!(status, 200, "{text}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let most = HEAP.peak_usage().saturating_sub(before);
        println!("{} MiB", most >> 20);
        // Beside what is counted, of each stream its request and a piece that the HTTP library has in hand; as long as there
        // is room, a piece keeps what it was a piece of. All that was said would be 125 MiB.
        assert!(most < UNREAD + UNREAD / 2 + STREAMS * (48 << 10), "{most}");
        // Who is cut off can tell.
        let mut ends: FuturesUnordered<_> = streams.into_iter().map(|it| it.into_body().collect()).collect();
        let lost = tokio::time::timeout(Duration::from_secs(30), ends.next()).await;
        assert!(lost.expect("an end").unwrap().is_err());
        drop((ends, connections));
        recovered(victim.address, &call("echo", r#"{"text":"hi"}"#)).await;
    });
}
