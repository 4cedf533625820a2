//! What the service does with clients that send slowly or much, on a clock that stands still.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use mcp_tokio::Server;
use mcp_tokio::http::server::{McpService, ResponseBody, service};
use mcp_tokio::mcp_proto::Limits;
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
    let limits = Limits::default().with_reading_bytes(1_000);
    let mut service = service(server(limits));
    let cx = &mut Context::from_waker(std::task::Waker::noop());
    let mut first = stalled(&mut service, 800);
    assert!(first.as_mut().poll(cx).is_pending());
    assert_eq!(stalled(&mut service, 800).await.unwrap().status(), 503);
    drop(first);
    let mut next = stalled(&mut service, 800);
    assert!(next.as_mut().poll(cx).is_pending(), "there is room again");
}
