//! Large answers on byte streams that are never read.

use std::net::SocketAddr;
use std::time::Instant;

use futures_util::future::join_all;
use mcp_proto::Limits;
use mcp_proto::handle::Server;
use mcp_tests::world::Number;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::HEAP;
use crate::honest::{SOON, modern};
use crate::victim::everywhere_on_streams;

const MIB: usize = 1 << 20;
const UNREAD: usize = 32 * MIB;
const READERS: usize = 40;
const ANSWER: usize = 4 * MIB;

/// The line that asks for an answer of this size.
fn ask(size: usize) -> Vec<u8> {
    let members = format!(r#""name":"large","arguments":{{"number":{size}}}"#);
    let (_, body) = modern("tools/call", "large", &members);
    (body + "\n").into_bytes()
}

/// Asks over a connection of its own, and is answered soon.
async fn soon(address: SocketAddr, size: usize) {
    let begun = Instant::now();
    let mut connection = BufReader::new(TcpStream::connect(address).await.unwrap());
    connection.write_all(&ask(size)).await.unwrap();
    let mut line = String::new();
    connection.read_line(&mut line).await.unwrap();
    let time = begun.elapsed();
    assert!(time < SOON && line.len() > size, "{time:?}, {} bytes", line.len());
}

#[test]
fn answers_on_byte_streams_that_nobody_reads_are_bounded_together() {
    everywhere_on_streams(async |start| {
        let limits = Limits::default().with_unread_bytes(UNREAD);
        let large = |args: Number| async move { Ok("x".repeat(args.number as usize)) };
        let server = Server::builder("victim", "1").limits(limits).tool("large", "", large);
        let victim = start(server.build());
        soon(victim.address, 1).await;
        let before = HEAP.current_usage();
        HEAP.reset_peak_usage();
        let attack = (0..READERS).map(|_| async {
            let mut connection = TcpStream::connect(victim.address).await.unwrap();
            connection.write_all(&ask(ANSWER)).await.unwrap();
            // Its beginning, and nothing more. Where others hold as much, it may be cut off at once.
            let _ = connection.read_exact(&mut [0; 12]).await;
            connection
        });
        let attackers = join_all(attack).await;
        for _ in 0..5 {
            soon(victim.address, MIB).await;
        }
        let grown = HEAP.current_usage().saturating_sub(before);
        let most = HEAP.peak_usage().saturating_sub(before);
        println!("{} MiB, at most {} MiB", grown / MIB, most / MIB);
        // All of them would be 160 MiB.
        assert!(grown < UNREAD + UNREAD / 4, "{grown}");
        // On each of two threads, one handler's text, its result, and the room to write that.
        assert!(most < UNREAD + 8 * ANSWER, "{most}");
        // Who is cut off can tell, and who is not has it all.
        let rest = attackers.into_iter().map(|mut connection| async move {
            let (mut all, mut buffer) = (0, vec![0; MIB]);
            loop {
                match connection.read(&mut buffer).await {
                    Ok(0) | Err(_) => return false,
                    Ok(length) => all += length,
                }
                if all > ANSWER {
                    return true;
                }
            }
        });
        let whole = join_all(rest).await.into_iter().filter(|is_whole| *is_whole).count();
        assert!((1..READERS).contains(&whole), "{whole}");
        soon(victim.address, 1).await;
    });
}
