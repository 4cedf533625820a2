//! GET streams that are never read, while everybody is told something large.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use mcp_proto::Limits;
use mcp_proto::handle::Server;
use mcp_proto::jsonrpc::{Params, RawJson};
use mcp_tests::world::Echo;
use tokio::net::TcpStream;

use crate::HEAP;
use crate::honest::{Raw, call, soon};
use crate::victim::everywhere;

const STREAMS: usize = 500;
const CONNECTIONS: usize = 10;
const BROADCASTS: usize = 16;
const MESSAGE: usize = 64 << 10;
const UNREAD: usize = 32 << 20;

#[test]
fn five_hundred_listeners_that_never_read_are_bounded_together() {
    everywhere(async |start| {
        let echo = |args: Echo| async move { Ok(args.text) };
        let server = Server::builder("victim", "1")
            .limits(Limits::default().with_unread_bytes(UNREAD))
            .capabilities(serde_json::from_str(r#"{"logging":{}}"#).unwrap())
            .tool("echo", "", echo)
            .build();
        let victim = start(server.clone());
        let mut opener = Raw::open(victim.address).await;
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
            let stream = TokioIo::new(TcpStream::connect(victim.address).await.unwrap());
            let mut client = http2::Builder::new(TokioExecutor::new());
            // The attacker takes nothing ahead, and so holds nothing of it in this process.
            client
                .initial_stream_window_size(65_535)
                .initial_connection_window_size(65_535);
            let (sender, connection) = client.handshake::<_, Empty<Bytes>>(stream).await.unwrap();
            tokio::spawn(connection);
            connections.push(sender);
        }
        let mut attack = Vec::new();
        for number in 0..STREAMS {
            let request = Request::get("http://localhost/mcp")
                .header("accept", "text/event-stream")
                .header("mcp-protocol-version", "2025-11-25")
                .header("mcp-session-id", opener.session().await)
                .body(Empty::new())
                .unwrap();
            let mut sender = connections[number % CONNECTIONS].clone();
            attack.push(async move {
                sender.ready().await.unwrap();
                sender.send_request(request).await.unwrap()
            });
        }
        let streams = join_all(attack).await;
        assert!(streams.iter().all(|stream| stream.status() == StatusCode::OK));
        let before = HEAP.current_usage();
        HEAP.reset_peak_usage();
        for _ in 0..BROADCASTS {
            let json = format!(r#"{{"level":"info","data":"{}"}}"#, "x".repeat(MESSAGE));
            let params = Params::from_raw(RawJson::parse(json).unwrap()).unwrap();
            server.notify("notifications/message", params).unwrap();
            let (status, text) = soon(victim.address, &call("echo", r#"{"text":"hi"}"#)).await;
            assert_eq!(status, 200, "{text}");
        }
        let most = HEAP.peak_usage().saturating_sub(before);
        println!("{} MiB", most >> 20);
        // Beside what is counted, of each stream a piece that the HTTP library has in hand. All that was said would be
        // 512 MiB.
        assert!(most < UNREAD + UNREAD / 2 + STREAMS * (32 << 10), "{most}");
        // Who is cut off can tell.
        let mut ends: FuturesUnordered<_> = streams.into_iter().map(|it| it.into_body().collect()).collect();
        let lost = tokio::time::timeout(Duration::from_secs(30), ends.next()).await;
        assert!(lost.expect("an end").unwrap().is_err());
    });
}
