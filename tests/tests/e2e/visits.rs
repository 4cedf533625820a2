//! URLs that a user has to visit before a tool goes on, in every revision (2025-11-25, Elicitation, URL Elicitation Required
//! Error; 2026-07-28, Multi Round-Trip Requests).

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mcp_proto::Revision;
use mcp_proto::client::Mode;
use mcp_proto::handle::client::ClientBuilder;
use mcp_proto::handle::server::Context;
use mcp_proto::handle::{Client, Server};
use mcp_proto::jsonrpc::{ErrorCode, ErrorObject};
use mcp_proto::model::{ElicitAction, ElicitResult, ElicitUrlParams};
use mcp_proto::rpc::CallError;
use mcp_tests::caller::everywhere;
use mcp_tests::runtime::{Runtime, listen};
use mcp_tests::world::Number;
use serde_json::json;

fn visits() -> [ElicitUrlParams; 2] {
    ["a", "b"].map(|id| {
        let url = format!("https://example.com/{id}");
        ElicitUrlParams::new("Please allow it", url).with_elicitation_id(id.to_owned())
    })
}

fn server() -> Server {
    Server::builder("visits", "1")
        .tool("files", "Needs two visits", |_: Number, context: Context| async move {
            context.require_visits(visits()).await?;
            Ok("files")
        })
        .tool("nothing", "Needs none", |_: Number, context: Context| async move {
            context.require_visits([]).await?;
            Ok("nothing")
        })
        .build()
}

fn connect(runtime: &dyn Runtime, mode: Mode, client: ClientBuilder) -> Client {
    let (listener, url) = listen();
    let serving = runtime.serve_http(listener, &server(), Box::pin(pending())).unwrap();
    // It serves as long as the runtime runs.
    std::mem::forget(serving);
    runtime.connect_answering(&url, client.mode(mode)).unwrap()
}

fn builder() -> ClientBuilder {
    Client::builder("visitor", "1")
}

#[test]
fn a_client_of_2025_11_25_gets_the_list_and_makes_the_call_again_itself() {
    everywhere(async |runtime| {
        let client = builder().on_elicit_url(|_, _| async { Ok(ElicitResult::decline()) });
        let client = connect(runtime, Mode::Legacy(Revision::V2025_11_25), client);
        let error = client.call_tool("files", json!({"number": 1})).await.unwrap_err();
        assert_eq!(error.rpc_code(), Some(ErrorCode::URL_ELICITATION_REQUIRED));
        assert_eq!(error.required_visits(), Some(visits().to_vec()));
        let result = client.call_tool("nothing", json!({"number": 1})).await.unwrap();
        assert_eq!(result.to_text(), "nothing");
    });
}

#[test]
fn a_modern_client_is_asked_for_each_and_the_handler_goes_on() {
    everywhere(async |runtime| {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let client = builder().on_elicit_url(move |_, _| {
            count.fetch_add(1, Ordering::SeqCst);
            async { Ok(ElicitResult::new(ElicitAction::Accept)) }
        });
        let client = connect(runtime, Mode::Modern, client);
        let result = client.call_tool("files", json!({"number": 1})).await.unwrap();
        assert_eq!((&*result.to_text(), asked.load(Ordering::SeqCst)), ("files", 2));
        let client = builder().on_elicit_url(|_, _| async { Ok(ElicitResult::decline()) });
        let client = connect(runtime, Mode::Modern, client);
        let result = client.call_tool("files", json!({"number": 1})).await.unwrap();
        assert_eq!(result.is_error, Some(true));
    });
}

#[test]
fn a_client_that_cannot_be_sent_anywhere_gets_another_error() {
    everywhere(async |runtime| {
        for (mode, code) in [
            (Mode::Legacy(Revision::V2024_11_05), ErrorCode::INVALID_REQUEST),
            (Mode::Legacy(Revision::V2025_06_18), ErrorCode::INVALID_REQUEST),
            (Mode::Legacy(Revision::V2025_11_25), ErrorCode::INVALID_REQUEST),
            (Mode::Modern, ErrorCode::MISSING_REQUIRED_CLIENT_CAPABILITY),
        ] {
            let client = connect(runtime, mode, builder());
            let error = client.call_tool("files", json!({"number": 1})).await.unwrap_err();
            assert_eq!(error.rpc_code(), Some(code), "{mode:?}");
            assert_eq!(error.required_visits(), None);
        }
    });
}

#[test]
fn a_list_that_cannot_be_read_is_none() {
    let error = |data| {
        let error = ErrorObject::new(ErrorCode::URL_ELICITATION_REQUIRED, "no");
        CallError::Rpc(error.with_data(&data))
    };
    for data in [
        json!(null),
        json!({}),
        json!({"elicitations": 1}),
        json!({"elicitations": [{}]}),
    ] {
        assert_eq!(error(data).required_visits(), None);
    }
    assert_eq!(error(json!({"elicitations": []})).required_visits(), Some(Vec::new()));
}
