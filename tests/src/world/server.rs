//! The server of the scenarios.

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use mcp_proto::Timeouts;
use mcp_proto::handle::server::{Context, NoArgs, ServerBuilder, ToolError};
use mcp_proto::handle::{Client, Server};
use mcp_proto::jsonrpc::{ErrorCode, ErrorObject};
use mcp_proto::model::{Json, LoggingLevel, ServerCapabilities};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Notify;

use crate::runtime::Flavour;

/// What the tools work with, and tell the scenario.
#[derive(Default)]
pub struct Probe {
    /// A call of `wait` has begun.
    pub started: Notify,
    /// A call of `wait` was dropped.
    pub dropped: Notify,
    running: AtomicUsize,
    begun: AtomicUsize,
    finished: AtomicUsize,
    client: Mutex<Option<Client>>,
    threads: Mutex<Vec<ThreadId>>,
}

impl Probe {
    /// The threads on which tools have called tools.
    pub fn threads(&self) -> Vec<ThreadId> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The client that `relay` and `nest` call their own server through.
    pub fn set_client(&self, client: Client) {
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = Some(client);
    }

    /// The scenario has the only handles from now on.
    pub fn forget_client(&self) {
        self.client.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// How many calls of `wait` and `slow` have begun.
    pub fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    /// How many of them are still there.
    pub fn running(&self) -> usize {
        self.running.load(Ordering::SeqCst)
    }

    /// How many calls of `slow` have come to their end.
    pub fn finished(&self) -> usize {
        self.finished.load(Ordering::SeqCst)
    }

    fn client(&self) -> Result<Client, ToolError> {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let own = thread::current().id();
        if !threads.contains(&own) {
            threads.push(own);
        }
        drop(threads);
        let client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        client.clone().ok_or_else(|| ToolError::text("no client"))
    }

    /// A call that is there until the value is dropped.
    fn enter(self: &Arc<Self>) -> Running {
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.running.fetch_add(1, Ordering::SeqCst);
        Running(Arc::clone(self))
    }
}

struct Running(Arc<Probe>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The arguments of `echo` and `relay`.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Echo {
    /// What comes back.
    pub text: String,
}

/// The arguments of `nest`, `count` and `large`.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Number {
    /// How deep, how far, how long.
    pub number: u32,
}

/// The arguments of `slow`.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Slow {
    /// What comes back.
    pub text: String,
    /// After how many milliseconds.
    pub ms: u64,
}

/// The arguments of `stream`.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Stream {
    /// What every report says.
    pub text: String,
    /// How many reports there are.
    pub number: u32,
}

/// A server whose tools do whatever a scenario needs, on this runtime.
pub fn server(probe: &Arc<Probe>, flavour: Flavour) -> Server {
    let capabilities = ServerCapabilities::default().with_logging(Json::empty_object());
    // What still runs when a client has gone is given up soon, so that no scenario has to wait for it.
    let timeouts = Timeouts::default().with_close(Duration::from_millis(100));
    let builder = Server::builder("e2e", "1")
        .capabilities(capabilities)
        .timeouts(timeouts);
    let builder = with_results(builder);
    let builder = with_reports(builder, flavour);
    let builder = with_waits(builder, probe, flavour);
    with_calls(builder, probe).build()
}

/// Tools that answer at once.
fn with_results(builder: ServerBuilder) -> ServerBuilder {
    builder
        .tool("echo", "Gives the text back", |args: Echo| async move { Ok(args.text) })
        .tool("fail", "Fails", || async {
            Err::<(), _>(ToolError::text("out of order"))
        })
        .tool("refuse", "Is refused", || async {
            Err::<(), _>(ErrorObject::new(ErrorCode(-7), "no").into())
        })
        .tool("large", "Gives so many bytes", |args: Number| async move {
            Ok("x".repeat(args.number as usize))
        })
}

/// Tools that say something before they answer.
fn with_reports(builder: ServerBuilder, flavour: Flavour) -> ServerBuilder {
    builder
        .tool(
            "count",
            "Reports progress",
            |args: Number, context: Context| async move {
                for step in 1..=args.number {
                    context.progress(f64::from(step), f64::from(args.number), None).await;
                }
                Ok(args.number.to_string())
            },
        )
        .tool(
            "stream",
            "Reports a text, a little later each time",
            move |args: Stream, context: Context| async move {
                for step in 1..=args.number {
                    flavour.sleep(Duration::from_millis(1)).await;
                    let message = format!("{} {step}", args.text);
                    context.progress(f64::from(step), None, Some(message.as_str())).await;
                }
                Ok(args.text)
            },
        )
        .tool("shout", "Logs", |_: NoArgs, context: Context| async move {
            context.log(LoggingLevel::Warning, "shout", "hey").await;
            Ok("shouted")
        })
}

/// Tools that take their time.
fn with_waits(builder: ServerBuilder, probe: &Arc<Probe>, flavour: Flavour) -> ServerBuilder {
    let (waiting, slow) = (probe.clone(), probe.clone());
    builder
        .tool("wait", "Never ends", move || {
            let probe = waiting.clone();
            async move {
                // It is told after it is counted.
                let _guard = Guard(&probe.dropped);
                let _running = probe.enter();
                probe.started.notify_one();
                pending::<Result<(), ToolError>>().await
            }
        })
        .tool("slow", "Gives the text back, later", move |args: Slow| {
            let probe = slow.clone();
            async move {
                let _running = probe.enter();
                flavour.sleep(Duration::from_millis(args.ms)).await;
                probe.finished.fetch_add(1, Ordering::SeqCst);
                Ok(args.text)
            }
        })
}

/// Tools that call their own server.
fn with_calls(builder: ServerBuilder, probe: &Arc<Probe>) -> ServerBuilder {
    let (relaying, nesting) = (probe.clone(), probe.clone());
    builder
        .tool("relay", "Has echo called", move |args: Echo| {
            let client = relaying.client();
            async move { Ok(client?.call_tool("echo", args).await?) }
        })
        .tool("nest", "Calls itself", move |args: Number| {
            let client = nesting.client();
            async move { nest(&client?, args.number).await }
        })
}

async fn nest(client: &Client, number: u32) -> Result<String, ToolError> {
    if number == 0 {
        return Ok(String::from("0"));
    }
    let below = client.call_tool("nest", json!({ "number": number - 1 })).await?;
    let below: u32 = below.content[0].as_text().unwrap_or_default().parse()?;
    Ok((below + 1).to_string())
}

/// Tells when it is dropped.
struct Guard<'a>(&'a Notify);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}
