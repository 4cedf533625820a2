//! K: transports without a network. (K1 and K2, child processes, and real pipes are to join them.)

use std::time::Instant;

use futures_util::future::join_all;
use mcp_tests::world::Transport;
use serde_json::json;

use super::each_over;

#[test]
fn k3_both_ends_of_a_pipe_on_one_thread() {
    each_over("K3", &[Transport::Pipe], async |world, figures| {
        let thread = std::thread::current().id();
        let began = Instant::now();
        let nest = world.client.call_tool("nest", json!({"number": 200})).await.unwrap();
        assert_eq!(nest.content[0].as_text(), Some("200"));
        figures.within("depth 200", began.elapsed(), 250.0);
        let began = Instant::now();
        let calls = (0..100).map(|n| world.client.call_tool("relay", json!({"text": n.to_string()})));
        for (n, result) in join_all(calls).await.into_iter().enumerate() {
            assert_eq!(result.unwrap().content[0].as_text(), Some(n.to_string().as_str()));
        }
        figures.within("fan 100", began.elapsed(), 250.0);
        let threads = world.probe.threads();
        figures.print("threads of the handlers", threads.len());
        assert_eq!(threads, [thread]);
    });
}
