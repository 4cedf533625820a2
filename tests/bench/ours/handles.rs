//! The handles, polled by hand: what an application uses, without a runtime.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use mcp_proto::Time;
use mcp_proto::handle::client::{Call, ClientPump};
use mcp_proto::handle::server::{ServerPump, ToolError};
use mcp_proto::handle::{Client, Pump, Server};
use mcp_proto::model::CallToolResult;

use super::machines::{check, client_config};
use crate::messages::{Echo, Era, TEXT};

/// The driver's clock. No time passes.
const NOW: Time = Time::ORIGIN;

/// The server of all measurements: one typed tool.
pub(crate) fn echo_server() -> Server {
    Server::builder("bench", "1.0.0")
        .tool("echo", "Says it again", |echo: Echo| async move {
            Ok::<_, ToolError>(echo.text)
        })
        .build()
}

/// Round trips with `window` calls in flight.
pub(crate) fn round_trips(era: Era, window: usize) -> impl FnMut(u64) {
    let (client, near) = Client::over_stream(client_config(era));
    let far = echo_server().pump();
    let mut calls: Vec<Call<CallToolResult>> = Vec::with_capacity(window);
    let mut exchange = move |count: usize| {
        calls.extend((0..count).map(|_| client.call_tool("echo", Echo { text: TEXT })));
        while !calls.is_empty() {
            calls.retain_mut(is_pending);
            carry(&near, &far);
        }
    };
    exchange(1);
    move |times| {
        let mut left = times;
        while left > 0 {
            let batch = left.min(window as u64);
            exchange(batch as usize);
            left -= batch;
        }
    }
}

fn is_pending(call: &mut Call<CallToolResult>) -> bool {
    let cx = &mut Context::from_waker(Waker::noop());
    let call: Pin<&mut Call<CallToolResult>> = pin!(call);
    match Future::poll(call, cx) {
        Poll::Pending => true,
        Poll::Ready(result) => {
            check(&result.expect("a result"));
            false
        }
    }
}

/// What drivers do: there and back.
fn carry(near: &ClientPump, far: &ServerPump) {
    let cx = &mut Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(bytes)) = near.poll_transmit(cx, NOW) {
        far.receive(NOW, bytes);
    }
    far.poll_work(cx, NOW);
    while let Poll::Ready(Some(bytes)) = far.poll_transmit(cx, NOW) {
        near.receive(NOW, bytes);
    }
}
