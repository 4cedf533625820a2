//! Rules that another implementation came to in its last releases, and that hold here.

use http::{Response, StatusCode, Uri};
use mcp_proto::Revision;
use mcp_proto::client::{ClientEvent, HttpClient, Mode, StreamClient};
use mcp_proto::http::client::{HttpAction, HttpClientConfig};
use mcp_proto::jsonrpc::Params;
use mcp_proto::method::Method;
use mcp_proto::model::{CacheScope, CallToolResult, ListToolsResult};
use mcp_proto::rpc::{CallError, CallOptions, SendError};

use mcp_driver::http::HttpOptions;
use mcp_proto::handle::Server;
use mcp_proto::handle::server::{NoArgs, Structured};
use mcp_tests::caller::everywhere;
use mcp_tests::runtime::Address;
use mcp_tests::world::{Transport, Wire};

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

/// rmcp 3.11. Before 2026-07-28 structured content is an object (2025-11-25, Tools, Structured Content); since then it is any
/// JSON (2026-07-28, Tools). Before 2025-06-18 there is none.
#[test]
fn structured_output_that_is_no_object_is_left_out_for_legacy_peers() {
    let modes = [Revision::V2025_03_26, Revision::V2025_06_18, Revision::V2025_11_25]
        .map(Mode::Legacy)
        .into_iter()
        .chain([Mode::Modern]);
    let modes: Vec<_> = modes.collect();
    everywhere(async |runtime| {
        let server = Server::builder("s", "1")
            .tool("list", "", |_: NoArgs| async { Ok(Structured(vec![1, 2])) })
            .tool("map", "", |_: NoArgs| async {
                Ok(Structured(std::collections::BTreeMap::from([("a", 1)])))
            })
            .build();
        for transport in [Transport::Memory, Transport::Http] {
            for mode in &modes {
                let config = config(*mode);
                let (wire, mut serving) = (Wire::default(), None);
                let client = if transport == Transport::Memory {
                    let (client, task) = transport.join(runtime, &server, &wire, config);
                    serving = Some(task);
                    client
                } else {
                    let (Address::Http(url), task) = transport.serve(runtime, &server, &wire) else {
                        panic!("it has a URL")
                    };
                    serving.replace(task);
                    let client = runtime.connect_http(&url, config, &HttpOptions::default());
                    client.expect("a client")
                };
                let list = client.call_tool("list", ()).await.expect("a result");
                let map = client.call_tool("map", ()).await.expect("a result");
                let is_told = |result: &CallToolResult| result.structured_content.is_some();
                let expected = match mode {
                    Mode::Modern => (true, true),
                    Mode::Legacy(Revision::V2025_03_26) => (false, false),
                    _ => (false, true),
                };
                assert_eq!((is_told(&list), is_told(&map)), expected, "{transport:?}, {mode:?}");
                // The text says it to all of them.
                assert_eq!((&*list.to_text(), &*map.to_text()), ("[1,2]", r#"{"a":1}"#));
                drop((client, serving));
            }
        }
    });
}

/// 2026-07-28, Pagination: no cursor is the end, and an empty one is a cursor. Some write `null` for none, beside what is
/// there: it is not there.
#[test]
fn a_cursor_that_is_null_is_none_and_an_empty_one_is_a_cursor() {
    for (end, expected) in [("null", None), (r#""""#, Some("")), (r#""c""#, Some("c"))] {
        let page = format!(r#"{{"tools":[],"nextCursor":{end}}}"#);
        let page: ListToolsResult = serde_json::from_str(&page).expect(end);
        assert_eq!(page.next_cursor.as_deref(), expected);
    }
    for outcome in [
        r#""result":{"tools":[]},"error":null"#,
        r#""error":null,"result":{"tools":[]}"#,
    ] {
        assert!(listed(outcome).is_ok(), "{outcome}");
    }
    let error = r#"{"code":-32000,"message":"m"}"#;
    for outcome in [
        format!(r#""result":null,"error":{error}"#),
        format!(r#""error":{error},"result":null"#),
    ] {
        assert!(matches!(listed(&outcome), Err(CallError::Rpc(_))), "{outcome}");
    }
}

/// The outcome of a call that is answered with these members.
fn listed(outcome: &str) -> Result<(), CallError> {
    let mut client = StreamClient::new(config(Mode::Modern));
    let call = client
        .client()
        .call(Method::ListTools, Params::NONE, CallOptions::default());
    let call = call.expect("room");
    let asked: serde_json::Value = serde_json::from_str(&written(&mut client)).expect("one message");
    hear(
        &mut client,
        &format!(r#"{{"jsonrpc":"2.0","id":{},{outcome}}}"#, asked["id"]),
    );
    std::iter::from_fn(|| client.poll_event())
        .find_map(|event| match event {
            ClientEvent::Reply { call: of, outcome } if of == call => Some(outcome.map(drop)),
            _ => None,
        })
        .expect("it is settled at once")
}
