//! Large answers that are never read.

use futures_util::future::join_all;
use mcp_proto::Limits;
use mcp_proto::handle::Server;
use mcp_tests::world::Number;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::HEAP;
use crate::honest::{Raw, call, recovered, soon};
use crate::victim::everywhere;

const MIB: usize = 1 << 20;
const UNREAD: usize = 32 * MIB;
const READERS: usize = 30;
const ANSWER: usize = 15 * MIB;

#[test]
fn answers_that_nobody_reads_are_bounded_together() {
    everywhere(async |start| {
        let limits = Limits::default().with_unread_bytes(UNREAD);
        let large = |args: Number| async move { Ok("x".repeat(args.number as usize)) };
        let server = Server::builder("victim", "1").limits(limits).tool("large", "", large);
        let victim = start(server.build());
        let ask = call("large", &format!(r#"{{"number":{ANSWER}}}"#));
        soon(victim.address, &call("large", r#"{"number":1}"#)).await;
        let before = HEAP.current_usage();
        HEAP.reset_peak_usage();
        let attack = (0..READERS).map(|_| async {
            let mut connection = Raw::open(victim.address).await;
            connection.0.write_all(&ask).await.unwrap();
            // Its head, and nothing more.
            // Where others hold as much, it may be broken off at once.
            let _ = connection.0.read_exact(&mut [0; 12]).await;
            connection
        });
        let attackers = join_all(attack).await;
        for _ in 0..5 {
            let (status, text) = soon(victim.address, &call("large", &format!(r#"{{"number":{MIB}}}"#))).await;
            assert!(status == 200 && text.len() > MIB, "{}", text.len());
        }
        let grown = HEAP.current_usage().saturating_sub(before);
        let most = HEAP.peak_usage().saturating_sub(before);
        // Beside what is counted, of each reader no more than the HTTP library has in hand.
        assert!(grown < UNREAD + READERS * (512 << 10), "{grown}");
        // And never the answers of all: what handlers have returned is written before the next one is polled, on each of
        // two threads one. Each takes its text, its result, and the room to write that.
        assert!(most < UNREAD + 8 * ANSWER, "{most}");
        // Who is cut off can tell, and who is not has it all.
        let rest = attackers.into_iter().map(|mut connection| async move {
            let (mut all, mut buffer) = (0, vec![0; MIB]);
            loop {
                match connection.0.read(&mut buffer).await {
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
        recovered(victim.address, &call("large", r#"{"number":1}"#)).await;
    });
}
