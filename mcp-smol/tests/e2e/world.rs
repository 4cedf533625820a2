//! What every scenario runs in: an executor, a server, and clients.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::Duration;

use mcp_smol::mcp_proto::Revision;
use mcp_smol::mcp_proto::client::{ClientConfig, Mode};
use mcp_smol::mcp_proto::handle::driver::Tasks;
use mcp_smol::mcp_proto::model::CallToolResult;
use mcp_smol::mcp_proto::rpc::CallError;
use mcp_smol::{Client, Driver, Server, ToolError};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use smol::{Executor, LocalExecutor, Timer, channel};

pub(crate) const MODES: [Mode; 3] = [Mode::Auto, Mode::Modern, Mode::Legacy(Revision::LATEST_LEGACY)];

/// What spawns.
pub(crate) type Spawn<'a> = &'a dyn Fn(Driver);

/// Runs a scenario on one thread, on several, and under `block_on` alone.
pub(crate) fn everywhere(scenario: impl AsyncFn(Spawn<'_>)) {
    on_one_thread(&scenario);
    on_many_threads(&scenario);
    on_none(&scenario);
}

fn on_one_thread(scenario: impl AsyncFn(Spawn<'_>)) {
    let executor = LocalExecutor::new();
    let spawn = |driver| executor.spawn(driver).detach();
    smol::block_on(executor.run(bounded(scenario(&spawn))));
}

fn on_many_threads(scenario: impl AsyncFn(Spawn<'_>)) {
    let executor = Executor::new();
    let (stop, stopped) = channel::bounded::<()>(1);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| smol::block_on(executor.run(stopped.recv())));
        }
        // The threads end with the channel, after a failure as well.
        let _stop = stop;
        smol::block_on(bounded(scenario(&|driver| executor.spawn(driver).detach())));
    });
}

/// Without any executor: what is spawned is polled beside the scenario.
fn on_none(scenario: impl AsyncFn(Spawn<'_>)) {
    let spawned = RefCell::new(Vec::new());
    let spawn = |driver| spawned.borrow_mut().push(driver);
    let mut scenario = pin!(bounded(scenario(&spawn)));
    let mut tasks: Tasks<Driver> = Tasks::new();
    smol::block_on(poll_fn(|cx| {
        loop {
            if scenario.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            for driver in spawned.borrow_mut().drain(..) {
                tasks.insert(driver);
            }
            while let Some((index, outcome)) = tasks.poll_next(|task, cx| task.as_mut().poll(cx)) {
                if outcome.is_ready() {
                    tasks.remove(index);
                }
            }
            if spawned.borrow().is_empty() && tasks.rest(cx) {
                return Poll::Pending;
            }
        }
    }));
}

pub(crate) async fn bounded<T>(future: impl Future<Output = T>) -> T {
    let late = async {
        Timer::after(Duration::from_secs(60)).await;
        panic!("in time");
    };
    smol::future::or(future, late).await
}

/// Spawns `future`, and gives back what it gives.
pub(crate) fn start<T: Send + 'static>(
    spawn: Spawn<'_>,
    future: impl Future<Output = T> + Send + 'static,
) -> impl Future<Output = Option<T>> {
    let (done, outcome) = channel::bounded(1);
    spawn(Box::pin(async move {
        let value = future.await;
        let _ = done.try_send(value);
    }));
    async move { outcome.recv().await.ok() }
}

pub(crate) fn config(mode: Mode) -> ClientConfig {
    Client::builder("test", "1").mode(mode).build()
}

#[derive(Deserialize, JsonSchema)]
struct Text {
    text: String,
}

#[derive(Deserialize, JsonSchema)]
struct Depth {
    depth: u32,
}

/// What a test sees of its server.
#[derive(Default)]
pub(crate) struct Seen {
    /// The client that `dive` calls.
    pub(crate) own: OnceLock<Client>,
    /// Whether a `slow` has begun, and whether one has come to its end.
    pub(crate) begun: AtomicBool,
    pub(crate) ended: AtomicBool,
}

/// A server with an `echo`, a `slow`, and a `dive` that calls itself.
pub(crate) fn server(seen: &Arc<Seen>) -> Server {
    let (slow, own) = (seen.clone(), seen.clone());
    Server::builder("test", "1")
        .tool("echo", "Says it again", |args: Text| async move { Ok(args.text) })
        .tool("slow", "Takes a moment", move |args: Text| {
            let seen = slow.clone();
            async move {
                seen.begun.store(true, Ordering::SeqCst);
                Timer::after(Duration::from_millis(150)).await;
                seen.ended.store(true, Ordering::SeqCst);
                Ok(args.text)
            }
        })
        .tool("dive", "Calls itself", move |args: Depth| {
            let seen = own.clone();
            async move {
                if args.depth == 0 {
                    return Ok("ground".to_owned());
                }
                let client = seen.own.get().ok_or_else(|| ToolError::text("no client"))?;
                let call = client.call_tool("dive", json!({"depth": args.depth - 1}));
                let result = call.await.map_err(|error| ToolError::text(error.to_string()))?;
                Ok(text(&result))
            }
        })
        .build()
}

pub(crate) async fn is_set(flag: &AtomicBool) {
    while !flag.load(Ordering::SeqCst) {
        Timer::after(Duration::from_millis(2)).await;
    }
}

pub(crate) fn text(result: &CallToolResult) -> String {
    result.content[0].as_text().expect("text").to_owned()
}

pub(crate) async fn echo(client: &Client, words: &str) -> Result<String, CallError> {
    Ok(text(&client.call_tool("echo", json!({"text": words})).await?))
}

/// So many calls at once, each in a task of its own.
pub(crate) async fn echo_all(spawn: Spawn<'_>, client: &Client, calls: usize) {
    let mut waiting = Vec::new();
    for n in 0..calls {
        let client = client.clone();
        waiting.push(start(spawn, async move { echo(&client, &n.to_string()).await }));
    }
    for (n, outcome) in waiting.into_iter().enumerate() {
        assert_eq!(outcome.await, Some(Ok(n.to_string())));
    }
}

/// A tool that calls itself through its own client.
pub(crate) async fn dive(seen: &Seen, client: &Client, depth: usize) {
    assert!(seen.own.set(client.clone()).is_ok(), "one dive a server");
    let result = client.call_tool("dive", json!({"depth": depth})).await;
    assert_eq!(text(&result.expect("a result")), "ground");
}
