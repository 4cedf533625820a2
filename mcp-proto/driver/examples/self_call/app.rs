//! The application: it hosts an MCP server, calls it as its own client in several ways, and measures.

use std::fs;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::{Either, select, try_join_all};
use mcp_proto::handle::{Client, Server};
use mcp_proto::model::CallToolResult;
use serde_json::json;

use super::era::Era;
use super::heartbeat::Heartbeat;
use super::host::{Failure, Host};
use super::part::{CROWD, DEPTH, FAN, Outcome, Part, RETURN, Times};
use super::polls::Polls;
use super::tools::{self, Nest, Slow, text};
use super::wire::Wire;

/// For how long the slow tool is let run before its call is given up.
const ENOUGH: Duration = Duration::from_millis(50);
/// How long the application waits for what should be there at once.
const PATIENCE: Duration = Duration::from_secs(1);

/// The application's state: the client of its own server, and what is measured.
pub(crate) struct App {
    era: Era,
    host: Arc<dyn Host>,
    client: Client,
    server: Server,
    slow: Slow,
    wire: Wire,
    heartbeat: Heartbeat,
    polls: Polls,
}

impl App {
    /// Mounts the server of the application, and makes its client. Nothing is sent yet: the first call does that.
    pub(crate) fn start(era: Era, host: Arc<dyn Host>, heartbeat: Heartbeat, polls: Polls) -> Result<Self, Failure> {
        let client = host.connect(era.client())?;
        let slow = Slow::default();
        let server = tools::server(&client, Arc::clone(&host), &slow);
        host.mount(server.clone());
        Ok(Self {
            era,
            host,
            client,
            server,
            slow,
            wire: Wire::default(),
            heartbeat,
            polls,
        })
    }

    /// What its server is sent.
    pub(crate) fn wire(&self) -> &Wire {
        &self.wire
    }

    /// Calls its own server in one of the ways, and measures.
    pub(crate) async fn run(&self, part: Part) -> Result<Outcome, Failure> {
        // The new client is made before the clock starts, but sends nothing before its first call.
        let fresh = self.host.connect(self.era.client())?;
        let idle_gap = self.heartbeat.take_longest_gap();
        self.forget();
        let times = match part {
            Part::First | Part::Second => timed(self.call(&self.client, "echo", "hello")).await?,
            Part::Crowd => timed(self.all(&fresh, CROWD, "echo")).await?,
            Part::Depth => timed(self.nest()).await?,
            Part::Fan => timed(self.all(&self.client, FAN, "relay")).await?,
            Part::Restart => {
                self.host.mount(self.server.clone());
                timed(self.all(&self.client, RETURN, "echo")).await?
            }
            Part::Cancel => self.cancel().await?,
        };
        Ok(Outcome {
            times,
            gap: self.heartbeat.take_longest_gap(),
            idle_gap,
            poll: self.polls.take_longest(),
            handshakes: self.wire.take_handshakes(),
            notices: self.wire.take_notices(),
            threads: threads(),
        })
    }

    /// Forgets what was counted and measured before.
    fn forget(&self) {
        self.wire.take_handshakes();
        self.wire.take_notices();
        self.polls.take_longest();
    }

    /// Calls `tool` this many times at once, with a text of its own each.
    async fn all(&self, client: &Client, calls: usize, tool: &str) -> Result<(), Failure> {
        let texts: Vec<_> = (0..calls).map(|number| format!("call {number}")).collect();
        try_join_all(texts.iter().map(|text| self.call(client, tool, text))).await?;
        Ok(())
    }

    /// Calls `tool` and looks whether the text came back.
    async fn call(&self, client: &Client, tool: &str, text: &str) -> Result<(), Failure> {
        let result = self
            .polls
            .watch(client.call_tool(tool, json!({ "text": text })))
            .await?;
        expect(&result, text)
    }

    /// Has a tool call itself.
    async fn nest(&self) -> Result<(), Failure> {
        let levels = self
            .polls
            .watch(self.client.call_tool("nest", Nest { depth: DEPTH }))
            .await?;
        expect(&levels, &DEPTH.to_string())
    }

    /// Gives up a call whose handler runs, looks what becomes of the handler, and calls again.
    async fn cancel(&self) -> Result<Times, Failure> {
        let call = Box::pin(self.call(&self.client, "slow", "never"));
        let is_running = pin!(async {
            self.until(|| self.slow.is_running()).await?;
            self.host.sleep(ENOUGH).await;
            Ok::<_, Failure>(())
        });
        let call = match select(call, is_running).await {
            Either::Left((answered, _)) => return Err(format!("a slow call ended: {answered:?}").into()),
            Either::Right((is_running, call)) => is_running.map(|()| call)?,
        };
        let given_up = Instant::now();
        drop(call);
        let drop = given_up.elapsed();
        self.until(|| self.slow.gone().is_some()).await?;
        let all = self.slow.gone().unwrap_or(given_up).duration_since(given_up);
        let next = timed(self.call(&self.client, "echo", "next")).await?.all;
        Ok(Times { all, drop, next })
    }

    /// Waits for what somebody else does on this same thread.
    async fn until(&self, is_so: impl Fn() -> bool) -> Result<(), Failure> {
        let began = Instant::now();
        while !is_so() {
            if began.elapsed() > PATIENCE {
                return Err("the server was not told of a call, or of its end".into());
            }
            self.host.sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }
}

async fn timed(part: impl Future<Output = Result<(), Failure>>) -> Result<Times, Failure> {
    let began = Instant::now();
    part.await?;
    let all = began.elapsed();
    Ok(Times {
        all,
        ..Times::default()
    })
}

fn expect(result: &CallToolResult, expected: &str) -> Result<(), Failure> {
    match text(result) {
        Some(found) if found == expected && !result.is_failure() => Ok(()),
        found => Err(format!("the tool answered {found:?} instead of {expected:?}").into()),
    }
}

/// How many threads the process has, but for the one that async-io always has: it waits for events where nobody
/// else does, and runs nothing of an application.
fn threads() -> usize {
    let is_idle =
        |task: &fs::DirEntry| fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name == "async-io\n");
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    tasks.filter(|task| !is_idle(task)).count()
}
