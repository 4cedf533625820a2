//! TLS: which protocol is spoken, who is let in, and how long the handshake may take.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mcp_driver::http::ServeOptions;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::client::ClientConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{RootCertStore, ServerConfig};

use crate::peer::{INITIALIZE, Peer, Raw, encrypted};
use crate::site::{Setup, everywhere};

/// An authority, and what it issues, in PEM.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for `name`, and its key.
    fn issue(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    /// A client that trusts this authority and asks for these protocols.
    pub(crate) fn client(&self, alpn: &[&str], identity: Option<(String, String)>) -> Arc<ClientConfig> {
        use rustls::pki_types::pem::PemObject;
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match identity {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => {
                let chain = CertificateDer::from_pem_slice(chain.as_bytes()).unwrap();
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
                builder.with_client_auth_cert(vec![chain], key).unwrap()
            }
        };
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config)
    }
}

/// The adapters' configurations are made alike.
pub(crate) fn configs(authority: &Authority, demand: bool) -> [Arc<ServerConfig>; 2] {
    let (chain, key) = authority.issue("localhost");
    let (chain, key) = (chain.as_bytes(), key.as_bytes());
    let authorities = authority.pem();
    match demand {
        false => [
            mcp_tokio::tls::server_config(chain, key),
            mcp_smol::tls::server_config(chain, key),
        ],
        true => [
            mcp_tokio::tls::server_config_for(authorities.as_bytes(), chain, key),
            mcp_smol::tls::server_config_for(authorities.as_bytes(), chain, key),
        ],
    }
    .map(|config| config.unwrap())
}

fn setup(tls: Arc<ServerConfig>) -> Setup {
    Setup {
        tls: Some(tls),
        ..Setup::default()
    }
}

#[test]
fn the_protocol_is_agreed_on_in_the_handshake() {
    let authority = Authority::new();
    for config in configs(&authority, false) {
        everywhere(async |serve| {
            let site = serve(setup(config.clone()));
            for (asked, agreed) in [
                (&["h2", "http/1.1"][..], Some("h2")),
                (&["http/1.1"], Some("http/1.1")),
                (&[], None),
            ] {
                let stream = encrypted(site.address, &authority.client(asked, None)).await.unwrap();
                let protocol = stream.inner().get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
                assert_eq!(protocol.as_deref(), agreed.map(str::as_bytes));
                let peer = match agreed {
                    Some("h2") => Peer::http2(stream).await,
                    _ => Peer::http1(stream).await,
                };
                for _ in 0..3 {
                    let (status, text) = peer.call("echo", r#"{"text":"hi"}"#).await.unwrap();
                    assert!(status == 200 && text.contains(r#""text":"hi""#), "{text}");
                }
                let large = "x".repeat(300_000);
                let (status, text) = peer.call("echo", &format!(r#"{{"text":"{large}"}}"#)).await.unwrap();
                assert!(status == 200 && text.contains(&large));
            }
        });
    }
}

#[test]
fn protocols_that_are_named_stay_as_they_are() {
    let authority = Authority::new();
    let [config, _] = configs(&authority, false);
    let mut config = ServerConfig::clone(&config);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let config = Arc::new(config);
    everywhere(async |serve| {
        let site = serve(setup(config.clone()));
        let client = authority.client(&["h2", "http/1.1"], None);
        let stream = encrypted(site.address, &client).await.unwrap();
        assert_eq!(stream.inner().get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    });
}

#[test]
fn a_certificate_that_is_demanded_lets_in_and_none_does_not() {
    let (authority, other) = (Authority::new(), Authority::new());
    for config in configs(&authority, true) {
        everywhere(async |serve| {
            let site = serve(setup(config.clone()));
            let client = authority.client(&["h2"], Some(authority.issue("client")));
            let peer = Peer::http2(encrypted(site.address, &client).await.unwrap()).await;
            assert_eq!(peer.call("echo", r#"{"text":"hi"}"#).await.unwrap().0, 200);
            for identity in [None, Some(other.issue("client"))] {
                let client = authority.client(&["http/1.1"], identity);
                // With TLS 1.3 the client hears of it after its own part of the handshake.
                let outcome = match encrypted(site.address, &client).await {
                    Ok(stream) => Peer::http1(stream).await.call("echo", r#"{"text":"hi"}"#).await.ok(),
                    Err(_) => None,
                };
                assert_eq!(outcome, None);
            }
            assert_eq!(peer.call("echo", r#"{"text":"hi"}"#).await.unwrap().0, 200);
        });
    }
}

#[test]
fn a_session_is_of_the_client_whose_certificate_began_it() {
    let authority = Authority::new();
    let [config, _] = configs(&authority, true);
    everywhere(async |serve| {
        let site = serve(setup(config.clone()));
        let [alice, mallory] = ["alice", "mallory"].map(|name| authority.client(&["h2"], Some(authority.issue(name))));
        let connect = async |client| Peer::http2(encrypted(site.address, client).await.unwrap()).await;
        let (_, session, _) = connect(&alice).await.post(&[], INITIALIZE).await.unwrap();
        let session = [("mcp-session-id".to_owned(), session.unwrap())];
        let ping = r#"{"jsonrpc":"2.0","id":9,"method":"ping"}"#;
        for (client, expected) in [(&alice, 200), (&mallory, 404), (&alice, 200)] {
            let (status, _, _) = connect(client).await.post(&session, ping).await.unwrap();
            assert_eq!(status, expected);
        }
    });
}

#[test]
fn a_handshake_that_stalls_holds_nobody_up_and_ends_in_time() {
    let authority = Authority::new();
    let [config, _] = configs(&authority, false);
    everywhere(async |serve| {
        let timeout = Duration::from_millis(400);
        let site = serve(Setup {
            options: ServeOptions {
                header_timeout: timeout,
                ..ServeOptions::default()
            },
            ..setup(config.clone())
        });
        let begun = Instant::now();
        let mut stalled = Vec::new();
        for text in [&b""[..], b"\x16\x03\x01\x02\0\x01"] {
            for _ in 0..20 {
                let mut connection = Raw::open(site.address).await;
                connection.send(text).await;
                stalled.push(connection);
            }
        }
        let stream = encrypted(site.address, &authority.client(&["h2"], None)).await.unwrap();
        let peer = Peer::http2(stream).await;
        assert_eq!(peer.call("echo", r#"{"text":"hi"}"#).await.unwrap().0, 200);
        for connection in &mut stalled {
            while !connection.read().await.is_empty() {}
        }
        assert!(begun.elapsed() >= timeout, "{:?}", begun.elapsed());
        let mut plain = Raw::open(site.address).await;
        let answer = plain.ask(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        assert!(!answer.1.starts_with("HTTP/1.1 "), "{answer:?}");
    });
}

#[test]
fn a_shutdown_waits_for_no_handshake() {
    let authority = Authority::new();
    let [config, _] = configs(&authority, false);
    everywhere(async |serve| {
        let mut site = serve(setup(config.clone()));
        let stalled = Raw::open(site.address).await;
        let client = authority.client(&["http/1.1"], None);
        let idle = Peer::http1(encrypted(site.address, &client).await.unwrap()).await;
        assert_eq!(idle.call("echo", r#"{"text":"hi"}"#).await.unwrap().0, 200);
        let begun = Instant::now();
        site.shut_down();
        site.gone().await;
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
        drop((stalled, idle));
    });
}

#[test]
fn what_is_no_configuration_is_an_error() {
    let authority = Authority::new();
    let (chain, key) = authority.issue("localhost");
    let (_, another) = authority.issue("localhost");
    let (chain, key) = (chain.as_bytes(), key.as_bytes());
    for (chain, key) in [(&b""[..], key), (b"x", key), (chain, b""), (chain, another.as_bytes())] {
        assert!(mcp_tokio::tls::server_config(chain, key).is_err());
        assert!(mcp_smol::tls::server_config(chain, key).is_err());
    }
    assert!(mcp_tokio::tls::server_config_for(b"", chain, key).is_err());
    assert!(mcp_smol::tls::server_config_for(b"", chain, key).is_err());
}
