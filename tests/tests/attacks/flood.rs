//! Calls that report progress without end.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use mcp_proto::handle::Server;
use mcp_proto::handle::server::{Context, NoArgs};
use mcp_tests::world::{Echo, Number};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::HEAP;
use crate::honest::{Raw, call, recovered, soon};
use crate::victim::everywhere;

/// How many reports of a flood an attacker takes in all.
const REPORTS: usize = if cfg!(debug_assertions) { 20_000 } else { 200_000 };

pub(crate) fn server() -> Server {
    let echo = |args: Echo| async move { Ok(args.text) };
    let flood = |args: Number, context: Context| async move {
        for report in 0..args.number {
            context.progress(f64::from(report), None, None).await;
        }
        Ok("done")
    };
    let forever = |_: NoArgs, context: Context| async move {
        for report in 0_u32.. {
            context
                .progress(f64::from(report), None, "x".repeat(1_000).as_str())
                .await;
        }
        Ok("never")
    };
    Server::builder("victim", "1")
        .tool("echo", "", echo)
        .tool("flood", "", flood)
        .tool("forever", "", forever)
        .build()
}

/// Reads to the end of the answer; how many bytes that were.
pub(crate) async fn drink(connection: &mut Raw, request: &[u8]) -> usize {
    connection.0.write_all(request).await.unwrap();
    let (mut bytes, mut kept, mut buffer) = (0, 0, [0; 1 << 14]);
    loop {
        let length = connection.0.read(&mut buffer[kept..]).await.unwrap();
        assert!(length > 0, "it ends with its answer");
        bytes += length;
        match look(&mut buffer, kept + length, DONE) {
            Some(rest) => kept = rest,
            None => return bytes,
        }
    }
}

/// How the answer of a flood ends.
pub(crate) const DONE: &str = "\"done\"";

/// Looks for a mark in what was read; where it is not there, keeps the last bytes at the front, since two reads may share
/// it.
pub(crate) fn look(buffer: &mut [u8], filled: usize, mark: &str) -> Option<usize> {
    if buffer[..filled]
        .windows(mark.len())
        .any(|window| window == mark.as_bytes())
    {
        return None;
    }
    let rest = filled.min(mark.len() - 1);
    buffer.copy_within(filled - rest..filled, 0);
    Some(rest)
}

#[test]
fn a_flood_of_progress_holds_neither_memory_nor_others() {
    for floods in [1, 20] {
        everywhere(async |start| {
            let victim = start(server());
            soon(victim.address, &call("echo", r#"{"text":"hi"}"#)).await;
            HEAP.reset_peak_usage();
            let before = HEAP.current_usage();
            let flood = call("flood", &format!(r#"{{"number":{}}}"#, REPORTS / floods));
            let attack = join_all((0..floods).map(|_| async {
                let mut connection = Raw::open(victim.address).await;
                drink(&mut connection, &flood).await
            }));
            let honest = async {
                let begun = Instant::now();
                while begun.elapsed() < Duration::from_millis(200) {
                    let (status, text) = soon(victim.address, &call("echo", r#"{"text":"hi"}"#)).await;
                    assert_eq!(status, 200, "{text}");
                    tokio::task::yield_now().await;
                }
            };
            let (bytes, ()) = futures_util::future::join(attack, honest).await;
            recovered(victim.address, &call("echo", r#"{"text":"hi"}"#)).await;
            assert!(bytes.iter().sum::<usize>() > REPORTS * 50);
            let grown = HEAP.peak_usage().saturating_sub(before);
            // Each keeps a queue and what the HTTP library has of it.
            assert!(grown < (1 << 20) + floods * (512 << 10), "{floods} floods: {grown}");
        });
    }
}
