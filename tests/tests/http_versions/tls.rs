//! TLS: who is trusted, what is chosen, and what is said when it fails.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use mcp_driver::http::{HttpOptions, HttpVersions};
use mcp_proto::rpc::CallError;
use mcp_tokio::tls;
use tokio_rustls::rustls::ServerConfig;

use super::certificates::{Authority, Identity};
use super::client;
use super::site::{Site, Terms};
use mcp_tests::caller::{call, call_all, everywhere};

const NAMES: [&str; 2] = ["localhost", "127.0.0.1"];

/// A server that shows this certificate, and speaks these protocols.
fn terms(config: Arc<ServerConfig>, protocols: &[&str]) -> Terms {
    let mut config = ServerConfig::clone(&config);
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    Terms {
        tls: Some(Arc::new(config)),
        ..Terms::default()
    }
}

fn server(identity: &Identity) -> Arc<ServerConfig> {
    tls::server_config(identity.chain.as_bytes(), identity.key.as_bytes()).expect("a configuration")
}

/// Options of a client that trusts this authority alone.
fn trusting(authority: &Authority) -> HttpOptions {
    let config = tls::client_config(authority.pem.as_bytes()).expect("a configuration");
    tls::with_config(HttpOptions::default(), config)
}

#[test]
fn the_handshake_chooses_the_version() {
    let authority = Authority::new("one");
    let identity = authority.issue(&NAMES);
    everywhere(async |runtime| {
        for (protocols, versions, http2) in [
            (["h2", "http/1.1"].as_slice(), HttpVersions::Negotiated, true),
            (&["h2", "http/1.1"], HttpVersions::Http1, false),
            (&["h2", "http/1.1"], HttpVersions::Http2, true),
            (&["http/1.1"], HttpVersions::Negotiated, false),
            (&["h2"], HttpVersions::Negotiated, true),
            (&[], HttpVersions::Negotiated, false),
        ] {
            let site = Site::start(terms(server(&identity), protocols));
            let options = HttpOptions {
                versions,
                ..trusting(&authority)
            };
            for host in NAMES {
                let client = client(runtime, &site.url("https", host), &options);
                for n in 0..3 {
                    assert_eq!(call(&client, n).await, Ok(n));
                }
            }
            assert_eq!(
                (site.connections(), site.requests()),
                (2, 6),
                "{protocols:?} {versions:?}"
            );
            assert_eq!(
                site.over_http2(),
                if http2 { 6 } else { 0 },
                "{protocols:?} {versions:?}"
            );
        }
    });
}

#[test]
fn calls_that_wait_for_each_other_are_not_held_up_whatever_is_chosen() {
    let authority = Authority::new("one");
    let identity = authority.issue(&NAMES);
    everywhere(async |runtime| {
        for (protocol, most) in [("h2", 3), ("http/1.1", 300)] {
            let site = Site::start(Terms {
                gate: 300,
                max_streams: Some(100),
                ..terms(server(&identity), &[protocol])
            });
            let client = client(runtime, &site.https(), &trusting(&authority));
            call_all(runtime, &client, 300).await;
            assert!(site.connections() <= most, "{protocol}: {}", site.connections());
            assert_eq!(site.requests(), 300);
        }
    });
}

#[test]
fn a_server_of_an_unknown_authority_or_of_another_name_is_not_spoken_to() {
    let (authority, other) = (Authority::new("one"), Authority::new("another"));
    let identity = authority.issue(&["localhost"]);
    everywhere(async |runtime| {
        let site = Site::start(terms(server(&identity), &["h2"]));
        let standard = HttpOptions::default();
        for (options, host, why) in [
            (&trusting(&other), "localhost", "UnknownIssuer"),
            (&standard, "localhost", "UnknownIssuer"),
            (&trusting(&authority), "127.0.0.1", "not valid for name"),
        ] {
            let client = client(runtime, &site.url("https", host), options);
            let error = call(&client, 1).await.expect_err("no trust");
            let is_told = |text: &str| text.contains(host) && text.contains("certificate") && text.contains(why);
            assert!(
                matches!(&error, CallError::Unreachable(text) if is_told(text)),
                "{error:?}"
            );
        }
        assert_eq!(site.requests(), 0);
    });
}

#[test]
fn a_client_shows_its_certificate_where_it_is_asked_for() {
    let (servers, clients) = (Authority::new("one"), Authority::new("another"));
    let (identity, own) = (servers.issue(&NAMES), clients.issue(&["client"]));
    let demanding = tls::server_config_for(
        clients.pem.as_bytes(),
        identity.chain.as_bytes(),
        identity.key.as_bytes(),
    );
    let demanding = demanding.expect("a configuration");
    let config = tls::client_config_with(servers.pem.as_bytes(), own.chain.as_bytes(), own.key.as_bytes());
    let known = tls::with_config(HttpOptions::default(), config.expect("a configuration"));
    everywhere(async |runtime| {
        for protocol in ["h2", "http/1.1"] {
            let site = Site::start(terms(demanding.clone(), &[protocol]));
            assert_eq!(call(&client(runtime, &site.https(), &known), 1).await, Ok(1));
            let outcome = call(&client(runtime, &site.https(), &trusting(&servers)), 1).await;
            let failed = matches!(outcome, Err(CallError::Unreachable(_) | CallError::Disconnected));
            assert!(failed, "{outcome:?}");
            assert_eq!(site.requests(), 1);
        }
    });
}

#[test]
fn a_server_that_never_shakes_hands_is_given_up() {
    everywhere(async |runtime| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
        let url = format!("https://{}/mcp", listener.local_addr().expect("address"));
        let options = HttpOptions {
            connect_timeout: Duration::from_millis(200),
            ..HttpOptions::default()
        };
        let error = call(&client(runtime, &url, &options), 1).await.expect_err("silence");
        assert!(
            matches!(&error, CallError::Unreachable(why) if why.contains("200ms")),
            "{error:?}"
        );
    });
}

#[test]
fn a_server_without_tls_is_told() {
    everywhere(async |runtime| {
        let site = Site::start(Terms::default());
        let error = call(&client(runtime, &site.https(), &HttpOptions::default()), 1).await;
        let error = error.expect_err("no TLS");
        assert!(matches!(error, CallError::Unreachable(_)), "{error:?}");
    });
}
