//! Calls that report progress without end, and how much memory that takes: no more than a megabyte, whether they are read
//! or not.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use mcp_tests::caller;
use mcp_tests::runtime::{AnyPump, Runtime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::HEAP;
use crate::flood::{DONE, drink, look, server};
use crate::honest::{Raw, call, modern, soon};
use crate::victim::{alone, everywhere};

const MOST: usize = 1 << 20;
/// How long an unread flood may go on.
const WHILE: Duration = Duration::from_millis(300);
const REPORTS: usize = 20_000;

/// What the heap has grown by at most while something was done.
struct Growth(usize);

impl Growth {
    fn begin() -> Self {
        HEAP.reset_peak_usage();
        Self(HEAP.current_usage())
    }

    fn check(self, what: &str) {
        let grown = HEAP.peak_usage().saturating_sub(self.0);
        println!("{what}: {grown}");
        assert!(grown <= MOST, "{what}: {grown}");
    }
}

#[test]
fn a_flood_of_progress_over_http_takes_a_megabyte_at_most() {
    everywhere(async |start| {
        let victim = start(server());
        soon(victim.address, &call("echo", r#"{"text":"hi"}"#)).await;
        let growth = Growth::begin();
        let mut connection = Raw::open(victim.address).await;
        let flood = call("flood", &format!(r#"{{"number":{REPORTS}}}"#));
        assert!(drink(&mut connection, &flood).await > REPORTS * 50);
        growth.check("read");
        let growth = Growth::begin();
        connection.0.write_all(&call("forever", "{}")).await.unwrap();
        connection.0.read_exact(&mut [0; 12]).await.unwrap();
        tokio::time::sleep(WHILE).await;
        growth.check("never read");
    });
}

/// A server on a byte stream, and the other end of that.
fn serve(runtime: &dyn Runtime) -> UnixStream {
    let (near, far) = UnixStream::pair().unwrap();
    let serving = runtime.drive(AnyPump::new(server().pump()), far).unwrap();
    runtime.spawn(Box::pin(async { drop(serving.await) }));
    near
}

fn ask(stream: &mut UnixStream, tool: &str, arguments: &str) {
    let (_, body) = modern(
        "tools/call",
        tool,
        &format!(r#""name":"{tool}","arguments":{arguments}"#),
    );
    stream.write_all(format!("{body}\n").as_bytes()).unwrap();
}

/// Reads to the end of the answer.
fn read(stream: &mut UnixStream, mark: &str) -> usize {
    let (mut bytes, mut kept, mut buffer) = (0, 0, [0; 1 << 14]);
    loop {
        let length = stream.read(&mut buffer[kept..]).unwrap();
        assert!(length > 0, "it ends with its answer");
        bytes += length;
        match look(&mut buffer, kept + length, mark) {
            Some(rest) => kept = rest,
            None => return bytes,
        }
    }
}

#[test]
fn a_flood_of_progress_on_a_byte_stream_takes_a_megabyte_at_most() {
    let _alone = alone();
    caller::everywhere(async |runtime| {
        let mut stream = serve(runtime);
        ask(&mut stream, "echo", r#"{"text":"hi"}"#);
        runtime.sleep(Duration::from_millis(20)).await;
        let growth = Growth::begin();
        let reading = std::thread::spawn(move || {
            read(&mut stream, "hi");
            ask(&mut stream, "flood", &format!(r#"{{"number":{REPORTS}}}"#));
            (read(&mut stream, DONE), stream)
        });
        while !reading.is_finished() {
            runtime.sleep(Duration::from_millis(5)).await;
        }
        let (bytes, mut stream) = reading.join().unwrap();
        assert!(bytes > REPORTS * 50, "{bytes}");
        growth.check("read");
        let growth = Growth::begin();
        ask(&mut stream, "forever", "{}");
        runtime.sleep(WHILE).await;
        growth.check("never read");
    });
}
