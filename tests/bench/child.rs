//! The servers, each in a process of its own: this program once more.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use mcp_tokio::http::server::ReplyForm;
use tokio::net::TcpListener;

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

    /// How long it has been on a processor. A server is one thread.
    pub(crate) fn cpu_time(&self) -> Duration {
        cpu_time(&self.child.id().to_string())
    }

    /// Stops it in order, and gives what it wrote to its standard error, where that was taken.
    pub(crate) fn stop(mut self) -> String {
        let mut said = String::new();
        let stderr: Option<ChildStderr> = self.child.stderr.take();
        drop(self.child.stdin.take());
        if let Some(mut stderr) = stderr {
            stderr.read_to_string(&mut said).expect("text");
        }
        assert!(self.child.wait().expect("an end").success(), "{said}");
        said
    }
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
