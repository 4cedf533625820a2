//! The three lanes, with a pump that does what a test says.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use mcp_proto::Time;
use mcp_tests::runtime::Runtime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{everywhere, pattern, start};

#[test]
fn a_write_in_many_parts_arrives_whole() {
    everywhere(async |runtime| {
        let (script, mut far, driver) = start(runtime, 7);
        let sent = pattern(10_000);
        script.change(|state| {
            state.output.push_back(Bytes::from(sent.clone()));
            state.output.push_back(Bytes::from_static(b"end"));
            state.closing = true;
        });
        let mut got = Vec::new();
        let (ended, read) = driver.end_beside(far.read_to_end(&mut got)).await;
        read.expect("read");
        ended.expect("a graceful end");
        assert_eq!(got.len(), sent.len() + 3);
        assert!(got.starts_with(&sent) && got.ends_with(b"end"));
        assert!(script.state().dropped);
    });
}

#[test]
fn input_is_read_while_a_write_is_half_done() {
    everywhere(async |runtime| {
        let (script, mut far, mut driver) = start(runtime, 16);
        script.change(|state| state.output.push_back(Bytes::from(pattern(100))));
        assert!(driver.settle().is_none());
        far.write_all(b"0123456789").await.expect("write");
        assert!(driver.settle().is_none());
        assert_eq!(script.state().received, b"0123456789");
        let mut got = vec![0; 100];
        driver.beside(far.read_exact(&mut got)).await.expect("read");
        assert_eq!(got, pattern(100));
    });
}

#[test]
fn the_end_of_the_input_does_not_cut_off_queued_output() {
    everywhere(async |runtime| {
        let (script, far, mut driver) = start(runtime, 8);
        let (mut read, mut write) = tokio::io::split(far);
        script.change(|state| {
            state.close_on_eof = true;
            state.output.extend((0..50).map(|at| Bytes::from(pattern(at))));
        });
        write.shutdown().await.expect("shutdown");
        assert!(driver.settle().is_none());
        assert!(script.state().ended);
        let mut got = Vec::new();
        let (ended, read) = driver.end_beside(read.read_to_end(&mut got)).await;
        read.expect("read");
        ended.expect("a graceful end");
        assert_eq!(got.len(), (0..50).sum::<usize>());
    });
}

#[test]
fn output_that_comes_after_the_end_of_the_input_is_written() {
    everywhere(async |runtime| {
        let (script, far, mut driver) = start(runtime, 64);
        let (mut read, mut write) = tokio::io::split(far);
        write.shutdown().await.expect("shutdown");
        assert!(driver.settle().is_none());
        assert!(script.state().ended);
        script.change(|state| {
            state.output.push_back(Bytes::from_static(b"late"));
            state.closing = true;
        });
        let mut got = Vec::new();
        let (ended, read) = driver.end_beside(read.read_to_end(&mut got)).await;
        read.expect("read");
        ended.expect("a graceful end");
        assert_eq!(got, b"late");
    });
}

#[test]
fn a_pump_without_room_is_not_fed() {
    everywhere(async |runtime| {
        let (script, mut far, mut driver) = start(runtime, 1 << 20);
        script.change(|state| state.wants_input = None);
        far.write_all(&pattern(100_000)).await.expect("write");
        assert!(driver.settle().is_none());
        assert!(script.state().received.is_empty());
        script.change(|state| state.wants_input = Some(true));
        assert!(driver.settle().is_none());
        assert_eq!(script.state().received, pattern(100_000));
        assert!(script.state().largest <= 16 << 10);
    });
}

#[test]
fn no_more_output_is_asked_for_than_can_be_written() {
    everywhere(async |runtime| {
        let (script, mut far, mut driver) = start(runtime, 10);
        script.change(|state| state.output.extend((0..20).map(|_| Bytes::from(pattern(10)))));
        assert!(driver.settle().is_none());
        assert_eq!(script.state().transmitted, 2, "one in the pipe, one in hand");
        let mut got = vec![0; 200];
        driver.beside(far.read_exact(&mut got)).await.expect("read");
        assert_eq!(script.state().transmitted, 20);
    });
}

#[test]
fn what_was_written_makes_room_for_input() {
    everywhere(async |runtime| {
        let (script, mut far, mut driver) = start(runtime, 1 << 10);
        script.change(|state| {
            state.wants_input = None;
            state.room_when_sent = true;
        });
        assert!(driver.settle().is_none());
        far.write_all(b"question").await.expect("write");
        script.change(|state| state.output.push_back(Bytes::from_static(b"answer")));
        assert!(driver.settle().is_none());
        assert_eq!(script.state().received, b"question");
    });
}

#[test]
fn what_had_arrived_is_received_when_writing_fails() {
    everywhere(async |runtime| {
        let (script, mut far, mut driver) = start(runtime, 1 << 20);
        script.change(|state| state.wants_input = None);
        assert!(driver.settle().is_none());
        far.write_all(&pattern(50_000)).await.expect("write");
        drop(far);
        script.change(|state| {
            state.output.push_back(Bytes::from_static(b"in vain"));
            state.wants_input = Some(true);
        });
        let error = driver.end().await.expect_err("a broken pipe");
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(script.state().received, pattern(50_000));
        assert!(script.state().ended);
    });
}

#[test]
fn dropping_the_driver_drops_the_pump() {
    everywhere(async |runtime| {
        let (script, mut far, mut driver) = start(runtime, 64);
        assert!(driver.settle().is_none());
        drop(driver);
        let mut got = Vec::new();
        far.read_to_end(&mut got).await.expect("the end");
        assert!(script.state().dropped);
    });
}

#[test]
fn everything_comes_back_through_pipes_of_any_size() {
    everywhere(async |runtime| {
        for room in [1, 3, 100, 16 << 10, 1 << 20] {
            let (script, far, driver) = start(runtime, room);
            script.change(|state| {
                state.echo = true;
                state.close_on_eof = true;
            });
            let (mut read, mut write) = tokio::io::split(far);
            let sent = pattern(20_000);
            let writing = async {
                write.write_all(&sent).await.expect("write");
                write.shutdown().await.expect("shutdown");
            };
            let mut got = Vec::new();
            let reading = async { read.read_to_end(&mut got).await.expect("read") };
            let both = futures_util::future::join(writing, reading);
            let (ended, _) = driver.end_beside(both).await;
            ended.expect("a graceful end");
            assert_eq!(got, sent, "{room}");
        }
    });
}

/// A deadline this long after the driver began.
fn after(milliseconds: u64) -> Option<Time> {
    Some(Time::ORIGIN + Duration::from_millis(milliseconds))
}

async fn sleep(runtime: &dyn Runtime, milliseconds: u64) {
    runtime.sleep(Duration::from_millis(milliseconds)).await;
}

#[test]
fn deadlines_come_on_time_and_move() {
    everywhere(async |runtime| {
        let (script, _far, mut driver) = start(runtime, 64);
        script.change(|state| state.deadline = after(3_600_000));
        assert!(driver.settle().is_none());
        script.change(|state| state.deadline = after(30));
        while script.state().timeouts.is_empty() {
            driver.beside(sleep(runtime, 1)).await;
        }
        assert!(script.state().timeouts[0] >= after(30).unwrap());
        script.change(|state| state.deadline = after(60));
        while script.state().timeouts.len() < 2 {
            driver.beside(sleep(runtime, 1)).await;
        }
        assert!(script.state().timeouts[1] >= after(60).unwrap());
    });
}

#[test]
fn deadlines_run_while_a_write_is_held_up() {
    everywhere(async |runtime| {
        let (script, _far, mut driver) = start(runtime, 4);
        script.change(|state| state.output.push_back(Bytes::from(pattern(100))));
        assert!(driver.settle().is_none());
        script.change(|state| state.deadline = after(20));
        while script.state().timeouts.is_empty() {
            // A slow peer is no dead one.
            driver.beside(sleep(runtime, 1)).await;
        }
    });
}
