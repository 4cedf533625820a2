//! Streams that misbehave.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use mcp_proto::handle::Server;
use mcp_tests::runtime::{AnyPump, Stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::script::Script;
use crate::{Driver, everywhere};

/// Reads and writes that end as a test says; without an answer they wait for ever.
#[derive(Default)]
struct Scripted {
    reads: VecDeque<io::Result<&'static [u8]>>,
    writes: VecDeque<io::Result<usize>>,
    written: Arc<Mutex<Vec<u8>>>,
}

impl AsyncRead for Scripted {
    fn poll_read(mut self: Pin<&mut Self>, _cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Some(read) = self.reads.pop_front() else {
            return Poll::Pending;
        };
        Poll::Ready(read.map(|bytes| buffer.put_slice(bytes)))
    }
}

impl AsyncWrite for Scripted {
    fn poll_write(mut self: Pin<&mut Self>, _cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Some(write) = self.writes.pop_front() else {
            return Poll::Pending;
        };
        let length = write?.min(bytes.len());
        self.written.lock().unwrap().extend_from_slice(&bytes[..length]);
        Poll::Ready(Ok(length))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

const PING: &[u8] = b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n";

fn interrupted<T>() -> io::Result<T> {
    Err(io::ErrorKind::Interrupted.into())
}

fn server() -> Server {
    Server::builder("test", "1").build()
}

#[test]
fn interruptions_are_repeated_and_writes_in_parts_are_finished() {
    everywhere(async |runtime| {
        let mut writes: VecDeque<_> = [interrupted(), Ok(1), interrupted()].into();
        writes.extend((0..100).map(|_| Ok(7)));
        let (head, tail) = PING.split_at(9);
        let reads = [interrupted(), Ok(head), interrupted(), Ok(tail), Ok(&b""[..])];
        let stream = Scripted {
            reads: reads.into(),
            writes,
            ..Scripted::default()
        };
        let written = stream.written.clone();
        let serving = runtime.serve_stream(&server(), Stream::new(stream));
        serving.await.expect("a graceful end");
        let written = written.lock().unwrap();
        let answer = std::str::from_utf8(&written).expect("text");
        assert!(answer.contains("\"id\":1") && answer.ends_with("}\n"), "{answer}");
    });
}

#[test]
fn a_stream_that_fails_ends_with_its_error() {
    everywhere(async |runtime| {
        let ping = || VecDeque::from([Ok(PING)]);
        let broken = |kind: io::ErrorKind| VecDeque::from([Err(kind.into())]);
        for (reads, writes, kind) in [
            (ping(), VecDeque::from([Ok(0)]), io::ErrorKind::WriteZero),
            (ping(), broken(io::ErrorKind::BrokenPipe), io::ErrorKind::BrokenPipe),
            (
                VecDeque::from([Err(io::ErrorKind::ConnectionReset.into())]),
                VecDeque::new(),
                io::ErrorKind::ConnectionReset,
            ),
        ] {
            let stream = Stream::new(Scripted {
                reads,
                writes,
                ..Scripted::default()
            });
            let error = runtime.serve_stream(&server(), stream).await.expect_err("broken");
            assert_eq!(error.kind(), kind);
        }
    });
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

#[test]
fn other_tasks_get_their_turn_beside_an_endless_stream() {
    everywhere(async |runtime| {
        let (script, pump) = Script::new();
        script.change(|state| state.echo = true);
        let stream = Stream::new(Endless { write: || Ok(1) });
        let mut driver = Driver(runtime.drive_over(AnyPump::new(pump), stream));
        for _ in 0..100 {
            // Each poll comes to its end.
            let polled = poll_fn(|cx| Poll::Ready(driver.0.as_mut().poll(cx))).await;
            assert!(polled.is_pending());
        }
        assert!(!script.state().received.is_empty());
    });
}

#[test]
fn an_endless_stream_that_takes_nothing_is_given_up() {
    everywhere(async |runtime| {
        for (write, kind) in [
            ((|| Ok(0)) as fn() -> io::Result<usize>, io::ErrorKind::WriteZero),
            (
                || Err(io::ErrorKind::ConnectionReset.into()),
                io::ErrorKind::ConnectionReset,
            ),
        ] {
            let (script, pump) = Script::new();
            script.change(|state| state.output.push_back(Bytes::from_static(b"in vain")));
            let driver = runtime.drive_over(AnyPump::new(pump), Stream::new(Endless { write }));
            assert_eq!(driver.await.expect_err("broken").kind(), kind);
            assert!(script.state().received.len() <= 64 + 1);
        }
    });
}
