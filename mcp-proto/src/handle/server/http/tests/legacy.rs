//! The legacy era: handshake, sessions, requests of the server, cancellation, batches.

use core::cell::Cell;
use core::future::Future;

use super::*;
use crate::handle::count::Count;
use crate::model::Tool;

#[test]
fn initialize_begins_a_session() {
    for revision in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let mut world = World::new();
        let answer = world.call(post(&[], &initialize(revision)));
        assert_eq!((answer.status(), answer.content_type()), (200, "application/json"));
        assert_eq!(answer.json()["result"]["protocolVersion"], revision);
        let id = &answer.head.headers["mcp-session-id"];
        assert!(id.as_bytes().iter().all(|byte| (0x21..=0x7e).contains(byte)));
        assert_eq!(world.endpoint.sessions(), 1);
        assert!(world.upkeep.is_some());
    }
}

#[test]
fn an_initialize_that_fails_begins_none() {
    let mut world = World::new();
    let answer = world.call(post(
        &[],
        r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#,
    ));
    assert_eq!(answer.code(), -32602);
    assert!(answer.head.headers.get("mcp-session-id").is_none());
    assert_eq!(world.endpoint.sessions(), 0);
}

#[test]
fn a_session_serves_requests() {
    for revision in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let mut world = World::new();
        let client = world.session(revision);
        let answer = world.call(client.tool(1, "echo"));
        assert_eq!(answer.body, r#"{"jsonrpc":"2.0","id":1,"result":{"echo":{"x":1}}}"#);
        let ping = world.call(client.post(r#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#));
        assert_eq!(ping.body, r#"{"jsonrpc":"2.0","id":2,"result":{}}"#);
        let changed = world.call(client.post(r#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}"#));
        assert_eq!((changed.status(), changed.body.as_str()), (202, ""));
        assert_eq!(
            *world.app.notified.lock().unwrap(),
            ["notifications/roots/list_changed"]
        );
        // An error of a handler is an answer like any other in this era.
        let unknown = world.call(client.post(r#"{"jsonrpc":"2.0","id":"x","method":"unknown/method"}"#));
        assert_eq!((unknown.status(), unknown.code()), (200, -32601));
    }
}

#[test]
fn statuses_of_a_session() {
    let mut world = World::new();
    let client = world.session("2025-11-25");
    let list = r#"{"jsonrpc":"2.0","id":7,"method":"tools/list"}"#;
    let session = ("mcp-session-id", client.id.as_str());
    let version = |version| [session, ("mcp-protocol-version", version)];
    for (what, request, status) in [
        ("no session id", post(&[], list), 400),
        ("an unknown session id", post(&[("mcp-session-id", "x")], list), 404),
        (
            "an unknown id of the right form",
            post(&[("mcp-session-id", &"A".repeat(32))], list),
            404,
        ),
        ("two session ids", post(&[session, session], list), 400),
        ("no version", post(&[session], list), 200),
        ("the version agreed on", post(&version("2025-11-25"), list), 200),
        ("another version", post(&version("2025-06-18"), list), 400),
        ("an unknown version", post(&version("1.0"), list), 400),
        ("a batch", client.post(&format!("[{list}]")), 400),
        ("a second initialize", client.post(&initialize("2025-11-25")), 200),
        (
            "a notification without a session",
            post(&[], r#"{"jsonrpc":"2.0","method":"a/b"}"#),
            400,
        ),
        (
            "a response to nothing",
            client.post(r#"{"jsonrpc":"2.0","id":99,"result":{}}"#),
            202,
        ),
        ("GET without a session", request("GET", &[], ""), 400),
        (
            "GET of an unknown session",
            request("GET", &[("mcp-session-id", "x")], ""),
            404,
        ),
        (
            "GET without event streams",
            request("GET", &[session, ("accept", "application/json")], ""),
            406,
        ),
        (
            "GET of another version",
            request("GET", &version("2025-03-26"), ""),
            400,
        ),
        ("DELETE without a session", request("DELETE", &[], ""), 400),
        (
            "DELETE of an unknown session",
            request("DELETE", &[("mcp-session-id", "x")], ""),
            404,
        ),
        (
            "DELETE of another version",
            request("DELETE", &version("2025-03-26"), ""),
            400,
        ),
        ("PUT", request("PUT", &client.headers(), ""), 405),
    ] {
        let answer = world.call(request);
        assert_eq!(answer.status(), status, "{what}: {}", answer.body);
        if status >= 400 {
            assert!(answer.json()["error"]["code"].is_i64(), "{what}");
        }
    }
    assert_eq!(world.endpoint.sessions(), 1);
}

#[test]
fn errors_carry_the_id_of_the_request() {
    let mut world = World::new();
    let list = r#"{"jsonrpc":"2.0","id":7,"method":"tools/list"}"#;
    assert_eq!(world.call(post(&[], list)).json()["id"], 7);
    assert_eq!(world.call(post(&[("mcp-session-id", "x")], list)).json()["id"], 7);
    assert!(world.call(post(&[], "nonsense")).json()["id"].is_null());
}

#[test]
fn requests_of_the_server_go_out_on_the_stream_and_are_answered_by_another_post() {
    let mut world = World::new();
    let client = world.session("2025-11-25");
    let mut open = world.send(client.tool(1, "ask"));
    let asked = open.read(world.now);
    assert_eq!(
        (asked.status(), asked.content_type(), asked.ended),
        (200, "text/event-stream", false)
    );
    assert!(asked.body.contains(r#""method":"roots/list""#), "{}", asked.body);
    let question: serde_json::Value = serde_json::from_str(asked.body.trim().strip_prefix("data: ").unwrap()).unwrap();
    let reply = format!(r#"{{"jsonrpc":"2.0","id":{},"result":{{"roots":[]}}}}"#, question["id"]);
    assert_eq!(world.call(client.post(&reply)).status(), 202);
    let (body, ended) = open.body(world.now);
    assert!(ended && body.contains(r#""result":{"roots":{"roots":[]}}"#), "{body}");
    // The same answer again is late, and no fault.
    assert_eq!(world.call(client.post(&reply)).status(), 202);
}

#[test]
fn an_answer_in_another_session_settles_nothing() {
    let mut world = World::new();
    let (alice, mallory) = (world.session("2025-11-25"), world.session("2025-11-25"));
    let mut open = world.send(alice.tool(1, "ask"));
    assert!(!open.read(world.now).ended);
    let forged = r#"{"jsonrpc":"2.0","id":1,"result":{"roots":["forged"]}}"#;
    assert_eq!(world.call(mallory.post(forged)).status(), 202);
    assert_eq!(open.body(world.now), (String::new(), false));
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
    assert_eq!(world.call(mallory.post(cancel)).status(), 202);
    assert_eq!(world.running(), 1);
}

#[test]
fn a_request_of_the_server_that_is_not_answered_times_out() {
    let mut world = World::new();
    let client = world.session("2025-11-25");
    let mut open = world.send(client.tool(1, "ask"));
    assert!(!open.read(world.now).ended);
    let Open::Exchange(exchange) = &open else { panic!() };
    let mut due = exchange.poll_timeout().unwrap();
    let (mut said, mut ended) = (String::new(), false);
    for _ in 0..20 {
        world.now = due;
        let (body, end) = open.body(world.now);
        (said, ended) = (said + &body, end);
        if ended {
            break;
        }
        let Open::Exchange(exchange) = &open else { panic!() };
        due = exchange.poll_timeout().unwrap();
    }
    assert!(
        ended && said.contains("notifications/cancelled") && said.contains("-32603"),
        "{said}"
    );
    assert_eq!(world.now, Time::ORIGIN + Duration::from_secs(60));
}

#[test]
fn a_client_is_asked_only_once_it_is_ready() {
    let mut world = World::new();
    let answer = world.call(post(&[], &initialize("2025-11-25")));
    let id = answer.head.headers["mcp-session-id"].to_str().unwrap().to_string();
    let client = Client {
        id,
        version: "2025-11-25".into(),
    };
    let mut open = world.send(client.tool(1, "ask"));
    assert!(open.head(world.now).is_none());
    let initialized = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    assert_eq!(world.call(client.post(initialized)).status(), 202);
    assert!(open.read(world.now).body.contains("roots/list"));
}

#[test]
fn a_client_without_streams_cannot_be_asked() {
    let mut world = World::new();
    let client = world.session("2025-11-25");
    let mut request = client.tool(1, "ask");
    request
        .headers_mut()
        .insert("accept", "application/json".parse().unwrap());
    let answer = world.call(request);
    assert_eq!((answer.status(), answer.code()), (200, -32603));
}

#[test]
fn hanging_up_does_not_cancel_and_the_upkeep_runs_on() {
    let mut world = World::new();
    let client = world.session("2025-11-25");
    let mut open = world.send(client.tool(1, "talk and wait"));
    assert!(!open.read(world.now).ended);
    drop(open);
    world.keep();
    assert_eq!(world.running(), 1);
    // It is still in progress: its id is taken, and its session does not expire.
    assert_eq!(world.call(client.tool(1, "echo")).code(), -32600);
    world.pass(Duration::from_secs(59 * 60));
    assert_eq!(world.endpoint.sessions(), 1);
    world.open_gate();
    world.keep();
    assert_eq!(world.running(), 0);
    assert_eq!(world.call(client.tool(1, "echo")).status(), 200);
}

#[test]
fn a_handler_that_never_ends_does_not_keep_a_session_for_ever() {
    let mut world = World::new();
    let client = world.session("2025-11-25");
    let mut open = world.send(client.tool(1, "wait"));
    assert!(open.head(world.now).is_none());
    drop(open);
    world.keep();
    assert_eq!(world.running(), 1);
    // After the longest time that any call waits, it is given up, and its id is free.
    world.pass(Duration::from_secs(3600));
    assert_eq!((world.running(), world.endpoint.sessions()), (0, 1));
    assert_eq!(world.call(client.tool(1, "echo")).status(), 200);
    world.pass(Duration::from_secs(30 * 60));
    assert_eq!(world.endpoint.sessions(), 0);
}

/// A world with requests whose clients have hung up.
fn abandoned(names: &[&str], limits: Limits) -> (World, Client) {
    let mut world = World::with(HttpConfig::default(), limits, &Revision::ALL);
    let client = world.session("2025-11-25");
    for (id, name) in (1..).zip(names) {
        drop(world.send(client.tool(id, name)));
    }
    world.keep();
    (world, client)
}

#[test]
fn of_too_many_abandoned_requests_the_oldest_is_given_up() {
    let limits = Limits {
        abandoned_requests: 2,
        ..Limits::default()
    };
    let (mut world, client) = abandoned(&["wait", "wait", "wait"], limits);
    assert_eq!(world.running(), 2);
    let cancel =
        |id| format!(r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{id}}}}}"#);
    for (id, running) in [(1, 2), (2, 1), (3, 0)] {
        world.call(client.post(&cancel(id)));
        world.keep();
        assert_eq!(world.running(), running, "after the cancellation of {id}");
    }
    world.pass(Limits::default().session_idle);
    assert_eq!(world.endpoint.sessions(), 0, "they keep no session either");
}

#[test]
fn abandoned_requests_are_polled_when_they_are_woken() {
    let (mut world, client) = abandoned(&["wait", "wait", "wait"], Limits::default());
    // Each poll leaves a waker.
    let polls = |world: &World| world.app.gate.lock().unwrap().1.len();
    assert_eq!(polls(&world), 3);
    drop(world.send(client.tool(9, "wait")));
    world.keep();
    assert_eq!(polls(&world), 4);
    world.pass(Duration::from_secs(1));
    assert_eq!(polls(&world), 4);
    world.open_gate();
    world.keep();
    assert_eq!(world.running(), 0);
}

#[test]
fn an_abandoned_request_that_wakes_itself_leaves_the_turn_to_others() {
    let (mut world, _) = abandoned(&["spin", "wait"], Limits::default());
    world.open_gate();
    world.keep();
    assert_eq!(world.running(), 1);
    world.pass(Duration::from_secs(3600));
    world.pass(Limits::default().session_idle);
    assert_eq!((world.running(), world.endpoint.sessions()), (0, 0));
}

#[test]
fn a_cancelled_request_is_not_answered() {
    let mut world = World::new();
    let client = world.session("2025-11-25");
    let cancel =
        |id: u32| format!(r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{id}}}}}"#);
    let mut plain = world.send(client.tool(1, "wait"));
    assert!(plain.head(world.now).is_none());
    let mut stream = world.send(client.tool(2, "talk and wait"));
    assert!(!stream.read(world.now).ended);
    assert_eq!(world.running(), 2);
    for id in [1, 2, 3] {
        assert_eq!(world.call(client.post(&cancel(id))).status(), 202);
    }
    let answer = plain.read(world.now);
    assert_eq!((answer.status(), answer.body.as_str(), answer.ended), (200, "", true));
    assert_eq!(stream.body(world.now), (String::new(), true));
    assert_eq!(world.running(), 0);
    // An orphan is cancelled all the same.
    let mut orphan = world.send(client.tool(4, "wait"));
    assert!(orphan.head(world.now).is_none());
    drop(orphan);
    world.keep();
    assert_eq!(world.running(), 1);
    assert_eq!(world.call(client.post(&cancel(4))).status(), 202);
    world.keep();
    assert_eq!(world.running(), 0);
}

#[test]
fn the_task_of_an_exchange_is_woken_by_a_cancellation_and_an_answer() {
    let mut world = World::new();
    let client = world.session("2025-11-25");
    let count = Arc::new(Count::default());
    let waker = Waker::from(count.clone());
    let mut cx = Context::from_waker(&waker);
    let seen = Cell::new(0);
    let woken = || count.get() > seen.replace(count.get());

    let Open::Exchange(mut waiting) = world.send(client.tool(1, "wait")) else {
        panic!()
    };
    assert!(waiting.poll_head(&mut cx, world.now).is_pending() && !woken());
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
    world.call(client.post(cancel));
    assert!(woken() && waiting.poll_head(&mut cx, world.now).is_ready());

    let Open::Exchange(mut asking) = world.send(client.tool(2, "ask")) else {
        panic!()
    };
    assert!(asking.poll_head(&mut cx, world.now).is_ready());
    assert!(matches!(asking.poll_frame(&mut cx, world.now), Poll::Ready(Some(_))));
    assert!(asking.poll_frame(&mut cx, world.now).is_pending());
    let _ = woken();
    world.call(client.post(r#"{"jsonrpc":"2.0","id":1,"result":{"roots":[]}}"#));
    assert!(woken() && matches!(asking.poll_frame(&mut cx, world.now), Poll::Ready(Some(_))));

    let Open::Exchange(mut stream) = world.send(client.get()) else {
        panic!()
    };
    assert!(stream.poll_head(&mut cx, world.now).is_ready());
    assert!(stream.poll_frame(&mut cx, world.now).is_pending());
    let _ = woken();
    world.announce(Method::ToolListChangedNotification);
    assert!(woken() && matches!(stream.poll_frame(&mut cx, world.now), Poll::Ready(Some(_))));
    assert!(stream.poll_frame(&mut cx, world.now).is_pending());
    world.call(client.delete());
    assert!(woken() && matches!(stream.poll_frame(&mut cx, world.now), Poll::Ready(None)));

    let upkeep = world.upkeep.as_mut().unwrap();
    assert!(upkeep.poll(&mut cx, world.now).is_pending());
    let _ = woken();
    drop(world.app);
    drop((waiting, asking, stream, world.endpoint));
    assert!(woken() && upkeep.poll(&mut cx, world.now).is_ready());
}

#[test]
fn batches_belong_to_2025_03_26() {
    let mut world = World::new();
    let client = world.session("2025-03-26");
    let batch = format!(
        r#"[{},{{"jsonrpc":"2.0","method":"notifications/progress"}},{{"jsonrpc":"2.0","id":2,"method":"ping"}},{},5,{},{{"jsonrpc":"2.0","id":8,"result":{{}}}}]"#,
        tool(1, "echo"),
        tool(1, "echo"),
        initialize("2025-03-26"),
    );
    let answer = world.call(client.post(&batch));
    assert_eq!((answer.status(), answer.content_type()), (200, "application/json"));
    let answers = answer.json();
    let answers = answers.as_array().unwrap();
    assert_eq!(answers.len(), 5, "{}", answer.body);
    let of = |id: u64| answers.iter().filter(move |answer| answer["id"] == id);
    assert_eq!(of(1).filter(|answer| answer.get("result").is_some()).count(), 1);
    assert_eq!(
        of(1).filter(|answer| answer["error"]["code"] == -32600).count(),
        1,
        "the id is taken"
    );
    assert_eq!(of(2).count(), 1);
    assert_eq!(
        of(0).filter(|answer| answer["error"]["code"] == -32600).count(),
        1,
        "initialize in a batch"
    );
    assert_eq!(answers.iter().filter(|answer| answer["id"].is_null()).count(), 1);

    let mut open = world.send(client.post(&format!("[{},{}]", tool(1, "wait"), tool(2, "talk"))));
    let first = open.read(world.now);
    assert_eq!((first.content_type(), first.ended), ("text/event-stream", false));
    assert!(first.body.contains(r#""said":3"#));
    let cancel = r#"[{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}]"#;
    let answer = world.call(client.post(cancel));
    assert_eq!((answer.status(), answer.body.as_str()), (202, ""));
    assert_eq!(open.body(world.now), (String::new(), true));
    assert_eq!(world.running(), 0);
}

#[test]
fn a_handler_that_panics_answers_its_own_request_alone() {
    let mut world = World::new();
    let client = world.session("2025-11-25");
    let answer = world.call(client.tool(1, "panic"));
    assert_eq!(answer.status(), 200);
    assert!(answer.body.contains(r#""code":-32603"#), "{}", answer.body);
    assert!(!answer.body.contains("of this test"), "{}", answer.body);
    assert_eq!(world.running(), 0);
    assert_eq!(world.call(client.tool(1, "echo")).status(), 200);
}

#[test]
fn a_handler_that_panics_without_its_client_does_not_end_the_upkeep() {
    let mut world = World::new();
    let client = world.session("2025-11-25");
    let waiting = world.send(client.tool(1, "wait"));
    let panicking = world.send(client.tool(2, "panic"));
    drop((waiting, panicking));
    world.keep();
    assert_eq!(world.call(client.tool(3, "echo")).status(), 200);
    assert_eq!(world.running(), 1, "the other handler runs on");
    world.open_gate();
    world.keep();
    assert_eq!(world.running(), 0);
    world.pass(Limits::default().session_idle);
    assert_eq!(world.endpoint.sessions(), 0, "sessions expire as before");
}

#[test]
fn a_server_without_sessions_serves_each_post_on_its_own() {
    let stateless = HttpConfig::default().sessions(SessionPolicy::Stateless);
    let mut world = World::with(stateless, Limits::default(), &Revision::ALL);
    let answer = world.call(post(&[], &initialize("2025-11-25")));
    assert_eq!(answer.json()["result"]["protocolVersion"], "2025-11-25");
    assert!(answer.head.headers.get("mcp-session-id").is_none());
    let initialized = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    assert_eq!(world.call(post(&[], initialized)).status(), 202);
    for headers in [
        &[][..],
        &[("mcp-protocol-version", "2025-11-25")],
        &[("mcp-session-id", "ignored")],
    ] {
        assert_eq!(
            world.call(post(headers, &tool(1, "echo"))).json()["result"]["echo"]["x"],
            1
        );
    }
    assert_eq!(world.call(post(&[], &format!("[{}]", tool(1, "echo")))).status(), 200);
    assert_eq!(
        world
            .call(post(&[("mcp-protocol-version", "1.0")], &tool(1, "echo")))
            .status(),
        400
    );
    assert_eq!(world.call(request("GET", &[], "")).status(), 405);
    assert_eq!(world.endpoint.sessions(), 0);
    for body in [
        tool(1, "talk and wait"),
        format!("[{},{}]", tool(1, "wait"), tool(2, "talk")),
    ] {
        let holders = Arc::strong_count(&world.app);
        let mut open = world.send(post(&[], &body));
        assert!(!open.read(world.now).ended);
        drop(open);
        assert_eq!(world.running(), 0, "hanging up cancels");
        assert_eq!(Arc::strong_count(&world.app), holders, "nothing is left of it");
    }
    assert!(world.upkeep.is_none());
}

#[test]
fn a_request_that_is_answered_or_given_up_is_over_for_the_clones_of_its_context() {
    let contexts: Arc<Mutex<Vec<crate::handle::server::Context>>> = Arc::default();
    let kept = contexts.clone();
    let server = crate::handle::Server::builder("test", "1")
        .raw_tool(
            Tool::new("go", crate::model::Json::empty_object()),
            move |_, context| {
                kept.lock().unwrap().push(context);
                let is_first = kept.lock().unwrap().len() == 1;
                async move {
                    if !is_first {
                        core::future::pending::<()>().await;
                    }
                    Ok("gone")
                }
            },
        )
        .build();
    let mut world = World::new();
    world.endpoint = Endpoint::new(&server, HttpConfig::default());
    let client = world.session("2025-11-25");
    let open = world.send(client.tool(2, "go"));
    let Open::Exchange(mut exchange) = open else { panic!() };
    assert!(exchange.poll_head(&mut noop(), world.now).is_ready());
    let answered = contexts.lock().unwrap()[0].clone();
    assert!(Box::pin(answered.cancelled()).as_mut().poll(&mut noop()).is_ready());
    drop(world.send(client.tool(3, "go")));
    world.keep();
    let given_up = contexts.lock().unwrap()[1].clone();
    let mut cancelled = Box::pin(given_up.cancelled());
    assert!(cancelled.as_mut().poll(&mut noop()).is_pending());
    for _ in 0..100 {
        world.pass(Duration::from_secs(60));
    }
    assert!(cancelled.as_mut().poll(&mut noop()).is_ready());
}
