//! J: what belongs to a call goes to that call.

use std::sync::{Arc, Mutex};

use futures_util::future::join_all;
use mcp_proto::Era;
use mcp_proto::handle::Client;
use mcp_proto::jsonrpc::Params;
use mcp_proto::model::LoggingLevel;
use mcp_tests::world::Transport;
use serde_json::{Value, json};

use super::each_over;

const WAYS: [Transport; 4] = [Transport::Http, Transport::Http2, Transport::Pipe, Transport::Memory];

/// Calls `stream`; the reports that come for this call.
async fn reports(client: &Client, name: &str, number: u32) -> Vec<String> {
    let reports = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&reports);
    let call = client.call_tool("stream", json!({"text": name, "number": number}));
    let call = call.on_progress(move |report| sink.lock().unwrap().push(report.message.unwrap_or_default()));
    let result = call.await.unwrap();
    assert_eq!(result.content[0].as_text(), Some(name));
    let reports = reports.lock().unwrap();
    reports.clone()
}

fn expected(name: &str, number: u32) -> Vec<String> {
    (1..=number).map(|step| format!("{name} {step}")).collect()
}

#[test]
fn j1_each_of_many_calls_has_its_own_reports_in_their_order() {
    for calls in [2, 50] {
        each_over("J1", &WAYS, async |world, figures| {
            let names: Vec<_> = (0..calls).map(|number| format!("call-{number}")).collect();
            let all = join_all(names.iter().map(|name| reports(&world.client, name, 10))).await;
            for (name, found) in names.iter().zip(&all) {
                assert_eq!(*found, expected(name, 10));
            }
            figures.print(
                &format!("reports of {calls} calls"),
                all.iter().map(Vec::len).sum::<usize>(),
            );
        });
    }
}

#[test]
fn j2_whoever_listens_after_the_session_is_made_hears_everything() {
    each_over("J2", &WAYS, async |world, figures| {
        world.client.call_tool("echo", json!({"text": "x"})).await.unwrap();
        assert_eq!(reports(&world.client, "later", 10).await, expected("later", 10));
        if world.era == Era::Legacy {
            let level = Params::from_serialize(&json!({"level": "debug"})).unwrap();
            world.client.request_raw("logging/setLevel", level).await.unwrap();
        }
        let mut notifications = world.client.notifications();
        let call = world.client.call_tool("shout", json!({}));
        call.log_level(LoggingLevel::Info).await.unwrap();
        let heard = notifications.next().await.unwrap();
        let params: Value = heard.notification.params.unwrap().decode().unwrap();
        assert_eq!(params["data"], "hey");
        figures.print("reports and log messages", 11);
    });
}
