//! Streams that break, or are closed by their server, and go on (2025-11-25, Transports, Resumability and Redelivery).

use std::net::SocketAddr;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use mcp_driver::http::HttpOptions;
use mcp_proto::Revision;
use mcp_proto::client::{ClientConfig, Mode};
use mcp_proto::handle::Client;
use mcp_proto::http::server::{HttpConfig, Resumption};
use serde_json::json;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::peer::{INITIALIZE, Raw, header, request};
use crate::site::{Setup, everywhere, until};

fn setup() -> Setup {
    let resumption = Resumption::default().with_retry(Duration::from_millis(500));
    Setup {
        config: HttpConfig::default().resumable(resumption),
        ..Setup::default()
    }
}

fn client(address: SocketAddr) -> Client {
    let config = ClientConfig::named("test", "1").with_mode(Mode::Legacy(Revision::V2025_11_25));
    let url = format!("http://{address}/mcp");
    mcp_tokio::connect_with(&url, config, &HttpOptions::default()).expect("a client")
}

/// The scenario `server-sse-polling` of the conformance suite, with a client that polls.
#[test]
fn a_tool_closes_its_stream_and_the_client_comes_back() {
    everywhere(async |serve| {
        let site = serve(setup());
        let result = client(site.address).call_tool("test_reconnection", json!({})).await;
        let result = format!("{:?}", result.expect("a result"));
        assert!(result.contains("closed: true"), "{result}");
        // Nothing is closed where it could not be resumed.
        let site = serve(Setup::default());
        let result = client(site.address).call_tool("test_reconnection", json!({})).await;
        assert!(format!("{result:?}").contains("closed: false"), "{result:?}");
    });
}

/// Acceptance H6: the connections break while the server works.
#[test]
fn a_call_survives_its_connections() {
    everywhere(async |serve| {
        let site = serve(setup());
        site.seen.hold.store(true, SeqCst);
        let proxy = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let address = proxy.local_addr().expect("an address");
        let (cut, cuts) = watch::channel(0);
        let (site_address, accepting) = (site.address, cuts.clone());
        tokio::spawn(async move {
            while let Ok((mut from, _)) = proxy.accept().await {
                let mut cuts = accepting.clone();
                cuts.mark_unchanged();
                tokio::spawn(async move {
                    let mut to = TcpStream::connect(site_address).await.expect("the server");
                    tokio::select! {
                        _ = copy_bidirectional(&mut from, &mut to) => {}
                        _ = cuts.changed() => {}
                    }
                });
            }
        });
        let client = client(address);
        let calls: Vec<_> = (0..3)
            .map(|_| {
                let client = client.clone();
                tokio::spawn(async move { client.call_tool("slow", json!({})).await })
            })
            .collect();
        until(|| site.seen.waiting() == 3).await;
        for _ in 0..2 {
            // The client has the events that begin its streams.
            tokio::time::sleep(Duration::from_millis(100)).await;
            cut.send_modify(|cuts| *cuts += 1);
            tokio::time::sleep(Duration::from_millis(600)).await;
        }
        assert_eq!(site.seen.waiting(), 3, "nobody is cancelled");
        site.seen.hold.store(false, SeqCst);
        for call in calls {
            let result = call.await.expect("no panic");
            assert!(format!("{result:?}").contains("done"), "{result:?}");
        }
        drop(cuts);
    });
}

/// GHSA-84j6-jc92-77jm, on every adapter.
#[test]
fn an_event_of_another_session_is_refused() {
    everywhere(async |serve| {
        let site = serve(setup());
        let mut sessions = Vec::new();
        for _ in 0..2 {
            let mut raw = Raw::open(site.address).await;
            let (_, answer) = raw.ask(&request("POST", "/mcp", &[], INITIALIZE)).await;
            sessions.push(header(&answer, "mcp-session-id").expect("a session").to_owned());
        }
        let call =
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"test_reconnection","arguments":{}}}"#;
        let post = request("POST", "/mcp", &[("mcp-session-id", &sessions[0])], call);
        let (status, answer) = Raw::open(site.address).await.ask(&post).await;
        assert_eq!(status, 200, "{answer}");
        let event = answer
            .lines()
            .find_map(|line| line.strip_prefix("id: "))
            .expect("an event")
            .to_owned();
        for (session, event, expected) in [
            (&sessions[1], event.as_str(), 400),
            (&sessions[0], "nonsense", 400),
            (&sessions[0], event.as_str(), 200),
        ] {
            let get = request(
                "GET",
                "/mcp",
                &[("mcp-session-id", session), ("last-event-id", event)],
                "",
            );
            let (status, answer) = Raw::open(site.address).await.ask(&get).await;
            assert_eq!(status, expected, "{answer}");
        }
    });
}
