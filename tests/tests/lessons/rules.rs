//! Rules that another implementation came to in its last releases, and that hold here.

use http::{Response, StatusCode, Uri};
use mcp_proto::Revision;
use mcp_proto::client::{ClientEvent, HttpClient, Mode, StreamClient};
use mcp_proto::http::client::{HttpAction, HttpClientConfig};
use mcp_proto::jsonrpc::Params;
use mcp_proto::method::Method;
use mcp_proto::model::{CacheScope, CallToolResult};
use mcp_proto::rpc::{CallOptions, SendError};

use crate::{NOW, config, hear, written};

const OFFER: &str =
    r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"}}"#;

/// rmcp 3.10.
#[test]
fn a_request_that_needs_an_unadvertised_capability_is_refused() {
    let mut client = StreamClient::new(config(Mode::Legacy(Revision::V2025_11_25)));
    client.client().connect();
    let asked: serde_json::Value = serde_json::from_str(&written(&mut client)).expect("one message");
    hear(
        &mut client,
        &format!(r#"{{"jsonrpc":"2.0","id":{},"result":{OFFER}}}"#, asked["id"]),
    );
    assert!(!written(&mut client).is_empty());
    let refused = client
        .client()
        .call(Method::ListPrompts, Params::NONE, CallOptions::default());
    assert!(matches!(refused, Err(SendError::NotSupported { .. })), "{refused:?}");
    let taken = client
        .client()
        .call(Method::ListTools, Params::NONE, CallOptions::default());
    assert!(taken.is_ok());
}

/// rmcp 3.10.
#[test]
fn any_2xx_takes_a_notification() {
    for status in [200, 201, 202, 204] {
        let http = HttpClientConfig::new(Uri::from_static("http://localhost/mcp"));
        let mut client = HttpClient::new(config(Mode::Legacy(Revision::V2025_11_25)), &http);
        client.client().connect();
        let head = |status: u16| {
            let head = Response::builder().status(StatusCode::from_u16(status).expect("a status"));
            let head = head.header("content-type", "application/json");
            head.body(()).expect("a response").into_parts().0
        };
        let Some(HttpAction::Open { id, .. }) = client.poll_action(NOW) else {
            panic!("nothing is asked")
        };
        client.head(NOW, id, &head(200));
        let answer = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{OFFER}}}"#);
        client.body(NOW, id, &answer.into());
        client.end(NOW, id);
        let announced = std::iter::from_fn(|| client.poll_action(NOW)).find_map(|action| match action {
            HttpAction::Open { id, .. } => Some(id),
            _ => None,
        });
        client.head(NOW, announced.expect("it is announced"), &head(status));
        assert!(client.as_client().is_ready(), "{status}");
    }
}

/// rmcp 3.10.
#[test]
fn a_tool_result_without_content_is_a_result() {
    let result: CallToolResult = serde_json::from_str(r#"{"structuredContent":{"a":1}}"#).expect("a result");
    assert!(result.content.is_empty() && result.structured_content.is_some());
}

/// rmcp 3.11.
#[test]
fn cache_hints_are_merged_over_pages_and_one_private_page_makes_the_list_private() {
    for (scopes, expected) in [
        (["public", "public"], CacheScope::Public),
        (["private", "public"], CacheScope::Private),
        (["public", "private"], CacheScope::Private),
    ] {
        let mut client = StreamClient::new(config(Mode::Modern));
        client.client().list_tools(&CallOptions::default()).expect("room");
        for (scope, next) in scopes.iter().zip([r#""nextCursor":"n","#, ""]) {
            let asked: serde_json::Value = serde_json::from_str(&written(&mut client)).expect("one message");
            let page = format!(r#"{{"resultType":"complete","tools":[],{next}"ttlMs":60000,"cacheScope":"{scope}"}}"#);
            hear(
                &mut client,
                &format!(r#"{{"jsonrpc":"2.0","id":{},"result":{page}}}"#, asked["id"]),
            );
        }
        let listed = std::iter::from_fn(|| client.poll_event()).find_map(|event| match event {
            ClientEvent::ToolsListed { outcome, .. } => Some(outcome),
            _ => None,
        });
        assert_eq!(*listed.expect("a list").expect("tools").scope(), expected, "{scopes:?}");
    }
}
