//! The MCP server of the application. Two of its tools call it in turn, through the client and HTTP.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mcp_proto::handle::Client;
use mcp_proto::handle::server::{Server, ToolError};
use mcp_proto::model::{CallToolResult, ContentBlock};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::host::Host;

/// How long the slow tool takes.
const SLOW: Duration = Duration::from_secs(5);

/// The server. `client` is a client of that same server.
pub(crate) fn server(client: &Client, host: Arc<dyn Host>, slow: &Slow) -> Server {
    let (own, its_own, slow) = (client.clone(), client.clone(), slow.clone());
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
        .tool("slow", "Gives the text back, but not soon", move |args: Echo| {
            let running = slow.begin();
            let pause = host.sleep(SLOW);
            async move {
                pause.await;
                drop(running);
                Ok(args.text)
            }
        })
        .build()
}

/// The arguments of `echo`, `relay` and `slow`.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Echo {
    text: String,
}

/// The arguments of `nest`.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Nest {
    /// How many levels are left.
    pub(crate) depth: u32,
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

/// The text of a result.
pub(crate) fn text(result: &CallToolResult) -> Option<&str> {
    match result.content.as_slice() {
        [ContentBlock::Text(block)] => Some(&block.text),
        _ => None,
    }
}

/// What becomes of a call of the slow tool. Clones are one.
#[derive(Clone, Default)]
pub(crate) struct Slow(Arc<Mutex<State>>);

#[derive(Clone, Copy, Default)]
enum State {
    #[default]
    Idle,
    Running,
    /// The handler was done, or was dropped, at this moment.
    Gone(Instant),
}

impl Slow {
    /// Whether the handler runs.
    pub(crate) fn is_running(&self) -> bool {
        matches!(self.state(), State::Running)
    }

    /// When the handler came to its end.
    pub(crate) fn gone(&self) -> Option<Instant> {
        match self.state() {
            State::Gone(at) => Some(at),
            State::Idle | State::Running => None,
        }
    }

    fn begin(&self) -> Running {
        self.set(State::Running);
        Running(self.clone())
    }

    fn state(&self) -> State {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, state: State) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }
}

/// Lives as long as the handler.
struct Running(Slow);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.set(State::Gone(Instant::now()));
    }
}
