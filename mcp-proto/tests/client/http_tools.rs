//! Calls of tools whose headers the client does not know yet.

use mcp_proto::client::ClientEvent;
use mcp_proto::rpc::{CallError, CallId, CallOptions, Phase};
use mcp_proto::{Limits, Revision};
use serde_json::{Value, json};

use crate::http_support::{Opened, Web, verbs};
use crate::support::{config, error, only_error, params, replies, result, secs};

fn call(web: &mut Web) -> CallId {
    let arguments = json!({"name": "query", "arguments": {"region": "west"}});
    web.call_with("tools/call", params(&arguments), CallOptions::default())
}

fn mismatch(web: &mut Web, post: &Opened) {
    assert_eq!(post.method(), "tools/call");
    web.json(post.id, 400, &error(post.rpc_id(), -32020));
}

fn page(web: &mut Web, post: &Opened, names: &[&str], next: Option<&str>) {
    assert_eq!(
        (post.method(), post.header("mcp-method")),
        ("tools/list", Some("tools/list"))
    );
    let schema = json!({"type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}}});
    let tools: Vec<Value> = names
        .iter()
        .map(|name| json!({"name": name, "inputSchema": schema}))
        .collect();
    let mut list = json!({"resultType": "complete", "tools": tools});
    if let Some(next) = next {
        list["nextCursor"] = json!(next);
    }
    web.json(post.id, 200, &result(post.rpc_id(), list));
}

#[test]
fn a_call_refused_for_its_headers_is_made_again_with_those_of_the_list() {
    let mut web = Web::ready(Revision::LATEST);
    let made = [call(&mut web), call(&mut web)];
    let posts = web.opened();
    assert_eq!(posts[0].header("mcp-param-region"), None);
    mismatch(&mut web, &posts[0]);
    mismatch(&mut web, &posts[1]);
    let first = web.opened();
    assert_eq!(first.len(), 1, "one list for both");
    page(&mut web, &first[0], &["other"], Some("2"));
    let second = web.opened();
    assert_eq!(second[0].body["params"]["cursor"], "2");
    page(&mut web, &second[0], &["query"], None);
    let again = web.opened();
    assert_eq!(verbs(&again), ["tools/call", "tools/call"]);
    for (post, made) in again.iter().zip(made) {
        assert_eq!(post.header("mcp-param-region"), Some("west"));
        web.json(post.id, 200, &result(post.rpc_id(), json!({"content": []})));
        let events = web.events();
        let [(id, Ok(_))] = &replies(&events)[..] else {
            panic!("{events:?}")
        };
        assert_eq!((*id, events.len()), (made, 1), "the list is no event");
    }
    web.advance(1_000);
    assert!(web.opened().is_empty());
}

#[test]
fn a_call_is_made_again_only_once() {
    let mut web = Web::ready(Revision::LATEST);
    call(&mut web);
    let post = web.opened().remove(0);
    mismatch(&mut web, &post);
    let list = web.opened().remove(0);
    page(&mut web, &list, &[], None);
    let again = web.opened().remove(0);
    mismatch(&mut web, &again);
    assert!(web.opened().is_empty());
    assert!(matches!(only_error(&web.events()), CallError::Rpc(error) if error.code.0 == -32020));
}

#[test]
fn where_the_list_fails_the_call_fails_as_it_did() {
    let mut web = Web::ready(Revision::LATEST);
    for case in 0..3 {
        call(&mut web);
        let post = web.opened().remove(0);
        mismatch(&mut web, &post);
        let list = web.opened().remove(0);
        match case {
            0 => web.status(list.id, 500),
            1 => web.json(list.id, 200, &error(list.rpc_id(), -32603)),
            _ => web.broken(list.id),
        }
        assert!(matches!(only_error(&web.events()), CallError::Rpc(error) if error.code.0 == -32020));
        assert!(web.opened().is_empty());
        assert_eq!(web.client.as_client().pending_calls(), 0);
    }
}

#[test]
fn endless_pages_of_tools_end() {
    let limits = Limits::default().with_list_pages(3);
    let mut web = Web::ready_with(config().with_limits(limits), Revision::LATEST);
    call(&mut web);
    let post = web.opened().remove(0);
    mismatch(&mut web, &post);
    for n in 0..3 {
        let list = web.opened().remove(0);
        page(&mut web, &list, &["query"], Some(&n.to_string()));
    }
    assert_eq!(verbs(&web.opened()), ["tools/call"]);
}

#[test]
fn a_call_that_is_gone_is_not_made_again() {
    let mut web = Web::ready(Revision::LATEST);
    let arguments = params(&json!({"name": "query"}));
    web.call_with("tools/call", arguments, CallOptions::new().with_timeout(secs(5)));
    let post = web.opened().remove(0);
    mismatch(&mut web, &post);
    let list = web.opened().remove(0);
    web.advance(5);
    let after = secs(5);
    let phase = Phase::Outbox;
    assert_eq!(only_error(&web.events()), CallError::Timeout { phase, after });
    page(&mut web, &list, &["query"], Some("more"));
    assert!(web.opened().is_empty());

    let cancelled = call(&mut web);
    let post = web.opened().remove(0);
    mismatch(&mut web, &post);
    let list = web.opened().remove(0);
    web.client.client().cancel(cancelled);
    page(&mut web, &list, &["query"], None);
    assert!(web.opened().is_empty());
    assert!(
        !web.events()
            .iter()
            .any(|event| matches!(event, ClientEvent::Reply { .. }))
    );
}

#[test]
fn other_refusals_and_eras_know_nothing_of_this() {
    let mut web = Web::ready(Revision::V2025_11_25);
    call(&mut web);
    let post = web.opened().remove(0);
    mismatch(&mut web, &post);
    assert!(web.opened().is_empty());
    assert!(matches!(only_error(&web.events()), CallError::Rpc(_)));
}
