//! What transports show, store and refuse.

use alloc::format;
use alloc::string::{String, ToString};
use core::time::Duration;

use serde_json::json;

use super::*;
use crate::client::Mode;
use crate::revision::Revision;
use crate::sessions::SessionKey;

fn http() -> HttpTransport {
    HttpTransport::new(
        "https://host/mcp?key=hidden",
        Authorization::Bearer(Secret::new("hidden")),
    )
    .and_then(|http| http.header("X-Team", "blue"))
    .and_then(|http| http.secret_header("X-Api-Key", Secret::new("hidden")))
    .unwrap()
}

fn child() -> ChildTransport {
    let child = ChildTransport::new("server").arg("--fast").in_directory("/tmp");
    let child = child.env("LEVEL", "7").unwrap();
    child.secret_env("TOKEN", Secret::new("hidden")).unwrap()
}

#[test]
fn what_is_stored_lacks_the_secrets_and_keeps_the_rest() {
    let all: [Transport; 4] = [
        http().into(),
        child().into(),
        StreamTransport::unix("/run/mcp").into(),
        InProcessTransport::new("weather").into(),
    ];
    for transport in all {
        let shown = format!(
            "{transport:?} {:?}",
            SessionKey::new(transport.clone()).of_conversation("c")
        );
        assert!(!shown.contains("hidden"), "{shown}");
        let stored = serde_json::to_value(&transport).unwrap();
        let text = stored.to_string().replace("key=hidden", "");
        assert!(!text.contains("hidden"), "{text}");
        let read: Transport = serde_json::from_value(stored.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), stored);
        match (&transport, &read) {
            (Transport::Http(_), Transport::Http(http)) => {
                assert_eq!(*http.authorization(), Authorization::Bearer(Secret::ABSENT));
                assert_eq!(http.secret_headers()["x-api-key"], Secret::ABSENT);
                assert_ne!(read, transport, "a missing secret is no other's");
            }
            (Transport::Child(_), Transport::Child(child)) => {
                assert_eq!(child.secret_variables()["TOKEN"], Secret::ABSENT);
            }
            _ => assert_eq!(read, transport),
        }
    }
}

#[test]
fn the_forms_of_a_configuration() {
    let read = |value: serde_json::Value| serde_json::from_value::<Transport>(value);
    let http = json!({"type": "http", "url": "http://h/", "authorization": "none", "headers": {"X-A": "b"}});
    let expected = HttpTransport::new("http://h/", Authorization::None)
        .unwrap()
        .header("x-a", "b");
    assert_eq!(read(http).unwrap(), expected.unwrap().into());
    let bearer = json!({"type": "http", "url": "http://h/", "authorization": {"bearer": "t"}});
    let expected = HttpTransport::new("http://h/", Authorization::Bearer(Secret::new("t"))).unwrap();
    assert_eq!(read(bearer).unwrap(), expected.into());
    let unix = json!({"type": "stream", "address": {"unix": "/run/mcp"}, "timeouts": {"connect": 1500}});
    let timeouts = TransportTimeouts {
        connect: Duration::from_millis(1_500),
        ..TransportTimeouts::default()
    };
    let expected = Transport::from(StreamTransport::unix("/run/mcp")).with_timeouts(timeouts.clone());
    assert_eq!(read(unix).unwrap(), expected);
    assert_eq!(expected.timeouts(), &timeouts);
    let child = json!({"type": "child", "command": "server", "args": ["-v"]});
    assert_eq!(read(child).unwrap(), ChildTransport::new("server").arg("-v").into());
    let local = json!({"type": "inProcess", "server": "weather"});
    assert_eq!(read(local).unwrap(), InProcessTransport::new("weather").into());
}

#[test]
fn a_field_that_is_not_known_is_named() {
    let stored = |extra: serde_json::Value, base: serde_json::Value| {
        let mut base = base;
        base.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        base
    };
    let http = json!({"type": "http", "url": "https://h/", "authorization": "none"});
    let child = json!({"type": "child", "command": "server"});
    let stream = json!({"type": "stream", "address": {"unix": "/run/mcp"}});
    let local = json!({"type": "inProcess", "server": "weather"});
    for (base, extra, name) in [
        (&http, json!({"header": {}}), "header"),
        (&http, json!({"secret_headers": {}}), "secret_headers"),
        (&http, json!({"timeouts": {"conect": 1}}), "conect"),
        (&http, json!({"tls": {"ca": "/x"}}), "ca"),
        (&child, json!({"arg": []}), "arg"),
        (&child, json!({"tls": {}}), "tls"),
        (&stream, json!({"timeout": {}}), "timeout"),
        (&local, json!({"name": ""}), "name"),
    ] {
        assert!(serde_json::from_value::<Transport>(base.clone()).is_ok());
        let error = serde_json::from_value::<Transport>(stored(extra, base.clone())).unwrap_err();
        assert!(
            error.to_string().contains(&format!("unknown field `{name}`")),
            "{error}"
        );
    }
    let key = json!({"transport": local, "conversations": "1"});
    let error = serde_json::from_value::<SessionKey>(key).unwrap_err();
    assert!(error.to_string().contains("conversations"), "{error}");
}

#[test]
fn the_mode_of_a_transport_is_a_word_or_a_revision() {
    let read = |mode: serde_json::Value| {
        serde_json::from_value::<Transport>(json!({"type": "child", "command": "server", "mode": mode}))
    };
    for (stored, mode, again) in [
        (json!("auto"), Some(Mode::Auto), json!("auto")),
        (json!("modern"), Some(Mode::Modern), json!("modern")),
        (json!("2026-07-28"), Some(Mode::Modern), json!("modern")),
        (
            json!("legacy"),
            Some(Mode::Legacy(Revision::LATEST_LEGACY)),
            json!("2025-11-25"),
        ),
        (
            json!("2025-03-26"),
            Some(Mode::Legacy(Revision::V2025_03_26)),
            json!("2025-03-26"),
        ),
        (json!(null), None, serde_json::Value::Null),
    ] {
        let transport = read(stored).unwrap();
        assert_eq!(transport.mode(), mode);
        let written = serde_json::to_value(&transport).unwrap();
        assert_eq!(written.get("mode").cloned().unwrap_or_default(), again);
        assert_eq!(serde_json::from_value::<Transport>(written).unwrap(), transport);
    }
    let error = read(json!("newest")).unwrap_err().to_string();
    assert!(error.contains("newest") && error.contains("modern"), "{error}");
    let stream = Transport::from(StreamTransport::tcp("h:1")).with_mode(Mode::Modern);
    assert_eq!(stream.mode(), Some(Mode::Modern));
    assert_ne!(
        stream,
        StreamTransport::tcp("h:1").into(),
        "another mode is another session"
    );
}

#[test]
fn files_for_tls_belong_to_https_and_come_in_pairs() {
    let files = TlsFiles::default().trusting("/ca").identified_by("/me", "/key");
    let new = |url: &str| HttpTransport::new(url, Authorization::None).unwrap().tls(files.clone());
    assert_eq!(new("http://h/"), Err(TransportError::TlsWithoutHttps));
    let transport = new("HTTPS://h/").unwrap();
    assert_eq!(transport.tls_files(), Some(&files));
    let stored = serde_json::to_value(Transport::from(transport.clone())).unwrap();
    assert_eq!(
        stored["tls"],
        json!({"caFile": "/ca", "certificateFile": "/me", "keyFile": "/key"})
    );
    assert_eq!(serde_json::from_value::<Transport>(stored).unwrap(), transport.into());
    for (tls, missing) in [
        (json!({"certificateFile": "/me"}), "keyFile"),
        (json!({"keyFile": "/key"}), "certificateFile"),
    ] {
        let error = serde_json::from_value::<TlsFiles>(tls).unwrap_err().to_string();
        assert!(error.contains(missing), "{error}");
    }
    let plain = json!({"type": "http", "url": "http://h/", "authorization": "none", "tls": {"caFile": "/ca"}});
    let error = serde_json::from_value::<Transport>(plain).unwrap_err().to_string();
    assert!(error.contains("https"), "{error}");
}

#[test]
fn that_there_is_no_authorization_has_to_be_said() {
    let error = serde_json::from_value::<Transport>(json!({"type": "http", "url": "http://h/"})).unwrap_err();
    assert!(error.to_string().contains("authorization"), "{error}");
}

#[test]
fn what_cannot_be_is_refused() {
    let new = |url: &str| HttpTransport::new(url, Authorization::None);
    for url in [
        "",
        "h",
        "ftp://h/",
        "http://",
        "http:///mcp",
        "http://h/a b",
        "http://h/\r\nX: y",
        "//h/mcp",
    ] {
        assert_eq!(new(url), Err(TransportError::InvalidUrl), "{url:?}");
    }
    assert_eq!(new("https://me:secret@h/"), Err(TransportError::CredentialsInUrl));
    assert!(new("https://h/@me").is_ok());
    let plain = || new("http://h/").unwrap().header("X-A", "b").unwrap();
    let name = |name: &str| name.to_string().into_boxed_str();
    assert_eq!(
        plain().secret_header("x-a", Secret::new("c")),
        Err(TransportError::Twice(name("x-a")))
    );
    assert_eq!(
        http().header("x-API-key", "c"),
        Err(TransportError::NotSecret(name("x-api-key")))
    );
    assert_eq!(plain().header("Authorization", "c"), Err(TransportError::Authorization));
    assert_eq!(
        plain().secret_header("authorization", Secret::new("c")),
        Err(TransportError::Authorization)
    );
    for (header, value) in [("", "x"), ("a b", "x"), ("a", "x\r\nb: c"), ("a", "\u{e9}")] {
        assert!(
            matches!(plain().header(header, value), Err(TransportError::InvalidHeader(_))),
            "{header:?}"
        );
    }
    let broken = HttpTransport::new("http://h/", Authorization::Bearer(Secret::new("a\nb")));
    assert_eq!(broken, Err(TransportError::InvalidHeader(name("authorization"))));
    assert_eq!(child().env("TOKEN", "x"), Err(TransportError::Twice(name("TOKEN"))));
    let twice = json!({"type": "child", "command": "s", "env": {"A": "b"}, "secretEnv": {"A": null}});
    assert!(serde_json::from_value::<Transport>(twice).is_err());
}

#[test]
fn keys_are_equal_where_all_of_it_is_and_secrets_count() {
    let key = |token: &str| {
        let http = HttpTransport::new("http://h/", Authorization::Bearer(Secret::new(token))).unwrap();
        SessionKey::new(http)
    };
    assert_eq!(key("a"), key("a"));
    assert_ne!(key("a"), key("b"));
    assert!(key("a") < key("b"));
    assert_ne!(key("a"), key("a").of_conversation("1"));
    assert_eq!(
        key("a").of_conversation("1"),
        key("a").of_conversation(String::from("1"))
    );
}

#[test]
fn what_is_as_good_as_for_ever_can_be_said() {
    let for_ever = TransportTimeouts {
        connect: Duration::MAX,
        probe: Duration::MAX,
        initialize: Duration::MAX,
        ..TransportTimeouts::default()
    };
    assert_eq!(for_ever.to_attempt().handshake, Duration::MAX);
}

#[test]
fn a_secret_in_the_wrong_place_is_not_told_by_the_error() {
    for authorization in [
        json!("Bearer 5ecret"),
        json!({"bearer": 5_555}),
        json!({"bearer": ["5ecret"]}),
        json!({"5ecret": null}),
    ] {
        let stored = json!({"type": "http", "url": "http://host/mcp", "authorization": authorization});
        let error = serde_json::from_value::<Transport>(stored).unwrap_err().to_string();
        assert!(!error.contains("5ecret") && !error.contains("5555"), "{error}");
    }
    for secrets in [json!({"TOKEN": 5_555}), json!({"TOKEN": {"5ecret": 1}})] {
        let stored = json!({"type": "child", "command": "x", "secretEnv": secrets});
        let error = serde_json::from_value::<Transport>(stored).unwrap_err().to_string();
        assert!(!error.contains("5ecret") && !error.contains("5555"), "{error}");
    }
}

#[test]
fn what_was_said_of_a_transport_is_told_to_who_opens_it() {
    let child = child();
    assert_eq!((child.command(), child.args()), ("server", &["--fast".to_string()][..]));
    assert_eq!(child.directory(), Some("/tmp"));
    assert_eq!((child.variables().len(), child.variables()["LEVEL"].as_str()), (1, "7"));
    let http = http();
    assert_eq!((http.headers().len(), http.headers()["x-team"].as_str()), (1, "blue"));
    let files = TlsFiles::default().trusting("ca").identified_by("certificate", "key");
    assert_eq!(files.ca_file(), Some("ca"));
    assert_eq!(files.identity_files(), Some(("certificate", "key")));
    assert!(Secret::ABSENT.is_absent() && !Secret::new("hidden").is_absent());
    assert_eq!(
        format!("{:?} {:?}", Secret::ABSENT, Secret::new("hidden")),
        "Secret(absent) Secret(..)"
    );
}

#[test]
fn only_deadlines_that_were_said_are_stored_and_each_goes_where_it_counts() {
    let stored = |timeouts: &TransportTimeouts| {
        let mut child = ChildTransport::new("server");
        child.timeouts = timeouts.clone();
        serde_json::to_value(Transport::from(child))
            .unwrap()
            .get("timeouts")
            .is_some()
    };
    let second = Duration::from_secs;
    let timeouts = TransportTimeouts::default().with_probe(second(1)).with_close(second(2));
    assert!(stored(&timeouts) && !stored(&TransportTimeouts::default()));
    let client = timeouts.to_timeouts();
    assert_eq!((client.probe, client.close), (second(1), second(2)));
}
