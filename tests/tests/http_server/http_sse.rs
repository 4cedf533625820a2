//! HTTP+SSE of 2024-11-05 beside Streamable HTTP, on every runtime.

use std::sync::atomic::Ordering::SeqCst;

use mcp_driver::http::HttpOptions;
use mcp_proto::client::ClientConfig;
use mcp_proto::handle::Client;
use mcp_proto::http::client::HttpDialect;
use mcp_proto::http::server::{HttpConfig, SsePaths};
use mcp_proto::{Limits, Revision};
use serde_json::json;

use crate::peer::{INITIALIZE, Raw, request};
use crate::site::{Setup, Site, everywhere, until};

fn setup() -> Setup {
    Setup {
        config: HttpConfig::default().http_sse(SsePaths::default()),
        ..Setup::default()
    }
}

fn client(site: &Site, path: &str, dialect: HttpDialect) -> Client {
    let url = format!("http://{}{path}", site.address);
    let options = HttpOptions {
        dialect,
        ..HttpOptions::default()
    };
    mcp_tokio::connect_with(&url, ClientConfig::named("test", "1"), &options).expect("a client")
}

async fn echo(client: &Client, text: &str) -> String {
    let result = client
        .call_tool("echo", json!({ "text": text }))
        .await
        .expect("a result");
    result.to_text().to_string()
}

#[test]
fn clients_of_every_dialect_find_their_place() {
    everywhere(async |serve| {
        let site = serve(setup());
        for (path, dialect, revision) in [
            ("/sse", HttpDialect::Any, Revision::LATEST_LEGACY),
            ("/sse", HttpDialect::HttpSse, Revision::LATEST_LEGACY),
            ("/mcp", HttpDialect::Any, Revision::LATEST),
            ("/mcp", HttpDialect::Streamable, Revision::LATEST),
        ] {
            let client = client(&site, path, dialect);
            for text in ["a", "b"] {
                assert_eq!(echo(&client, text).await, text);
            }
            assert_eq!(client.ready().await.expect("a server").revision, revision);
        }
    });
}

#[test]
fn many_calls_share_a_stream() {
    everywhere(async |serve| {
        let site = serve(setup());
        let client = client(&site, "/sse", HttpDialect::HttpSse);
        let calls: Vec<_> = (0..50)
            .map(|n| {
                let client = client.clone();
                tokio::spawn(async move { (n.to_string(), echo(&client, &n.to_string()).await) })
            })
            .collect();
        for call in calls {
            let (asked, answered) = call.await.expect("no panic");
            assert_eq!(asked, answered);
        }
    });
}

#[test]
fn a_client_that_goes_takes_its_handlers_along() {
    everywhere(async |serve| {
        let site = serve(setup());
        let client = client(&site, "/sse", HttpDialect::HttpSse);
        let calling = client.clone();
        let call = tokio::spawn(async move { calling.call_tool("wait", json!({})).await });
        until(|| site.seen.waiting() == 1).await;
        call.abort();
        until(|| site.seen.waiting() == 0).await;
        assert_eq!(echo(&client, "still here").await, "still here");
        let calling = client.clone();
        let call = tokio::spawn(async move { calling.call_tool("wait", json!({})).await });
        until(|| site.seen.waiting() == 1).await;
        client.close().await;
        assert!(call.await.expect("no panic").is_err());
        until(|| site.seen.waiting() == 0).await;
    });
}

#[test]
fn a_server_that_shuts_down_ends_its_streams() {
    everywhere(async |serve| {
        let mut site = serve(setup());
        site.seen.hold.store(true, SeqCst);
        let client = client(&site, "/sse", HttpDialect::HttpSse);
        let calling = client.clone();
        let call = tokio::spawn(async move { calling.call_tool("slow", json!({})).await });
        until(|| site.seen.waiting() == 1).await;
        site.shut_down();
        site.seen.hold.store(false, SeqCst);
        let result = format!("{:?}", call.await.expect("no panic"));
        assert!(result.contains("done"), "{result}");
        client.close().await;
        site.gone().await;
    });
}

#[test]
fn the_guard_stands_before_this_transport_too() {
    everywhere(async |serve| {
        let site = serve(setup());
        for (method, path) in [("GET", "/sse"), ("POST", "/messages?sessionId=x")] {
            for header in [("host", "rebound.example"), ("origin", "https://evil.example")] {
                let text = request(method, path, &[header], INITIALIZE);
                let (status, _) = Raw::open(site.address).await.ask(&text).await;
                assert!(status == 403 || status == 400, "{method} {header:?}: {status}");
            }
        }
        let text = request("POST", "/messages?sessionId=x", &[], INITIALIZE);
        assert_eq!(Raw::open(site.address).await.ask(&text).await.0, 404);
        // Where it was not asked for there is no such place.
        let site = serve(Setup::default());
        let text = request("GET", "/sse", &[], "");
        assert_ne!(Raw::open(site.address).await.ask(&text).await.0, 200);
    });
}

#[test]
fn a_body_beyond_the_limit_is_refused() {
    everywhere(async |serve| {
        let limits = Limits::default().with_body_bytes(1_000);
        let site = serve(Setup { limits, ..setup() });
        let client = client(&site, "/sse", HttpDialect::HttpSse);
        let error = client.call_tool("echo", json!({ "text": "x".repeat(2_000) })).await;
        assert_eq!(error.expect_err("too large").http_status(), None);
        assert_eq!(echo(&client, "small").await, "small");
    });
}
