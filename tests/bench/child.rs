//! The servers, each in a process of its own: this program once more.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use mcp_tokio::http::server::ReplyForm;
use tokio::net::TcpListener;

use crate::ours::handles::echo_server;
use crate::subject::current_thread;
use crate::time::cpu_time;
use crate::{floor, ours};

/// A server that runs until this value is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    pub(crate) fn start(name: &str) -> Self {
        Self::start_as(Command::new(std::env::current_exe().expect("this program")), name)
    }

    /// Starts it with a command that runs this program, `name` being what it serves.
    pub(crate) fn start_as(mut command: Command, name: &str) -> Self {
        command
            .args(["serve", name])
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
        Self::start_as(Command::new(std::env::current_exe().expect("this program")), name)
    }

    /// Starts it with a command that runs this program, `name` being what it serves.
    pub(crate) fn start_as(mut command: Command, name: &str) -> (Self, ChildStdin, ChildStdout) {
        command
            .args(["stdio", name])
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

    /// Waits for its end, and gives what it wrote to its standard error, where that was taken. Its input has to be
    /// closed.
    pub(crate) fn stop(mut self) -> String {
        last_words(&mut self.0)
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
    current_thread().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("{}", listener.local_addr().expect("an address"));
        std::io::stdout().flush().expect("a pipe");
        match name {
            "floor" => floor::http_server::serve(listener).await,
            "json" => ours::http_server::serve(listener, ReplyForm::Json).await,
            "sse" => ours::http_server::serve(listener, ReplyForm::Sse).await,
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
        "tokio" => current_thread()
            .block_on(mcp_tokio::stdio::serve(echo_server()))
            .expect("pipes"),
        "smol" => smol::block_on(mcp_smol::stdio::serve(echo_server())).expect("pipes"),
        _ => panic!("no server: {name}"),
    }
}
