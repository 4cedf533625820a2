//! The driver of a byte stream, over streams that misbehave.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use mcp_smol::mcp_proto::client::Mode;
use mcp_smol::mcp_proto::rpc::CallError;
use mcp_smol::stream::{client_over, serve_stream};
use mcp_smol::{Client, Server, drive};
use smol::Timer;
use smol::io::{AsyncRead, AsyncWrite};

/// Reads and writes that end as a test says; without an answer they wait for ever.
#[derive(Default)]
struct Scripted {
    reads: VecDeque<io::Result<&'static [u8]>>,
    writes: VecDeque<io::Result<usize>>,
    written: usize,
}

impl AsyncRead for Scripted {
    fn poll_read(mut self: Pin<&mut Self>, _cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let Some(read) = self.reads.pop_front() else {
            return Poll::Pending;
        };
        Poll::Ready(read.map(|bytes| {
            buffer[..bytes.len()].copy_from_slice(bytes);
            bytes.len()
        }))
    }
}

impl AsyncWrite for Scripted {
    fn poll_write(mut self: Pin<&mut Self>, _cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Some(write) = self.writes.pop_front() else {
            return Poll::Pending;
        };
        let length = write?.min(bytes.len());
        self.written += length;
        Poll::Ready(Ok(length))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

const PING: &[u8] = b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n";

fn interrupted<T>() -> io::Result<T> {
    Err(io::ErrorKind::Interrupted.into())
}

/// Serves over `stream` until it is over.
fn serve(stream: Scripted) -> io::Result<()> {
    let server = Server::builder("test", "1").build();
    let late = async {
        Timer::after(Duration::from_secs(20)).await;
        panic!("in time");
    };
    smol::block_on(smol::future::or(serve_stream(&server, stream), late))
}

#[test]
fn interruptions_are_repeated_and_writes_in_parts_are_finished() {
    let mut writes: VecDeque<_> = [interrupted(), Ok(1), interrupted()].into();
    writes.extend((0..100).map(|_| Ok(7)));
    let mut stream = Scripted {
        reads: [
            interrupted(),
            Ok(&PING[..9]),
            interrupted(),
            Ok(&PING[9..]),
            Ok(&b""[..]),
        ]
        .into(),
        writes,
        written: 0,
    };
    let server = Server::builder("test", "1").build();
    smol::block_on(drive(server.pump(), &mut stream)).expect("a graceful end");
    assert!(stream.written > 20, "an answer, whole");
}

#[test]
fn a_stream_that_fails_ends_with_its_error() {
    let broken = |kind: io::ErrorKind| -> io::Result<usize> { Err(kind.into()) };
    for (write, kind) in [
        (Ok(0), io::ErrorKind::WriteZero),
        (broken(io::ErrorKind::BrokenPipe), io::ErrorKind::BrokenPipe),
    ] {
        let stream = Scripted {
            reads: [Ok(PING)].into(),
            writes: [write].into(),
            written: 0,
        };
        assert_eq!(serve(stream).expect_err("broken").kind(), kind);
    }
    let stream = Scripted {
        reads: [Err(io::ErrorKind::ConnectionReset.into())].into(),
        ..Scripted::default()
    };
    assert_eq!(serve(stream).expect_err("reset").kind(), io::ErrorKind::ConnectionReset);
}

#[test]
fn a_peer_that_takes_nothing_does_not_hold_up_the_close() {
    let config = Client::builder("test", "1").mode(Mode::Modern).build();
    let (client, driver) = client_over(Scripted::default(), config);
    let own = client.clone();
    let calling = async move {
        let outcome = own.list_tools().await;
        assert!(matches!(outcome, Err(CallError::Closed(_))), "{outcome:?}");
        std::future::pending().await
    };
    let closing = async {
        Timer::after(Duration::from_millis(20)).await;
        client.close().await;
        std::future::pending().await
    };
    let began = Instant::now();
    let ended = smol::block_on(smol::future::or(smol::future::or(calling, closing), driver));
    assert_eq!(ended.expect_err("held up").kind(), io::ErrorKind::TimedOut);
    assert!(began.elapsed() < Duration::from_secs(10));
}
