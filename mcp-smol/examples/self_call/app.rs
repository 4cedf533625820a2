//! The application: an MCP server with three tools, and the ways in which it calls them as its own client.

use std::error::Error;
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use mcp_proto::Revision;
use mcp_proto::client::{ClientConfig, Mode};
use mcp_proto::handle::Client;
use mcp_proto::handle::server::{Server, ToolError};
use mcp_proto::model::{CallToolResult, ContentBlock};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::heartbeat::Heartbeat;

/// How many calls a new client makes at once.
const CROWD: usize = 100;
/// How deep a tool calls itself.
const DEPTH: u32 = 100;
/// How many tools call a tool at once.
const FAN: usize = 200;

/// Why a part failed.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// The application's state: the client of its own server, and what is measured.
pub(crate) struct App {
    era: Era,
    connect: Box<dyn Fn(ClientConfig) -> Result<Client, Failure> + Send + Sync>,
    client: Client,
    handshakes: AtomicU64,
    heartbeat: Heartbeat,
}

impl App {
    /// `connect` makes clients of the server of this application. Nothing is sent yet: the first call does that.
    pub(crate) fn new<E: Into<Failure>>(
        era: Era,
        heartbeat: Heartbeat,
        connect: impl Fn(ClientConfig) -> Result<Client, E> + Send + Sync + 'static,
    ) -> Result<Self, Failure> {
        let connect = move |config| connect(config).map_err(Into::into);
        Ok(Self {
            client: connect(era.client())?,
            era,
            connect: Box::new(connect),
            handshakes: AtomicU64::new(0),
            heartbeat,
        })
    }

    /// The MCP server. Two of its three tools call it in turn, through the client and HTTP.
    pub(crate) fn server(&self) -> Server {
        let (own, its_own) = (self.client.clone(), self.client.clone());
        Server::builder("self_call", env!("CARGO_PKG_VERSION"))
            .tool("echo", "Gives the text back", |args: Echo| async move { Ok(args.text) })
            .tool("relay", "Has the tool echo give the text back", move |args: Echo| {
                let client = own.clone();
                async move { Ok(client.call_tool("echo", args).await?) }
            })
            .tool("nest", "Calls itself, and counts the levels", move |args: Nest| {
                let client = its_own.clone();
                async move { nest(&client, args.depth).await }
            })
            .build()
    }

    /// Calls its own server in one of the ways, and measures.
    pub(crate) async fn run(&self, part: Part) -> Result<Outcome, Failure> {
        let handshakes = self.handshakes.load(Ordering::Relaxed);
        let idle_gap = self.heartbeat.take_longest_gap();
        let took = self.timed(part).await?;
        Ok(Outcome {
            took,
            gap: self.heartbeat.take_longest_gap(),
            idle_gap,
            handshakes: self.handshakes.load(Ordering::Relaxed) - handshakes,
            threads: threads(),
        })
    }

    async fn timed(&self, part: Part) -> Result<Duration, Failure> {
        // The new client is made before the clock starts, but sends nothing before its first call.
        let fresh = (self.connect)(self.era.client())?;
        let began = Instant::now();
        match part {
            Part::First | Part::Second => call(&self.client, "echo", "hello").await?,
            Part::Crowd => all(&fresh, CROWD, "echo").await?,
            Part::Fan => all(&self.client, FAN, "relay").await?,
            Part::Depth => {
                let levels = self.client.call_tool("nest", Nest { depth: DEPTH }).await?;
                expect(&levels, &DEPTH.to_string())?;
            }
        }
        Ok(began.elapsed())
    }

    /// A message came in from the wire.
    pub(crate) fn saw(&self, message: &[u8]) {
        #[derive(Deserialize)]
        struct Asked<'a> {
            method: Option<&'a str>,
        }
        let asked = serde_json::from_slice(message).ok().and_then(|Asked { method }| method);
        if matches!(asked, Some("initialize" | "server/discover")) {
            self.handshakes.fetch_add(1, Ordering::Relaxed);
        }
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

/// The arguments of `echo` and `relay`.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Echo {
    text: String,
}

/// The arguments of `nest`.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Nest {
    /// How many levels are left.
    depth: u32,
}

/// One level of `nest`: says how many there are, counted from the bottom.
async fn nest(client: &Client, depth: u32) -> Result<String, ToolError> {
    if depth == 0 {
        return Ok(String::from("0"));
    }
    let below = client.call_tool("nest", Nest { depth: depth - 1 }).await?;
    let below: u32 = text(&below).unwrap_or_default().parse()?;
    Ok((below + 1).to_string())
}

/// Calls `tool` this many times at once, with a text of its own each.
async fn all(client: &Client, calls: usize, tool: &str) -> Result<(), Failure> {
    let texts: Vec<_> = (0..calls).map(|number| format!("call {number}")).collect();
    try_join_all(texts.iter().map(|text| call(client, tool, text))).await?;
    Ok(())
}

/// Calls `tool` and looks whether the text came back.
async fn call(client: &Client, tool: &str, text: &str) -> Result<(), Failure> {
    let result = client.call_tool(tool, json!({ "text": text })).await?;
    expect(&result, text)
}

fn expect(result: &CallToolResult, expected: &str) -> Result<(), Failure> {
    match text(result) {
        Some(found) if found == expected && !result.is_failure() => Ok(()),
        found => Err(format!("the tool answered {found:?} instead of {expected:?}").into()),
    }
}

/// The text of a result.
fn text(result: &CallToolResult) -> Option<&str> {
    match result.content.as_slice() {
        [ContentBlock::Text(block)] => Some(&block.text),
        _ => None,
    }
}

/// Which eras of the protocol the client speaks. The server always speaks both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Era {
    /// 2025-11-25: a handshake makes a session, and calls are made in it.
    Legacy,
    /// 2026-07-28: each request stands alone, and there is no handshake.
    Modern,
    /// What the server speaks: it is asked first.
    Auto,
}

impl Era {
    /// All of them, in the order of the table.
    pub(crate) const ALL: [Self; 3] = [Self::Legacy, Self::Modern, Self::Auto];

    /// What it is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Legacy => "2025-11-25",
            Self::Modern => "2026-07-28",
            Self::Auto => "auto",
        }
    }

    /// The era of this name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|era| era.name() == name)
    }

    /// How often a new client asks something of the server before its calls, however many they are.
    pub(crate) fn handshakes(self) -> u64 {
        match self {
            Self::Legacy | Self::Auto => 1,
            Self::Modern => 0,
        }
    }

    fn client(self) -> ClientConfig {
        let mode = match self {
            Self::Legacy => Mode::Legacy(Revision::LATEST_LEGACY),
            Self::Modern => Mode::Modern,
            Self::Auto => Mode::Auto,
        };
        Client::builder("self_call", env!("CARGO_PKG_VERSION"))
            .mode(mode)
            .build()
    }
}

/// One way in which the application calls itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The first call of all, which has to make the session: the one that hangs elsewhere.
    First,
    /// The same again.
    Second,
    /// Many first calls at once.
    Crowd,
    /// A tool that calls itself.
    Depth,
    /// Many tools that call a tool, at once.
    Fan,
}

impl Part {
    /// All of them, in the order they are run in.
    pub(crate) const ALL: [Self; 5] = [Self::First, Self::Second, Self::Crowd, Self::Depth, Self::Fan];

    /// What it is called in the path of a request.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Second => "second",
            Self::Crowd => "crowd",
            Self::Depth => "depth",
            Self::Fan => "fan",
        }
    }

    /// The part with this path.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.path() == path)
    }

    /// What it is called in the table.
    pub(crate) fn name(self) -> String {
        match self {
            Self::First => String::from("first call"),
            Self::Second => String::from("second call"),
            Self::Crowd => format!("{CROWD} first calls at once"),
            Self::Depth => format!("a tool calls itself, {DEPTH} deep"),
            Self::Fan => format!("{FAN} tools call a tool at once"),
        }
    }
}

/// How a part went.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// From the first call to the last answer.
    pub(crate) took: Duration,
    /// The longest gap of the heartbeat meanwhile.
    pub(crate) gap: Duration,
    /// The longest gap of the heartbeat before, when there was nothing to do.
    pub(crate) idle_gap: Duration,
    /// How often a client introduced itself to the server meanwhile.
    pub(crate) handshakes: u64,
    /// How many threads run the application; 0 where the system does not tell.
    pub(crate) threads: usize,
}
