use alloc::vec::Vec;

use http::{Request, StatusCode};

use super::*;

fn gate() -> Gate {
    Gate::new(
        &HttpConfig::default(),
        &Limits {
            body_bytes: 1000,
            ..Limits::default()
        },
        true,
    )
}

fn parts(method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

/// A request that passes, with some headers replaced, removed (by an empty value) or added.
fn with(method: &str, changes: &[(&str, &str)]) -> Parts {
    let good = [
        ("host", "localhost:8000"),
        ("content-type", "application/json"),
        ("accept", "application/json, text/event-stream"),
    ];
    let kept = good
        .into_iter()
        .filter(|(name, _)| !changes.iter().any(|(other, _)| other == name));
    let added = changes.iter().copied().filter(|(_, value)| !value.is_empty());
    parts(method, "/mcp", &kept.chain(added).collect::<Vec<_>>())
}

#[test]
fn every_method_goes_through_one_guard() {
    for method in [
        "POST", "GET", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS", "TRACE", "BREW",
    ] {
        for (header, value, refusal) in [
            ("host", "", Refusal::InvalidHost),
            ("host", "a b", Refusal::InvalidHost),
            ("host", "evil.example.com", Refusal::HostNotAllowed),
            ("origin", "http://evil.example.com", Refusal::OriginNotAllowed),
            ("origin", "null", Refusal::OriginNotAllowed),
            ("origin", "garbage", Refusal::OriginNotAllowed),
        ] {
            assert_eq!(
                gate().check(&with(method, &[(header, value)])),
                Err(refusal),
                "{method} {header}: {value}"
            );
        }
    }
}

#[test]
fn headers_that_matter_occur_once() {
    for method in ["POST", "GET", "DELETE"] {
        for (name, value) in [
            ("Host", "localhost:8000"),
            ("Origin", "http://localhost"),
            ("Content-Type", "application/json"),
            ("Mcp-Session-Id", "x"),
            ("MCP-Protocol-Version", "2025-11-25"),
            ("Mcp-Method", "ping"),
            ("Mcp-Name", "x"),
        ] {
            let refusal = gate().check(&with(
                method,
                &[(&name.to_ascii_lowercase(), ""), (name, value), (name, value)],
            ));
            let refusal = refusal.expect_err(name);
            assert_eq!(refusal.status(), StatusCode::BAD_REQUEST);
            let expected = if name == "Host" {
                Refusal::InvalidHost
            } else {
                Refusal::InvalidHeader(name)
            };
            assert_eq!(refusal, expected);
        }
    }
}

#[test]
fn methods() {
    for (method, expected) in [
        ("POST", Ok(Route::Post(Accepts::BOTH))),
        ("GET", Ok(Route::Get)),
        ("DELETE", Ok(Route::Delete)),
        (
            "PUT",
            Err(Refusal::MethodNotAllowed {
                allow: "POST, GET, DELETE",
            }),
        ),
        (
            "HEAD",
            Err(Refusal::MethodNotAllowed {
                allow: "POST, GET, DELETE",
            }),
        ),
        (
            "OPTIONS",
            Err(Refusal::MethodNotAllowed {
                allow: "POST, GET, DELETE",
            }),
        ),
    ] {
        assert_eq!(gate().check(&with(method, &[])), expected, "{method}");
    }
}

#[test]
fn a_gate_says_what_it_lets_in() {
    assert_eq!((gate().body_bytes(), gate().has_sessions()), (1000, true));
    let stateless = HttpConfig::default().sessions(SessionPolicy::Stateless);
    assert!(!Gate::new(&stateless, &Limits::default(), true).has_sessions());
}

#[test]
fn without_sessions_there_is_post_alone() {
    let stateless = HttpConfig::default().sessions(SessionPolicy::Stateless);
    let only_post = Err(Refusal::MethodNotAllowed { allow: "POST" });
    for gate in [
        Gate::new(&stateless, &Limits::default(), true),
        Gate::new(&HttpConfig::default(), &Limits::default(), false),
    ] {
        assert_eq!(gate.check(&with("GET", &[])), only_post);
        assert_eq!(gate.check(&with("DELETE", &[])), only_post);
        assert_eq!(gate.check(&with("POST", &[])), Ok(Route::Post(Accepts::BOTH)));
    }
    // A client of the modern era gets no stream of a server that has streams for the others.
    let modern = ("mcp-protocol-version", "2026-07-28");
    assert_eq!(gate().check(&with("GET", &[modern])).unwrap_err().status(), 405);
    assert_eq!(gate().check(&with("DELETE", &[modern])).unwrap_err().status(), 405);
}

#[test]
fn a_405_says_what_is_allowed() {
    let response = gate().check(&with("PUT", &[])).unwrap_err().into_response();
    assert_eq!(response.status(), 405);
    assert_eq!(response.headers()["allow"], "POST, GET, DELETE");
}

#[test]
fn content_types() {
    for (value, accepted) in [
        ("application/json", true),
        ("Application/JSON", true),
        ("application/json; charset=utf-8", true),
        ("application/json;charset=\"UTF-8\";x=y", true),
        ("application/json; charset=us-ascii", true),
        ("application/json; boundary=latin1", true),
        ("application/json; charset=latin1", false),
        ("", false),
        ("text/plain", false),
        ("application/json-rpc", false),
        ("application/jsonp", false),
        ("application/json, text/plain", false),
        ("text/plain; application/json", false),
        ("application/x-www-form-urlencoded", false),
    ] {
        let result = gate().check(&with("POST", &[("content-type", value)]));
        assert_eq!(result.is_ok(), accepted, "{value}");
        assert!(accepted || result == Err(Refusal::UnsupportedMediaType));
    }
    let compressed = gate().check(&with("POST", &[("content-encoding", "gzip")]));
    assert_eq!(compressed, Err(Refusal::UnsupportedMediaType));
    // GET and DELETE have no body whose type could matter.
    assert_eq!(
        gate().check(&with("DELETE", &[("content-type", "text/plain")])),
        Ok(Route::Delete)
    );
}

#[test]
fn accept() {
    for (value, post, get) in [
        ("", Ok(Accepts::BOTH), true),
        ("application/json", Ok(Accepts::JSON), false),
        ("text/event-stream", Ok(Accepts::SSE), true),
        ("*/*", Ok(Accepts::BOTH), true),
        ("text/html", Err(Refusal::NotAcceptable), false),
    ] {
        assert_eq!(
            gate().check(&with("POST", &[("accept", value)])),
            post.map(Route::Post),
            "{value}"
        );
        let expected = if get {
            Ok(Route::Get)
        } else {
            Err(Refusal::NotAcceptable)
        };
        assert_eq!(gate().check(&with("GET", &[("accept", value)])), expected, "{value}");
    }
}

#[test]
fn a_body_too_large_is_refused_before_it_is_read() {
    for (length, fits) in [
        ("0", true),
        ("1000", true),
        ("1001", false),
        ("18446744073709551615", false),
    ] {
        let result = gate().check(&with("POST", &[("content-length", length)]));
        assert_eq!(result.is_ok(), fits, "{length}");
        assert!(fits || result == Err(Refusal::TooLarge));
    }
}

#[test]
fn the_authority_of_http2_is_a_host() {
    let headers = [("content-type", "application/json")];
    let check = |uri, more: &[(&str, &str)]| {
        let headers: Vec<_> = headers.iter().chain(more).copied().collect();
        gate().check(&parts("POST", uri, &headers))
    };
    assert!(check("http://localhost:8000/mcp", &[]).is_ok());
    assert!(check("http://localhost:8000/mcp", &[("host", "LOCALHOST:8000")]).is_ok());
    assert_eq!(check("http://evil.com/mcp", &[]), Err(Refusal::HostNotAllowed));
    assert_eq!(
        check("http://evil.com/mcp", &[("host", "localhost")]),
        Err(Refusal::InvalidHost)
    );
    assert_eq!(
        check("http://localhost/mcp", &[("host", "evil.com")]),
        Err(Refusal::InvalidHost)
    );
    assert_eq!(check("http://u@localhost/mcp", &[]), Err(Refusal::InvalidHost));
}

#[test]
fn the_origin_of_the_server_itself_passes_unless_any_host_does() {
    let config = HttpConfig::default().allow_host("mcp.example.com").unwrap();
    let own = [("host", "mcp.example.com"), ("origin", "https://mcp.example.com")];
    assert!(
        Gate::new(&config, &Limits::default(), true)
            .check(&with("POST", &own))
            .is_ok()
    );
    let rebound = [("host", "evil.com:8000"), ("origin", "http://evil.com:8000")];
    let open = HttpConfig::default().dangerously_allow_any_host();
    let gate = Gate::new(&open, &Limits::default(), true);
    assert_eq!(gate.check(&with("POST", &rebound)), Err(Refusal::OriginNotAllowed));
    assert!(gate.check(&with("POST", &[("host", "evil.com")])).is_ok());
    assert!(gate.check(&with("POST", &[("host", "")])).is_ok());
    let open = open.dangerously_allow_any_origin();
    assert!(
        Gate::new(&open, &Limits::default(), true)
            .check(&with("POST", &rebound))
            .is_ok()
    );
}

#[test]
fn hostile_values_are_refusals() {
    let mut request = with("POST", &[]);
    for name in [
        "host",
        "origin",
        "accept",
        "content-type",
        "mcp-protocol-version",
        "content-length",
    ] {
        for bytes in [
            &b"\xff\xfe"[..],
            b"\t",
            b"\x80localhost",
            b"::::",
            b"[[[[",
            b"=?base64?",
            b";;;,,,",
        ] {
            let value = http::HeaderValue::from_bytes(bytes).unwrap();
            let before = request.headers.insert(name, value);
            let _ = gate().check(&request).map_err(Refusal::into_response);
            match before {
                Some(before) => request.headers.insert(name, before),
                None => request.headers.remove(name),
            };
        }
    }
    assert!(gate().check(&request).is_ok());
}

#[test]
fn a_body_that_does_not_come_as_it_should_is_refused_as_a_whole() {
    let admission = gate().admit(&with("POST", &[])).unwrap();
    let response = admission.refuse(&Refusal::TooLarge);
    assert_eq!(response.status(), 413);
    assert_eq!(response.headers()["content-type"], "application/json");
    assert!(
        response
            .body()
            .starts_with(b"{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":")
    );
}
