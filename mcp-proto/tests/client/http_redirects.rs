//! Redirects: followed within the origin with the same method and body, and within a bound; any other is an error.

use mcp_proto::Revision;
use mcp_proto::client::ClientEvent;
use mcp_proto::http::client::HttpClientConfig;
use mcp_proto::jsonrpc::Params;
use mcp_proto::rpc::CallOptions;
use serde_json::json;

use crate::http_sessions::{gets, with_listen};
use crate::http_support::{Opened, SSE, Web, verbs};
use crate::support::{config, error, initialize_result, only_error, result, secs, tools};

const LEGACY: Revision = Revision::V2025_11_25;
const BOTH: [Revision; 2] = [LEGACY, Revision::LATEST];

fn redirect(web: &mut Web, opened: &Opened, status: u16, location: &str) {
    web.head(opened.id, status, &[("location", location)]);
    web.end(opened.id);
}

#[test]
fn a_redirect_within_the_origin_is_followed_with_method_and_body() {
    for revision in BOTH {
        for (status, location) in [
            (307, "/mcp/"),
            (308, "http://localhost:80/mcp/"),
            (307, "mcp/"),
            (308, "//localhost/mcp/"),
        ] {
            let mut web = Web::ready(revision);
            let params = Params::from_serialize(&json!({"name": "a", "arguments": {"x": 1}})).unwrap();
            let call = web.call_with("tools/call", params, CallOptions::default());
            let post = web.opened().remove(0);
            redirect(&mut web, &post, status, location);
            web.place = if location.starts_with("http://") {
                "http://localhost:80/mcp/"
            } else {
                "http://localhost/mcp/"
            };
            let again = web.opened().remove(0);
            assert_eq!(
                (&again.verb, &again.body, &again.headers),
                (&post.verb, &post.body, &post.headers)
            );
            web.json(again.id, 200, &result(again.rpc_id(), json!({"content": []})));
            let events = web.events();
            assert!(matches!(events[..], [ClientEvent::Reply { call: it, outcome: Ok(_) }] if it == call));
            // The next begins at the endpoint: only this one was redirected.
            web.place = "http://localhost/mcp";
            web.call("tools/list");
            assert_eq!(web.opened().len(), 1);
        }
    }
}

#[test]
fn a_handshake_is_redirected_as_a_whole() {
    let mut web = Web::new(config());
    let call = web.call("tools/list");
    let follow = |web: &mut Web| {
        web.place = "http://localhost/mcp";
        let opened = web.opened().remove(0);
        redirect(web, &opened, 307, "/mcp/");
        web.place = "http://localhost/mcp/";
        let again = web.opened().remove(0);
        assert_eq!((again.verb.clone(), &again.body), (opened.verb, &opened.body));
        again
    };
    let probe = follow(&mut web);
    web.json(probe.id, 400, &error(probe.rpc_id(), -32600));
    let initialize = follow(&mut web);
    web.head(
        initialize.id,
        200,
        &[("content-type", "application/json"), ("mcp-session-id", "s1")],
    );
    web.body(
        initialize.id,
        result(initialize.rpc_id(), initialize_result("2025-11-25"))
            .to_string()
            .as_bytes(),
    );
    web.end(initialize.id);
    let initialized = follow(&mut web);
    assert_eq!(
        (initialized.method(), initialized.header("mcp-session-id")),
        ("notifications/initialized", Some("s1"))
    );
    web.status(initialized.id, 202);
    web.place = "http://localhost/mcp";
    let both = web.opened();
    assert_eq!(verbs(&both), ["GET", "tools/list"]);
    redirect(&mut web, &both[0], 307, "/mcp/");
    web.place = "http://localhost/mcp/";
    let get = web.opened().remove(0);
    assert_eq!(get.header("mcp-session-id"), Some("s1"));
    web.head(get.id, 200, &[("content-type", SSE)]);
    assert!(web.client.is_listening());
    web.json(both[1].id, 200, &result(both[1].rpc_id(), tools()));
    assert!(
        web.events()
            .iter()
            .any(|event| matches!(event, ClientEvent::Reply { call: it, outcome: Ok(_) } if *it == call))
    );
    web.client.close(mcp_proto::rpc::CloseReason::Local);
    web.place = "http://localhost/mcp";
    let delete = web.opened().remove(0);
    redirect(&mut web, &delete, 307, "/mcp/");
    web.place = "http://localhost/mcp/";
    let delete = web.opened().remove(0);
    assert_eq!(
        (delete.method(), delete.header("mcp-session-id")),
        ("DELETE", Some("s1"))
    );
    web.status(delete.id, 200);
    web.advance(2);
    assert!(web.client.is_finished());
}

#[test]
fn any_other_redirect_is_an_error_that_names_the_location() {
    for revision in BOTH {
        for (status, location, named) in [
            (301, "http://localhost/other", "http://localhost/other"),
            (302, "/login?next=secret", "/login"),
            (303, "/mcp/", "/mcp/"),
            (307, "http://elsewhere/mcp", "http://elsewhere/mcp"),
            (308, "https://localhost/mcp", "https://localhost/mcp"),
            (307, "http://localhost:8080/mcp", "http://localhost:8080/mcp"),
            (308, "http://localhost.evil/mcp", "http://localhost.evil/mcp"),
            (307, "http://me:secret@localhost/mcp", "http://localhost/mcp"),
        ] {
            let mut web = Web::ready(revision);
            web.call("tools/list");
            let post = web.opened().remove(0);
            redirect(&mut web, &post, status, location);
            assert!(web.opened().is_empty(), "nothing goes there: {location}");
            let error = only_error(&web.events());
            assert_eq!(error.http_status(), Some(status));
            let text = error.to_string();
            assert!(text.contains(named) && !text.contains("secret"), "{text}");
        }
    }
}

#[test]
fn redirects_that_lead_in_a_circle_come_to_an_end() {
    let mut web = Web::ready(Revision::LATEST);
    web.call_with("tools/list", Params::NONE, CallOptions::new().with_timeout(secs(60)));
    let mut opened = web.opened();
    let mut asked = 0;
    while let Some(post) = opened.pop() {
        asked += 1;
        redirect(&mut web, &post, 307, "/mcp");
        opened = web.opened();
        assert!(asked < 100, "without an end");
    }
    assert_eq!(asked, 6);
    let error = only_error(&web.events());
    assert!(
        error.http_status() == Some(307) && error.to_string().contains("/mcp"),
        "{error}"
    );
}

#[test]
fn credentials_go_to_no_other_origin() {
    let mut http = HttpClientConfig::new("http://localhost/mcp".parse().unwrap());
    http.headers
        .insert("authorization", http::HeaderValue::from_static("Bearer x"));
    let mut web = Web::with(config(), http);
    web.client.client().connect();
    let probe = web.opened().remove(0);
    assert_eq!(probe.header("authorization"), Some("Bearer x"));
    redirect(&mut web, &probe, 307, "http://elsewhere/mcp");
    // Not a modern server: the legacy handshake is tried, at the endpoint.
    let initialize = web.opened();
    assert_eq!(verbs(&initialize), ["initialize"]);
    redirect(&mut web, &initialize[0], 307, "http://elsewhere/mcp");
    assert!(web.opened().is_empty());
    let events = web.events();
    assert!(
        matches!(&events[..], [ClientEvent::NotReady(error)] if error.to_string().contains("elsewhere")),
        "{events:?}"
    );
}

#[test]
fn a_get_stream_that_is_sent_elsewhere_is_given_up_and_told() {
    let (mut web, get) = with_listen();
    redirect(&mut web, &get, 307, "http://elsewhere/mcp");
    assert!(gets(&mut web).is_empty());
    let events = web.events();
    assert!(matches!(&events[..], [ClientEvent::NotListening(error)] if error.to_string().contains("elsewhere")));
}

#[test]
fn a_call_that_was_given_up_is_not_followed() {
    let mut web = Web::ready(Revision::LATEST);
    let call = web.call("tools/list");
    let post = web.opened().remove(0);
    web.client.client().cancel(call);
    redirect(&mut web, &post, 307, "/mcp/");
    assert!(web.opened().is_empty() && web.events().is_empty());
}

#[test]
fn a_notification_is_followed_in_its_own_time() {
    let mut web = Web::ready(LEGACY);
    web.client.client().notify("notifications/x", Params::NONE).unwrap();
    let post = web.opened().remove(0);
    web.advance(50);
    redirect(&mut web, &post, 308, "/mcp/");
    web.place = "http://localhost/mcp/";
    let again = web.opened().remove(0);
    assert_eq!(again.body, post.body);
    web.advance(60);
    web.opened();
    assert!(web.aborted.contains(&again.id), "it is not waited for any longer");
}
