//! What the server over HTTP does with clients that send slowly, much, or over many connections.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use mcp_tokio::Server;
use mcp_tokio::http::server::{McpService, ResponseBody, ServeOptions, serve_until, service};
use mcp_tokio::mcp_proto::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tower_service::Service;

/// A body of which one piece comes, and then nothing.
struct Stalled(Option<Bytes>);

impl Body for Stalled {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.0.take() {
            Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece)))),
            None => Poll::Pending,
        }
    }
}

fn server(limits: Limits) -> Server {
    Server::builder("test", "1.0.0").limits(limits).build()
}

type Answer = Result<Response<ResponseBody>, Infallible>;

/// A request whose body stops after `length` bytes.
fn stalled(service: &mut McpService, length: usize) -> Pin<Box<impl Future<Output = Answer> + use<>>> {
    let request = Request::post("/mcp")
        .header("host", "localhost")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .body(Stalled(Some(Bytes::from(vec![b' '; length]))));
    Box::pin(service.call(request.unwrap()))
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_arrive_is_waited_for_no_longer_than_said() {
    let begun = Instant::now();
    let mut service = service(server(Limits::default()));
    assert_eq!(stalled(&mut service, 1).await.unwrap().status(), 408);
    assert_eq!(begun.elapsed().as_secs(), 30);
    let mut hurried = service.with_body_timeout(Duration::from_secs(2));
    assert_eq!(stalled(&mut hurried, 1).await.unwrap().status(), 408);
    assert_eq!(begun.elapsed().as_secs(), 32);
}

#[tokio::test(start_paused = true)]
async fn bodies_that_are_read_are_bounded_together() {
    let limits = Limits {
        reading_bytes: 1_000,
        ..Limits::default()
    };
    let mut service = service(server(limits));
    let cx = &mut Context::from_waker(std::task::Waker::noop());
    let mut first = stalled(&mut service, 800);
    assert!(first.as_mut().poll(cx).is_pending());
    assert_eq!(stalled(&mut service, 800).await.unwrap().status(), 503);
    drop(first);
    let mut next = stalled(&mut service, 800);
    assert!(next.as_mut().poll(cx).is_pending(), "there is room again");
}

#[tokio::test]
async fn of_too_many_connections_a_further_one_is_closed_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let options = ServeOptions {
        max_connections: Some(1),
        ..ServeOptions::default()
    };
    tokio::spawn(async move { serve_until(listener, service(server(Limits::default())), &options, pending()).await });
    let mut first = TcpStream::connect(address).await.unwrap();
    assert!(is_served(&mut first).await);
    let mut second = TcpStream::connect(address).await.unwrap();
    assert!(!is_served(&mut second).await);
    assert!(is_served(&mut first).await, "the first is as it was");
    drop(first);
    // How soon the server sees that the first has gone is the system's.
    while !is_served(&mut TcpStream::connect(address).await.unwrap()).await {
        tokio::task::yield_now().await;
    }
}

/// Whether a request on this connection is answered.
async fn is_served(connection: &mut TcpStream) -> bool {
    let request = b"PUT / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n";
    let mut buffer = [0; 1 << 10];
    if connection.write_all(request).await.is_err() {
        return false;
    }
    let read = tokio::time::timeout(Duration::from_secs(10), connection.read(&mut buffer));
    let Ok(read) = read.await.expect("the server answers or closes") else {
        return false;
    };
    buffer[..read].starts_with(b"HTTP/1.1 405")
}
