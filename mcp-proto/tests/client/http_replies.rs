//! What a client makes of the responses to its calls.

use mcp_proto::client::{ClientEvent, Mode, Prior};
use mcp_proto::http::client::{ExchangeError, HttpAction};
use mcp_proto::jsonrpc::{Params, RawJson};
use mcp_proto::rpc::{CallError, CallOptions, HttpFailure, Phase, SendError};
use mcp_proto::{Revision, Time};
use serde_json::{Value, json};

use crate::http_support::{JSON, SSE, Web, sse, verbs};
use crate::support::{
    MODERN, config, discover_result, error, initialize_result, only_error, replies, result, secs, tools,
};

const LEGACY: Revision = Revision::V2025_11_25;
const BOTH: [Revision; 2] = [LEGACY, Revision::LATEST];

fn note(at: u32) -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": at}})
}

#[test]
fn a_json_answer_however_it_is_cut() {
    for revision in BOTH {
        for step in [1, 5, 1_000] {
            let mut web = Web::ready(revision);
            let call = web.call("tools/list");
            let post = web.opened().remove(0);
            web.head(post.id, 200, &[("content-type", "Application/JSON ; charset=utf-8")]);
            for part in result(post.rpc_id(), tools()).to_string().as_bytes().chunks(step) {
                assert!(web.client.wants_body(post.id));
                web.body(post.id, part);
            }
            web.end(post.id);
            let replies = replies(&web.events());
            assert_eq!((replies[0].0, replies[0].1.is_ok()), (call, true));
        }
    }
}

#[test]
fn an_event_stream_however_it_is_cut() {
    for revision in BOTH {
        for step in [1, 3, 17, 10_000] {
            let mut web = Web::ready(revision);
            web.call("tools/list");
            let post = web.opened().remove(0);
            web.head(post.id, 200, &[("content-type", "text/event-stream; x=y")]);
            let mut bytes = b"id: 1\ndata:\n\n: comment\n\n".to_vec();
            bytes.extend(sse(&[note(1), note(2), result(post.rpc_id(), tools()), note(3)]));
            for part in bytes.chunks(step) {
                web.body(post.id, part);
            }
            web.end(post.id);
            let events = web.events();
            assert_eq!(events.len(), 4, "{step}");
            assert!(matches!(events[2], ClientEvent::Reply { outcome: Ok(_), .. }));
            assert_eq!(web.client.as_client().counters().junk, 0);
        }
    }
}

/// 2025-03-26, Overview, Batching: implementations "MUST support receiving JSON-RPC batches".
#[test]
fn a_batch_is_taken_apart_in_a_body_and_in_an_event_of_the_one_revision_that_has_them() {
    for revision in Revision::ALL
        .into_iter()
        .filter(|revision| revision.has_streamable_http())
    {
        let has_batches = revision == Revision::V2025_03_26;
        for kind in [JSON, SSE] {
            let mut web = Web::ready(revision);
            web.call("tools/list");
            let post = web.opened().remove(0);
            web.head(post.id, 200, &[("content-type", kind)]);
            let ask = json!({"jsonrpc": "2.0", "id": "r", "method": "roots/list"});
            let batch = json!([note(1), ask, {"jsonrpc": "1.0"}, result(post.rpc_id(), tools())]);
            match kind {
                JSON => web.body(post.id, batch.to_string().as_bytes()),
                _ => web.body(post.id, &sse(&[batch])),
            }
            web.end(post.id);
            if revision.is_stateless() {
                // A stream that ends without the answer is asked for once more, and not twice.
                for again in web.opened() {
                    web.head(again.id, 200, &[("content-type", kind)]);
                    web.end(again.id);
                }
            }
            let events = web.events();
            let asked = events.iter().filter(|event| matches!(event, ClientEvent::Request(_)));
            assert_eq!(asked.count(), usize::from(has_batches), "{revision} {kind}");
            let noted = events
                .iter()
                .filter(|event| matches!(event, ClientEvent::Notification(_)));
            assert_eq!(noted.count(), usize::from(has_batches), "{revision} {kind}");
            let outcomes = replies(&events);
            assert_eq!(outcomes.len(), 1, "{revision} {kind}");
            assert_eq!(outcomes[0].1.is_ok(), has_batches, "{revision} {kind}");
            assert_eq!(web.client.as_client().counters().junk, 1, "{revision} {kind}");
        }
    }
}

#[test]
fn a_response_that_ends_without_the_answer() {
    let mut web = Web::ready(LEGACY);
    let mut outcome = |kind: &str, body: &[u8]| {
        web.call("tools/list");
        let post = web.opened().remove(0);
        web.head(post.id, 200, &[("content-type", kind)]);
        web.body(post.id, body);
        web.end(post.id);
        only_error(
            &web.events()
                .into_iter()
                .filter(|event| matches!(event, ClientEvent::Reply { .. }))
                .collect::<Vec<_>>(),
        )
    };
    assert_eq!(outcome(SSE, b""), CallError::Disconnected);
    assert_eq!(outcome(SSE, &sse(&[note(1)])), CallError::Disconnected);
    assert_eq!(outcome(SSE, b"data: {\"jsonrpc\""), CallError::Disconnected);
    for body in [
        &b""[..],
        b"{",
        b"[]",
        note(1).to_string().as_bytes(),
        error(&json!(77), 1).to_string().as_bytes(),
    ] {
        assert!(matches!(outcome(JSON, body), CallError::InvalidReply(_)), "{body:?}");
    }
}

#[test]
fn a_transport_that_fails() {
    for revision in BOTH {
        let mut web = Web::ready(revision);
        web.call("tools/list");
        let post = web.opened().remove(0);
        web.client
            .failed(web.now, post.id, ExchangeError::Unreachable("refused".into()));
        assert_eq!(only_error(&web.events()), CallError::Unreachable("refused".into()));
        for answered in [false, true] {
            web.call("tools/list");
            let post = web.opened().remove(0);
            web.head(post.id, 200, &[("content-type", SSE)]);
            if answered {
                web.body(post.id, &sse(&[result(post.rpc_id(), tools())]));
            }
            web.broken(post.id);
            // In the modern era it is asked for again, as another request, once.
            for again in web.opened() {
                assert!(revision.is_stateless() && !answered);
                web.head(again.id, 200, &[("content-type", SSE)]);
                web.broken(again.id);
            }
            let outcome = replies(&web.events()).remove(0).1;
            assert_eq!(outcome.err(), (!answered).then_some(CallError::Disconnected));
        }
    }
}

#[test]
fn a_call_without_a_connection_was_not_sent() {
    let refused = CallError::Refused(SendError::TooManyConnections);
    assert!(refused.is_unprocessed());
    for revision in BOTH {
        let mut web = Web::ready(revision);
        web.call("tools/list");
        let post = web.opened().remove(0);
        web.client.failed(web.now, post.id, ExchangeError::TooManyConnections);
        assert_eq!(only_error(&web.events()), refused);
        assert!(web.opened().is_empty() && web.client.as_client().is_ready());
    }
    // Neither question tells anything of the server then.
    for mode in [Mode::Auto, Mode::Legacy(LEGACY)] {
        let mut web = Web::new(config().with_mode(mode));
        web.call("tools/list");
        let post = web.opened().remove(0);
        web.client.failed(web.now, post.id, ExchangeError::TooManyConnections);
        let told = replies(&web.events()).remove(0).1;
        assert_eq!(told.err(), Some(refused.clone()));
        assert!(web.opened().is_empty() && web.client.as_client().closed().is_none());
    }
}

#[test]
fn the_exchange_of_a_call_that_is_given_up_ends_before_the_server_is_told() {
    // Where there is a cap on connections, what tells it needs the place.
    let mut web = Web::ready(LEGACY);
    let calls: Vec<_> = (0..3).map(|_| web.call("tools/list")).collect();
    let posts = web.opened();
    calls.into_iter().for_each(|call| web.client.client().cancel(call));
    let mut actions = Vec::new();
    while let Some(action) = web.client.poll_action(web.now) {
        actions.push(action);
    }
    let aborted = actions.iter().take(3).map(|action| match action {
        HttpAction::Abort(id) => *id,
        HttpAction::Open { .. } => panic!("{action:?} comes too soon"),
    });
    assert_eq!(
        aborted.collect::<Vec<_>>(),
        posts.iter().map(|post| post.id).collect::<Vec<_>>()
    );
    assert!(
        actions[3..]
            .iter()
            .all(|action| matches!(action, HttpAction::Open { .. }))
            && actions.len() == 6
    );
}

#[test]
fn every_status_that_is_no_answer_to_a_call() {
    for revision in BOTH {
        for status in [
            200, 201, 202, 204, 301, 307, 400, 401, 403, 404, 405, 406, 415, 422, 429, 500, 502, 503,
        ] {
            if status == 404 && !revision.is_stateless() {
                continue;
            }
            for body in [&b""[..], b"<html>", b"{\"error\":\"x\"}"] {
                let mut web = Web::ready(revision);
                web.call("tools/list");
                let post = web.opened().remove(0);
                let kind = if body.starts_with(b"{") && status > 299 {
                    JSON
                } else {
                    "text/html"
                };
                web.head(
                    post.id,
                    status,
                    &[("content-type", kind), ("www-authenticate", "Bearer x")],
                );
                web.body(post.id, body);
                web.end(post.id);
                let error = only_error(&web.events());
                assert_eq!(error.http_status(), Some(status));
                match status {
                    401 => assert_eq!(error, CallError::Unauthorized(Some("Bearer x".into()))),
                    403 => assert_eq!(error, CallError::Forbidden(Some("Bearer x".into()))),
                    _ => assert!(matches!(error, CallError::Http(HttpFailure { .. }))),
                }
                assert!(web.opened().is_empty() && web.client.as_client().is_ready(), "{status}");
            }
        }
    }
}

#[test]
fn a_failure_without_a_body_to_read_is_known_at_its_head() {
    let mut web = Web::ready(LEGACY);
    web.call("tools/list");
    let post = web.opened().remove(0);
    web.head(post.id, 502, &[("content-type", "text/html")]);
    assert_eq!(only_error(&web.events()).http_status(), Some(502));
    web.advance(2);
    web.opened();
    assert_eq!(web.aborted, [post.id], "the endless page is not read to its end");
}

#[test]
fn a_json_rpc_error_behind_a_status() {
    for id in [json!(null), json!("other"), Value::Null] {
        for status in [400, 404, 500] {
            let mut web = Web::ready(Revision::LATEST);
            web.call("tools/list");
            let post = web.opened().remove(0);
            let mut body = error(&id, -32601);
            if id.is_null() && status == 404 {
                body.as_object_mut().unwrap().remove("id");
            }
            web.json(post.id, status, &body);
            assert_eq!(
                only_error(&web.events()).rpc_code().unwrap().0,
                -32601,
                "{status} {body}"
            );
        }
    }
    let mut web = Web::ready(Revision::LATEST);
    web.call("tools/list");
    let post = web.opened().remove(0);
    web.json(post.id, 401, &error(post.rpc_id(), -32601));
    assert_eq!(only_error(&web.events()), CallError::Unauthorized(None));
}

#[test]
fn an_error_without_an_id_is_the_answer_of_its_exchange() {
    for (kind, revision) in [
        (JSON, LEGACY),
        (SSE, LEGACY),
        (JSON, Revision::LATEST),
        (SSE, Revision::LATEST),
    ] {
        let mut web = Web::ready(revision);
        let call = web.call("tools/list");
        let other = web.call("tools/list");
        let posts = web.opened();
        web.head(posts[0].id, 200, &[("content-type", kind)]);
        let body = error(&json!(null), -32603);
        let body = if kind == SSE {
            sse(&[body])
        } else {
            body.to_string().into_bytes()
        };
        web.body(posts[0].id, &body);
        web.end(posts[0].id);
        let replies = replies(&web.events());
        assert_eq!((replies.len(), replies[0].0), (1, call));
        assert_eq!(replies[0].1.as_ref().unwrap_err().rpc_code().unwrap().0, -32603);
        assert!(web.client.as_client().is_waiting(other));
    }
}

#[test]
fn bodies_over_their_limits() {
    let mut config = config();
    config.limits.error_body_bytes = 100;
    config.limits.body_bytes = 1_000;
    config.limits.event_bytes = 1_000;
    for (status, kind) in [(400, JSON), (200, JSON), (200, SSE)] {
        let mut web = Web::ready_with(config.clone(), LEGACY);
        web.call("tools/list");
        let post = web.opened().remove(0);
        web.head(post.id, status, &[("content-type", kind)]);
        web.body(post.id, b"data: ");
        for _ in 0..2_000 {
            web.body(post.id, b"x");
        }
        let error = only_error(&web.events());
        if status == 400 {
            assert_eq!(error.http_status(), Some(400));
        } else {
            assert!(matches!(error, CallError::InvalidReply(_)), "{error:?}");
        }
        web.opened();
        assert_eq!(web.aborted, [post.id]);
        web.end(post.id);
        assert!(web.events().is_empty());
    }
}

#[test]
fn all_responses_together_have_a_budget() {
    let mut config = config();
    config.limits.total_bytes = 10_000;
    for kind in [JSON, SSE] {
        let mut web = Web::ready_with(config.clone(), LEGACY);
        for _ in 0..20 {
            web.call("tools/list");
        }
        let posts = web.opened();
        for post in &posts {
            web.head(post.id, 200, &[("content-type", kind)]);
            web.body(post.id, format!("data: {}", "x".repeat(994)).as_bytes());
        }
        assert_eq!(replies(&web.events()).len(), 10, "{kind}");
        for post in &posts[..10] {
            web.end(post.id);
        }
        assert_eq!(replies(&web.events()).len(), 10);
        // All of it is free again.
        web.call("tools/list");
        let post = web.opened().remove(0);
        web.head(post.id, 200, &[("content-type", kind)]);
        web.body(post.id, &vec![b'x'; 9_000]);
        assert!(web.events().is_empty());
    }
}

#[test]
fn the_probe_meets_every_status() {
    for status in [200, 202, 301, 400, 401, 403, 404, 405, 406, 415, 422, 429, 500, 503] {
        let mut web = Web::new(config());
        web.call("tools/list");
        let probe = web.opened().remove(0);
        web.head(
            probe.id,
            status,
            &[("content-type", "text/plain"), ("www-authenticate", "Bearer")],
        );
        web.end(probe.id);
        match status {
            401 => assert_eq!(
                only_call_error(&mut web),
                CallError::Unauthorized(Some("Bearer".into()))
            ),
            403 => assert_eq!(only_call_error(&mut web), CallError::Forbidden(Some("Bearer".into()))),
            429 | 500 | 503 => assert_eq!(only_call_error(&mut web).http_status(), Some(status)),
            _ => {
                assert_eq!(verbs(&web.opened()), ["initialize"], "{status}");
                assert!(web.events().is_empty());
                continue;
            }
        }
        assert!(web.opened().is_empty());
        web.call("tools/list");
        assert_eq!(verbs(&web.opened()), ["server/discover"], "the next call tries again");
    }
}

fn only_call_error(web: &mut Web) -> CallError {
    only_error(&web.events())
}

#[test]
fn initialize_meets_every_status() {
    for status in [202, 301, 400, 401, 403, 404, 405, 500] {
        let mut web = Web::new(config());
        web.call("tools/list");
        web.probe_answered(LEGACY);
        let initialize = web.opened().remove(0);
        web.head(initialize.id, status, &[]);
        web.end(initialize.id);
        for get in web.opened() {
            assert_eq!((get.method(), [400, 404, 405].contains(&status)), ("GET", true));
            web.status(get.id, 405);
        }
        assert_eq!(only_call_error(&mut web).http_status(), Some(status));
        assert!(web.opened().is_empty());
    }
}

#[test]
fn a_mute_server_costs_a_call_its_own_deadline() {
    let mut web = Web::new(config());
    let options = CallOptions::new().with_timeout(secs(3));
    web.call_with("tools/list", Params::NONE, options);
    let probe = web.opened().remove(0);
    web.advance(3);
    let phase = Phase::Probe;
    assert_eq!(only_call_error(&mut web), CallError::Timeout { phase, after: secs(3) });
    web.advance(10);
    assert!(web.opened().is_empty(), "a slow server is not taken for a legacy one");
    assert_eq!(web.aborted, [probe.id]);
    for revision in BOTH {
        let mut web = Web::ready(revision);
        web.call_with("tools/list", Params::NONE, CallOptions::new().with_timeout(secs(3)));
        let post = web.opened().remove(0);
        web.head(post.id, 200, &[("content-type", SSE)]);
        web.advance(3);
        let phase = Phase::Request;
        assert_eq!(only_call_error(&mut web), CallError::Timeout { phase, after: secs(3) });
        let told = web.opened();
        let expected: &[&str] = if revision.is_stateless() {
            &[]
        } else {
            &["notifications/cancelled"]
        };
        assert_eq!(verbs(&told), expected);
        assert_eq!(web.aborted, [post.id]);
    }
}

#[test]
fn a_cancelled_call_is_ended_the_way_of_its_era() {
    for revision in BOTH {
        let mut web = Web::ready(revision);
        let queued = web.call("tools/list");
        web.client.client().cancel(queued);
        assert!(web.opened().is_empty());
        let call = web.call("tools/list");
        let post = web.opened().remove(0);
        web.client.client().cancel(call);
        let told = web.opened();
        if revision.is_stateless() {
            assert!(told.is_empty());
        } else {
            assert_eq!(verbs(&told), ["notifications/cancelled"]);
            assert_eq!(&told[0].body["params"]["requestId"], post.rpc_id());
        }
        assert_eq!(web.aborted, [post.id]);
        web.json(post.id, 200, &result(post.rpc_id(), tools()));
        assert!(web.events().is_empty());
    }
}

#[test]
fn a_response_that_is_answered_but_never_ends_is_aborted() {
    let mut web = Web::ready(LEGACY);
    web.call("tools/list");
    web.call("tools/list");
    let posts = web.opened();
    for post in &posts {
        web.head(post.id, 200, &[("content-type", SSE)]);
    }
    // The first stream brings both answers.
    let answers: Vec<_> = posts.iter().map(|post| result(post.rpc_id(), tools())).collect();
    web.body(posts[0].id, &sse(&answers));
    assert_eq!(replies(&web.events()).len(), 2);
    web.advance(1);
    assert!(web.opened().is_empty() && web.aborted.is_empty());
    web.advance(2);
    web.opened();
    assert_eq!(web.aborted, [posts[0].id, posts[1].id]);
}

#[test]
fn an_unsupported_version_is_answered_by_one_retry() {
    for (status, kind) in [(400, JSON), (200, JSON), (200, SSE)] {
        let mut web = Web::ready(Revision::LATEST);
        web.call("tools/list");
        for _ in 0..2 {
            let post = web.opened().remove(0);
            let mut refusal = error(post.rpc_id(), -32022);
            refusal["error"]["data"] = json!({"supported": [MODERN], "requested": MODERN});
            web.head(post.id, status, &[("content-type", kind)]);
            let body = if kind == SSE {
                sse(&[refusal])
            } else {
                refusal.to_string().into_bytes()
            };
            web.body(post.id, &body);
            web.end(post.id);
        }
        assert!(web.opened().is_empty());
        assert_eq!(only_call_error(&mut web).rpc_code().unwrap().0, -32022);
    }
}

#[test]
fn the_end_of_the_refused_response_does_not_end_the_retry() {
    let mut web = Web::ready(Revision::LATEST);
    web.call("tools/list");
    let first = web.opened().remove(0);
    web.head(first.id, 200, &[("content-type", SSE)]);
    let mut refusal = error(first.rpc_id(), -32022);
    refusal["error"]["data"] = json!({"supported": [MODERN], "requested": MODERN});
    web.body(first.id, &sse(&[refusal]));
    let second = web.opened().remove(0);
    web.end(first.id);
    assert!(web.events().is_empty());
    web.json(second.id, 200, &result(second.rpc_id(), tools()));
    assert!(replies(&web.events())[0].1.is_ok());
}

#[test]
fn a_modern_verdict_that_proves_wrong_leads_to_one_handshake() {
    for body in [
        "",
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,\"message\":\"no session\"}}",
    ] {
        let mut config = config();
        config.prior = Some(Prior::new(Revision::LATEST));
        let mut web = Web::new(config);
        for _ in 0..50 {
            web.call("tools/list");
        }
        let posts = web.opened();
        assert_eq!(posts.len(), 50);
        for post in &posts[..25] {
            web.head(post.id, 400, &[("content-type", JSON)]);
            web.body(post.id, body.as_bytes());
            web.end(post.id);
        }
        web.probe_answered(LEGACY);
        for post in &posts[25..] {
            web.head(post.id, 400, &[("content-type", JSON)]);
            web.body(post.id, body.as_bytes());
            web.end(post.id);
        }
        let initialize = web.opened();
        assert_eq!(verbs(&initialize), ["initialize"]);
        web.initialize_answered(&initialize[0], LEGACY, "s1");
        let initialized = web.opened();
        web.status(initialized[0].id, 202);
        let again: Vec<_> = web
            .opened()
            .into_iter()
            .filter(|opened| opened.method() == "tools/list")
            .collect();
        assert_eq!(again.len(), 50);
        for post in again {
            web.json(post.id, 200, &result(post.rpc_id(), tools()));
        }
        assert!(replies(&web.events()).iter().all(|(_, outcome)| outcome.is_ok()));
    }
}

#[test]
fn a_modern_verdict_survives_what_a_modern_server_says() {
    let mut config = config();
    config.prior = Some(Prior::new(Revision::LATEST));
    let mut web = Web::new(config);
    web.call("x/y");
    let post = web.opened().remove(0);
    web.json(post.id, 404, &error(post.rpc_id(), -32601));
    let probe = web.opened().remove(0);
    web.json(probe.id, 200, &result(probe.rpc_id(), discover_result()));
    let post = web.opened().remove(0);
    web.json(post.id, 404, &error(post.rpc_id(), -32601));
    assert_eq!(only_call_error(&mut web).rpc_code().unwrap().0, -32601);
    web.call("x/y");
    let post = web.opened().remove(0);
    web.json(post.id, 404, &error(post.rpc_id(), -32601));
    assert_eq!(only_call_error(&mut web).rpc_code().unwrap().0, -32601);
}

#[test]
fn a_legacy_verdict_that_proves_wrong_is_asked_again() {
    let mut config = config();
    config.prior = Some(Prior::new(LEGACY));
    let mut web = Web::new(config);
    web.call("tools/list");
    let initialize = web.opened().remove(0);
    web.json(initialize.id, 404, &error(initialize.rpc_id(), -32601));
    // It might speak HTTP+SSE.
    let get = web.opened().remove(0);
    web.status(get.id, 405);
    web.probe_answered(Revision::LATEST);
    assert_eq!(verbs(&web.opened()), ["tools/list"]);
}

#[test]
fn answers_reach_the_calls_raw() {
    let mut web = Web::ready(LEGACY);
    let call = web.call("tools/list");
    let post = web.opened().remove(0);
    let text = format!(
        r#"{{"jsonrpc":"2.0","id":{},"result":{{"tools":[ ],"x":1.0}}}}"#,
        post.rpc_id()
    );
    web.head(post.id, 200, &[("content-type", JSON)]);
    web.body(post.id, text.as_bytes());
    web.end(post.id);
    let raw = RawJson::parse(r#"{"tools":[ ],"x":1.0}"#).unwrap();
    assert_eq!(replies(&web.events()), [(call, Ok(raw))]);
    // An initialize result over an event stream does as well.
    let mut web = Web::new(config());
    web.client.client().connect();
    web.probe_answered(LEGACY);
    let initialize = web.opened().remove(0);
    web.head(initialize.id, 200, &[("content-type", SSE), ("mcp-session-id", "z")]);
    web.body(
        initialize.id,
        &sse(&[result(initialize.rpc_id(), initialize_result("2025-06-18"))]),
    );
    web.end(initialize.id);
    assert_eq!(web.opened()[0].header("mcp-session-id"), Some("z"));
}

/// What a proxy or a framework says of a request that it refuses is all that there is to go by.
#[test]
fn the_text_of_a_refusal_is_told() {
    for (kind, body) in [
        ("text/plain; charset=utf-8", "Invalid \u{1b}host header\n"),
        ("application/json", "Invalid  host header"),
    ] {
        let mut web = Web::new(config().with_mode(Mode::Modern));
        web.call("tools/list");
        let post = web.opened().remove(0);
        let length = body.len().to_string();
        web.head(post.id, 400, &[("content-type", kind), ("content-length", &length)]);
        web.body(post.id, body.as_bytes());
        web.client.end(Time::ORIGIN, post.id);
        match only_error(&web.events()) {
            CallError::Http(failure) => assert_eq!(&*failure.reason, "Bad Request: Invalid  host header"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_404_or_405_hints_at_servers_of_the_transport_before() {
    for status in [404, 405] {
        let mut web = Web::new(config().with_mode(Mode::Modern));
        web.call("tools/list");
        let post = web.opened().remove(0);
        web.status(post.id, status);
        let error = only_error(&web.events()).to_string();
        assert!(error.contains("HTTP+SSE"), "{error}");
    }
}

/// It named two.
#[test]
fn a_server_without_a_revision_in_common_is_quoted_in_full() {
    let mut web = Web::new(config().with_mode(Mode::Modern));
    web.call("tools/list");
    let post = web.opened().remove(0);
    let data = json!({"supported": ["2025-06-18", "2025-11-25"], "requested": "2026-07-28"});
    let error = json!({"code": -32022, "message": "no", "data": data});
    web.json(
        post.id,
        400,
        &json!({"jsonrpc": "2.0", "id": post.rpc_id(), "error": error}),
    );
    let supported = Box::from(["2025-06-18".into(), "2025-11-25".into()]);
    assert_eq!(only_error(&web.events()), CallError::NoCommonRevision { supported });
}
