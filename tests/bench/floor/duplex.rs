//! JSON over a pipe in memory, a message a line, with a client and a server in one thread.

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::runtime::Runtime;

use crate::messages::{read_request, read_response, request, response};
use crate::subject::current_thread;

/// Round trips with `window` requests in flight.
pub(crate) fn round_trips(window: usize) -> impl FnMut(u64) {
    let runtime: Runtime = current_thread();
    let (mut client, server) = duplex(64 << 10);
    runtime.spawn(serve(server));
    let mut next = 0;
    move |times| {
        runtime.block_on(async {
            let mut left = times;
            while left > 0 {
                let batch = left.min(window as u64);
                exchange(&mut client, next, batch).await;
                next += batch;
                left -= batch;
            }
        });
    }
}

async fn exchange(io: &mut DuplexStream, first: u64, count: u64) {
    let mut out = Vec::new();
    for id in first..first + count {
        out.extend(request(id, None));
        out.push(b'\n');
    }
    io.write_all(&out).await.expect("an open pipe");
    let (mut buffer, mut seen) = (Vec::with_capacity(16 << 10), 0);
    while seen < count {
        assert!(io.read_buf(&mut buffer).await.expect("an open pipe") > 0);
        for_lines(&mut buffer, |line| {
            assert_eq!(read_response(line), first + seen);
            seen += 1;
        });
    }
}

async fn serve(mut io: DuplexStream) {
    let (mut buffer, mut out) = (Vec::with_capacity(16 << 10), Vec::new());
    while io.read_buf(&mut buffer).await.is_ok_and(|read| read > 0) {
        for_lines(&mut buffer, |line| {
            let (id, text) = read_request(line);
            out.extend(response(id, &text));
            out.push(b'\n');
        });
        if io.write_all(&out).await.is_err() {
            return;
        }
        out.clear();
    }
}

/// Takes the complete lines out of a buffer.
fn for_lines(buffer: &mut Vec<u8>, mut take: impl FnMut(&[u8])) {
    let Some(end) = buffer.iter().rposition(|byte| *byte == b'\n') else {
        return;
    };
    buffer[..end].split(|byte| *byte == b'\n').for_each(&mut take);
    buffer.drain(..=end);
}
