//! Subscriptions over one connection of HTTP/2, as many as there may be.

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use mcp_proto::Limits;
use mcp_proto::handle::Server;
use mcp_tests::world::Echo;
use tokio::net::TcpStream;

use crate::honest::{call, modern, recovered, request, resident, soon};
use crate::victim::everywhere;

/// As many as there may be: a tenth of the default, which the HTTP/2 library itself takes for a flood of frames.
const MANY: usize = 1_000;
const LISTEN: &str = r#""notifications":{"toolsListChanged":true}"#;

#[test]
fn as_many_subscriptions_as_there_may_be_over_one_connection_refuse_nobody() {
    everywhere(async |start| {
        let echo = |args: Echo| async move { Ok(args.text) };
        let limits = Limits::default().with_sessions(MANY);
        let server = Server::builder("victim", "1").limits(limits).tool("echo", "", echo);
        let victim = start(server.build());
        let stream = TokioIo::new(TcpStream::connect(victim.address).await.unwrap());
        let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
        tokio::spawn(connection);
        let before = resident();
        let attack = (0..MANY).map(|_| {
            let (headers, body) = modern("subscriptions/listen", "", LISTEN);
            let mut request = Request::post("http://localhost/mcp")
                .header("content-type", "application/json")
                .header("accept", "application/json, text/event-stream");
            for (name, value) in headers {
                request = request.header(name, value);
            }
            let mut sender = sender.clone();
            async move {
                sender.ready().await.unwrap();
                let request = request.body(Full::new(Bytes::from(body))).unwrap();
                sender.send_request(request).await.unwrap()
            }
        });
        let streams = join_all(attack).await;
        assert!(streams.iter().all(|stream| stream.status() == StatusCode::OK));
        // Half of it is the attacker's own.
        let grown = resident().saturating_sub(before);
        assert!(grown < 64 << 20, "{grown}");
        let (headers, body) = modern("subscriptions/listen", "", LISTEN);
        for _ in 0..20 {
            let (status, text) = soon(victim.address, &request(&headers, &body)).await;
            assert!(status == 200 && text.contains("text/event-stream"), "{text}");
            let (status, text) = soon(victim.address, &call("echo", r#"{"text":"hi"}"#)).await;
            assert_eq!(status, 200, "{text}");
        }
        // What is lost is told: its stream ends with the result of the subscription.
        let mut ends: FuturesUnordered<_> = streams.into_iter().map(|it| it.into_body().collect()).collect();
        let lost = ends.next().await.unwrap().unwrap().to_bytes();
        let lost = String::from_utf8_lossy(&lost);
        assert!(lost.contains(r#""resultType":"complete""#), "{lost}");
        drop(ends);
        recovered(victim.address, &call("echo", r#"{"text":"hi"}"#)).await;
    });
}
