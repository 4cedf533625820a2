//! Pages of other origins, in a browser (Fetch Standard, 3.3, CORS protocol).

use super::*;
use crate::http::server::Cors;

const APP: &str = "https://app.example.com";

fn world(http: HttpConfig) -> World {
    World::with(Limits::default().with_body_bytes(2_000), http)
}

fn shown() -> HttpConfig {
    HttpConfig::default().allow_origin(APP).unwrap().cors(Cors::default())
}

fn preflight(origin: &str, method: &str, headers: &str) -> Request<Bytes> {
    let asked = [
        ("origin", origin),
        ("access-control-request-method", method),
        ("access-control-request-headers", headers),
    ];
    request("OPTIONS", &asked, "")
}

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.head.headers.get(name).map(|value| value.to_str().unwrap())
}

#[test]
fn a_preflight_says_what_a_page_may_send() {
    let mut world = world(shown());
    for origin in [APP, "http://localhost:5173", "https://127.0.0.1"] {
        let asked = "content-type, mcp-param-City, authorization, x-other, mcp-param-\u{e9}, mcp-method";
        let answer = world.call(preflight(origin, "POST", asked));
        assert_eq!((answer.status(), &*answer.body), (204, ""));
        assert_eq!(header(&answer, "access-control-allow-origin"), Some(origin));
        assert_eq!(
            header(&answer, "access-control-allow-methods"),
            Some("POST, GET, DELETE")
        );
        assert_eq!(header(&answer, "access-control-max-age"), Some("7200"));
        assert_eq!(header(&answer, "access-control-allow-credentials"), None);
        assert!(header(&answer, "vary").unwrap().contains("origin"));
        let allowed: Vec<_> = header(&answer, "access-control-allow-headers")
            .unwrap()
            .split(", ")
            .collect();
        for name in [
            "content-type",
            "authorization",
            "mcp-session-id",
            "mcp-method",
            "mcp-param-city",
            "last-event-id",
        ] {
            assert!(allowed.contains(&name), "{name} {allowed:?}");
        }
        assert!(!allowed.contains(&"x-other"), "{allowed:?}");
    }
    assert!(world.is_idle());
}

#[test]
fn what_else_may_be_sent_and_for_how_long_is_the_servers_to_say() {
    let cors = Cors::default()
        .max_age(Duration::from_secs(5))
        .allow_header(http::HeaderName::from_static("traceparent"));
    let http = HttpConfig::default().cors(cors).sessions(SessionPolicy::Stateless);
    let answer = world(http).call(preflight("http://localhost", "POST", ""));
    assert!(
        header(&answer, "access-control-allow-headers")
            .unwrap()
            .ends_with("traceparent")
    );
    assert_eq!(header(&answer, "access-control-allow-methods"), Some("POST"));
    assert_eq!(header(&answer, "access-control-max-age"), Some("5"));
}

#[test]
fn an_answer_of_whatever_kind_is_shown_to_a_page_that_may_see_it() {
    let mut world = world(shown());
    let page = ("origin", APP);
    let with_page = |mut request: Request<Bytes>| {
        request.headers_mut().insert("origin", APP.parse().unwrap());
        request
    };
    let is_shown = |answer: &Answer, status| {
        assert_eq!(answer.status(), status, "{answer:?}");
        assert_eq!(header(answer, "access-control-allow-origin"), Some(APP), "{answer:?}");
        assert_eq!(header(answer, "vary"), Some("origin"));
        let exposed = header(answer, "access-control-expose-headers").unwrap();
        for name in ["mcp-session-id", "mcp-protocol-version", "www-authenticate"] {
            assert!(exposed.contains(name), "{exposed}");
        }
    };
    let begun = world.call(post(&[page], &initialize("2025-11-25")));
    is_shown(&begun, 200);
    let session = begun.session();
    let in_session = ("mcp-session-id", session.as_str());
    is_shown(
        &world.call(post(
            &[page, in_session],
            r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        )),
        202,
    );
    let stream = world.send(request("GET", &[page, in_session], ""));
    is_shown(&world.read(stream), 200);
    is_shown(&world.call(request("DELETE", &[page, in_session], "")), 204);
    // What is refused too, or a page could not tell a lost session from a lost network.
    is_shown(&world.call(post(&[page, in_session], &tool(1))), 404);
    is_shown(&world.call(post(&[page], "nonsense")), 400);
    is_shown(
        &world.call(post(&[page, ("mcp-protocol-version", "1900-01-01")], &tool(1))),
        400,
    );
    is_shown(&world.call(post(&[page], &"x".repeat(2_001))), 413);
    is_shown(&world.call(request("PUT", &[page], "")), 405);
    is_shown(&world.call(request("OPTIONS", &[page], "")), 405);
    is_shown(&world.call(with_page(modern("server/discover", ""))), 200);
    let subscription = world.send(with_page(modern("subscriptions/listen", r#""notifications":{},"#)));
    is_shown(&world.read(subscription), 200);
    let (head, _) = post(&[page], "").into_parts();
    let id = world.server.receive_head(NOW, head, Sender::new());
    world.server.fail_body(id, &Refusal::TimedOut);
    is_shown(&world.read(id), 408);
    world.server.drain();
    is_shown(&world.call(post(&[page], &tool(1))), 503);
}

#[test]
fn the_guard_stays_in_front() {
    let mut world = world(shown());
    for method in ["OPTIONS", "POST", "GET"] {
        for (name, value) in [
            ("origin", "https://evil-app.example.com"),
            ("origin", "https://app.example.com.evil.example"),
            ("origin", "http://app.example.com"),
            ("origin", "https://app.example.com:8443"),
            ("origin", "null"),
        ] {
            let asked = [(name, value), ("access-control-request-method", "POST")];
            let answer = world.call(request(method, &asked, ""));
            assert_eq!(answer.status(), 403, "{method} {value}");
            assert!(
                answer
                    .head
                    .headers
                    .keys()
                    .all(|name| !name.as_str().starts_with("access-control"))
            );
        }
        let mut rebound = preflight(APP, "POST", "");
        rebound.headers_mut().insert("host", "rebound.example".parse().unwrap());
        let answer = world.call(rebound);
        assert_eq!(
            (answer.status(), header(&answer, "access-control-allow-origin")),
            (403, None)
        );
    }
    // Without an origin there is no page, and nothing to be told.
    let answer = world.call(post(&[], &initialize("2025-11-25")));
    assert_eq!(
        (answer.status(), header(&answer, "access-control-allow-origin")),
        (200, None)
    );
}

#[test]
fn it_is_off_unless_it_is_asked_for() {
    let mut world = world(HttpConfig::default().allow_origin(APP).unwrap());
    assert_eq!(world.call(preflight(APP, "POST", "")).status(), 405);
    let answer = world.call(post(&[("origin", APP)], &initialize("2025-11-25")));
    assert_eq!(
        (answer.status(), header(&answer, "access-control-allow-origin")),
        (200, None)
    );
}

#[test]
fn where_every_origin_is_allowed_none_is_named() {
    let mut world = world(
        HttpConfig::default()
            .dangerously_allow_any_origin()
            .cors(Cors::default()),
    );
    for origin in ["null", "https://anywhere.example", "garbage"] {
        let answer = world.call(post(&[("origin", origin)], &initialize("2025-11-25")));
        assert_eq!(
            (answer.status(), header(&answer, "access-control-allow-origin")),
            (200, Some("*"))
        );
        assert_eq!(header(&answer, "vary"), None);
    }
}
