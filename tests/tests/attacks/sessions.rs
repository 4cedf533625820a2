//! Sessions of nobody, as many as there may be.

use std::time::Instant;

use futures_util::future::join_all;
use mcp_proto::handle::Server;

use crate::honest::{INITIALIZE, PING, Raw, SOON, recovered, request, resident, soon, status};
use crate::victim::everywhere;

#[test]
fn ten_thousand_sessions_of_nobody_refuse_nobody() {
    everywhere(async |start| {
        let victim = start(Server::builder("victim", "1").build());
        let mut good = Raw::open(victim.address).await;
        let session = good.session().await;
        let ping = request(&[("mcp-session-id", &session)], PING);
        assert_eq!(status(&good.ask(&ping).await), 200);
        let (before, initialize) = (resident(), request(&[], INITIALIZE));
        let attack = (0..16).map(|_| async {
            let mut connection = Raw::open(victim.address).await;
            for _ in 0..700 {
                let text = connection.ask(&initialize).await;
                assert_eq!(status(&text), 200, "{text}");
            }
            connection
        });
        let attackers = join_all(attack).await;
        let grown = resident().saturating_sub(before);
        assert!(grown < 64 << 20, "{grown}");
        // The table is full. Who comes now is served, and so is who was there.
        for _ in 0..20 {
            let (status, text) = soon(victim.address, &initialize).await;
            assert_eq!(status, 200, "{text}");
        }
        let begun = Instant::now();
        let text = good.ask(&ping).await;
        assert_eq!(status(&text), 200, "{text}");
        assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
        drop(attackers);
        recovered(victim.address, &initialize).await;
    });
}
