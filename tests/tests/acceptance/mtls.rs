//! K4: HTTP over TLS, where both sides show a certificate.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Instant;

use mcp_driver::Resolver;
use mcp_driver::http::{HttpOptions, ServeOptions};
use mcp_proto::Era;
use mcp_proto::handle::Server;
use mcp_proto::rpc::CallError;
use mcp_proto::sessions::{Authorization, HttpTransport, SessionKey, SessionsConfig, Transport};
use mcp_tests::app::threads;
use mcp_tests::runtime::{Driver, Runtime, listen};
use mcp_tests::world::{Probe, client_config, server};
use rustls::{ClientConfig, ServerConfig};
use serde_json::json;

use super::each;
use super::figures::quantile;
use super::pool::{alone, echo, session};

#[path = "../http_versions/certificates.rs"]
mod certificates;

use certificates::Authority;

#[test]
fn k4_calls_where_both_sides_show_a_certificate() {
    alone("mtls::k4_calls_where_both_sides_show_a_certificate", || {
        let (servers, clients) = (Authority::new("servers"), Authority::new("clients"));
        let (shown, own) = (servers.issue(&["127.0.0.1"]), clients.issue(&["client"]));
        let demanding =
            mcp_tokio::tls::server_config_for(clients.pem.as_bytes(), shown.chain.as_bytes(), shown.key.as_bytes());
        let demanding = demanding.unwrap();
        let (trusted, chain, key) = (servers.pem.as_bytes(), own.chain.as_bytes(), own.key.as_bytes());
        let known = mcp_tokio::tls::client_config_with(trusted, chain, key).unwrap();
        let stranger = mcp_tokio::tls::client_config(trusted).unwrap();
        each("K4", async |runtime, era, figures| {
            let (listener, url) = listen();
            let server = server(&Arc::new(Probe::default()), runtime.flavour());
            let _serving = runtime.start(serve(runtime, listener, server, demanding.clone()));
            let url = url.replace("http://", "https://");
            let transport = HttpTransport::new(url, Authorization::None).unwrap();

            let sessions = runtime
                .sessions(SessionsConfig::default(), resolver(runtime, era, &known))
                .unwrap();
            let mutual = session(&sessions, transport.clone());
            let before = threads();
            for what in ["call 1", "call 2", "call 3"] {
                let began = Instant::now();
                echo(&mutual).await.unwrap();
                figures.within(what, began.elapsed(), 50.0);
            }
            let mut times = Vec::new();
            for _ in 0..300 {
                let began = Instant::now();
                echo(&mutual).await.unwrap();
                times.push(began.elapsed());
            }
            figures.within("p50 of 300", quantile(&mut times, 0.5), 2.0);
            figures.time("p99 of 300", quantile(&mut times, 0.99));
            // Threads of what went before may end meanwhile.
            let started = threads().saturating_sub(before);
            figures.print("threads that were started", started);
            assert_eq!(started, 0);

            let strangers = resolver(runtime, era, &stranger);
            let strangers = runtime.sessions(SessionsConfig::default(), strangers).unwrap();
            let error = echo(&session(&strangers, transport)).await.unwrap_err();
            let is_turned_away = matches!(error, CallError::Unreachable(_) | CallError::Disconnected);
            assert!(is_turned_away, "{error:?}");
            echo(&mutual).await.unwrap();
            sessions.close().await;
        });
    });
}

#[test]
fn k4_the_same_with_files_that_a_stored_transport_names() {
    let (servers, clients) = (Authority::new("servers"), Authority::new("clients"));
    let (shown, own) = (servers.issue(&["127.0.0.1"]), clients.issue(&["client"]));
    let demanding =
        mcp_tokio::tls::server_config_for(clients.pem.as_bytes(), shown.chain.as_bytes(), shown.key.as_bytes());
    let demanding = demanding.unwrap();
    let folder = std::env::temp_dir().join(format!("mcp-tls-files-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let ca = file("ca.pem", &servers.pem);
    let (certificate, key) = (file("client.pem", &own.chain), file("client.key", &own.key));
    each("K4", async |runtime, era, figures| {
        let (listener, url) = listen();
        let server = server(&Arc::new(Probe::default()), runtime.flavour());
        let _serving = runtime.start(serve(runtime, listener, server, demanding.clone()));
        let url = url.replace("http://", "https://");
        let stored = |tls: serde_json::Value| {
            let stored = json!({"type": "http", "url": url, "authorization": "none", "tls": tls});
            serde_json::from_value::<Transport>(stored).unwrap()
        };
        let resolver = Resolver::new(client_config(era));
        let sessions = runtime.sessions(SessionsConfig::default(), resolver).unwrap();

        let mutual = stored(json!({"caFile": ca, "certificateFile": certificate, "keyFile": key}));
        for conversation in 0..3 {
            let key = SessionKey::new(mutual.clone()).of_conversation(conversation.to_string());
            let began = Instant::now();
            echo(&sessions.session(key)).await.unwrap();
            figures.within("call with files", began.elapsed(), 250.0);
        }
        let stranger = echo(&sessions.session(stored(json!({"caFile": ca}))))
            .await
            .unwrap_err();
        let is_turned_away = matches!(stranger, CallError::Unreachable(_) | CallError::Disconnected);
        assert!(is_turned_away, "{stranger:?}");
        // Without files, it trusts those whom all trust, and nobody there has issued this certificate.
        for (tls, why) in [
            (json!({}), "certificate"),
            (json!({"caFile": "/no/such/ca.pem"}), "/no/such/ca.pem"),
            (
                json!({"caFile": ca, "certificateFile": key, "keyFile": key}),
                "files for TLS",
            ),
        ] {
            let error = echo(&sessions.session(stored(tls))).await.unwrap_err();
            assert!(
                matches!(&error, CallError::Unreachable(text) if text.contains(why)),
                "{error:?}"
            );
        }
        sessions.close().await;
    });
    std::fs::remove_dir_all(folder).unwrap();
}

fn resolver(runtime: &dyn Runtime, era: Era, config: &Arc<ClientConfig>) -> Resolver {
    let options = HttpOptions::default();
    let options = match runtime.flavour().is_tokio() {
        true => mcp_tokio::tls::with_config(options, config.clone()),
        false => mcp_smol::tls::with_config(options, config.clone()),
    };
    Resolver::new(client_config(era)).http(options)
}

/// Serves for ever, as the adapter of this runtime does.
fn serve(runtime: &dyn Runtime, listener: TcpListener, server: Server, tls: Arc<ServerConfig>) -> Driver {
    let options = ServeOptions::default();
    if runtime.flavour().is_tokio() {
        use mcp_tokio::http::server::{Listener, serve_until};
        let socket = tokio::net::TcpListener::from_std(listener).unwrap();
        let service = mcp_tokio::http::service(server);
        Box::pin(async move {
            let never = std::future::pending();
            drop(serve_until(Listener::tls(socket, tls), service, &options, never).await);
        })
    } else {
        use mcp_smol::http::server::{Listener, serve_until};
        let socket = smol::net::TcpListener::from(smol::Async::new(listener).unwrap());
        let service = mcp_smol::http::service(server);
        Box::pin(async move {
            let never = std::future::pending();
            drop(serve_until(Listener::tls(socket, tls), service, &options, never).await);
        })
    }
}
