//! The modern era: every status that the specification names.

use super::*;

const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"c","version":"1"},"io.modelcontextprotocol/clientCapabilities":{"roots":{}}}"#;

fn message(method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":"r","method":"{method}","params":{{{params}}}}}"#)
}

/// A request in order: with `_meta` and the headers of its method and name.
fn modern(method: &str, name: Option<&str>, params: &str) -> Request<Bytes> {
    let params = match params {
        "" => META.to_string(),
        params => format!("{params},{META}"),
    };
    with_headers(
        &[("mcp-method", method), ("mcp-name", name.unwrap_or(""))],
        &message(method, &params),
    )
}

fn with_headers(headers: &[(&str, &str)], body: &str) -> Request<Bytes> {
    let mut all = alloc::vec![("mcp-protocol-version", "2026-07-28")];
    all.retain(|(name, _)| !headers.iter().any(|(other, _)| other == name));
    all.extend(headers);
    post(&all, body)
}

pub(super) fn call(name: &str) -> Request<Bytes> {
    modern(
        "tools/call",
        Some(name),
        &format!(r#""name":"{name}","arguments":{{"x":1}}"#),
    )
}

#[test]
fn an_answer_that_is_ready_at_once() {
    let mut world = World::new();
    let mut open = world.send(call("echo"));
    let head = open.head(world.now).unwrap();
    let Open::Exchange(exchange) = &open else { panic!() };
    let length = exchange.body_length().unwrap();
    let (body, ended) = open.body(world.now);
    assert!(ended);
    assert_eq!((head.status.as_u16(), length), (200, body.len()));
    let answer: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(answer["result"]["echo"]["x"], 1);
    assert_eq!(answer["result"]["resultType"], "complete");
    assert_eq!(answer["id"], "r");
    assert!(head.headers.get("mcp-session-id").is_none());
    assert!(
        world.upkeep.is_none() && world.endpoint.sessions() == 0,
        "nothing is kept"
    );
}

#[test]
fn what_is_said_before_the_answer_makes_a_stream_in_one_piece() {
    let mut world = World::new();
    let answer = world.call(call("talk"));
    assert_eq!(answer.content_type(), "text/event-stream");
    assert!(
        answer
            .body
            .starts_with("data: {\"step\":1}\n\ndata: {\"step\":2}\n\ndata: {\"step\":3}\n\ndata: {")
    );
    assert_eq!(answer.body.matches("data: ").count(), 4);
}

#[test]
fn statuses() {
    let mut world = World::new();
    let list = message("tools/list", META);
    let version = |version: &str| list.replace("2026-07-28", version);
    let method = ("mcp-method", "tools/list");
    for (what, request, status, code) in [
        (
            "no meta",
            with_headers(&[method], &message("tools/list", "")),
            400,
            -32602,
        ),
        (
            "no version in meta",
            with_headers(
                &[method],
                &message(
                    "tools/list",
                    r#""_meta":{"io.modelcontextprotocol/clientCapabilities":{}}"#,
                ),
            ),
            400,
            -32602,
        ),
        (
            "no capabilities in meta",
            with_headers(
                &[method],
                &message(
                    "tools/list",
                    r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#,
                ),
            ),
            400,
            -32602,
        ),
        (
            "no version header",
            with_headers(&[method, ("mcp-protocol-version", "")], &list),
            400,
            -32020,
        ),
        (
            "another version header",
            with_headers(&[method, ("mcp-protocol-version", "2025-11-25")], &list),
            400,
            -32020,
        ),
        (
            "another version in meta",
            with_headers(&[method], &version("v999.0.0")),
            400,
            -32020,
        ),
        (
            "an unknown version",
            with_headers(&[method, ("mcp-protocol-version", "v999.0.0")], &version("v999.0.0")),
            400,
            -32022,
        ),
        (
            "a version without meta",
            with_headers(
                &[method, ("mcp-protocol-version", "2025-11-25")],
                &version("2025-11-25"),
            ),
            400,
            -32022,
        ),
        ("no method header", with_headers(&[], &list), 400, -32020),
        (
            "another method header",
            with_headers(&[("mcp-method", "TOOLS/LIST")], &list),
            400,
            -32020,
        ),
        ("a removed method", modern("ping", None, ""), 404, -32601),
        ("initialize", modern("initialize", None, ""), 404, -32601),
        ("set level", modern("logging/setLevel", None, ""), 404, -32601),
        ("subscribe", modern("resources/subscribe", None, ""), 404, -32601),
        ("an unknown method", modern("unknown/method", None, ""), 404, -32601),
        (
            "an unknown method without meta",
            with_headers(&[("mcp-method", "a/b")], &message("a/b", "")),
            404,
            -32601,
        ),
        (
            "no name header",
            modern("tools/call", None, r#""name":"echo""#),
            400,
            -32020,
        ),
        (
            "another name header",
            modern("tools/call", Some("other"), r#""name":"echo""#),
            400,
            -32020,
        ),
        ("a capability that lacks", call("need"), 400, -32021),
        (
            "a capability that lacks, on a stream that has not begun",
            call("need"),
            400,
            -32021,
        ),
        (
            "a parameter header that lacks",
            modern(
                "tools/call",
                Some("annotated"),
                r#""name":"annotated","arguments":{"value":"x"}"#,
            ),
            400,
            -32020,
        ),
    ] {
        let answer = world.call(request);
        assert_eq!(
            (answer.status(), answer.code()),
            (status, code),
            "{what}: {}",
            answer.body
        );
        assert_eq!(answer.json()["id"], "r", "{what}");
        assert_eq!(answer.content_type(), "application/json", "{what}");
    }
    assert_eq!(world.running(), 0);
}

#[test]
fn an_unsupported_version_is_told_which_are_supported() {
    let mut world = World::new();
    let body = message("tools/list", META).replace("2026-07-28", "v999.0.0");
    let answer = world.call(with_headers(
        &[("mcp-method", "tools/list"), ("mcp-protocol-version", "v999.0.0")],
        &body,
    ));
    let data = &answer.json()["error"]["data"];
    assert_eq!(data["requested"], "v999.0.0");
    assert!(data["supported"].as_array().unwrap().contains(&"2026-07-28".into()));
}

#[test]
fn what_is_in_order_passes() {
    let mut world = World::new();
    let annotated = |value: &str, header: &str| {
        let params = format!(r#""name":"annotated","arguments":{{"value":{value}}},{META}"#);
        let headers = [
            ("mcp-method", "tools/call"),
            ("mcp-name", "annotated"),
            ("mcp-param-value", header),
        ];
        with_headers(&headers, &message("tools/call", &params))
    };
    for request in [
        modern("server/discover", None, ""),
        modern("tools/list", None, ""),
        with_headers(
            &[("mcp-method", "tools/call"), ("mcp-name", "  echo ")],
            &message("tools/call", &format!(r#""name":"echo","arguments":{{}},{META}"#)),
        ),
        with_headers(
            &[("mcp-method", "tools/list"), ("mcp-session-id", "whatever")],
            &message("tools/list", META),
        ),
        annotated("\"Hello\"", "=?base64?SGVsbG8=?="),
        annotated("null", ""),
    ] {
        let answer = world.call(request);
        assert_eq!(answer.status(), 200, "{}", answer.body);
        assert!(answer.json().get("result").is_some());
        assert!(answer.head.headers.get("mcp-session-id").is_none());
    }
}

#[test]
fn notifications_are_accepted_and_responses_are_not() {
    let mut world = World::new();
    let headers = [("mcp-method", "notifications/cancelled")];
    let notification = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
    let answer = world.call(with_headers(&headers, notification));
    assert_eq!((answer.status(), answer.body.as_str()), (202, ""));
    let answer = world.call(with_headers(&[], r#"{"jsonrpc":"2.0","id":1,"result":{}}"#));
    assert_eq!((answer.status(), answer.code()), (400, -32600));
    let answer = world.call(with_headers(&[], r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#));
    assert_eq!((answer.status(), answer.code()), (400, -32600));
}

#[test]
fn hanging_up_cancels_the_handler() {
    let mut world = World::new();
    for tool in ["wait", "talk and wait"] {
        let mut open = world.send(call(tool));
        let _ = open.head(world.now);
        assert_eq!(world.running(), 1);
        drop(open);
        assert_eq!(world.running(), 0, "{tool}");
    }
    assert!(world.upkeep.is_none());
}

#[test]
fn the_forms_of_an_answer() {
    for (form, accept, content_type) in [
        (
            ReplyForm::Json,
            "application/json, text/event-stream",
            "application/json",
        ),
        (
            ReplyForm::Sse,
            "application/json, text/event-stream",
            "text/event-stream",
        ),
        (ReplyForm::Sse, "application/json", "application/json"),
        (ReplyForm::Json, "text/event-stream", "text/event-stream"),
    ] {
        let mut world = World::with(HttpConfig::default().reply(form), Limits::default(), &Revision::ALL);
        let mut request = call("echo");
        request.headers_mut().insert("accept", accept.parse().unwrap());
        let answer = world.call(request);
        assert_eq!((answer.status(), answer.content_type()), (200, content_type));
    }
}

#[test]
fn a_client_without_streams_gets_the_answer_alone() {
    let mut world = World::new();
    let mut request = call("talk");
    request
        .headers_mut()
        .insert("accept", "application/json".parse().unwrap());
    assert_eq!(world.call(request).json()["result"]["said"], 3);
}

#[test]
fn the_server_makes_no_requests() {
    let mut world = World::new();
    let answer = world.call(call("ask"));
    assert_eq!((answer.status(), answer.code()), (200, -32603));
    assert_eq!(answer.content_type(), "application/json");
}

#[test]
fn a_reader_that_stops_stops_the_handler() {
    let limits = Limits {
        outbox_bytes: 10_000,
        ..Limits::default()
    };
    let mut world = World::with(HttpConfig::default(), limits, &Revision::ALL);
    let mut open = world.send(call("flood"));
    assert!(open.head(world.now).is_some());
    let Open::Exchange(exchange) = &mut open else { panic!() };
    let mut sizes = Vec::new();
    while let Poll::Ready(Some(bytes)) = exchange.poll_frame(&mut noop(), world.now) {
        sizes.push(bytes.len());
    }
    assert!(sizes.iter().all(|size| *size < 12_000), "{sizes:?}");
    assert!(sizes.iter().sum::<usize>() > 100_000);
    assert!(exchange.poll_frame(&mut noop(), world.now) == Poll::Ready(None));
}

#[test]
fn a_subscription_is_acknowledged_and_told_what_it_asked_for() {
    let mut world = World::new();
    let mut open = world.send(modern(
        "subscriptions/listen",
        None,
        r#""notifications":{"toolsListChanged":true}"#,
    ));
    let answer = open.read(world.now);
    assert_eq!(
        (answer.status(), answer.content_type(), answer.ended),
        (200, "text/event-stream", false)
    );
    assert!(answer.body.contains("notifications/subscriptions/acknowledged"));
    world.announce(Method::PromptListChangedNotification);
    assert_eq!(open.body(world.now), (String::new(), false));
    world.announce(Method::ToolListChangedNotification);
    let (body, ended) = open.body(world.now);
    assert!(
        body.contains("notifications/tools/list_changed")
            && body.contains(r#""io.modelcontextprotocol/subscriptionId":"r""#)
    );
    assert!(!ended);
    world.endpoint.close();
    let (body, ended) = open.body(world.now);
    assert_eq!(body.matches("data: ").count(), 1, "the response alone: {body}");
    assert!(
        body.contains(r#""id":"r","result":{"resultType":"complete""#) && ended,
        "{body}"
    );
    assert_eq!(world.call(call("echo")).status(), 503);
}

#[test]
fn a_subscription_needs_a_stream_and_ends_with_its_client() {
    let mut world = World::with(
        HttpConfig::default(),
        Limits {
            sessions: 1,
            ..Limits::default()
        },
        &Revision::ALL,
    );
    let listen = || modern("subscriptions/listen", None, r#""notifications":{}"#);
    let mut request = listen();
    request
        .headers_mut()
        .insert("accept", "application/json".parse().unwrap());
    assert_eq!(world.call(request).status(), 406);
    let open = world.send(listen());
    assert_eq!(world.call(listen()).status(), 503);
    drop(open);
    assert_eq!(world.send(listen()).read(world.now).status(), 200);
}

#[test]
fn subscriptions_are_bounded_in_bytes_and_by_principal() {
    let listen = |principal: &str| {
        let uri = "x".repeat(700);
        let what = format!(r#""notifications":{{"resourceSubscriptions":["{uri}"]}}"#);
        let mut request = modern("subscriptions/listen", None, &what);
        request.extensions_mut().insert(Principal::new(principal));
        request
    };
    let limits = Limits {
        total_bytes: 3_000,
        sessions_per_principal: 2,
        ..Limits::default()
    };
    let mut world = World::with(HttpConfig::default(), limits, &Revision::ALL);
    let first = world.send(listen("a"));
    let second = world.send(listen("a"));
    assert_eq!(world.call(listen("a")).status(), 429);
    let third = world.send(listen("b"));
    assert_eq!(world.call(listen("b")).status(), 503);
    drop((first, second));
    let mut again = world.send(listen("a"));
    assert_eq!(again.read(world.now).status(), 200);
    drop((again, third));
}

#[test]
fn a_silent_stream_is_kept_open() {
    let mut world = World::new();
    let mut open = world.send(call("talk and wait"));
    assert!(!open.read(world.now).ended);
    let Open::Exchange(exchange) = &open else { panic!() };
    assert_eq!(exchange.poll_timeout(), Some(world.now + Duration::from_secs(15)));
    world.pass(Duration::from_secs(15));
    assert_eq!(open.body(world.now), (":\n\n".into(), false));
    world.open_gate();
    let (body, ended) = open.body(world.now);
    assert!(body.starts_with("data: {") && ended);
}

#[test]
fn legacy_clients_of_a_modern_server_are_told_the_versions() {
    let mut world = World::with(HttpConfig::default(), Limits::default(), &[Revision::V2026_07_28]);
    for (headers, code) in [(&[][..], -32020), (&[("mcp-protocol-version", "2025-11-25")], -32022)] {
        let answer = world.call(post(headers, &initialize("2025-11-25")));
        assert_eq!((answer.status(), answer.code()), (400, code));
        assert_eq!(answer.json()["error"]["data"]["supported"][0], "2026-07-28");
    }
    for method in ["GET", "DELETE"] {
        assert_eq!(
            world.call(request(method, &[("mcp-session-id", "x")], "")).status(),
            405
        );
    }
    assert_eq!(world.call(call("echo")).status(), 200);
}
