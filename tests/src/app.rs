//! A web application that serves an MCP endpoint and is a client of that same endpoint, in one process, on one thread:
//! the system of the seed. The acceptance scenarios run it in a process of its own and look at it from outside.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use mcp_proto::Era;
use mcp_proto::handle::Client;
use mcp_proto::http::server::HttpConfig;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::runtime::{Address, Answer, Failure, Flavour, Site, listen, text};
use crate::world::{ERAS, Probe, client_config, server};

/// How long one application lives, at most.
const LIFETIME: Duration = Duration::from_secs(50);

/// What `POST /run` did.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Ran {
    /// How long the call took.
    pub took: Duration,
    /// How many threads the process has; 0 where the system does not tell.
    pub threads: usize,
}

/// The name of an era as an argument.
pub fn era_name(era: Era) -> &'static str {
    match era {
        Era::Legacy => "legacy",
        Era::Modern => "modern",
    }
}

/// Runs the application `RUNTIME ERA` until its time is over. Says on standard output where it listens.
///
/// # Errors
/// Where the arguments are not such, or the client cannot be made.
pub fn run(arguments: &[String]) -> Result<(), Failure> {
    let [runtime, era] = arguments else {
        return Err("RUNTIME ERA".into());
    };
    let flavour = Flavour::parse(runtime).ok_or("the runtime is not known")?;
    let era = ERAS.into_iter().find(|other| era_name(*other) == era);
    let era = era.ok_or("the era is not known")?;
    flavour.run_on_its_own(async |runtime| {
        let (listener, url) = listen();
        let address = listener.local_addr()?;
        let probe = Arc::new(Probe::default());
        let client = runtime.connect(&Address::Http(url), client_config(era)).await?;
        probe.set_client(client.clone());
        let (mcp, beside) = runtime.service(&server(&probe, flavour), HttpConfig::default());
        let _serving = runtime.serve_site(listener, site(mcp, client), beside)?;
        println!("{address}");
        io::stdout().flush()?;
        runtime.sleep(LIFETIME).await;
        Ok(())
    })
}

/// The routes of the application.
pub fn site(mcp: Site, client: Client) -> Site {
    Site::new(move |request| {
        let path = request.uri().path();
        match (request.method(), path) {
            (_, "/mcp") => mcp.answer(request),
            (&Method::GET, "/health") => Box::pin(async { text(StatusCode::OK, "ok") }),
            (&Method::POST, "/run") => {
                let client = client.clone();
                Box::pin(async move { call(&client).await })
            }
            (&Method::POST, "/close") => {
                let client = client.clone();
                Box::pin(async move { close(&client).await })
            }
            _ => Box::pin(async { text(StatusCode::NOT_FOUND, "") }),
        }
    })
}

/// Where the application becomes its own client.
async fn call(client: &Client) -> Answer {
    let began = Instant::now();
    match client.call_tool("echo", json!({"text": "hello"})).await {
        Ok(result) if result.content[0].as_text() == Some("hello") => ran(began),
        Ok(result) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("{result:?}")),
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

/// What it does before it ends.
async fn close(client: &Client) -> Answer {
    let began = Instant::now();
    client.close().await;
    ran(began)
}

fn ran(began: Instant) -> Answer {
    let ran = Ran {
        took: began.elapsed(),
        threads: threads(),
    };
    text(StatusCode::OK, serde_json::to_vec(&ran).unwrap_or_default())
}

/// How many threads the process has, but for the one that async-io always has: it waits for events where nobody
/// else does, and runs nothing of an application.
pub fn threads() -> usize {
    let is_idle =
        |task: &fs::DirEntry| fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name == "async-io\n");
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    tasks.filter(|task| !is_idle(task)).count()
}

/// The application in a process of its own. It ends with the value.
#[derive(Debug)]
pub struct Application {
    process: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Application {
    /// Starts `program`, which calls [`run`], and waits until it listens.
    ///
    /// # Errors
    /// Where it does not.
    pub fn start(program: &str, flavour: Flavour, era: Era) -> Result<Self, Failure> {
        let mut command = Command::new(program);
        command.args([flavour.name(), era_name(era)]).stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let mut first_line = String::new();
        let output = process.stdout.take().ok_or("the application has no output")?;
        BufReader::new(output).read_line(&mut first_line)?;
        match first_line.trim().parse() {
            Ok(address) => Ok(Self { process, address }),
            Err(_) => Err(format!("the application does not listen ({})", process.wait()?).into()),
        }
    }

    /// Asks it to end, by a signal; how it ended, and how long that took.
    ///
    /// # Errors
    /// Those of the system.
    pub fn terminate(mut self) -> Result<(ExitStatus, Duration), Failure> {
        let began = Instant::now();
        let id = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(id, rustix::process::Signal::TERM)?;
        let status = self.process.wait()?;
        Ok((status, began.elapsed()))
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
