//! The ladder of a client over HTTP: modern Streamable HTTP, legacy Streamable HTTP, HTTP+SSE (2025-11-25, Transports,
//! Backwards Compatibility).

use mcp_proto::client::{ClientEvent, Mode};
use mcp_proto::http::client::{ExchangeError, ExchangeId, HttpClientConfig, HttpDialect};
use mcp_proto::rpc::CallError;
use mcp_proto::{Revision, Time};
use serde_json::Value;

use crate::http_support::{Opened, SSE, Web, verbs};
use crate::support::{at, config, error, initialize_result, only_error, replies, result, secs, tools};

pub const STREAM: &[(&str, &str)] = &[("content-type", SSE)];

pub fn web_of(dialect: HttpDialect) -> Web {
    let http = HttpClientConfig::new("http://localhost/mcp/sse".parse().unwrap()).with_dialect(dialect);
    let mut web = Web::with(config(), http);
    web.place = "";
    web
}

/// An event of the stream.
pub fn event(kind: &str, data: &str) -> Vec<u8> {
    format!("event: {kind}\ndata: {data}\n\n").into_bytes()
}

pub fn message(message: &Value) -> Vec<u8> {
    event("message", &message.to_string())
}

/// Refuses the question and `initialize` with this status, and gives the GET that comes then.
pub fn refuse_posts(web: &mut Web, status: u16) -> Opened {
    let discover = web.opened().remove(0);
    assert_eq!(discover.method(), "server/discover");
    web.status(discover.id, status);
    let initialize = web.opened().remove(0);
    assert_eq!(initialize.method(), "initialize");
    web.status(initialize.id, status);
    only_get(web)
}

pub fn only_get(web: &mut Web) -> Opened {
    let mut opened = web.opened();
    assert_eq!(verbs(&opened), ["GET"]);
    opened.remove(0)
}

pub fn only_post(web: &mut Web, method: &str) -> Opened {
    let mut opened = web.opened();
    assert_eq!(verbs(&opened), [method]);
    opened.remove(0)
}

/// Names the endpoint on a stream that is opened.
pub fn name_endpoint(web: &mut Web, get: ExchangeId, endpoint: &str) {
    web.head(get, 200, STREAM);
    web.body(get, &event("endpoint", endpoint));
}

/// Makes the handshake over the stream.
pub fn shake_hands(web: &mut Web, get: ExchangeId, revision: Revision) {
    name_endpoint(web, get, "/messages?sessionId=1");
    let initialize = only_post(web, "initialize");
    web.status(initialize.id, 202);
    let answer = result(initialize.rpc_id(), initialize_result(revision.as_str()));
    web.body(get, &message(&answer));
    let initialized = only_post(web, "notifications/initialized");
    web.status(initialized.id, 202);
    assert!(web.client.as_client().is_ready());
}

#[test]
fn a_server_of_http_sse_alone_is_found_behind_two_posts() {
    for status in [400, 404, 405] {
        let mut web = web_of(HttpDialect::Any);
        web.call("tools/list");
        let get = refuse_posts(&mut web, status);
        assert_eq!(get.uri, "http://localhost/mcp/sse");
        assert_eq!(get.header("accept"), Some(SSE));
        assert_eq!(get.header("mcp-protocol-version"), None);
        shake_hands(&mut web, get.id, Revision::V2024_11_05);
        let call = only_post(&mut web, "tools/list");
        assert_eq!(call.uri, "http://localhost/messages?sessionId=1");
        web.status(call.id, 202);
        web.body(get.id, &message(&result(call.rpc_id(), tools())));
        assert!(matches!(replies(&web.events())[..], [(_, Ok(_))]));
    }
}

#[test]
fn a_modern_server_is_never_asked_for_a_stream() {
    let mut web = web_of(HttpDialect::Any);
    web.client.client().connect();
    web.probe_answered(Revision::V2026_07_28);
    assert!(web.opened().is_empty() && web.client.as_client().is_ready());
}

#[test]
fn a_streamable_server_of_the_legacy_era_is_asked_for_no_more() {
    let mut web = web_of(HttpDialect::Any);
    web.client.client().connect();
    web.probe_answered(Revision::V2025_03_26);
    let initialize = web.opened().remove(0);
    web.initialize_answered(&initialize, Revision::V2025_03_26, "s1");
    let initialized = only_post(&mut web, "notifications/initialized");
    web.status(initialized.id, 202);
    let get = only_get(&mut web);
    assert_eq!(get.header("mcp-session-id"), Some("s1"), "the stream of its session");
    web.status(get.id, 405);
    assert!(web.client.as_client().is_ready());
}

#[test]
fn other_refusals_lead_nowhere() {
    for status in [401, 403, 406, 415, 429, 500, 503] {
        let mut web = web_of(HttpDialect::Any);
        web.client.client().connect();
        web.probe_answered(Revision::V2025_11_25);
        let initialize = only_post(&mut web, "initialize");
        web.status(initialize.id, status);
        assert!(web.opened().is_empty(), "{status}");
        assert!(matches!(web.events()[..], [ClientEvent::NotReady(_)]));
        assert_eq!(web.client.kept().entries, 0);
    }
}

#[test]
fn a_client_of_streamable_http_alone_does_not_go_on() {
    let mut web = web_of(HttpDialect::Streamable);
    web.call("tools/list");
    for method in ["server/discover", "initialize"] {
        let post = only_post(&mut web, method);
        web.status(post.id, 404);
    }
    assert!(web.opened().is_empty());
    assert_eq!(only_error(&web.events()).http_status(), Some(404));
}

#[test]
fn a_client_of_http_sse_alone_begins_with_the_stream() {
    let mut web = web_of(HttpDialect::HttpSse);
    web.call("tools/list");
    let get = only_get(&mut web);
    shake_hands(&mut web, get.id, Revision::V2025_06_18);
    let call = only_post(&mut web, "tools/list");
    assert_eq!(call.header("mcp-protocol-version"), Some("2025-06-18"));
    assert_eq!(call.header("mcp-session-id"), None);
}

#[test]
fn the_refusal_is_told_where_there_is_no_stream_either() {
    for refuse in [
        |web: &mut Web, get| web.status(get, 405),
        |web: &mut Web, get| web.json(get, 200, &Value::Null),
        |web: &mut Web, get| web.broken(get),
        |web: &mut Web, get| web.head(get, 301, &[("location", "/elsewhere")]),
        |web: &mut Web, get| {
            web.head(get, 200, STREAM);
            web.end(get);
        },
        |web: &mut Web, get| {
            web.head(get, 200, STREAM);
            web.body(get, &message(&Value::Null));
        },
        |web: &mut Web, get| name_endpoint(web, get, "http://[bad"),
        |web: &mut Web, get| {
            web.head(get, 200, STREAM);
            let huge = vec![b'a'; web.client.as_client().config().limits.event_bytes + 1];
            web.body(get, &[b"event: endpoint\ndata: /".as_slice(), &huge].concat());
        },
    ] {
        let mut web = web_of(HttpDialect::Any);
        web.call("tools/list");
        let get = refuse_posts(&mut web, 404);
        refuse(&mut web, get.id);
        let error = only_error(&web.events());
        assert_eq!(error.http_status(), Some(404), "{error}");
        assert!(error.to_string().contains("GET opens no stream of HTTP+SSE"), "{error}");
        assert!(web.opened().is_empty());
        assert_eq!(
            web.client.open_exchanges(),
            usize::from(web.client.poll_timeout().is_some())
        );
    }
}

#[test]
fn what_a_server_says_of_initialize_is_told_where_there_is_no_stream() {
    let mut web = web_of(HttpDialect::Any);
    web.call("tools/list");
    web.probe_answered(Revision::V2025_11_25);
    let initialize = only_post(&mut web, "initialize");
    web.json(initialize.id, 400, &error(initialize.rpc_id(), -32602));
    let get = only_get(&mut web);
    web.status(get.id, 405);
    assert!(matches!(only_error(&web.events()), CallError::Rpc(error) if error.code.0 == -32602));
}

/// A modern server may not know `initialize`: what it says is an answer.
#[test]
fn a_modern_error_is_no_step_of_the_ladder() {
    let mut web = web_of(HttpDialect::Any);
    web.call("tools/list");
    web.probe_answered(Revision::V2025_11_25);
    let initialize = only_post(&mut web, "initialize");
    let mut answer = error(initialize.rpc_id(), -32022);
    answer["error"]["data"] = serde_json::json!({"supported": ["2026-07-28"], "requested": "2025-11-25"});
    web.json(initialize.id, 400, &answer);
    let call = only_post(&mut web, "tools/list");
    assert_eq!(call.header("mcp-protocol-version"), Some("2026-07-28"));
}

#[test]
fn a_wall_before_the_stream_is_told_as_such() {
    let mut web = web_of(HttpDialect::Any);
    web.call("tools/list");
    let get = refuse_posts(&mut web, 405);
    web.head(get.id, 401, &[("www-authenticate", "Bearer")]);
    assert_eq!(
        only_error(&web.events()),
        CallError::Unauthorized(Some("Bearer".into()))
    );
}

#[test]
fn an_endpoint_of_another_origin_is_refused() {
    for endpoint in [
        "http://evil/messages",
        "//evil/messages",
        "https://localhost/messages",
        "http://localhost:81/messages",
        "http://me:secret@localhost/messages",
        "http://localhost@evil/messages",
    ] {
        for dialect in [HttpDialect::Any, HttpDialect::HttpSse] {
            let mut web = web_of(dialect);
            web.call("tools/list");
            let get = match dialect {
                HttpDialect::Any => refuse_posts(&mut web, 404),
                _ => only_get(&mut web),
            };
            name_endpoint(&mut web, get.id, endpoint);
            assert!(web.opened().is_empty(), "nothing is sent there");
            assert_eq!(web.aborted.last(), Some(&get.id));
            match only_error(&web.events()) {
                CallError::ForeignEndpoint(shown) => assert!(!shown.contains("secret")),
                other => panic!("{endpoint}: {other:?}"),
            }
        }
    }
}

#[test]
fn an_endpoint_is_relative_to_where_the_stream_came_from() {
    for (endpoint, target) in [
        ("/messages?s=1", "http://localhost/messages?s=1"),
        ("messages?s=1", "http://localhost/mcp/messages?s=1"),
        ("?s=1", "http://localhost/mcp/sse?s=1"),
        ("http://LOCALHOST:80/m", "http://LOCALHOST:80/m"),
    ] {
        let mut web = web_of(HttpDialect::HttpSse);
        web.client.client().connect();
        let get = only_get(&mut web);
        name_endpoint(&mut web, get.id, endpoint);
        assert_eq!(only_post(&mut web, "initialize").uri, target);
    }
    let mut web = web_of(HttpDialect::HttpSse);
    web.client.client().connect();
    let get = only_get(&mut web);
    web.head(get.id, 307, &[("location", "/moved/sse/")]);
    let get = only_get(&mut web);
    assert_eq!(get.uri, "http://localhost/moved/sse/");
    name_endpoint(&mut web, get.id, "messages");
    assert_eq!(
        only_post(&mut web, "initialize").uri,
        "http://localhost/moved/sse/messages"
    );
}

#[test]
fn an_endpoint_that_does_not_come_is_not_waited_for_as_long_as_a_handshake() {
    let mut web = web_of(HttpDialect::Any);
    web.call("tools/list");
    let get = refuse_posts(&mut web, 405);
    web.head(get.id, 200, STREAM);
    web.body(get.id, b": nothing yet\n\nretry: 1000\n\n");
    web.advance(9);
    assert!(web.events().is_empty());
    web.advance(10);
    web.opened();
    assert_eq!(web.aborted, [get.id]);
    assert_eq!(only_error(&web.events()).http_status(), Some(405));
    assert_eq!(web.client.open_exchanges(), 0);
}

#[test]
fn a_stream_that_was_asked_for_has_the_time_of_the_handshake() {
    let mut web = web_of(HttpDialect::HttpSse);
    web.call("tools/list");
    let get = only_get(&mut web);
    web.head(get.id, 200, STREAM);
    web.advance(29);
    assert!(web.events().is_empty());
    web.advance(30);
    web.opened();
    assert!(matches!(only_error(&web.events()), CallError::Timeout { .. }));
    assert_eq!((web.aborted.clone(), web.client.open_exchanges()), (vec![get.id], 0));
}

#[test]
fn nothing_is_left_of_a_client_that_is_closed_on_any_step() {
    for steps in 0..4 {
        let mut web = web_of(HttpDialect::Any);
        web.call("tools/list");
        if steps > 0 {
            let get = refuse_posts(&mut web, 404);
            if steps > 1 {
                web.head(get.id, 200, STREAM);
            }
            if steps > 2 {
                web.body(get.id, &event("endpoint", "/m"));
                only_post(&mut web, "initialize");
            }
        } else {
            web.opened();
        }
        web.client.close(mcp_proto::rpc::CloseReason::Local);
        web.opened();
        assert!(matches!(only_error(&web.events()), CallError::Closed(_)));
        web.advance(3);
        web.opened();
        assert!(web.client.is_finished(), "{steps}");
        assert_eq!(web.client.kept().entries, 0, "{steps}");
    }
}

#[test]
fn a_kept_connection_that_was_gone_is_no_verdict() {
    let mut web = web_of(HttpDialect::HttpSse);
    web.client.client().connect();
    let get = only_get(&mut web);
    web.client.failed(web.now, get.id, ExchangeError::Stale("kept".into()));
    let get = only_get(&mut web);
    shake_hands(&mut web, get.id, Revision::V2024_11_05);
}

#[test]
fn a_prior_of_the_legacy_era_spares_the_question_and_not_the_ladder() {
    let config = config().with_prior(Some(mcp_proto::client::Prior::new(Revision::V2024_11_05)));
    let mut web = Web::with(config, HttpClientConfig::new("http://localhost/sse".parse().unwrap()));
    web.place = "";
    web.client.client().connect();
    let initialize = only_post(&mut web, "initialize");
    web.status(initialize.id, 405);
    let get = only_get(&mut web);
    shake_hands(&mut web, get.id, Revision::V2024_11_05);
    assert_eq!(web.now, at(0));
}

#[test]
fn what_was_found_is_remembered_until_it_proves_wrong() {
    let mut web = web_of(HttpDialect::Any);
    web.client.client().connect();
    let get = refuse_posts(&mut web, 405);
    shake_hands(&mut web, get.id, Revision::V2024_11_05);
    web.end(get.id);
    web.now = at(0) + secs(1);
    let get = only_get(&mut web);
    // The server was replaced by a newer one.
    web.status(get.id, 405);
    web.events();
    web.call("tools/list");
    web.probe_answered(Revision::V2026_07_28);
    assert!(web.client.as_client().is_ready());
}

#[test]
fn a_client_of_the_modern_era_alone_walks_no_ladder() {
    let mut web = web_of(HttpDialect::Any);
    web.client = mcp_proto::client::HttpClient::new(
        config().with_mode(Mode::Modern),
        &HttpClientConfig::new("http://localhost/sse".parse().unwrap()),
    );
    web.call("tools/list");
    let post = only_post(&mut web, "tools/list");
    web.status(post.id, 404);
    assert!(web.opened().is_empty());
    assert_eq!(only_error(&web.events()).http_status(), Some(404));
    assert_eq!(web.now, Time::ORIGIN);
}
