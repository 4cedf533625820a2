//! Large bodies that never end.

use futures_util::future::join_all;
use mcp_proto::Limits;
use mcp_proto::handle::Server;
use mcp_tests::world::Echo;
use tokio::io::AsyncWriteExt;

use crate::honest::{Raw, call, head, recovered, soon, status};
use crate::victim::everywhere;

const MIB: usize = 1 << 20;

#[test]
fn unfinished_large_bodies_lock_nobody_out() {
    everywhere(async |start| {
        let limits = Limits::default().with_reading_bytes(32 * MIB);
        let echo = |args: Echo| async move { Ok(args.text.len().to_string()) };
        let server = Server::builder("victim", "1").limits(limits).tool("length", "", echo);
        let victim = start(server.build());
        let attack = (0..16).map(|_| async {
            let mut connection = Raw::open(victim.address).await;
            connection.0.write_all(&head(&[], 2 * MIB)).await.unwrap();
            // Refused while it writes, where it is lost.
            let _ = connection.0.write_all(&vec![b' '; 2 * MIB - 1]).await;
            connection
        });
        let mut attackers = join_all(attack).await;
        for _ in 0..50 {
            let (status, text) = soon(victim.address, &call("length", r#"{"text":"hi"}"#)).await;
            assert_eq!(status, 200, "{text}");
        }
        // A large one of somebody else costs an attacker its own, which is told.
        let large = format!(r#"{{"text":"{}"}}"#, "x".repeat(3 * MIB / 2));
        let (good, text) = soon(victim.address, &call("length", &large)).await;
        assert!(good == 200 && text.contains(&(3 * MIB / 2).to_string()), "{text}");
        let mut told = 0;
        for attacker in &mut attackers {
            let response = tokio::time::timeout(std::time::Duration::from_millis(50), attacker.response()).await;
            told += usize::from(response.is_ok_and(|text| status(&text) == 503));
        }
        assert!((1..=2).contains(&told), "{told}");
        drop(attackers);
        recovered(victim.address, &call("length", r#"{"text":"hi"}"#)).await;
    });
}
