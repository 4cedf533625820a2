//! Tools against servers in memory, polled by hand: no runtime anywhere.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Context, Poll, Waker};
use std::sync::Mutex;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::client::{ClientConfig, Mode};
use crate::handle::Crossing;
use crate::handle::client::ClientPump;
use crate::handle::server::{self, ServerBuilder, ServerPump, ToolError};
use crate::handle::{Client, Pump, Server};
use crate::model::{CallToolResult, Json, Tool};
use crate::{Revision, Time};

mod awkward;
mod boxes;
mod budget;
mod changes;
mod inert;
mod pooled;
mod routing;
mod single_flight;

/// Both eras, each without a question which it is.
const ERAS: [Mode; 2] = [Mode::Modern, Mode::Legacy(Revision::LATEST_LEGACY)];

/// A pump that notes the methods of what it receives.
struct Noting<P> {
    pump: P,
    received: Arc<Mutex<Vec<String>>>,
}

impl<P: Pump> Pump for Noting<P> {
    fn poll_wants_input(&self, cx: &mut Context<'_>) -> Poll<bool> {
        self.pump.poll_wants_input(cx)
    }

    fn receive(&self, now: Time, bytes: Bytes) {
        for line in core::str::from_utf8(&bytes).unwrap().lines() {
            let message: Value = serde_json::from_str(line).unwrap();
            let method = message["method"].as_str().unwrap_or("answer");
            self.received.lock().unwrap().push(method.to_string());
        }
        self.pump.receive(now, bytes);
    }

    fn receive_eof(&self, now: Time) {
        self.pump.receive_eof(now);
    }

    fn poll_work(&self, cx: &mut Context<'_>, now: Time) {
        self.pump.poll_work(cx, now);
    }

    fn poll_transmit(&self, cx: &mut Context<'_>, now: Time) -> Poll<Option<Bytes>> {
        self.pump.poll_transmit(cx, now)
    }

    fn is_cut_off(&self) -> bool {
        self.pump.is_cut_off()
    }

    fn deadline(&self) -> Option<Time> {
        self.pump.deadline()
    }

    fn handle_timeout(&self, now: Time) {
        self.pump.handle_timeout(now);
    }
}

/// A server and what carries the messages of its one client.
struct World {
    server: Server,
    crossing: Crossing<ClientPump, Noting<ServerPump>>,
    received: Arc<Mutex<Vec<String>>>,
    now: Time,
}

impl World {
    fn new(mode: Mode, server: ServerBuilder) -> (Client, Self) {
        Self::with(ClientConfig::named("test", "1").with_mode(mode), server)
    }

    fn with(config: ClientConfig, server: ServerBuilder) -> (Client, Self) {
        let server = server.build();
        let (client, pump) = Client::over_stream(config);
        let received = Arc::default();
        let noting = Noting {
            pump: server.pump(),
            received: Arc::clone(&received),
        };
        let world = Self {
            server,
            crossing: Crossing::new(pump, noting),
            received,
            now: Time::ORIGIN,
        };
        (client, world)
    }

    fn poll(&mut self, cx: &mut Context<'_>) {
        let now = self.now;
        let due = |_: &mut Context<'_>, deadline: Option<Time>| match deadline {
            Some(deadline) if deadline <= now => Poll::Ready(now),
            _ => Poll::Pending,
        };
        let _ = self.crossing.poll(cx, now, due);
    }

    /// How often the server was asked `method`.
    fn count(&self, method: &str) -> usize {
        let received = self.received.lock().unwrap();
        received.iter().filter(|received| *received == method).count()
    }
}

/// Polls `future` and what carries its messages, until it is done.
fn run<F: Future>(worlds: &mut [&mut World], future: F) -> F::Output {
    let mut future = pin!(future);
    let cx = &mut Context::from_waker(Waker::noop());
    for _ in 0..10_000 {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return output;
        }
        worlds.iter_mut().for_each(|world| world.poll(cx));
    }
    panic!("it hangs");
}

/// Lets other tasks go first.
async fn pause() {
    let mut paused = false;
    poll_fn(|cx| match core::mem::replace(&mut paused, true) {
        true => Poll::Ready(()),
        false => {
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await;
}

fn any_object(name: &str) -> Tool {
    Tool::new(name, Json::parse(r#"{"type":"object"}"#).unwrap())
}

/// A server whose tools say their names and the server's.
fn named(server: &str, tools: &[&str]) -> ServerBuilder {
    tools.iter().fold(Server::builder(server, "1"), |builder, tool| {
        let said = format!("{server}.{tool}");
        builder.raw_tool(any_object(tool), move |_, _| {
            let said = said.clone();
            async move { Ok(said) }
        })
    })
}

/// A server whose tool `count` reports as many steps as it is asked for, from the number it is asked for.
fn counting() -> ServerBuilder {
    #[derive(serde::Deserialize)]
    struct Count {
        from: u32,
        steps: u32,
    }
    Server::builder("counting", "1").raw_tool(any_object("count"), |arguments, context: server::Context| async move {
        let Count { from, steps } = arguments.decode().map_err(ToolError::from)?;
        for step in 0..steps {
            pause().await;
            context.progress(f64::from(from + step), None, None).await;
        }
        Ok(CallToolResult::text(format!("{from}")))
    })
}

/// The arguments of `count`.
fn count(from: u32, steps: u32) -> Value {
    json!({"from": from, "steps": steps})
}
