use alloc::string::String;
use alloc::{format, vec};

use core::time::Duration;

use super::super::interests::DEFAULT_SEVERITY;
use super::*;
use crate::jsonrpc::{ErrorCode, Incoming, parse};
use crate::limits::Limits;
use crate::model::Implementation;

fn config() -> ServerConfig {
    let capabilities = r#"{"tools":{"listChanged":true},"logging":{}}"#;
    ServerConfig::new(Implementation::new("s", "1"))
        .with_capabilities(serde_json::from_str(capabilities).unwrap())
        .with_limits(Limits {
            requests_in_progress: 2,
            pending_calls: 2,
            ..Limits::default()
        })
}

fn message(text: &str) -> Message {
    match parse(String::from(text).into_bytes().into(), &Limits::default()) {
        Ok(Incoming::Single(message)) => message,
        other => panic!("{text}: {other:?}"),
    }
}

fn receive(session: &mut LegacySession, text: &str) -> Received {
    session.receive(&config(), Time::ORIGIN, message(text))
}

fn reply(session: &mut LegacySession, text: &str) -> String {
    match receive(session, text) {
        Received::Respond(bytes) => String::from_utf8(bytes).unwrap(),
        other => panic!("{text}: {other:?}"),
    }
}

fn request(session: &mut LegacySession, text: &str) -> ClientRequest {
    match receive(session, text) {
        Received::Request(request) => request,
        other => panic!("{text}: {other:?}"),
    }
}

fn error_code(reply: &str) -> ErrorCode {
    match message(reply) {
        Message::Response(response) => response.outcome.unwrap_err().code,
        other => panic!("{other:?}"),
    }
}

fn initialize(version: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":0,"method":"initialize","params":{{"protocolVersion":"{version}","capabilities":{{"sampling":{{}}}},"clientInfo":{{"name":"c","version":"2"}}}}}}"#
    )
}

fn operating(revision: Revision) -> LegacySession {
    let mut session = LegacySession::new(&config());
    reply(&mut session, &initialize(revision.as_str()));
    let opened = receive(
        &mut session,
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
    );
    assert!(matches!(opened, Received::Happened(Happening::Opened)));
    session
}

fn legacy() -> impl Iterator<Item = Revision> {
    Revision::ALL.into_iter().filter(|revision| revision.has_initialize())
}

#[test]
fn initialize_is_answered_in_the_revision_asked_for() {
    for revision in legacy() {
        let mut session = LegacySession::new(&config());
        assert_eq!(
            reply(&mut session, &initialize(revision.as_str())),
            format!(
                concat!(
                    r#"{{"jsonrpc":"2.0","id":0,"result":{{"protocolVersion":"{}","#,
                    r#""capabilities":{{"tools":{{"listChanged":true}},"logging":{{}}}},"#,
                    r#""serverInfo":{{"name":"s","version":"1"}}}}}}"#
                ),
                revision
            )
        );
        assert_eq!(session.revision(), Some(revision));
    }
    let mut session = LegacySession::new(&config());
    assert!(reply(&mut session, &initialize("2030-01-01")).contains(r#""protocolVersion":"2025-11-25""#));
}

#[test]
fn a_bad_initialize_is_invalid_params_and_may_be_repeated() {
    let mut session = LegacySession::new(&config());
    for params in [r#"{}"#, r#"{"protocolVersion":5}"#, "null"] {
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"initialize","params":{params}}}"#);
        assert_eq!(
            error_code(&reply(&mut session, &text)),
            ErrorCode::INVALID_PARAMS,
            "{params}"
        );
    }
    let lenient =
        r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":[]}}"#;
    assert!(
        reply(&mut session, lenient).contains("2025-06-18"),
        "the rest is taken as it is"
    );
}

#[test]
fn a_modern_server_names_its_versions_to_a_legacy_client() {
    let config = config().with_revisions(&[Revision::V2026_07_28]);
    let mut session = LegacySession::new(&config);
    let Received::Respond(answer) = session.receive(&config, Time::ORIGIN, message(&initialize("2025-11-25"))) else {
        panic!()
    };
    let answer = String::from_utf8(answer).unwrap();
    assert!(
        answer.contains(r#""data":{"supported":["2026-07-28"],"requested":"2025-11-25"}"#),
        "{answer}"
    );
}

#[test]
fn requests_before_initialize_are_refused_and_pings_are_answered() {
    let mut session = LegacySession::new(&config());
    let refused = reply(&mut session, r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#);
    assert_eq!(error_code(&refused), ErrorCode::INVALID_REQUEST);
    assert!(refused.contains("not initialized"), "{refused}");
    assert_eq!(
        reply(&mut session, r#"{"jsonrpc":"2.0","id":"p","method":"ping"}"#),
        r#"{"jsonrpc":"2.0","id":"p","result":{}}"#
    );
    let early = receive(
        &mut session,
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
    );
    assert!(matches!(early, Received::Nothing));
}

#[test]
fn requests_before_the_initialized_notification_are_served() {
    let mut session = LegacySession::new(&config());
    reply(&mut session, &initialize("2025-11-25"));
    let request = request(&mut session, r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#);
    assert!(
        session
            .respond(&config(), request.token, Ok(ResultBody::EMPTY))
            .is_some()
    );
}

#[test]
fn initialize_is_refused_the_second_time() {
    let mut session = operating(Revision::V2025_03_26);
    let refused = reply(&mut session, &initialize("2025-11-25"));
    assert_eq!(error_code(&refused), ErrorCode::INVALID_REQUEST);
    assert_eq!(session.revision(), Some(Revision::V2025_03_26));
}

#[test]
fn methods_out_of_era_are_not_found() {
    for revision in legacy() {
        let mut session = operating(revision);
        for method in [
            "server/discover",
            "subscriptions/listen",
            "tasks/update",
            "sampling/createMessage",
        ] {
            let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{}}}}"#);
            assert_eq!(
                error_code(&reply(&mut session, &text)),
                ErrorCode::METHOD_NOT_FOUND,
                "{revision} {method}"
            );
        }
        let extension = request(&mut session, r#"{"jsonrpc":"2.0","id":1,"method":"com.example/x"}"#);
        assert_eq!(extension.method.as_str(), "com.example/x");
        drop(extension.token);
    }
}

#[test]
fn a_request_comes_with_what_is_known() {
    let mut session = operating(Revision::V2025_06_18);
    let text = r#"{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"t","arguments":{"x": 1},"_meta":{"progressToken":7,"k":1}}}"#;
    let request = request(&mut session, text);
    assert_eq!(request.text.as_str(), text);
    assert_eq!(request.called.name.as_deref(), Some(&b"t"[..]));
    assert_eq!(request.called.arguments.unwrap().as_str(), r#"{"x": 1}"#);
    let context = request.context;
    assert_eq!(context.revision(), Revision::V2025_06_18);
    assert_eq!(context.client_info().unwrap().version, "2");
    assert_eq!(context.progress_token(), Some(&Id::from(7)));
    assert_eq!(context.meta().unwrap().as_str(), r#"{"progressToken":7,"k":1}"#);
    let answer = session
        .respond(&config(), request.token, Err(ErrorObject::internal("no")))
        .unwrap();
    assert_eq!(
        answer,
        br#"{"jsonrpc":"2.0","id":"a","error":{"code":-32603,"message":"no"}}"#
    );
    assert_eq!(session.requests_in_progress(), 0);
}

/// lessons 11: an id that is in use twice makes some servers lose one of the answers.
#[test]
fn a_duplicate_id_is_refused_and_the_first_request_unharmed() {
    let mut session = operating(Revision::V2025_11_25);
    let first = request(&mut session, r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#);
    let refused = reply(&mut session, r#"{"jsonrpc":"2.0","id":1.0,"method":"tools/list"}"#);
    assert_eq!(error_code(&refused), ErrorCode::INVALID_REQUEST);
    assert_eq!(session.counters().duplicate_requests, 1);
    let other = request(&mut session, r#"{"jsonrpc":"2.0","id":"1","method":"tools/list"}"#);
    let third = reply(&mut session, r#"{"jsonrpc":"2.0","id":3,"method":"tools/list"}"#);
    assert_eq!(error_code(&third), ErrorCode::INTERNAL_ERROR, "at most two in progress");
    assert!(session.respond(&config(), other.token, Ok(ResultBody::EMPTY)).is_some());
    assert!(session.respond(&config(), first.token, Ok(ResultBody::EMPTY)).is_some());
}

/// lessons 7: a cancelled request was answered anyway.
#[test]
fn a_cancelled_request_is_not_answered() {
    let mut session = operating(Revision::V2025_11_25);
    let asked = request(&mut session, r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#);
    let key = asked.token.key();
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"reason":"tired"}}"#;
    match receive(&mut session, cancel) {
        Received::Happened(Happening::Cancelled { key: cancelled, reason }) => {
            assert_eq!((Some(cancelled), reason.as_deref()), (key, Some("tired")));
        }
        other => panic!("{other:?}"),
    }
    // The id is free again, and the late answer of the first request must not become that of the second.
    let again = request(&mut session, r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#);
    assert_eq!(session.respond(&config(), asked.token, Ok(ResultBody::EMPTY)), None);
    assert!(session.respond(&config(), again.token, Ok(ResultBody::EMPTY)).is_some());
    for stray in [
        cancel,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"0"}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":[]}}"#,
    ] {
        assert!(matches!(receive(&mut session, stray), Received::Nothing), "{stray}");
    }
    assert_eq!(session.counters().stray_cancellations, 4);
}

#[test]
fn the_log_level_is_the_clients() {
    let mut session = operating(Revision::V2025_11_25);
    let level = |session: &mut LegacySession| {
        let request = request(session, r#"{"jsonrpc":"2.0","id":9,"method":"tools/list"}"#);
        let level = request.context.log_level;
        session
            .respond(&config(), request.token, Ok(ResultBody::EMPTY))
            .unwrap();
        level
    };
    assert_eq!(level(&mut session), Some(DEFAULT_SEVERITY));
    let set = r#"{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"error"}}"#;
    let asked = request(&mut session, set);
    session.respond(&config(), asked.token, Ok(ResultBody::EMPTY)).unwrap();
    assert_eq!(level(&mut session), Some(4));
    let unknown = reply(&mut session, &set.replace("error", "loud"));
    assert_eq!(error_code(&unknown), ErrorCode::INVALID_PARAMS);
    assert_eq!(level(&mut session), Some(4));
    let quiet = ServerConfig::new(Implementation::new("s", "1"));
    match session.receive(&quiet, Time::ORIGIN, message(set)) {
        Received::Respond(answer) => {
            assert_eq!(
                error_code(core::str::from_utf8(&answer).unwrap()),
                ErrorCode::METHOD_NOT_FOUND
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn calls_wait_for_initialized_and_are_settled_once() {
    let mut session = LegacySession::new(&config());
    let options = CallOptions::new().with_progress();
    let call =
        |session: &mut LegacySession| session.call(&config(), Method::CreateMessage, Params::NONE, options.clone());
    let ping =
        |session: &mut LegacySession| session.call(&config(), Method::Ping, Params::NONE, CallOptions::default());
    assert!(matches!(call(&mut session), Err(SendError::Blocked(_))));
    assert!(
        matches!(ping(&mut session), Err(SendError::Blocked(_))),
        "the client may be a modern one"
    );
    let _ = receive(&mut session, &initialize("2025-11-25"));
    assert!(matches!(call(&mut session), Err(SendError::Blocked(_))));
    let (early, _) = ping(&mut session).unwrap();
    session.cancel(early, None).unwrap();

    let mut session = operating(Revision::V2025_11_25);
    let (first, text) = call(&mut session).unwrap();
    assert_eq!(
        String::from_utf8(text).unwrap(),
        r#"{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":{"_meta":{"progressToken":1}}}"#
    );
    let (second, _) = call(&mut session).unwrap();
    assert_eq!(call(&mut session).unwrap_err(), SendError::TooManyCalls);
    let progress = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}"#;
    let reported = receive(&mut session, progress);
    assert!(matches!(reported, Received::Happened(Happening::Progress { call, .. }) if call == first));
    let answer = r#"{"jsonrpc":"2.0","id":1,"result":{"x":1}}"#;
    match receive(&mut session, answer) {
        Received::Happened(Happening::Reply { call, outcome }) => {
            assert_eq!((call, outcome.unwrap().as_str()), (first, r#"{"x":1}"#));
        }
        other => panic!("{other:?}"),
    }
    let cancellation = String::from_utf8(session.cancel(second, Some("why")).unwrap()).unwrap();
    assert!(
        cancellation.ends_with(r#""params":{"requestId":2,"reason":"why"}}"#),
        "{cancellation}"
    );
    assert_eq!(session.cancel(second, None), None);
    for stray in [answer, r#"{"jsonrpc":"2.0","id":2,"error":{"code":1,"message":""}}"#] {
        assert!(matches!(receive(&mut session, stray), Received::Nothing));
    }
    for unknown in [
        r#"{"jsonrpc":"2.0","id":"1","result":{}}"#,
        r#"{"jsonrpc":"2.0","error":{"code":1,"message":""}}"#,
    ] {
        assert!(matches!(receive(&mut session, unknown), Received::Nothing));
    }
    assert!(matches!(receive(&mut session, progress), Received::Nothing));
    let counters = session.counters();
    assert_eq!(
        (counters.late_replies, counters.unknown_replies, counters.stray_progress),
        (2, 1, 1)
    );
}

#[test]
fn a_call_that_is_not_answered_times_out_and_is_cancelled() {
    let mut session = operating(Revision::V2025_11_25);
    let options = CallOptions::new().with_timeout(Duration::from_secs(5));
    let (call, _) = session
        .call(&config(), Method::Ping, Params::NONE, options.clone())
        .unwrap();
    let at = |seconds| Time::since_origin(Duration::from_secs(seconds));
    assert_eq!(session.poll_timeout(), Some(Time::ORIGIN), "armed by the first drain");
    assert!(session.handle_timeout(at(100)).is_none());
    assert_eq!(session.poll_timeout(), Some(at(105)));
    let (expired, error, text) = session.handle_timeout(at(106)).unwrap();
    let text = text.unwrap();
    assert_eq!(expired, call);
    assert!(matches!(error, CallError::Timeout { after, .. } if after == Duration::from_secs(6)));
    assert!(text.starts_with(br#"{"jsonrpc":"2.0","method":"notifications/cancelled""#));
    assert!(session.handle_timeout(at(107)).is_none());
    assert_eq!(session.poll_timeout(), None);
}

#[test]
fn what_is_not_ours_to_send_is_refused_here() {
    let mut session = operating(Revision::V2025_03_26);
    let options = CallOptions::default();
    let mut call = |method: Method| {
        session
            .call(&config(), method, Params::NONE, options.clone())
            .unwrap_err()
    };
    assert!(
        matches!(call(Method::Elicit), SendError::OutOfEra { .. }),
        "not in that revision"
    );
    assert!(
        matches!(call(Method::CallTool), SendError::OutOfEra { .. }),
        "a client's request"
    );
    assert!(
        matches!(call(Method::ListRoots), SendError::NotSupported { .. }),
        "not declared by the client"
    );
    let notify = |method: &str| session.notify(&config(), method, Params::NONE);
    assert!(matches!(
        notify("notifications/prompts/list_changed"),
        Err(SendError::NotSupported { .. })
    ));
    assert!(matches!(
        notify("notifications/subscriptions/acknowledged"),
        Err(SendError::OutOfEra { .. })
    ));
    assert!(matches!(notify("tools/list"), Err(SendError::OutOfEra { .. })));
    assert_eq!(
        notify("notifications/tools/list_changed").unwrap().unwrap(),
        br#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#
    );
    assert!(notify("com.example/news").is_ok());
    let early = LegacySession::new(&config());
    let blocked = early.notify(&config(), "com.example/news", Params::NONE);
    assert!(matches!(blocked, Err(SendError::Blocked(_))));
}

#[test]
fn a_closed_session_is_silent() {
    let mut session = operating(Revision::V2025_11_25);
    let asked = request(&mut session, r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#);
    let (call, _) = session
        .call(&config(), Method::Ping, Params::NONE, CallOptions::default())
        .unwrap();
    assert_eq!(session.close().collect::<Vec<_>>(), vec![call]);
    assert_eq!(session.respond(&config(), asked.token, Ok(ResultBody::EMPTY)), None);
    for text in [
        &initialize("2025-11-25"),
        r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
    ] {
        assert!(matches!(receive(&mut session, text), Received::Nothing), "{text}");
    }
    let notified = session.notify(&config(), Method::ToolListChangedNotification, Params::NONE);
    assert!(matches!(notified, Err(SendError::Closed(_))));
}
