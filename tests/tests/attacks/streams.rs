//! Streams that are never read.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use http::Request;
use http_body_util::Full;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use crate::flood::server;
use crate::honest::{call, modern, recovered, resident, soon};
use crate::victim::everywhere;

const STREAMS: usize = 500;

#[test]
fn five_hundred_streams_that_are_never_read_hold_little_each() {
    everywhere(async |start| {
        let victim = start(server());
        let stream = TokioIo::new(TcpStream::connect(victim.address).await.unwrap());
        let mut client = http2::Builder::new(TokioExecutor::new());
        // The attacker takes nothing ahead, and so holds nothing of it in this process.
        client
            .initial_stream_window_size(65_535)
            .initial_connection_window_size(65_535);
        let (sender, connection) = client.handshake(stream).await.unwrap();
        tokio::spawn(connection);
        let before = resident();
        let (headers, body) = modern("tools/call", "forever", r#""name":"forever","arguments":{}"#);
        let attack = (0..STREAMS).map(|_| {
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
        let streams = join_all(attack).await;
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
