//! What outlives a session that was lost.

use mcp_proto::Revision;
use mcp_proto::jsonrpc::Params;
use mcp_proto::rpc::CallOptions;
use serde_json::json;

use crate::http_sessions::handshake;
use crate::http_support::{Web, verbs};
use crate::support::{config, replies, result, tools};

const LEGACY: Revision = Revision::V2025_11_25;

/// What the application has set in a session is set again in the next: nobody else knows of it.
#[test]
fn subscriptions_and_the_log_level_outlive_a_session() {
    let mut web = Web::ready_with(config().with_strict_capabilities(false), LEGACY);
    let params = |value: serde_json::Value| Params::from_serialize(&value).unwrap();
    for (method, value) in [
        ("logging/setLevel", json!({"level": "debug"})),
        ("resources/subscribe", json!({"uri": "a:1"})),
        ("resources/subscribe", json!({"uri": "a:2"})),
        ("resources/unsubscribe", json!({"uri": "a:2"})),
    ] {
        let options = CallOptions::default();
        web.client.client().call(method, params(value), options).unwrap();
        let post = web.opened().remove(0);
        web.json(post.id, 200, &result(post.rpc_id(), json!({})));
    }
    web.events();
    web.call("tools/list");
    let post = web.opened().remove(0);
    web.status(post.id, 404);
    let initialize = web.opened().remove(0);
    let again = handshake(&mut web, &initialize, "s2");
    assert_eq!(verbs(&again), ["logging/setLevel", "resources/subscribe", "tools/list"]);
    assert_eq!(again[1].body["params"]["uri"], "a:1");
    for post in &again {
        web.json(post.id, 200, &result(post.rpc_id(), tools()));
    }
    assert_eq!(replies(&web.events()).len(), 1, "nobody else asked");
}
