//! The servers, each in a process of its own: this program once more.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use mcp_proto::handle::Server as McpServer;
use mcp_tokio::http::server::ReplyForm;
use tokio::net::TcpListener;
use tokio::runtime::Builder;

use crate::ours::handles::echo_server;
use crate::subject::current_thread;
use crate::time::cpu_time;
use crate::{floor, ours, peer};

/// The program that a server is in, and its name there: ours and the floors are in this one.
pub(crate) fn program(name: &str) -> (PathBuf, &str) {
    match name.strip_prefix("rmcp ") {
        Some(name) => (peer::program().expect("an installed peer").to_owned(), name),
        None => (std::env::current_exe().expect("this program"), name),
    }
}

/// A server that runs until this value is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    pub(crate) fn start(name: &str) -> Self {
        Self::start_as(Command::new(program(name).0), name)
    }

    /// Starts it with a command that runs its program, `name` being what it serves.
    pub(crate) fn start_as(mut command: Command, name: &str) -> Self {
        command
            .args(["serve", program(name).1])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().expect("a process");
        let mut line = String::new();
        let said = BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line);
        said.expect("an address");
        let address = line.trim().parse().expect("an address");
        Self { child, address }
    }

    /// How long it has been on a processor.
    pub(crate) fn cpu_time(&self) -> Duration {
        cpu_time(self.child.id())
    }

    /// Waits until it does nothing, as one that waits for its client does in the end.
    pub(crate) fn rest(&self) {
        rest(self.child.id());
    }

    /// Stops it in order, and gives what it wrote to its standard error, where that was taken.
    pub(crate) fn stop(mut self) -> String {
        drop(self.child.stdin.take());
        last_words(&mut self.child)
    }
}

/// A server over its standard input and output, which ends with its input.
pub(crate) struct Piped(Child);

impl Piped {
    pub(crate) fn start(name: &str) -> (Self, ChildStdin, ChildStdout) {
        Self::start_as(Command::new(program(name).0), name)
    }

    /// Starts it with a command that runs its program, `name` being what it serves.
    pub(crate) fn start_as(mut command: Command, name: &str) -> (Self, ChildStdin, ChildStdout) {
        command
            .args(["stdio", program(name).1])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().expect("a process");
        let (input, output) = (child.stdin.take(), child.stdout.take());
        (Self(child), input.expect("a pipe"), output.expect("a pipe"))
    }

    /// How long it has been on a processor.
    pub(crate) fn cpu_time(&self) -> Duration {
        cpu_time(self.0.id())
    }

    /// Waits until it does nothing, as one that waits for its client does in the end.
    pub(crate) fn rest(&self) {
        rest(self.0.id());
    }

    /// Waits for its end, and gives what it wrote to its standard error, where that was taken. Its input has to be
    /// closed.
    pub(crate) fn stop(mut self) -> String {
        last_words(&mut self.0)
    }
}

/// Looks at the time of a process until that does not go on any more.
fn rest(process: u32) {
    let mut before = Duration::MAX;
    for _ in 0..100 {
        std::thread::sleep(Duration::from_millis(300));
        let now = cpu_time(process);
        // A timer now and then is no work.
        if now.saturating_sub(before) < Duration::from_millis(2) && before != Duration::MAX {
            return;
        }
        before = now;
    }
}

fn last_words(child: &mut Child) -> String {
    let mut said = String::new();
    let stderr: Option<ChildStderr> = child.stderr.take();
    if let Some(mut stderr) = stderr {
        stderr.read_to_string(&mut said).expect("text");
    }
    assert!(child.wait().expect("an end").success(), "{said}");
    said
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        drop(self.child.wait());
    }
}

/// Serves until the standard input ends: what a server process does.
pub(crate) fn serve(name: &str) {
    // The only other thread; it sleeps until the end.
    std::thread::spawn(|| {
        drop(std::io::stdin().read_to_end(&mut Vec::new()));
        std::process::exit(0);
    });
    match name {
        "smol floor" | "smol json" => return serve_on_smol(name),
        _ => {}
    }
    // The floors need no clock.
    let runtime = match name {
        "floor" | "flood floor" => Builder::new_current_thread().enable_io().build().expect("a runtime"),
        _ => current_thread(),
    };
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("{}", listener.local_addr().expect("an address"));
        std::io::stdout().flush().expect("a pipe");
        let (json, sse) = (ReplyForm::Json, ReplyForm::Sse);
        match name {
            "floor" => floor::http_server::serve(listener).await,
            "flood floor" => floor::flood::serve(listener).await,
            "json" => ours::http_server::serve(listener, echo_server(), json).await,
            "sse" => ours::http_server::serve(listener, echo_server(), sse).await,
            "sessions" => ours::http_server::serve(listener, ours::servers::of_many_sessions(), json).await,
            "flood" => ours::http_server::serve(listener, ours::servers::flood(), json).await,
            "large" => ours::http_server::serve(listener, ours::servers::large(), json).await,
            "large borrowed" => ours::http_server::serve(listener, ours::servers::large_borrowed(), json).await,
            "nodelay json" => ours::http_server::serve_plainly(listener, true, json).await,
            "nodelay sse" => ours::http_server::serve_plainly(listener, true, sse).await,
            "nagle json" => ours::http_server::serve_plainly(listener, false, json).await,
            "nagle sse" => ours::http_server::serve_plainly(listener, false, sse).await,
            _ => panic!("no server: {name}"),
        }
    });
}

fn serve_on_smol(name: &str) {
    smol::block_on(async {
        let listener = smol::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("{}", listener.local_addr().expect("an address"));
        std::io::stdout().flush().expect("a pipe");
        match name {
            "smol floor" => floor::http_server::serve_on_smol(listener).await,
            _ => ours::http_server::serve_on_smol(listener, ReplyForm::Json).await,
        }
    });
}

/// Serves standard input and output until the input ends.
pub(crate) fn serve_stdio(name: &str) {
    match name {
        "floor" => floor::stdio::serve(),
        "flood floor" => floor::flood::serve_stdio(),
        "tokio" => on_tokio(echo_server()),
        "smol" => on_smol(echo_server()),
        "flood tokio" => on_tokio(ours::servers::flood()),
        "flood smol" => on_smol(ours::servers::flood()),
        _ => panic!("no server: {name}"),
    }
}

fn on_tokio(server: McpServer) {
    current_thread()
        .block_on(mcp_tokio::stdio::serve(server))
        .expect("pipes");
}

fn on_smol(server: McpServer) {
    smol::block_on(mcp_smol::stdio::serve(server)).expect("pipes");
}
