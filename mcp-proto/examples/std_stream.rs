//! A client and a server over a Unix socket, with threads and blocking IO: no runtime at all.
//!
//! `cargo run -p mcp-proto --example std_stream`
//!
//! # How to write a driver for a byte stream
//!
//! A driver moves bytes between a stream and a [`Pump`], and knows nothing of what they mean. It is the same for a
//! client and for a server. [`drive`] is one, in less than 60 lines; whatever the IO is, it has three lanes:
//!
//! 1. **Read.** Ask [`Pump::poll_wants_input`]: read while it is `Ready(true)`, wait while it is `Pending` (the
//!    application or the outbox is full, and the peer shall feel it), stop for good when it is `Ready(false)`. Give
//!    what came to [`Pump::receive`], cut anywhere, and the end of the stream to [`Pump::receive_eof`]. The end of
//!    reading is not the end of writing: what is queued still goes out.
//! 2. **Write.** First [`Pump::poll_work`], which runs the handlers of a server, then [`Pump::poll_transmit`], so
//!    that an answer that is ready at once leaves in this very write. Write all of what it gives before asking again.
//!    `Ready(None)` means that everything is said: shut the stream down, and the driver is done.
//! 3. **Timer.** When nothing is ready, sleep until [`Pump::deadline`] at most, and call [`Pump::handle_timeout`].
//!    Too early or too often is no harm.
//!
//! Each `poll_…` keeps the waker it is given, and anything that changes wakes it: a call of the application, a
//! handler that is ready, room in a queue. There is one waker for all lanes. On an async runtime the lanes are joined
//! in one future, and never raced: a read that is ready must not drop a write that is half done. With blocking IO a
//! lane that sits in `read` cannot see a waker, so reading has a thread of its own, and writing shares one with the
//! timer; here the waker is a [`Bell`] that both hear.
//!
//! Time is what the driver says it is: [`Time`] counts from an origin that the driver picks once for a connection.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mcp_proto::Time;
use mcp_proto::client::ClientConfig;
use mcp_proto::handle::{Client, Pump, Server};
use mcp_proto::model::CallToolResult;
use serde::Deserialize;
use serde_json::json;

#[allow(dead_code, reason = "the other example needs all of it")]
mod block_on;
use block_on::block_on;

/// Moves bytes between `stream` and `pump` until the connection is closed: the write lane and the timer on this
/// thread, the read lane on one of its own.
fn drive(pump: &(impl Pump + Sync), stream: &UnixStream) -> io::Result<()> {
    let origin = Instant::now();
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(Arc::clone(&bell));
    thread::scope(|scope| {
        scope.spawn(|| read(pump, stream, origin, &bell, &waker));
        let written = write(pump, stream, origin, &bell, &waker);
        // The peer sees the end of the stream, and so does the read lane.
        let _ = stream.shutdown(Shutdown::Both);
        written
    })
}

fn read(pump: &impl Pump, mut stream: &UnixStream, origin: Instant, bell: &Bell, waker: &Waker) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let seen = bell.rings();
        match pump.poll_wants_input(&mut Context::from_waker(waker)) {
            Poll::Ready(true) => {}
            Poll::Ready(false) => return,
            Poll::Pending => {
                bell.wait(seen, None);
                continue;
            }
        }
        // A stream that breaks has ended, too.
        let length = stream.read(&mut buffer).unwrap_or(0);
        let now = Time::since_origin(origin.elapsed());
        match buffer.get(..length) {
            Some(bytes) if length > 0 => pump.receive(now, Bytes::copy_from_slice(bytes)),
            _ => pump.receive_eof(now),
        }
        bell.ring();
        if length == 0 {
            return;
        }
    }
}

fn write(pump: &impl Pump, mut stream: &UnixStream, origin: Instant, bell: &Bell, waker: &Waker) -> io::Result<()> {
    let cx = &mut Context::from_waker(waker);
    let now = || Time::since_origin(origin.elapsed());
    loop {
        let seen = bell.rings();
        pump.poll_work(cx, now());
        match pump.poll_transmit(cx, now()) {
            Poll::Ready(Some(bytes)) => stream.write_all(&bytes)?,
            Poll::Ready(None) => return Ok(()),
            Poll::Pending => {
                bell.wait(seen, pump.deadline().map(|deadline| deadline.since(now())));
                pump.handle_timeout(now());
            }
        }
    }
}

/// A waker that several threads hear.
#[derive(Default)]
struct Bell {
    rings: Mutex<u64>,
    rung: Condvar,
}

impl Bell {
    /// How often it has rung. To be asked before the polls: what rings between a poll and the wait is not missed.
    fn rings(&self) -> u64 {
        *self.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ring(&self) {
        *self.rings.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.rung.notify_all();
    }

    /// Waits for another ring than those `seen`, and no longer than `most`.
    fn wait(&self, seen: u64, most: Option<Duration>) {
        let rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
        let most = most.unwrap_or(Duration::MAX);
        drop(self.rung.wait_timeout_while(rings, most, |rings| *rings == seen));
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.ring();
    }
}

#[derive(Deserialize, schemars::JsonSchema)]
struct Forecast {
    city: String,
}

/// A server and a client, each with a thread for its driver; the application has this one.
fn run() -> Result<CallToolResult, Box<dyn Error>> {
    let server = Server::builder("weather", "1.0.0")
        .tool("forecast", "Forecast for a city", |args: Forecast| async move {
            Ok(format!("sunny in {}", args.city))
        })
        .build();
    let (client, pump) = Client::over_stream(ClientConfig::named("example-client", "1.0.0"));
    let (near, far) = UnixStream::pair()?;
    thread::scope(|scope| {
        let serving = scope.spawn(move || drive(&server.pump(), &far));
        let calling = scope.spawn(move || drive(&pump, &near));
        let result = block_on(client.call_tool("forecast", json!({"city": "Bern"})));
        // The last handle is dropped: the client's driver says what is left to say and ends, and so does the server's.
        drop(client);
        calling.join().map_err(|_| "the client's driver panicked")??;
        serving.join().map_err(|_| "the server's driver panicked")??;
        Ok(result?)
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("{:?}", run()?.content);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn a_call_is_answered_and_both_drivers_end() {
        let (done, ended) = mpsc::channel();
        thread::spawn(move || done.send(run().map_err(|error| error.to_string())));
        let result = ended
            .recv_timeout(Duration::from_secs(20))
            .expect("an end")
            .expect("an answer");
        assert_eq!(result.content, CallToolResult::text("sunny in Bern").content);
    }

    #[test]
    fn the_driver_fits_in_60_lines() {
        let source = include_str!("std_stream.rs");
        let start = source.find("fn drive(").expect("the driver");
        let end = source.find("/// A waker that several").expect("its end");
        let lines = source[start..end].lines().filter(|line| !line.trim().is_empty());
        assert!(lines.count() <= 60);
    }
}
