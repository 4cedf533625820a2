//! Instructions and allocations of one operation, counted by valgrind.

use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::thread;

use crate::child::{Piped, Server, program};
use crate::lines::Lines;
use crate::load::Load;
use crate::messages::Era;

/// What one operation takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Count {
    pub(crate) instructions: f64,
    pub(crate) allocations: f64,
    /// In all allocations together.
    pub(crate) bytes: f64,
}

/// What a whole process takes.
#[derive(Clone, Copy, Debug)]
struct Total {
    instructions: u64,
    allocations: u64,
    bytes: u64,
}

/// Whether there is a valgrind.
pub(crate) fn is_possible() -> bool {
    let asked = Command::new("valgrind").arg("--version").stdout(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

/// Counts the operations of a subject.
pub(crate) fn of_subject(name: &str, times: u64) -> Count {
    difference(times, |tool, times| {
        let mut command = under(tool);
        command.arg(std::env::current_exe().expect("this program"));
        command.args(["run", name, &times.to_string()]);
        let output = command.output().expect("a process");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{name}: {said}");
        said
    })
}

/// Counts the requests that a server answers.
pub(crate) fn of_server(name: &str, era: Era, sessions: bool, times: u64) -> Count {
    difference(times, |tool, times| {
        let server = server(tool, name);
        Load::open(server.address, era, sessions, 1).drive(times);
        server.stop()
    })
}

/// Counts the requests that a server over pipes answers.
pub(crate) fn of_piped(name: &str, era: Era, window: usize, times: u64) -> Count {
    difference(times, |tool, times| {
        let (server, input, output) = piped(tool, name);
        let mut lines = Lines::open(input, output, era, window);
        lines.drive(times);
        drop(lines);
        server.stop()
    })
}

/// Has a server answer so many requests under callgrind, which writes where the instructions went to `file`.
pub(crate) fn profile(name: &str, era: Era, times: u64, file: &str) {
    let mut command = Command::new("valgrind");
    command.args(["--quiet", "--tool=callgrind"]);
    command.arg(format!("--callgrind-out-file={file}"));
    command.arg(std::env::current_exe().expect("this program"));
    match name.strip_prefix("stdio ") {
        Some(name) => {
            let (server, input, output) = Piped::start_as(command, name);
            Lines::open(input, output, era, 64).drive(times);
            server.stop();
        }
        None => {
            let server = Server::start_as(command, name);
            let sessions = era == Era::Legacy && !name.contains("floor");
            Load::open(server.address, era, sessions, 1).drive(times);
            server.stop();
        }
    }
}

/// The most heap that a server over pipes has at a time, in bytes, while `drive` has it answer.
pub(crate) fn peak_of_piped(name: &str, drive: impl FnOnce(&mut Lines)) -> u64 {
    let (server, input, output) = piped(Tool::Heap, name);
    let mut lines = Lines::open(input, output, Era::Legacy, 1);
    drive(&mut lines);
    drop(lines);
    peak(&server.stop())
}

/// A server that is counted.
pub(crate) fn server(tool: Tool, name: &str) -> Server {
    let mut command = under(tool);
    command.arg(program(name).0).stderr(Stdio::piped());
    Server::start_as(command, name)
}

/// The same over pipes.
pub(crate) fn piped(tool: Tool, name: &str) -> (Piped, ChildStdin, ChildStdout) {
    let mut command = under(tool);
    command.arg(program(name).0).stderr(Stdio::piped());
    Piped::start_as(command, name)
}

/// The most heap that there was at a time, in bytes, of what [`Tool::Heap`] said.
pub(crate) fn peak(said: &str) -> u64 {
    number_after(said, "At t-gmax:")
}

/// The heap that there was in the end, in bytes, of what [`Tool::Heap`] said.
pub(crate) fn live(said: &str) -> u64 {
    number_after(said, "At t-end:")
}

/// What `times` more operations take, each.
pub(crate) fn difference(times: u64, said: impl Fn(Tool, u64) -> String + Sync) -> Count {
    let total = |times| {
        let counted = said(Tool::Instructions, times);
        let heap = said(Tool::Heap, times);
        Total {
            instructions: number_after(&counted, "Collected :"),
            allocations: number_after(&heap, "bytes in"),
            bytes: number_after(&heap, "Total:"),
        }
    };
    // Both lengths at once: what is counted does not depend on the time.
    let (short, long) = thread::scope(|scope| {
        let short = scope.spawn(|| total(times));
        let long = total(2 * times);
        (short.join().expect("a count"), long)
    });
    let each = |short: u64, long: u64| (long as f64 - short as f64) / times as f64;
    Count {
        instructions: each(short.instructions, long.instructions),
        allocations: each(short.allocations, long.allocations),
        bytes: each(short.bytes, long.bytes),
    }
}

/// What valgrind is asked for.
#[derive(Clone, Copy)]
pub(crate) enum Tool {
    Instructions,
    Heap,
}

fn under(tool: Tool) -> Command {
    let mut command = Command::new("valgrind");
    match tool {
        Tool::Instructions => command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]),
        Tool::Heap => command.args(["--tool=dhat", "--dhat-out-file=/dev/null"]),
    };
    command
}

/// The number that follows the first occurrence of `word`.
fn number_after(text: &str, word: &str) -> u64 {
    let (_, rest) = text.split_once(word).unwrap_or_else(|| panic!("no '{word}': {text}"));
    let rest = rest.trim_start();
    let end = rest
        .find(|c: char| !c.is_ascii_digit() && c != ',')
        .unwrap_or(rest.len());
    rest[..end].replace(',', "").parse().expect("a number")
}
