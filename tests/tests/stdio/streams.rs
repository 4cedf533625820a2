//! Standard streams of every kind, without a client in between.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::world::{RUNTIMES, Runtime, SERVER, name};

fn start(runtime: Runtime, stdin: impl Into<Stdio>, stdout: impl Into<Stdio>) -> Child {
    let mut command = Command::new(SERVER);
    command.args(["--runtime", name(runtime)]).stdin(stdin).stdout(stdout);
    command.stderr(Stdio::null()).spawn().expect("a child")
}

/// Waits for a graceful exit, for a few seconds at most.
fn finish(child: Child) {
    let status = end(child);
    assert!(status.success(), "{status}");
}

/// Waits for the exit, for a few seconds at most.
fn end(mut child: Child) -> ExitStatus {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("a status") {
            return status;
        }
        if start.elapsed() > Duration::from_secs(30) {
            child.kill().expect("kill");
            panic!("the server does not end");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn request(id: u32, method: &str, params: Value) -> String {
    let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
    format!("{request}\n")
}

fn hello() -> String {
    let params =
        json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}});
    request(0, "initialize", params) + "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n"
}

fn echo(id: u32, text: &str) -> String {
    request(id, "tools/call", json!({"name": "echo", "arguments": {"text": text}}))
}

/// The ids that were answered, in order, and what the program printed afterwards.
fn answered(output: impl Read) -> (Vec<u64>, Vec<String>) {
    let (mut ids, mut rest) = (Vec::new(), Vec::new());
    for line in BufReader::new(output).lines() {
        let line = line.expect("a line");
        match serde_json::from_str::<Value>(&line) {
            Ok(message) => ids.extend(message["id"].as_u64()),
            Err(_) => rest.push(line),
        }
    }
    ids.sort_unstable();
    (ids, rest)
}

#[test]
fn from_a_file_to_a_file() {
    for runtime in RUNTIMES {
        let name = format!("mcp-stdio-{}-{}", std::process::id(), name(runtime));
        let [input, output] = ["in", "out"].map(|end| std::env::temp_dir().join(format!("{name}.{end}")));
        let calls: String = (1..=100).map(|id| echo(id, &"x".repeat(id as usize * 100))).collect();
        std::fs::write(&input, hello() + &calls).expect("written");
        let files = (File::open(&input), File::create(&output));
        finish(start(runtime, files.0.expect("open"), files.1.expect("create")));
        let (ids, rest) = answered(File::open(&output).expect("open"));
        assert!(ids.iter().copied().eq(0..=100), "{ids:?}");
        assert_eq!(rest, ["served"], "the output is the program's again, after everything");
        for path in [input, output] {
            std::fs::remove_file(path).expect("remove");
        }
    }
}

#[test]
fn from_a_pipe_to_a_pipe_everything_is_answered_after_the_end() {
    for runtime in RUNTIMES {
        let mut child = start(runtime, Stdio::piped(), Stdio::piped());
        let mut stdin = child.stdin.take().expect("stdin");
        let calls: String = (1..=100).map(|id| echo(id, "x")).collect();
        stdin.write_all((hello() + &calls).as_bytes()).expect("written");
        drop(stdin);
        let (ids, rest) = answered(child.stdout.take().expect("stdout"));
        assert!(ids.iter().copied().eq(0..=100), "{ids:?}");
        assert_eq!(rest, ["served"]);
        finish(child);
    }
}

#[test]
fn over_sockets_that_stay_as_they_were() {
    for runtime in RUNTIMES {
        let (near, far) = UnixStream::pair().expect("a pair");
        let (theirs, also) = (far.try_clone().expect("a clone"), far.try_clone().expect("a clone"));
        let child = start(runtime, OwnedFd::from(far), OwnedFd::from(also));
        (&near)
            .write_all((hello() + &echo(1, &"x".repeat(1 << 20))).as_bytes())
            .expect("written");
        let mut lines = BufReader::new(&near).lines();
        for id in 0..2 {
            let answer: Value = serde_json::from_str(&lines.next().expect("a line").expect("read")).expect("JSON");
            assert_eq!(answer["id"], id);
        }
        let flags = rustix::fs::fcntl_getfl(theirs.as_fd()).expect("flags");
        assert!(
            !flags.contains(rustix::fs::OFlags::NONBLOCK),
            "others have it open as well"
        );
        near.shutdown(std::net::Shutdown::Write).expect("shutdown");
        finish(child);
    }
}

#[test]
fn from_pipes_that_stay_as_they_were() {
    for runtime in RUNTIMES {
        let (theirs, mut ours) = std::io::pipe().expect("a pipe");
        let (output, output_theirs) = std::io::pipe().expect("a pipe");
        let kept = (
            theirs.try_clone().expect("a clone"),
            output_theirs.try_clone().expect("a clone"),
        );
        let child = start(runtime, theirs, output_theirs);
        ours.write_all(hello().as_bytes()).expect("written");
        let mut lines = BufReader::new(output).lines();
        assert!(lines.next().expect("a line").expect("read").contains("serverInfo"));
        for fd in [kept.0.as_fd(), kept.1.as_fd()] {
            let flags = rustix::fs::fcntl_getfl(fd).expect("flags");
            assert!(
                !flags.contains(rustix::fs::OFlags::NONBLOCK),
                "others have it open as well"
            );
        }
        drop(ours);
        finish(child);
    }
}

#[test]
fn without_any_input_there_is_an_end() {
    for runtime in RUNTIMES {
        finish(start(runtime, Stdio::null(), Stdio::null()));
    }
}

#[test]
fn a_line_that_is_too_long_is_refused_and_the_connection_lives() {
    for runtime in RUNTIMES {
        let mut child = start(runtime, Stdio::piped(), Stdio::piped());
        let mut stdin = child.stdin.take().expect("stdin");
        let writer = std::thread::spawn(move || {
            let long = echo(1, &"x".repeat(17 << 20));
            stdin
                .write_all((hello() + &long + &echo(2, "x")).as_bytes())
                .expect("written");
        });
        let (mut errors, mut ids) = (0, Vec::new());
        for line in BufReader::new(child.stdout.take().expect("stdout")).lines() {
            let Ok(message) = serde_json::from_str::<Value>(&line.expect("a line")) else {
                continue;
            };
            errors += u32::from(message.get("error").is_some());
            ids.extend(message["id"].as_u64().filter(|_| message.get("result").is_some()));
        }
        writer.join().expect("no panic");
        assert_eq!((errors, ids), (1, vec![0, 2]));
        finish(child);
    }
}

/// A terminal that nobody waits for: this side of it, and the side of a program.
fn terminal() -> (File, OwnedFd) {
    use rustix::fs::{Mode, OFlags, open};
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let near = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
    grantpt(&near).expect("granted");
    unlockpt(&near).expect("unlocked");
    let name = ptsname(&near, Vec::new()).expect("a name");
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let far = open(name.as_c_str(), flags, Mode::empty()).expect("open");
    (near.into(), far)
}

#[test]
fn from_a_terminal_that_others_have_switched_to_non_blocking() {
    for runtime in RUNTIMES {
        let (mut terminal, far) = terminal();
        let mut child = start(runtime, far, Stdio::piped());
        let mut lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
        for (id, text) in [hello(), echo(1, "x")].into_iter().enumerate() {
            // Before this there is nothing to read.
            std::thread::sleep(Duration::from_millis(50));
            terminal.write_all(text.as_bytes()).expect("written");
            let answer: Value = serde_json::from_str(&lines.next().expect("a line").expect("read")).expect("JSON");
            assert_eq!(answer["id"], id);
        }
        // The end, at a terminal.
        terminal.write_all(b"\x04").expect("written");
        finish(child);
    }
}

#[test]
fn to_a_terminal_that_others_have_switched_to_non_blocking() {
    for runtime in RUNTIMES {
        let (terminal, far) = terminal();
        let (theirs, mut ours) = std::io::pipe().expect("a pipe");
        let child = start(runtime, theirs, far);
        let calls: String = (1..=100).map(|id| echo(id, &"x".repeat(1000))).collect();
        let writing = std::thread::spawn(move || ours.write_all((hello() + &calls).as_bytes()));
        // More than a terminal has room for.
        std::thread::sleep(Duration::from_millis(100));
        let lines = BufReader::new(terminal).lines().map_while(Result::ok).take(101);
        let mut ids: Vec<_> = lines
            .filter_map(|line| serde_json::from_str::<Value>(&line).ok()?["id"].as_u64())
            .collect();
        ids.sort_unstable();
        assert!(ids.iter().copied().eq(0..=100), "{ids:?}");
        writing.join().expect("no panic").expect("written");
        finish(child);
    }
}

#[test]
fn what_the_output_fails_with_is_told() {
    for runtime in RUNTIMES {
        let full = File::options().write(true).open("/dev/full").expect("open");
        let mut child = start(runtime, Stdio::piped(), full);
        let mut stdin = child.stdin.take().expect("stdin");
        stdin.write_all(hello().as_bytes()).expect("written");
        drop(stdin);
        assert_eq!(end(child).code(), Some(1), "no answer has arrived");
    }
}

#[test]
fn what_the_input_fails_with_is_told() {
    for runtime in RUNTIMES {
        let folder = File::open(std::env::temp_dir()).expect("open");
        assert_eq!(end(start(runtime, folder, Stdio::null())).code(), Some(1));
    }
}
