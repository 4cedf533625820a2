//! The lanes over an in-memory pipe, with a pump that does what a test says, on tokio's paused clock.

mod memory;
mod script;

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use mcp_tokio::drive;
use mcp_tokio::mcp_proto::Time;
use script::Script;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

/// No test waits longer, on the paused clock.
const BOUND: Duration = Duration::from_secs(30);

async fn bounded<T>(future: impl Future<Output = T>) -> T {
    timeout(BOUND, future).await.expect("in time")
}

/// A driver over a pipe that holds `room` bytes each way.
fn start(room: usize) -> (Script, DuplexStream, JoinHandle<io::Result<()>>) {
    let (script, pump) = Script::new();
    let (near, far) = duplex(room);
    (script, far, tokio::spawn(drive(pump, near)))
}

/// Lets the driver run until nothing moves any more.
async fn settle() {
    sleep(Duration::from_millis(1)).await;
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 31 % 251) as u8).collect()
}

#[tokio::test(start_paused = true)]
async fn a_write_in_many_parts_arrives_whole() {
    let (script, mut far, driver) = start(7);
    let sent = pattern(10_000);
    script.change(|state| {
        state.output.push_back(Bytes::from(sent.clone()));
        state.output.push_back(Bytes::from_static(b"end"));
        state.closing = true;
    });
    let mut got = Vec::new();
    bounded(far.read_to_end(&mut got)).await.expect("read");
    assert_eq!(got.len(), sent.len() + 3);
    assert!(got.starts_with(&sent) && got.ends_with(b"end"));
    bounded(driver).await.expect("no panic").expect("a graceful end");
    assert!(script.state().dropped);
}

#[tokio::test(start_paused = true)]
async fn input_is_read_while_a_write_is_half_done() {
    let (script, mut far, driver) = start(16);
    script.change(|state| state.output.push_back(Bytes::from(pattern(100))));
    settle().await;
    bounded(far.write_all(b"0123456789")).await.expect("write");
    settle().await;
    assert_eq!(script.state().received, b"0123456789");
    let mut got = vec![0; 100];
    bounded(far.read_exact(&mut got)).await.expect("read");
    assert_eq!(got, pattern(100));
    driver.abort();
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_input_does_not_cut_off_queued_output() {
    let (script, far, driver) = start(8);
    let (mut read, mut write) = tokio::io::split(far);
    script.change(|state| {
        state.close_on_eof = true;
        state.output.extend((0..50).map(|at| Bytes::from(pattern(at))));
    });
    bounded(write.shutdown()).await.expect("shutdown");
    settle().await;
    assert!(script.state().ended && !driver.is_finished());
    let mut got = Vec::new();
    bounded(read.read_to_end(&mut got)).await.expect("read");
    assert_eq!(got.len(), (0..50).sum::<usize>());
    bounded(driver).await.expect("no panic").expect("a graceful end");
}

#[tokio::test(start_paused = true)]
async fn output_that_comes_after_the_end_of_the_input_is_written() {
    let (script, far, driver) = start(64);
    let (mut read, mut write) = tokio::io::split(far);
    bounded(write.shutdown()).await.expect("shutdown");
    sleep(Duration::from_secs(10)).await;
    script.change(|state| {
        state.output.push_back(Bytes::from_static(b"late"));
        state.closing = true;
    });
    let mut got = Vec::new();
    bounded(read.read_to_end(&mut got)).await.expect("read");
    assert_eq!(got, b"late");
    bounded(driver).await.expect("no panic").expect("a graceful end");
}

#[tokio::test(start_paused = true)]
async fn a_pump_without_room_is_not_fed() {
    let (script, mut far, driver) = start(1 << 20);
    script.change(|state| state.wants_input = None);
    settle().await;
    bounded(far.write_all(&pattern(100_000))).await.expect("write");
    settle().await;
    assert!(script.state().received.is_empty());
    script.change(|state| state.wants_input = Some(true));
    settle().await;
    assert_eq!(script.state().received, pattern(100_000));
    assert!(script.state().largest <= 16 << 10);
    driver.abort();
}

#[tokio::test(start_paused = true)]
async fn no_more_output_is_asked_for_than_can_be_written() {
    let (script, mut far, driver) = start(10);
    script.change(|state| state.output.extend((0..20).map(|_| Bytes::from(pattern(10)))));
    settle().await;
    assert_eq!(script.state().transmitted, 2, "one in the pipe, one in hand");
    let mut got = vec![0; 200];
    bounded(far.read_exact(&mut got)).await.expect("read");
    assert_eq!(script.state().transmitted, 20);
    driver.abort();
}

#[tokio::test(start_paused = true)]
async fn deadlines_come_on_time_and_move() {
    let (script, _far, driver) = start(64);
    let at = |seconds| Time::ORIGIN + Duration::from_secs(seconds);
    script.change(|state| state.deadline = Some(at(60)));
    settle().await;
    script.change(|state| state.deadline = Some(at(5)));
    sleep(Duration::from_secs(6)).await;
    assert_eq!(script.state().timeouts.len(), 1);
    assert_eq!(script.state().timeouts[0].elapsed().as_secs(), 5);
    script.change(|state| state.deadline = Some(at(3600)));
    sleep(Duration::from_secs(3601)).await;
    assert_eq!(script.state().timeouts.len(), 2);
    assert_eq!(script.state().timeouts[1].elapsed().as_secs(), 3600);
    driver.abort();
}

#[tokio::test(start_paused = true)]
async fn deadlines_run_while_a_write_is_held_up() {
    let (script, _far, driver) = start(4);
    script.change(|state| state.output.push_back(Bytes::from(pattern(100))));
    settle().await;
    script.change(|state| state.deadline = Some(Time::ORIGIN + Duration::from_secs(5)));
    sleep(Duration::from_secs(6)).await;
    assert_eq!(script.state().timeouts.len(), 1);
    assert!(!driver.is_finished(), "a slow peer is no dead one");
    driver.abort();
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_takes_the_last_output_is_given_up() {
    let (script, _far, driver) = start(4);
    script.change(|state| state.output.push_back(Bytes::from(pattern(100))));
    settle().await;
    let closed = Instant::now();
    script.change(|state| {
        state.wants_input = Some(false);
        state.closing = true;
    });
    let error = bounded(driver).await.expect("no panic").expect_err("held up");
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(closed.elapsed() < Duration::from_secs(3));
    assert!(script.state().dropped);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_has_ended_its_side_gets_more_time_for_its_answers() {
    let (script, far, driver) = start(4);
    let (mut read, mut write) = tokio::io::split(far);
    script.change(|state| {
        state.close_on_eof = true;
        state.output.push_back(Bytes::from(pattern(100)));
    });
    bounded(write.shutdown()).await.expect("shutdown");
    sleep(Duration::from_secs(50)).await;
    let mut got = vec![0; 50];
    bounded(read.read_exact(&mut got)).await.expect("read");
    sleep(Duration::from_secs(50)).await;
    assert!(!driver.is_finished());
    sleep(Duration::from_secs(20)).await;
    let error = bounded(driver).await.expect("no panic").expect_err("held up");
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn what_was_written_makes_room_for_input() {
    let (script, mut far, driver) = start(1 << 10);
    script.change(|state| {
        state.wants_input = None;
        state.room_when_sent = true;
    });
    settle().await;
    bounded(far.write_all(b"question")).await.expect("write");
    script.change(|state| state.output.push_back(Bytes::from_static(b"answer")));
    settle().await;
    assert_eq!(script.state().received, b"question");
    driver.abort();
}

#[tokio::test(start_paused = true)]
async fn what_had_arrived_is_received_when_writing_fails() {
    let (script, mut far, driver) = start(1 << 20);
    script.change(|state| state.wants_input = None);
    settle().await;
    bounded(far.write_all(&pattern(50_000))).await.expect("write");
    drop(far);
    script.change(|state| {
        state.output.push_back(Bytes::from_static(b"in vain"));
        state.wants_input = Some(true);
    });
    let error = bounded(driver).await.expect("no panic").expect_err("a broken pipe");
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    assert_eq!(script.state().received, pattern(50_000));
    assert!(script.state().ended);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_driver_drops_the_pump() {
    let (script, mut far, driver) = start(64);
    settle().await;
    driver.abort();
    let mut got = Vec::new();
    bounded(far.read_to_end(&mut got)).await.expect("the end");
    assert!(script.state().dropped);
}

/// A stream that is always ready to read, and fails or swallows writes.
struct Endless {
    write: fn() -> io::Result<usize>,
}

impl AsyncRead for Endless {
    fn poll_read(self: Pin<&mut Self>, _cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        buffer.put_slice(b"x");
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Endless {
    fn poll_write(self: Pin<&mut Self>, _cx: &mut Context<'_>, _bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready((self.write)())
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test(start_paused = true)]
async fn other_tasks_get_their_turn_beside_an_endless_stream() {
    let (script, pump) = Script::new();
    script.change(|state| state.echo = true);
    let driver = tokio::spawn(drive(pump, Endless { write: || Ok(1) }));
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!script.state().received.is_empty() && !driver.is_finished());
    driver.abort();
}

#[tokio::test(start_paused = true)]
async fn an_endless_stream_that_takes_nothing_is_given_up() {
    for (write, kind) in [
        ((|| Ok(0)) as fn() -> io::Result<usize>, io::ErrorKind::WriteZero),
        (
            || Err(io::ErrorKind::ConnectionReset.into()),
            io::ErrorKind::ConnectionReset,
        ),
    ] {
        let (script, pump) = Script::new();
        script.change(|state| state.output.push_back(Bytes::from_static(b"in vain")));
        let error = bounded(drive(pump, Endless { write })).await.expect_err("broken");
        assert_eq!(error.kind(), kind);
        assert!(script.state().received.len() <= 64 + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn everything_comes_back_through_pipes_of_any_size() {
    for room in [1, 3, 100, 16 << 10, 1 << 20] {
        let (script, far, driver) = start(room);
        script.change(|state| {
            state.echo = true;
            state.close_on_eof = true;
        });
        let (mut read, mut write) = tokio::io::split(far);
        let writer = tokio::spawn(async move {
            write.write_all(&pattern(20_000)).await.expect("write");
            write.shutdown().await.expect("shutdown");
        });
        let mut got = Vec::new();
        bounded(read.read_to_end(&mut got)).await.expect("read");
        assert_eq!(got, pattern(20_000), "{room}");
        bounded(writer).await.expect("no panic");
        bounded(driver).await.expect("no panic").expect("a graceful end");
    }
}
