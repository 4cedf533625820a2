//! The headers of every request that a client makes.

use http::HeaderValue;
use mcp_proto::Revision;
use mcp_proto::client::Mode;
use mcp_proto::http::client::HttpClientConfig;
use mcp_proto::jsonrpc::Params;
use mcp_proto::rpc::{CallOptions, CloseReason};
use serde_json::json;

use crate::http_support::{Opened, SSE, Web, verbs};
use crate::support::{MODERN, config, params};

fn assert_post(opened: &Opened) {
    assert_eq!(opened.verb, http::Method::POST);
    assert_eq!(opened.header("content-type"), Some("application/json"));
    assert_eq!(opened.header("accept"), Some("application/json, text/event-stream"));
}

fn assert_no_mirrors(opened: &Opened) {
    assert_eq!((opened.header("mcp-method"), opened.header("mcp-name")), (None, None));
}

#[test]
fn every_request_of_a_legacy_session() {
    for revision in Revision::ALL.into_iter().filter(|revision| !revision.is_stateless()) {
        let version = revision.has_version_header().then(|| revision.as_str());
        let mut web = Web::new(config());
        web.call_with("tools/call", params(&json!({"name": "x"})), CallOptions::default());
        web.probe_answered(revision);
        let initialize = web.opened();
        assert_post(&initialize[0]);
        assert_no_mirrors(&initialize[0]);
        assert_eq!(initialize[0].header("mcp-protocol-version"), None);
        assert_eq!(initialize[0].header("mcp-session-id"), None);
        web.initialize_answered(&initialize[0], revision, "s1");
        let initialized = web.opened();
        assert_eq!(
            verbs(&initialized),
            ["notifications/initialized"],
            "calls wait for its answer"
        );
        web.status(initialized[0].id, 202);
        let mut rest = web.opened();
        web.client.client().notify("notifications/x", Params::NONE).unwrap();
        rest.extend(web.opened());
        for opened in initialized.iter().chain(&rest) {
            assert_eq!(
                opened.header("mcp-session-id"),
                Some("s1"),
                "{revision} {}",
                opened.method()
            );
            assert_eq!(opened.header("mcp-protocol-version"), version, "{revision}");
            assert_no_mirrors(opened);
            if opened.verb == http::Method::GET {
                assert_eq!(opened.header("accept"), Some(SSE));
                assert_eq!(opened.header("content-type"), None);
            } else {
                assert_post(opened);
            }
        }
        web.client.close(CloseReason::Local);
        let delete = web
            .opened()
            .into_iter()
            .find(|opened| opened.verb == http::Method::DELETE)
            .unwrap();
        assert_eq!(delete.header("mcp-session-id"), Some("s1"));
        assert_eq!(delete.header("mcp-protocol-version"), version);
    }
}

#[test]
fn every_request_of_the_modern_era() {
    let mut modern = config();
    modern.mode = Mode::Modern;
    let mut web = Web::new(modern);
    let hostile = "x\r\nevil: 1";
    let cases = [
        ("tools/call", json!({"name": "echo"}), Some("echo".to_owned())),
        (
            "prompts/get",
            json!({"name": "grüezi"}),
            Some("=?base64?Z3LDvGV6aQ==?=".to_owned()),
        ),
        (
            "resources/read",
            json!({"uri": "file:///a"}),
            Some("file:///a".to_owned()),
        ),
        (
            "tools/call",
            json!({"name": hostile}),
            Some("=?base64?eA0KZXZpbDogMQ==?=".to_owned()),
        ),
        ("tools/list", json!({"name": "no"}), None),
        ("x/y", json!({}), None),
    ];
    for (method, body, name) in cases {
        web.call_with(method, params(&body), CallOptions::default());
        let opened = web.opened().remove(0);
        assert_post(&opened);
        assert_eq!(opened.header("mcp-protocol-version"), Some(MODERN));
        assert_eq!(opened.header("mcp-method"), Some(method));
        assert_eq!(opened.header("mcp-name"), name.as_deref());
        assert_eq!(opened.header("mcp-session-id"), None);
    }
    let mut web = Web::new(config());
    web.client.client().connect();
    let probe = web.opened().remove(0);
    assert_eq!(probe.header("mcp-protocol-version"), Some(MODERN));
    assert_eq!(probe.header("mcp-method"), Some("server/discover"));
}

#[test]
fn the_users_headers_are_kept_but_not_over_the_protocols() {
    let mut http = HttpClientConfig::new("http://localhost/mcp".parse().unwrap());
    for (name, value) in [
        ("authorization", "Bearer t"),
        ("x-mine", "1"),
        ("accept", "text/html"),
        ("content-type", "text/plain"),
        ("content-length", "5"),
        ("mcp-session-id", "fake"),
        ("mcp-protocol-version", "fake"),
        ("mcp-method", "fake"),
        ("mcp-name", "fake"),
        ("mcp-param-x", "fake"),
        ("last-event-id", "fake"),
    ] {
        http.headers.insert(name, HeaderValue::from_static(value));
    }
    let mut web = Web::with(config(), http);
    web.call("tools/list");
    let mut all = web.opened();
    web.json(all[0].id, 400, &json!({}));
    let initialize = web.opened();
    web.initialize_answered(&initialize[0], Revision::V2025_03_26, "s1");
    all.extend(initialize);
    let initialized = web.opened();
    web.status(initialized[0].id, 202);
    all.extend(initialized);
    all.extend(web.opened());
    web.client.close(CloseReason::Local);
    all.extend(web.opened());
    assert_eq!(all.len(), 6);
    for opened in &all {
        assert_eq!(opened.header("authorization"), Some("Bearer t"));
        assert_eq!(opened.header("x-mine"), Some("1"));
        assert_ne!(opened.header("accept"), Some("text/html"));
        let fakes = opened.headers.values().filter(|value| *value == "fake").count();
        assert_eq!(fakes, 0, "{opened:?}");
        assert_eq!(opened.header("content-length"), None);
    }
}

#[test]
fn a_session_id_that_is_no_session_id_is_not_taken() {
    for id in ["", "a b", "a\u{e9}"] {
        let mut web = Web::new(config());
        web.client.client().connect();
        web.probe_answered(Revision::V2025_11_25);
        let initialize = web.opened();
        web.initialize_answered(&initialize[0], Revision::V2025_11_25, id);
        assert_eq!(web.opened()[0].header("mcp-session-id"), None, "{id:?}");
    }
}
