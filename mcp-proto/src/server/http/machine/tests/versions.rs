//! The version header, with everything that a client may send beside it.

use super::*;

/// What the header says.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Named {
    Absent,
    /// No header value of its kind: empty, not ASCII, or there twice.
    Malformed(&'static [&'static [u8]]),
    /// Of no revision that the server speaks.
    Unsupported(&'static str),
    Legacy(&'static str),
    Modern,
}

const NAMED: [Named; 13] = [
    Named::Absent,
    Named::Malformed(&[b""]),
    Named::Malformed(&["2025-11-2\u{665}".as_bytes()]),
    Named::Malformed(&[b"2025-11-25", b"2025-11-25"]),
    Named::Malformed(&[b"2026-07-28", b"2025-11-25"]),
    Named::Unsupported("not a date"),
    Named::Unsupported("1900-01-01"),
    Named::Unsupported("v999.0.0"),
    Named::Legacy("2024-11-05"),
    Named::Legacy("2025-03-26"),
    Named::Legacy("2025-06-18"),
    Named::Legacy(AGREED),
    Named::Modern,
];

/// What is sent: an HTTP method, or what the body of a POST is.
const SENT: [&str; 9] = [
    "initialize",
    "ping",
    "tools/list",
    "subscriptions/listen",
    "server/discover",
    "notifications/roots/list_changed",
    "a response",
    "GET",
    "DELETE",
];

/// The revision of the session.
const AGREED: &str = "2025-11-25";

/// Status and code; a request that waits for its handler has neither.
type Outcome = Option<(u16, Option<i32>)>;

/// What is to be answered, the first rule that applies.
fn expected(named: Named, sent: &str, meta: bool, session: bool) -> Outcome {
    let meta = meta && !matches!(sent, "GET" | "DELETE" | "a response");
    let is_legacy = matches!(named, Named::Absent | Named::Legacy(_));
    let refused = |code| Some((400, Some(code)));
    match (named, sent) {
        // 2026-07-28, Streamable HTTP, Server Validation: a required header that is malformed is a `HeaderMismatch`.
        (Named::Malformed(_), _) => refused(-32020),
        // A session has agreed on its version, and what its messages say in `_meta` is theirs.
        (Named::Legacy(_) | Named::Absent, _) if meta && session => in_session(named, sent),
        // 2026-07-28, Streamable HTTP, Protocol Version Header: header and `_meta` MUST match.
        _ if meta && named != Named::Modern => refused(-32020),
        // The same: what the server does not implement MUST be answered with 400 and -32022, whatever it is.
        (Named::Unsupported(_), _) => refused(-32022),
        // 2026-07-28, Streamable HTTP, Earlier Streamable HTTP Revisions.
        (Named::Modern, "GET" | "DELETE") if !session => Some((405, Some(-32600))),
        (Named::Modern, "GET" | "DELETE") => refused(-32600),
        (Named::Modern, "a response") => refused(-32600),
        (Named::Modern, "notifications/roots/list_changed") => Some((202, None)),
        // The same, Protocol Version Header: an unknown method MUST be answered with 404.
        (Named::Modern, "initialize" | "ping") => Some((404, Some(-32601))),
        // 2026-07-28, Overview, Per-request protocol fields: MUST.
        (Named::Modern, _) if !meta => refused(-32602),
        (Named::Modern, "tools/list") => None,
        (Named::Modern, _) => Some((200, None)),
        (_, "initialize") if !session => Some((200, None)),
        // 2025-11-25, Transports, Session Management, 2.
        _ if is_legacy && !session => refused(-32600),
        _ => in_session(named, sent),
    }
}

/// What a session answers.
fn in_session(named: Named, sent: &str) -> Outcome {
    match (named, sent) {
        // 2025-11-25, Transports, Protocol Version Header: it is that of the session.
        (Named::Legacy(name), _) if name != AGREED => Some((400, Some(-32600))),
        (_, "initialize") => Some((200, Some(-32600))),
        (_, "ping" | "GET") => Some((200, None)),
        (_, "tools/list") => None,
        (_, "subscriptions/listen" | "server/discover") => Some((200, Some(-32601))),
        (_, "DELETE") => Some((204, None)),
        _ => Some((202, None)),
    }
}

fn text(sent: &str, meta: bool) -> String {
    let meta = if meta { META } else { "" };
    match sent {
        "GET" | "DELETE" => String::new(),
        "a response" => r#"{"jsonrpc":"2.0","id":5,"result":{}}"#.into(),
        "initialize" => {
            let (comma, params) = (if meta.is_empty() { "" } else { "," }, initialize(AGREED));
            params.replacen(r#""params":{"#, &format!(r#""params":{{{meta}{comma}"#), 1)
        }
        "notifications/roots/list_changed" => {
            format!(r#"{{"jsonrpc":"2.0","method":"{sent}","params":{{{meta}}}}}"#)
        }
        _ => {
            let more = match (sent, meta) {
                ("subscriptions/listen", "") => r#""notifications":{}"#,
                ("subscriptions/listen", _) => r#","notifications":{}"#,
                _ => "",
            };
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{sent}","params":{{{meta}{more}}}}}"#)
        }
    }
}

/// What comes of it.
fn outcome(world: &mut World, named: Named, sent: &str, meta: bool, session: Option<&str>) -> (Outcome, String) {
    let method = if matches!(sent, "GET" | "DELETE") { sent } else { "POST" };
    let mut request = request(method, &[("mcp-method", sent)], &text(sent, meta));
    let mut add = |name: &'static str, value: &[u8]| {
        request.headers_mut().append(name, value.try_into().expect("a header"));
    };
    let values: &[&[u8]] = match &named {
        Named::Absent => &[],
        Named::Malformed(values) => values,
        Named::Unsupported(value) | Named::Legacy(value) => &[value.as_bytes()],
        Named::Modern => &[b"2026-07-28"],
    };
    values.iter().for_each(|value| add("mcp-protocol-version", value));
    session.into_iter().for_each(|id| add("mcp-session-id", id.as_bytes()));
    let id = world.send(request);
    let Some(head) = world.server.poll_head(world.now, id) else {
        return (None, String::new());
    };
    let (body, _) = world.body(id);
    let code = body.split_once(r#""code":"#).map(|(_, rest)| {
        let end = rest.find(|char: char| char != '-' && !char.is_ascii_digit());
        rest[..end.unwrap_or(rest.len())].parse().unwrap()
    });
    (Some((head.status.as_u16(), code)), body)
}

#[test]
fn an_unknown_version_is_refused_before_anything_is_made_of_it() {
    for named in NAMED {
        for sent in SENT {
            for (meta, session) in [(false, false), (false, true), (true, false), (true, true)] {
                let mut world = World::new();
                let id = session.then(|| world.session(AGREED));
                let (outcome, body) = outcome(&mut world, named, sent, meta, id.as_deref());
                let case = format!("{named:?} {sent} meta: {meta} session: {session}: {body}");
                assert_eq!(outcome, expected(named, sent, meta, session), "{case}");
                if let (Named::Unsupported(name), Some((400, Some(-32022)))) = (named, outcome) {
                    let id = if body.contains(r#""id":1,"#) || body.contains(r#""id":0,"#) {
                        "its own"
                    } else {
                        "null"
                    };
                    let expected = match sent {
                        "GET" | "DELETE" | "a response" | "notifications/roots/list_changed" => "null",
                        _ => "its own",
                    };
                    assert_eq!(id, expected, "{case}");
                    let data = format!(
                        r#""data":{{"supported":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"],"requested":"{name}"}}"#
                    );
                    assert!(body.contains(&data), "{case}");
                }
                // Whoever is refused has changed nothing: a DELETE has not ended the session, an `initialize` made none.
                let ended = sent == "DELETE" && outcome == Some((204, None));
                let begun = sent == "initialize" && !session && outcome == Some((200, None));
                let sessions = usize::from(session && !ended || begun);
                assert_eq!(world.server.sessions(), sessions, "{case}");
            }
        }
    }
}

#[test]
fn a_long_version_is_named_shortened() {
    let mut world = World::new();
    let long = "x".repeat(5_000);
    for method in ["POST", "GET", "DELETE"] {
        let refused = world.call(request(
            method,
            &[("mcp-protocol-version", &long)],
            &text("ping", false),
        ));
        assert_eq!(refused.status(), 400, "{method}");
        assert!(
            refused.body.contains("-32022") && refused.body.len() < 500,
            "{method} {refused:?}"
        );
    }
}

/// A version that the server knows and does not speak is as unsupported as one that nobody knows.
#[test]
fn what_is_not_spoken_here_is_unsupported() {
    for (spoken, named) in [
        (&[Revision::V2025_11_25][..], "2026-07-28"),
        (&[Revision::V2025_11_25], "2025-06-18"),
        (&[Revision::V2026_07_28], "2025-11-25"),
    ] {
        for sent in ["initialize", "ping", "tools/list", "notifications/roots/list_changed"] {
            let config = ServerConfig::new(Implementation::new("test", "1")).with_revisions(spoken);
            let mut world = World::new();
            world.server = HttpServer::new(config, HttpConfig::default());
            let refused = world.call(post(&[("mcp-protocol-version", named)], &text(sent, false)));
            assert_eq!(refused.status(), 400, "{named} {sent}");
            let data = format!(r#""supported":["{}"],"requested":"{named}""#, spoken[0]);
            assert!(
                refused.body.contains("-32022") && refused.body.contains(&data),
                "{refused:?}"
            );
        }
    }
}

/// 2026-07-28, Versioning, Backward Compatibility: SHOULD name the versions in any error for an `initialize`.
#[test]
fn a_modern_server_says_what_an_initialize_has_asked_for() {
    let config = ServerConfig::new(Implementation::new("test", "1")).with_revisions(&[Revision::V2026_07_28]);
    let mut world = World::new();
    world.server = HttpServer::new(config, HttpConfig::default());
    let refused = world.call(post(&[], &initialize(AGREED)));
    assert_eq!(refused.status(), 400);
    assert!(
        refused
            .body
            .contains(r#""supported":["2026-07-28"],"requested":"2025-11-25""#),
        "{refused:?}"
    );
}

#[test]
fn a_header_that_is_another_is_said_to_be_so_once() {
    let mut request = modern("tools/list", "");
    request
        .headers_mut()
        .insert("mcp-method", "prompts/list".parse().unwrap());
    let refused = World::new().call(request);
    let told = refused.body.to_ascii_lowercase();
    assert_eq!(
        (refused.status(), told.matches("header mismatch").count()),
        (400, 1),
        "{told}"
    );
}

/// Without sessions there is no GET whatever the version, and the rest is as above.
#[test]
fn without_sessions_an_unknown_version_is_refused_too() {
    let http = HttpConfig::default().sessions(SessionPolicy::Stateless);
    let mut world = World::with(Limits::default(), http);
    for named in ["1900-01-01", "v999.0.0", "not a date"] {
        for sent in &SENT[..7] {
            let refused = world.call(post(&[("mcp-protocol-version", named)], &text(sent, false)));
            assert_eq!(refused.status(), 400, "{named} {sent}");
            assert!(refused.body.contains("-32022"), "{refused:?}");
        }
    }
}
