//! Children on either runtime, driven by either runtime.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::{Duration, Instant};

use futures_util::future::{join, select};
use mcp_driver::child::{Command, Exit};
use mcp_proto::client::{ClientConfig, Mode};
use mcp_proto::handle::Client;
use mcp_proto::rpc::CallError;
use serde_json::{Value, json};

pub(crate) use mcp_tests::conformance::arguments::Runtime;

pub(crate) const RUNTIMES: [Runtime; 2] = [Runtime::Tokio, Runtime::Smol];

pub(crate) const SERVER: &str = env!("CARGO_BIN_EXE_stdio-server");

pub(crate) type Driver = Pin<Box<dyn Future<Output = io::Result<Exit>> + Send>>;

/// The server fixture on `runtime`.
pub(crate) fn server(runtime: Runtime) -> Command {
    Command::new(SERVER).args(["--runtime", name(runtime)])
}

pub(crate) fn name(runtime: Runtime) -> &'static str {
    match runtime {
        Runtime::Tokio => "tokio",
        Runtime::Smol => "smol",
    }
}

/// A shell script as a server. `$0` is the fixture, and `$1` and `$2` are its arguments on `runtime`.
pub(crate) fn script(runtime: Runtime, text: &str) -> Command {
    let args = ["-c", text, SERVER, "--runtime", name(runtime)];
    Command::new("sh").args(args)
}

/// The client of a child, by the adapter of `runtime`. To be called inside of [`run`].
pub(crate) fn child(runtime: Runtime, command: &Command) -> io::Result<(Client, Driver)> {
    child_in(runtime, command, Mode::Auto)
}

pub(crate) fn child_in(runtime: Runtime, command: &Command, mode: Mode) -> io::Result<(Client, Driver)> {
    let config = ClientConfig::named("test", "1").with_mode(mode);
    Ok(match runtime {
        Runtime::Tokio => {
            let (client, driver) = mcp_tokio::child::child_over(command, config)?;
            (client, Box::pin(driver))
        }
        Runtime::Smol => {
            let (client, driver) = mcp_smol::child::child_over(command, config)?;
            (client, Box::pin(driver))
        }
    })
}

/// Runs `scenario` on `runtime`, with nothing but one thread and for a minute at most.
pub(crate) fn run<T>(runtime: Runtime, scenario: impl Future<Output = T>) -> T {
    let late = async {
        smol::Timer::after(Duration::from_secs(60)).await;
        panic!("in time, on {runtime:?}");
    };
    let bounded = smol::future::or(scenario, late);
    match runtime {
        Runtime::Tokio => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(bounded)
        }
        Runtime::Smol => smol::block_on(bounded),
    }
}

/// A scenario with a child, on each runtime: drives the child until it is gone. How it exited, and what the scenario
/// gives, which has the client to itself.
pub(crate) fn with_child<T>(runtime: Runtime, command: &Command, scenario: impl AsyncFnOnce(Client) -> T) -> (Exit, T) {
    run(runtime, async {
        let (client, driver) = child(runtime, command).expect("a child");
        let (exit, value) = join(driver, scenario(client)).await;
        (exit.expect("an exit"), value)
    })
}

/// What `future` gives while `driver` is polled beside it, which goes on afterwards.
pub(crate) async fn beside<T>(driver: &mut Driver, future: impl Future<Output = T>) -> T {
    match select(driver, Box::pin(future)).await {
        futures_util::future::Either::Right((value, _)) => value,
        futures_util::future::Either::Left((exit, _)) => panic!("the child has gone: {exit:?}"),
    }
}

/// Calls a tool that answers with a text.
pub(crate) async fn call(client: &Client, tool: &str, arguments: Value) -> Result<String, CallError> {
    let result = client.call_tool(tool, arguments).await?;
    Ok(result.content[0].as_text().unwrap_or_default().to_owned())
}

pub(crate) async fn echo(client: &Client, text: &str) -> Result<String, CallError> {
    call(client, "echo", json!({"text": text})).await
}

/// The number of the child's process.
pub(crate) async fn process(client: &Client) -> u32 {
    let number = call(client, "process", json!({})).await.expect("a number");
    number.parse().expect("a number")
}

/// Whether there is a process of this number, `Some(true)` where it is a zombie.
pub(crate) fn is_zombie(process: u32) -> Option<bool> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    Some(stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z')))
}

/// Waits until `done`, for a few seconds at most.
pub(crate) async fn eventually(done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(20), "in time");
        smol::Timer::after(Duration::from_millis(5)).await;
    }
}
