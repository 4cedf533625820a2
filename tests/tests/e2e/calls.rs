//! What a call gives.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use futures_util::future::try_join_all;
use mcp_proto::Era;
use mcp_proto::client::{ClientConfig, Mode};
use mcp_proto::jsonrpc::{ErrorCode, Params};
use mcp_proto::model::LoggingLevel;
use mcp_proto::rpc::CallError;
use mcp_tests::world::{Transport, everywhere, over};
use serde_json::json;

#[test]
fn a_tool_answers() {
    everywhere(async |world| {
        let result = world
            .client
            .call_tool("echo", json!({"text": "héllo\n"}))
            .await
            .unwrap();
        assert_eq!(result.content[0].as_text(), Some("héllo\n"));
        assert_eq!(result.is_error, None);
        assert_eq!(world.client.server().unwrap().revision.era(), world.era);
    });
}

#[test]
fn the_tools_are_listed_in_their_order() {
    everywhere(async |world| {
        let tools = world.client.list_tools().await.unwrap();
        let names: Vec<_> = tools.iter().map(|tool| tool.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "echo", "fail", "refuse", "large", "count", "stream", "shout", "wait", "slow", "relay", "nest"
            ]
        );
        assert!(tools[0].input_schema.as_str().contains(r#""text""#));
    });
}

#[test]
fn a_failure_is_a_result_and_a_refusal_an_error() {
    everywhere(async |world| {
        let failed = world.client.call_tool("fail", json!({})).await.unwrap();
        assert!(failed.is_failure());
        assert_eq!(failed.content[0].as_text(), Some("out of order"));
        let refused = world.client.call_tool("refuse", json!({})).await.unwrap_err();
        assert_eq!(refused.rpc_code(), Some(ErrorCode(-7)));
        let unknown = world.client.call_tool("unheard-of", json!({})).await.unwrap_err();
        assert_eq!(unknown.rpc_code(), Some(ErrorCode::INVALID_PARAMS));
        let misfit = world.client.call_tool("echo", json!({"text": 1})).await.unwrap();
        assert!(misfit.is_failure());
        let method = world
            .client
            .request_raw("x/unheard-of", Params::default())
            .await
            .unwrap_err();
        assert_eq!(method.rpc_code(), Some(ErrorCode::METHOD_NOT_FOUND));
        world
            .client
            .call_tool("echo", json!({"text": "still there"}))
            .await
            .unwrap();
    });
}

#[test]
fn progress_comes_in_order_and_goes_to_its_own_call() {
    everywhere(async |world| {
        let count = |number: u32| {
            let client = world.client.clone();
            async move {
                let reports = Arc::new(Mutex::new(Vec::new()));
                let sink = reports.clone();
                let call = client.call_tool("count", json!({ "number": number }));
                let call = call.on_progress(move |report| sink.lock().unwrap().push((report.progress, report.total)));
                call.await?;
                let reports = reports.lock().unwrap().clone();
                Ok::<_, CallError>(reports)
            }
        };
        let all = try_join_all((1..=20).map(count)).await.unwrap();
        for (number, reports) in (1..=20).zip(all) {
            let expected: Vec<_> = (1..=number)
                .map(|step| (f64::from(step), Some(f64::from(number))))
                .collect();
            assert_eq!(reports, expected);
        }
    });
}

#[test]
fn logs_of_a_call_come_as_notifications() {
    everywhere(async |world| {
        if world.era == Era::Legacy {
            let params = Params::from_serialize(&json!({"level": "debug"})).unwrap();
            world.client.request_raw("logging/setLevel", params).await.unwrap();
        }
        let mut notifications = world.client.notifications();
        let mut call = world.client.call_tool("shout", json!({})).log_level(LoggingLevel::Info);
        let mut id = None;
        poll_fn(|cx| {
            let polled = Pin::new(&mut call).poll(cx);
            id = id.or(call.id());
            polled
        })
        .await
        .unwrap();
        assert!(id.is_some());
        let notification = notifications.next().await.unwrap();
        assert_eq!(notification.notification.method.as_str(), "notifications/message");
        let params: serde_json::Value = notification.notification.params.unwrap().decode().unwrap();
        assert_eq!(params, json!({"level": "warning", "logger": "shout", "data": "hey"}));
        // On a byte stream nothing tells whose it is.
        assert_eq!(notification.related, id.filter(|_| world.transport.is_http()));
    });
}

#[test]
fn a_hundred_first_calls_share_one_handshake() {
    over(&Transport::TAPPED, async |world| {
        let texts: Vec<_> = (0..100).map(|number| number.to_string()).collect();
        let calls = texts
            .iter()
            .map(|text| world.client.call_tool("echo", json!({ "text": text })));
        let results = try_join_all(calls).await.unwrap();
        for (text, result) in texts.iter().zip(results) {
            assert_eq!(result.content[0].as_text(), Some(text.as_str()));
        }
        let handshakes = usize::from(world.era == Era::Legacy);
        assert_eq!(
            (world.wire.handshakes(), world.wire.count("tools/call")),
            (handshakes, 100)
        );
    });
}

#[test]
fn a_client_that_is_told_no_era_asks_once() {
    over(&[Transport::Unix, Transport::Mounted], async |world| {
        let config = ClientConfig::named("tests", "1").with_mode(Mode::Auto);
        let client = world.connect_with(config).await.unwrap();
        let calls = (0..100).map(|n| client.call_tool("echo", json!({"text": n.to_string()})));
        try_join_all(calls).await.unwrap();
        assert_eq!(client.server().unwrap().revision.era(), Era::Modern);
        if world.transport == Transport::Mounted {
            assert_eq!((world.wire.handshakes(), world.wire.count("server/discover")), (1, 1));
        }
    });
}

#[test]
fn large_bodies_arrive_whole_both_ways() {
    everywhere(async |world| {
        let words: String = (0..500_000).map(|n| char::from(b'a' + (n % 23) as u8)).collect();
        for _ in 0..2 {
            let result = world.client.call_tool("echo", json!({"text": words})).await.unwrap();
            assert_eq!(result.content[0].as_text(), Some(words.as_str()));
        }
    });
}

#[test]
fn many_clients_of_one_server_keep_apart() {
    over(&Transport::ACROSS, async |world| {
        let clients = try_join_all((0..30).map(|_| world.connect())).await.unwrap();
        let calls = (0..300).map(|n| clients[n % 30].call_tool("echo", json!({"text": n.to_string()})));
        for (n, result) in try_join_all(calls).await.unwrap().into_iter().enumerate() {
            assert_eq!(result.content[0].as_text(), Some(n.to_string().as_str()));
        }
    });
}
