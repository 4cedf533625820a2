//! G: calls that are given up. (G1 and G2, where the session is shared, belong to the pool.)

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use mcp_proto::Era;
use mcp_tests::world::{Transport, client_config};
use serde_json::{Value, json};

use super::{each, each_over};

#[test]
fn g3_a_dropped_call_is_told_to_the_server_and_the_next_one_is_as_ever() {
    each_over(
        "G3",
        &[Transport::Mounted, Transport::Pipe, Transport::Memory],
        async |world, figures| {
            let mut call = Box::pin(world.client.call_tool("slow", json!({"text": "", "ms": 5_000})));
            let begun = world.until(|| world.probe.begun() == 1);
            tokio::select! {
                _ = &mut call => panic!("it takes five seconds"),
                () = begun => {}
            }
            let began = Instant::now();
            drop(call);
            figures.within("drop", began.elapsed(), 1.0);
            world.until(|| world.probe.running() == 0).await;
            figures.within("until the handler is gone", began.elapsed(), 100.0);
            // Over HTTP in the modern era the end of the response says it.
            let is_told = world.era == Era::Legacy || !world.transport.is_http();
            let told = world.wire.count("notifications/cancelled");
            figures.print("notifications/cancelled", told);
            assert_eq!(told, usize::from(is_told));
            let began = Instant::now();
            world.client.call_tool("echo", json!({"text": "x"})).await.unwrap();
            figures.within("the next call", began.elapsed(), 50.0);
            assert_eq!(world.probe.finished(), 0);
        },
    );
}

#[test]
fn g4_late_double_and_unknown_answers_are_counted_and_nothing_more() {
    each("G4", async |runtime, era, figures| {
        let (near, far) = UnixStream::pair().unwrap();
        let peer = thread::spawn(move || answer_late(&far));
        let (client, driver) = runtime.client_over(near, client_config(era)).unwrap();
        let driver = runtime.run(driver);
        let given_up = client
            .call_tool("late", json!({}))
            .timeout(Duration::from_millis(50))
            .await;
        assert!(given_up.is_err());
        // Its answer comes twice, with one to a call that never was, before that to the next call.
        let next = client.call_tool("echo", json!({})).await.unwrap();
        assert_eq!(next.content[0].as_text(), Some("on time"));
        let counters = client.counters();
        figures.print("late replies", counters.late_replies);
        figures.print("unknown replies", counters.unknown_replies);
        assert_eq!(counters.late_replies + counters.unknown_replies, 3, "{counters:?}");
        assert!(counters.unknown_replies >= 1 && counters.junk == 0, "{counters:?}");
        drop(client);
        driver.await.unwrap().unwrap();
        peer.join().unwrap();
    });
}

/// A server that answers a call when it has been cancelled, and then too often.
fn answer_late(stream: &UnixStream) {
    let mut write = stream.try_clone().unwrap();
    let mut say = |id: &Value, text: &str| {
        let result = json!({"resultType": "complete", "content": [{"type": "text", "text": text}]});
        let reply = json!({"jsonrpc": "2.0", "id": id, "result": result});
        writeln!(write, "{reply}").unwrap();
    };
    let mut late = Value::Null;
    for line in BufReader::new(stream).lines() {
        let message: Value = serde_json::from_str(&line.unwrap()).unwrap();
        match message["method"].as_str() {
            Some("initialize") => {
                let facts = json!({"protocolVersion": message["params"]["protocolVersion"],
                    "capabilities": {"tools": {}}, "serverInfo": {"name": "late", "version": "1"}});
                let reply = json!({"jsonrpc": "2.0", "id": message["id"], "result": facts});
                writeln!(stream.try_clone().unwrap(), "{reply}").unwrap();
            }
            Some("tools/call") if late.is_null() => late = message["id"].clone(),
            Some("tools/call") => say(&message["id"], "on time"),
            Some("notifications/cancelled") => {
                say(&late, "too late");
                say(&late, "again");
                say(&json!(987_654), "to nobody");
            }
            _ => {}
        }
    }
}
