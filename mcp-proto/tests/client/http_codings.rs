//! Content codings: none is asked for, and one that comes all the same is named.

use mcp_proto::Revision;
use mcp_proto::client::ClientEvent;
use mcp_proto::http::client::HttpClientConfig;
use mcp_proto::rpc::CallError;

use crate::http_sessions::{gets, with_listen};
use crate::http_support::{JSON, SSE, Web};
use crate::support::{config, only_error};

const BOTH: [Revision; 2] = [Revision::V2025_11_25, Revision::LATEST];

#[test]
fn no_content_coding_is_asked_for() {
    let mut http = HttpClientConfig::new("http://localhost/mcp".parse().unwrap());
    let own = http::HeaderValue::from_static("gzip, br");
    http.headers.insert("accept-encoding", own);
    let mut web = Web::with(config(), http);
    web.client.client().connect();
    assert_eq!(
        web.opened()[0].header("accept-encoding"),
        Some("identity"),
        "what could not be read"
    );
    let (mut web, get) = with_listen();
    assert_eq!(get.header("accept-encoding"), Some("identity"));
    web.client.close(mcp_proto::rpc::CloseReason::Local);
    let delete = web.opened().remove(0);
    assert_eq!(delete.header("accept-encoding"), Some("identity"));
}

#[test]
fn an_unexpected_content_coding_is_named_in_the_error() {
    for revision in BOTH {
        for (media, coding) in [
            (JSON, "gzip"),
            (SSE, "br"),
            (JSON, "identity, zstd"),
            ("text/html", "x-own"),
        ] {
            let mut web = Web::ready(revision);
            web.call("tools/list");
            let post = web.opened().remove(0);
            web.head(post.id, 200, &[("content-type", media), ("content-encoding", coding)]);
            let error = only_error(&web.events());
            assert!(matches!(error, CallError::InvalidReply(_)), "{error:?}");
            let name = coding.rsplit(' ').next().unwrap();
            assert!(error.to_string().contains(name), "{error}");
            web.body(post.id, b"\x1f\x8b");
            web.end(post.id);
            assert!(web.events().is_empty());
        }
    }
}

#[test]
fn an_encoded_refusal_keeps_its_status() {
    for status in [401, 403, 429, 500] {
        let mut web = Web::ready(Revision::LATEST);
        web.call("tools/list");
        let post = web.opened().remove(0);
        web.head(post.id, status, &[("content-type", JSON), ("content-encoding", "gzip")]);
        let error = only_error(&web.events());
        assert_eq!(error.http_status(), Some(status));
        assert!(
            matches!(status, 401 | 403) || error.to_string().contains("gzip"),
            "{error}"
        );
    }
}

#[test]
fn the_coding_identity_is_none() {
    for coding in ["identity", "Identity", ""] {
        let mut web = Web::ready(Revision::LATEST);
        web.call("tools/list");
        let post = web.opened().remove(0);
        web.head(post.id, 200, &[("content-type", JSON), ("content-encoding", coding)]);
        let body = crate::support::result(post.rpc_id(), crate::support::tools()).to_string();
        web.body(post.id, body.as_bytes());
        web.end(post.id);
        assert!(
            matches!(web.events()[..], [ClientEvent::Reply { outcome: Ok(_), .. }]),
            "{coding}"
        );
    }
}

#[test]
fn an_encoded_get_stream_is_not_listened_to_and_the_coding_named() {
    let (mut web, get) = with_listen();
    web.head(get.id, 200, &[("content-type", SSE), ("content-encoding", "gzip")]);
    let events = web.events();
    let [ClientEvent::NotListening(error)] = &events[..] else {
        panic!("{events:?}")
    };
    assert!(error.to_string().contains("gzip"), "{error}");
    assert!(gets(&mut web).is_empty() && !web.client.is_listening());
}
